//! The labels that the owner of a point gives: account, region, and what stands beside them.
//!
//! A message is of one owner, so these are encoded once for each change of it. Always holds: what
//! is remembered is of this request and this owner.

use metric::Point;

use super::phrases::Phrases;
use super::plan::{Slot, put_labels};
use crate::sink::text::same;

/// Lists of labels that are remembered: namings and external labels make a handful.
const KINDS_MAX: usize = 32;

/// The owner of the last point.
#[derive(Default)]
pub(super) struct Owner {
    request: u64,
    account: Vec<u8>,
    region: Vec<u8>,
    kinds: Vec<Kind>,
}

/// The labels of an owner between two others.
struct Kind {
    slots: Box<[Slot]>,
    /// Their phrase, unless they were not asked for yet; inside, none when they are all empty.
    phrase: Option<Option<u32>>,
}

impl Owner {
    /// The owner of this point is the one.
    #[inline]
    pub(super) fn meet(&mut self, point: &Point<'_>, request: u64) {
        let is_same = self.request == request
            && same(&self.account, point.account)
            && same(&self.region, point.region);
        if !is_same {
            self.change(point, request);
        }
    }

    #[cold]
    fn change(&mut self, point: &Point<'_>, request: u64) {
        self.request = request;
        self.account.clear();
        self.account.extend_from_slice(point.account);
        self.region.clear();
        self.region.extend_from_slice(point.region);
        for kind in &mut self.kinds {
            kind.phrase = None;
        }
    }

    /// The number of these labels; None when there are too many lists of labels.
    pub(super) fn kind(&mut self, slots: &[Slot]) -> Option<usize> {
        let known = self.kinds.iter().position(|kind| *kind.slots == *slots);
        if known.is_none() && self.kinds.len() < KINDS_MAX {
            self.kinds.push(Kind { slots: slots.into(), phrase: None });
            return Some(self.kinds.len() - 1);
        }
        known
    }

    /// The phrase of these labels, for the owner that was met.
    #[inline]
    pub(super) fn phrase(
        &mut self,
        kind: usize,
        point: &Point<'_>,
        phrases: &mut Phrases,
    ) -> Option<u32> {
        let Kind { slots, phrase } = self.kinds.get_mut(kind)?;
        *phrase.get_or_insert_with(|| phrases.run(|out| put_labels(out, slots, point)))
    }
}
