//! Taking one segment over at the start: which of its bytes are entries, which rotten, which torn.
//!
//! Always: an entry that was acknowledged is lost only where its own bytes are damaged. What is kept without a
//! proof is written again and synced before anyone hears that it is a repeat.

use std::io::{self, IoSlice};

use super::{Candidate, Recoverer};
use crate::damage::{DAMAGED, Damage, copy_stretch};
use crate::frame::{self, Extras, HEADER, Header, Kind};
use crate::journal::{OpenError, failed};
use crate::keys::Known;
use crate::scan::{Step, WINDOW_WALK, Walk, Window, used_end};
use crate::segment::{DATA_START, Segment};
use crate::side;

/// A frame met while walking.
#[derive(Clone, Copy, Debug)]
struct Met {
    offset: u64,
    header: Header,
}

impl Met {
    fn end(&self) -> u64 {
        self.offset + self.header.frame_length()
    }
}

/// A segment as it lies on disk.
#[derive(Debug)]
struct Walked {
    frames: Vec<Met>,
    /// Stretches that are not frames: from, to; ascending.
    damage: Vec<(u64, u64)>,
    /// All below had been durable: a later segment or a later frame says so.
    proven: u64,
    /// Where the part that is kept ends.
    end: u64,
    /// Length of the file.
    length: u64,
}

impl Recoverer<'_> {
    /// Takes one segment over. `limit` is where it had been durable, when a later segment says so.
    pub(super) fn take_segment(
        &mut self,
        one: &Candidate,
        limit: Option<u64>,
    ) -> Result<(), OpenError> {
        let reading = failed("reading", &one.path);
        let length = one.file.length().map_err(&reading)?;
        let mut walk = Walk::new(
            Window::new(&one.file, WINDOW_WALK),
            one.header.salt,
            DATA_START,
            limit.unwrap_or(length),
        );
        let mut walked = walk_all(&mut walk, limit, length).map_err(&reading)?;
        self.take_out_torn(one, &mut walk.window, limit, &mut walked).map_err(&reading)?;
        self.note_rot(one, &walked);
        let mut segment = Segment::new(one.path.clone(), one.header.first, one.header.salt);
        self.take_frames(&mut walk.window, &mut segment, &walked).map_err(&reading)?;
        segment.durable = walked.end;
        if limit.is_none() {
            self.settle_tail(one, &walked).map_err(&reading)?;
        }
        let cut = one.file.cut(walked.end);
        segment.held = if cut.is_ok() { walked.end } else { length };
        self.held += segment.held;
        if let Err(error) = cut {
            self.find(format!("{} could not be shortened: {error}", one.path.display()));
        }
        self.log.segments.push_back(segment);
        Ok(())
    }

    /// Checks the contents of the frames that nothing proves, takes out those that are not whole, and lets the
    /// segment end behind the last that is.
    fn take_out_torn(
        &mut self,
        one: &Candidate,
        window: &mut Window,
        limit: Option<u64>,
        walked: &mut Walked,
    ) -> io::Result<()> {
        let mut whole = Vec::with_capacity(walked.frames.len());
        for met in walked.frames.drain(..) {
            if met.offset < walked.proven || contents_whole(window, one.header.salt, &met)? {
                whole.push(met);
            } else {
                self.next = self.next.max(met.header.sequence + 1);
                walked.damage.push((met.offset, met.end()));
            }
        }
        walked.frames = whole;
        let last = walked.frames.last().map_or(DATA_START, Met::end);
        walked.end = limit.unwrap_or(last.max(walked.proven));
        let end = walked.end;
        walked.damage.retain(|(from, _)| *from < end);
        walked.damage.sort_unstable();
        Ok(())
    }

    /// Counts and copies the damage below the proven mark.
    fn note_rot(&mut self, one: &Candidate, walked: &Walked) {
        let folder = self.directory.join(DAMAGED);
        let rotten = walked.damage.iter().filter(|(from, _)| *from < walked.proven);
        for (from, to) in rotten.copied() {
            self.recovery.rotten_bytes += to - from;
            self.log.damaged.insert((one.header.first, from), to - from);
            let disk = &**self.disk;
            let copied = copy_stretch(disk, &folder, one.header.first, &*one.file, from, to);
            let copy = copied.map(|copied| copied.path).unwrap_or_else(|error| {
                self.find(format!("damaged bytes could not be copied: {error}"));
                None
            });
            self.find_damage(Damage {
                topic: self.topic.to_owned(),
                file: one.path.clone(),
                offset: from,
                bytes: to - from,
                why: "its checksum is wrong",
                copy,
            });
        }
    }

    /// Takes over entries, keys, side references and holes.
    fn take_frames(
        &mut self,
        window: &mut Window,
        segment: &mut Segment,
        walked: &Walked,
    ) -> io::Result<()> {
        for met in &walked.frames {
            let (sequence, header) = (met.header.sequence, &met.header);
            if header.kind != Kind::Entry || sequence < segment.end {
                continue;
            }
            let extras = trusted_extras(window, segment.salt, met)?;
            let side_length = extras.side.map_or(0, |about| about.length);
            if let Some(about) = extras.side {
                self.next_side = self.next_side.max(about.id + 1);
                self.log.sides.insert(sequence, about);
            }
            let unproven = met.offset >= walked.proven;
            let side_lost = extras.side.is_some_and(|about| !self.has_side(about.id));
            if let Some(key) = extras.key {
                let known = Known { key, arrived_ms: header.arrived_ms, sequence };
                let keys = if unproven && side_lost { &mut self.doubtful } else { &mut self.keys };
                keys.push(known);
            }
            let expected = self.expected.unwrap_or(0);
            self.log.add_hole(expected, sequence.max(expected));
            self.expected = Some(sequence + 1);
            self.next = self.next.max(sequence + 1);
            segment.note(met.offset, header, side_length);
        }
        Ok(())
    }

    fn has_side(&self, id: u64) -> bool {
        let path = self.directory.join(side::FOLDER).join(side::file_name(id));
        self.disk.open(&path).is_ok()
    }

    /// The tail of the last segment: what is torn is cut or stepped over, the rest made durable.
    fn settle_tail(&mut self, one: &Candidate, walked: &Walked) -> io::Result<()> {
        let (proven, end) = (walked.proven, walked.end);
        let behind = used_end(&*one.file, end, walked.length)?.saturating_sub(end);
        let inner = walked.damage.iter().copied().filter(|(from, _)| *from >= proven);
        let inner: Vec<(u64, u64)> = inner.collect();
        let torn = behind + inner.iter().map(|(from, to)| to - from).sum::<u64>();
        if torn > 0 {
            self.recovery.torn_bytes += torn;
            // What was cut may have had sequences; they are not used again.
            self.next += 1 + torn / HEADER as u64;
            let path = one.path.display();
            self.find(format!("{torn} bytes at the end of {path} were never durable: cut"));
        }
        if let Err(error) = rewrite(one, proven, end, &inner) {
            // What can be read is delivered; but it may not be on disk, so its keys suppress no repeat.
            self.keys.retain(|known| known.sequence < one.header.first);
            let path = one.path.display();
            self.find(format!("the end of {path} could not be synced again: {error}"));
        }
        Ok(())
    }
}

