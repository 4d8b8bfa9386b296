//! Bytes from files and stdin, inflated, within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use codec::gzip::{self, Inflater};

/// Firehose writes objects of at most 128 MiB before compression; twice that is read whole.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that come out of gzip. Metrics compress ten to twenty times; a bomb a thousand.
pub(super) const PLAIN_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// gzip in gzip happens when a compressed object is compressed on its way; deeper it is a game.
const GZIP_LAYERS_MAX: usize = 2;

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

/// The bytes without gzip around them; all members of it.
pub(super) fn inflate(mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut inflater = Inflater::new();
    for _layer in 0..GZIP_LAYERS_MAX {
        if !gzip::is_gzip(&bytes) {
            break;
        }
        let mut plain = Vec::new();
        inflater.gunzip(&bytes, &mut plain, PLAIN_BYTES_MAX).map_err(|error| error.to_string())?;
        bytes = plain;
    }
    Ok(bytes)
}
