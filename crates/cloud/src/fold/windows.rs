//! The kept windows: which files there are, and what queries find in them.
//!
//! Owns the list of windows in memory and a few decoded indexes. Files are read where they lie,
//! block by block; a query holds no lock while it reads. Always: a query sees each window whole, as
//! it was before or after a correction. Not here: writing and removing files (`engine`).

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use codec::checksum::Hasher128;
use journal::{Disk, RealDisk};
use metric::Unit;

use super::file::{self, Index, Meta, Place, Row, Writer};
use crate::put::wire;

/// Bytes of decoded indexes that are kept. One of a million series takes half a megabyte.
const INDEXES_MAX: usize = 32 << 20;

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// A statistic set that a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Begin of the minute, milliseconds since the epoch.
    pub minute_ms: i64,
    /// Unit.
    pub unit: Unit<'static>,
    /// Count.
    pub count: f64,
    /// Sum.
    pub sum: f64,
    /// Minimum.
    pub min: f64,
    /// Maximum.
    pub max: f64,
    /// Values with their weights, where they were kept and are complete.
    pub raw: Option<Vec<(f64, f64)>>,
}

/// A metric: what names a series, without its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric<'a> {
    /// Account.
    pub account: &'a str,
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// By name.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// Begin of the newest minute it is in.
    pub newest_ms: i64,
}

/// A statistic set put in by hand: for tests of queries.
#[derive(Clone, Debug, Default)]
pub struct Given<'a> {
    /// Account.
    pub account: &'a str,
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// By name.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// CloudWatch's name of the unit.
    pub unit: &'a str,
    /// Count, sum, minimum, maximum.
    pub set: [f64; 4],
    /// Values with their weights.
    pub raw: Option<Vec<(f64, f64)>>,
}

/// A kept window: up to which entry it was folded, its revision, and where its bytes are.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) through: u64,
    pub(crate) revision: u32,
    pub(crate) bytes: u64,
    place: Where,
}

#[derive(Clone, Debug)]
enum Where {
    File(PathBuf),
    Memory(Arc<Vec<u8>>),
}

/// The kept windows, for queries.
pub struct Windows {
    disk: Arc<dyn Disk>,
    kept: Mutex<BTreeMap<i64, Kept>>,
    indexes: Mutex<Indexes>,
}

/// Decoded indexes, the last used at the end, by minute and revision.
#[derive(Default)]
struct Indexes {
    all: VecDeque<(i64, u32, Arc<Index>)>,
    weight: usize,
}

impl Default for Windows {
    fn default() -> Windows {
        Windows::on(Arc::new(RealDisk))
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Windows({})", locked(&self.kept).len())
    }
}

impl Windows {
    pub(crate) fn on(disk: Arc<dyn Disk>) -> Windows {
        Windows { disk, kept: Mutex::default(), indexes: Mutex::default() }
    }

    /// Begins of the minutes whose windows are kept, ascending.
    pub fn minutes(&self) -> Vec<i64> {
        locked(&self.kept).keys().copied().collect()
    }

    /// How many are kept, and their bytes.
    pub fn size(&self) -> (u64, u64) {
        let kept = locked(&self.kept);
        (kept.len() as u64, kept.values().map(|one| one.bytes).sum())
    }

