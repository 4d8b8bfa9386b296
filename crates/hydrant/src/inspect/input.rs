//! Bytes from files and stdin, decompressed, within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use codec::container;

/// Firehose writes objects of at most 128 MiB before compression; twice that is read whole.
pub(crate) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that come out. Metrics compress ten to twenty times; a bomb a thousand.
pub(crate) const PLAIN_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What the words of a command line name: stdin without any, and for a folder the files in it and
/// below, by name. What cannot be listed stands for itself, so that reading it says why.
pub(crate) fn named(words: &[PathBuf]) -> Vec<PathBuf> {
    if words.is_empty() {
        return vec![PathBuf::from("-")];
    }
    let mut files = Vec::new();
    words.iter().for_each(|word| below(word, &mut files));
    files
}

fn below(path: &Path, files: &mut Vec<PathBuf>) {
    let listing = if path.is_dir() { std::fs::read_dir(path).ok() } else { None };
    let Some(listing) = listing else { return files.push(path.to_path_buf()) };
    // Hidden ones are the leftovers of tools; a link to a folder could lead in a circle.
    let mut entries: Vec<PathBuf> = listing
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .filter(|path| !(path.is_symlink() && path.is_dir()))
        .collect();
    entries.sort_unstable();
    entries.iter().for_each(|entry| below(entry, files));
}

/// The name of an input in messages.
pub(crate) fn name_of(file: &Path) -> String {
    if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() }
}

/// The whole of a file, or of stdin for `-`.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
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

/// The bytes without what is compressed around them (any of Firehose's ways, told by content), and what
/// is wrong with the container: then they are those before the damage.
pub(crate) fn inflate(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut plain = Vec::new();
    let outcome = container::Reader::new(bytes, PLAIN_BYTES_MAX).read_to_end(&mut plain);
    (plain, outcome.err().map(|error| error.to_string()))
}
