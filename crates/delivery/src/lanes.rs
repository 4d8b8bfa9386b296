//! Drop-in for Dynatrace's own endpoint: every delivery names its target and brings its token.
//!
//! Each target and token has a lane: a stream of its own, so that one revoked token delays nobody. A
//! lane is made only after its token was tried with success; until then its deliveries are refused,
//! and Firehose keeps them. Lanes are named by an HMAC; tokens lie on disk sealed, and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entry::LaneId;
use entry::seal::SealKey;
use remote::Secret;
use serde::{Deserialize, Serialize};

use crate::backup::write_whole;
use crate::config::{FromRequest, StartFrom, StreamConfig};
use crate::sink;
use crate::sink::dynatrace::{self, Target};
use crate::stats::Stats;
use crate::stream::{Commands, Parts, Stream};
use crate::tags::TagFile;
use crate::time::Clock;
use crate::verdict::Verdict;

/// A refused token is tried again at most this often: a sender that repeats must not become a flood.
const RETRY_MS: i64 = 30_000;
/// Refused tokens remembered; past this the oldest is forgotten and tried again.
const REFUSED_MAX: usize = 1024;
/// Version of a lane file.
const VERSION: u32 = 1;

/// A delivery that is not admitted: status and text for its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAdmitted {
    /// 400, 401 or 503.
    pub status: u16,
    /// What the operator at AWS reads.
    pub message: String,
}

/// Makes the parts of a lane's stream, with `lane` set to that lane.
pub type PartsFor = Box<dyn Fn(LaneId, Arc<Stats>) -> Parts + Send + Sync>;

/// The lanes of one stream.
pub struct Lanes {
    config: StreamConfig,
    from: FromRequest,
    key: SealKey,
    folder: PathBuf,
    parts_for: PartsFor,
    /// One snapshot for all lanes.
    tags: Option<Arc<TagFile>>,
    clock: Clock,
    state: Mutex<State>,
    /// One probe at a time for each new lane, so that a burst of deliveries makes one.
    probing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<LaneId, Stream>,
    refused: BTreeMap<LaneId, (i64, NotAdmitted)>,
    /// Joined: others have taken over, and nothing is admitted here any more.
    closed: bool,
}

/// A lane file: what is needed to go on delivering after a restart.
#[derive(Serialize, Deserialize)]
struct LaneFile {
    version: u32,
    target: String,
    require_valid_certificate: bool,
    token: String,
}

/// Target and token of one delivery, checked.
struct Asked {
    id: LaneId,
    target: Target,
    token: Secret,
}

impl Lanes {
    /// Opens the lanes that were there before; `clock` is the steady one. The text says what is wrong.
    pub fn open(
        config: StreamConfig,
        from: FromRequest,
        folder: PathBuf,
        clock: Clock,
        parts_for: PartsFor,
    ) -> Result<Lanes, String> {
        let key = SealKey::from_text(from.token_key.expose()).map_err(|e| e.to_string())?;
        let tags = config.enrich.tags.as_ref().map(|tags| TagFile::open(tags, clock()));
        let lanes = Lanes {
            tags,
            config,
            from,
            key,
            folder,
            parts_for,
            clock,
            state: Mutex::default(),
            probing: tokio::sync::Mutex::new(()),
        };
        for (id, asked) in lanes.read_files()? {
            let stream = lanes.start(&asked)?;
            lanes.lock().lanes.insert(id, stream);
        }
        Ok(lanes)
    }

    /// Finds or makes the lane of a delivery.
    pub async fn admit(
        &self,
        attributes: &[(String, String)],
        token: &Secret,
    ) -> Result<LaneId, NotAdmitted> {
        let asked = self.asked(attributes, token)?;
        if let Some(answer) = self.known(asked.id) {
            return answer;
        }
        let _one_at_a_time = self.probing.lock().await;
        if let Some(answer) = self.known(asked.id) {
            return answer;
        }
        let answer = self.try_lane(&asked).await;
        if let Err(refusal) = &answer {
            self.remember(asked.id, refusal);
        }
        answer.map(|()| asked.id)
    }

