//! A disk in memory, for a process whose journal need not outlive it (what fails is asked for again
//! by whoever sent it), and, over the real one, for who only looks.
//!
//! Owns the bytes of all files. Always holds: what is taken is what was written, in chunks, and not
//! what was reserved; a file whose name is removed is freed with its last handle. It has no bound of
//! its own: the budget of the journal on it is the bound. Deliberately not here: failures. The one
//! for tests is `sim`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, File, Listed, RealDisk, open_to_read};
use crate::locked;

/// Small enough that a cursor's file costs little, large enough that a segment is few of them.
const CHUNK: usize = 64 * 1024;

/// The disk. Cheap to clone; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    names: Arc<Mutex<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    folders: BTreeSet<PathBuf>,
    /// Over the real disk, `None` stands for a name that was removed.
    files: BTreeMap<PathBuf, Option<Arc<MemoryFile>>>,
    /// What is not here is what the real disk has.
    over_real: bool,
}

impl Names {
    /// The file of this name, as it is by now.
    fn file(&mut self, path: &Path) -> io::Result<Arc<MemoryFile>> {
        if let Some(known) = self.files.get(path) {
            return known.clone().ok_or_else(|| missing(path));
        }
        if !self.over_real {
            return Err(missing(path));
        }
        let length = open_to_read(path)?.length()?;
        let file = Arc::new(MemoryFile::over(path.to_owned(), length));
        self.files.insert(path.to_owned(), Some(Arc::clone(&file)));
        Ok(file)
    }

    fn forget(&mut self, path: &Path) {
        if self.over_real {
            self.files.insert(path.to_owned(), None);
        } else {
            self.files.remove(path);
        }
    }

    /// What the real disk has in a folder, which may be one that is only here.
    fn beneath(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let real = if self.over_real { RealDisk.list(path) } else { Err(missing(path)) };
        match real {
            Err(error) if error.kind() == ErrorKind::NotFound && self.folders.contains(path) => {
                Ok(Vec::new())
            }
            listed => listed,
        }
    }
}

#[derive(Debug, Default)]
struct MemoryFile {
    content: Mutex<Content>,
}

/// Chunks that were never written are not there: they are what lies beneath, else zeros.
#[derive(Default)]
struct Content {
    length: u64,
    chunks: BTreeMap<u64, Box<[u8]>>,
    under: Option<Under>,
}

/// A real file that is only read, opened at each reading: who looks at a journal of thousands of files
/// must not hold them all open.
struct Under {
    path: PathBuf,
    /// How much of it shows; less once it was cut.
    shows: u64,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} chunks", self.length, self.chunks.len())
    }
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// The real disk for who only looks: what is written lies in memory and goes with this value.
    /// Nothing on the real disk is made, changed, locked or synced, and every call is answered as if it
    /// had been.
    pub(crate) fn over_real() -> MemoryDisk {
        let names = Names { over_real: true, ..Names::default() };
        MemoryDisk { names: Arc::new(Mutex::new(names)) }
    }

    /// Bytes of memory its files take.
    pub fn bytes(&self) -> u64 {
        let names = locked(&self.names);
        let chunks = |file: &Arc<MemoryFile>| locked(&file.content).chunks.len() * CHUNK;
        names.files.values().flatten().map(chunks).sum::<usize>() as u64
    }
}

