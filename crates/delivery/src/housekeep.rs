//! What a worker does every second, whatever else comes: cursors are made durable, and it tells how it
//! stands.

use std::sync::atomic::Ordering;

use crate::worker::Worker;

impl Worker {
    pub(crate) fn housekeep(&mut self) {
        let now = self.now();
        self.sync_cursors();
        let mut oldest = None;
        let mut backlog = 0;
        for feed in &mut self.feeds {
            let at = feed.oldest_arrival_ms();
            oldest = oldest.into_iter().chain(at).min();
            backlog += feed.cursor.backlog_bytes();
        }
        self.stats.oldest_ms.store(oldest.unwrap_or(0), Ordering::Relaxed);
        self.stats.set_losses(self.packing.losses());
        if let Some(file) = self.packing.tag_file() {
            file.look_if_due(now.steady_ms, &self.runtime);
            self.stats.set_tags(self.packing.tags());
        }
        // With nothing to send nobody can tell whether it is still down.
        let held = self.dispatch.len() > 0 || backlog > 0;
        let outage = self.dispatch.outage().cloned().filter(|_| held);
        let (parcels, side_lane) = (self.dispatch.len(), self.dispatch.side());
        self.stats.set_state(|s| {
            s.outage_since_ms = outage.as_ref().map(|o| now.wall_of(o.since_ms));
            s.next_attempt_ms = outage.as_ref().map(|o| now.wall_of(o.next_probe_ms));
            s.loud = outage.is_some_and(|o| o.loud);
            s.parcels = parcels;
            s.side_lane = side_lane;
            s.backlog_bytes = backlog;
        });
    }

    fn sync_cursors(&mut self) {
        let mut failure = None;
        for feed in &mut self.feeds {
            if let Err(error) = feed.cursor.sync() {
                failure = Some(format!(
                    "its place in {} cannot be synced ({error}): after a power cut some of what was \
                     delivered comes again",
                    feed.cursor.topic()
                ));
            }
        }
        let known = self.stats.state().cursor_failure;
        // Once, not every second: status tells how it stands.
        if let Some(error) = failure.as_ref().filter(|_| known.is_none()) {
            tracing::error!(stream = %self.config.name, error, "cursor not synced");
        }
        if failure != known {
            self.stats.set_state(|s| s.cursor_failure = failure);
        }
    }
}
