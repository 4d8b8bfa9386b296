//! The series of an open request: points by series, and their writing when the request is closed.
//!
//! A *family* is what the points of one metric with the same labels have in common; its series
//! differ in the statistic only. Labels are encoded once for each family. Always holds: no two
//! families have the same name and labels, so no two series of a request are the same; samples of a
//! series are written by rising time, one for each instant (the last that came wins). Nothing is
//! allocated once the buffers have grown. Not here: names and labels (`name`, `plan`).

use std::hash::{BuildHasher, RandomState};

use metric::Point;

use super::Naming;
use super::encode::{Encoder, Series, put_label};
use super::plan::{Plan, Value};
use crate::sink::text::Text;

/// Bytes of a series besides labels and names: tags, lengths, statistic, quantile and one sample.
const SERIES_BYTES: usize = 96;
/// Bytes of one more sample.
const SAMPLE_BYTES: usize = 24;
/// Slots of the table to begin with; it doubles when half full.
const TABLE_MIN: usize = 1024;

/// Additional statistics of one point: CloudWatch has twenty at most.
pub(super) const EXTRAS_MAX: usize = 64;

/// The numbers of one point. What is not there is NaN, which is no value of a point.
#[derive(Clone, Copy, Debug)]
struct Held {
    at_ms: i64,
    average: f64,
    maximum: f64,
    minimum: f64,
    sum: f64,
    count: f64,
    /// Its additional statistics, in `Open::extras`.
    extras: (u32, u32),
    /// The point before it in its family plus one; 0 ends the chain.
    before: u32,
}

/// An additional statistic of one point.
#[derive(Clone, Copy, Debug)]
struct Extra {
    /// Its name, in `Open::names`.
    name: (u32, u32),
    value: f64,
}

/// Where base name and labels of a family lie in the arena, one after the other.
#[derive(Clone, Copy, Debug)]
struct Family {
    hash: u64,
    start: u32,
    /// End of the base name, where the labels before `__name__` begin.
    base_end: u32,
    /// End of the labels before `__name__`.
    name_at: u32,
    /// End of the labels before `quantile`.
    quantile_at: u32,
    end: u32,
    /// Its last point plus one.
    last: u32,
    points: u32,
}

/// A statistic that every point may have: what is appended to the name, the quantile, the number.
type Fixed = (&'static [u8], &'static [u8], fn(&Held) -> f64);

const YACE: [Fixed; 5] = [
    (b"_average", b"", |held| held.average),
    (b"_maximum", b"", |held| held.maximum),
    (b"_minimum", b"", |held| held.minimum),
    (b"_sum", b"", |held| held.sum),
    (b"_sample_count", b"", |held| held.count),
];

/// A summary, as OpenTelemetry's formats of metric streams carry a statistic set.
const OTEL: [Fixed; 4] = [
    (b"", b"0", |held| held.minimum),
    (b"", b"1", |held| held.maximum),
    (b"_sum", b"", |held| held.sum),
    (b"_count", b"", |held| held.count),
];

/// Suffixes of the statistics that every point may have.
pub(crate) fn suffixes(naming: Naming) -> impl Iterator<Item = (&'static [u8], &'static [u8])> {
    fixed(naming).iter().map(|(suffix, quantile, _)| (*suffix, *quantile))
}

fn fixed(naming: Naming) -> &'static [Fixed] {
    match naming {
        Naming::Yace => &YACE,
        Naming::Otel => &OTEL,
    }
}

/// Series of one point at most, without additional statistics.
pub(crate) const FIXED_MAX: usize = YACE.len();

/// The open request.
pub(crate) struct Open {
    naming: Naming,
    arena: Text,
    families: Vec<Family>,
    /// Number of a family plus one, by hash; 0 is empty.
    table: Vec<u32>,
    /// Of the hash: senders must not know which labels collide.
    seed: u64,
    held: Vec<Held>,
    extras: Vec<Extra>,
    names: Vec<u8>,
    /// Samples so far, counted before later ones replace earlier ones.
    samples: usize,
    /// Bytes it will have at most.
    bytes: usize,
    value: Vec<u8>,
    run: Vec<Held>,
}

impl Open {
    pub(crate) fn new(naming: Naming) -> Open {
        Open {
            naming,
            arena: Text::default(),
            families: Vec::new(),
            table: vec![0; TABLE_MIN],
            seed: RandomState::new().hash_one(0),
            held: Vec::new(),
            extras: Vec::new(),
            names: Vec::new(),
            samples: 0,
            bytes: 0,
            value: Vec::new(),
            run: Vec::new(),
        }
    }

    /// Points in it.
    pub(crate) fn points(&self) -> usize {
        self.held.len()
    }

