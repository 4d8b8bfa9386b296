//! The real disk for who only looks: what is written lies in memory and goes with this value.
//!
//! Owns the names and bytes that were changed. Always holds: nothing on the real disk is made, changed,
//! locked or synced, and every call is answered as if it had been. Deliberately not here: a bound. What
//! opening a journal writes is the tail that nothing proves and the copies of what is damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, File, Listed, RealDisk, open_to_read};
use crate::locked;
use crate::memory::MemoryFile;

/// The disk.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    folders: BTreeSet<PathBuf>,
    /// Files that were met; `None` for a name that was removed.
    files: BTreeMap<PathBuf, Option<Arc<MemoryFile>>>,
}

impl Names {
    /// The file of this name, as it is by now.
    fn file(&mut self, path: &Path) -> io::Result<Arc<MemoryFile>> {
        if let Some(known) = self.files.get(path) {
            return known.clone().ok_or_else(|| ErrorKind::NotFound.into());
        }
        let length = open_to_read(path)?.length()?;
        let file = Arc::new(MemoryFile::over(path.to_owned(), length));
        self.files.insert(path.to_owned(), Some(Arc::clone(&file)));
        Ok(file)
    }
}

impl Disk for Overlay {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        locked(&self.names).folders.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let names = locked(&self.names);
        let mut all = match RealDisk.list(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && names.folders.contains(path) => {
                Vec::new()
            }
            listed => listed?,
        };
        let inside = |one: &Path| one.parent() == Some(path);
        let name = |one: &Path| one.file_name().and_then(|n| n.to_str()).map(str::to_owned);
        for folder in names.folders.iter().filter(|one| inside(one)) {
            let Some(name) = name(folder) else { continue };
            if all.iter().all(|one| one.name != name) {
                all.push(Listed { name, length: 0, directory: true });
            }
        }
        for (own, file) in names.files.iter().filter(|(one, _)| inside(one)) {
            let Some(name) = name(own) else { continue };
            all.retain(|one| one.name != name);
            if let Some(file) = file {
                all.push(Listed { name, length: file.bytes(), directory: false });
            }
        }
        Ok(all)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut names = locked(&self.names);
        match names.file(path) {
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = Arc::new(MemoryFile::default());
        names.files.insert(path.to_owned(), Some(Arc::clone(&file)));
        Ok(file)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(locked(&self.names).file(path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut names = locked(&self.names);
        let file = names.file(from)?;
        names.files.insert(from.to_owned(), None);
        names.files.insert(to.to_owned(), Some(file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut names = locked(&self.names);
        names.file(path)?;
        names.files.insert(path.to_owned(), None);
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        RealDisk.now_ms()
    }

    fn random(&self) -> u64 {
        RealDisk.random()
    }
}

#[cfg(test)]
mod tests;
