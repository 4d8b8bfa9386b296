//! Opening a topic: what is on disk becomes what the running journal knows.
//!
//! Never stops a start but for a newer format and an unusable disk. Bytes that a later frame or segment proves
//! durable are kept or, damaged, counted as rotten and copied aside; bytes behind the last proof that are not
//! whole are torn and cut. What is kept without a proof is written again and synced, since the kernel may show
//! bytes that never reached the disk. Appends go on in a new segment.

mod segments;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cursor::CursorState;
use crate::damage::{DAMAGED, Damage, MISSING};
use crate::disk::{Disk, File, Listed};
use crate::frame::HEADER;
use crate::item::Position;
use crate::journal::{OpenError, Recovery, failed};
use crate::keyfile::{self, KeyFile};
use crate::keys::Known;
use crate::scan::used_end;
use crate::sealed::{RECORD_MAX, VERSION, newer};
use crate::segment::{self, Before, DATA_START, HeaderFound, SegmentHeader, parse_name};
use crate::settled::Settled;
use crate::shared::Log;
use crate::side;
use crate::slot::{self, SlotFile, SlotsFound};

/// Folder of the cursors in a topic's directory.
pub(crate) const CURSORS: &str = "cursors";

/// Findings that are listed; a disk that rots everywhere must not fill the log.
const FINDINGS_MAX: usize = 200;

/// A topic as found on disk.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) log: Log,
    pub(crate) keys: Vec<Known>,
    pub(crate) key_file: KeyFile,
    pub(crate) before: Option<Before>,
    pub(crate) next: u64,
    pub(crate) next_side: u64,
    /// Bytes on disk.
    pub(crate) held: u64,
}

/// Works through one topic's directory.
#[derive(Debug)]
pub(crate) struct Recoverer<'a> {
    disk: &'a Arc<dyn Disk>,
    directory: &'a Path,
    topic: &'a str,
    recovery: &'a mut Recovery,
    log: Log,
    keys: Vec<Known>,
    /// Keys of entries that nothing proves and whose side file is gone.
    doubtful: Vec<Known>,
    /// Nothing that was ever written has a sequence at or above this.
    next: u64,
    /// Sequence expected of the next entry; `None` before the first.
    expected: Option<u64>,
    next_side: u64,
    held: u64,
    /// The first sequence that some cursor still needs, as far as cursors can be read.
    needed: Option<u64>,
}

/// A segment file whose header is whole.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    file: Arc<dyn File>,
    header: SegmentHeader,
}

