//! What a topic's writer, its cursors and its readers share.
//!
//! Owns the list of segments, the durable end, the holes and the cursors of one topic, and frees what every
//! cursor is durably past. Locks are taken in the order keeper, cursor file, log, cursor marks, budget; no I/O
//! happens under the log's lock, so a reader never waits for the disk of another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, Weak};

use crate::budget::{Share, Spent};
use crate::cursor::CursorState;
use crate::damage::Teller;
use crate::disk::Disk;
use crate::frame::SideRef;
use crate::inbox::Inbox;
use crate::item::{Position, Refused};
use crate::journal::Options;
use crate::keyfile::KeyFile;
use crate::keys::Keys;
use crate::locked;
use crate::segment::Segment;
use crate::side;

/// Woken after each commit, with the new end.
pub(crate) type Wake = Box<dyn Fn(u64) + Send + Sync>;

/// One topic.
pub(crate) struct Shared {
    pub(crate) name: Arc<str>,
    pub(crate) directory: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) options: Options,
    pub(crate) share: Share,
    pub(crate) roster: Arc<Roster>,
    pub(crate) inbox: Inbox,
    pub(crate) log: Mutex<Log>,
    pub(crate) keys: Mutex<Keys>,
    /// Held by who frees; one at a time.
    pub(crate) keeper: Mutex<Keeper>,
    pub(crate) wakes: Mutex<Vec<Wake>>,
    pub(crate) next_side: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the topics of a journal have in common.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// All of them, to find who holds the most.
    pub(crate) topics: Mutex<Vec<Weak<Shared>>>,
    pub(crate) teller: Teller,
}

/// What freeing needs to remember.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) keys: KeyFile,
    /// Keys of entries below this are in the key file.
    pub(crate) saved: u64,
}

/// What is durable, and who still needs it.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) segments: VecDeque<Segment>,
    /// Sequence after the last durable entry.
    pub(crate) end: u64,
    /// Ranges of sequences that hold no entry: from, to.
    pub(crate) holes: BTreeMap<u64, u64>,
    /// Side files of the entries from `freed` on.
    pub(crate) sides: BTreeMap<u64, SideRef>,
    /// Entries below this are settled by every cursor.
    pub(crate) freed: u64,
    pub(crate) cursors: BTreeMap<String, Arc<CursorState>>,
    pub(crate) counters: Counters,
    pub(crate) refusing: Option<Refusing>,
    /// Damaged stretches already counted: segment and offset.
    pub(crate) damaged: BTreeMap<(u64, u64), u64>,
    /// Entries whose side file is counted as damaged.
    pub(crate) damaged_sides: BTreeSet<u64>,
}

/// Why nothing is taken.
#[derive(Clone, Debug)]
pub(crate) struct Refusing {
    pub(crate) refused: Refused,
    /// For a spent budget: what had been given back when it was met. More now means: ask again.
    pub(crate) given: Option<u64>,
}

/// Counters since start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended: u64,
    pub(crate) repeats: u64,
    pub(crate) other_data: u64,
    pub(crate) commits: u64,
    pub(crate) sync_failures: u64,
    pub(crate) rotten_bytes: u64,
    pub(crate) failures: u64,
    pub(crate) last_failure: Option<String>,
}

impl Roster {
    /// Enters a topic; those that are gone are struck off.
    pub(crate) fn enter(&self, topic: &Arc<Shared>) {
        let mut topics = locked(&self.topics);
        topics.retain(|known| known.strong_count() > 0);
        topics.push(Arc::downgrade(topic));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        locked(&self.topics).len() as u64
    }
}

impl Shared {
    /// Why an append would be refused now.
    pub(crate) fn refusing(&self) -> Option<Refused> {
        if self.inbox.closing() {
            return Some(Refused::Closing);
        }
        let refusing = locked(&self.log).refusing.clone()?;
        let stale = refusing.given.is_some_and(|given| given != self.share.budget().given());
        (!stale).then_some(refusing.refused)
    }

    /// The refusal for a spent budget, naming the cursor that holds the most.
    pub(crate) fn refused_full(self: &Arc<Self>, spent: Spent) -> Refused {
        let topics = match spent.by_all {
            true => locked(&self.roster.topics).iter().filter_map(Weak::upgrade).collect(),
            false => vec![self.clone()],
        };
        let mut held: BTreeMap<String, u64> = BTreeMap::new();
        for topic in &topics {
            let log = locked(&topic.log);
            for (name, cursor) in &log.cursors {
                *held.entry(name.clone()).or_default() += log.bytes_from(cursor.low().sequence);
            }
        }
        let most = held.into_iter().filter(|(_, bytes)| *bytes > 0).max_by_key(|(_, bytes)| *bytes);
        let holder = most.map_or_else(|| "files being written".to_owned(), |(name, _)| name);
        Refused::Full { used: spent.used, limit: spent.limit, holder }
    }

    /// Counts a failure that harms nobody now: a file that could not be removed or shortened, say.
    pub(crate) fn count_failure(&self, doing: &str, path: &Path, outcome: io::Result<()>) {
        let Err(error) = outcome else { return };
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        let mut log = locked(&self.log);
        log.counters.failures += 1;
        log.counters.last_failure = Some(format!("{doing} {}: {error}", path.display()));
    }

