//! The reader of objects: whatever they are compressed with, one level or two.
//!
//! Owns: one window on the bytes below, and the state of one decoder, for each level.
//!
//! Always: at most `limit` bytes come out; once failed it stays failed; a read that returns 0 means
//! that the whole input was good. What is compressed a third time comes out as it is.

use std::io::{self, Read};

use super::fault::Flaw;
use super::input::Input;
use super::snappy::{Frame, Unsnap};
use super::zip::Unzip;
use super::{Container, Fault, SNIFF_BYTES, Wrong, by_magic, snappy};
use crate::gzip::{InflateError, StreamInflater};

/// Largest window of zstd that is taken, as a power of two: the 8 MiB that RFC 8878 3.1.1.1.2 asks
/// a receiver to have.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// What may come out of the outer of two levels, above what may come out of the inner: headers, and
/// content that does not shrink. Plain content is never compressed twice by more than this.
const OUTER_SLACK: u64 = 1024 * 1024;

/// Reads an object of any container, told by its content; a container within another one too.
///
/// A failure of the object is an `io::Error` whose source is a [`Fault`]; a failure of the layer
/// below is passed on as it is.
pub struct Reader<R: Read> {
    inner: Layer<Layer<R>>,
}

impl<R: Read> Reader<R> {
    /// At most `limit` bytes come out; one more is [`Wrong::OverLimit`].
    pub fn new(below: R, limit: u64) -> Self {
        let outer_limit = limit.saturating_add(limit / 8).saturating_add(OUTER_SLACK);
        Self { inner: Layer::new(Layer::new(below, outer_limit), limit) }
    }

    /// The containers found: the outer one, and the one within it. Known once something was read.
    pub fn found(&self) -> [Container; 2] {
        let outer = self.inner.body.below().map_or(Container::Plain, |outer| outer.container);
        [outer, self.inner.container]
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out)
    }
}

/// Replaces `out` with the content of `input`, as [`Reader`] gives it. On failure `out` is empty.
pub fn decompress(input: &[u8], out: &mut Vec<u8>, limit: u64) -> Result<[Container; 2], Fault> {
    out.clear();
    let mut reader = Reader::new(input, limit);
    match reader.read_to_end(out) {
        Ok(_) => Ok(reader.found()),
        Err(error) => {
            out.clear();
            Err(Fault::within(&error).cloned().unwrap_or_else(|| Fault {
                wrong: Wrong::Damaged,
                container: reader.found()[0],
                offset: 0,
                detail: error.to_string(),
            }))
        }
    }
}

enum Body<R: Read> {
    /// Nothing was read yet.
    Unknown(Input<R>),
    Plain(Input<R>),
    Gzip(StreamInflater<Input<R>>),
    Zip(Box<Unzip<R>>),
    Snappy(Unsnap<R>),
    Zstd(::zstd::stream::read::Decoder<'static, Input<R>>),
    /// The decoder could not be made.
    Gone,
}

/// One level.
struct Layer<R: Read> {
    body: Body<R>,
    container: Container,
    limit: u64,
    given: u64,
    fault: Option<Fault>,
}

impl<R: Read> Layer<R> {
    fn new(below: R, limit: u64) -> Self {
        let body = Body::Unknown(Input::new(below));
        Self { body, container: Container::Plain, limit, given: 0, fault: None }
    }

