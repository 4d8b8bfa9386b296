//! Reading entries: by sequence, below the durable mark, checked, stepping over damage.
//!
//! A reader remembers where it was, so reading on costs one or two `pread`s an entry. A segment that is freed
//! under a reader stays readable through its open file; one that is gone before it was opened is looked up
//! anew. Not here: who may read, and what is settled.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use bytes::Bytes;

use crate::disk::File;
use crate::frame::{HEADER, Header, Kind, SideRef};
use crate::item::{EntryBody, ReadError};
use crate::locked;
use crate::scan::{Step, WINDOW_ENTRY, Walk, Window};
use crate::segment::Place;
use crate::shared::Shared;
use crate::side::{self, SideBody};

/// Where a reader was.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    file: Option<(u64, Arc<dyn File>)>,
    /// The entry it read last, to read it again, and the place behind.
    places: [Option<Place>; 2],
}

impl Reader {
    /// Lets go of a segment that was freed, so that its space comes back.
    pub(crate) fn release_below(&mut self, oldest: u64) {
        self.file.take_if(|(segment, _)| *segment < oldest);
    }
}

/// How much of an entry is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    Head,
}

/// An entry as found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) sequence: u64,
    pub(crate) head: Bytes,
    pub(crate) body: EntryBody,
    pub(crate) body_length: u64,
}

/// What is needed of a segment to read in it.
struct Target {
    segment: u64,
    salt: u32,
    durable: u64,
    end: u64,
    place: Place,
    file: Arc<dyn File>,
}

/// A frame that was found.
struct Sighting {
    place: Place,
    header: Header,
    target: Target,
    window: Window,
}

impl Shared {
    /// The first readable entry at or behind `sequence`.
    pub(crate) fn read(
        self: &Arc<Self>,
        reader: &mut Reader,
        sequence: u64,
        wanted: Wanted,
    ) -> Result<Option<Found>, ReadError> {
        let mut sequence = sequence;
        loop {
            let Some(sighting) = self.seek(reader, sequence)? else { return Ok(None) };
            let here = sighting.header.sequence;
            self.add_hole(sequence, here);
            let place = sighting.place;
            let (read, behind) = self.read_entry(sighting, wanted);
            match read.map_err(self.unreadable(here))? {
                Some(found) => {
                    reader.places = [Some(place), behind];
                    return Ok(Some(found));
                }
                None => {
                    self.add_hole(here, here + 1);
                    sequence = here + 1;
                }
            }
        }
    }

    /// The first entry on disk at or behind `sequence`, and its head when that is whole. Steps over
    /// nothing: what is missing stays as it is.
    pub(crate) fn look(
        self: &Arc<Self>,
        reader: &mut Reader,
        sequence: u64,
    ) -> Result<Option<(u64, Option<Bytes>)>, ReadError> {
        let Some(sighting) = self.seek(reader, sequence)? else { return Ok(None) };
        let (here, place) = (sighting.header.sequence, sighting.place);
        let (read, behind) = self.read_entry(sighting, Wanted::Head);
        reader.places = [Some(place), behind];
        let found = read.map_err(self.unreadable(here))?;
        Ok(Some((here, found.map(|found| found.head))))
    }

    /// Bytes and entries from `sequence` to the end.
    pub(crate) fn backlog(&self, reader: &mut Reader, sequence: u64) -> (u64, u64) {
        let found = self.seek(reader, sequence);
        let place = match &found {
            Ok(Some(sighting)) => Some(sighting.place),
            Ok(None) => return (0, 0),
            Err(_) => None,
        };
        reader.places = [place, None];
        let log = locked(&self.log);
        let place =
            place.or_else(|| log.segment_of(sequence).map(|one| one.place_before(sequence)));
        let Some(place) = place else { return (0, 0) };
        let (mut bytes, mut entries) = (0, 0);
        for segment in log.segments.iter().filter(|segment| segment.first >= place.segment) {
            bytes += segment.used();
            entries += segment.entries;
            if segment.first == place.segment {
                bytes = bytes.saturating_sub(place.offset + place.side_before);
                entries = entries.saturating_sub(place.entries_before);
            } else {
                bytes -= crate::segment::DATA_START;
            }
        }
        (bytes, entries)
    }

