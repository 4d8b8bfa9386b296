//! The only door to the machine: a disk, a wall clock and a source of random numbers.
//!
//! Owns the two traits and the real implementation; `sim` holds the other one, which exists so that tears,
//! failed syncs, full disks and power cuts can be tested at every step. Nothing else in the crate touches
//! `std::fs` or `SystemTime`. Deliberately not here: any knowledge of what is written.

use std::fmt;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

/// What the journal asks of the machine.
pub trait Disk: Send + Sync + fmt::Debug + 'static {
    /// Makes a directory and its parents; one that exists is fine.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// What a directory holds, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>>;
    /// Makes a file that must not exist.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file that exists, for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Gives a file a new name, in place of what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name; who has it open can read on.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Fails when a file that was made is not there any more: somebody moved or removed it, or its folder.
    /// On a simulated disk nobody does.
    fn still_there(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
    /// Wall clock, milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// A number nobody can guess.
    fn random(&self) -> u64;
}

/// An open file.
pub trait File: Send + Sync + fmt::Debug {
    /// Puts up to `length` bytes from `offset` in place of what `into` holds; fewer only where the file ends.
    fn read_at(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()>;
    /// Writes all pieces, one after the other, from `offset`.
    fn write_at(&self, pieces: &[IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Returns when contents and length are durable.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Sets the length, giving back the space behind it.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Takes the space for `length` bytes now, as zeros, so that a full disk is met here.
    fn reserve(&self, length: u64) -> io::Result<()>;
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name; one that is not text is not ours and is left out.
    pub name: String,
    /// Length in bytes.
    pub length: u64,
    /// True for a directory.
    pub directory: bool,
}

/// The machine's own disk and clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(fs::File);

/// Most pieces of one vectored write (Linux's `IOV_MAX`).
const PIECES_MAX: usize = 1024;

/// Opens a real file that nobody here may change.
pub(crate) fn open_to_read(path: &Path) -> io::Result<Arc<dyn File>> {
    Ok(Arc::new(RealFile(fs::File::open(path)?)))
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let mut all = Vec::new();
        for one in fs::read_dir(path)? {
            let one = one?;
            let Ok(name) = one.file_name().into_string() else { continue };
            let about = match one.metadata() {
                // Removed since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                about => about?,
            };
            all.push(Listed { name, length: about.len(), directory: about.is_dir() });
        }
        Ok(all)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(fs::OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn still_there(&self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&self) -> u64 {
        // The standard library seeds each of these from the operating system.
        RandomState::new().build_hasher().finish()
    }
}

impl File for RealFile {
    fn read_at(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        into.clear();
        into.reserve_exact(length);
        while into.len() < length {
            let at = offset + into.len() as u64;
            match rustix::io::pread(&self.0, rustix::buffer::spare_capacity(into), at) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        into.truncate(length);
        Ok(())
    }

    fn write_at(&self, pieces: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut at = offset;
        for group in pieces.chunks(PIECES_MAX) {
            let total: usize = group.iter().map(|piece| piece.len()).sum();
            let mut written = match rustix::io::pwritev(&self.0, group, at) {
                Ok(written) => written,
                Err(Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
            at += written as u64;
            if written == total {
                continue;
            }
            // A short write is rare: finish piece by piece.
            for piece in group {
                let done = written.min(piece.len());
                written -= done;
                let rest = piece.get(done..).unwrap_or_default();
                self.0.write_all_at(rest, at)?;
                at += rest.len() as u64;
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, length) {
            Ok(()) => Ok(()),
            // Some file systems cannot reserve; there a full disk is met at the write, which is handled too.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                if self.length()? < length {
                    self.0.set_len(length)?;
                }
                Ok(())
            }
            Err(error) if io::Error::from(error).kind() == ErrorKind::Interrupted => {
                self.reserve(length)
            }
            Err(error) => Err(error.into()),
        }
    }
}
