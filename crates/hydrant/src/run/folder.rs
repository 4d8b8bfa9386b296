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
    /// No such folder.
    #[error("{0} is not there")]
    Missing(PathBuf),
    /// No process of hydrant has worked with it yet.
    #[error("{0} is no hydrant data folder: there is no file called version in it")]
    NotOurs(PathBuf),
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

    /// As [`Folder::open`], but only a folder that is a data folder already.
    pub fn open_existing(root: &Path) -> Result<Folder, FolderError> {
        Self::check(root)?;
        Self::open(root)
    }

    /// Whether this is a data folder whose layout this release knows; nothing in it is made or changed.
    pub fn check(root: &Path) -> Result<(), FolderError> {
        let path = root.join("version");
        match path.try_exists() {
            Ok(true) => Self::known(root),
            Ok(false) if !root.exists() => Err(FolderError::Missing(root.to_owned())),
            Ok(false) => Err(FolderError::NotOurs(root.to_owned())),
            Err(source) => Err(FolderError::Io { doing: "looking for", path, source }),
        }
    }

    /// Checks a folder for who only reads it, and gives the place of its journal. Nothing in it is made
    /// or changed, and the lock is not kept: it must never be a report that keeps a process from starting.
    pub fn look(root: &Path) -> Result<PathBuf, FolderError> {
        Self::check(root)?;
        let path = root.join("lock");
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journal_of(root)),
            Err(source) => return Err(FolderError::Io { doing: "opening", path, source }),
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(journal_of(root)),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(root.to_owned())),
            Err(TryLockError::Error(source)) => {
                Err(FolderError::Io { doing: "locking", path, source })
            }
        }
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
        journal_of(&self.root)
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

fn journal_of(root: &Path) -> PathBuf {
    root.join("journal")
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

    /// Scenario: an empty folder and one that is not there are looked at, one that has an owner, and one
    /// whose owner is gone, without its lock too.
    /// Guarantees: nothing is made; an owner is told; and who looks keeps nobody out.
    #[test]
    fn looking_makes_and_holds_nothing() {
        let dir = testkit::TempDir::new("folder");
        let missing = dir.join("no");
        assert!(matches!(Folder::look(&missing), Err(FolderError::Missing(_))));
        assert!(matches!(Folder::open_existing(&missing), Err(FolderError::Missing(_))));
        assert!(matches!(Folder::look(dir.path()), Err(FolderError::NotOurs(_))));
        assert!(matches!(Folder::open_existing(dir.path()), Err(FolderError::NotOurs(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let owner = Folder::open(dir.path()).unwrap();
        assert!(matches!(Folder::look(dir.path()), Err(FolderError::InUse(_))));
        drop(owner);
        assert_eq!(Folder::look(dir.path()).unwrap(), dir.join("journal"));
        assert!(!dir.join("journal").exists());
        drop(Folder::open_existing(dir.path()).unwrap());
        fs::remove_file(dir.join("lock")).unwrap();
        Folder::look(dir.path()).unwrap();
        assert!(!dir.join("lock").exists());
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
