//! Where records are put back: a stream of the process that runs, of one started for it, or any
//! receiver of Firehose deliveries.
//!
//! Always: what is answered as taken is durable there.

mod alone;
mod endpoint;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use alone::Alone;
pub(super) use endpoint::{Endpoint, EndpointConfig};

use super::stop::Stop;
use super::watch::Watch;
use crate::control::replay::{Outcome, PutBack, Refusal, Returned, Taken};
use crate::control::{self, Answer, Request};
use crate::exit::Exit;

/// How often it is asked whether a stream may be given more.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// A record on its way.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub returned: Returned,
    /// Its identity, also when the list of what was put back does not count.
    pub id: u128,
    pub points: u32,
}

/// Told which records are durable.
pub(super) type Taker<'a> = &'a mut dyn FnMut(&[usize]) -> Result<(), Stop>;

/// One target.
pub(super) enum Target {
    /// `hydrant run` on the data folder.
    Running { socket: PathBuf, stream: String },
    /// The stream alone, in this process.
    Alone(Box<Alone>),
    /// A receiver.
    Endpoint(Box<Endpoint>),
}

impl Target {
    /// Puts records back; calls `taken` with the numbers of those that are durable, as they become so.
    pub(super) fn put(
        &mut self,
        records: &[Ready],
        watch: &mut Watch,
        taken: Taker<'_>,
    ) -> Result<(), Stop> {
        match self {
            Target::Endpoint(endpoint) => endpoint.put(records, watch, taken),
            Target::Running { socket, stream } => {
                let (socket, stream) = (socket.clone(), stream.clone());
                put(&stream, records, watch, taken, &mut |batch| ask(&socket, batch))
            }
            Target::Alone(alone) => {
                let stream = alone.stream().to_owned();
                put(&stream, records, watch, taken, &mut |batch| alone.take(batch))
            }
        }
    }
}

/// Asks the process that runs.
pub(super) fn ask(socket: &Path, batch: PutBack) -> Result<Taken, Stop> {
    match control::ask(socket, &Request::PutBack { batch }) {
        Ok(Some(Answer::Taken { taken })) => Ok(taken),
        Ok(Some(Answer::Failed { why })) => Err(Stop::failed(Exit::Failed, &why, None)),
        Ok(Some(_)) => Err(Stop::failed(Exit::Bug, "an answer to another question", None)),
        Ok(None) | Err(_) => Err(Stop::failed(
            Exit::Failed,
            "the hydrant process has ended meanwhile",
            Some("run the same command again: it goes on where it stopped"),
        )),
    }
}

/// Through the journal of a house, in this process or another.
fn put(
    stream: &str,
    records: &[Ready],
    watch: &mut Watch,
    taken: Taker<'_>,
    send: &mut dyn FnMut(PutBack) -> Result<Taken, Stop>,
) -> Result<(), Stop> {
    let mut left: Vec<usize> = (0..records.len()).collect();
    loop {
        let chosen = left.iter().filter_map(|n| records.get(*n));
        let batch = PutBack {
            stream: stream.to_owned(),
            records: chosen.map(|ready| ready.returned.clone()).collect(),
        };
        let answer = send(batch)?;
        let (mut durable, mut refused) = (Vec::new(), Vec::new());
        for (n, outcome) in left.iter().zip(&answer.outcomes) {
            match outcome {
                Outcome::Stored | Outcome::Repeat => durable.push(*n),
                Outcome::Refused => refused.push(*n),
            }
        }
        taken(&durable)?;
        left = refused;
        let wait = match (answer.refusal, answer.hold) {
            (Some(Refusal::Disk { why }), _) => {
                let hint = "free or repair the disk of data_dir, then run the same command again";
                return Err(Stop::failed(Exit::Disk, &why, Some(hint)));
            }
            (Some(Refusal::Closing), _) => {
                let hint = "run the same command again: it goes on where it stopped";
                return Err(Stop::failed(Exit::Failed, "the process is stopping", Some(hint)));
            }
            (Some(Refusal::Full { why }), _) => Some(why),
            (None, hold) => hold,
        };
        if let Some(why) = wait {
            watch.waits(&why, ASK_AGAIN)?;
        } else if left.is_empty() {
            return Ok(());
        }
    }
}
