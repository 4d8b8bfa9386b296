//! The labels of a plan as phrases: what the metric gives, what its owner does, what the point does.
//!
//! What the metric and the settings give is encoded once in a request, what the owner gives once
//! for each change of it, the rest for each point. Always holds: what is remembered is of this
//! request.

use metric::Point;

use super::label::put_label;
use super::owner::Owner;
use super::phrases::{Phrases, number};
use super::plan::{Slot, Value, put_labels};

/// Labels that stand side by side, by the numbers of their slots.
#[derive(Clone, Debug)]
enum Segment {
    /// Given by the metric and the settings.
    Metric { from: usize, to: usize, phrase: Option<u32> },
    /// Given by the owner and the settings; once it is known, the number of this list.
    Owner { from: usize, to: usize, kind: Option<usize> },
    /// Given by the point.
    Point(usize),
}

/// The labels before `__name__`, between it and `quantile`, and behind that.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    segments: [Vec<Segment>; 3],
    /// The request that what is remembered is of.
    request: u64,
    /// The name without its statistic.
    base: u32,
}

/// The open request: what has been said in it, by whom, and its number, which is not 0.
pub(super) struct Request<'a> {
    pub(super) number: u64,
    pub(super) owner: &'a mut Owner,
    pub(super) phrases: &'a mut Phrases,
}

/// The phrases of a point: the name without its statistic, and where each part ends in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) base: u32,
    pub(super) ends: [u32; 3],
}

impl Parts {
    pub(super) fn new(slots: &[Slot], before_name: usize, before_quantile: usize) -> Parts {
        let part = |from: usize, to: usize| {
            let (mut segments, mut at) = (Vec::new(), from);
            while at < to {
                let (segment, next) = segment(slots, at, to);
                segments.push(segment);
                at = next;
            }
            segments
        };
        let segments = [
            part(0, before_name),
            part(before_name, before_quantile),
            part(before_quantile, slots.len()),
        ];
        Parts { segments, request: 0, base: 0 }
    }

    /// Appends the phrases of a point to `list`.
    pub(super) fn speak(
        &mut self,
        (base, slots): (&[u8], &[Slot]),
        point: &Point<'_>,
        request: Request<'_>,
        value: &mut Vec<u8>,
        list: &mut Vec<u32>,
    ) -> Spoken {
        let Request { number: request, owner, phrases } = request;
        if self.request != request {
            self.request = request;
            self.begin((base, slots), point, phrases);
        }
        owner.meet(point, request);
        let mut ends = [0; 3];
        for (segments, end) in self.segments.iter_mut().zip(&mut ends) {
            for segment in segments {
                list.extend(match segment {
                    Segment::Metric { phrase, .. } => *phrase,
                    Segment::Owner { kind: Some(kind), .. } => owner.phrase(*kind, point, phrases),
                    Segment::Owner { from, to, kind } => {
                        let slots = slots.get(*from..*to).unwrap_or_default();
                        *kind = owner.kind(slots);
                        phrases.run(|out| put_labels(out, slots, point))
                    }
                    Segment::Point(slot) => {
                        slots.get(*slot).and_then(|slot| of_point(slot, point, value, phrases))
                    }
                });
            }
            *end = number(list.len());
        }
        Spoken { base: self.base, ends }
    }

    /// Puts what the metric gives among the phrases of a request.
    #[cold]
    fn begin(&mut self, (base, slots): (&[u8], &[Slot]), point: &Point<'_>, phrases: &mut Phrases) {
        self.base = phrases.one(|out| out.put(base)).unwrap_or_default();
        for segment in self.segments.iter_mut().flatten() {
            if let Segment::Metric { from, to, phrase } = segment {
                let slots = slots.get(*from..*to).unwrap_or_default();
                *phrase = phrases.run(|out| put_labels(out, slots, point));
            }
        }
    }
}

/// The segment that begins at a slot, and where the next one does.
fn segment(slots: &[Slot], from: usize, to: usize) -> (Segment, usize) {
    let rest = slots.get(from..to).unwrap_or_default();
    let length = |other: fn(&Value) -> bool| {
        let is_of = |slot: &&Slot| matches!(slot.value, Value::Fixed(_)) || other(&slot.value);
        rest.iter().take_while(is_of).count()
    };
    let metric = length(|value| matches!(value, Value::Namespace | Value::Metric));
    let owner = length(|value| matches!(value, Value::Account | Value::Region));
    if metric == 0 && owner == 0 {
        (Segment::Point(from), from + 1)
    } else if metric >= owner {
        (Segment::Metric { from, to: from + metric, phrase: None }, from + metric)
    } else {
        (Segment::Owner { from, to: from + owner, kind: None }, from + owner)
    }
}

/// The phrase that is a label of the point's own.
#[inline]
fn of_point(
    slot: &Slot,
    point: &Point<'_>,
    value: &mut Vec<u8>,
    phrases: &mut Phrases,
) -> Option<u32> {
    let Value::Joined(_) = slot.value else {
        return phrases.one(|out| put_label(out, &slot.name, slot.value.of(point)));
    };
    value.clear();
    slot.value.push(point, value);
    phrases.one(|out| put_label(out, &slot.name, value))
}
