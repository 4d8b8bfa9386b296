//! `prometheus.TimeSeries` of remote write 1.0, written as Snappy without the plain text.
//!
//! Most of a request is there already when it is written: the labels of a point stand in each of its
//! series, most labels stand in other points too, and so do instants, counts and zeros. All these
//! are looked up by what they are (a label, a head, a sample) instead of by their bytes.
//!
//! Always holds: lengths are known before a message is written, so none is patched; what is said to
//! stand somewhere was compared with what stands there. Tables are of fixed size, the latest entry
//! stays, and a miss costs some bytes. Not here: which series there are (`series`).

use metric::wire::varint_len;

use super::name::{NAME, QUANTILE};
use super::short::Short;
use super::snappy::{Place, Snappy};
use crate::sink::text::{Text, same};

/// Tags of the messages of remote write 1.0 (`prometheus.WriteRequest` and what is in it).
const REQUEST_TIMESERIES: u8 = 1 << 3 | 2;
const SERIES_LABEL: u8 = 1 << 3 | 2;
const SERIES_SAMPLE: u8 = 2 << 3 | 2;
const LABEL_NAME: u8 = 1 << 3 | 2;
const LABEL_VALUE: u8 = 2 << 3 | 2;
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

/// Slots for labels, names, samples: enough for what repeats within a request.
const TOKENS: usize = 1 << 12;
const NAMES: usize = 1 << 9;
const SAMPLES: usize = 1 << 10;
/// Statistics that every point may have.
const STATISTICS: usize = 8;

/// One series: where its parts lie in the arena, between which name and quantile go.
pub(crate) struct Series<'a> {
    /// Where the parts lie.
    pub(crate) arena: &'a [u8],
    /// Name of the metric without its statistic.
    pub(crate) base: (u32, u32),
    /// Labels before `__name__`.
    pub(crate) front: (u32, u32),
    /// Labels between `__name__` and `quantile`.
    pub(crate) middle: (u32, u32),
    /// Labels behind `quantile`.
    pub(crate) back: (u32, u32),
    /// Number of the statistic, for one that every point may have.
    pub(crate) statistic: Option<usize>,
    /// What the statistic appends to the name.
    pub(crate) suffix: &'a [u8],
    /// Value of the label `quantile`; empty for none.
    pub(crate) quantile: &'a [u8],
}

