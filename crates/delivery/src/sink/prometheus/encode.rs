//! `prometheus.TimeSeries` of remote write 1.0, written as Snappy without the plain text.
//!
//! Most of a request is there already when it is written: the labels of a point stand in each of its
//! series, most labels stand in other points too, and so do instants, counts and zeros. All these
//! are looked up by what they are (a phrase, a head, a sample) instead of by their bytes.
//!
//! Always holds: lengths are known before a message is written, so none is patched; what is said to
//! stand somewhere was compared with what stands there. Tables are of fixed size, the latest entry
//! stays, and a miss costs some bytes. Not here: which series there are (`series`).

use metric::wire::{field_len, varint_len};

use super::label::{SERIES_LABEL, delimited, put_label};
use super::name::{NAME, QUANTILE};
use super::phrases::{Phrases, number};
use super::short::Short;
use super::snappy::{Place, Snappy};
use crate::sink::text::{Text, same};

/// Tags of the messages of remote write 1.0 (`prometheus.WriteRequest` and what is in it).
const REQUEST_TIMESERIES: u8 = 1 << 3 | 2;
const SERIES_SAMPLE: u8 = 2 << 3 | 2;
const SAMPLE_VALUE: u8 = 1 << 3 | 1;
const SAMPLE_TIMESTAMP: u8 = 2 << 3;

/// Label name of a name, from its tag to the tag of the value.
const NAME_LABEL: &[u8] = b"\x0a\x08__name__\x12";
/// Bytes of a sample before its value: tag, length, tag.
const VALUE: usize = 3;
/// Before the high bytes of its value, in most whole numbers.
const LOW: usize = VALUE + 5;
/// Before its instant.
const INSTANT: usize = VALUE + 8;

/// Slots for pieces of phrases, names, samples: enough for what repeats within a request.
const TOKENS: usize = 1 << 11;
const NAMES: usize = 1 << 9;
const SAMPLES: usize = 1 << 10;
/// Statistics that every point may have.
const STATISTICS: usize = 8;

/// The labels before `__name__`, between it and `quantile`, and behind that.
const FRONT: usize = 0;
const MIDDLE: usize = 1;
const BACK: usize = 2;

/// One series: the phrases it is made of, between which name and quantile go.
pub(super) struct Series<'a> {
    phrases: &'a Phrases,
    /// Name of the metric without its statistic.
    base: u32,
    /// Labels before `__name__`, between it and `quantile`, and behind that.
    labels: [&'a [u32]; 3],
    /// Bytes of these.
    sizes: [usize; 3],
    /// Number of the statistic, for one that every point may have.
    pub(super) statistic: Option<usize>,
    /// What the statistic appends to the name.
    pub(super) suffix: &'a [u8],
    /// Value of the label `quantile`; empty for none.
    pub(super) quantile: &'a [u8],
}

/// Writes series.
pub(super) struct Encoder {
    text: Snappy,
    /// Where each phrase stands, by its number.
    places: Vec<Place>,
    tokens: Box<[Token]>,
    names: Box<[Names]>,
    samples: Box<[Sample]>,
    name_label: Place,
    /// The last sample of a whole number.
    low: Place,
    /// Instant of the last sample, and where it stands.
    instant: (i64, Place),
    /// Sample of that instant, without its value.
    form: Short,
    suffixes: [Place; STATISTICS],
    quantiles: [Place; STATISTICS],
    label: Text,
    /// The series before, when it is of the same family.
    before: Option<Written>,
    /// Where the names of this family are.
    slot: usize,
}

/// Where the parts of a series stand.
#[derive(Clone, Copy)]
struct Written {
    start: Place,
    sizes: Sizes,
    name: Place,
    base: Place,
    labels: [Place; 3],
}

/// What the lengths in a series say.
#[derive(Clone, Copy)]
struct Sizes {
    /// Content of the series.
    length: usize,
    /// Content of the label `__name__`.
    name: usize,
    /// Its value.
    value: usize,
}

/// A piece of a phrase that has been written: its first bytes behind `from`.
#[derive(Clone, Copy, Default)]
struct Token {
    phrase: u32,
    from: u32,
    place: Place,
}

