//! JSON objects in a row, read from a stream: one a line, several a line, or over many lines.
//!
//! Owns the window that slides over the stream, and where in the stream each object stands.
//!
//! Always: LF, CRLF, white space or nothing between two objects, or an array of them; a line end at
//! the end or none; a byte order mark or none. What
//! is no object of the type asked for is told with its place and nothing of its content, and reading
//! goes on at the next line. Memory is bounded by [`OBJECT_BYTES_MAX`].
//!
//! Not here: what the objects mean.

use std::io::{self, Read};

use serde::de::DeserializeOwned;

/// Longest object: a record of 1,000 KiB is 1.3 MiB of base64; a generous multiple of that, which
/// also holds the request of a few MiB that a quarantine line may keep.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes that are asked of the stream at a time, at least.
const READ_BYTES: usize = 256 * 1024;
/// A byte order mark.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// An object, or a piece that is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<T> {
    /// Where it begins in the stream.
    pub offset: u64,
    /// The line it begins in, from 1.
    pub line: u64,
    /// It, or what is wrong.
    pub value: Result<T, String>,
}

/// Reads objects one after the other.
#[derive(Debug)]
pub struct Objects<R> {
    inner: R,
    window: Vec<u8>,
    begin: usize,
    /// Offset and line of `begin`.
    offset: u64,
    line: u64,
    ended: bool,
    /// Why it ended, when it should not have: told when all before it is given out.
    failure: Option<io::Error>,
}

/// What stands at the beginning of the window.
enum Look<T> {
    Object(T, usize),
    Fault(String),
    /// It goes on behind the window.
    Open,
}

impl<R: Read> Objects<R> {
    /// The objects of a stream.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            window: Vec::new(),
            begin: 0,
            offset: 0,
            line: 1,
            ended: false,
            failure: None,
        }
    }

    /// The next object, read as a `T`; `None` at the end. An error is one of the stream, and comes
    /// when all objects before it were given out.
    pub fn read_next<T: DeserializeOwned>(&mut self) -> io::Result<Option<Object<T>>> {
        if !self.skip_space() {
            return self.failure.take().map_or(Ok(None), Err);
        }
        let (offset, line) = (self.offset, self.line);
        let object = |value| Some(Object { offset, line, value });
        loop {
            match look(self.rest()) {
                Look::Object(value, length) => {
                    self.advance(length);
                    return Ok(object(Ok(value)));
                }
                Look::Fault(what) => {
                    self.skip_line();
                    return Ok(object(Err(what)));
                }
                Look::Open if self.failure.is_some() => {
                    self.advance(self.rest().len());
                    return self.failure.take().map_or(Ok(None), Err);
                }
                Look::Open if self.ended => {
                    self.skip_line();
                    return Ok(object(Err("it is cut short".to_owned())));
                }
                Look::Open if self.rest().len() >= OBJECT_BYTES_MAX => {
                    self.skip_line();
                    let what = format!("it is longer than {} MiB", OBJECT_BYTES_MAX >> 20);
                    return Ok(object(Err(what)));
                }
                // Twice as much, so that looking again and again is no more than looking twice.
                Look::Open => self.fill(self.rest().len().saturating_mul(2).max(READ_BYTES)),
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.window.get(self.begin..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        let passed = self.window.get(self.begin..self.begin + bytes).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.begin += bytes;
        self.offset += bytes as u64;
    }

    /// Passes white space, what an array has around its objects, and a byte order mark at the
    /// beginning: people's tools add these. False at the end.
    fn skip_space(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let mark = if self.offset == 0 && rest.starts_with(MARK) { MARK.len() } else { 0 };
            let between = rest.iter().skip(mark).take_while(|byte| is_between(**byte)).count();
            self.advance(mark + between);
            if !self.rest().is_empty() {
                return true;
            }
            if self.ended {
                return false;
            }
            self.fill(READ_BYTES);
        }
    }

    /// Passes the rest of the line.
    fn skip_line(&mut self) {
        loop {
            if let Some(end) = memchr::memchr(b'\n', self.rest()) {
                self.advance(end + 1);
                return;
            }
            self.advance(self.rest().len());
            if self.ended {
                return;
            }
            self.fill(READ_BYTES);
        }
    }

    /// Reads until `wanted` bytes are in the window, or the stream ends.
    fn fill(&mut self, wanted: usize) {
        self.window.drain(..self.begin);
        self.begin = 0;
        let missing = wanted.saturating_sub(self.window.len()) as u64;
        let mut piece = self.inner.by_ref().take(missing);
        match piece.read_to_end(&mut self.window) {
            Ok(read) => self.ended = (read as u64) < missing,
            Err(error) => (self.ended, self.failure) = (true, Some(error)),
        }
    }
}

fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']')
}

fn look<T: DeserializeOwned>(rest: &[u8]) -> Look<T> {
    use serde_json::error::Category;
    if !rest.starts_with(b"{") {
        return Look::Fault("expected the `{` that begins an object".to_owned());
    }
    let mut objects = serde_json::Deserializer::from_slice(rest).into_iter::<T>();
    let found = objects.next();
    let length = objects.byte_offset();
    // Without the text around it: the place says where, and a record may be secret.
    match found {
        Some(Ok(value)) => Look::Object(value, length),
        None => Look::Open,
        Some(Err(error)) => match error.classify() {
            Category::Eof => Look::Open,
            Category::Syntax | Category::Io => Look::Fault("it is not valid JSON".to_owned()),
            Category::Data => Look::Fault("a member of it has the wrong type".to_owned()),
        },
    }
}