/// Writes series.
pub(crate) struct Encoder {
    text: Snappy,
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
    front: Place,
    name: Place,
    base: Place,
    middle: Place,
    back: Place,
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

/// A piece of the arena that has been written.
#[derive(Clone, Copy, Default)]
struct Token {
    from: u32,
    to: u32,
    place: Place,
}

/// The label `__name__` of the statistics of a metric.
#[derive(Clone, Copy, Default)]
struct Names {
    /// Name of the metric without its statistic, in the arena.
    base: (u32, u32),
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
    pub(crate) fn new() -> Encoder {
        let nowhere = Place::default();
        Encoder {
            text: Snappy::new(),
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
    pub(crate) fn text(&mut self) -> &mut Snappy {
        &mut self.text
    }

    /// The next series is of another family, whose parts these are. The name is looked up here, once
    /// for all statistics.
    pub(crate) fn next_family(&mut self, series: &Series<'_>) {
        self.before = None;
        let bytes = series.part(series.base);
        self.slot = hash(bytes) as usize % NAMES;
        let Some(names) = self.names.get_mut(self.slot) else { return };
        if !self.text.knows(names.place) || !same(series.part(names.base), bytes) {
            *names = Names::default();
        }
        names.base = series.base;
    }

    /// Appends a `TimeSeries`; nothing when it has no samples.
    pub(crate) fn series(
        &mut self,
        series: &Series<'_>,
        samples: impl Iterator<Item = (f64, i64)> + Clone,
    ) {
        let sample_bytes: usize = samples.clone().map(|(_, at)| field(sample_length(at))).sum();
        if sample_bytes == 0 {
            return;
        }
        let size = |(from, to): (u32, u32)| (to - from) as usize;
        let value = size(series.base) + series.suffix.len();
        let name = field(NAME.len()) + field(value);
        let quantile = match series.quantile {
            b"" => 0,
            text => field(field(QUANTILE.len()) + field(text.len())),
        };
        let labels = size(series.front) + size(series.middle) + size(series.back);
        let length = labels + field(name) + quantile + sample_bytes;
        let sizes = Sizes { length, name, value };
        self.text.reserve(length + 32);
        let before = self.before.take();
        let start = self.text.place();
        let front = self.head(series, sizes, before);
        let name = self.text.place();
        let base = self.name(series, sizes, before);
        let middle = self.labels(series, series.middle, before.map(|before| before.middle));
        if !series.quantile.is_empty() {
            self.quantile(series);
        }
        let back = self.labels(series, series.back, before.map(|before| before.back));
        self.before = Some(Written { start, sizes, front, name, base, middle, back });
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
            self.text.copy(before.start, length + (series.front.1 - series.front.0) as usize);
            return front;
        }
        self.text.put(bytes.as_slice());
        self.labels(series, series.front, before.map(|before| before.front))
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
            self.text.copy(before.name, field(name));
        } else if self.text.knows(known.1) {
            self.text.copy(known.1, field(name));
        } else {
            self.text.put(bytes.as_slice());
            let label = self.text.place();
            self.text.again(std::mem::replace(&mut self.name_label, label), NAME_LABEL);
            bytes = Short::default();
            bytes.varint(value as u64);
            self.text.put(bytes.as_slice());
            self.text.again(before.map_or(known.0, |before| before.base), series.part(series.base));
            self.fixed(series, |encoder| &mut encoder.suffixes, series.suffix);
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

    /// What each point may have, and where it stood last.
    fn fixed(
        &mut self,
        series: &Series<'_>,
        places: impl Fn(&mut Encoder) -> &mut [Place; STATISTICS],
        bytes: &[u8],
    ) {
        let here = self.text.place();
        let slot = series.statistic.and_then(|number| places(self).get_mut(number));
        let known = slot.map(|slot| std::mem::replace(slot, here)).unwrap_or_default();
        self.text.again(known, bytes);
    }

    fn quantile(&mut self, series: &Series<'_>) {
        let mut label = std::mem::take(&mut self.label);
        label.clear();
        put_label(&mut label, QUANTILE.as_bytes(), series.quantile);
        self.fixed(series, |encoder| &mut encoder.quantiles, label.as_slice());
        self.label = label;
    }

    /// Labels, each by itself when they are not those of the series before.
    fn labels(
        &mut self,
        series: &Series<'_>,
        (mut from, to): (u32, u32),
        before: Option<Place>,
    ) -> Place {
        let here = self.text.place();
        if let Some(before) = before {
            self.text.again(before, series.part((from, to)));
            return here;
        }
        while from < to {
            let rest = series.part((from, to));
            let Some((head, label)) = delimited(rest) else {
                self.text.put(rest);
                break;
            };
            let next = from + head + label;
            if !self.known(series, (from, next)) {
                // The name at least, whose length does not tell that of the value.
                let name = delimited(rest.get(head as usize..).unwrap_or_default());
                let name = name.map_or(label, |(head, name)| head + name + 1);
                let inner = from + head;
                self.text.put(series.part((from, inner)));
                self.piece(series, (inner, inner + name));
                self.text.put(series.part((inner + name, next)));
            }
            from = next;
        }
        here
    }

    /// Appends a piece of the arena, from where it stands if it does.
    fn piece(&mut self, series: &Series<'_>, part: (u32, u32)) {
        if !self.known(series, part) {
            self.text.put(series.part(part));
        }
    }

    /// Appends a piece of the arena that stands somewhere; from now on it stands here.
    fn known(&mut self, series: &Series<'_>, part: (u32, u32)) -> bool {
        let bytes = series.part(part);
        let place = self.text.place();
        let slot = hash(bytes) as usize % TOKENS;
        let token = Token { from: part.0, to: part.1, place };
        let Some(slot) = self.tokens.get_mut(slot) else { return false };
        let known = std::mem::replace(slot, token);
        let found =
            self.text.knows(known.place) && same(series.part((known.from, known.to)), bytes);
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

impl Series<'_> {
    #[inline]
    fn part(&self, (from, to): (u32, u32)) -> &[u8] {
        self.arena.get(from as usize..to as usize).unwrap_or_default()
    }
}

/// Bytes of a delimited field before its content and in it.
#[inline]
fn delimited(bytes: &[u8]) -> Option<(u32, u32)> {
    if let [_, length @ 0..0x80, ..] = bytes {
        return Some((2, u32::from(*length)));
    }
    let mut reader = metric::wire::Reader::new(bytes);
    reader.tag()?;
    let content = reader.bytes()?.len();
    Some((u32::try_from(1 + varint_len(content as u64)).ok()?, u32::try_from(content).ok()?))
}

/// Appends a label of a series; one without a value is no label.
pub(crate) fn put_label(out: &mut Text, name: &[u8], value: &[u8]) {
    if value.is_empty() {
        return;
    }
    let length = field(name.len()) + field(value.len());
    out.reserve(length + 8);
    put_head(out, SERIES_LABEL, length);
    put_head(out, LABEL_NAME, name.len());
    out.put(name);
    put_head(out, LABEL_VALUE, value.len());
    out.put(value);
}

/// Bytes of a field with a tag of one byte and a length.
fn field(content: usize) -> usize {
    1 + varint_len(content as u64) + content
}

/// Bytes of a sample at an instant.
fn sample_length(at_ms: i64) -> usize {
    9 + 1 + varint_len(at_ms.cast_unsigned())
}

#[inline]
fn put_head(out: &mut Text, tag: u8, length: usize) {
    out.push(tag);
    put_varint(out, length as u64);
}

#[inline]
fn put_varint(out: &mut Text, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
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
