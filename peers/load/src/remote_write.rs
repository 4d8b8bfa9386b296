//! A Prometheus remote write request (1.0), walked as far as the check needs.

use xxhash_rust::xxh3::xxh3_64;

use crate::proto::{Field, Fields, each};
use crate::tally::{Check, Seen};

/// Counts the samples of `request`.
pub fn walk(request: &[u8], check: &Check, seen: &mut Seen) {
    each(request, 1, |series| match check {
        Check::Count => each(series, 2, |_sample| seen.units += 1),
        Check::Intact(_) => {
            let mut values = 0_u64;
            each(series, 1, |label| {
                each(label, 2, |text| values = values.wrapping_add(check.values(text)));
            });
            each(series, 2, |_sample| seen.intact(values));
        }
        Check::Exact => {
            let mut labels = 0_u64;
            each(series, 1, |label| labels = labels.wrapping_add(xxh3_64(label)));
            each(series, 2, |sample| seen.exact(seconds(sample), labels));
        }
    });
}

fn seconds(sample: &[u8]) -> u64 {
    let mut rest = sample;
    while let Some((tag, after)) = crate::proto::varint(rest) {
        if tag == (2 << 3) {
            return crate::proto::varint(after).map_or(0, |(ms, _)| ms / 1000);
        }
        let mut fields = Fields(rest);
        match fields.next() {
            Some((_, Field::Varint | Field::Fixed64(_) | Field::Bytes(_) | Field::Fixed32)) => {
                rest = fields.0;
            }
            None => return 0,
        }
    }
    0
}
