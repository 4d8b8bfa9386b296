//! Opening a topic: what is on disk becomes what the running journal knows.
//!
//! Never stops a start but for a newer format and an unusable disk. Bytes that a later frame or segment proves
//! durable are kept or, damaged, counted as rotten and copied aside; bytes behind the last proof that are not
//! whole are torn and cut. What is kept without a proof is written again and synced, since the kernel may show
//! bytes that never reached the disk. Appends go on in a new segment.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cursor::CursorState;
use crate::disk::{Disk, File, Listed};
use crate::frame::{self, HEADER, Header, Kind};
use crate::item::Position;
use crate::journal::{OpenError, Recovery, failed};
use crate::keyfile::KeyFile;
use crate::keys::Known;
use crate::read::DAMAGED;
use crate::scan::{Step, WINDOW_WALK, Walk, Window, used_end};
use crate::sealed::VERSION;
use crate::segment::{Before, DATA_START, HeaderFound, Segment, SegmentHeader, parse_name};
use crate::settled::Settled;
use crate::shared::Log;
use crate::side;
use crate::slot::{self, SlotFile, SlotsFound};

/// Folder of the cursors in a topic's directory.
pub(crate) const CURSORS: &str = "cursors";

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
    /// Nothing that was ever written has a sequence at or above this.
    next: u64,
    /// Sequence expected of the next entry; `None` before the first.
    expected: Option<u64>,
    next_side: u64,
    held: u64,
}

/// A segment file whose header is whole.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    file: Arc<dyn File>,
    header: SegmentHeader,
}

/// A frame met while walking, and whether anything behind it proves it.
#[derive(Clone, Copy, Debug)]
struct Met {
    offset: u64,
    header: Header,
}

