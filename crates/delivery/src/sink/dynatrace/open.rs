//! The open parcel: its lines so far, and the pieces they share.

use metric::Point;

use super::added::Added;
use super::dimension::push_value;
use super::gauge::Gauge;
use super::prepared::Prepared;
use super::{Losses, key, metadata};
use crate::sink::number::{Decimal, push_unsigned};
use crate::sink::text::{Text, same};

/// Most bytes of one line, its line end and a metadata line before it included: a key twice, fifty
/// dimensions of at most 100 + 4 * 255 + 4 bytes, four numbers of at most 330, and words. The
/// server's limit of 50,000 *characters* is out of reach by the same sum.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// CloudWatch takes at most 20 additional statistics for a metric; more on one point are left out.
pub(crate) const EXTRAS_MAX: usize = 20;

/// Room kept for the percentiles of one point, for which [`LINE_BYTES_MAX`] each would be more than
/// a request. Real lines have some hundred bytes; what does not fit is left out.
pub(crate) const EXTRAS_BYTES: usize = 128 * 1024;

/// What the platform's own queries look for on data of metric streams; always the last dimension.
/// It closes the one before it.
const SOURCE: &[u8] = b"\",dt.source=\"AWS Metric Streams\" gauge,";

/// The open parcel.
#[derive(Default)]
pub(crate) struct Open {
    /// The lines, separated by line ends.
    pub(crate) text: Text,
    /// How many lines.
    pub(crate) lines: usize,
    /// Shapes whose unit it announces.
    pub(crate) announcing: Vec<usize>,
    /// What lines could not carry, since the start.
    pub(crate) losses: Losses,
    added: Added,
    owner: Owner,
    clock: Clock,
    suffix: Vec<u8>,
    key: Vec<u8>,
}

/// Account and region of the point before, and their text.
#[derive(Default)]
struct Owner {
    account: Vec<u8>,
    region: Vec<u8>,
    /// `,aws.account.id="111122223333",aws.region="eu-west-1`: the last quote is closed by what follows.
    text: Text,
}

impl Owner {
    #[inline]
    fn text(&mut self, point: &Point<'_>) -> &[u8] {
        if !same(&self.account, point.account) || !same(&self.region, point.region) {
            self.change(point);
        }
        self.text.as_slice()
    }

    #[cold]
    fn change(&mut self, point: &Point<'_>) {
        self.account.clear();
        self.account.extend_from_slice(point.account);
        self.region.clear();
        self.region.extend_from_slice(point.region);
        self.text.clear();
        let known =
            [(&b",aws.account.id=\""[..], point.account), (b",aws.region=\"", point.region)];
        for (opening, value) in known {
            // A dimension without a value would make the whole line invalid, so none is written.
            if value.is_empty() {
                continue;
            }
            if self.text.len() > 0 {
                self.text.push(b'"');
            }
            self.text.put(opening);
            push_value(&mut self.text, value);
        }
    }
}

/// Time of the line before, and its text: ` 1795176000000`.
#[derive(Default)]
struct Clock {
    time_ms: Option<i64>,
    text: Vec<u8>,
}

impl Clock {
    #[inline]
    fn text(&mut self, time_ms: i64) -> &[u8] {
        if self.time_ms != Some(time_ms) {
            self.change(time_ms);
        }
        &self.text
    }

    #[cold]
    fn change(&mut self, time_ms: i64) {
        self.time_ms = Some(time_ms);
        self.text.clear();
        self.text.push(b' ');
        push_unsigned(&mut self.text, u64::try_from(time_ms).unwrap_or(0));
    }
}

