//! Bytes from files and stdin, decompressed, within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use codec::container;

/// Firehose writes objects of at most 128 MiB before compression; twice that is read whole.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that come out. Metrics compress ten to twenty times; a bomb a thousand.
pub(super) const PLAIN_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The whole of a file, or of stdin for `-`.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        return bounded(io::stdin().lock());
    }
    bounded(File::open(file)?)
}

fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let why = format!("larger than {} MiB: split it first", FILE_BYTES_MAX >> 20);
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

/// The bytes without what is compressed around them: any of Firehose's ways, told by content.
pub(super) fn inflate(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    container::decompress(&bytes, &mut plain, PLAIN_BYTES_MAX).map_err(|e| e.to_string())?;
    Ok(plain)
}