fn walk_all(walk: &mut Walk, limit: Option<u64>, length: u64) -> io::Result<Walked> {
    let (mut frames, mut damage): (Vec<Met>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
    let end = loop {
        match walk.step()? {
            Step::Frame(offset, header) => frames.push(Met { offset, header }),
            Step::Damage { from, to } => damage.push((from, to)),
            Step::Rest(end) => break end,
        }
    };
    let said = frames.iter().map(|met| met.header.proven).max();
    let proven = limit.or(said).unwrap_or(DATA_START);
    if end < limit.unwrap_or(end) {
        damage.push((end, proven));
    }
    Ok(Walked { frames, damage, proven, end: proven.max(end), length })
}

/// Key and side reference, when they are what was written. A damaged one is met again when it is read.
fn trusted_extras(window: &mut Window, salt: u32, met: &Met) -> io::Result<Extras> {
    let none = Extras { key: None, side: None };
    let Met { offset, header } = met;
    if !header.has_key && !header.has_side {
        return Ok(none);
    }
    let front = window.get(offset + HEADER as u64, header.front_length())?;
    let whole = crc32c::crc32c_append(salt, front) == header.head_crc;
    Ok(header.extras(front).filter(|_| whole).unwrap_or(none))
}

fn contents_whole(window: &mut Window, salt: u32, met: &Met) -> io::Result<bool> {
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