/// The label `__name__` of the statistics of a metric.
#[derive(Clone, Copy, Default)]
struct Names {
    /// Name of the metric without its statistic.
    base: u32,
    /// Where that stands.
    place: Place,
    labels: [Place; STATISTICS],
}

/// A sample.
#[derive(Clone, Copy, Default)]
struct Sample {
    bits: u64,
    at_ms: i64,
    place: Place,
}

impl Encoder {
    pub(super) fn new() -> Encoder {
        let nowhere = Place::default();
        Encoder {
            text: Snappy::new(),
            places: Vec::new(),
            tokens: vec![Token::default(); TOKENS].into(),
            names: vec![Names::default(); NAMES].into(),
            samples: vec![Sample::default(); SAMPLES].into(),
            name_label: nowhere,
            low: nowhere,
            instant: (0, nowhere),
            form: Short::default(),
            suffixes: [nowhere; STATISTICS],
            quantiles: [nowhere; STATISTICS],
            label: Text::default(),
            before: None,
            slot: 0,
        }
    }

    /// The request, for what is no series and for its end.
    pub(super) fn text(&mut self) -> &mut Snappy {
        &mut self.text
    }

    /// The next series is of another family, whose parts these are. The name is looked up here, once
    /// for all statistics.
    pub(super) fn next_family(&mut self, series: &Series<'_>) {
        self.before = None;
        if self.places.len() < series.phrases.len() {
            self.places.resize(series.phrases.len(), Place::default());
        }
        self.slot = series.base as usize % NAMES;
        let Some(names) = self.names.get_mut(self.slot) else { return };
        if !self.text.knows(names.place) || names.base != series.base {
            *names = Names { base: series.base, ..Names::default() };
        }
    }

    /// Appends a `TimeSeries`; nothing when it has no samples.
    pub(super) fn series(
        &mut self,
        series: &Series<'_>,
        samples: impl Iterator<Item = (f64, i64)> + Clone,
    ) {
        let (instant, _) = self.instant;
        let size = |(_, at_ms): (f64, i64)| match at_ms == instant {
            true if !self.form.as_slice().is_empty() => self.form.as_slice().len(),
            _ => field_len(sample_length(at_ms)),
        };
        let sample_bytes: usize = samples.clone().map(size).sum();
        if sample_bytes == 0 {
            return;
        }
        let value = series.phrases.get(series.base).len() + series.suffix.len();
        let name = field_len(NAME.len()) + field_len(value);
        let quantile = match series.quantile {
            b"" => 0,
            text => quantile_bytes(text),
        };
        let length = series.sizes.iter().sum::<usize>() + field_len(name) + quantile + sample_bytes;
        let sizes = Sizes { length, name, value };
        self.text.reserve(length + 32);
        let before = self.before.take();
        let start = self.text.place();
        let front = self.head(series, sizes, before);
        let name = self.text.place();
        let base = self.name(series, sizes, before);
        let middle = self.labels(series, MIDDLE, before);
        if !series.quantile.is_empty() {
            self.quantile(series);
        }
        let back = self.labels(series, BACK, before);
        self.before = Some(Written { start, sizes, name, base, labels: [front, middle, back] });
        for (value, at_ms) in samples {
            self.sample(value.to_bits(), at_ms);
        }
    }

    /// From the series' tag to the label `__name__`; the place of the labels in between.
    fn head(&mut self, series: &Series<'_>, sizes: Sizes, before: Option<Written>) -> Place {
        let mut bytes = Short::default();
        bytes.head(REQUEST_TIMESERIES, sizes.length);
        let length = bytes.as_slice().len();
        if let Some(before) = before.filter(|before| before.sizes.length == sizes.length) {
            // Nothing differs so far.
            let front = self.text.place().plus(length);
            self.text.copy(before.start, length + series.size(FRONT));
            return front;
        }
        self.text.put(bytes.as_slice());
        self.labels(series, FRONT, before)
    }

