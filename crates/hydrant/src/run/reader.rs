//! A reader: one source of objects at work.

use std::path::PathBuf;
use std::sync::Arc;

use delivery::Clock;
use intake::objects::{Parts, Stats, files, s3};
use journal::Topic;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::settings::ObjectSource;

/// What a reader needs of the house.
pub(super) struct Needs {
    pub topic: Topic,
    pub clock: Clock,
    pub state: PathBuf,
    pub quarantine: PathBuf,
    pub runtime: Handle,
}

/// A source that reads.
pub(super) struct Reader {
    settings: ObjectSource,
    stats: Arc<Stats>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Begins to read.
    pub(super) fn open(settings: ObjectSource, needs: Needs) -> Reader {
        let (stop, stopped) = watch::channel(false);
        let parts = Parts {
            topic: needs.topic,
            clock: needs.clock,
            state: needs.state,
            quarantine: needs.quarantine,
        };
        let (stats, task) = match settings.clone() {
            ObjectSource::S3(config) => {
                let source = s3::Source::new(*config, parts);
                (source.stats(), needs.runtime.spawn(source.run(stopped)))
            }
            ObjectSource::Files(config) => {
                let source = files::Source::new(config, parts);
                (source.stats(), needs.runtime.spawn(source.run(stopped)))
            }
        };
        tracing::info!(source = settings.name(), place = settings.place(), "source reads");
        Reader { settings, stats, stop, task }
    }

    pub(super) fn settings(&self) -> &ObjectSource {
        &self.settings
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// It has read all there is, and will not look again.
    pub(super) fn is_done(&self) -> bool {
        self.stats.is_done()
    }

    /// False when its task has ended before its work: a bug, the process must stop.
    pub(super) fn lives(&self) -> bool {
        self.is_done() || !self.task.is_finished()
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
