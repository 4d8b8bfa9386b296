//! Which dimensions the points of a pool have, in a form that a sink can look up whatever names a
//! peer gives to them: by value.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Hashes of all values of dimensions, and how many points have which of them together.
#[derive(Default, Serialize, Deserialize)]
pub struct Expected {
    values: HashSet<u64>,
    points: HashMap<u64, u64>,
}

impl Expected {
    pub fn add(&mut self, point: &metric::Point<'_>) {
        let mut all = 0_u64;
        for (_name, value) in point.dimensions {
            let hash = xxh3_64(value);
            self.values.insert(hash);
            all = all.wrapping_add(hash);
        }
        *self.points.entry(all).or_default() += 1;
    }

    /// The hash of `value` if it is one of a dimension, else nothing.
    pub fn value(&self, value: &[u8]) -> u64 {
        let hash = xxh3_64(value);
        if self.values.contains(&hash) { hash } else { 0 }
    }

    /// Of `arrived` points by the sum of their values, how many are expected ones, each of them
    /// `units` times.
    pub fn intact(&self, arrived: &HashMap<u64, u64>, units: u64) -> u64 {
        let of = |(sum, points): (&u64, &u64)| {
            arrived.get(sum).copied().unwrap_or(0).min(points * units)
        };
        self.points.iter().map(of).sum()
    }

    pub fn total(&self) -> u64 {
        self.points.values().sum()
    }

    pub fn write(&self, directory: &Path) -> Result<(), String> {
        let text = serde_json::to_vec(self).map_err(|e| e.to_string())?;
        std::fs::write(directory.join("expected.json"), text).map_err(|e| e.to_string())
    }

    pub fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("expected.json");
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
    }
}