impl Open {
    /// Forgets the lines; counters and buffers stay.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.lines = 0;
    }

    /// Announces the unit of a key, if it has one. The shape is remembered until the parcel is closed.
    #[cold]
    pub(crate) fn announce(&mut self, point: &Point<'_>, prepared: &mut Prepared, index: usize) {
        prepared.announced = true;
        if let Some(unit) = metadata::unit_id(&point.unit) {
            self.begin_line();
            metadata::push_line(&mut self.text, prepared.key.text.as_bytes(), unit);
            self.announcing.push(index);
        }
    }

    /// Writes the line of a gauge.
    pub(crate) fn write(
        &mut self,
        point: &Point<'_>,
        prepared: &Prepared,
        gauge: &Gauge,
        time_ms: i64,
    ) {
        self.begin_line();
        let empty = self.write_head(prepared.key.text.as_bytes(), prepared, point);
        self.losses.dimensions_empty += empty;
        if !point.attributes.is_empty() {
            self.losses.add_dimensions(self.added.lost());
        }
        if let Some(losses) = &prepared.losses {
            self.losses.add_shape(losses);
        }
        self.write_numbers(gauge);
        self.text.put(self.clock.text(time_ms));
    }

    /// Lines are separated, not ended, so that the text has no empty last line.
    #[inline]
    fn begin_line(&mut self) {
        if self.lines > 0 {
            self.text.push(b'\n');
        }
        self.lines += 1;
    }

    /// Key, dimensions and the word `gauge,`. Returns how many dimensions had no value.
    #[inline]
    fn write_head(&mut self, key: &[u8], prepared: &Prepared, point: &Point<'_>) -> u64 {
        let out = &mut self.text;
        out.reserve(LINE_BYTES_MAX);
        out.put(key);
        let owner = self.owner.text(point);
        out.put(owner);
        let mut unopened = owner.is_empty();
        let mut empty = 0;
        for dimension in &prepared.dimensions {
            let value = dimension.value(point);
            if value.is_empty() {
                empty += 1;
                continue;
            }
            out.put(closing_if_opened(&dimension.opening, unopened));
            unopened = false;
            push_value(out, value);
        }
        if !point.attributes.is_empty() {
            unopened = self.added.write(point, prepared, (out, unopened));
        }
        out.put(closing_if_opened(SOURCE, unopened));
        empty
    }

    /// Two of five points were measured once, so their minimum, maximum and sum are one number,
    /// written once and copied.
    #[inline]
    fn write_numbers(&mut self, gauge: &Gauge) {
        let out = &mut self.text;
        out.put(b"min=");
        let first = out.len();
        out.put(Decimal::new().text(gauge.min));
        let text = first..out.len();
        out.put(b",max=");
        push_again(out, gauge.max, gauge.min, text.clone());
        out.put(b",sum=");
        push_again(out, gauge.sum, gauge.min, text);
        out.put(b",count=");
        out.put(Decimal::new().text(gauge.count));
    }

    /// Writes a gauge of its own for each percentile of a point, if wanted; counts what is left out.
    #[cold]
    pub(crate) fn write_extras(
        &mut self,
        point: &Point<'_>,
        prepared: &Prepared,
        wanted: bool,
        time_ms: i64,
    ) {
        let mut written = 0;
        let limit = self.text.len() + EXTRAS_BYTES;
        for extra in point.extra {
            if extra.statistic.quantile().is_none() {
                self.losses.statistics_left_out += 1;
                continue;
            }
            let fits = written < EXTRAS_MAX && self.text.len() + LINE_BYTES_MAX <= limit;
            if !wanted || !fits {
                self.losses.percentiles_left_out += 1;
                continue;
            }
            written += 1;
            let key = self.percentile_key(prepared, &extra.statistic);
            self.begin_line();
            self.write_head(&key, prepared, point);
            self.key = key;
            self.text.put(Decimal::new().text(extra.value));
            self.text.put(self.clock.text(time_ms));
        }
    }

    /// `<key>.p99`, in a buffer to be given back. A later section may not begin with a digit on
    /// every server, so the name of the percentile is one section: `p99_9`.
    fn percentile_key(
        &mut self,
        prepared: &Prepared,
        statistic: &metric::Statistic<'_>,
    ) -> Vec<u8> {
        self.suffix.clear();
        statistic.write_name(&mut self.suffix);
        self.suffix.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b'_');
        self.suffix.make_ascii_lowercase();
        let room = key::KEY_MAX.saturating_sub(self.suffix.len() + 1);
        let cut = key::fit(&prepared.key.text, room);
        let base = cut.as_ref().unwrap_or(&prepared.key.text);
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.extend_from_slice(base.as_bytes());
        key.push(b'.');
        key.extend_from_slice(&self.suffix);
        key
    }
}

/// Every opening begins with the quote that closes the dimension before it; the first has none.
#[inline]
pub(super) fn closing_if_opened(opening: &[u8], unopened: bool) -> &[u8] {
    match opening.split_first() {
        Some((_, rest)) if unopened => rest,
        _ => opening,
    }
}

#[inline]
fn push_again(out: &mut Text, value: f64, written: f64, text: std::ops::Range<usize>) {
    if value.to_bits() == written.to_bits() {
        out.repeat(text);
    } else {
        out.put(Decimal::new().text(value));
    }
}