    /// The label `__name__`; the place of the name without its statistic.
    fn name(&mut self, series: &Series<'_>, sizes: Sizes, before: Option<Written>) -> Place {
        let Sizes { name, value, .. } = sizes;
        let here = self.text.place();
        let mut bytes = Short::default();
        bytes.head(SERIES_LABEL, name);
        let lengths = bytes.as_slice().len() + varint_len(value as u64);
        let base = here.plus(lengths + NAME_LABEL.len());
        let known = self.named(series, here, base);
        if let Some(before) = before.filter(|before| before.sizes.value == value)
            && series.suffix.is_empty()
        {
            // The same name, with another quantile.
            self.text.copy(before.name, field_len(name));
        } else if self.text.knows(known.1) {
            self.text.copy(known.1, field_len(name));
        } else {
            self.text.put(bytes.as_slice());
            let label = self.text.place();
            self.text.again(std::mem::replace(&mut self.name_label, label), NAME_LABEL);
            bytes = Short::default();
            bytes.varint(value as u64);
            self.text.put(bytes.as_slice());
            let base = series.phrases.get(series.base);
            self.text.again(before.map_or(known.0, |before| before.base), base);
            self.suffix(series);
        }
        base
    }

    /// Where this name without its statistic stands, and the label with it; from now on they stand here.
    fn named(&mut self, series: &Series<'_>, here: Place, base: Place) -> (Place, Place) {
        let Some(names) = self.names.get_mut(self.slot) else {
            return (Place::default(), Place::default());
        };
        let known = std::mem::replace(&mut names.place, base);
        let label = series.statistic.and_then(|number| names.labels.get_mut(number));
        (known, label.map(|label| std::mem::replace(label, here)).unwrap_or_default())
    }

    /// The statistic at the end of a name.
    fn suffix(&mut self, series: &Series<'_>) {
        let known = stood(&mut self.suffixes, series.statistic, self.text.place());
        self.text.again(known, series.suffix);
    }

    /// The label `quantile`.
    fn quantile(&mut self, series: &Series<'_>) {
        let known = stood(&mut self.quantiles, series.statistic, self.text.place());
        if self.text.knows(known) {
            return self.text.copy(known, quantile_bytes(series.quantile));
        }
        self.label.clear();
        put_label(&mut self.label, QUANTILE.as_bytes(), series.quantile);
        self.text.put(self.label.as_slice());
    }

    /// Labels, phrase by phrase when they are not those of the series before.
    fn labels(&mut self, series: &Series<'_>, part: usize, before: Option<Written>) -> Place {
        let here = self.text.place();
        if let Some(before) = before.and_then(|before| before.labels.get(part).copied()) {
            if series.size(part) > 0 {
                self.text.copy(before, series.size(part));
            }
            return here;
        }
        for number in series.labels.get(part).copied().unwrap_or_default() {
            let here = self.text.place();
            let Some(place) = self.places.get_mut(*number as usize) else { continue };
            let known = std::mem::replace(place, here);
            let bytes = series.phrases.get(*number);
            if self.text.knows(known) {
                self.text.copy(known, bytes.len());
            } else {
                self.phrase(series.phrases, *number, bytes);
            }
        }
        here
    }

    /// Appends a phrase that stands nowhere. Some of its labels may, or their names.
    fn phrase(&mut self, phrases: &Phrases, number: u32, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((head, content)) = delimited(rest) {
            let (label, next) = rest.split_at_checked(head + content).unwrap_or((rest, &[]));
            // A label that is a phrase would have been known.
            let is_phrase = label.len() == bytes.len();
            if is_phrase || !self.known(phrases, (number, bytes.len() - rest.len()), label) {
                // The name at least, whose length does not tell that of the value.
                let (lengths, inner) = label.split_at_checked(head).unwrap_or((label, &[]));
                let name = delimited(inner).map_or(inner.len(), |(head, name)| head + name + 1);
                let (name, value) = inner.split_at_checked(name).unwrap_or((inner, &[]));
                self.text.put(lengths);
                if !self.known(phrases, (number, bytes.len() - rest.len() + head), name) {
                    self.text.put(name);
                }
                self.text.put(value);
            }
            rest = next;
        }
    }

