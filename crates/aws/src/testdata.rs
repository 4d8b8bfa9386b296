//! Captures of the real service, for tests; absent where only the project itself is.

use std::path::PathBuf;

/// The folder, or `None` when the test data is not there.
#[expect(clippy::disallowed_methods, reason = "tests may be pointed at the test data")]
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/testdata");
    let folder = std::env::var("HYDRANT_TESTDATA").unwrap_or_else(|_| beside.to_owned());
    Some(PathBuf::from(folder)).filter(|folder| folder.is_dir())
}

/// The file's bytes, or `None` when the test data is not there.
pub(crate) fn read(name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder()?.join(name)).ok()
}
