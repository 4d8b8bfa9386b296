//! Splitting: a request that is too large, or refused for some of its points, is packed again as two
//! or more smaller ones, which take its place in the same order.

use journal::Position;

use crate::feed::Plain;
use crate::parcel::Parcel;
use crate::ranges::Range;
use crate::time::Now;
use crate::verdict::Why;
use crate::worker::Worker;

impl Worker {
    /// The destination takes nothing of a request as it is: halves, until a single point is too large.
    pub(crate) fn split(&mut self, id: u64, why: Why, now: Now) {
        if self.dispatch.points(id) <= 1 {
            if self.packing.takes_records() {
                // A record may well be larger than this destination takes, and no part of one helps.
                self.recovered(now);
                if let Some(parcel) = self.dispatch.take(id) {
                    self.give_up(parcel, why, now);
                }
                return;
            }
            // One point is too large for no destination: this one is not well.
            self.later(id, None, true, why, now);
            return;
        }
        let Some(parcel) = self.dispatch.take(id) else { return };
        if self.dispatch.succeeded(now.steady_ms) {
            tracing::info!(stream = %self.config.name, "destination is back");
        }
        match self.pack_again(&parcel, now) {
            Ok(parts) => {
                let (points, parts_count) = (parcel.points(), parts.len());
                tracing::warn!(
                    stream = %self.config.name, points, parts = parts_count, reason = why.message,
                    "request not taken as a whole, sending it in parts"
                );
                let (send, done) = parts.into_iter().partition(|p: &Parcel| p.payload.is_some());
                self.dispatch.push_front(send);
                let done: Vec<Parcel> = done;
                for part in done {
                    self.finish(part);
                }
            }
            Err(error) => {
                tracing::error!(stream = %self.config.name, error, "journal cannot be read");
                self.give_up(parcel, why, now);
            }
        }
    }

    /// The range of a parcel, packed with half as many points a request.
    fn pack_again(&mut self, parcel: &Parcel, now: Now) -> Result<Vec<Parcel>, String> {
        let resume = self.packing.begin();
        // A half-read entry leaves an open parcel: it goes as it is, so that the packer is free.
        if let Some((_, open)) = &self.open {
            self.packing.close(Position { sequence: open.sequence, ordinal: open.ordinal });
            self.collect();
        }
        let resume = (self.packing.feed(), self.packing.begin().max(resume));
        self.packing.start(parcel.feed, parcel.from);
        let half = (parcel.points() / 2).max(1);
        let before = vec![(Position { sequence: 0, ordinal: 0 }, parcel.from)];
        let skips = self.swap_skips(parcel.feed, before);
        let mut sequence = parcel.from.sequence;
        let mut result = Ok(());
        while (Position { sequence, ordinal: 0 }) < parcel.to {
            let Some(feed) = self.feeds.get_mut(parcel.feed) else { break };
            match feed.load(sequence) {
                Ok(Some(loaded))
                    if (Position { sequence: loaded.sequence, ordinal: 0 }) < parcel.to =>
                {
                    sequence = loaded.sequence + 1;
                    if let Plain::Unreadable(why) = &loaded.body {
                        self.set_unreadable_aside(parcel.feed, &loaded, why, now);
                        continue;
                    }
                    let (_, walked) = self.pack_pieces(parcel.feed, loaded, parcel.to, half, now);
                    if walked.is_err() {
                        result = walked;
                        break;
                    }
                }
                Ok(_) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.swap_skips(parcel.feed, skips);
        self.packing.close(parcel.to);
        let parts = self.packing.take_ready().collect();
        self.packing.start(resume.0, resume.1);
        result.map(|()| parts)
    }

    fn swap_skips(&mut self, feed: usize, skips: Vec<Range>) -> Vec<Range> {
        self.feeds.get_mut(feed).map_or_else(Vec::new, |f| std::mem::replace(&mut f.skips, skips))
    }
}
