//! HTTP/1.1, the part that bodies of known length need.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

/// Heads larger than this are not read.
const HEAD_MAX: usize = 64 * 1024;

/// A request or an answer.
#[derive(Default)]
pub struct Message {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub first_line: String,
    pub content_encoding: String,
    pub content_type: String,
    pub body: Vec<u8>,
    /// Nothing follows on this connection.
    pub close: bool,
}

impl Message {
    pub fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    pub fn path(&self) -> &str {
        let target = self.first_line.split(' ').nth(1).unwrap_or_default();
        target.split('?').next().unwrap_or_default()
    }
}

/// One connection, from either side.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::with_capacity(256 * 1024, stream) })
    }

    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Reads the next message into `message`; false at the end of the connection.
    pub fn read(&mut self, message: &mut Message) -> std::io::Result<bool> {
        if message.close {
            return Ok(false);
        }
        let (mut length, mut chunked, mut head) = (0, false, 0);
        message.content_encoding.clear();
        message.content_type.clear();
        message.first_line = self.line()?;
        if message.first_line.is_empty() {
            return Ok(false);
        }
        loop {
            let line = self.line()?;
            head += line.len();
            if head > HEAD_MAX {
                return Err(ErrorKind::InvalidData.into());
            }
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "content-encoding" => value.clone_into(&mut message.content_encoding),
                "content-type" => value.clone_into(&mut message.content_type),
                "connection" => message.close = value.eq_ignore_ascii_case("close"),
                "expect" => self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                _ => {}
            }
        }
        message.body.clear();
        if chunked {
            return self.chunks(&mut message.body).map(|()| true);
        }
        message.body.resize(length, 0);
        self.reader.read_exact(&mut message.body)?;
        Ok(true)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> std::io::Result<()> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default(), 16);
            let size = size.map_err(|_| ErrorKind::InvalidData)?;
            let start = body.len();
            body.resize(start + size, 0);
            self.reader.read_exact(&mut body[start..])?;
            self.line()?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
