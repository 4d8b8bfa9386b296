//! `load sink`: takes OTLP/HTTP, remote write and Dynatrace lines, and counts them.
//!
//! `GET /stats` tells what came; `POST /reset` begins anew.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::arguments::Arguments;
use crate::expected::Expected;
use crate::http::{Connection, Message};
use crate::tally::{Check, Seen, Totals};
use crate::{lines, otlp, otlp_json, remote_write};

/// A body inflates to at most this.
const PLAIN_MAX: usize = 256 * 1024 * 1024;

struct Sink {
    check: Check,
    totals: Mutex<Totals>,
}

pub fn run(arguments: &Arguments) -> Result<(), String> {
    let check = match arguments.needed("check")? {
        "count" => Check::Count,
        "intact" => Check::Intact(Box::new(Expected::read(&arguments.directory()?)?)),
        "exact" => Check::Exact,
        other => return Err(format!("--check {other}: count, intact or exact")),
    };
    let address = arguments.needed("listen")?;
    let listener = TcpListener::bind(address).map_err(|e| format!("{address}: {e}"))?;
    let sink = Arc::new(Sink { check, totals: Mutex::default() });
    for stream in listener.incoming() {
        let (stream, sink) = (stream.map_err(|e| e.to_string())?, Arc::clone(&sink));
        std::thread::spawn(move || sink.serve(stream));
    }
    Ok(())
}

impl Sink {
    /// Serves a connection until it ends; how it ends is its client's business.
    fn serve(&self, stream: TcpStream) {
        let Ok(mut connection) = Connection::new(stream) else { return };
        let (mut message, mut space) = (Message::default(), Vec::new());
        let mut codec = libdeflater::Decompressor::new();
        while let Ok(true) = connection.read(&mut message) {
            let answer = if message.path() == "/stats" {
                let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
                answer("200 OK", "application/json", &totals.told(&self.check).to_string())
            } else if message.path() == "/reset" {
                *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = Totals::default();
                answer("200 OK", "application/json", "{}")
            } else {
                self.take(&message, &mut codec, &mut space)
            };
            if connection.write(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn take(
        &self,
        message: &Message,
        codec: &mut libdeflater::Decompressor,
        space: &mut Vec<u8>,
    ) -> String {
        let mut seen = Seen::default();
        let plain = inflate(message, codec, space);
        let understood = plain.and_then(|plain| {
            let path = message.path();
            if path.ends_with("/v1/metrics") {
                self.otlp(message, plain, &mut seen)
            } else if path.ends_with("/write") {
                remote_write::walk(plain, &self.check, &mut seen);
                Some(answer("204 No Content", "", ""))
            } else if path.ends_with("/metrics/ingest") {
                let count = lines::walk(plain, &self.check, &mut seen);
                let body = format!("{{\"linesOk\":{count},\"linesInvalid\":0,\"error\":null}}");
                Some(answer("202 Accepted", "application/json", &body))
            } else {
                // Probes of a peer, for instance.
                Some(answer("404 Not Found", "", ""))
            }
        });
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.requests += 1;
        totals.wire_bytes += message.body.len() as u64;
        totals.plain_bytes += plain.map_or(0, <[u8]>::len) as u64;
        *totals.encodings.entry(message.content_encoding.clone()).or_default() += 1;
        totals.refused += u64::from(understood.is_none());
        totals.add(seen);
        understood.unwrap_or_else(|| answer("400 Bad Request", "", ""))
    }

    fn otlp(&self, message: &Message, plain: &[u8], seen: &mut Seen) -> Option<String> {
        if message.content_type.starts_with("application/json") {
            let read = otlp_json::walk(plain, &self.check, seen);
            return read.then(|| answer("200 OK", "application/json", "{}"));
        }
        otlp::walk(plain, &self.check, seen);
        Some(answer("200 OK", "application/x-protobuf", ""))
    }
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    let kind = if content_type.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {content_type}\r\n")
    };
    // 204 has no body and may have no length.
    let length = if status.starts_with("204") {
        String::new()
    } else {
        format!("Content-Length: {length}\r\n")
    };
    format!("HTTP/1.1 {status}\r\n{kind}{length}\r\n{body}")
}

/// The body without its compression, in `space` or as it came; nothing when it is damaged or of a
/// kind unknown here. What `space` holds of the body before is not zeroed first: a sink should cost
/// less than what it measures.
fn inflate<'a>(
    message: &'a Message,
    codec: &mut libdeflater::Decompressor,
    space: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    let body = message.body.as_slice();
    let remote_write = message.path().ends_with("/write");
    let size = match message.content_encoding.as_str() {
        "gzip" => {
            let size = body.last_chunk::<4>().map(|end| u32::from_le_bytes(*end) as usize)?;
            codec.gzip_decompress(body, grown(space, size)?).ok()?
        }
        "snappy" => {
            let size = snap::raw::decompress_len(body).ok()?;
            snap::raw::Decoder::new().decompress(body, grown(space, size)?).ok()?
        }
        "" if !remote_write => return Some(body),
        _ => return None,
    };
    space.get(..size)
}

fn grown(space: &mut Vec<u8>, size: usize) -> Option<&mut [u8]> {
    if space.len() < size.min(PLAIN_MAX) {
        space.resize(size.min(PLAIN_MAX), 0);
    }
    space.get_mut(..size)
}
