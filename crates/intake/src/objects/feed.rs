//! The pipe between what arrives asynchronously and the thread that reads it.
//!
//! Always: an end is told apart from a cut. A pipe that closes without [`Chunk::End`] is a failure,
//! so that an object whose download stopped is never taken for a whole one.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Chunks in the pipe. A chunk is what the connection gave, 128 KiB at most.
pub(crate) const PIPE_CHUNKS: usize = 8;

/// What comes through the pipe.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// More.
    Data(Bytes),
    /// All came.
    End,
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Feed {
    pipe: mpsc::Receiver<Chunk>,
    current: Bytes,
    ended: bool,
}

/// A pipe.
pub(crate) fn pipe() -> (mpsc::Sender<Chunk>, Feed) {
    let (sender, pipe) = mpsc::channel(PIPE_CHUNKS);
    (sender, Feed { pipe, current: Bytes::new(), ended: false })
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pipe.blocking_recv() {
                Some(Chunk::Data(bytes)) => self.current = bytes,
                Some(Chunk::End) => self.ended = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let length = out.len().min(self.current.len());
        let piece = self.current.split_to(length);
        if let Some(space) = out.get_mut(..length) {
            space.copy_from_slice(&piece);
        }
        Ok(length)
    }
}
