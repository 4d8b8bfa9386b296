//! The series of an open request: points by series, and their writing when the request is closed.
//!
//! A *family* is what the points of one metric with the same labels have in common; its series
//! differ in the statistic only. Labels are encoded once for each family. Always holds: no two
//! families have the same name and labels, so no two series of a request are the same; samples of a
//! series are written by rising time, one for each instant (the last that came wins). Nothing is
//! allocated once the buffers have grown. Not here: names and labels (`name`, `plan`).

use metric::Point;

use super::Naming;
use super::encode::{Encoder, Series};
use super::families::{Families, Family};
use super::owner::Owner;
use super::parts::Request;
use super::phrases::{Phrases, number};
use super::plan::Plan;

/// Bytes of a series besides labels and names: tags, lengths, statistic, quantile and one sample.
const SERIES_BYTES: usize = 96;
/// Bytes of one more sample.
const SAMPLE_BYTES: usize = 24;
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
    /// Its number, from 1 on: what a plan remembers is of one request.
    request: u64,
    owner: Owner,
    phrases: Phrases,
    families: Families,
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
            request: 1,
            owner: Owner::default(),
            phrases: Phrases::new(),
            families: Families::default(),
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
        self.request += 1;
        self.phrases.clear();
        self.families.clear();
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
    pub(crate) fn take(&mut self, plan: &mut Plan, point: &Point<'_>, bytes_max: usize) -> bool {
        let first = self.first_extra();
        let extras = self.extras.get(first as usize..).unwrap_or_default();
        let names_from = extras.first().map_or(self.names.len(), |extra| extra.name.0 as usize);
        let names = self.names.len() - names_from;
        let series = self.fixed().len() + extras.len();
        let said = self.phrases.bytes();
        let mut family = self.family(plan, point);
        let series_bytes = self.families.bytes(&family, &self.phrases) + SERIES_BYTES;
        let bytes = series * series_bytes + names;
        if bytes > bytes_max {
            self.families.forget(&family);
            self.extras.truncate(first as usize);
            self.names.truncate(names_from);
            // Its phrases stay until the request is closed, so many of them must close it.
            self.bytes += self.phrases.bytes() - said;
            if self.held.is_empty() {
                self.clear();
            }
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
        let last = family.last;
        let Some(known) = self.families.insert(family, &self.phrases) else {
            self.bytes += bytes;
            return true;
        };
        let before = std::mem::replace(&mut known.last, last);
        known.points += 1;
        if let Some(held) = self.held.last_mut() {
            held.before = before;
        }
        let begun = self.begun();
        self.bytes += begun * series_bytes + (series - begun) * SAMPLE_BYTES + names;
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

    /// The family of a point, whose phrases are the last in the list.
    fn family(&mut self, plan: &mut Plan, point: &Point<'_>) -> Family {
        let Open { request, owner, phrases, families, value, .. } = self;
        let request = Request { number: *request, owner, phrases };
        let start = families.next().len();
        let spoken = plan.speak(point, request, value, families.next());
        families.family(start, spoken, phrases)
    }

    /// Appends all series to a request; how many points were replaced by later ones.
    pub(crate) fn write(&mut self, out: &mut Encoder) -> u64 {
        let mut run = std::mem::take(&mut self.run);
        let mut superseded = 0;
        for family in self.families.all() {
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
        let list = self.families.list();
        let labels = family
            .parts()
            .map(|(from, to)| list.get(from as usize..to as usize).unwrap_or_default());
        let mut series = Series::new(&self.phrases, family.base, labels);
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
