//! Which entry is being decoded, so that a body that crashes the process three times is set aside.
//!
//! One small file a stream. It is written before an entry is decoded and after, without a sync: it
//! must survive a crash of the process, not of the machine.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Crashes at one position after which the body is quarantined raw.
pub(crate) const CRASHES_MAX: u32 = 3;

/// A mark: topic, sequence, count, magic.
const LENGTH: usize = 24;

/// An entry, and how often the process ended while decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    topic: u64,
    sequence: u64,
    count: u32,
}

/// The marker of one stream. Its file holds what is being decoded now, and the suspect: the entry at
/// which the process ended last. Entries before the suspect are read again at each start, so its count
/// must outlive them.
pub(crate) struct Marker {
    file: Option<File>,
    suspect: Option<Mark>,
}

impl Marker {
    /// Reads what the last process left. A marker that cannot be had is done without.
    pub(crate) fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_default();
        let mut marks = bytes.chunks(LENGTH).map(parse);
        let busy = marks.next().flatten();
        let known = marks.next().flatten();
        let file = File::options().create(true).write(true).truncate(false).open(path).ok();
        let suspect = match (busy, known) {
            (Some(busy), Some(known)) if busy.same(&known) => {
                Some(Mark { count: known.count + 1, ..known })
            }
            (Some(busy), _) => Some(busy),
            (None, known) => known,
        };
        let marker = Self { file, suspect };
        marker.write(None);
        marker
    }

    /// The number of times the process ended while decoding this entry.
    pub(crate) fn crashes(&self, topic: u64, sequence: u64) -> u32 {
        let mark = Mark { topic, sequence, count: 1 };
        self.suspect.filter(|s| s.same(&mark)).map_or(0, |s| s.count)
    }

    /// About to decode it, or more of it.
    pub(crate) fn begin(&self, topic: u64, sequence: u64) {
        self.write(Some(Mark { topic, sequence, count: 1 }));
    }

    /// A piece of it is decoded and the process still lives; the rest may wait for long.
    pub(crate) fn pause(&self) {
        self.write(None);
    }

    /// All of it is decoded: it is above suspicion.
    pub(crate) fn end(&mut self, topic: u64, sequence: u64) {
        let mark = Mark { topic, sequence, count: 1 };
        self.suspect.take_if(|s| s.same(&mark));
        self.write(None);
    }

    fn write(&self, busy: Option<Mark>) {
        let mut bytes = Vec::with_capacity(2 * LENGTH);
        for mark in [busy, self.suspect] {
            let mark = mark.unwrap_or(Mark { topic: 0, sequence: 0, count: 0 });
            bytes.extend_from_slice(&mark.topic.to_le_bytes());
            bytes.extend_from_slice(&mark.sequence.to_le_bytes());
            bytes.extend_from_slice(&mark.count.to_le_bytes());
            bytes.extend_from_slice(b"mark");
        }
        if let Some(file) = &self.file
            && let Err(error) = file.write_all_at(&bytes, 0)
        {
            tracing::debug!(%error, "decode marker not written");
        }
    }
}

impl Mark {
    fn same(&self, other: &Mark) -> bool {
        (self.topic, self.sequence) == (other.topic, other.sequence)
    }
}

/// A mark whose count is not zero.
fn parse(bytes: &[u8]) -> Option<Mark> {
    let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
    let (topic, rest) = bytes.split_first_chunk::<8>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (count, magic) = rest.split_first_chunk::<4>()?;
    let mark = Mark {
        topic: u64::from_le_bytes(*topic),
        sequence: u64::from_le_bytes(*sequence),
        count: u32::from_le_bytes(*count),
    };
    (magic == b"mark" && mark.count > 0).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* the process ends four times at entry 5; entries 3 and 4 are decoded before, each time.
    /// *Guarantees:* its crashes are counted all the same, and decoding it at last clears it.
    #[test]
    fn entries_before_a_crasher_do_not_hide_it() {
        let dir = testkit::TempDir::new("marker");
        let path = dir.join("s.decoding");
        for crashes in 0..4 {
            let mut marker = Marker::open(&path);
            for sequence in [3, 4] {
                assert_eq!(marker.crashes(1, sequence), 0);
                marker.begin(1, sequence);
                marker.end(1, sequence);
            }
            assert_eq!(marker.crashes(1, 5), crashes);
            assert_eq!(marker.crashes(2, 5), 0, "another topic");
            marker.begin(1, 5);
        }
        let mut marker = Marker::open(&path);
        assert_eq!(marker.crashes(1, 5), 4);
        marker.end(1, 5);
        assert_eq!(Marker::open(&path).crashes(1, 5), 0);
    }

    /// *Scenario:* the process is killed between two pieces of a large entry, five times.
    /// *Guarantees:* that is no crash of the body; one while decoding is.
    #[test]
    fn only_decoding_is_suspicious() {
        let dir = testkit::TempDir::new("marker-pause");
        let path = dir.join("s.decoding");
        for _ in 0..5 {
            let marker = Marker::open(&path);
            marker.begin(1, 5);
            marker.pause();
            assert_eq!(marker.crashes(1, 5), 0);
        }
        Marker::open(&path).begin(1, 5);
        assert_eq!(Marker::open(&path).crashes(1, 5), 1);
    }
}
