//! A label of remote write 1.0, as it stands in a series.

use metric::wire::{Reader, field_len, varint_len};

use crate::sink::text::Text;

/// Tags of `prometheus.TimeSeries.labels` and of what is in a label.
pub(super) const SERIES_LABEL: u8 = 1 << 3 | 2;
pub(super) const LABEL_NAME: u8 = 1 << 3 | 2;
pub(super) const LABEL_VALUE: u8 = 2 << 3 | 2;

/// Appends a label of a series; one without a value is no label.
#[inline]
pub(super) fn put_label(out: &mut Text, name: &[u8], value: &[u8]) {
    if value.is_empty() {
        return;
    }
    let length = field_len(name.len()) + field_len(value.len());
    out.reserve(length + 8);
    put_head(out, SERIES_LABEL, length);
    put_head(out, LABEL_NAME, name.len());
    out.put(name);
    put_head(out, LABEL_VALUE, value.len());
    out.put(value);
}

/// Bytes of a delimited field before its content and in it.
#[inline]
pub(super) fn delimited(bytes: &[u8]) -> Option<(usize, usize)> {
    if let [_, length @ 0..0x80, ..] = bytes {
        return Some((2, usize::from(*length)));
    }
    let mut reader = Reader::new(bytes);
    reader.tag()?;
    let content = reader.bytes()?.len();
    Some((1 + varint_len(content as u64), content))
}

#[inline]
fn put_head(out: &mut Text, tag: u8, length: usize) {
    out.push(tag);
    let mut value = length as u64;
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}
