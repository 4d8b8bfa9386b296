//! `prometheus.TimeSeries` of remote write 1.0, written into a request without a tree.
//!
//! Always holds: lengths are known before a message is written, so none is patched. Not here: which
//! series there are (`series`).

use metric::wire::varint_len;

use super::name::{NAME, QUANTILE};
use crate::sink::text::Text;

/// Tags of the messages of remote write 1.0 (`prometheus.WriteRequest` and what is in it).
const REQUEST_TIMESERIES: u8 = 1 << 3 | 2;
const SERIES_LABEL: u8 = 1 << 3 | 2;
const SERIES_SAMPLE: u8 = 2 << 3 | 2;
const LABEL_NAME: u8 = 1 << 3 | 2;
const LABEL_VALUE: u8 = 2 << 3 | 2;
const SAMPLE_VALUE: u8 = 1 << 3 | 1;
const SAMPLE_TIMESTAMP: u8 = 2 << 3;

/// One series: its labels in pieces, between which name and quantile go.
pub(crate) struct Series<'a> {
    /// Name of the metric without its statistic.
    pub(crate) base: &'a [u8],
    /// Labels before `__name__`.
    pub(crate) front: &'a [u8],
    /// Labels between `__name__` and `quantile`.
    pub(crate) middle: &'a [u8],
    /// Labels behind `quantile`.
    pub(crate) back: &'a [u8],
    /// What the statistic appends to the name.
    pub(crate) suffix: &'a [u8],
    /// Value of the label `quantile`; empty for none.
    pub(crate) quantile: &'a [u8],
}

impl Series<'_> {
    /// Appends a `TimeSeries`; nothing when it has no samples.
    pub(crate) fn write(&self, out: &mut Text, samples: impl Iterator<Item = (f64, i64)> + Clone) {
        let sample_bytes: usize =
            samples.clone().map(|(_, at)| field(9 + 1 + varint_len(at.cast_unsigned()))).sum();
        if sample_bytes == 0 {
            return;
        }
        let value = self.base.len() + self.suffix.len();
        let name = field(NAME.len()) + field(value);
        let quantile = match self.quantile {
            b"" => 0,
            text => field(field(QUANTILE.len()) + field(text.len())),
        };
        let labels = self.front.len() + self.middle.len() + self.back.len();
        let length = labels + field(name) + quantile + sample_bytes;
        out.reserve(length + 8);
        put_head(out, REQUEST_TIMESERIES, length);
        out.put(self.front);
        put_head(out, SERIES_LABEL, name);
        put_head(out, LABEL_NAME, NAME.len());
        out.put(NAME.as_bytes());
        put_head(out, LABEL_VALUE, value);
        out.put(self.base);
        out.put(self.suffix);
        out.put(self.middle);
        if !self.quantile.is_empty() {
            put_label(out, QUANTILE.as_bytes(), self.quantile);
        }
        out.put(self.back);
        for (value, at_ms) in samples {
            put_head(out, SERIES_SAMPLE, 9 + 1 + varint_len(at_ms.cast_unsigned()));
            out.push(SAMPLE_VALUE);
            out.put(&value.to_le_bytes());
            out.push(SAMPLE_TIMESTAMP);
            put_varint(out, at_ms.cast_unsigned());
        }
    }
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
