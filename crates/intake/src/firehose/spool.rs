//! Bodies too large to hold: written to a side file of the journal while they are checked.
//!
//! Owns the pipe between the connection and the thread that writes and checks. The pipe knows a body
//! that ended from one that was cut: only an explicit end makes a body whole. Whatever goes wrong, the
//! side file is removed by being dropped.

use std::io::{self, Read};

use bytes::Bytes;
use journal::{SideFile, SideWriter, Topic};
use tokio::sync::mpsc;

use super::check::{self, Checked, Expect};
use super::refusal::{Reason, Refusal};

/// Larger bodies, as received, are spooled to a side file: one in memory may take an eighth of `in_flight`.
pub(crate) const WIRE_WHOLE_MAX: usize = 4 * 1024 * 1024;
/// What one spooled body holds: the pipe and the connection's read buffer (0.6 MiB together), the
/// windows of inflater (0.1 MiB) and envelope (a record of AWS's size is 1.3 MiB of base64).
pub(crate) const SPOOL_BYTES: usize = 2 * 1024 * 1024;
/// Chunks in the pipe; the connection reads at most 128 KiB at a time.
pub(crate) const PIPE_CHUNKS: usize = 4;

/// What comes through the pipe. A pipe that closes without `End` was cut.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// More of the body.
    Data(Bytes),
    /// The body is whole.
    End,
}

struct Wire {
    pipe: mpsc::Receiver<Chunk>,
    current: Bytes,
    side: SideWriter,
    bytes: u64,
    ended: bool,
    /// Why reading failed, when it did.
    fault: Option<Refusal>,
}

impl Wire {
    /// The next piece of the body, written already; empty at its end.
    fn refill(&mut self) -> io::Result<()> {
        while self.current.is_empty() && !self.ended {
            match self.pipe.blocking_recv() {
                Some(Chunk::Data(bytes)) => {
                    if let Err(error) = self.side.write(&bytes) {
                        self.fault = Some(Refusal::from_disk(&error));
                        return Err(error);
                    }
                    self.bytes += bytes.len() as u64;
                    self.current = bytes;
                }
                Some(Chunk::End) => self.ended = true,
                None => {
                    let message = "the body ended early";
                    self.fault = Some(Refusal::new(Reason::Disconnected, message));
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        Ok(())
    }
}

impl Read for Wire {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let n = out.len().min(self.current.len());
        let piece = self.current.split_to(n);
        if let Some(space) = out.get_mut(..n) {
            space.copy_from_slice(&piece);
        }
        Ok(n)
    }
}

/// A body on disk, checked and synced.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) checked: Checked,
    pub(crate) side: SideFile,
}

/// Takes a body from the pipe; runs on a thread of its own. `wire_bytes` is its length, or the most it
/// may have.
pub(crate) fn take(
    topic: &Topic,
    pipe: mpsc::Receiver<Chunk>,
    wire_bytes: u64,
    expect: &Expect,
) -> Result<Spooled, Refusal> {
    let side = topic.side_file().map_err(|error| Refusal::from_disk(&error))?;
    let mut wire = Wire { pipe, current: Bytes::new(), side, bytes: 0, ended: false, fault: None };
    let checked = check::stream(&mut wire, wire_bytes, expect);
    if let Some(fault) = wire.fault {
        return Err(fault);
    }
    let checked = checked?;
    let side = wire.side.finish().map_err(|error| Refusal::from_disk(&error))?;
    Ok(Spooled { checked, side })
}
