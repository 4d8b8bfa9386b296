//! Looking things up without a cursor: where a key was stored, the heads of what is kept, who has
//! settled an entry. For a person who asks; nothing here changes the log or steps over anything.

use std::io;

use bytes::Bytes;

use crate::item::Position;
use crate::journal::Journal;
use crate::locked;
use crate::read::Reader;
use crate::settled::Coverage;

/// Where an entry with a known key was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// Its topic.
    pub topic: String,
    /// Its sequence.
    pub sequence: u64,
    /// When it came, ms since the epoch.
    pub arrived_ms: u64,
    /// Repeats of it that were suppressed, since the journal was opened.
    pub repeats: u32,
}

/// How far a cursor has dealt with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Name of the cursor.
    pub cursor: String,
    /// Opened by this process.
    pub open: bool,
    /// How much of the entry is settled.
    pub settled: Coverage,
}

impl Journal {
    /// The entries whose key has this name, the youngest of each topic.
    pub fn known(&self, name: u128) -> Vec<KnownEntry> {
        let mut found = Vec::new();
        for topic in self.all() {
            let shared = topic.shared();
            let now_ms = shared.disk.now_ms();
            let Some((known, repeats)) = locked(&shared.keys).find(name, now_ms) else { continue };
            found.push(KnownEntry {
                topic: shared.name.to_string(),
                sequence: known.sequence,
                arrived_ms: known.arrived_ms,
                repeats,
            });
        }
        found
    }

    /// Calls `visit` with sequence and header of every entry of a topic that still lies on disk, settled
    /// or not, oldest first, until it answers false. What is damaged is passed over.
    pub fn heads(&self, topic: &str, visit: &mut dyn FnMut(u64, &Bytes) -> bool) -> io::Result<()> {
        let Some(topic) = self.all().into_iter().find(|one| *one.shared().name == *topic) else {
            return Ok(());
        };
        let shared = topic.shared();
        let (mut next, end) = {
            let log = locked(&shared.log);
            (log.segments.front().map_or(log.end, |segment| segment.first), log.end)
        };
        let mut reader = Reader::default();
        while next < end {
            let found = shared.look(&mut reader, next).map_err(|error| error.source)?;
            let Some((sequence, head)) = found else { return Ok(()) };
            if let Some(head) = head
                && !visit(sequence, &head)
            {
                return Ok(());
            }
            next = sequence + 1;
        }
        Ok(())
    }

    /// How far each cursor of a topic has dealt with an entry.
    pub fn standing(&self, topic: &str, sequence: u64) -> Vec<Standing> {
        let Some(topic) = self.all().into_iter().find(|one| *one.shared().name == *topic) else {
            return Vec::new();
        };
        let (from, to) =
            (Position { sequence, ordinal: 0 }, Position { sequence: sequence + 1, ordinal: 0 });
        let log = locked(&topic.shared().log);
        let standing = log.cursors.iter().map(|(name, cursor)| Standing {
            cursor: name.clone(),
            open: cursor.is_open(),
            settled: cursor.coverage(from, to),
        });
        standing.collect()
    }
}
