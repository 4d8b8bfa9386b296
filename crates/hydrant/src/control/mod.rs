//! The control socket in the data folder: how commands talk to the running process.
//!
//! One JSON request a connection, one JSON answer; only a tap goes on with lines of its own. The socket is 0600: who may write the folder may
//! command the process.

pub mod replay;
pub mod tap;
pub mod trace;

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::run::{Report, SharedHouse};
use replay::{PutBack, Taken};
use tap::Wanted;
use trace::Traced;

/// Longest request and answer: a report of hundreds of streams fits many times, and so does a batch
/// of 4 MiB of records put back, in base64.
const MESSAGE_BYTES: u64 = 16 * 1024 * 1024;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The report.
    Report,
    /// Drop the backlog of a stream.
    DropBacklog {
        /// Its name.
        stream: String,
    },
    /// Forget a stream that is gone.
    Forget {
        /// Its name.
        stream: String,
    },
    /// Show points of a stream until the connection is closed.
    Tap {
        /// Its name.
        stream: String,
        /// Which points.
        wanted: Wanted,
    },
    /// What became of a delivery.
    Trace {
        /// Its request id.
        request_id: String,
        /// The delivery stream that sent it.
        source_arn: Option<String>,
    },
    /// Put records back.
    PutBack {
        /// They, and for which stream.
        batch: PutBack,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The report.
    Report {
        /// It.
        report: Box<Report>,
    },
    /// Done; a number of points or bytes.
    Done {
        /// How many.
        count: u64,
    },
    /// Points follow.
    Tapped,
    /// What became of a delivery.
    Traced {
        /// It.
        traced: Traced,
    },
    /// What became of records put back.
    Taken {
        /// It.
        taken: Taken,
    },
    /// Not done.
    Failed {
        /// Why.
        why: String,
    },
}

/// The open socket.
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Closes and removes it.
    pub fn close(self) {
        self.task.abort();
        drop(std::fs::remove_file(&self.path));
    }
}

/// Binds the socket; one left by a crash is replaced, since the folder's lock is ours.
pub fn open(path: &Path, house: SharedHouse) -> io::Result<Control> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&house)));
        }
    });
    Ok(Control { path: path.to_owned(), task })
}

async fn serve(stream: UnixStream, house: SharedHouse) {
    let mut stream = AsyncReader::new(stream);
    let mut line = String::new();
    let read = (&mut stream).take(MESSAGE_BYTES).read_line(&mut line).await;
    let request = read.map_err(|e| e.to_string()).and_then(|_| {
        serde_json::from_str::<Request>(&line).map_err(|e| format!("request not understood: {e}"))
    });
    let answer = match request {
        Ok(Request::Tap { stream: name, wanted }) => {
            return tap::serve(stream.into_inner(), &house, &name, wanted).await;
        }
        Ok(request) => answer(request, &house).await,
        Err(why) => Answer::Failed { why },
    };
    let text = line_of(&answer);
    if stream.get_mut().write_all(&text).await.is_err() {
        tracing::debug!("who asked has gone away");
    }
}

/// An answer as it is sent.
fn line_of(answer: &Answer) -> Vec<u8> {
    let mut text = serde_json::to_vec(answer).unwrap_or_default();
    text.push(b'\n');
    text
}

async fn answer(request: Request, house: &SharedHouse) -> Answer {
    let done = |result: Result<u64, String>| match result {
        Ok(count) => Answer::Done { count },
        Err(why) => Answer::Failed { why },
    };
    match request {
        Request::Report => Answer::Report { report: Box::new(house.lock().await.report()) },
        // These wait for a stream's thread or the disk: minutes at most, and rare.
        Request::DropBacklog { stream } => {
            let commands = house.lock().await.commands(&stream);
            done(tokio::task::block_in_place(|| commands?.drop_backlog()))
        }
        Request::Forget { stream } => {
            let house = house.lock().await;
            done(tokio::task::block_in_place(|| house.forget(&stream)))
        }
        // Served before it comes here.
        Request::Tap { .. } => Answer::Failed { why: "a tap is no single answer".to_owned() },
        Request::Trace { request_id, source_arn } => {
            match crate::run::trace(house, request_id, source_arn).await {
                Ok(traced) => Answer::Traced { traced },
                Err(why) => Answer::Failed { why },
            }
        }
        Request::PutBack { batch } => match crate::run::put_back(house, batch).await {
            Ok(taken) => Answer::Taken { taken },
            Err(why) => Answer::Failed { why },
        },
    }
}

/// A report and a trace are answered at once, unless another command holds the house. Others take as
/// long as a stream's thread or the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the process that owns `socket`; `None` when there is none.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let is_look = matches!(request, Request::Report | Request::Trace { .. });
    ask_within(socket, request, is_look.then_some(PATIENCE))
}

fn ask_within(
    socket: &Path,
    request: &Request,
    patience: Option<Duration>,
) -> io::Result<Option<Answer>> {
    let mut stream = match StdStream::connect(socket) {
        Ok(stream) => stream,
        Err(e) if nobody_listens(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(patience)?;
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    let read = BufReader::new(stream.take(MESSAGE_BYTES)).read_line(&mut line);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, SILENT),
        _ => error,
    })?;
    Ok(Some(serde_json::from_str(&line)?))
}

/// What a read that ran out of time means here.
const SILENT: &str = "it does not answer: it is stopped, hangs, or is at a long command";

fn nobody_listens(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* a process that is stopped: its socket takes connections, and nobody answers.
    /// *Guarantees:* who asks is told so, and does not wait for ever.
    #[test]
    fn a_silent_process_is_told() {
        let dir = testkit::TempDir::new("silent");
        let path = dir.join("control.sock");
        let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let asked = ask_within(&path, &Request::Report, Some(Duration::from_millis(50)));
        let error = asked.err().unwrap();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, SILENT));
    }
}