    fn unreadable(&self, sequence: u64) -> impl Fn(io::Error) -> ReadError + use<'_> {
        move |source| ReadError { sequence, directory: self.directory.clone(), source }
    }

    /// The first frame of an entry at or behind `sequence`.
    fn seek(&self, reader: &mut Reader, sequence: u64) -> Result<Option<Sighting>, ReadError> {
        let mut sequence = sequence;
        while let Some(target) = self.target(reader, sequence).map_err(self.unreadable(sequence))? {
            match self.walk(&target, sequence).map_err(self.unreadable(sequence))? {
                Some((place, header, window)) => {
                    return Ok(Some(Sighting { place, header, target, window }));
                }
                None => {
                    self.add_hole(sequence, target.end);
                    sequence = target.end;
                }
            }
        }
        Ok(None)
    }

    /// The segment in which `sequence` is to be looked for, open.
    fn target(&self, reader: &mut Reader, sequence: u64) -> io::Result<Option<Target>> {
        loop {
            let (segment, path) = {
                let log = locked(&self.log);
                let Some(segment) = log.segment_of(sequence) else { return Ok(None) };
                let (salt, durable) = (segment.salt, segment.durable);
                let known = segment.place_before(sequence);
                let usable = |place: &Place| {
                    place.segment == segment.first
                        && place.sequence <= sequence
                        && place.offset > known.offset
                };
                let places = reader.places.iter().flatten().copied().filter(usable);
                let place = places.max_by_key(|place| place.offset).unwrap_or(known);
                ((segment.first, salt, durable, segment.end, place), segment.path.clone())
            };
            let (first, salt, durable, end, place) = segment;
            let file = match &reader.file {
                Some((open, file)) if *open == first => file.clone(),
                _ => match self.disk.open(&path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == ErrorKind::NotFound && self.is_gone(first) => {
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            reader.file = Some((first, file.clone()));
            return Ok(Some(Target { segment: first, salt, durable, end, place, file }));
        }
    }

    fn is_gone(&self, first: u64) -> bool {
        locked(&self.log).segments.iter().all(|segment| segment.first != first)
    }

    /// Walks from the target's place to the first entry at or behind `sequence`.
    fn walk(&self, target: &Target, sequence: u64) -> io::Result<Option<(Place, Header, Window)>> {
        let mut place = target.place;
        let window = Window::new(&target.file, WINDOW_ENTRY);
        let mut walk = Walk::new(window, target.salt, place.offset, target.durable);
        loop {
            match walk.step()? {
                Step::Frame(offset, header) => {
                    place.offset = offset;
                    if header.kind != Kind::Entry {
                        continue;
                    }
                    place.sequence = header.sequence;
                    if header.sequence >= sequence {
                        return Ok(Some((place, header, walk.window)));
                    }
                    place.entries_before += 1;
                    place.side_before += side_length(&mut walk.window, offset, &header)?;
                }
                Step::Damage { from, to } => {
                    self.note_stretch(target.segment, &*target.file, from, to);
                }
                Step::Rest(from) => {
                    if from < target.durable {
                        self.note_stretch(target.segment, &*target.file, from, target.durable);
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// The entry of a frame, `None` when it is damaged or freed; and the place behind it.
    fn read_entry(
        self: &Arc<Self>,
        sighting: Sighting,
        wanted: Wanted,
    ) -> (io::Result<Option<Found>>, Option<Place>) {
        let Sighting { place, header, target, mut window } = sighting;
        let (from, to) = (place.offset, place.offset + header.frame_length());
        let front = match read_front(&mut window, &target, from, &header) {
            Ok(Some(front)) => front,
            Ok(None) => {
                self.note_stretch(target.segment, &*target.file, from, to);
                return (Ok(None), None);
            }
            Err(error) => return (Err(error), None),
        };
        let side_length = front.side.map_or(0, |side| side.length);
        let behind = Place {
            offset: to,
            sequence: header.sequence + 1,
            entries_before: place.entries_before + 1,
            side_before: place.side_before + side_length,
            ..place
        };
        let body = match (wanted, front.side) {
            (Wanted::Head, _) => Ok(Some(EntryBody::Bytes(Bytes::new()))),
            (Wanted::Whole, Some(about)) => self.open_side(header.sequence, about),
            (Wanted::Whole, None) => {
                let body = read_body(&mut window, &target, from, &header);
                if matches!(body, Ok(None)) {
                    self.note_stretch(target.segment, &*target.file, from, to);
                }
                body
            }
        };
        let found = body.map(|body| {
            body.map(|body| Found {
                sequence: header.sequence,
                head: front.head,
                body,
                body_length: side_length + u64::from(header.body_length),
            })
        });
        (found, Some(behind))
    }

    fn needs_side(&self, sequence: u64) -> bool {
        locked(&self.log).sides.contains_key(&sequence)
    }

    /// The body of an entry in a side file; `None` when every cursor is past the entry and it is gone.
    /// One that is not what was written is there all the same: its reader says so where it ends.
    fn open_side(self: &Arc<Self>, sequence: u64, about: SideRef) -> io::Result<Option<EntryBody>> {
        let path = self.directory.join(side::FOLDER).join(side::file_name(about.id));
        let file = match self.disk.open(&path) {
            Ok(file) => {
                if file.length()? < about.length {
                    self.note_side(sequence, side::SHORT);
                }
                Some(file)
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) if !self.needs_side(sequence) => return Ok(None),
            Err(_) => {
                self.note_side(sequence, side::GONE);
                None
            }
        };
        Ok(Some(EntryBody::Side(SideBody::of_entry(self.clone(), sequence, file, about))))
    }
}

/// What lies between a frame's header and its body.
struct FrontFound {
    head: Bytes,
    side: Option<SideRef>,
}

/// `None` when it is damaged.
fn read_front(
    window: &mut Window,
    target: &Target,
    offset: u64,
    header: &Header,
) -> io::Result<Option<FrontFound>> {
    let front = window.get(offset + HEADER as u64, header.front_length())?;
    if crc32c::crc32c_append(target.salt, front) != header.head_crc {
        return Ok(None);
    }
    let Some(extras) = header.extras(front) else { return Ok(None) };
    let head = Bytes::copy_from_slice(front.get(header.extras_length()..).unwrap_or_default());
    Ok(Some(FrontFound { head, side: extras.side }))
}

/// `None` when it is damaged.
fn read_body(
    window: &mut Window,
    target: &Target,
    offset: u64,
    header: &Header,
) -> io::Result<Option<EntryBody>> {
    let at = offset + (HEADER + header.front_length()) as u64;
    let body = window.take(at, header.body_length as usize)?;
    let whole = crc32c::crc32c_append(target.salt, &body) == header.body_crc;
    Ok(whole.then_some(EntryBody::Bytes(body)))
}

/// Length of the side file that the frame at `offset` refers to; 0 for none.
pub(crate) fn side_length(window: &mut Window, offset: u64, header: &Header) -> io::Result<u64> {
    if !header.has_side {
        return Ok(0);
    }
    let front = window.get(offset + HEADER as u64, header.extras_length())?;
    Ok(header.extras(front).and_then(|extras| extras.side).map_or(0, |side| side.length))
}