    /// Frees the segments and side files that every cursor is durably past. Returns bytes given back.
    pub(crate) fn free(&self) -> u64 {
        let mut keeper = locked(&self.keeper);
        let Some((below, upto)) = self.freeable() else { return 0 };
        if let Some(upto) = upto
            && let Err(error) = self.save_keys(&mut keeper, upto)
        {
            self.count_failure("writing keys in", &self.directory, Err(error));
            return 0;
        }
        let (segments, sides) = locked(&self.log).take_freed(below, upto);
        let before = self.share.held();
        for segment in segments {
            self.count_failure("removing", &segment.path, self.disk.remove(&segment.path));
            self.share.give(segment.held);
        }
        for about in sides {
            let path = self.directory.join(side::FOLDER).join(side::file_name(about.id));
            self.count_failure("removing", &path, self.disk.remove(&path));
            self.share.give(about.length);
        }
        before.saturating_sub(self.share.held())
    }

    /// The sequence below which nobody needs entries, and the first one of the oldest segment that stays, if any
    /// goes. All keys below that must be in the key file, also those of segments that went earlier: after a
    /// power cut some of these may be back and others not.
    fn freeable(&self) -> Option<(u64, Option<u64>)> {
        let log = locked(&self.log);
        let below = log.settled_by_all();
        let last = log.segments.len().saturating_sub(1);
        let going = log.segments.iter().take(last).take_while(|segment| segment.end <= below);
        let going = going.count();
        let stays = log.segments.get(going).filter(|_| going > 0).map(|segment| segment.first);
        let sides = log.sides.first_key_value().is_some_and(|(sequence, _)| *sequence < below);
        (stays.is_some() || sides || below > log.freed).then_some((below, stays))
    }

    fn save_keys(&self, keeper: &mut Keeper, upto: u64) -> io::Result<()> {
        let (fresh, all) = {
            let keys = locked(&self.keys);
            (keys.between(keeper.saved, upto), keys.between(0, upto))
        };
        let before = keeper.keys.bytes;
        let saved = keeper.keys.save(&fresh, &all);
        let after = keeper.keys.bytes;
        self.share.force(after.saturating_sub(before));
        self.share.give(before.saturating_sub(after));
        saved?;
        keeper.saved = keeper.saved.max(upto);
        Ok(())
    }

    /// Notes that `from..to` holds no entry that can be read; every cursor steps over it.
    pub(crate) fn add_hole(&self, from: u64, to: u64) {
        if from < to {
            locked(&self.log).add_hole(from, to);
        }
    }
}

impl Log {
    pub(crate) fn new() -> Log {
        Log {
            segments: VecDeque::new(),
            end: 0,
            holes: BTreeMap::new(),
            sides: BTreeMap::new(),
            freed: 0,
            cursors: BTreeMap::new(),
            counters: Counters::default(),
            refusing: None,
            damaged: BTreeMap::new(),
            damaged_sides: BTreeSet::new(),
        }
    }

    /// Every cursor is durably past all below this. Without cursors that is everything.
    pub(crate) fn settled_by_all(&self) -> u64 {
        let lows = self.cursors.values().map(|cursor| cursor.synced_low().sequence);
        lows.min().unwrap_or(self.end).min(self.end)
    }

    /// No entry below this can be read any more.
    pub(crate) fn oldest(&self) -> u64 {
        let first = self.segments.front().map_or(self.end, |segment| segment.first);
        let kept_for_others = if self.cursors.is_empty() { first } else { self.freed };
        first.max(kept_for_others.min(self.end))
    }

    /// Bytes from the entry `sequence` to the end, to within one index mark.
    pub(crate) fn bytes_from(&self, sequence: u64) -> u64 {
        if sequence >= self.end {
            return 0;
        }
        let mut bytes = 0;
        for segment in self.segments.iter().filter(|segment| segment.end > sequence) {
            let place = segment.place_before(sequence);
            bytes += segment.used() - place.offset - place.side_before;
        }
        bytes
    }

    /// The index of the segment in which a search for `sequence` begins.
    pub(crate) fn segment_of(&self, sequence: u64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.end <= sequence);
        self.segments.get(after)
    }

    /// The sequences up to `next` were given to nothing that became durable.
    pub(crate) fn skip_to(&mut self, next: u64) {
        let end = self.end;
        if end < next {
            self.end = next;
            self.add_hole(end, next);
        }
    }

    fn take_freed(&mut self, below: u64, upto: Option<u64>) -> (Vec<Segment>, Vec<SideRef>) {
        let mut segments = Vec::new();
        while let (Some(first), Some(upto)) = (self.segments.front(), upto) {
            if self.segments.len() < 2 || first.end > upto {
                break;
            }
            segments.extend(self.segments.pop_front());
        }
        self.freed = self.freed.max(below);
        let rest = self.sides.split_off(&below);
        let sides = std::mem::replace(&mut self.sides, rest).into_values().collect();
        let oldest = self.segments.front().map_or(0, |segment| segment.first);
        // What lies before the oldest segment needs no note any more: cursors are past it.
        while let Some((from, to)) = self.holes.first_key_value().map(|(from, to)| (*from, *to)) {
            if to > below || from >= below {
                break;
            }
            self.holes.remove(&from);
        }
        self.damaged.retain(|(segment, _), _| *segment >= oldest);
        self.damaged_sides = self.damaged_sides.split_off(&below);
        (segments, sides)
    }

    pub(crate) fn add_hole(&mut self, from: u64, to: u64) {
        let (mut start, mut stop) = (from, to);
        if let Some((before, end)) = self.holes.range(..=from).next_back() {
            if *end >= to {
                return;
            }
            if *end >= from {
                start = *before;
            }
        }
        while let Some((next, end)) = self.holes.range(start..=stop).next() {
            let next = *next;
            stop = stop.max(*end);
            self.holes.remove(&next);
        }
        self.holes.insert(start, stop);
        for cursor in self.cursors.values() {
            cursor.step_over(start, stop);
        }
    }
}

/// The position before the first item of an entry.
pub(crate) fn start_of(sequence: u64) -> Position {
    Position { sequence, ordinal: 0 }
}
