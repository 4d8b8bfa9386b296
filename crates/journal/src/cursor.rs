//! A cursor: a stream's place in a topic.
//!
//! Owns what one stream has settled and the file that remembers it. Reading never settles; a place that holds
//! no readable entry (a hole) is stepped over for every cursor. Dropping a cursor keeps its place.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::item::{Entry, Position, ReadError};
use crate::locked;
use crate::read::{Reader, Wanted};
use crate::settled::{Coverage, Settled};
use crate::shared::{Shared, start_of};
use crate::slot::SlotFile;

/// What is known of a cursor, whether or not it is open.
#[derive(Debug)]
pub(crate) struct CursorState {
    marks: Mutex<Marks>,
    /// None: it could not be read or made; the next sync tries again.
    file: Mutex<SlotFile>,
}

#[derive(Debug)]
struct Marks {
    settled: Settled,
    /// The low mark that is durable.
    synced_low: Position,
    open: bool,
}

impl CursorState {
    pub(crate) fn new(file: SlotFile, settled: Settled, synced_low: Position) -> CursorState {
        let marks = Marks { settled, synced_low, open: false };
        CursorState { marks: Mutex::new(marks), file: Mutex::new(file) }
    }

    pub(crate) fn low(&self) -> Position {
        locked(&self.marks).settled.low()
    }

    pub(crate) fn synced_low(&self) -> Position {
        locked(&self.marks).synced_low
    }

    pub(crate) fn is_open(&self) -> bool {
        locked(&self.marks).open
    }

    pub(crate) fn coverage(&self, from: Position, to: Position) -> Coverage {
        locked(&self.marks).settled.coverage(from, to)
    }

    /// Settles a hole, in memory: it is found again at the next start.
    pub(crate) fn step_over(&self, from: u64, to: u64) {
        locked(&self.marks).settled.add(start_of(from), start_of(to));
    }

    /// Claims it for one owner; false when it has one.
    pub(crate) fn claim(&self) -> bool {
        let mut marks = locked(&self.marks);
        !std::mem::replace(&mut marks.open, true)
    }

    fn settle(&self, from: Position, to: Position) -> io::Result<()> {
        let mut file = locked(&self.file);
        let settled = {
            let mut marks = locked(&self.marks);
            if !marks.settled.add(from, to) {
                return Ok(());
            }
            marks.settled.clone()
        };
        file.write(&settled)
    }

    /// Makes what is settled durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut file = locked(&self.file);
        let settled = locked(&self.marks).settled.clone();
        if *file.written() != settled {
            file.write(&settled)?;
        }
        file.sync()?;
        locked(&self.marks).synced_low = settled.low();
        Ok(())
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        locked(&self.file).remove()
    }
}

/// A stream's place in a topic. One owner; `Send`.
#[derive(Debug)]
pub struct Cursor {
    shared: Arc<Shared>,
    state: Arc<CursorState>,
    reader: Mutex<Reader>,
    /// Heads are looked at ahead of the reading.
    heads: Mutex<Reader>,
    /// For measuring the backlog, which begins elsewhere than the reading.
    measure: Mutex<Reader>,
}

impl Cursor {
    pub(crate) fn new(shared: Arc<Shared>, state: Arc<CursorState>) -> Cursor {
        let [reader, heads, measure] = std::array::from_fn(|_| Mutex::default());
        Cursor { shared, state, reader, heads, measure }
    }

    /// Name of the topic.
    pub fn topic(&self) -> &Arc<str> {
        &self.shared.name
    }

    /// Everything below is settled.
    pub fn low(&self) -> Position {
        self.state.low()
    }

    /// Sequence after the last durable entry.
    pub fn end(&self) -> u64 {
        locked(&self.shared.log).end
    }

    /// Settled ranges above the low mark, half-open, ascending, disjoint.
    pub fn settled(&self) -> Vec<(Position, Position)> {
        locked(&self.state.marks).settled.ranges().collect()
    }

    /// The first durable, undamaged entry with sequence >= `sequence`, or `None` at the end. After an error,
    /// reading on from the sequence behind the error's skips what could not be read.
    pub fn read(&self, sequence: u64) -> Result<Option<Entry>, ReadError> {
        let found = self.shared.read(&mut locked(&self.reader), sequence, Wanted::Whole)?;
        Ok(found.map(|found| Entry {
            sequence: found.sequence,
            head: found.head,
            body: found.body,
        }))
    }

    /// Like `read`, but the header only: sequence, header, length of the body. The body is not checked.
    pub fn read_head(&self, sequence: u64) -> Result<Option<(u64, Bytes, u64)>, ReadError> {
        let found = self.shared.read(&mut locked(&self.heads), sequence, Wanted::Head)?;
        Ok(found.map(|found| (found.sequence, found.head, found.body_length)))
    }

    /// Marks the half-open range as settled and writes the slot (not yet synced: see `sync`). The end of
    /// entry `n` is `Position { sequence: n + 1, ordinal: 0 }`.
    pub fn settle(&mut self, from: Position, to: Position) -> io::Result<()> {
        if to > start_of(self.end()) {
            let text = format!("settling {to:?}, which is behind the end");
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        self.state.settle(from, to)
    }

    /// Makes the slot durable; segments below every cursor's durable low mark are freed. Called once a second.
    pub fn sync(&mut self) -> io::Result<()> {
        self.state.sync()?;
        self.shared.free();
        let oldest = locked(&self.shared.log).segments.front().map_or(0, |segment| segment.first);
        for reader in [&self.reader, &self.heads, &self.measure] {
            locked(reader).release_below(oldest);
        }
        Ok(())
    }

    /// Bytes from the low mark's entry to the end.
    pub fn backlog_bytes(&self) -> u64 {
        self.shared.backlog(&mut locked(&self.measure), self.low().sequence).0
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        locked(&self.state.marks).open = false;
    }
}
