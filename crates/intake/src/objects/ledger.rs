//! The durable position of a source that lists: which objects are done, and some words beside it.
//!
//! Owns the file: written whole under another name, synced, renamed, its folder synced, so that a
//! crash leaves the one before or the one after. Always holds: at most [`ENTRIES_MAX`] objects, 24
//! bytes each. A file that cannot be understood is put beside and begun anew: objects are read again
//! rather than left out. Not here: what an entry means.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use codec::checksum::{Hasher128, crc32c};

/// Objects remembered: 200 delivery streams that write one a minute for sixteen hours, or 138 for a
/// day. The file is 4.8 MB then.
pub(crate) const ENTRIES_MAX: usize = 200_000;

/// Begins the file: what it is, and its version.
const MAGIC: &[u8; 8] = b"hydrled1";
/// The seed of its checksum.
const SALT: u32 = 0x6c65_6467;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Words of the source's own, JSON.
    pub(crate) head: String,
    /// Done objects, each with an instant or a mark that says when it may be forgotten.
    pub(crate) done: HashMap<u128, i64>,
}

/// What the name of an object and of its content hash to.
pub(crate) fn entry_of(name: &str, content: &str) -> u128 {
    let mut hash = Hasher128::new();
    hash.update(&(name.len() as u64).to_le_bytes());
    hash.update(name.as_bytes());
    hash.update(content.as_bytes());
    hash.digest()
}

impl Ledger {
    /// Reads the file; an empty ledger when there is none. The text says that one was damaged.
    pub(crate) fn load(path: &Path) -> io::Result<(Ledger, Option<String>)> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Ledger::default(), None));
            }
            Err(error) => return Err(error),
        };
        match Ledger::parse(&bytes) {
            Some(ledger) => Ok((ledger, None)),
            None => {
                let aside = beside(path, "damaged");
                fs::rename(path, &aside)?;
                let found =
                    format!("{} could not be read; it is now {}", path.display(), aside.display());
                Ok((Ledger::default(), Some(found)))
            }
        }
    }

    /// Makes the ledger durable.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = beside(path, "new");
        let mut file = File::create(&new)?;
        file.write_all(&self.bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.head.len() + self.done.len() * 24);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(self.head.len() as u32).to_le_bytes());
        out.extend_from_slice(self.head.as_bytes());
        for (entry, mark) in &self.done {
            out.extend_from_slice(&entry.to_le_bytes());
            out.extend_from_slice(&mark.to_le_bytes());
        }
        let sum = crc32c(SALT, &out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    fn parse(bytes: &[u8]) -> Option<Ledger> {
        let (content, sum) = bytes.split_last_chunk::<4>()?;
        if crc32c(SALT, content) != u32::from_le_bytes(*sum) {
            return None;
        }
        let rest = content.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (head, entries) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (entries, []) = entries.as_chunks::<24>() else { return None };
        let done = entries.iter().filter_map(|entry| {
            let (name, mark) = entry.split_first_chunk::<16>()?;
            let mark = mark.first_chunk::<8>()?;
            Some((u128::from_le_bytes(*name), i64::from_le_bytes(*mark)))
        });
        Some(Ledger { head: String::from_utf8(head.to_vec()).ok()?, done: done.collect() })
    }

    /// Forgets the entries with the lowest marks until at most [`ENTRIES_MAX`] are left; the highest
    /// mark that went.
    pub(crate) fn shrink(&mut self) -> Option<i64> {
        let surplus = self.done.len().checked_sub(ENTRIES_MAX).filter(|surplus| *surplus > 0)?;
        let mut marks: Vec<i64> = self.done.values().copied().collect();
        // A tenth more, so that this is rare.
        let at = (surplus + ENTRIES_MAX / 10).min(marks.len() - 1);
        let (_, mark, _) = marks.select_nth_unstable(at);
        let mark = *mark;
        self.done.retain(|_, kept| *kept > mark);
        Some(mark)
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use testkit::TempDir;

    use super::*;

    /// *Scenario:* a ledger is saved and loaded, damaged in each byte, cut at each byte, absent.
    /// *Guarantees:* it comes back as it was; damage gives an empty one and keeps the file beside.
    #[test]
    fn comes_back_or_begins_anew() {
        let dir = TempDir::new("ledger");
        let path = dir.join("state/listing");
        assert_eq!(Ledger::load(&path).expect("no file"), (Ledger::default(), None));
        let done = [(entry_of("a", "1"), 5), (entry_of("b", "2"), -7)].into_iter().collect();
        let ledger = Ledger { head: "{\"x\":1}".to_owned(), done };
        ledger.save(&path).expect("saved");
        assert_eq!(Ledger::load(&path).expect("loaded"), (ledger.clone(), None));
        let bytes = ledger.bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Ledger::parse(&damaged), None);
            assert_eq!(Ledger::parse(&bytes[..at]), None);
        }
        fs::write(&path, b"nonsense").expect("written");
        let (empty, told) = Ledger::load(&path).expect("set aside");
        assert!(empty == Ledger::default() && told.is_some());
        assert_eq!(fs::read(dir.join("state/listing.damaged")).expect("kept"), b"nonsense");
    }

    /// *Scenario:* more entries than may be.
    /// *Guarantees:* the oldest go, a tenth beyond what must, and the mark says up to when.
    #[test]
    fn stays_within_its_bound() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.shrink(), None);
        ledger.done = (0..=ENTRIES_MAX).map(|n| (n as u128, n as i64)).collect();
        let mark = ledger.shrink().expect("one too many");
        assert_eq!(mark, ENTRIES_MAX as i64 / 10 + 1);
        assert!(ledger.done.values().all(|kept| *kept > mark));
        assert_eq!(ledger.done.len(), ENTRIES_MAX - ENTRIES_MAX / 10 - 1);
    }
}