    /// Samples in it.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes it has at most.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets everything but the memory.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.families.clear();
        self.table.fill(0);
        self.held.clear();
        self.extras.clear();
        self.names.clear();
        self.samples = 0;
        self.bytes = 0;
    }

    /// Adds an additional statistic of the point that is taken next: its name is appended by `name`,
    /// which says whether it has one. False when it has no place.
    pub(crate) fn extra(&mut self, value: f64, name: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let start = self.names.len();
        let earlier = self.extras.get(self.first_extra() as usize..).unwrap_or_default();
        let named = value.is_finite() && earlier.len() < EXTRAS_MAX && name(&mut self.names);
        let text = self.names.get(start..).unwrap_or_default();
        let taken = earlier.iter().any(|other| name_of(&self.names, other) == text)
            || suffixes(self.naming).any(|(suffix, quantile)| text == suffix || text == quantile);
        if !named || taken {
            self.names.truncate(start);
            return false;
        }
        let name = (number(start), number(self.names.len()));
        self.extras.push(Extra { name, value });
        true
    }

    /// Takes a point, with the additional statistics added since the last one. False, and nothing
    /// taken, when it alone would have more than `bytes_max`.
    pub(crate) fn take(&mut self, plan: &Plan, point: &Point<'_>, bytes_max: usize) -> bool {
        let first = self.first_extra();
        let extras = self.extras.get(first as usize..).unwrap_or_default();
        let names_from = extras.first().map_or(self.names.len(), |extra| extra.name.0 as usize);
        let names = self.names.len() - names_from;
        let series = self.fixed().len() + extras.len();
        let start = self.arena.len();
        let mut family = self.encode(plan, point);
        let series_bytes = self.arena.len() - start + SERIES_BYTES;
        let bytes = series * series_bytes + names;
        if bytes > bytes_max {
            self.arena.truncate(start);
            self.extras.truncate(first as usize);
            self.names.truncate(names_from);
            return false;
        }
        let mean = point.sum.map_or(f64::NAN, |sum| sum / point.count);
        family.last = number(self.held.len() + 1);
        self.held.push(Held {
            at_ms: point.instant_ms(),
            average: mean,
            maximum: point.max.unwrap_or(f64::NAN),
            minimum: point.min.unwrap_or(f64::NAN),
            sum: point.sum.unwrap_or(f64::NAN),
            count: point.count,
            extras: (first, number(self.extras.len())),
            before: 0,
        });
        self.samples += series;
        if self.insert(family) {
            self.bytes += bytes;
        } else {
            self.arena.truncate(start);
            let begun = self.begun();
            self.bytes += begun * series_bytes + (series - begun) * SAMPLE_BYTES + names;
        }
        true
    }

    /// Series that the last point may begin in a family that is there: of additional statistics that
    /// the point before it has not.
    fn begun(&self) -> usize {
        let Some(last) = self.held.last() else { return 0 };
        let before = self.held.get((last.before as usize).wrapping_sub(1));
        let earlier = before.map_or(&[][..], |before| self.extras_of(before));
        let is_new = |extra: &&Extra| {
            let name = name_of(&self.names, extra);
            !earlier.iter().any(|other| name_of(&self.names, other) == name)
        };
        self.extras_of(last).iter().filter(is_new).count()
    }

    /// The first additional statistic of the point that is taken next.
    fn first_extra(&self) -> u32 {
        self.held.last().map_or(0, |held| held.extras.1)
    }

    fn fixed(&self) -> &'static [Fixed] {
        fixed(self.naming)
    }

    /// Appends base name and labels of a point to the arena.
    fn encode(&mut self, plan: &Plan, point: &Point<'_>) -> Family {
        let Open { arena, value, .. } = self;
        let start = arena.len();
        arena.put(&plan.base);
        let base_end = arena.len();
        let (mut name_at, mut quantile_at) = (base_end, base_end);
        for (index, slot) in plan.slots.iter().enumerate() {
            if let Value::Joined(_) = slot.value {
                value.clear();
                slot.value.push(point, value);
                put_label(arena, &slot.name, value);
            } else {
                put_label(arena, &slot.name, slot.value.of(point));
            }
            if index + 1 == plan.before_name {
                name_at = arena.len();
            }
            if index + 1 == plan.before_quantile {
                quantile_at = arena.len();
            }
        }
        let bytes = arena.as_slice().get(start..).unwrap_or_default();
        Family {
            hash: hash(self.seed, bytes),
            start: number(start),
            base_end: number(base_end),
            name_at: number(name_at),
            quantile_at: number(quantile_at),
            end: number(arena.len()),
            last: 0,
            points: 1,
        }
    }

    /// Adds the last point to its family, or the family itself: true when it is new.
    fn insert(&mut self, family: Family) -> bool {
        if (self.families.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let arena = self.arena.as_slice();
        let text = |f: &Family| arena.get(f.start as usize..f.end as usize).unwrap_or_default();
        let mut at = place(family.hash, mask);
        while let Some(slot) = self.table.get_mut(at) {
            let Some(known) = self.families.get_mut((*slot as usize).wrapping_sub(1)) else {
                *slot = number(self.families.len() + 1);
                self.families.push(family);
                return true;
            };
            let lengths = known.base_end - known.start == family.base_end - family.start;
            if known.hash == family.hash && lengths && text(known) == text(&family) {
                if let Some(held) = self.held.last_mut() {
                    held.before = known.last;
                }
                known.last = family.last;
                known.points += 1;
                return false;
            }
            at = (at + 1) & mask;
        }
        false
    }

    #[cold]
    fn grow(&mut self) {
        let size = self.table.len() * 2;
        self.table.clear();
        self.table.resize(size, 0);
        for (index, family) in self.families.iter().enumerate() {
            let mut at = place(family.hash, size - 1);
            while self.table.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = self.table.get_mut(at) {
                *slot = number(index + 1);
            }
        }
    }

    /// Appends all series to a request; how many points were replaced by later ones.
    pub(crate) fn write(&mut self, out: &mut Encoder) -> u64 {
        let mut run = std::mem::take(&mut self.run);
        let mut superseded = 0;
        for family in &self.families {
            run.clear();
            let mut next = family.last;
            while let Some(held) = self.held.get((next as usize).wrapping_sub(1)) {
                run.push(*held);
                next = held.before;
            }
            if run.len() > 1 {
                // The chain begins with the last that came: of equal instants it stays.
                run.sort_by_key(|held| held.at_ms);
                run.dedup_by_key(|held| held.at_ms);
                superseded += u64::from(family.points) - run.len() as u64;
            }
            self.write_family(out, family, &run);
        }
        self.run = run;
        superseded
    }

    fn write_family(&self, out: &mut Encoder, family: &Family, run: &[Held]) {
        let mut series = Series {
            arena: self.arena.as_slice(),
            base: (family.start, family.base_end),
            front: (family.base_end, family.name_at),
            middle: (family.name_at, family.quantile_at),
            back: (family.quantile_at, family.end),
            statistic: None,
            suffix: b"",
            quantile: b"",
        };
        out.next_family(&series);
        for (statistic, (suffix, quantile, number)) in self.fixed().iter().enumerate() {
            series.statistic = Some(statistic);
            (series.suffix, series.quantile) = (suffix, quantile);
            let samples = run.iter().map(|held| (number(held), held.at_ms));
            out.series(&series, samples.filter(|(value, _)| value.is_finite()));
        }
        series.statistic = None;
        for (index, held) in run.iter().enumerate() {
            for extra in self.extras_of(held) {
                let name = name_of(&self.names, extra);
                let named = |held: &Held| {
                    let found =
                        self.extras_of(held).iter().find(|e| name_of(&self.names, e) == name);
                    found.map(|extra| (extra.value, held.at_ms))
                };
                let (earlier, later) = run.split_at_checked(index).unwrap_or_default();
                if earlier.iter().any(|held| named(held).is_some()) {
                    continue;
                }
                (series.suffix, series.quantile) = match self.naming {
                    Naming::Yace => (name, &b""[..]),
                    Naming::Otel => (&b""[..], name),
                };
                out.series(&series, later.iter().filter_map(named));
            }
        }
    }

    fn extras_of(&self, held: &Held) -> &[Extra] {
        let (from, to) = held.extras;
        self.extras.get(from as usize..to as usize).unwrap_or_default()
    }
}

fn name_of<'a>(names: &'a [u8], extra: &Extra) -> &'a [u8] {
    names.get(extra.name.0 as usize..extra.name.1 as usize).unwrap_or_default()
}

/// One multiply-fold per 16 bytes, as the hash of shapes; what is left is padded with zeros, and the
/// length goes in as well.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed;
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        state = mix(state, *block);
    }
    let mut last = [0; 16];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(state, last) ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER)
}

/// An odd constant with well-spread bits, from the fractional digits of pi.
const MULTIPLIER: u64 = 0x243f_6a88_85a3_08d3;

#[inline]
fn mix(state: u64, block: [u8; 16]) -> u64 {
    let block = u128::from_le_bytes(block);
    let (low, high) = (block as u64, (block >> 64) as u64);
    let product = u128::from(state ^ low) * u128::from(high ^ MULTIPLIER);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Where the search for a hash begins.
fn place(hash: u64, mask: usize) -> usize {
    usize::try_from(hash & mask as u64).unwrap_or(0)
}

/// Offsets and numbers of a request, which is far below 4 GiB.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
