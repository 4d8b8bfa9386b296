//! Values on the command line, read as they are in the settings.

use std::time::Duration;

use crate::settings::quantity;

/// `30s`, `1m30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    quantity::duration(text).map_err(|fault| fault.to_string())
}

/// `512KiB`, `1MB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    quantity::size(text).map_err(|fault| fault.to_string())
}

/// Text that is never shown.
#[expect(clippy::unnecessary_wraps, reason = "the form clap asks for")]
pub(super) fn secret(text: &str) -> Result<remote::Secret, String> {
    Ok(remote::Secret::new(text))
}

/// `name=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
