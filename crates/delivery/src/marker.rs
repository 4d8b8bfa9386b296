//! Which entry is being decoded, so that a body that crashes the process three times is set aside.
//!
//! One small file a stream. It is written before an entry is decoded and after, without a sync: it
//! must survive a crash of the process, not of the machine.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Crashes at one position after which the body is quarantined raw.
pub(crate) const CRASHES_MAX: u32 = 3;

const LENGTH: usize = 24;

/// The marker of one stream.
pub(crate) struct Marker {
    file: Option<File>,
    /// What the last process was decoding when it ended, and how often it has ended there.
    crashed: Option<(u64, u64, u32)>,
}

impl Marker {
    /// Reads what the last process left. A marker that cannot be had is done without.
    pub(crate) fn open(path: &Path) -> Self {
        let left = fs::read(path).ok().and_then(|bytes| parse(&bytes));
        let file = File::options().create(true).write(true).truncate(false).open(path).ok();
        let crashed = left.filter(|(_, _, busy)| *busy > 0);
        Self { file, crashed }
    }

    /// About to decode. The number of times the process ended while doing just this.
    pub(crate) fn begin(&mut self, topic: u64, sequence: u64) -> u32 {
        let crashes = match self.crashed {
            Some((t, s, n)) if (t, s) == (topic, sequence) => n,
            _ => 0,
        };
        self.write(topic, sequence, crashes + 1);
        crashes
    }

    /// Decoded, and the process still lives.
    pub(crate) fn end(&mut self, topic: u64, sequence: u64) {
        self.crashed = None;
        self.write(topic, sequence, 0);
    }

    fn write(&self, topic: u64, sequence: u64, busy: u32) {
        let mut bytes = [0_u8; LENGTH];
        let fields = topic.to_le_bytes().into_iter().chain(sequence.to_le_bytes());
        let fields = fields.chain(busy.to_le_bytes()).chain(*b"mark");
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        if let Some(file) = &self.file
            && let Err(error) = file.write_all_at(&bytes, 0)
        {
            tracing::debug!(%error, "decode marker not written");
        }
    }
}

fn parse(bytes: &[u8]) -> Option<(u64, u64, u32)> {
    let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
    let (topic, rest) = bytes.split_first_chunk::<8>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (busy, magic) = rest.split_first_chunk::<4>()?;
    (magic == b"mark").then_some((
        u64::from_le_bytes(*topic),
        u64::from_le_bytes(*sequence),
        u32::from_le_bytes(*busy),
    ))
}
