//! What a sink knows of what it got.
//!
//! A unit is what the protocol carries for a point: a data point, a sample, a line. How many of
//! them make a point differs from peer to peer; the harness knows.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde_json::{Value, json};

use crate::expected::Expected;

/// How closely a sink looks.
pub enum Check {
    /// Units only: cheap enough to share a core with what is measured.
    Count,
    /// Whether each unit has all dimensions of its point.
    Intact(Box<Expected>),
    /// Which units came, and how often.
    Exact,
}

impl Check {
    /// The sum of the hashes of the values of dimensions in `text`: a value, or JSON of several.
    pub fn values(&self, text: &[u8]) -> u64 {
        let Self::Intact(expected) = self else { return 0 };
        if text.first() == Some(&b'{')
            && let Ok(map) = serde_json::from_slice::<HashMap<String, String>>(text)
        {
            let values = map.values().map(|value| expected.value(value.as_bytes()));
            return values.fold(0, u64::wrapping_add);
        }
        expected.value(text)
    }
}

/// Keys that are hashes already.
#[derive(Default)]
pub struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Same>>;

/// What one request held.
#[derive(Default)]
pub struct Seen {
    pub units: u64,
    sums: Vec<u64>,
    exact: Vec<(u64, u64)>,
}

impl Seen {
    pub fn intact(&mut self, sum: u64) {
        self.units += 1;
        self.sums.push(sum);
    }

    pub fn exact(&mut self, second: u64, hash: u64) {
        self.units += 1;
        self.exact.push((second, hash));
    }
}

/// All that came since the start or the last reset.
#[derive(Default)]
pub struct Totals {
    pub requests: u64,
    /// Requests that were not understood.
    pub refused: u64,
    pub units: u64,
    /// As they came over the wire, and inflated.
    pub wire_bytes: u64,
    pub plain_bytes: u64,
    pub encodings: HashMap<String, u64>,
    sums: HashMap<u64, u64>,
    /// By instant: how often each unit came.
    exact: HashMap<u64, ByHash<u32>>,
    /// How many units are in `exact`, each counted once.
    distinct: u64,
}

impl Totals {
    pub fn add(&mut self, seen: Seen) {
        self.units += seen.units;
        for sum in seen.sums {
            *self.sums.entry(sum).or_default() += 1;
        }
        for (second, hash) in seen.exact {
            let times = self.exact.entry(second).or_default().entry(hash).or_default();
            self.distinct += u64::from(*times == 0);
            *times += 1;
        }
    }

    pub fn told(&self, check: &Check) -> Value {
        let mut out = json!({
            "requests": self.requests, "refused": self.refused, "units": self.units,
            "wire_bytes": self.wire_bytes, "plain_bytes": self.plain_bytes,
            "encodings": self.encodings,
        });
        match check {
            Check::Count => {}
            Check::Intact(expected) => {
                // For every number of units that may make a point.
                let of = |units: u64| json!([units, expected.intact(&self.sums, units)]);
                out["expected_points"] = json!(expected.total());
                out["intact_units"] = (1..=6).map(of).collect();
            }
            Check::Exact => {
                let by_second = self.exact.iter().map(|(second, units)| {
                    let total: u64 = units.values().map(|n| u64::from(*n)).sum();
                    (second.to_string(), json!([units.len(), total]))
                });
                out["by_second"] = by_second.collect();
                out["distinct"] = json!(self.distinct);
            }
        }
        out
    }
}
