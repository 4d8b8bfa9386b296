//! An `ExportMetricsServiceRequest`, walked as far as the check needs.

use xxhash_rust::xxh3::xxh3_64;

use crate::proto::{Field, Fields, each};
use crate::tally::{Check, Seen};

/// Counts the data points of `request`.
pub fn walk(request: &[u8], check: &Check, seen: &mut Seen) {
    each(request, 1, |resource_metrics| {
        let mut resource = 0;
        if matches!(check, Check::Exact) {
            each(resource_metrics, 1, |bytes| resource = xxh3_64(bytes));
        }
        each(resource_metrics, 2, |scope| {
            each(scope, 2, |metric| {
                let mut name: &[u8] = b"";
                for (number, field) in Fields(metric) {
                    match (number, field) {
                        (1, Field::Bytes(bytes)) => name = bytes,
                        // Gauge, sum, histogram, exponential histogram, summary.
                        (5 | 7 | 9 | 10 | 11, Field::Bytes(data)) => {
                            let attributes = match number {
                                9 => 9,
                                10 => 1,
                                _ => 7,
                            };
                            each(data, 1, |point| {
                                data_point(point, attributes, (resource, name), check, seen);
                            });
                        }
                        _ => {}
                    }
                }
            });
        });
    });
}

fn data_point(
    point: &[u8],
    attributes: u64,
    (resource, name): (u64, &[u8]),
    check: &Check,
    seen: &mut Seen,
) {
    match check {
        Check::Count => seen.units += 1,
        Check::Intact(_) => {
            let mut values = 0_u64;
            each(point, attributes, |pair| values = values.wrapping_add(pair_values(pair, check)));
            seen.intact(values);
        }
        Check::Exact => {
            let (mut hash, mut second) = (resource ^ xxh3_64(name), 0);
            for (number, field) in Fields(point) {
                match field {
                    Field::Bytes(pair) if number == attributes => {
                        hash = hash.wrapping_add(xxh3_64(pair));
                    }
                    Field::Fixed64(time) if number == 3 => second = time / 1_000_000_000,
                    _ => {}
                }
            }
            seen.exact(second, hash);
        }
    }
}

/// The sum of the values of dimensions in a key and value, however deep.
fn pair_values(pair: &[u8], check: &Check) -> u64 {
    let mut sum = 0_u64;
    each(pair, 2, |value| {
        for (number, field) in Fields(value) {
            match (number, field) {
                (1, Field::Bytes(text)) => sum = sum.wrapping_add(check.values(text)),
                (6, Field::Bytes(list)) => {
                    each(list, 1, |inner| sum = sum.wrapping_add(pair_values(inner, check)));
                }
                _ => {}
            }
        }
    });
    sum
}
