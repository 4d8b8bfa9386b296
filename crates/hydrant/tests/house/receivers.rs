//! Destinations in the test process: the strict receivers with their ledgers, and the wiring.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rehearsal::ledger::{Comparison, Ledger, View};
use rehearsal::{Checking, dynatrace};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::points::now_ms;
use crate::service::{eventually, local};

/// The API token that the Dynatrace receiver knows unless told otherwise.
pub(crate) const TOKEN: &str = "dt0c01.HOUSE.not-a-real-token";

/// A ledger that sender and receiver share.
#[derive(Clone)]
pub(crate) struct Book(pub(crate) Arc<Mutex<Ledger>>);

impl Book {
    pub(crate) fn new(view: View) -> Book {
        Book(Arc::new(Mutex::new(Ledger::new(view))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn compare(&self) -> Comparison {
        self.lock().compare()
    }

    /// Waits until nothing that was promised is missing, then looks at all of it.
    #[track_caller]
    pub(crate) fn settle(&self, what: &str, log: impl Fn() -> String) -> Comparison {
        let seen = || format!("{:?}\n{}", self.compare(), log());
        eventually(what, || self.compare().missing == 0, seen);
        let compared = self.compare();
        assert!(compared.is_clean() && compared.sent > 0, "{what}: {compared:?}\n{}", log());
        compared
    }
}

/// A receiver that is served until it is dropped.
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    _runtime: Runtime,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// A Dynatrace environment.
pub(crate) struct Dynatrace {
    pub(crate) receiver: dynatrace::Receiver,
    _serving: Serving,
}

impl Dynatrace {
    /// Listens on `port` and enters what it takes into `book`.
    pub(crate) fn start(port: u16, token: &str, book: &Book) -> Dynatrace {
        let receiver = dynatrace::Receiver::new(dynatrace::Options {
            tokens: vec![dynatrace::Token { secret: token.to_owned(), may_ingest: true }],
            checking: Checking::Strict,
            ledger: Some(Arc::clone(&book.0)),
            now_ms,
        });
        let (stop, stopped) = watch::channel(false);
        let runtime = runtime();
        let listener = bind(&runtime, local(port));
        runtime.spawn(receiver.clone().serve(listener, stopped));
        Dynatrace { receiver, _serving: Serving { stop, _runtime: runtime } }
    }
}

fn bind(runtime: &Runtime, address: SocketAddr) -> listen::Listener {
    let bound = runtime.block_on(listen::Listener::bind(&address.to_string()));
    bound.expect("the port of a receiver is free")
}

/// A stream of that name to a Dynatrace receiver on `port`; `more` are further lines of YAML.
pub(crate) fn to_dynatrace(name: &str, port: u16, more: &[&str]) -> String {
    let more: String = more.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "  {name}:\n    source: aws\n{more}    destination:\n      type: dynatrace\n      \
         url: http://127.0.0.1:{port}\n      api_token: {TOKEN}\n"
    )
}

/// A stream of that name to nowhere.
pub(crate) fn to_blackhole(name: &str) -> String {
    format!("  {name}:\n    source: aws\n    destination: {{ type: blackhole }}\n")
}
