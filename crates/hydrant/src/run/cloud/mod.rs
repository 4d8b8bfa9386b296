//! A source in place of AWS at work: its port, its resources, the fold, and the delivery streams made
//! through it.
//!
//! Owns the order in which these come and go: delivery streams (so that their cursors are there), the
//! fold, the port. Everything of it lies in one folder of the data folder, `cloud/<source>`; the
//! samples and records lie in the journal.

mod configure;
mod door;
mod failed;
mod made;
mod report;
mod seal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use cloud::api::{Config, Context};
use cloud::fold::{self, Fold};
use cloud::registry::Registry;
use intake::firehose::Permits;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::basis::PartsBasis;
use super::door::Bound;
use super::house::{House, Running};
use crate::settings::ApiSource;
use configure::Plan;
use made::Made;

pub(crate) use made::NOT_STARTED;
pub(super) use made::Seen;

/// What it needs of the house.
pub(super) struct Needs {
    /// For delivery streams; without topics.
    pub basis: PartsBasis,
    pub permits: Arc<Permits>,
    /// `cloud/<source>` of the data folder.
    pub folder: PathBuf,
    /// Where backups of delivery streams wait.
    pub backups: PathBuf,
    /// Most bytes one delivery stream may hold of the journal.
    pub max_backlog_bytes: u64,
    /// Streams of the settings that read this source.
    pub delivery_streams: Vec<String>,
}

/// A source in place of AWS.
pub(super) struct Api {
    settings: ApiSource,
    address: SocketAddr,
    heir: listen::Heir,
    tls: Option<listen::ServerTls>,
    context: Arc<ArcSwap<Context>>,
    fold: Fold,
    made: Arc<Made>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    stop_following: watch::Sender<bool>,
    following: JoinHandle<bool>,
}

impl Api {
    /// Loads the certificate, and binds the socket unless it inherits one.
    pub(super) async fn bind(
        source: &ApiSource,
        inherited: Option<listen::Listener>,
    ) -> Result<Bound, String> {
        Bound::bind(&source.name, &source.listen, source.tls.as_ref(), inherited).await
    }

