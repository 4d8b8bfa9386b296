//! The data folder: one process at a time, one format version, and where things lie in it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Version of the layout that this release writes.
const VERSION: u32 = 1;

/// The data folder, locked. The lock goes with this value, or with the process.
pub struct Folder {
    root: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process works with it.
    #[error("{0} is in use by another hydrant process: stop it, or set another data_dir")]
    InUse(PathBuf),
    /// A newer release wrote it.
    #[error(
        "{path} was written by a newer release (layout {found}, this release knows {VERSION}): \
         run that release, or set another data_dir"
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The version file is no number.
    #[error("{0} holds no version number: is this a hydrant data folder?")]
    Unknown(PathBuf),
    /// The disk.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

impl Folder {
    /// Creates, locks and checks, in this order: only the owner of the lock may judge the version.
    pub fn open(root: &Path) -> Result<Folder, FolderError> {
        let failed = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io { doing, path, source }
        };
        fs::create_dir_all(root).map_err(failed("creating", root))?;
        let path = root.join("lock");
        let options = File::options().create(true).write(true).truncate(false).open(&path);
        let lock = options.map_err(failed("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(root.to_owned())),
            Err(TryLockError::Error(e)) => return Err(failed("locking", &path)(e)),
        }
        let folder = Folder { root: root.to_owned(), _lock: lock };
        folder.check_version()?;
        Ok(folder)
    }

    /// Whether this release knows the layout of a folder; without locking or changing it.
    pub fn check(root: &Path) -> Result<(), FolderError> {
        if root.join("version").exists() { Self::known(root) } else { Ok(()) }
    }

    fn check_version(&self) -> Result<(), FolderError> {
        let path = self.root.join("version");
        if !path.exists() {
            return write_version(&path).map_err(|source| FolderError::Io {
                doing: "writing",
                path,
                source,
            });
        }
        Self::known(&self.root)
    }

    fn known(root: &Path) -> Result<(), FolderError> {
        let path = root.join("version");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(FolderError::Io { doing: "reading", path, source }),
        };
        let found: u32 = text.trim().parse().map_err(|_| FolderError::Unknown(path))?;
        if found > VERSION {
            return Err(FolderError::Newer { path: root.to_owned(), found });
        }
        Ok(())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the journal lies.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Where quarantines lie.
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// Where small state lies.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// Where resources and windows of sources in place of AWS lie.
    pub fn cloud(&self) -> PathBuf {
        self.root.join("cloud")
    }

    /// Where backups lie, unless the settings say another place.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backup")
    }

    /// Where the lanes of a drop-in stream lie.
    pub fn lanes(&self, stream: &str) -> PathBuf {
        self.root.join("lanes").join(stream)
    }
}

/// The socket of the running process.
pub fn control_socket(root: &Path) -> PathBuf {
    root.join("control.sock")
}

fn write_version(path: &Path) -> io::Result<()> {
    fs::write(path, format!("{VERSION}\n"))?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a folder is opened twice, then once more after the first is gone.
    /// Guarantees: one owner at a time, and the message says what to do.
    #[test]
    fn a_folder_has_one_owner() {
        let dir = testkit::TempDir::new("folder");
        let first = Folder::open(dir.path()).unwrap();
        let error = Folder::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("in use by another hydrant process"), "{error}");
        drop(first);
        Folder::open(dir.path()).unwrap();
    }

    /// Scenario: a folder whose version is 99, and one whose version is no number.
    /// Guarantees: both are refused and left alone.
    #[test]
    fn a_newer_folder_is_refused() {
        let dir = testkit::TempDir::new("folder");
        dir.write("version", "99\n");
        let error = Folder::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("newer release (layout 99, this release knows 1)"), "{error}");
        assert_eq!(fs::read_to_string(dir.join("version")).unwrap(), "99\n");
        dir.write("version", "twelve");
        assert!(matches!(Folder::open(dir.path()), Err(FolderError::Unknown(_))));
    }
}
