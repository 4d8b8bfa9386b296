//! Captures of real clients and services, as files. They are not part of the project: where they are
//! not laid out, a test that wants them has nothing to look at.

use std::path::PathBuf;

use crate::Received;

/// The requests of AWS SDKs and CLIs, a file `NAME.bin` each.
const REQUESTS: &str = "sdk-requests";

#[expect(clippy::disallowed_methods, reason = "tests may be pointed at other captures")]
/// `HYDRANT_TESTDATA`, else the folder `shared/testdata` beside the checkout.
fn folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/testdata");
    std::env::var_os("HYDRANT_TESTDATA").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

/// A file of the captures; `None` where it is not.
pub fn testdata(name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join(name)).ok()
}

/// The captured request of this name (`boto3-firehose-PutRecord`); `None` where it is not.
pub fn captured_request(name: &str) -> Option<Received> {
    Some(Received::parse(&testdata(&format!("{REQUESTS}/{name}.bin"))?))
}

/// All captured requests, with their names; none where there are no captures.
pub fn captured_requests() -> Vec<(String, Received)> {
    let Ok(files) = std::fs::read_dir(folder().join(REQUESTS)) else { return Vec::new() };
    let names = files.filter_map(|file| {
        let name = file.ok()?.file_name().into_string().ok()?;
        name.strip_suffix(".bin").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    let request = |name: String| captured_request(&name).map(|request| (name, request));
    names.into_iter().filter_map(request).collect()
}