    /// The sets of a metric in minutes that begin at `from_ms` or later and before `to_ms`, by
    /// minute, then by unit in the order of CloudWatch's list. `dimensions` in any order.
    pub fn range(
        &self,
        account: &str,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        from_ms: i64,
        to_ms: i64,
    ) -> io::Result<Vec<Found>> {
        let key = prefix(account, namespace, name, dimensions);
        let mut found = Vec::new();
        for (minute_ms, kept) in self.between(from_ms, to_ms) {
            let Some(index) = self.index(minute_ms, &kept)? else { continue };
            let mut scan = index.scan(&key);
            while let Some(row) = scan.next()? {
                match row.key.split_at_checked(key.len()) {
                    Some((same, [unit])) if same == key => found.push(set(minute_ms, *unit, &row)),
                    _ if row.key > key.as_slice() => break,
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    /// Visits the distinct metrics of an account (of all accounts without one) that have data in
    /// minutes that begin at `since_ms` or later: those of the newest minute first, in each minute
    /// by account, namespace, and then in an order that stays the same.
    pub fn metrics(
        &self,
        account: Option<&str>,
        since_ms: i64,
        mut visit: impl FnMut(&Metric<'_>) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut seen = HashSet::new();
        for (newest_ms, kept) in self.between(since_ms, i64::MAX).into_iter().rev() {
            let Some(index) = self.index(newest_ms, &kept)? else { continue };
            let first = account.map(|account| [account.as_bytes(), &[0]].concat());
            let mut scan = index.scan(first.as_deref().unwrap_or_default());
            while let Some(row) = scan.next()? {
                match &first {
                    Some(first) if row.key < first.as_slice() => continue,
                    Some(first) if !row.key.starts_with(first) => break,
                    _ => {}
                }
                let Some((_unit, metric)) = row.key.split_last() else { continue };
                let mut hash = Hasher128::new();
                hash.update(metric);
                if !seen.insert(hash.digest()) {
                    continue;
                }
                let Some((account, namespace, series)) = parts(row.key) else { continue };
                let (name, dimensions) = (series.name, &series.dimensions[..]);
                let metric = Metric { account, namespace, name, dimensions, newest_ms };
                if visit(&metric).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A window with these sets, in memory: for tests of queries.
    pub fn give(&self, minute_ms: i64, sets: &[Given<'_>]) -> io::Result<()> {
        let mut rows = Vec::new();
        for given in sets {
            let mut key = prefix(given.account, given.namespace, given.name, given.dimensions);
            let unit = Unit::all().position(|unit| unit.cloudwatch() == given.unit.as_bytes());
            key.push(unit.map_or(UNIT_NONE, |unit| unit as u8));
            let bytes = |(value, weight): &(f64, f64)| [value.to_le_bytes(), weight.to_le_bytes()];
            let bytes = |raw: &Vec<(f64, f64)>| raw.iter().flat_map(bytes).flatten().collect();
            let raw: Option<Vec<u8>> = given.raw.as_ref().map(bytes);
            rows.push((key, given, raw));
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let meta = Meta { minute_ms, ..Meta::default() };
        let mut writer = Writer::new(None, &meta);
        for (key, given, raw) in &rows {
            let row = Row { key, changed: true, set: given.set, raw: raw.as_deref() };
            writer.push(&row)?;
        }
        let (bytes, content) = writer.finish()?;
        let place = Where::Memory(Arc::new(content));
        let kept = Kept { through: 0, revision: 0, bytes, place };
        locked(&self.kept).insert(minute_ms, kept);
        locked(&self.indexes).forget(minute_ms);
        Ok(())
    }

    pub(crate) fn keep(&self, meta: &Meta, bytes: u64, path: PathBuf) {
        let place = Where::File(path);
        let kept = Kept { through: meta.through, revision: meta.revision, bytes, place };
        locked(&self.kept).insert(meta.minute_ms, kept);
        locked(&self.indexes).forget(meta.minute_ms);
    }

    pub(crate) fn get(&self, minute_ms: i64) -> Option<Kept> {
        locked(&self.kept).get(&minute_ms).cloned()
    }

    /// Takes a window off the list; who reads it can read on.
    pub(crate) fn drop_window(&self, minute_ms: i64) {
        locked(&self.kept).remove(&minute_ms);
        locked(&self.indexes).forget(minute_ms);
    }

    fn between(&self, from_ms: i64, to_ms: i64) -> Vec<(i64, Kept)> {
        if from_ms >= to_ms {
            return Vec::new();
        }
        let kept = locked(&self.kept);
        kept.range(from_ms..to_ms).map(|(minute, kept)| (*minute, kept.clone())).collect()
    }

    /// The index of a window; `None` when it has been removed meanwhile.
    fn index(&self, minute_ms: i64, kept: &Kept) -> io::Result<Option<Arc<Index>>> {
        if let Some(index) = locked(&self.indexes).find(minute_ms, kept.revision) {
            return Ok(Some(index));
        }
        let place = match &kept.place {
            Where::Memory(bytes) => Place::Memory(Arc::clone(bytes)),
            Where::File(path) => match self.disk.open(path) {
                Ok(file) => Place::Disk(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        // A correction may have taken the file's place since it was listed: what is kept under a
        // revision must be of that revision.
        let (meta, ..) = file::head(&place)?;
        let index = Arc::new(Index::read(place)?);
        if meta.revision == kept.revision {
            locked(&self.indexes).keep(minute_ms, kept.revision, Arc::clone(&index));
        }
        Ok(Some(index))
    }
}

impl Indexes {
    fn find(&mut self, minute_ms: i64, revision: u32) -> Option<Arc<Index>> {
        let at = self.all.iter().position(|one| (one.0, one.1) == (minute_ms, revision))?;
        let found = self.all.remove(at)?;
        let index = Arc::clone(&found.2);
        self.all.push_back(found);
        Some(index)
    }

    fn keep(&mut self, minute_ms: i64, revision: u32, index: Arc<Index>) {
        self.weight += index.weight();
        self.all.push_back((minute_ms, revision, index));
        while self.weight > INDEXES_MAX
            && let Some((_, _, oldest)) = self.all.pop_front()
        {
            self.weight -= oldest.weight();
        }
    }

    fn forget(&mut self, minute_ms: i64) {
        self.all.retain(|one| one.0 != minute_ms);
        self.weight = self.all.iter().map(|one| one.2.weight()).sum();
    }
}

/// Place of `None` in CloudWatch's list of units.
const UNIT_NONE: u8 = 26;

/// The key of a metric's rows without the unit, which is the last byte.
fn prefix(account: &str, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Vec<u8> {
    let mut sorted = dimensions.to_vec();
    sorted.sort_unstable();
    let mut key = scope(account, namespace);
    let text = |text: &str, key: &mut Vec<u8>| {
        key.extend_from_slice(&(text.len() as u16).to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    };
    text(name, &mut key);
    key.push(sorted.len() as u8);
    for (name, value) in sorted {
        text(name, &mut key);
        text(value, &mut key);
    }
    key
}

/// What the keys of an account's namespace begin with.
pub(crate) fn scope(account: &str, namespace: &str) -> Vec<u8> {
    [account.as_bytes(), &[0], namespace.as_bytes(), &[0]].concat()
}

/// Account, namespace and the rest of a row's key.
pub(crate) fn parts(key: &[u8]) -> Option<(&str, &str, wire::Series<'_>)> {
    let mut pieces = key.splitn(3, |byte| *byte == 0);
    let account = std::str::from_utf8(pieces.next()?).ok()?;
    let namespace = std::str::from_utf8(pieces.next()?).ok()?;
    Some((account, namespace, wire::series(pieces.next()?)?))
}

fn set(minute_ms: i64, unit: u8, row: &Row<'_>) -> Found {
    let unit = Unit::all().nth(usize::from(unit)).unwrap_or(Unit::NONE);
    let [count, sum, min, max] = row.set;
    Found { minute_ms, unit, count, sum, min, max, raw: row.raw.map(file::pairs) }
}

/// Begin of the minute that holds a moment.
pub(crate) fn minute_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(MINUTE_MS) * MINUTE_MS
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