    /// Looks at the first bytes and chooses the decoder.
    fn begin(&mut self) -> io::Result<()> {
        let Body::Unknown(input) = &mut self.body else { return Ok(()) };
        // Only a zero at the beginning makes it worth waiting for more: see `snappy::is_hadoop`.
        let first = input.look(8)?;
        self.container = match by_magic(first) {
            Some(container) => container,
            None if first.first() == Some(&0) && snappy::is_hadoop(input.look(SNIFF_BYTES)?) => {
                Container::HadoopSnappy
            }
            None => Container::Plain,
        };
        let Body::Unknown(input) = std::mem::replace(&mut self.body, Body::Gone) else {
            return Ok(());
        };
        self.body = match self.container {
            Container::Plain => Body::Plain(input),
            // The limit is counted here.
            Container::Gzip => Body::Gzip(StreamInflater::new(input, u64::MAX)),
            Container::Zip => Body::Zip(Box::new(Unzip::new(input))),
            Container::Snappy => Body::Snappy(Unsnap::new(input, Frame::Java)),
            Container::HadoopSnappy => Body::Snappy(Unsnap::new(input, Frame::Hadoop)),
            Container::Zstd => {
                let mut decoder = ::zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Body::Zstd(decoder)
            }
        };
        Ok(())
    }

    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.begin()?;
        // One byte more than the limit tells an object at its limit from one beyond it.
        let left = usize::try_from(self.limit - self.given).unwrap_or(usize::MAX);
        let space = out.len().min(left.saturating_add(1));
        let space = out.get_mut(..space).unwrap_or_default();
        let read = match &mut self.body {
            Body::Unknown(_) | Body::Gone => Err(io::Error::other("the decoder is gone")),
            Body::Plain(input) => input.read(space),
            Body::Gzip(inflater) => inflater.read(space),
            Body::Zip(unzip) => unzip.read(space),
            Body::Snappy(unsnap) => unsnap.read(space),
            Body::Zstd(decoder) => decoder.read(space),
        }?;
        if read > left {
            let limit = self.limit;
            return Err(io::Error::other(
                self.fault(Wrong::OverLimit, format!("more than {limit} bytes")),
            ));
        }
        self.given += read as u64;
        Ok(read)
    }

    /// What `error` says of the object; `None` when it comes from below.
    fn fault_of(&self, error: &io::Error) -> Option<Fault> {
        if let Some(fault) = Fault::within(error) {
            return Some(fault.clone());
        }
        if let Some(flaw) = error.get_ref().and_then(|source| source.downcast_ref::<Flaw>()) {
            return Some(self.fault(flaw.wrong, flaw.detail.to_owned()));
        }
        match InflateError::within(error) {
            Some(InflateError::Truncated) => {
                return Some(self.fault(Wrong::CutShort, String::new()));
            }
            Some(InflateError::Corrupt(detail)) => {
                return Some(self.fault(Wrong::Damaged, (*detail).to_owned()));
            }
            Some(other) => return Some(self.fault(Wrong::Damaged, other.to_string())),
            None => {}
        }
        match &self.body {
            // Its decoder tells faults by errors that anything below might give too.
            Body::Zstd(decoder) if !decoder.get_ref().failed => {
                let cut = error.kind() == io::ErrorKind::UnexpectedEof;
                let wrong = if cut { Wrong::CutShort } else { Wrong::Damaged };
                let detail = if cut { String::new() } else { error.to_string() };
                Some(self.fault(wrong, detail))
            }
            _ => None,
        }
    }

    fn fault(&self, wrong: Wrong, detail: String) -> Fault {
        Fault { wrong, container: self.container, offset: self.body.offset(), detail }
    }
}

impl<R: Read> Body<R> {
    /// Compressed bytes looked at.
    fn offset(&self) -> u64 {
        match self {
            Body::Unknown(input) | Body::Plain(input) => input.taken(),
            Body::Gzip(inflater) => inflater.offset(),
            Body::Zip(unzip) => unzip.input.taken(),
            Body::Snappy(unsnap) => unsnap.input.taken(),
            Body::Zstd(decoder) => decoder.get_ref().taken(),
            Body::Gone => 0,
        }
    }

    /// The layer below.
    fn below(&self) -> Option<&R> {
        match self {
            Body::Unknown(input) | Body::Plain(input) => Some(input.below()),
            Body::Gzip(inflater) => Some(inflater.below().below()),
            Body::Zip(unzip) => Some(unzip.input.below()),
            Body::Snappy(unsnap) => Some(unsnap.input.below()),
            Body::Zstd(decoder) => Some(decoder.get_ref().below()),
            Body::Gone => None,
        }
    }
}

impl<R: Read> Read for Layer<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if let Some(fault) = &self.fault {
            return Err(io::Error::other(fault.clone()));
        }
        self.advance(out).map_err(|error| match self.fault_of(&error) {
            Some(fault) => {
                self.fault = Some(fault.clone());
                io::Error::other(fault)
            }
            None => error,
        })
    }
}
