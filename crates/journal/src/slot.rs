//! A cursor's file: two slots of fixed size, written in turn.
//!
//! Owns the file of one cursor. Between two syncs all writes go to the same slot, and the other one holds what
//! was last durable; so a power cut costs at most what was settled since the last sync. A file whose sync
//! failed is never synced again: a new one takes its name. Not here: what the positions mean.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BufMut;

use crate::disk::{Disk, File};
use crate::item::Position;
use crate::sealed::{Fields, Unsealed, seal, unseal};
use crate::settled::Settled;

/// Distance of the slots: two blocks, so that one torn block spares the other.
pub(crate) const SLOT: u64 = 4096;
/// Bytes of the whole file.
pub(crate) const FILE_BYTES: u64 = 2 * SLOT;
/// Settled ranges a slot holds; the lowest are kept. More than 64 requests in flight settle twice after a crash.
const RANGES_MAX: usize = 64;
/// File name suffix of a cursor.
pub(crate) const SUFFIX: &str = ".cursor";
/// File name suffix while a cursor's file is being made.
pub(crate) const SUFFIX_NEW: &str = ".new";

/// First bytes of its records.
pub(crate) const MAGIC: &[u8; 8] = b"HYcursor";

/// The file of one cursor.
#[derive(Debug)]
pub(crate) struct SlotFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Arc<dyn File>,
    generation: u64,
    /// The slot that is written until the next sync.
    slot: u64,
    /// What the slot holds.
    written: Settled,
    unsynced: bool,
    /// A write or a sync failed: the next sync makes a new file.
    broken: bool,
}

/// What was found in a cursor's file.
#[derive(Debug)]
pub(crate) enum SlotsFound {
    /// The better of the two slots; true when the other is damaged.
    Whole(SlotFile, bool),
    /// Both slots are damaged.
    Lost,
    /// Written by a newer release.
    Newer(u16),
}

impl SlotFile {
    /// Makes the file, durable with its name when this returns.
    pub(crate) fn create(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        settled: &Settled,
    ) -> io::Result<SlotFile> {
        let file = make(&*disk, &path, 1, settled)?;
        let (written, slot) = (settled.clone(), 1);
        Ok(SlotFile {
            disk,
            path,
            file,
            generation: 1,
            slot,
            written,
            unsynced: false,
            broken: false,
        })
    }

    /// Reads the file.
    pub(crate) fn open(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<SlotsFound> {
        let file = disk.open(&path)?;
        let mut best: Option<(u64, u64, Settled)> = None;
        let mut damaged = false;
        for slot in 0..2 {
            let mut bytes = Vec::new();
            file.read_at(&mut bytes, usize::try_from(SLOT).unwrap_or(usize::MAX), slot * SLOT)?;
            match unseal(MAGIC, &bytes) {
                Unsealed::Newer(version) => return Ok(SlotsFound::Newer(version)),
                // The second slot of a new file was never written.
                Unsealed::Damaged => damaged |= bytes.iter().any(|byte| *byte != 0) || slot == 0,
                Unsealed::Whole(fields) => {
                    let Some((generation, settled)) = parse(fields) else {
                        damaged = true;
                        continue;
                    };
                    if best.as_ref().is_none_or(|(known, ..)| *known < generation) {
                        best = Some((generation, slot, settled));
                    }
                }
            }
        }
        let Some((generation, slot, written)) = best else { return Ok(SlotsFound::Lost) };
        let found =
            SlotFile { disk, path, file, generation, slot, written, unsynced: true, broken: false };
        Ok(SlotsFound::Whole(found, damaged))
    }

    /// What the file holds.
    pub(crate) fn written(&self) -> &Settled {
        &self.written
    }

    /// Writes the slot; not durable before `sync`.
    pub(crate) fn write(&mut self, settled: &Settled) -> io::Result<()> {
        self.written = settled.clone();
        self.unsynced = true;
        if self.broken {
            return Ok(());
        }
        self.generation += 1;
        let bytes = encode(self.generation, settled);
        let written = self.file.write_at(&[IoSlice::new(&bytes)], self.slot * SLOT);
        self.broken = written.is_err();
        written
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if !self.unsynced {
            return Ok(());
        }
        if self.broken {
            self.generation += 1;
            self.file = make(&*self.disk, &self.path, self.generation, &self.written)?;
            self.broken = false;
            self.slot = 1;
        } else {
            let synced = self.file.sync();
            self.broken = synced.is_err();
            synced?;
            self.slot = 1 - self.slot;
        }
        self.unsynced = false;
        Ok(())
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> io::Result<()> {
        self.disk.remove(&self.path)?;
        self.disk.sync_dir(self.path.parent().unwrap_or(Path::new(".")))
    }
}

/// A new file beside `path`, synced, then given its name.
fn make(
    disk: &dyn Disk,
    path: &Path,
    generation: u64,
    settled: &Settled,
) -> io::Result<Arc<dyn File>> {
    let mut name = path.as_os_str().to_owned();
    name.push(SUFFIX_NEW);
    let beside = PathBuf::from(name);
    let file = match disk.create(&beside) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(&beside)?;
            disk.create(&beside)?
        }
        created => created?,
    };
    file.reserve(FILE_BYTES)?;
    file.write_at(&[IoSlice::new(&encode(generation, settled))], 0)?;
    file.sync()?;
    disk.rename(&beside, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new(".")))?;
    Ok(file)
}

fn encode(generation: u64, settled: &Settled) -> Vec<u8> {
    let ranges: Vec<_> = settled.ranges().take(RANGES_MAX).collect();
    let mut fields = Vec::with_capacity(32 + ranges.len() * 24);
    fields.put_u64_le(generation);
    put_position(&mut fields, settled.low());
    fields.put_u32_le(u32::try_from(ranges.len()).unwrap_or(0));
    for (from, to) in ranges {
        put_position(&mut fields, from);
        put_position(&mut fields, to);
    }
    seal(MAGIC, &fields)
}

fn parse(mut fields: Fields<'_>) -> Option<(u64, Settled)> {
    let generation = fields.take_u64()?;
    let mut settled = Settled::new(take_position(&mut fields)?);
    for _ in 0..fields.take_u32()? {
        let from = take_position(&mut fields)?;
        let to = take_position(&mut fields)?;
        settled.add(from, to);
    }
    Some((generation, settled))
}

fn put_position(fields: &mut Vec<u8>, position: Position) {
    fields.put_u64_le(position.sequence);
    fields.put_u32_le(position.ordinal);
}

fn take_position(fields: &mut Fields<'_>) -> Option<Position> {
    Some(Position { sequence: fields.take_u64()?, ordinal: fields.take_u32()? })
}