    /// Names and counters of the lanes.
    pub fn streams(&self) -> Vec<(String, String, Arc<Stats>)> {
        let state = self.lock();
        let told = state.lanes.values();
        told.map(|s| (s.name().to_owned(), s.place().to_owned(), Arc::clone(s.stats()))).collect()
    }

    /// False when a lane has ended without being told to.
    pub fn live(&self) -> bool {
        self.lock().lanes.values().all(Stream::lives)
    }

    /// The commands of the lane of this name.
    pub fn commands(&self, name: &str) -> Option<Commands> {
        self.lock().lanes.values().find(|s| s.name() == name).map(Stream::commands)
    }

    /// Stops all lanes and waits for them. False when one had ended by a panic.
    pub fn join(&self) -> bool {
        let lanes = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.lanes)
        };
        lanes.values().for_each(Stream::stop);
        // Every one is joined, also after one that ended badly.
        let joined: Vec<bool> = lanes.into_values().map(Stream::join).collect();
        joined.into_iter().all(|well| well)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, attributes: &[(String, String)], token: &Secret) -> Result<Asked, NotAdmitted> {
        let target = dynatrace::target(attributes, &self.from.allowed_hosts);
        let target = target.map_err(|why| bad(&why))?;
        if token.expose().is_empty() {
            return Err(denied("access key is missing: set it to a Dynatrace API token"));
        }
        // The rule for the certificate is part of the lane: turning it off makes another one.
        let any = if target.accept_invalid { "#any" } else { "" };
        let id = self.key.lane_id(&format!("{}{any}", target.url), token.expose().as_bytes());
        Ok(Asked { id, target, token: token.clone() })
    }

    /// The answer for a lane that is known: open, or refused a moment ago.
    fn known(&self, id: LaneId) -> Option<Result<LaneId, NotAdmitted>> {
        let state = self.lock();
        if state.closed {
            return Some(Err(closed()));
        }
        if let Some(lane) = state.lanes.get(&id) {
            let told = lane.stats().state();
            // A token that was revoked: what is held is retried; new data stays with Firehose. With
            // nothing held the next delivery is the probe.
            return Some(
                if told.loud && told.outage_since_ms.is_some() && told.backlog_bytes > 0 {
                    Err(denied(
                        told.last_refusal.as_deref().unwrap_or("Dynatrace refuses the token"),
                    ))
                } else {
                    Ok(id)
                },
            );
        }
        let (at, refusal) = state.refused.get(&id)?;
        ((self.clock)() - at < RETRY_MS).then(|| Err(refusal.clone()))
    }

    fn remember(&self, id: LaneId, refusal: &NotAdmitted) {
        let mut state = self.lock();
        if state.refused.len() >= REFUSED_MAX {
            let oldest = state.refused.iter().min_by_key(|(_, (at, _))| *at).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                state.refused.remove(&oldest);
            }
        }
        state.refused.insert(id, ((self.clock)(), refusal.clone()));
    }

    async fn try_lane(&self, asked: &Asked) -> Result<(), NotAdmitted> {
        if self.lock().lanes.len() >= self.from.lanes_max {
            let text = format!("all {} lanes are in use", self.from.lanes_max);
            return Err(NotAdmitted { status: 503, message: text });
        }
        let config = sink::Config::Dynatrace(self.destination(asked));
        let (_, wire) = sink::build(&config).map_err(|e| bad(&e))?;
        match wire.probe().await {
            Verdict::Delivered | Verdict::Partly { .. } => {}
            Verdict::Later { why, loud: true, .. } => {
                return Err(denied(&format!("{}: {}", why.code, why.message)));
            }
            Verdict::Later { why, .. }
            | Verdict::TooLarge { why }
            | Verdict::Divide { why }
            | Verdict::Never { why } => {
                let message = format!("{}: {}", why.code, why.message);
                return Err(NotAdmitted { status: 503, message });
            }
        }
        // Held until the lane is there: `join` must see it, or it must see that others took over.
        let mut state = self.lock();
        if state.closed {
            return Err(closed());
        }
        let opened = self.write_file(asked).and_then(|()| self.start(asked));
        let stream = opened.map_err(|message| {
            tracing::error!(error = message, "lane not opened");
            NotAdmitted { status: 503, message: "the lane could not be opened".to_owned() }
        })?;
        tracing::info!(stream = stream.name(), target = asked.target.url, "lane opened");
        state.refused.remove(&asked.id);
        state.lanes.insert(asked.id, stream);
        Ok(())
    }

    fn start(&self, asked: &Asked) -> Result<Stream, String> {
        let mut config = self.config.clone();
        config.name = format!("{}.{}", self.config.name, hex(asked.id));
        config.backup.directory = self.config.backup.directory.join(hex(asked.id));
        // The lane exists before its first delivery is stored: newest misses nothing.
        config.start_from = StartFrom::Newest;
        let destination = sink::Config::Dynatrace(self.destination(asked));
        let parts = (self.parts_for)(asked.id, Arc::default());
        Stream::start_with(config, &destination, parts, self.tags.clone())
    }

    fn destination(&self, asked: &Asked) -> dynatrace::Config {
        let mut config = self.from.dynatrace.clone();
        config.url.clone_from(&asked.target.url);
        config.api_token = asked.token.clone();
        config.client.tls.accept_invalid = asked.target.accept_invalid;
        config
    }

    fn path(&self, id: LaneId) -> PathBuf {
        self.folder.join(format!("{}.json", hex(id)))
    }

    fn write_file(&self, asked: &Asked) -> Result<(), String> {
        let sealed = self.key.seal(asked.token.expose().as_bytes(), &asked.id.0);
        let mut token = Vec::new();
        codec::base64::encode_into(&sealed, &mut token);
        let file = LaneFile {
            version: VERSION,
            target: asked.target.url.clone(),
            require_valid_certificate: !asked.target.accept_invalid,
            token: String::from_utf8(token).unwrap_or_default(),
        };
        let bytes = serde_json::to_vec_pretty(&file).map_err(|e| e.to_string())?;
        let path = self.path(asked.id);
        write_whole(&self.folder, &path, &bytes).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn read_files(&self) -> Result<Vec<(LaneId, Asked)>, String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        let json = |p: &PathBuf| p.extension().is_some_and(|e| e == "json");
        paths.iter().filter(|p| json(p)).map(|p| self.read_file(p)).collect()
    }

    fn read_file(&self, path: &Path) -> Result<(LaneId, Asked), String> {
        let fault = |what: &str| format!("lane file {}: {what}", path.display());
        let bytes = fs::read(path).map_err(|e| fault(&e.to_string()))?;
        let file: LaneFile = serde_json::from_slice(&bytes).map_err(|e| fault(&e.to_string()))?;
        if file.version > VERSION {
            return Err(fault("written by a newer release"));
        }
        let id = path
            .file_stem()
            .and_then(|s| s.to_str())
            .and_then(unhex)
            .ok_or_else(|| fault("its name is no lane"))?;
        let mut sealed = Vec::new();
        codec::base64::decode_into(file.token.as_bytes(), &mut sealed)
            .map_err(|e| fault(&e.to_string()))?;
        let token = self
            .key
            .open(&sealed, &id.0)
            .map_err(|e| fault(&format!("{e}: is token_key the one it was sealed with?")))?;
        let token = Secret::new(String::from_utf8(token).map_err(|_| fault("token is no text"))?);
        let target = Target { url: file.target, accept_invalid: !file.require_valid_certificate };
        Ok((id, Asked { id, target, token }))
    }
}

fn bad(message: &str) -> NotAdmitted {
    NotAdmitted { status: 400, message: message.to_owned() }
}

fn closed() -> NotAdmitted {
    let message = "the settings are being changed: send it again".to_owned();
    NotAdmitted { status: 503, message }
}

fn denied(message: &str) -> NotAdmitted {
    NotAdmitted { status: 401, message: message.to_owned() }
}

fn hex(id: LaneId) -> String {
    id.0.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<LaneId> {
    let mut id = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(LaneId(id))
}