impl<'a> Recoverer<'a> {
    pub(crate) fn new(
        disk: &'a Arc<dyn Disk>,
        directory: &'a Path,
        topic: &'a str,
        recovery: &'a mut Recovery,
    ) -> Recoverer<'a> {
        let (log, keys) = (Log::new(), Vec::new());
        let (next, expected, next_side, held) = (0, None, 0, 0);
        Recoverer { disk, directory, topic, recovery, log, keys, next, expected, next_side, held }
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
        self.take_keys(found.keys, found.damaged, found.newer)?;
        self.take_cursors()?;
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
        self.find(format!(
            "the header of {} is damaged: {end} bytes set aside as {}",
            path.display(),
            aside.display()
        ));
        Ok(())
    }

    fn find(&mut self, text: String) {
        self.recovery.findings.push(format!("topic {}: {text}", self.topic));
    }

    /// Walks one segment. `limit` is where it had been durable, when a later segment says so.
    fn take_segment(&mut self, one: &Candidate, limit: Option<u64>) -> Result<(), OpenError> {
        let reading = failed("reading", &one.path);
        let length = one.file.length().map_err(reading)?;
        let upto = limit.unwrap_or(length);
        let window = Window::new(&*one.file, WINDOW_WALK);
        let mut walk = Walk::new(window, one.header.salt, DATA_START, upto);
        let mut frames: Vec<Met> = Vec::new();
        let mut damage: Vec<(u64, u64)> = Vec::new();
        let mut end = DATA_START;
        loop {
            match walk.step().map_err(failed("reading", &one.path))? {
                Step::Frame(offset, header) => {
                    end = offset + header.frame_length();
                    frames.push(Met { offset, header });
                }
                Step::Damage { from, to } => damage.push((from, to)),
                Step::Rest(_) => break,
            }
        }
        let proven = match limit {
            Some(limit) => limit,
            None => frames.iter().map(|met| met.header.proven).max().unwrap_or(DATA_START),
        };
        if let Some(limit) = limit
            && end < limit
        {
            damage.push((end, limit));
            end = limit;
        }
        let torn = self.check_unproven(one, &mut walk.window, proven, &mut frames)?;
        damage.extend(torn);
        damage.sort_unstable();
        if limit.is_none() {
            // Whole frames end where the last of them that passed the check ends.
            let last = frames.last().map(|met| met.offset + met.header.frame_length());
            end = last.unwrap_or(DATA_START);
        }
        damage.retain(|(from, _)| *from < end);
        self.note_rot(one, proven, &damage)?;
        let mut segment = Segment::new(one.path.clone(), one.header.first, one.header.salt);
        self.take_frames(&mut walk.window, &mut segment, &frames, proven)
            .map_err(failed("reading", &one.path))?;
        segment.durable = end;
        if limit.is_none() {
            self.settle_tail(one, proven, end, length, &damage)?;
        }
        let cut = one.file.cut(end);
        segment.held = if cut.is_ok() { end } else { length };
        self.held += segment.held;
        if let Err(error) = cut {
            self.find(format!("{} could not be shortened: {error}", one.path.display()));
        }
        self.log.segments.push_back(segment);
        Ok(())
    }

    /// Checks the contents of the frames that nothing proves; those that are not whole are taken out.
    fn check_unproven(
        &mut self,
        one: &Candidate,
        window: &mut Window<'_>,
        proven: u64,
        frames: &mut Vec<Met>,
    ) -> Result<Vec<(u64, u64)>, OpenError> {
        let mut torn = Vec::new();
        let mut whole = Vec::with_capacity(frames.len());
        for met in frames.drain(..) {
            let ok = met.offset < proven
                || contents_whole(window, one.header.salt, &met)
                    .map_err(failed("reading", &one.path))?;
            if ok {
                whole.push(met);
            } else {
                self.next = self.next.max(met.header.sequence + 1);
                torn.push((met.offset, met.offset + met.header.frame_length()));
            }
        }
        *frames = whole;
        Ok(torn)
    }

    /// Counts and copies the damage below the proven mark.
    fn note_rot(
        &mut self,
        one: &Candidate,
        proven: u64,
        damage: &[(u64, u64)],
    ) -> Result<(), OpenError> {
        for (from, to) in damage.iter().copied().filter(|(from, _)| *from < proven) {
            self.recovery.rotten_bytes += to - from;
            self.log.damaged.insert((one.header.first, from), to - from);
            self.find(format!(
                "{} bytes at {from} of {} are damaged, though they had been durable",
                to - from,
                one.path.display()
            ));
            let folder = self.directory.join(DAMAGED);
            let copied = copy_aside(&**self.disk, &folder, one, from, to);
            if let Err(error) = copied {
                self.find(format!("the damaged bytes could not be copied: {error}"));
            }
        }
        Ok(())
    }

    /// Takes over entries, keys, side references and holes.
    fn take_frames(
        &mut self,
        window: &mut Window<'_>,
        segment: &mut Segment,
        frames: &[Met],
        proven: u64,
    ) -> io::Result<()> {
        for Met { offset, header } in frames.iter().copied() {
            if header.kind != Kind::Entry || header.sequence < segment.end {
                continue;
            }
            let sequence = header.sequence;
            let front = window.get(offset + HEADER as u64, header.extras_length())?;
            let Some(extras) = header.extras(front) else { continue };
            let side_length = extras.side.map_or(0, |about| about.length);
            if let Some(about) = extras.side {
                self.next_side = self.next_side.max(about.id + 1);
                self.log.sides.insert(sequence, about);
            }
            // The key of an entry whose side file is gone and whose append nobody heard of must not
            // suppress a repeat.
            let refused =
                offset >= proven && extras.side.is_some_and(|about| !self.has_side(about.id));
            if let Some(key) = extras.key.filter(|_| !refused) {
                self.keys.push(Known { key, arrived_ms: header.arrived_ms, sequence });
            }
            let expected = self.expected.unwrap_or(0);
            self.log.add_hole(expected, sequence.max(expected));
            self.expected = Some(sequence + 1);
            self.next = self.next.max(sequence + 1);
            segment.note(offset, &header, side_length);
        }
        Ok(())
    }

    fn has_side(&self, id: u64) -> bool {
        let path = self.directory.join(side::FOLDER).join(side::file_name(id));
        self.disk.open(&path).is_ok()
    }

    /// The tail of the last segment: cut what is torn, make the rest durable.
    fn settle_tail(
        &mut self,
        one: &Candidate,
        proven: u64,
        end: u64,
        length: u64,
        damage: &[(u64, u64)],
    ) -> Result<(), OpenError> {
        let reading = failed("reading", &one.path);
        let torn = used_end(&*one.file, end, length).map_err(reading)?.saturating_sub(end);
        let inner: Vec<_> = damage.iter().copied().filter(|(from, _)| *from >= proven).collect();
        let inner_bytes: u64 = inner.iter().map(|(from, to)| to - from).sum();
        if torn + inner_bytes > 0 {
            self.recovery.torn_bytes += torn + inner_bytes;
            // What was cut may have had sequences; they are not used again.
            self.next += 1 + (torn + inner_bytes) / HEADER as u64;
            self.find(format!(
                "{} bytes at the end of {} were never durable: cut",
                torn + inner_bytes,
                one.path.display()
            ));
        }
        let rewritten = rewrite(one, proven, end, &inner);
        if let Err(error) = rewritten {
            // What can be read is delivered; but it may not be on disk, so its keys suppress no repeat.
            let doubtful = self.log.segments.len();
            self.keys.retain(|known| known.sequence < one.header.first);
            self.find(format!(
                "the end of {} (segment {doubtful}) could not be synced: {error}",
                one.path.display()
            ));
        }
        Ok(())
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
        let mut file = match opened.map_err(failed("reading", &path))? {
            SlotsFound::Newer(found) => {
                return Err(OpenError::Newer { path, found, known: VERSION });
            }
            SlotsFound::Whole(file, damaged) => {
                if damaged {
                    self.find(format!("one slot of cursor {name} is damaged: the other is used"));
                }
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
        // The slot may be seen and yet not be on disk.
        let synced = file.write(&settled).and_then(|()| file.sync());
        let mut synced_low = settled.low();
        if let Err(error) = synced {
            self.find(format!("cursor {name} could not be synced: {error}"));
            synced_low = Position::default();
        }
        let high = settled.high();
        self.next = self.next.max(high.sequence + u64::from(high.ordinal > 0));
        Ok(CursorState::new(file, settled, synced_low))
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

/// For each segment where it had been durable, as a later one says.
fn limits_of(candidates: &[Candidate]) -> Vec<Option<u64>> {
    let said: BTreeMap<u64, u64> = candidates
        .iter()
        .filter_map(|one| one.header.before)
        .map(|before| (before.first, before.durable))
        .collect();
    candidates.iter().map(|one| said.get(&one.header.first).copied()).collect()
}

fn contents_whole(window: &mut Window<'_>, salt: u32, met: &Met) -> io::Result<bool> {
    let Met { offset, header } = *met;
    if header.kind != Kind::Entry {
        return Ok(true);
    }
    let front_at = offset + HEADER as u64;
    let front = window.take(front_at, header.front_length())?;
    let body = window.take(front_at + front.len() as u64, header.body_length as usize)?;
    Ok(crc32c::crc32c_append(salt, &front) == header.head_crc
        && crc32c::crc32c_append(salt, &body) == header.body_crc)
}

/// Writes the unproven end of a segment again, with gaps over what is torn inside, and syncs it.
fn rewrite(one: &Candidate, proven: u64, end: u64, torn: &[(u64, u64)]) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut at = proven;
    while at < end {
        let room = usize::try_from(end - at).unwrap_or(usize::MAX).min(WINDOW_WALK);
        one.file.read_at(&mut bytes, room, at)?;
        if bytes.is_empty() {
            break;
        }
        one.file.write_at(&[IoSlice::new(&bytes)], at)?;
        at += bytes.len() as u64;
    }
    for (from, to) in torn {
        let gap = frame::encode_gap(0, proven, to - from, one.header.salt);
        one.file.write_at(&[IoSlice::new(&gap)], *from)?;
    }
    if proven < end {
        one.file.sync()?;
    }
    Ok(())
}

fn copy_aside(
    disk: &dyn Disk,
    folder: &Path,
    one: &Candidate,
    from: u64,
    to: u64,
) -> io::Result<()> {
    crate::read::copy_damage(disk, folder, one.header.first, &*one.file, from, to).map(|_| ())
}
