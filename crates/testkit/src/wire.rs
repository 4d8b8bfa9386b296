//! HTTP/1.1 by hand: read a request, read an answer, send raw bytes. On its own code path, so that
//! it can witness what the house's HTTP does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Header names as sent, and values.
    pub headers: Vec<(String, String)>,
    /// Body, chunks undone, nothing else undone.
    pub body: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug, Default)]
pub struct RawAnswer {
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Header names as sent, and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

impl Received {
    /// One as it was on the wire, in its body not even chunks undone.
    pub fn parse(mut bytes: &[u8]) -> Received {
        let head =
            read_head(&mut bytes).ok().flatten().expect("bytes begin with the head of a request");
        Received { body: bytes.to_vec(), ..head }
    }
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl RawAnswer {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn read_line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
}

fn read_headers(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?.ok_or_else(|| bad("connection closed inside the head"))?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("header without a colon"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_body(from: &mut impl BufRead, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let chunked = find(headers, "transfer-encoding").is_some_and(|v| v.contains("chunked"));
    if chunked {
        return read_chunks(from);
    }
    let length = find(headers, "content-length").map_or(Ok(0), str::parse::<usize>);
    let mut body = vec![0; length.map_err(|_| bad("content-length is no number"))?];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?.ok_or_else(|| bad("connection closed between chunks"))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("chunk size is no number"))?;
        let start = body.len();
        body.resize(start + size, 0);
        from.read_exact(body.get_mut(start..).unwrap_or_default())?;
        read_line(from)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Reads the head of a request; `None` when the connection was closed before its first byte.
fn read_head(from: &mut impl BufRead) -> io::Result<Option<Received>> {
    let Some(line) = read_line(from)? else { return Ok(None) };
    let mut words = line.split(' ');
    Ok(Some(Received {
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        headers: read_headers(from)?,
        body: Vec::new(),
    }))
}

/// Reads one request; `None` when the connection was closed before its first byte.
pub(crate) fn read_request(
    stream: &mut BufReader<impl Read + Write>,
) -> io::Result<Option<Received>> {
    let Some(mut request) = read_head(stream)? else { return Ok(None) };
    if request.header("expect").is_some() {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    request.body = read_body(stream, &request.headers)?;
    Ok(Some(request))
}

/// Reads one answer; interim answers (1xx) are skipped.
pub fn read_answer(stream: &mut impl BufRead) -> io::Result<RawAnswer> {
    loop {
        let line = read_line(stream)?.ok_or_else(|| bad("connection closed before an answer"))?;
        let mut words = line.splitn(3, ' ');
        let status = words.nth(1).unwrap_or_default();
        let status = status.parse().map_err(|_| bad("status is no number"))?;
        let reason = words.next().unwrap_or_default().to_owned();
        let headers = read_headers(stream)?;
        if status >= 200 {
            let body = read_body(stream, &headers)?;
            return Ok(RawAnswer { status, reason, headers, body });
        }
    }
}

/// Opens a connection, sends `bytes` as they are, reads one answer (waits 30 s at most).
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<RawAnswer> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // A server may answer and close before all is written; the answer is what counts.
    let written = (&stream).write_all(bytes);
    let answer = read_answer(&mut BufReader::new(&stream));
    if answer.is_err() {
        written?;
    }
    answer
}
