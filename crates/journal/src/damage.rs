//! Damage: bytes that had been durable and are not what was written.
//!
//! Each stretch, and each side file, is counted once a topic and told once, to whoever asked through
//! [`Journal::on_damage`]; what is there of a stretch is copied aside. Not here: finding it.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::disk::{Disk, File};
use crate::journal::Journal;
use crate::locked;
use crate::shared::Shared;
use crate::side;

/// Folder of the copies of damaged stretches in a topic's directory.
pub const DAMAGED: &str = "damaged";
/// Most bytes of copies a topic keeps; damage beyond is counted and told only.
const COPIES_MAX: u64 = 16 * 1024 * 1024;

/// What is wrong with a segment that is not there any more.
pub const MISSING: &str = "the file is missing";

/// A stretch of a file that had been durable and is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Topic name.
    pub topic: String,
    /// The file.
    pub file: PathBuf,
    /// Where the stretch begins in it.
    pub offset: u64,
    /// How long it was.
    pub bytes: u64,
    /// What is wrong with it.
    pub why: &'static str,
    /// Where what is left of it was put; `None` when it stays where it is, or could not be copied.
    pub copy: Option<PathBuf>,
}

type Tell = Box<dyn Fn(&Damage) + Send + Sync>;

/// Who is told of each stretch; set once.
#[derive(Default)]
pub(crate) struct Teller(OnceLock<Tell>);

impl fmt::Debug for Teller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Teller").field(&self.0.get().is_some()).finish()
    }
}

impl Journal {
    /// `tell` runs for each damaged stretch that is met from now on, on the thread that met it. The first
    /// one given stays. What was found at the start is in [`crate::Recovery::damage`].
    pub fn on_damage(&self, tell: Box<dyn Fn(&Damage) + Send + Sync>) {
        // One who comes second hears nothing; that is what is promised.
        drop(self.roster().teller.0.set(tell));
    }
}

impl Shared {
    /// Counts a damaged stretch of a segment once, copies it aside and tells of it.
    pub(crate) fn note_stretch(&self, segment: u64, file: &dyn File, from: u64, to: u64) {
        let path = {
            let mut log = locked(&self.log);
            if log.damaged.insert((segment, from), to - from).is_some() {
                return;
            }
            log.counters.rotten_bytes += to - from;
            let known = log.segments.iter().find(|one| one.first == segment);
            known.map_or_else(|| self.directory.clone(), |one| one.path.clone())
        };
        let folder = self.directory.join(DAMAGED);
        let copy = match copy_stretch(&*self.disk, &folder, segment, file, from, to) {
            Ok(copied) => {
                self.share.force(copied.bytes);
                copied.path
            }
            Err(error) => {
                self.count_failure("copying damage to", &folder, Err(error));
                None
            }
        };
        self.tell(Damage {
            topic: self.name.to_string(),
            file: path,
            offset: from,
            bytes: to - from,
            why: "its checksum is wrong",
            copy,
        });
    }

    /// Counts the side file of an entry once and tells of it. What is left of it stays where it is, for
    /// the readers, until every cursor is past the entry.
    pub(crate) fn note_side(&self, sequence: u64, why: &'static str) {
        let about = {
            let mut log = locked(&self.log);
            // Settled by all meanwhile: it was removed, or nobody needs it.
            let Some(about) = log.sides.get(&sequence).copied() else { return };
            if !log.damaged_sides.insert(sequence) {
                return;
            }
            log.counters.rotten_bytes += about.length;
            about
        };
        self.tell(Damage {
            topic: self.name.to_string(),
            file: self.directory.join(side::FOLDER).join(side::file_name(about.id)),
            offset: 0,
            bytes: about.length,
            why,
            copy: None,
        });
    }

    fn tell(&self, damage: Damage) {
        if let Some(tell) = self.roster.teller.0.get() {
            tell(&damage);
        }
    }
}

/// What became of a copy.
#[derive(Debug)]
pub(crate) struct Copied {
    /// Where it is; `None` when there was no room for it.
    pub(crate) path: Option<PathBuf>,
    /// Bytes written now.
    pub(crate) bytes: u64,
}

/// Copies a damaged stretch of a segment to `folder`, within the bound. One that was copied before is left.
pub(crate) fn copy_stretch(
    disk: &dyn Disk,
    folder: &Path,
    segment: u64,
    file: &dyn File,
    from: u64,
    to: u64,
) -> io::Result<Copied> {
    let name = format!("{segment:016x}-{from:x}.bin");
    let path = folder.join(&name);
    let there = disk.list(folder)?;
    if there.iter().any(|one| one.name == name) {
        return Ok(Copied { path: Some(path), bytes: 0 });
    }
    let total: u64 = there.iter().map(|one| one.length).sum();
    if total + (to - from) > COPIES_MAX {
        return Ok(Copied { path: None, bytes: 0 });
    }
    let mut bytes = Vec::new();
    file.read_at(&mut bytes, usize::try_from(to - from).unwrap_or(usize::MAX), from)?;
    let copy = disk.create(&path)?;
    copy.write_at(&[IoSlice::new(&bytes)], 0)?;
    copy.sync()?;
    Ok(Copied { path: Some(path), bytes: bytes.len() as u64 })
}
