//! What streams are made of: the parts of the house that each needs.

use std::path::PathBuf;
use std::sync::Arc;

use delivery::{Clock, Share, Stats};
use entry::Tail;
use journal::{Journal, Topic};
use tokio::runtime::Handle;

use super::house::House;

/// What every lane of a stream shares, and what streams are made of.
#[derive(Clone)]
pub(super) struct PartsBasis {
    pub journal: Journal,
    pub topics: Vec<Topic>,
    pub replay: Option<Topic>,
    pub tail: Arc<Tail>,
    pub runtime: Handle,
    pub clock: Clock,
    pub steady: Clock,
    pub state: PathBuf,
    pub quarantine: PathBuf,
    pub backup_share: Arc<Share>,
    pub quarantine_share: Arc<Share>,
}

impl PartsBasis {
    pub(super) fn parts(&self, lane: Option<entry::LaneId>, stats: Arc<Stats>) -> delivery::Parts {
        delivery::Parts {
            topics: self.topics.clone(),
            replay: self.replay.clone(),
            tail: Arc::clone(&self.tail),
            runtime: self.runtime.clone(),
            clock: Arc::clone(&self.clock),
            steady: Arc::clone(&self.steady),
            state: self.state.clone(),
            quarantine: self.quarantine.clone(),
            backup_share: Arc::clone(&self.backup_share),
            quarantine_share: Arc::clone(&self.quarantine_share),
            stats,
            lane,
        }
    }
}

impl House {
    pub(super) fn basis(&self, topics: Vec<Topic>, replay: Option<Topic>) -> PartsBasis {
        PartsBasis {
            journal: self.journal.clone(),
            topics,
            replay,
            tail: Arc::clone(&self.tail),
            runtime: self.runtime.clone(),
            clock: Arc::clone(&self.clock),
            steady: Arc::clone(&self.steady),
            state: self.folder.state(),
            quarantine: self.folder.quarantine(),
            backup_share: Arc::clone(&self.backup_share),
            quarantine_share: Arc::clone(&self.quarantine_share),
        }
    }
}
