//! Any bytes: no panic, text is UTF-8, numbers are finite, rejects lie in the record, and the same
//! bytes give the same items whatever was decoded before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metric::{Decoder, Point, Reject, Shapes, Visit};

struct Strict<'r> {
    record: &'r [u8],
    /// Offsets count inflated bytes in a gzip record, which this target cannot see.
    plain: bool,
    shapes: &'r mut Shapes,
    items: Vec<String>,
}

impl Visit for Strict<'_> {
    fn point(&mut self, point: &Point<'_>) {
        assert!(!point.namespace.is_empty() && !point.name.is_empty());
        let texts = [point.stream, point.exporter_arn, point.account, point.region];
        let more = [point.namespace, point.name, point.unit.otel(), point.unit.cloudwatch()];
        let pairs = point.dimensions.iter().flat_map(|(name, value)| [*name, *value]);
        for text in texts.into_iter().chain(more).chain(pairs) {
            assert!(std::str::from_utf8(text).is_ok());
        }
        let numbers = [point.min, point.max, point.sum, Some(point.count)];
        let extra = point.extra.iter().map(|extra| extra.value);
        assert!(numbers.into_iter().flatten().chain(extra).all(f64::is_finite));
        assert_eq!(self.shapes.intern(point), self.shapes.intern(point));
        self.items.push(format!("{point:?}"));
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        if self.plain {
            let end = reject.offset + reject.bytes.len();
            assert_eq!(self.record.get(reject.offset..end), Some(reject.bytes));
        }
        self.items.push(format!("{reject:?}"));
    }
}

fuzz_target!(|record: &[u8]| {
    metric::sniff(record);
    let mut shapes = Shapes::new();
    let mut used = Decoder::new();
    let mut decode = |decoder: &mut Decoder| {
        let plain = !record.starts_with(&[0x1f, 0x8b]);
        let mut visit = Strict { record, plain, shapes: &mut shapes, items: Vec::new() };
        decoder.decode(record, &mut visit);
        visit.items
    };
    let first = decode(&mut used);
    assert_eq!(first, decode(&mut used));
    assert_eq!(first, decode(&mut Decoder::new()));
});
