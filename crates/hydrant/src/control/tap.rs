//! A tap over the control socket: after [`Answer::Tapped`] come lines of NDJSON, one a point, and
//! now and then `{"missed":N}`, the points so far that matched and were not shown.
//!
//! The points of a stream never wait for the socket: what it does not take in time fills the tap's
//! own channel, and what does not fit there is counted.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Answer, MESSAGE_BYTES, Request, line_of};
use crate::run::SharedHouse;

/// What was missed is told this often, when it has grown.
const TELL_MISSED: Duration = Duration::from_secs(1);

/// Which points are wanted; the fields are those of [`delivery::TapFilter`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Names of metrics.
    pub metrics: Vec<String>,
    /// Names and values of dimensions.
    pub dimensions: Vec<(String, String)>,
    /// Accounts.
    pub accounts: Vec<String>,
}

impl From<Wanted> for delivery::TapFilter {
    fn from(wanted: Wanted) -> delivery::TapFilter {
        let Wanted { namespaces, metrics, dimensions, accounts } = wanted;
        delivery::TapFilter { namespaces, metrics, dimensions, accounts }
    }
}

/// How many points were missed so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Missed {
    missed: u64,
}

/// Sends points until whoever asked has gone away.
pub(super) async fn serve(stream: UnixStream, house: &SharedHouse, name: &str, wanted: Wanted) {
    let (mut reader, mut writer) = stream.into_split();
    let opened = house.lock().await.tap(name, wanted.into());
    let (mut tap, answer) = match opened {
        Ok(tap) => (Some(tap), Answer::Tapped),
        Err(why) => (None, Answer::Failed { why }),
    };
    if writer.write_all(&line_of(&answer)).await.is_err() {
        return;
    }
    let Some(tap) = tap.as_mut() else { return };
    let (mut tell, mut told, mut byte) = (tokio::time::interval(TELL_MISSED), 0, [0_u8]);
    loop {
        let line = tokio::select! {
            _ = reader.read(&mut byte) => return,
            line = tap.next() => match line {
                Some(line) => line,
                None => return,
            },
            _ = tell.tick() => {
                let missed = tap.missed();
                if missed == told {
                    continue;
                }
                told = missed;
                let mut line = serde_json::to_vec(&Missed { missed }).unwrap_or_default();
                line.push(b'\n');
                line
            }
        };
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// What comes out of a tap.
#[derive(Debug)]
pub enum Seen {
    /// A point, as a line with its line feed.
    Point(Vec<u8>),
    /// Points missed so far.
    Missed(u64),
    /// The process has stopped.
    Ended,
}

/// A tap as the command sees it.
pub struct Lines {
    stream: BufReader<UnixStream>,
    /// A line that has come in part; a wait that is given up must not lose it.
    line: Vec<u8>,
}

impl Lines {
    /// The next line. May be given up while it waits.
    pub async fn next(&mut self) -> std::io::Result<Seen> {
        self.stream.read_until(b'\n', &mut self.line).await?;
        if self.line.last() != Some(&b'\n') {
            return Ok(Seen::Ended);
        }
        let line = std::mem::take(&mut self.line);
        if line.starts_with(b"{\"missed\":") {
            let Missed { missed } = serde_json::from_slice(&line)?;
            return Ok(Seen::Missed(missed));
        }
        Ok(Seen::Point(line))
    }

    /// Whether more has come already.
    pub fn has_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }
}

/// Opens a tap; `None` when no process listens at `socket`. The inner text is its refusal.
pub async fn open(
    socket: &Path,
    request: &Request,
) -> std::io::Result<Option<Result<Lines, String>>> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(e) if super::nobody_listens(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut stream = BufReader::new(stream);
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.get_mut().write_all(&text).await?;
    let mut line = String::new();
    (&mut stream).take(MESSAGE_BYTES).read_line(&mut line).await?;
    Ok(Some(match serde_json::from_str(&line)? {
        Answer::Tapped => Ok(Lines { stream, line: Vec::new() }),
        Answer::Failed { why } => Err(why),
        other => Err(format!("unexpected answer {other:?}")),
    }))
}
