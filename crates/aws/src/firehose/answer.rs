//! The body of an answer: exactly `requestId`, `timestamp`, and on failure `errorMessage`.
//!
//! Always: valid JSON below Firehose's 1 MiB, whatever the texts hold; nothing but these members,
//! because Firehose takes a body with others for a failure.
//!
//! Not here: status and headers.

use super::json;

#[cfg(test)]
mod tests;

/// Most characters Firehose takes in `errorMessage`.
pub const ERROR_MESSAGE_MAX: usize = 8192;

/// The JSON of an answer. `error` is cut to [`ERROR_MESSAGE_MAX`].
pub fn body(request_id: &str, timestamp_ms: i64, error: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"{\"requestId\":");
    json::string(request_id, &mut out);
    out.extend_from_slice(b",\"timestamp\":");
    out.extend_from_slice(itoa::Buffer::new().format(timestamp_ms).as_bytes());
    if let Some(error) = error {
        out.extend_from_slice(b",\"errorMessage\":");
        json::string(cut(error), &mut out);
    }
    out.push(b'}');
    out
}

/// The first [`ERROR_MESSAGE_MAX`] characters, counted as UTF-16 does, the stricter of the two ways
/// a schema's length may be meant.
fn cut(error: &str) -> &str {
    let mut units = 0;
    for (at, character) in error.char_indices() {
        units += character.len_utf16();
        if units > ERROR_MESSAGE_MAX {
            return error.get(..at).unwrap_or_default();
        }
    }
    error
}
