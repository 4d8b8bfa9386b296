//! How many files the process may have open: connections and segments are files too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::settings::Settings;

/// The journal, the admin port and what a process has open anyway.
const OF_ITS_OWN: u64 = 128;
/// Connections, cursors, files of a stream.
const OF_A_STREAM: u64 = 16;

/// Raises the limit as far as this user may: many systems start a process with 1,024, which is what one source
/// takes in connections, and leave it to the process to ask for more. Says so when it is still too low.
pub(super) fn allow(settings: &Settings) {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: found.maximum, maximum: found.maximum };
    let given = setrlimit(Resource::Nofile, raised).map_or(found.current, |()| raised.current);
    let needed = needed(settings);
    if let Some(limit) = given.filter(|limit| *limit < needed) {
        let hint = "raise it (LimitNOFILE of systemd, ulimit -n), or lower limits.connections";
        tracing::warn!(limit, needed, hint, "the limit of open files is low for these settings");
    }
}

fn needed(settings: &Settings) -> u64 {
    let doors = settings.sources.iter().map(|source| source.limits.connections);
    let connections = doors.chain(settings.apis.iter().map(|api| api.limits.connections));
    let connections: usize = connections.sum();
    OF_ITS_OWN + connections as u64 + OF_A_STREAM * settings.streams.len() as u64
}
