//! Word to the service manager: systemd's notification protocol, `sd_notify(3)`.
//!
//! Owns the socket and the pace of the watchdog. Without `NOTIFY_SOCKET` every word goes nowhere.
//! Not here: whether the process is well; who says so has looked.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::settings::Environment;

/// The manager that started this process, if one did.
pub(super) struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// When it wants to hear that the process lives: twice in its own limit.
    beat: Option<Interval>,
}

impl Manager {
    /// As the environment says. What it says wrongly is told, and there is no manager then.
    pub(super) fn of(environment: &Environment) -> Manager {
        let socket = environment.text("NOTIFY_SOCKET").and_then(|name| {
            let opened = open(name);
            opened.inspect_err(|error| tracing::warn!(name, %error, "NOTIFY_SOCKET: unusable")).ok()
        });
        let every = socket.as_ref().and_then(|_| watchdog(environment, std::process::id()));
        let beat = every.map(|every| {
            let mut beat = interval(every);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beat
        });
        Manager { socket, beat }
    }

    /// Sources listen, or the settings are taken anew.
    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\n{}", status_line(status)));
    }

    /// The settings are being read anew; [`Manager::ready`] ends it, whatever came of it.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// What `systemctl status` shows.
    pub(super) fn status(&self, status: &str) {
        self.tell(&status_line(status));
    }

    /// The process has begun to end.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=draining: finishing what is in flight");
    }

    /// The process lives.
    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// Whether anybody listens.
    pub(super) fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Waits until word of life is due, for ever when nobody wants it; returns how often it is.
    pub(super) async fn due(&mut self) -> Duration {
        match &mut self.beat {
            Some(beat) => {
                beat.tick().await;
                beat.period()
            }
            None => std::future::pending().await,
        }
    }

    /// Waits for what holds the house, a reload or the end; meanwhile that this goes on is life enough.
    pub(super) async fn alive_while<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = self.due() => self.alive(),
            }
        }
    }

    fn tell(&self, words: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            tracing::debug!(%error, words, "the service manager does not listen");
        }
    }
}

/// A path, or with `@` in front a name in the abstract namespace.
fn open(name: &str) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that is stuck must not hold us up.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// Half of the watchdog's limit, when it watches this very process.
fn watchdog(environment: &Environment, own_pid: u32) -> Option<Duration> {
    if environment.text("WATCHDOG_PID").is_some_and(|pid| pid.parse() != Ok(own_pid)) {
        return None;
    }
    let limit: u64 = environment.text("WATCHDOG_USEC")?.parse().ok()?;
    (limit > 1).then(|| Duration::from_micros(limit / 2))
}

/// One line, whatever the text: a second one would be another word of the protocol.
fn status_line(status: &str) -> String {
    format!("STATUS={}", status.lines().next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// *Scenario:* a manager behind a path, and one behind an abstract name.
    /// *Guarantees:* both hear every word as the protocol spells it, and a status is one line.
    #[tokio::test]
    async fn words() {
        let dir = testkit::TempDir::new("notify");
        let path = dir.join("socket").display().to_string();
        let name = format!("hydrant-notify-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name).unwrap();
        let sockets = [
            (UnixDatagram::bind(&path).unwrap(), path),
            (UnixDatagram::bind_addr(&abstract_address).unwrap(), format!("@{name}")),
        ];
        for (socket, name) in sockets {
            let manager = Manager::of(&Environment::of(&[("NOTIFY_SOCKET", &name)]));
            assert!(manager.is_there() && manager.beat.is_none());
            manager.ready("takes deliveries\nREADY=0");
            assert_eq!(heard(&socket), "READY=1\nSTATUS=takes deliveries");
            let before = clock_gettime(ClockId::Monotonic).tv_sec;
            manager.reloading();
            let words = heard(&socket);
            let stamp = words.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            let seconds = stamp.parse::<i64>().unwrap() / 1_000_000;
            assert!((before..=before + 60).contains(&seconds), "{words}");
            manager.status("");
            assert_eq!(heard(&socket), "STATUS=");
            manager.alive();
            assert_eq!(heard(&socket), "WATCHDOG=1");
            manager.stopping();
            assert!(heard(&socket).starts_with("STOPPING=1\nSTATUS="));
        }
    }

    /// *Scenario:* no socket, one that is not there, one whose name is none.
    /// *Guarantees:* words go nowhere, without a fault.
    #[tokio::test]
    async fn nobody_listens() {
        let long = "x".repeat(200);
        for name in [None, Some("/no/such/socket"), Some(long.as_str())] {
            let pairs: Vec<_> = name.map(|name| ("NOTIFY_SOCKET", name)).into_iter().collect();
            let manager = Manager::of(&Environment::of(&pairs));
            manager.ready("takes deliveries");
            assert_eq!(manager.is_there(), name == Some("/no/such/socket"));
        }
    }

    /// *Scenario:* what a manager says of its watchdog.
    /// *Guarantees:* half its limit, and only for the process it means.
    #[test]
    fn watchdogs() {
        let asked = |pairs: &[(&str, &str)]| watchdog(&Environment::of(pairs), 7);
        let minute = Some(Duration::from_secs(60));
        assert_eq!(asked(&[("WATCHDOG_USEC", "120000000")]), minute);
        assert_eq!(asked(&[("WATCHDOG_USEC", "120000000"), ("WATCHDOG_PID", "7")]), minute);
        assert_eq!(asked(&[("WATCHDOG_USEC", "120000000"), ("WATCHDOG_PID", "8")]), None);
        assert_eq!(asked(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(asked(&[("WATCHDOG_USEC", "soon")]), None);
        assert_eq!(asked(&[]), None);
    }
}