    /// Appends a piece of a phrase that stands somewhere; from now on it stands here.
    fn known(&mut self, phrases: &Phrases, (phrase, from): (u32, usize), bytes: &[u8]) -> bool {
        let token = Token { phrase, from: number(from), place: self.text.place() };
        let slot = hash(bytes) as usize % TOKENS;
        let Some(slot) = self.tokens.get_mut(slot) else { return false };
        let known = std::mem::replace(slot, token);
        if !self.text.knows(known.place) {
            return false;
        }
        let from = known.from as usize;
        let stands = phrases.get(known.phrase).get(from..from + bytes.len());
        let found = stands.is_some_and(|stands| same(stands, bytes));
        if found {
            self.text.copy(known.place, bytes.len());
        }
        found
    }

    fn sample(&mut self, bits: u64, at_ms: i64) {
        let here = self.text.place();
        let (known_at, instant_at) = self.instant;
        if known_at != at_ms || self.form.as_slice().is_empty() {
            let length = self.form.as_slice().len();
            self.form = Short::default();
            self.form.head(SERIES_SAMPLE, sample_length(at_ms));
            self.form.put(&[SAMPLE_VALUE]);
            self.form.put(&[0; 8]);
            self.form.put(&[SAMPLE_TIMESTAMP]);
            self.form.varint(at_ms.cast_unsigned());
            self.instant = (at_ms, Place::default());
            if self.form.as_slice().len() != length {
                // Its own length stands in it.
                self.low = Place::default();
            }
        }
        let slot = mix(bits, at_ms.cast_unsigned()) as usize % SAMPLES;
        let sample = Sample { bits, at_ms, place: here };
        let known = self.samples.get_mut(slot).map(|slot| std::mem::replace(slot, sample));
        let known = known.unwrap_or_default();
        if (known.bits, known.at_ms) == (bits, at_ms) && self.text.knows(known.place) {
            return self.text.copy(known.place, self.form.as_slice().len());
        }
        let mut bytes = self.form;
        bytes.set(VALUE, bits.to_le_bytes());
        let (value, instant) = bytes.as_slice().split_at_checked(INSTANT).unwrap_or_default();
        // Whole numbers have nothing in the low bytes.
        if bits << 24 == 0 {
            let place = std::mem::replace(&mut self.low, here);
            let (low, high) = value.split_at_checked(LOW).unwrap_or_default();
            self.text.again(place, low);
            self.text.put(high);
        } else {
            self.text.put(value);
        }
        let here = self.text.place();
        self.text.again(if known_at == at_ms { instant_at } else { Place::default() }, instant);
        self.instant = (at_ms, here);
    }
}

impl<'a> Series<'a> {
    /// Without a statistic.
    pub(super) fn new(phrases: &'a Phrases, base: u32, labels: [&'a [u32]; 3]) -> Series<'a> {
        let size = |part: &[u32]| part.iter().map(|number| phrases.get(*number).len()).sum();
        let sizes = labels.map(size);
        Series { phrases, base, labels, sizes, statistic: None, suffix: b"", quantile: b"" }
    }

    #[inline]
    fn size(&self, part: usize) -> usize {
        self.sizes.get(part).copied().unwrap_or(0)
    }
}

/// Where what belongs to a statistic stood last; from now on it stands here.
fn stood(places: &mut [Place; STATISTICS], statistic: Option<usize>, here: Place) -> Place {
    let place = statistic.and_then(|number| places.get_mut(number));
    place.map(|place| std::mem::replace(place, here)).unwrap_or_default()
}

/// Bytes of the label `quantile`.
fn quantile_bytes(value: &[u8]) -> usize {
    field_len(field_len(QUANTILE.len()) + field_len(value.len()))
}

/// Bytes of a sample at an instant.
fn sample_length(at_ms: i64) -> usize {
    9 + 1 + varint_len(at_ms.cast_unsigned())
}

/// Where a piece is looked up. Who makes pieces collide gets a longer request, nothing else.
#[inline]
fn hash(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<8>();
    let state = blocks
        .iter()
        .fold(bytes.len() as u64, |state, block| mix(state, u64::from_le_bytes(*block)));
    if rest.is_empty() {
        return state;
    }
    // Some of it once more, so that the rest is a whole word too.
    match bytes.last_chunk::<8>() {
        Some(last) => mix(state, u64::from_le_bytes(*last)),
        None => rest.iter().fold(state, |state, byte| mix(state, u64::from(*byte))),
    }
}

#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

#[cfg(test)]
mod tests;
