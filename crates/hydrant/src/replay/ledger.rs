//! What was put back already: one hash a record, for each target, on disk.
//!
//! Always: a hash is on disk before progress is told; a file cut short by a crash loses the hash that
//! was being written and nothing else, and then the journal's own keys recognise the record. One
//! process at a time writes a ledger.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Records a ledger remembers: 64 MiB on disk, 150 MB while a replay runs.
pub(super) const LEDGER_ENTRIES_MAX: usize = 4_000_000;
/// Begins every file; its last digit is the version.
const MAGIC: [u8; 16] = *b"hydrant-replay-1";
/// Not a record: says that some records were put back in part, item by item.
const IN_PART: u128 = u128::from_le_bytes(*b"records-in-part.");

/// Why there is no ledger, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LedgerError {
    #[error("another hydrant replay to this target is under way: wait until it is done")]
    InUse,
    #[error("{0} was not written by this release: move it away to begin anew")]
    Foreign(PathBuf),
    #[error(
        "{0} is full: it remembers {LEDGER_ENTRIES_MAX} records. Move it away to begin anew, when \
         none of them is among what you put back"
    )]
    Full(PathBuf),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

/// The ledger of a target.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    /// None: it is only looked at.
    file: Option<File>,
    known: HashSet<u128>,
    fresh: Vec<u8>,
}

impl Ledger {
    /// Opens it for writing, alone.
    pub(super) fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::Io { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let options = File::options().create(true).read(true).append(true).open(path);
        let mut file = options.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::InUse),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (known, whole) = load(&mut file, path)?;
        if whole == 0 {
            file.set_len(0).and_then(|()| file.write_all(&MAGIC)).map_err(failed)?;
        } else {
            // Half a hash at the end would shift all that follow.
            file.set_len(whole).map_err(failed)?;
        }
        file.sync_all().and_then(|()| File::open(folder)?.sync_all()).map_err(failed)?;
        Ok(Ledger { path: path.to_owned(), file: Some(file), known, fresh: Vec::new() })
    }

    /// Reads it as it is now, without claiming it.
    pub(super) fn look(path: &Path) -> Result<Ledger, LedgerError> {
        let known = match File::open(path) {
            Ok(mut file) => load(&mut file, path)?.0,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HashSet::new(),
            Err(source) => return Err(LedgerError::Io { path: path.to_owned(), source }),
        };
        Ok(Ledger { path: path.to_owned(), file: None, known, fresh: Vec::new() })
    }

    /// Was this put back?
    pub(super) fn knows(&self, id: u128) -> bool {
        self.known.contains(&id)
    }

    /// Was any record put back in part?
    pub(super) fn has_parts(&self) -> bool {
        self.known.contains(&IN_PART)
    }

    /// Notes a record; durable after [`Ledger::sync`].
    pub(super) fn note(&mut self, id: u128) -> Result<(), LedgerError> {
        if self.known.len() >= LEDGER_ENTRIES_MAX {
            return Err(LedgerError::Full(self.path.clone()));
        }
        if self.known.insert(id) {
            self.fresh.extend_from_slice(&id.to_le_bytes());
        }
        Ok(())
    }

    /// Notes that what follows are items, and not records.
    pub(super) fn note_parts(&mut self) -> Result<(), LedgerError> {
        self.note(IN_PART)
    }

    /// Makes what was noted durable.
    pub(super) fn sync(&mut self) -> Result<(), LedgerError> {
        let failed = |source| LedgerError::Io { path: self.path.clone(), source };
        if let Some(file) = self.file.as_mut().filter(|_| !self.fresh.is_empty()) {
            file.write_all(&self.fresh).and_then(|()| file.sync_data()).map_err(failed)?;
        }
        self.fresh.clear();
        Ok(())
    }
}

/// The hashes in a file, and how long it is without half a hash at its end; 0 when it is new.
fn load(file: &mut File, path: &Path) -> Result<(HashSet<u128>, u64), LedgerError> {
    let mut bytes = Vec::new();
    let most = (LEDGER_ENTRIES_MAX as u64 + 2) * 16;
    let read = file.take(most).read_to_end(&mut bytes);
    read.map_err(|source| LedgerError::Io { path: path.to_owned(), source })?;
    // A crash may have cut the very first write.
    if MAGIC.starts_with(&bytes) && bytes.len() < MAGIC.len() {
        return Ok((HashSet::new(), 0));
    }
    let Some(hashes) = bytes.strip_prefix(&MAGIC) else {
        return Err(LedgerError::Foreign(path.to_owned()));
    };
    let (hashes, half) = hashes.as_chunks::<16>();
    let known = hashes.iter().map(|hash| u128::from_le_bytes(*hash)).collect();
    Ok((known, (bytes.len() - half.len()) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* hashes are noted and synced, half a hash is left by a crash, and more are noted.
    /// *Guarantees:* all that was synced is known, what was not is not, and nothing is shifted.
    #[test]
    fn a_ledger_survives_a_crash() {
        let dir = testkit::TempDir::new("ledger");
        let path = dir.join("replay").join("s.done");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.note(7).unwrap();
        ledger.note(7).unwrap();
        ledger.note(u128::MAX).unwrap();
        ledger.sync().unwrap();
        ledger.note(9).unwrap();
        assert!(ledger.knows(9) && !ledger.has_parts());
        assert!(matches!(Ledger::open(&path), Err(LedgerError::InUse)));
        drop(ledger);
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 16 * 3, "a hash is written once");
        bytes.extend_from_slice(&[1, 2, 3]);
        fs::write(&path, &bytes).unwrap();
        let looked = Ledger::look(&path).unwrap();
        assert!(looked.knows(7) && looked.knows(u128::MAX) && !looked.knows(9));

        let mut ledger = Ledger::open(&path).unwrap();
        ledger.note_parts().unwrap();
        ledger.note(10).unwrap();
        ledger.sync().unwrap();
        drop(ledger);
        let ledger = Ledger::open(&path).unwrap();
        assert!([7, u128::MAX, 10].into_iter().all(|id| ledger.knows(id)) && ledger.has_parts());
        assert!(!ledger.knows(9));
    }

    /// *Scenario:* files that are empty, cut within the first write, and of something else.
    /// *Guarantees:* the first two begin anew; the last is refused by name and left alone.
    #[test]
    fn other_files_are_not_taken_for_a_ledger() {
        let dir = testkit::TempDir::new("ledger");
        for content in ["", "hydrant-re"] {
            let path = dir.write("s.done", content);
            let mut ledger = Ledger::open(&path).unwrap();
            ledger.note(3).unwrap();
            ledger.sync().unwrap();
            drop(ledger);
            assert!(Ledger::look(&path).unwrap().knows(3));
        }
        let path = dir.write("other", "hydrant-replay-2 and more");
        let error = Ledger::open(&path).unwrap_err().to_string();
        assert!(error.contains("move it away"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "hydrant-replay-2 and more");
        assert!(!Ledger::look(&dir.join("absent")).unwrap().knows(1));
    }
}
