//! Streaming inflate through a small window, by zlib-rs.
//!
//! Owns: one window of compressed bytes and the inflate state of one stream.
//!
//! Always: reads every member, checks every CRC and length, gives out at most `limit` bytes, and
//! once failed stays failed. A [`Read`] that returns 0 means the whole input was good.
//!
//! Not here: holding what comes out.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Crc;

use super::{InflateError, MAGIC};

/// Compressed bytes held at a time. Large enough that a read of the layer below is cheap, small
/// enough to stay in the second-level cache beside what comes out.
const WINDOW: usize = 64 * 1024;

/// Header flags of RFC 1952 2.3.1.
pub(super) const FLAG_HEADER_CRC: u8 = 0x02;
pub(super) const FLAG_EXTRA: u8 = 0x04;
pub(super) const FLAG_NAME: u8 = 0x08;
pub(super) const FLAG_COMMENT: u8 = 0x10;
pub(super) const FLAGS_RESERVED: u8 = 0xe0;

/// Where in a member the next byte lies.
enum Place {
    /// Before the first member.
    Start,
    /// Between the header and the end of the deflate data.
    Data,
    /// After the deflate data, before the trailer.
    Trailer,
    /// After the last byte of a good member.
    Between,
    /// Past the end, or failed.
    Over(Option<InflateError>),
}

/// Inflates a stream in a small window, for bodies that should never be held whole.
/// Reads every member, checks every CRC. A failure is an `io::Error` whose source is an [`InflateError`].
pub struct StreamInflater<R: Read> {
    inner: R,
    window: Box<[u8]>,
    begin: usize,
    end: usize,
    state: Decompress,
    place: Place,
    crc: Crc,
    member_bytes: u64,
    bytes: u64,
    limit: u64,
    /// Bytes read from below, those still in the window included.
    fetched: u64,
}

impl<R: Read> StreamInflater<R> {
    /// At most `limit` bytes come out; one more is [`InflateError::TooLarge`].
    pub fn new(inner: R, limit: u64) -> Self {
        Self {
            inner,
            window: vec![0; WINDOW].into_boxed_slice(),
            begin: 0,
            end: 0,
            state: Decompress::new(false),
            place: Place::Start,
            crc: Crc::new(),
            member_bytes: 0,
            bytes: 0,
            limit,
            fetched: 0,
        }
    }

    /// What went wrong, once reading has failed for a reason that lies in the bytes.
    pub fn fault(&self) -> Option<InflateError> {
        match &self.place {
            Place::Over(fault) => fault.clone(),
            _ => None,
        }
    }

    /// The layer below.
    pub(crate) fn below(&self) -> &R {
        &self.inner
    }

    /// How many compressed bytes have been looked at: after a failure, about where it lies.
    pub fn offset(&self) -> u64 {
        self.fetched - (self.end - self.begin) as u64
    }

