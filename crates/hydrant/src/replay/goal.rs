//! What a replay is for: which target, its list of what was put back, its rule about old points.

use std::path::PathBuf;
use std::sync::Arc;

use codec::checksum::Hasher128;
use delivery::{Destination, StreamConfig};
use remote::{Secret, TlsConfig};
use tokio::runtime::Runtime;

use super::ages::{self, AgeRule};
use super::ledger::LedgerError;
use super::stop::Stop;
use super::table::Delivered;
use super::target::{self, Alone, Endpoint, EndpointConfig, Target};
use crate::access_key;
use crate::cli::ReplayArgs;
use crate::control::Answer;
use crate::control::replay::PutBack;
use crate::exit::Exit;
use crate::run::{Folder, FolderError, control_socket, start_log};
use crate::settings::{self, LogLevel, Settings, quantity};

/// ARN of deliveries of records that don't tell theirs.
const SOURCE_ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/hydrant-replay";

/// The target, before it is opened.
pub(super) enum Goal {
    Stream {
        settings: Box<Settings>,
        stream: Box<StreamConfig>,
        rule: AgeRule,
        name: String,
    },
    /// A delivery stream made through the API: it is there while its process runs.
    Made {
        data_dir: PathBuf,
        stream: String,
        name: String,
    },
    Endpoint {
        data_dir: PathBuf,
        name: String,
        url: String,
    },
}

impl Goal {
    pub(super) fn of(args: &ReplayArgs) -> Result<Goal, Stop> {
        if let Some(url) = &args.to_endpoint {
            let data_dir = match &args.data_dir {
                Some(data_dir) => data_dir.clone(),
                None => data_dir_of(args)?,
            };
            // A URL may hold a secret: only its place is told.
            let name = format!("endpoint {}", place_of(url));
            return Ok(Goal::Endpoint { data_dir, name, url: url.clone() });
        }
        let name = args.to.clone().unwrap_or_default();
        let (file, settings) = settings::open(args.config.as_deref()).map_err(Stop::Told)?;
        let Some(stream) = settings.streams.iter().find(|stream| stream.name == name) else {
            let known = settings.streams.iter().map(|s| s.name.clone()).collect();
            return made(&settings, name, known, &file.display().to_string());
        };
        if matches!(stream.destination, Destination::FromRequest(_)) {
            let what = format!("stream {name} takes its destination from each request");
            let hint = "put it back through a stream with url and api_token, or with --to-endpoint \
                        to the source of the stream, with the token as --access-key";
            return Err(Stop::failed(Exit::Failed, &what, Some(hint)));
        }
        let (stream, rule) = (Box::new(stream.clone()), ages::rule(stream));
        let name = format!("stream {name}");
        Ok(Goal::Stream { settings: Box::new(settings), stream, rule, name })
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Goal::Stream { name, .. } | Goal::Made { name, .. } | Goal::Endpoint { name, .. } => {
                name
            }
        }
    }

    pub(super) fn rule(&self) -> &AgeRule {
        match self {
            Goal::Stream { rule, .. } => rule,
            Goal::Made { .. } | Goal::Endpoint { .. } => &ages::ENDPOINT,
        }
    }

    /// Where the list of what was put back lies.
    pub(super) fn ledger(&self) -> PathBuf {
        match self {
            Goal::Stream { settings, stream, .. } => {
                settings.data_dir.join("replay").join(format!("stream-{}.done", stream.name))
            }
            Goal::Made { data_dir, stream, .. } => {
                let file = format!("made-{}.done", stream.replace('/', "~"));
                data_dir.join("replay").join(file)
            }
            Goal::Endpoint { data_dir, url, .. } => {
                let mut hasher = Hasher128::new();
                hasher.update(url.as_bytes());
                data_dir.join("replay").join(format!("endpoint-{:032x}.done", hasher.digest()))
            }
        }
    }

    /// Opens the target: the process that runs on the data folder, else the folder itself.
    pub(super) fn open(&self, args: &ReplayArgs, runtime: Arc<Runtime>) -> Result<Target, Stop> {
        let (settings, stream) = match self {
            Goal::Stream { settings, stream, .. } => (settings, stream.name.clone()),
            Goal::Made { data_dir, stream, .. } => {
                let socket = control_socket(data_dir);
                target::ask(&socket, PutBack { stream: stream.clone(), records: Vec::new() })?;
                return Ok(Target::Running { socket, stream: stream.clone() });
            }
            Goal::Endpoint { url, .. } => {
                let endpoint = Endpoint::new(endpoint(args, url)?, runtime)?;
                return Ok(Target::Endpoint(Box::new(endpoint)));
            }
        };
        let socket = control_socket(&settings.data_dir);
        let nothing = PutBack { stream: stream.clone(), records: Vec::new() };
        let asked = crate::control::Request::PutBack { batch: nothing.clone() };
        match crate::control::ask(&socket, &asked) {
            Ok(None) => {}
            Ok(Some(_)) => {
                // Once more for the words of a refusal.
                target::ask(&socket, nothing)?;
                return Ok(Target::Running { socket, stream });
            }
            Err(error) => {
                let what = format!("asking the process of {}: {error}", socket.display());
                return Err(Stop::failed(Exit::Failed, &what, Some("is it another user's?")));
            }
        }
        let folder = Folder::open(&settings.data_dir).map_err(|error| match error {
            FolderError::Io { .. } => Stop::failed(Exit::Disk, &error.to_string(), None),
            FolderError::InUse(_) => {
                let hint = "a process that is starting or stopping answers in a moment: try again";
                Stop::failed(Exit::Failed, &error.to_string(), Some(hint))
            }
            _ => Stop::failed(Exit::Failed, &error.to_string(), None),
        })?;
        let mut log = settings.log;
        if matches!(log.level, LogLevel::Info) {
            // What a house says of itself at start is not what was asked for here.
            log.level = LogLevel::Warn;
        }
        start_log(log);
        let alone = Alone::open(Settings::clone(settings), folder, runtime, &stream)?;
        Ok(Target::Alone(Box::new(alone)))
    }

    /// What happens to the `records` that were put back.
    pub(super) fn last_words(
        &self,
        complete: bool,
        records: u64,
        alone: Option<&Delivered>,
    ) -> Option<String> {
        let (Goal::Stream { name, .. } | Goal::Made { name, .. }) = self else { return None };
        let Some(told) = alone else {
            return (complete && records > 0)
                .then(|| format!("{name} delivers it now: hydrant status tells how far it is"));
        };
        let Delivered { delivered, filtered, quarantined, backed_up, held_bytes } = *told;
        let mut words = format!(
            "{name}: {delivered} points delivered, {filtered} filtered, {quarantined} quarantined, \
             {backed_up} back in the backup"
        );
        if held_bytes > 0 {
            let held = quantity::size_about(held_bytes);
            words.push_str(&format!("; {held} stay in the journal, the next run delivers them"));
        }
        Some(words)
    }
}

