//! The file being written and the closed ones beside it: `path`, `path.1`, `path.2`, ... in the
//! order they were closed.
//!
//! The file is opened for every append, so that one that was moved away by another tool is simply
//! begun anew. At one append for thousands of points that costs nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Files of one destination.
pub(crate) struct Log {
    path: PathBuf,
    rotate_bytes: u64,
    keep: u32,
}

impl Log {
    /// At `path`; closed above `rotate_bytes`, the newest `keep` closed ones kept (0: all).
    pub(crate) fn new(path: PathBuf, rotate_bytes: u64, keep: u32) -> Log {
        Log { path, rotate_bytes, keep }
    }

    /// Appends whole lines and syncs them; on failure the file is as long as before.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let folder = folder_of(&self.path);
        fs::create_dir_all(folder)?;
        self.rotate_if_due(lines.len() as u64)?;
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        let before = file.metadata()?.len();
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // If even this fails the torn line is followed by whole ones; the first error counts.
            file.set_len(before).ok();
            return Err(error);
        }
        if is_new { sync_folder(folder) } else { Ok(()) }
    }

    fn rotate_if_due(&self, more: u64) -> io::Result<()> {
        let size = match fs::metadata(&self.path) {
            // What is no file is not ours to move; opening it tells what is wrong.
            Ok(metadata) if !metadata.is_file() => return Ok(()),
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if size == 0 || size.saturating_add(more) <= self.rotate_bytes {
            return Ok(());
        }
        let closed = self.closed()?;
        let next = closed.last().map_or(1, |last| last + 1);
        fs::rename(&self.path, self.numbered(next))?;
        if self.keep > 0 {
            let surplus = (closed.len() + 1).saturating_sub(self.keep as usize);
            for number in closed.iter().take(surplus) {
                fs::remove_file(self.numbered(*number))?;
            }
        }
        sync_folder(folder_of(&self.path))
    }

    /// Numbers of the closed files, rising.
    fn closed(&self) -> io::Result<Vec<u64>> {
        let prefix = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned() + ".";
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder_of(&self.path))? {
            let name = entry?.file_name();
            let number = name.to_string_lossy().strip_prefix(&prefix).map(str::parse::<u64>);
            numbers.extend(number.and_then(Result::ok));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn numbered(&self, number: u64) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

/// The file can be written to, or its folder can, or the nearest one above it that is there.
pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    let mut folder = folder_of(path);
    while !folder.exists() {
        folder = folder_of(folder);
    }
    let metadata = fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    access(folder, Access::WRITE_OK | Access::EXEC_OK)?;
    if path.exists() { Ok(access(path, Access::WRITE_OK)?) } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// A new or renamed file survives a power cut only once its folder is synced.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
