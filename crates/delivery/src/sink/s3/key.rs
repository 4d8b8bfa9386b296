//! Keys of objects.
//!
//! Always: a key is a function of the origin (this installation's journal, told by a random word
//! that is kept beside it), the stream, and the place of the first item. Two installations with the
//! same settings and the same bucket never write the same key.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use aws::firehose::prefix::{Evaluation, Prefix, Suffix, Zone};
use codec::checksum::Hasher128;

use crate::backup::write_whole;

/// Name of the file that holds the word.
const ORIGIN_FILE: &str = "origin";
/// Its hexadecimal digits: 128 bits do not meet by chance.
const ORIGIN_DIGITS: usize = 32;

/// The version in a key. Firehose counts the changes of a stream's configuration; we do not.
const VERSION: u32 = 1;

/// How the objects of one destination are named.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub prefix: Prefix,
    pub zone: Zone,
    /// With its point.
    pub extension: String,
}

/// What one object is named by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub stream: &'a str,
    /// Arrival of the oldest delivery in it.
    pub instant_ms: i64,
    /// Folder of failed data; not used by prefixes of data that was delivered.
    pub error_output_type: &'a str,
    /// Where its data begins, the origin first.
    pub place: &'a [&'a str],
}

impl Naming {
    pub(crate) fn key(&self, named: &Named<'_>) -> String {
        let seed = named.place.join("\n");
        let mut key = self.prefix.evaluate(&Evaluation {
            instant_ms: named.instant_ms,
            zone: &self.zone,
            error_output_type: named.error_output_type,
            // The stream too: two streams may share a bucket and a place in the journal.
            seed: format!("{}\n{seed}", named.stream).as_bytes(),
        });
        let suffix = Suffix {
            stream: named.stream,
            version: VERSION,
            instant_ms: named.instant_ms,
            zone: &self.zone,
            seed: seed.as_bytes(),
            extension: &self.extension,
        };
        key.push_str(&suffix.name());
        key
    }
}

/// The name of the entry in a zip: of the same content the same.
pub(crate) fn entry_name(plain: &[u8]) -> String {
    let mut hasher = Hasher128::new();
    hasher.update(plain);
    format!("{:032x}", hasher.digest())
}

/// The word of this installation, made at the first call. Lost with its folder: then data that is
/// written again gets another key, which costs a second copy.
pub(crate) fn origin(state: &Path) -> Result<Arc<str>, String> {
    let path = state.join(ORIGIN_FILE);
    let fault = |e: std::io::Error| format!("{}: {e}", path.display());
    match fs::read_to_string(&path) {
        Ok(word) if is_word(&word) => return Ok(word.into()),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(fault(e)),
    }
    // The standard library's keys come from the system's source of randomness.
    let random = || RandomState::new().build_hasher().finish();
    let word = format!("{:016x}{:016x}", random(), random());
    write_whole(state, &path, word.as_bytes()).map_err(fault)?;
    Ok(word.into())
}

fn is_word(text: &str) -> bool {
    text.len() == ORIGIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
