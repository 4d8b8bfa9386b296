//! The parts of the fold that cost, for the benchmark to time apart from the disk.
//!
//! Not for anything else: no journal, no clock, no files.

use std::borrow::Cow;

use super::file::{Meta, Row, Writer};
use super::gathered::{Gathered, RawRoom, set_of};
use super::series::Series;
use super::windows::scope;
use crate::put::{Checked, Entry, Samples, wire};

/// One open minute.
#[derive(Default)]
pub struct Load {
    series: Series,
    gathered: Gathered,
    room: RawRoom,
}

impl std::fmt::Debug for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Load({})", self.gathered.len())
    }
}

impl Load {
    /// Folds a call as the journal keeps it.
    pub fn fold(&mut self, body: &[u8]) {
        let Ok(call) = wire::decode(body) else { return };
        let scope = self.series.scope(&scope(call.account, call.namespace));
        for kept in call.flatten() {
            let Some(set) = set_of(&kept.samples) else { continue };
            let Some(number) = self.series.number(scope, kept.key) else { continue };
            let wants_raw = self.series.wants_raw(number);
            self.gathered.add(number, set, &kept.samples, wants_raw, &mut self.room);
        }
    }

    /// Sets held.
    pub fn open_series(&self) -> usize {
        self.gathered.len()
    }

    /// Writes the window into memory; its bytes.
    pub fn write(&mut self) -> u64 {
        let numbers = self.series.ordered().to_vec();
        let mut writer = Writer::new(None, &Meta::default());
        let mut key = Vec::new();
        for number in numbers {
            key.clear();
            self.series.key(number, &mut key);
            let set = self.gathered.get(number).unwrap_or_default();
            if writer.push(&Row { key: &key, changed: true, set, raw: None }).is_err() {
                return 0;
            }
        }
        writer.finish().map_or(0, |(bytes, _)| bytes)
    }
}

/// A call with `count` series from number `first` on: ten names, three dimensions.
pub fn body(first: usize, count: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    for at in first..first + count {
        let pair = |name: &'static str, value: String| (Cow::Borrowed(name), Cow::Owned(value));
        entries.push(Entry {
            name: Cow::Owned(format!("RequestLatency{}", at % 10)),
            dimensions: vec![
                pair(
                    "AvailabilityZone",
                    format!("eu-west-1{}", ["a", "b", "c"].get(at % 3).unwrap_or(&"")),
                ),
                pair("InstanceId", format!("i-{:017x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
                pair("Service", format!("checkout-{}", at % 97)),
            ],
            unit: Cow::Borrowed("Milliseconds"),
            timestamp_ms: 0,
            high_resolution: false,
            samples: Samples::Raw(vec![(at as f64, 1.0)]),
        });
    }
    let call = Checked { namespace: Cow::Borrowed("Shop/Frontend"), entries, wrong_entity: None };
    let mut out = Vec::new();
    wire::encode("111122223333", &call, &mut out);
    out
}
