//! Which records, and which items of each, are put back.
//!
//! Always: an item is put back once, whatever filters an earlier run had: a record put back whole is
//! known by its hash, one put back in part by a hash for each item.

use metric::{Decoder, Encoder, Format, Point, Reject, Visit};

use super::kept::{Kept, item_id};
use super::ledger::Ledger;

/// What is asked for on the command line.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    /// Arrival at or after, ms.
    pub from_ms: Option<i64>,
    /// Arrival before, ms.
    pub until_ms: Option<i64>,
    /// Patterns of error codes; empty takes all.
    pub codes: Vec<String>,
    pub namespaces: Vec<String>,
    /// Streams they were kept for; empty takes all.
    pub streams: Vec<String>,
    /// Points whose instant is older than this many ms are left out.
    pub skip_older_ms: Option<i64>,
    /// The list of what was put back does not count.
    pub again: bool,
}

impl Wish {
    /// Whether the record as a whole is asked for.
    pub(super) fn takes(&self, kept: &Kept) -> bool {
        self.from_ms.is_none_or(|from| kept.arrival_ms >= from)
            && self.until_ms.is_none_or(|until| kept.arrival_ms < until)
            && (self.codes.is_empty() || self.codes.iter().any(|p| matches(p, &kept.code)))
            && (self.streams.is_empty() || self.streams.contains(&kept.stream))
    }
}

/// `*` stands for any text, `?` for any character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when the last star must take one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, at)) = star else { return false };
                star = Some((after, at + 1));
                (p, t) = (after, at + 1);
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

/// The age limits that are counted, ms; beyond the first a destination may refuse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages {
    /// Points older than this are refused, or may be.
    pub limit_ms: Option<i64>,
    pub now_ms: i64,
}

/// CloudWatch takes points of the last two weeks.
pub(super) const CLOUDWATCH_OLDEST_MS: i64 = 14 * 24 * 3_600_000;

/// What came of one record.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// Ranges of the items to put back; with `whole`, all that were not delivered.
    pub only: Vec<(u32, u32)>,
    /// Nothing was taken out of what had not been delivered.
    pub whole: bool,
    /// Points to put back.
    pub points: u32,
    /// Pieces to put back that are no points.
    pub rejects: u32,
    /// Points that are not of the namespaces asked for.
    pub filtered: u32,
    /// Points put back by an earlier run.
    pub already: u32,
    /// Of `points` and `skipped`: older than the destination takes.
    pub too_old: u32,
    /// Points left out because they are too old.
    pub skipped: u32,
    /// Of `points`: older than CloudWatch takes.
    pub weeks_old: u32,
    pub format: Option<Format>,
}

impl Weighed {
    pub(super) fn is_empty(&self) -> bool {
        self.points == 0 && self.rejects == 0
    }

    /// The items to put back, one by one.
    pub(super) fn items(&self) -> impl Iterator<Item = u32> + '_ {
        self.only.iter().flat_map(|(from, to)| *from..*to)
    }
}

/// Decodes records to see what is in them.
pub(super) struct Scales {
    decoder: Decoder,
}

impl Scales {
    pub(super) fn new() -> Scales {
        Scales { decoder: Decoder::new() }
    }

    /// Which items of `kept` are put back.
    pub(super) fn weigh(
        &mut self,
        kept: &Kept,
        wish: &Wish,
        ages: Ages,
        ledger: Option<&Ledger>,
    ) -> Weighed {
        // Item by item only when there can be something to find.
        let parts = ledger.filter(|ledger| !wish.again && ledger.has_parts());
        let known = parts.map(|ledger| (ledger, kept.id()));
        let asked = &kept.undelivered;
        let weighed = Weighed { whole: true, ..Weighed::default() };
        let mut weighing = Weighing { wish, ages, known, asked, item: 0, weighed };
        self.decoder.decode(&kept.data, &mut weighing);
        weighing.weighed
    }

    /// The points of `ranges` alone, written anew in the record's own format.
    pub(super) fn part(&mut self, data: &[u8], format: Format, ranges: &[(u32, u32)]) -> Vec<u8> {
        struct Part<'a> {
            encoder: Encoder,
            ranges: &'a [(u32, u32)],
            item: u32,
        }
        impl Visit for Part<'_> {
            fn point(&mut self, point: &Point<'_>) {
                if contains(self.ranges, self.item) {
                    self.encoder.push(point);
                }
                self.item += 1;
            }
            fn reject(&mut self, _: &Reject<'_>) {
                self.item += 1;
            }
        }
        let mut part = Part { encoder: Encoder::new(format), ranges, item: 0 };
        self.decoder.decode(data, &mut part);
        let mut out = Vec::new();
        part.encoder.finish(&mut out);
        out
    }
}

struct Weighing<'a> {
    wish: &'a Wish,
    ages: Ages,
    known: Option<(&'a Ledger, u128)>,
    asked: &'a [(u32, u32)],
    item: u32,
    weighed: Weighed,
}

impl Weighing<'_> {
    /// The number of the next item, if it had not been delivered.
    fn next(&mut self) -> Option<u32> {
        let item = self.item;
        self.item += 1;
        (self.asked.is_empty() || contains(self.asked, item)).then_some(item)
    }

    fn is_known(&self, item: u32) -> bool {
        self.known.is_some_and(|(ledger, id)| ledger.knows(item_id(id, item)))
    }

    fn keep(&mut self, item: u32) {
        match self.weighed.only.last_mut() {
            Some((_, end)) if *end == item => *end += 1,
            _ => self.weighed.only.push((item, item + 1)),
        }
    }
}

impl Visit for Weighing<'_> {
    fn point(&mut self, point: &Point<'_>) {
        let Some(item) = self.next() else { return };
        self.weighed.format.get_or_insert(match point.source {
            metric::Source::Json => Format::Json,
            metric::Source::Otel07 => Format::Otel07,
            metric::Source::Otel10 { .. } => Format::Otel10,
        });
        let namespaces = &self.wish.namespaces;
        let wanted = namespaces.is_empty()
            || namespaces.iter().any(|namespace| namespace.as_bytes() == point.namespace);
        let age = self.ages.now_ms.saturating_sub(point.instant_ms());
        if !wanted {
            self.weighed.filtered += 1;
            self.weighed.whole = false;
            return;
        }
        if self.is_known(item) {
            self.weighed.already += 1;
            self.weighed.whole = false;
            return;
        }
        self.weighed.too_old += u32::from(self.ages.limit_ms.is_some_and(|limit| age > limit));
        if self.wish.skip_older_ms.is_some_and(|limit| age > limit) {
            self.weighed.skipped += 1;
            self.weighed.whole = false;
            return;
        }
        self.weighed.weeks_old += u32::from(age > CLOUDWATCH_OLDEST_MS);
        self.weighed.points += 1;
        self.keep(item);
    }

    fn reject(&mut self, _: &Reject<'_>) {
        let Some(item) = self.next() else { return };
        // A piece has no namespace: it is not among what was asked for by one.
        if !self.wish.namespaces.is_empty() || self.is_known(item) {
            self.weighed.whole = false;
            return;
        }
        self.weighed.rejects += 1;
        self.keep(item);
    }
}

/// Ranges are in order and disjoint.
fn contains(ranges: &[(u32, u32)], item: u32) -> bool {
    let after = ranges.partition_point(|(from, _)| *from <= item);
    after.checked_sub(1).and_then(|n| ranges.get(n)).is_some_and(|(_, to)| item < *to)
}

#[cfg(test)]
mod tests;