impl<'a> Recoverer<'a> {
    pub(crate) fn new(
        disk: &'a Arc<dyn Disk>,
        directory: &'a Path,
        topic: &'a str,
        recovery: &'a mut Recovery,
    ) -> Recoverer<'a> {
        let (log, keys, doubtful) = (Log::new(), Vec::new(), Vec::new());
        let (next, expected, next_side, held) = (0, None, 0, 0);
        Recoverer {
            disk,
            directory,
            topic,
            recovery,
            log,
            keys,
            doubtful,
            next,
            expected,
            next_side,
            held,
            needed: None,
        }
    }

    /// Reads the whole directory.
    pub(crate) fn run(mut self) -> Result<Found, OpenError> {
        self.make_folders()?;
        let candidates = self.candidates()?;
        let limits = limits_of(&candidates);
        for (candidate, limit) in candidates.iter().zip(limits) {
            self.take_segment(candidate, limit)?;
        }
        let (key_file, found) = KeyFile::open(self.disk.clone(), self.directory)
            .map_err(failed("reading the keys of", self.directory))?;
        self.take_cursors()?;
        self.find_missing(&candidates)?;
        self.take_keys(found.keys, found.damaged, found.newer)?;
        self.finish_sequences();
        self.take_sides()?;
        self.held += key_file.bytes + self.folder_bytes(DAMAGED)?;
        let last = self.log.segments.back();
        let before = last.map(|last| Before { first: last.first, durable: last.durable });
        Ok(Found {
            log: self.log,
            keys: self.keys,
            key_file,
            before,
            next: self.next,
            next_side: self.next_side,
            held: self.held,
        })
    }

    /// Fails if any file is of a newer release, before anything is changed.
    pub(crate) fn refuse_newer(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
        let cursors = directory.join(CURSORS);
        for folder in [directory, &cursors] {
            let listed = match disk.list(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                listed => listed.map_err(failed("listing", folder))?,
            };
            for one in listed.iter().filter(|one| !one.directory) {
                refuse_newer_file(disk, &folder.join(&one.name), &one.name)?;
            }
        }
        Ok(())
    }

    fn make_folders(&self) -> Result<(), OpenError> {
        for folder in [CURSORS, side::FOLDER, DAMAGED] {
            let path = self.directory.join(folder);
            self.disk.create_dir(&path).map_err(failed("creating", &path))?;
        }
        self.disk.sync_dir(self.directory).map_err(failed("syncing", self.directory))
    }

    fn list(&self, folder: &Path) -> Result<Vec<Listed>, OpenError> {
        let mut all = self.disk.list(folder).map_err(failed("listing", folder))?;
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    fn folder_bytes(&self, folder: &str) -> Result<u64, OpenError> {
        let all = self.list(&self.directory.join(folder))?;
        Ok(all.iter().map(|one| one.length).sum())
    }

    /// Segments with a whole header, by first sequence; others are set aside.
    fn candidates(&mut self) -> Result<Vec<Candidate>, OpenError> {
        let mut candidates = Vec::new();
        for listed in self.list(self.directory)? {
            let Some(first) = parse_name(&listed.name) else { continue };
            let path = self.directory.join(&listed.name);
            let file = self.disk.open(&path).map_err(failed("opening", &path))?;
            let mut bytes = Vec::new();
            let length = usize::try_from(DATA_START).unwrap_or(usize::MAX);
            file.read_at(&mut bytes, length, 0).map_err(failed("reading", &path))?;
            match SegmentHeader::parse(&bytes) {
                HeaderFound::Whole(header) if header.first == first => {
                    self.next = self.next.max(first);
                    candidates.push(Candidate { path, file, header });
                }
                HeaderFound::Newer(found) => {
                    return Err(OpenError::Newer { path, found, known: VERSION });
                }
                _ => self.set_aside(first, &path, &*file, listed.length)?,
            }
        }
        Ok(candidates)
    }

    /// A segment without a whole header: without its salt nothing in it can be trusted.
    fn set_aside(
        &mut self,
        first: u64,
        path: &Path,
        file: &dyn File,
        length: u64,
    ) -> Result<(), OpenError> {
        let end = used_end(file, DATA_START, length).map_err(failed("reading", path))?;
        // Each entry in it took at least a header.
        self.next = self.next.max(first + 1 + end.saturating_sub(DATA_START) / HEADER as u64);
        if end <= DATA_START {
            // It was being made when the power went: no frame was ever written to it.
            return self.disk.remove(path).map_err(failed("removing", path));
        }
        let name = path.file_name().unwrap_or_default();
        let aside = self.directory.join(DAMAGED).join(name);
        self.disk.rename(path, &aside).map_err(failed("setting aside", path))?;
        self.recovery.rotten_bytes += end;
        self.find_damage(Damage {
            topic: self.topic.to_owned(),
            file: path.to_owned(),
            offset: 0,
            bytes: end,
            why: "both copies of its header are damaged",
            copy: Some(aside),
        });
        Ok(())
    }

    fn find_damage(&mut self, damage: Damage) {
        if self.recovery.damage.len() < FINDINGS_MAX {
            self.recovery.damage.push(damage);
        }
    }

    fn find(&mut self, text: String) {
        let findings = &mut self.recovery.findings;
        if findings.len() < FINDINGS_MAX {
            findings.push(format!("topic {}: {text}", self.topic));
        } else if findings.len() == FINDINGS_MAX {
            findings.push("there is more that is not listed".to_owned());
        }
    }

    fn take_keys(
        &mut self,
        found: Vec<Known>,
        damaged: u64,
        newer: Option<u16>,
    ) -> Result<(), OpenError> {
        if let Some(found) = newer {
            let path = self.directory.join("keys");
            return Err(OpenError::Newer { path, found, known: VERSION });
        }
        if damaged > 0 {
            self.find(format!(
                "{damaged} records of the key file are damaged: repeats of them count twice"
            ));
        }
        // Settled by all: it was acknowledged, read and freed. Otherwise nobody was told that it was stored, its
        // side file went with the refusal, and its key must not suppress a repeat.
        let below = self.log.cursors.values().map(|cursor| cursor.low().sequence).min();
        self.doubtful.retain(|known| below.is_none_or(|below| known.sequence < below));
        self.keys.append(&mut self.doubtful);
        self.keys.extend(found);
        self.keys.sort_by_key(|known| known.sequence);
        self.keys.dedup_by_key(|known| known.sequence);
        let highest = self.keys.last().map_or(0, |known| known.sequence + 1);
        self.next = self.next.max(highest);
        Ok(())
    }

    fn take_cursors(&mut self) -> Result<(), OpenError> {
        let folder = self.directory.join(CURSORS);
        for listed in self.list(&folder)? {
            let path = folder.join(&listed.name);
            if listed.name.ends_with(slot::SUFFIX_NEW) {
                self.disk.remove(&path).map_err(failed("removing", &path))?;
                continue;
            }
            let escaped = listed.name.strip_suffix(slot::SUFFIX);
            let Some(name) = escaped.and_then(crate::names::unescape) else { continue };
            let state = self.take_cursor(&name, path)?;
            self.held += slot::FILE_BYTES;
            self.log.cursors.insert(name, Arc::new(state));
        }
        Ok(())
    }

    fn take_cursor(&mut self, name: &str, path: PathBuf) -> Result<CursorState, OpenError> {
        let opened = SlotFile::open(self.disk.clone(), path.clone());
        let mut damaged = false;
        let mut file = match opened.map_err(failed("reading", &path))? {
            SlotsFound::Newer(found) => {
                return Err(OpenError::Newer { path, found, known: VERSION });
            }
            SlotsFound::Whole(file, one_damaged) => {
                damaged = one_damaged;
                if damaged {
                    self.find(format!("one slot of cursor {name} is damaged: the other is used"));
                }
                let low = file.written().low().sequence;
                self.needed = Some(self.needed.map_or(low, |needed| needed.min(low)));
                file
            }
            SlotsFound::Lost => {
                self.find(format!(
                    "both slots of cursor {name} are damaged: it starts at the oldest"
                ));
                let settled = Settled::new(Position::default());
                SlotFile::create(self.disk.clone(), path.clone(), &settled)
                    .map_err(failed("creating", &path))?
            }
        };
        let settled = file.written().clone();
        // The slot may be seen and yet not be on disk; a damaged other one is made whole on the way.
        let mut synced = file.write(&settled).and_then(|()| file.sync());
        if damaged && synced.is_ok() {
            synced = file.write(&settled).and_then(|()| file.sync());
        }
        let mut synced_low = settled.low();
        if let Err(error) = synced {
            self.find(format!("cursor {name} could not be synced: {error}"));
            synced_low = Position::default();
        }
        let high = settled.high();
        self.next = self.next.max(high.sequence + u64::from(high.ordinal > 0));
        Ok(CursorState::new(file, settled, synced_low))
    }

    /// Segments that a later one names and a cursor still needs, and that are gone: somebody removed them, or
    /// the file system lost them.
    fn find_missing(&mut self, candidates: &[Candidate]) -> Result<(), OpenError> {
        let Some(needed) = self.needed else { return Ok(()) };
        let aside = self.list(&self.directory.join(DAMAGED))?;
        for one in candidates.iter().filter(|one| needed < one.header.first) {
            let Some(before) = one.header.before else { continue };
            let name = segment::file_name(before.first);
            let there = candidates.iter().any(|other| other.header.first == before.first)
                || aside.iter().any(|other| other.name == name);
            if there || before.durable <= DATA_START {
                continue;
            }
            self.recovery.rotten_bytes += before.durable;
            self.find_damage(Damage {
                topic: self.topic.to_owned(),
                file: self.directory.join(name),
                offset: 0,
                bytes: before.durable,
                why: MISSING,
                copy: None,
            });
        }
        if candidates.is_empty() && aside.is_empty() && self.next > 0 {
            let next = self.next;
            self.find(format!(
                "there is no segment, though {next} entries were: what was not delivered is lost"
            ));
        }
        Ok(())
    }

    /// Nothing between the last entry and the next sequence was ever readable.
    fn finish_sequences(&mut self) {
        let end = self.expected.unwrap_or(0);
        self.log.add_hole(end, self.next);
        self.log.end = self.next;
        let holes: Vec<_> = self.log.holes.iter().map(|(from, to)| (*from, *to)).collect();
        for cursor in self.log.cursors.values() {
            for (from, to) in &holes {
                cursor.step_over(*from, *to);
            }
        }
    }

    /// Removes side files that no entry refers to, and those whose entry is settled by all.
    fn take_sides(&mut self) -> Result<(), OpenError> {
        let below = self.log.settled_by_all();
        self.log.freed = below;
        self.log.sides = self.log.sides.split_off(&below);
        let wanted: Vec<u64> = self.log.sides.values().map(|about| about.id).collect();
        let folder = self.directory.join(side::FOLDER);
        for listed in self.list(&folder)? {
            let Some(id) = side::parse_name(&listed.name) else { continue };
            self.next_side = self.next_side.max(id + 1);
            if wanted.contains(&id) {
                self.held += listed.length;
                continue;
            }
            let path = folder.join(&listed.name);
            self.disk.remove(&path).map_err(failed("removing", &path))?;
        }
        Ok(())
    }
}

fn refuse_newer_file(disk: &dyn Disk, path: &Path, name: &str) -> Result<(), OpenError> {
    let (magic, copy) = if parse_name(name).is_some() {
        (segment::MAGIC, segment::COPY as u64)
    } else if name.ends_with(slot::SUFFIX) {
        (slot::MAGIC, slot::SLOT)
    } else if name == keyfile::NAME {
        (keyfile::MAGIC, 0)
    } else {
        return Ok(());
    };
    let file = disk.open(path).map_err(failed("opening", path))?;
    let mut bytes = Vec::new();
    for offset in [0, copy] {
        file.read_at(&mut bytes, RECORD_MAX, offset).map_err(failed("reading", path))?;
        if let Some(found) = newer(magic, &bytes) {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
        }
    }
    Ok(())
}

/// For each segment where it had been durable, as a later one says.
fn limits_of(candidates: &[Candidate]) -> Vec<Option<u64>> {
    let said: BTreeMap<u64, u64> = candidates
        .iter()
        .filter_map(|one| one.header.before)
        .map(|before| (before.first, before.durable))
        .collect();
    candidates.iter().map(|one| said.get(&one.header.first).copied()).collect()
}
