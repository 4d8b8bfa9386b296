//! The check: every key of the contract, its rule, its default and the reason for it.
//!
//! Reads the whole tree and notes everything that is wrong before it gives anything back. Nothing
//! is repaired: what contradicts itself is refused.

mod aws;
mod destination;
mod enrich;
mod filter;
mod place;
mod relations;
mod source;
mod stream;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{At, Report, Section};
use super::tree::Node;
use super::types::{
    Admin, ApiSource, Budget, FirehoseSource, Log, LogFormat, LogLevel, ObjectSource, Settings,
};

pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;
pub(super) const TIB: u64 = 1 << 40;
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Beside the program: a first run needs no rights anywhere else.
const DATA_DIR_DEFAULT: &str = "./hydrant-data";
/// What `sockaddr_un` holds, without the zero at its end.
const SOCKET_PATH_MAX: usize = 107;
/// A day of a large account's metrics (10,000 a minute at 100 bytes, compressed) several times over.
const DISK_BUDGET_DEFAULT: u64 = 20 * GIB;
/// Two segments of the journal must fit into its share, with room for the other shares.
const DISK_BUDGET_MIN: u64 = 256 * MIB;
/// No disk is larger; beyond it is a typing error.
const DISK_BUDGET_MAX: u64 = 1024 * TIB;
/// Loopback: what a stream carries is nobody else's business unless its owner says so.
const ADMIN_LISTEN_DEFAULT: &str = "127.0.0.1:8686";

/// The journal has the most: it is what carries an outage.
const JOURNAL_PERCENT: u64 = 60;
/// A backup holds what an outage left behind, as base64 and so a third larger.
const BACKUP_PERCENT: u64 = 25;
/// Quarantine is for single pieces; when it fills, something is wrong with the sender.
const QUARANTINE_PERCENT: u64 = 10;
/// Keys of repeats (500,000 of 40 bytes), cursors and state: small, and never to be squeezed out.
const STATE_PERCENT: u64 = 5;

/// Reads the whole tree. `None` when something essential is missing; the report says what.
pub(super) fn settings(report: &Report, root: &Node, file: &Path) -> Option<Settings> {
    let top = At::top(report, root).section()?;
    let data_dir = data_dir(report, &top);
    let budget = budget(&top);
    let admin = admin(&top);
    let log = log(&top);
    let sources = source::sources(report, &top);
    let made_later = sources.iter().any(|source| source.is_api);
    let room = stream::Room { data_dir: &data_dir, budget, made_later };
    let streams = stream::streams(report, &top, &room);
    top.finish();
    let tag_refreshes = enrich::refreshes(&streams);
    relations::check(report, admin.as_ref(), &sources, &streams);
    relations::keep_off(report, &streams, file, &data_dir);
    let complete = sources.iter().all(|source| source.config.is_some());
    let parted = Parted::of(sources.into_iter().filter_map(|source| source.config));
    Some(Settings {
        data_dir,
        budget: budget?,
        admin: Admin { listen: admin?.value },
        log: log?,
        sources: complete.then_some(parted.doors)?,
        apis: parted.apis,
        objects: parted.objects,
        streams: streams.into_iter().map(|stream| stream.config).collect::<Option<_>>()?,
        tag_refreshes,
        warnings: Vec::new(),
    })
}

/// Sources by what they do.
#[derive(Default)]
struct Parted {
    doors: Vec<FirehoseSource>,
    apis: Vec<ApiSource>,
    objects: Vec<ObjectSource>,
}

impl Parted {
    fn of(sources: impl Iterator<Item = source::Read>) -> Parted {
        let mut parted = Parted::default();
        for source in sources {
            match source {
                source::Read::Firehose(door) => parted.doors.push(door),
                source::Read::Api(api) => parted.apis.push(*api),
                source::Read::Objects(read) => parted.objects.push(read),
            }
        }
        parted
    }
}

/// The data folder alone, for commands that need nothing else of the settings.
pub(super) fn data_dir_of(report: &Report, root: &Node) -> Option<PathBuf> {
    let top = At::top(report, root).section()?;
    match top.get("data_dir") {
        None => Some(PathBuf::from(DATA_DIR_DEFAULT)),
        // A value that cannot be worked out is no default.
        Some(at) => at.text().map(|found| PathBuf::from(found.value)),
    }
}

fn data_dir(report: &Report, top: &Section<'_>) -> PathBuf {
    let Some(given) = top.text("data_dir") else { return PathBuf::from(DATA_DIR_DEFAULT) };
    let path = PathBuf::from(given.value);
    let socket = crate::run::control_socket(&path).as_os_str().len();
    if socket > SOCKET_PATH_MAX {
        let rule = format!(
            "is too long: the path of the socket in it would have {socket} bytes, and a socket's has \
             {SOCKET_PATH_MAX} at most"
        );
        report.error(&given.spot, rule, Some("take a shorter path, or a relative one".to_owned()));
    }
    path
}

fn budget(top: &Section<'_>) -> Option<Budget> {
    let Some(at) = top.get("disk_budget") else { return Some(shares(DISK_BUDGET_DEFAULT)) };
    let total = at.size(DISK_BUDGET_MIN..=DISK_BUDGET_MAX)?;
    Some(shares(total.value))
}

fn shares(total_bytes: u64) -> Budget {
    // No budget is so large that this overflows; dividing first would cut what is even.
    let share = |percent: u64| total_bytes * percent / 100;
    Budget {
        total_bytes,
        journal_bytes: share(JOURNAL_PERCENT),
        backup_bytes: share(BACKUP_PERCENT),
        quarantine_bytes: share(QUARANTINE_PERCENT),
        state_bytes: share(STATE_PERCENT),
    }
}

fn admin(top: &Section<'_>) -> Option<super::read::Found<String>> {
    let spot = top.spot_of("admin");
    let default = super::read::Found { value: ADMIN_LISTEN_DEFAULT.to_owned(), spot };
    let Some(at) = top.get("admin") else { return Some(default) };
    let section = at.section()?;
    let listen = match section.get("listen") {
        Some(at) => place::listen_address(&at),
        None => Some(default),
    };
    section.finish();
    listen
}

/// Text on a terminal and JSON elsewhere is what a person and a collector expect; one line per fact.
const LOG_DEFAULT: Log = Log { format: LogFormat::Auto, level: LogLevel::Info };

fn log(top: &Section<'_>) -> Option<Log> {
    let Some(at) = top.get("log") else { return Some(LOG_DEFAULT) };
    let section = at.section()?;
    let formats = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = optional(section.get("format"), LOG_DEFAULT.format, |at| at.choice(&formats, &[]));
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    let level = optional(section.get("level"), LOG_DEFAULT.level, |at| at.choice(&levels, &[]));
    section.finish();
    Some(Log { format: format?, level: level? })
}

/// The default when the key is not given; `None` when it is given and wrong.
fn optional<'a, T>(
    at: Option<At<'a>>,
    default: T,
    read: impl FnOnce(&At<'a>) -> Option<T>,
) -> Option<T> {
    match at {
        None => Some(default),
        Some(at) => read(&at),
    }
}

/// The value that `build` makes of its parts, unless one of them is missing.
fn whole<T>(build: impl FnOnce() -> Option<T>) -> Option<T> {
    build()
}
