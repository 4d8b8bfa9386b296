//! Points of which no two are alike: one series for each delivery and item, in the minute at hand.

use std::time::{SystemTime, UNIX_EPOCH};

use metric::{Encoder, Format, Point, Unit};

/// Points of a record: what a message of a metric stream holds.
const RECORD_POINTS: u32 = 100;
const MINUTE_NS: u64 = 60_000_000_000;
const NAMES: [&str; 3] = ["Requests", "Latency", "Errors"];

/// The namespace of every point.
pub(crate) const NAMESPACE: &str = "House/Test";

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// The points of one delivery: its number, how many, and their minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) number: u64,
    pub(crate) count: u32,
    start_ns: u64,
}

impl Batch {
    pub(crate) fn new(number: u64, count: u32) -> Batch {
        let now_ns = u64::try_from(now_ms()).unwrap() * 1_000_000;
        Batch { number, count, start_ns: now_ns / MINUTE_NS * MINUTE_NS }
    }

    /// Calls `visit` for each point.
    pub(crate) fn each(&self, mut visit: impl FnMut(u32, &Point<'_>)) {
        let delivery = self.number.to_string();
        for (n, name) in (0..self.count).zip(NAMES.iter().cycle()) {
            let item = n.to_string();
            let low = f64::from(n % 50);
            visit(
                n,
                &Point {
                    stream: b"house",
                    account: b"111122223333",
                    region: b"eu-west-1",
                    dimensions: &[(b"Delivery", delivery.as_bytes()), (b"Item", item.as_bytes())],
                    unit: Unit::parse(b"Count"),
                    start_ns: self.start_ns,
                    end_ns: Some(self.start_ns + MINUTE_NS),
                    min: Some(low),
                    max: Some(low + 2.0),
                    sum: Some(3.0 * low + 3.0),
                    count: 3.0,
                    ..Point::of(NAMESPACE.as_bytes(), name.as_bytes())
                },
            );
        }
    }

    /// The records that hold them.
    pub(crate) fn records(&self, format: Format) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(format);
        let mut records = Vec::new();
        self.each(|n, point| {
            encoder.push(point);
            if (n + 1).is_multiple_of(RECORD_POINTS) || n + 1 == self.count {
                let mut record = Vec::new();
                encoder.finish(&mut record);
                records.push(record);
            }
        });
        records
    }
}