    /// Reads more of the input when the window is used up; false at the end of the input.
    fn refill(&mut self) -> io::Result<bool> {
        while self.begin == self.end {
            match self.inner.read(&mut self.window) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    (self.begin, self.end) = (0, read);
                    self.fetched += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The next byte of the input, or `None` at its end.
    fn byte_or_end(&mut self) -> io::Result<Option<u8>> {
        if !self.refill()? {
            return Ok(None);
        }
        let byte = self.window.get(self.begin).copied();
        self.begin += 1;
        Ok(byte)
    }

    /// The next byte of the input, which must not end here.
    fn byte(&mut self) -> io::Result<u8> {
        self.byte_or_end()?.ok_or_else(|| io::Error::other(InflateError::Truncated))
    }

    fn word(&mut self) -> io::Result<u32> {
        let bytes = [self.byte()?, self.byte()?, self.byte()?, self.byte()?];
        Ok(u32::from_le_bytes(bytes))
    }

    /// Skips bytes up to and including a zero.
    fn skip_text(&mut self) -> io::Result<()> {
        while self.byte()? != 0 {}
        Ok(())
    }

    /// Reads a member's header; false when the input ends before it. `otherwise` is the fault of
    /// bytes that do not begin a member.
    fn header(&mut self, otherwise: InflateError) -> io::Result<bool> {
        for (index, expected) in MAGIC.into_iter().enumerate() {
            match self.byte_or_end()? {
                Some(byte) if byte == expected => {}
                Some(_) => return Err(io::Error::other(otherwise)),
                None if index == 0 => return Ok(false),
                None => return Err(io::Error::other(InflateError::Truncated)),
            }
        }
        let flags = self.byte()?;
        if flags & FLAGS_RESERVED != 0 {
            return Err(io::Error::other(InflateError::Corrupt("reserved header flags are set")));
        }
        // The modification time, extra flags and the operating system say nothing of the content.
        for _ in 0..6 {
            self.byte()?;
        }
        if flags & FLAG_EXTRA != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            for _ in 0..length {
                self.byte()?;
            }
        }
        if flags & FLAG_NAME != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_COMMENT != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_HEADER_CRC != 0 {
            self.byte()?;
            self.byte()?;
        }
        Ok(true)
    }

    /// Checks a member's trailer against what came out.
    fn trailer(&mut self) -> io::Result<()> {
        let (crc, length) = (self.word()?, self.word()?);
        if crc != self.crc.sum() {
            return Err(io::Error::other(InflateError::Corrupt("the checksum differs")));
        }
        if length != self.member_bytes as u32 {
            return Err(io::Error::other(InflateError::Corrupt("the length differs")));
        }
        self.state.reset(false);
        self.crc = Crc::new();
        self.member_bytes = 0;
        Ok(())
    }

    /// Inflates into `out` until something came out (how much) or the member's data ended (0).
    fn data(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // One byte more than the limit tells a body at its limit from one beyond it.
        let left = usize::try_from(self.limit - self.bytes).unwrap_or(usize::MAX);
        let space_length = out.len().min(left.saturating_add(1));
        let space = out.get_mut(..space_length).unwrap_or_default();
        loop {
            let more = self.refill()?;
            let input = self.window.get(self.begin..self.end).unwrap_or_default();
            let (in_before, out_before) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(input, space, FlushDecompress::None);
            self.begin += (self.state.total_in() - in_before) as usize;
            let produced = (self.state.total_out() - out_before) as usize;
            if produced > left {
                let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
                return Err(io::Error::other(InflateError::TooLarge { limit }));
            }
            self.crc.update(space.get(..produced).unwrap_or_default());
            self.member_bytes += produced as u64;
            self.bytes += produced as u64;
            // What came out before a fault is given first; the fault is met by the next read.
            match status {
                // Only now: what is wrong behind the limit must not depend on how far zlib-rs looks ahead.
                Err(_) => {
                    self.place = Place::Over(Some(InflateError::Corrupt("a block is malformed")));
                    return Ok(produced);
                }
                Ok(Status::StreamEnd) => {
                    self.place = Place::Trailer;
                    return Ok(produced);
                }
                Ok(_) => {}
            }
            if produced > 0 {
                return Ok(produced);
            }
            if !more {
                return Err(io::Error::other(InflateError::Truncated));
            }
            if self.state.total_in() == in_before {
                return Err(io::Error::other(InflateError::Corrupt("a block makes no progress")));
            }
        }
    }

    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match &self.place {
                Place::Start => {
                    if !self.header(InflateError::NotGzip)? {
                        return Err(io::Error::other(InflateError::NotGzip));
                    }
                    self.place = Place::Data;
                }
                Place::Between => {
                    let garbage = InflateError::Corrupt("bytes follow the last member");
                    if !self.header(garbage)? {
                        self.place = Place::Over(None);
                        return Ok(0);
                    }
                    self.place = Place::Data;
                }
                Place::Trailer => {
                    self.trailer()?;
                    self.place = Place::Between;
                }
                Place::Data => match self.data(out)? {
                    0 => {}
                    read => return Ok(read),
                },
                Place::Over(None) => return Ok(0),
                Place::Over(Some(fault)) => return Err(io::Error::other(fault.clone())),
            }
        }
    }
}

impl<R: Read> Read for StreamInflater<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let result = self.advance(out);
        if let Err(error) = &result
            && let Some(fault) = InflateError::within(error)
        {
            self.place = Place::Over(Some(fault.clone()));
        }
        result
    }
}
