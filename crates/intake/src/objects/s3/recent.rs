//! Objects that are done, remembered for a while, so that a message that comes again costs nothing.
//!
//! In memory only and bounded: what is forgotten is read again, and known piece by piece.

use std::collections::{HashMap, VecDeque};

use crate::objects::event::{Created, is_newer};
use crate::objects::ledger::entry_of;

/// Objects remembered: what a hundred delivery streams write in more than an hour.
const OBJECTS_MAX: usize = 10_000;

#[derive(Default)]
pub(super) struct Recent {
    sequencers: HashMap<u128, String>,
    order: VecDeque<u128>,
}

impl Recent {
    /// True when this event, or a later one of the same object, is done. Without a sequencer nothing
    /// can be said.
    pub(super) fn knows(&self, created: &Created) -> bool {
        let Some(sequencer) = &created.sequencer else { return false };
        let done = self.sequencers.get(&name_of(created));
        done.is_some_and(|done| !is_newer(sequencer, done))
    }

    /// Remembers that it is done.
    pub(super) fn insert(&mut self, created: &Created) {
        let Some(sequencer) = created.sequencer.clone() else { return };
        let name = name_of(created);
        if self.knows(created) {
            return;
        }
        if self.sequencers.insert(name, sequencer).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > OBJECTS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.sequencers.remove(&oldest);
            }
        }
    }
}

fn name_of(created: &Created) -> u128 {
    let version = created.version.as_deref().unwrap_or_default();
    entry_of(&format!("{}/{}", created.bucket, created.key), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: &str, sequencer: &str) -> Created {
        Created {
            bucket: "b".to_owned(),
            key: key.to_owned(),
            version: None,
            etag: None,
            size: None,
            sequencer: Some(sequencer.to_owned()),
        }
    }

    /// *Scenario:* events of one key come again, late and new; then more keys than are remembered.
    /// *Guarantees:* the same and older events are known, newer ones are not; memory is bounded.
    #[test]
    fn knows_the_same_and_the_older() {
        let mut recent = Recent::default();
        recent.insert(&event("k", "0B"));
        assert!(recent.knows(&event("k", "B")) && recent.knows(&event("k", "0A")));
        assert!(!recent.knows(&event("k", "0C")) && !recent.knows(&event("l", "0B")));
        assert!(!recent.knows(&Created { sequencer: None, ..event("k", "0") }));
        for n in 0..=OBJECTS_MAX {
            recent.insert(&event(&n.to_string(), "1"));
        }
        assert!(!recent.knows(&event("k", "0B")) && recent.sequencers.len() == OBJECTS_MAX);
    }
}