    /// Reads its resources, starts its streams and the fold, and begins to serve.
    pub(super) fn open(settings: ApiSource, bound: Bound, needs: Needs) -> Result<Api, String> {
        let named = |error: String| format!("source {}: {error}", settings.name);
        let registry = Registry::open(&needs.folder.join("resources.json")).map_err(named)?;
        let seal = seal::open(settings.seal_key.as_ref(), &needs.folder).map_err(named)?;
        let seal = Arc::new(seal);
        let (journal, clock) = (needs.basis.journal.clone(), Arc::clone(&needs.basis.clock));
        let runtime = needs.basis.runtime.clone();
        let topic = journal.topic(&settings.name).map_err(|e| named(e.to_string()))?;
        let plan = Plan {
            source: settings.name.clone(),
            region: settings.region.clone(),
            s3_endpoint_url: settings.s3_endpoint_url.clone(),
            backups: needs.backups,
            max_backlog_bytes: needs.max_backlog_bytes,
        };
        let made = Made::new(plan, registry.clone(), Arc::clone(&seal), needs.basis);
        let leaving = made.settle();
        let parts = fold::Parts {
            journal: journal.clone(),
            topic: topic.clone(),
            registry: registry.clone(),
            delivery_streams: needs.delivery_streams.clone(),
            folder: needs.folder.join("windows"),
            clock: Arc::clone(&clock),
        };
        let fold = Fold::start(fold_config(&settings), parts).map_err(named)?;
        let context = Context {
            config: Arc::new(config(&settings, needs.delivery_streams)),
            registry,
            journal,
            topic,
            windows: fold.windows(),
            keys: Arc::default(),
            seal,
            counts: Arc::default(),
            clock,
        };
        let context = Arc::new(ArcSwap::from_pointee(context));
        let (stop, stopped) = watch::channel(false);
        let (stop_following, follow_until) = watch::channel(false);
        let following = runtime.spawn(made::follow(Arc::clone(&made), leaving, follow_until));
        let (listener, tls) = bound.parted();
        let (address, heir) = (listener.address(), listener.heir());
        let port = door::Port {
            name: settings.name.clone(),
            limits: settings.limits,
            context: Arc::clone(&context),
            permits: needs.permits,
            made: Arc::clone(&made),
            seldom: listen::Seldom::default(),
        };
        let serving = runtime.spawn(port.serve(listener, tls.clone(), stopped));
        tracing::info!(
            source = settings.name, %address, tls = tls.is_some(), region = settings.region,
            credentials = settings.credentials.len(), "source listens"
        );
        Ok(Api {
            settings,
            address,
            heir,
            tls,
            context,
            fold,
            made,
            stop,
            serving,
            stop_following,
            following,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn settings(&self) -> &ApiSource {
        &self.settings
    }

    /// Its socket, for who takes its place.
    pub(super) fn heir(&self) -> &listen::Heir {
        &self.heir
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn serves(&self) -> bool {
        !self.serving.is_finished()
    }

    pub(super) fn made(&self) -> &Made {
        &self.made
    }

    /// False when a part of it has ended by itself: a bug, the process must stop.
    pub(super) fn lives(&self) -> bool {
        self.fold.lives() && !self.following.is_finished() && self.made.lives()
    }

    /// Takes new credentials, another list of streams of the settings and a new certificate without
    /// closing. The certificate was checked before.
    pub(super) fn refresh(
        &mut self,
        settings: ApiSource,
        delivery_streams: Vec<String>,
    ) -> Result<(), String> {
        if let (Some(tls), Some(files)) = (&self.tls, &settings.tls) {
            tls.reload(&files.cert_file, &files.key_file)
                .map_err(|e| format!("source {}: {e}", settings.name))?;
        }
        let now = Context::clone(&self.context.load());
        self.fold.set_delivery_streams(delivery_streams.clone());
        let config = Arc::new(config(&settings, delivery_streams));
        self.context.store(Arc::new(Context { config, ..now }));
        self.settings = settings;
        Ok(())
    }

    /// Asks the port to close; `close` waits for that.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Finishes the calls in flight, then ends the fold and the streams. False when a part had ended
    /// by a panic.
    pub(super) async fn close(self) -> bool {
        self.stop();
        let served = self.serving.await.is_ok();
        self.stop_following.send_replace(true);
        let followed = self.following.await.unwrap_or(false);
        // Both wait for work under way, which needs the runtime: never block it.
        let (fold, made) = (self.fold, self.made);
        let ended = tokio::task::spawn_blocking(move || {
            let folded = fold.join();
            made.close() && folded
        });
        served && followed && ended.await.unwrap_or(false)
    }
}

fn fold_config(settings: &ApiSource) -> fold::Config {
    fold::Config {
        source: settings.name.clone(),
        region: settings.region.clone(),
        grace: settings.window_grace,
        windows_bytes: settings.windows_bytes,
        raw_values_max: settings.raw_values_max,
    }
}

fn config(settings: &ApiSource, delivery_streams: Vec<String>) -> Config {
    Config {
        source: settings.name.clone(),
        region: settings.region.clone(),
        credentials: settings.credentials.clone(),
        unsigned: settings.unsigned_account.clone(),
        allow_http_endpoints: settings.allow_http_endpoints,
        delivery_streams,
    }
}

/// Below the folders of state, quarantine and backup: so does each source in place of AWS.
const CLOUD: &str = "cloud";

/// One stream may hold half the disk, so that one that is down leaves room for the others.
const BACKLOG_SHARE: u64 = 2;

impl House {
    pub(super) fn open_api(&mut self, source: ApiSource, bound: Bound) -> Result<(), String> {
        let name = source.name.clone();
        let budget = self.settings.budget;
        let needs = Needs {
            basis: self.basis_below(&name),
            permits: Arc::clone(&self.permits),
            folder: self.folder.cloud().join(&name),
            backups: self.folder.backups().join(CLOUD).join(&name),
            max_backlog_bytes: budget.total_bytes / BACKLOG_SHARE,
            delivery_streams: self.delivery_streams(&name),
        };
        let api = Api::open(source, bound, needs)?;
        self.apis.insert(name, api);
        Ok(())
    }

    /// For the delivery streams of a source in place of AWS: their names are unique in an account only.
    pub(super) fn basis_below(&self, source: &str) -> PartsBasis {
        let basis = self.basis(Vec::new(), None);
        let state = basis.state.join(CLOUD).join(source);
        let quarantine = basis.quarantine.join(CLOUD).join(source);
        PartsBasis { state, quarantine, ..basis }
    }

    /// Streams that run and read a source in place of AWS are delivery streams there.
    pub(super) fn delivery_streams(&self, source: &str) -> Vec<String> {
        let reads = |running: &&Running| running.config().sources.iter().any(|s| s == source);
        self.streams.values().filter(reads).map(|running| running.config().name.clone()).collect()
    }
}