/// The data folder of the settings; without any, one must be named.
fn data_dir_of(args: &ReplayArgs) -> Result<PathBuf, Stop> {
    if settings::is_there(args.config.as_deref()) {
        return settings::open_data_dir(args.config.as_deref()).map_err(Stop::Told);
    }
    let what = "there is neither --data-dir nor a settings file that names the data folder, where the list of \
                what was put back lies";
    let hint = "--data-dir names one without settings; it may be empty";
    Err(Stop::failed(Exit::BadSettings, what, Some(hint)))
}

/// A stream that is not in the settings: one made through the API, which the process that runs knows.
fn made(
    settings: &Settings,
    stream: String,
    mut known: Vec<String>,
    file: &str,
) -> Result<Goal, Stop> {
    let mut hint = String::new();
    if !settings.apis.is_empty() {
        let socket = control_socket(&settings.data_dir);
        match crate::control::ask(&socket, &crate::control::Request::Report) {
            Ok(Some(Answer::Report { report })) => {
                let running: Vec<String> = report.streams.into_iter().map(|s| s.name).collect();
                if running.contains(&stream) {
                    let (data_dir, name) = (settings.data_dir.clone(), format!("stream {stream}"));
                    return Ok(Goal::Made { data_dir, stream, name });
                }
                known = running;
            }
            _ => hint = "one made through the API is there while hydrant run runs; ".to_owned(),
        }
    }
    let what = format!("--to {stream}: no stream of {file} is called that");
    let hint = format!("{hint}its streams are {}", known.join(", "));
    Err(Stop::failed(Exit::Usage, &what, Some(&hint)))
}

fn endpoint(args: &ReplayArgs, url: &str) -> Result<EndpointConfig, Stop> {
    let key = access_key::of(args.access_key.as_ref())
        .map_err(|why| Stop::failed(Exit::Usage, &why, Some(access_key::HINT)))?;
    Ok(EndpointConfig {
        url: url.to_owned(),
        access_key: key.map(Secret::new),
        tls: TlsConfig { ca_file: args.ca_file.clone(), accept_invalid: args.insecure },
        source_arn: SOURCE_ARN.to_owned(),
    })
}

/// Scheme, host and port of a URL.
fn place_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// A ledger that fails, as the end of the command.
pub(super) fn of_ledger(error: &LedgerError) -> Stop {
    let exit = match error {
        LedgerError::Io { .. } => Exit::Disk,
        _ => Exit::Failed,
    };
    Stop::failed(exit, &error.to_string(), None)
}
