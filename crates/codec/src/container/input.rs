//! A window on the bytes below: looked at before they are taken, counted when they are.
//!
//! Always: at most one window is held; an interrupted read is repeated; any other failure below is
//! passed on and remembered, so that it is never taken for a fault of the bytes.

use std::io::{self, BufRead, Read};

use super::SNIFF_BYTES;

/// Bytes held at a time: enough to tell the container, and for a read below to be cheap.
const WINDOW: usize = SNIFF_BYTES;

pub(super) struct Input<R: Read> {
    inner: R,
    window: Box<[u8]>,
    begin: usize,
    end: usize,
    taken: u64,
    /// The layer below has no more.
    ended: bool,
    /// The layer below failed.
    pub(super) failed: bool,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        let window = vec![0; WINDOW].into_boxed_slice();
        Self { inner, window, begin: 0, end: 0, taken: 0, ended: false, failed: false }
    }

    /// At least `least` bytes (the window's size at most), or all that are left when fewer are.
    pub(super) fn look(&mut self, least: usize) -> io::Result<&[u8]> {
        while self.end - self.begin < least.min(WINDOW) && !self.ended {
            if self.begin > 0 {
                self.window.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            }
            let space = self.window.get_mut(self.end..).unwrap_or_default();
            let read = read_below(&mut self.inner, space, &mut self.failed)?;
            self.end += read;
            self.ended = read == 0;
        }
        Ok(self.held())
    }

    /// What is in the window.
    pub(super) fn held(&self) -> &[u8] {
        self.window.get(self.begin..self.end).unwrap_or_default()
    }

    /// Takes `length` bytes of those that are held.
    pub(super) fn skip(&mut self, length: usize) {
        debug_assert!(length <= self.end - self.begin, "only what was looked at is taken");
        self.begin = self.end.min(self.begin + length);
        self.taken += length as u64;
    }

    /// The layer below.
    pub(super) fn below(&self) -> &R {
        &self.inner
    }

    /// Bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

fn read_below(inner: &mut impl Read, space: &mut [u8], failed: &mut bool) -> io::Result<usize> {
    loop {
        match inner.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => {
                *failed = result.is_err();
                return result;
            }
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.begin == self.end && out.len() >= WINDOW && !self.ended {
            let read = read_below(&mut self.inner, out, &mut self.failed)?;
            self.ended = read == 0;
            self.taken += read as u64;
            return Ok(read);
        }
        // Reading from a slice copies what fits.
        let length = self.look(1)?.read(out)?;
        self.skip(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.look(1)
    }

    fn consume(&mut self, length: usize) {
        self.skip(length);
    }
}
