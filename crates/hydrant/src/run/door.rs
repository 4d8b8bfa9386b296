//! A door: one source on its socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use delivery::Clock;
use entry::Tail;
use intake::firehose::{Access, Admit, Config, Permits, Source, Stats};
use journal::Topic;
use listen::{Heir, Listener, ServerTls};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::settings::{FirehoseSource, TlsFiles};

/// Requests in flight are given this long when a door closes.
const DRAIN_TIME: Duration = Duration::from_secs(20);

/// A bound socket and its certificate.
pub(super) struct Bound {
    listener: Listener,
    tls: Option<ServerTls>,
}

impl Bound {
    /// Loads the certificate of a source, and binds its socket unless it inherits one.
    pub(super) async fn bind(
        source: &str,
        listen: &str,
        tls: Option<&TlsFiles>,
        inherited: Option<Listener>,
    ) -> Result<Bound, String> {
        let tls = match tls {
            None => None,
            Some(files) => {
                let loaded = ServerTls::load(&files.cert_file, &files.key_file);
                Some(loaded.map_err(|e| format!("source {source}: {e}"))?)
            }
        };
        let listener = match inherited {
            Some(listener) => listener,
            None => Listener::bind(listen)
                .await
                .map_err(|e| cannot_listen(&format!("source {source}"), listen, &e))?,
        };
        Ok(Bound { listener, tls })
    }

    /// The socket and its certificate.
    pub(super) fn parted(self) -> (Listener, Option<ServerTls>) {
        (self.listener, self.tls)
    }
}

/// That `who` cannot listen there, and what to look at.
pub(super) fn cannot_listen(who: &str, listen: &str, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => ": is another process using this port?",
        io::ErrorKind::AddrNotAvailable => ": is it an address of this machine?",
        io::ErrorKind::PermissionDenied => {
            ": a port below 1024 needs root or, on the binary, setcap cap_net_bind_service=+ep"
        }
        _ => "",
    };
    format!("{who}: cannot listen on {listen}: {error}{remedy}")
}

/// What a door needs of the house.
pub(super) struct Parts {
    pub topic: Topic,
    pub tail: Arc<Tail>,
    pub permits: Arc<Permits>,
    pub clock: Clock,
    pub admit: Option<Admit>,
    pub runtime: Handle,
}

/// A source that listens.
pub(super) struct Door {
    settings: FirehoseSource,
    address: SocketAddr,
    heir: Heir,
    access: watch::Sender<Arc<Access>>,
    tls: Option<ServerTls>,
    stop: watch::Sender<bool>,
    stats: Arc<Stats>,
    task: JoinHandle<()>,
}

impl Door {
    /// Loads the certificate, and binds the socket unless it inherits one.
    pub(super) async fn bind(
        source: &FirehoseSource,
        inherited: Option<Listener>,
    ) -> Result<Bound, String> {
        Bound::bind(&source.name, &source.listen, source.tls.as_ref(), inherited).await
    }

    /// Begins to serve.
    pub(super) fn open(settings: FirehoseSource, bound: Bound, parts: Parts) -> Door {
        let (listener, tls) = bound.parted();
        let (access, access_now) = watch::channel(Arc::new(settings.access.clone()));
        let (stop, stopped) = watch::channel(false);
        let (address, heir) = (listener.address(), listener.heir());
        let config = Config {
            name: settings.name.clone(),
            limits: settings.limits,
            access: access_now,
            admit: parts.admit,
        };
        let source = Source::new(config, parts.topic, parts.tail, parts.permits, parts.clock);
        let stats = source.stats();
        let serving = source.serve(listener, tls.clone(), DRAIN_TIME, stopped);
        let task = parts.runtime.spawn(serving);
        tracing::info!(
            source = settings.name, %address, tls = tls.is_some(),
            keys = settings.access.keys.len(), lenient = settings.access.lenient, "source listens"
        );
        Door { settings, address, heir, access, tls, stop, stats, task }
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn settings(&self) -> &FirehoseSource {
        &self.settings
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its socket, for who takes its place.
    pub(super) fn heir(&self) -> &Heir {
        &self.heir
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// When its certificate ends, seconds since the epoch.
    pub(super) fn certificate_ends_s(&self) -> Option<i64> {
        self.tls.as_ref().and_then(ServerTls::ends_s)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn serves(&self) -> bool {
        !self.task.is_finished()
    }

    /// Takes new keys and a new certificate without closing. The certificate was checked before.
    pub(super) fn refresh(&mut self, settings: FirehoseSource) -> Result<(), String> {
        if let (Some(tls), Some(files)) = (&self.tls, &settings.tls) {
            tls.reload(&files.cert_file, &files.key_file)
                .map_err(|e| format!("source {}: {e}", settings.name))?;
        }
        self.access.send_replace(Arc::new(settings.access.clone()));
        self.settings = settings;
        Ok(())
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) async fn join(self) {
        self.stop();
        if self.task.await.is_err() {
            tracing::error!("a source ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* the three ways in which an address is commonly not to be had.
    /// *Guarantees:* who, where, why, and what to do.
    #[test]
    fn a_socket_that_is_not_to_be_had() {
        let said = |kind: io::ErrorKind| cannot_listen("source a", "0.0.0.0:443", &kind.into());
        for (kind, words) in [
            (io::ErrorKind::PermissionDenied, "cap_net_bind_service"),
            (io::ErrorKind::AddrInUse, "another process"),
            (io::ErrorKind::AddrNotAvailable, "of this machine"),
        ] {
            let said = said(kind);
            assert!(said.starts_with("source a: cannot listen on 0.0.0.0:443: "), "{said}");
            assert!(said.contains(words), "{said}");
        }
    }
}
