//! Logs as CloudWatch Logs takes them: JSON lines on stderr, each with the id of its invocation.
//!
//! One invocation runs at a time, so the id is one value of the process; a span would not reach the
//! threads of the stream.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The id that lines carry. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestId(Arc<Mutex<String>>);

impl RequestId {
    /// From now on this one; empty is none.
    pub(super) fn set(&self, id: &str) {
        // It goes into a line of JSON as it is.
        let plain = |c: &char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        let id: String = id.chars().filter(plain).take(64).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Starts logging; once a process. A second call changes nothing.
pub(super) fn start(level: LevelFilter, id: &RequestId) {
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level)
        .with_target(false)
        .log_internal_errors(false)
        .with_writer(Lines(id.clone()))
        .try_init();
    // Only a test starts it twice; the first one stays.
    drop(started);
}

/// The level that `AWS_LAMBDA_LOG_LEVEL` names; Lambda checks it, so anything else is `INFO`.
pub(super) fn level(name: Option<&str>) -> LevelFilter {
    match name.unwrap_or_default() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

struct Lines(RequestId);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.0.get())
    }
}

/// Takes one event, which comes whole, and puts the id behind its first brace.
struct Line(String);

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = match event.strip_prefix(b"{") {
            Some(rest) if !self.0.is_empty() => {
                [b"{\"requestId\":\"", self.0.as_bytes(), b"\",", rest].concat()
            }
            _ => event.to_vec(),
        };
        io::stderr().lock().write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