impl Disk for MemoryDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        locked(&self.names).folders.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let names = locked(&self.names);
        let mut all = names.beneath(path)?;
        let inside = |one: &Path| one.parent() == Some(path);
        let name = |one: &Path| one.file_name().and_then(|n| n.to_str()).map(str::to_owned);
        let folders = names.folders.iter().map(|own| (own, Some((0, true))));
        let files = names.files.iter();
        let files = files.map(|(own, file)| (own, file.as_ref().map(|file| (file.bytes(), false))));
        for (own, about) in folders.chain(files).filter(|(own, _)| inside(own)) {
            let Some(name) = name(own) else { continue };
            all.retain(|one| one.name != name);
            all.extend(about.map(|(length, directory)| Listed { name, length, directory }));
        }
        Ok(all)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut names = locked(&self.names);
        let there = names.file(path).map(drop);
        if there.is_ok() || names.folders.contains(path) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, path.display().to_string()));
        }
        there.or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let is_folder = |above| names.over_real || names.folders.contains(above);
        if !path.parent().is_some_and(is_folder) {
            return Err(missing(path));
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
        names.forget(from);
        names.files.insert(to.to_owned(), Some(file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut names = locked(&self.names);
        names.file(path)?;
        names.forget(path);
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        RealDisk.now_ms()
    }

    fn random(&self) -> u64 {
        RealDisk.random()
    }
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(ErrorKind::NotFound, path.display().to_string())
}

impl MemoryFile {
    /// A file that begins as the first `length` bytes of a real one, which is never written.
    fn over(path: PathBuf, length: u64) -> MemoryFile {
        let under = Some(Under { path, shows: length });
        MemoryFile { content: Mutex::new(Content { length, under, ..Content::default() }) }
    }

    fn bytes(&self) -> u64 {
        locked(&self.content).length
    }
}

impl File for MemoryFile {
    fn read_at(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        let content = locked(&self.content);
        let rest = usize::try_from(content.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(rest);
        into.clear();
        into.reserve_exact(length);
        content.read(into, length, offset)
    }

    fn write_at(&self, pieces: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut content = locked(&self.content);
        let mut at = offset;
        for piece in pieces {
            content.write(piece, at)?;
            at += piece.len() as u64;
        }
        content.length = content.length.max(at);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(locked(&self.content).length)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        let mut content = locked(&self.content);
        content.length = length;
        if let Some(under) = &mut content.under {
            under.shows = under.shows.min(length);
        }
        let (last, within) = place(length);
        // What lies behind is zeros should the file grow again.
        content.chunks.retain(|number, _| *number <= last);
        if let Some(tail) = content.chunks.get_mut(&last).and_then(|c| c.get_mut(within..)) {
            tail.fill(0);
        }
        Ok(())
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let mut content = locked(&self.content);
        content.length = content.length.max(length);
        Ok(())
    }
}

impl Content {
    /// Adds to `into` until it holds `length` bytes, the first of them from `offset`.
    fn read(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        while into.len() < length {
            let at = offset + into.len() as u64;
            let rest = length - into.len();
            let (number, within) = place(at);
            if let Some(chunk) = self.chunks.get(&number) {
                let bytes = chunk.get(within..).unwrap_or_default();
                into.extend_from_slice(bytes.get(..rest).unwrap_or(bytes));
                continue;
            }
            let next = self.chunks.range(number..).next();
            let upto = next.map_or(u64::MAX, |(next, _)| next * CHUNK as u64);
            let most = usize::try_from(upto - at).unwrap_or(usize::MAX);
            self.read_unwritten(into, rest.min(most), at)?;
        }
        Ok(())
    }

    fn read_unwritten(&self, into: &mut Vec<u8>, length: usize, at: u64) -> io::Result<()> {
        let end = into.len() + length;
        if let Some(under) = self.under.as_ref().filter(|under| at < under.shows) {
            let most = usize::try_from(under.shows - at).unwrap_or(usize::MAX);
            let mut bytes = Vec::new();
            open_to_read(&under.path)?.read_at(&mut bytes, most.min(length), at)?;
            into.append(&mut bytes);
        }
        into.resize(end, 0);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut rest, mut at) = (bytes, offset);
        while !rest.is_empty() {
            let (number, within) = place(at);
            let (now, later) = rest.split_at_checked(CHUNK - within).unwrap_or((rest, &[]));
            if !self.chunks.contains_key(&number) {
                let mut chunk = Vec::with_capacity(CHUNK);
                self.read_unwritten(&mut chunk, CHUNK, number * CHUNK as u64)?;
                self.chunks.insert(number, chunk.into());
            }
            let chunk = self.chunks.get_mut(&number);
            if let Some(into) = chunk.and_then(|c| c.get_mut(within..within + now.len())) {
                into.copy_from_slice(now);
            }
            at += now.len() as u64;
            rest = later;
        }
        Ok(())
    }
}

/// The chunk of an offset, and the place in it.
fn place(offset: u64) -> (u64, usize) {
    let chunk = CHUNK as u64;
    (offset / chunk, usize::try_from(offset % chunk).unwrap_or_default())
}

#[cfg(test)]
mod tests;
