//! The folder of windows: what its files are called, how one takes another's place, when they go.
//!
//! `<minute>.part` is being written and worth nothing. `<minute>.kept` holds sets of a minute that
//! is still open, so that the journal need not; `<minute>.pending` is a window whose sets are not
//! all with the delivery streams yet; `<minute>.window` is one whose are. `horizon` says which
//! minutes are gone: all up to it. Always: a name stands for a whole, durable file. Not here: what
//! is in the files (`file`), and when they are made (`engine`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Disk, File};

use super::file::{self, Index, Meta, Place, Row, Scan, Writer};
use super::gathered::{self, Gathered};
use super::series::Series;
use super::windows::Windows;

pub(crate) const PART: &str = "part";
pub(crate) const KEPT: &str = "kept";
pub(crate) const PENDING: &str = "pending";
pub(crate) const WINDOW: &str = "window";
const HORIZON: &str = "horizon";

/// Windows go when their minute is this old: a correction of an older one would not be sent.
pub(crate) const KEEP_MS: i64 = 48 * 3_600_000;

/// A window that waits for delivery streams.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) meta: Meta,
    pub(crate) bytes: u64,
}

/// The folder of windows, and what is known of its files.
pub(crate) struct Store {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    pub(crate) windows: Arc<Windows>,
    /// Of each open minute with a `.kept` file, the first entry of the journal whose samples are not in it.
    pub(crate) kept: BTreeMap<i64, u64>,
    /// Minutes with a file that cannot be read: no sample can be added to them.
    pub(crate) damaged: BTreeSet<i64>,
    /// Minutes up to this one are gone.
    pub(crate) horizon: i64,
}

/// What was found in a folder besides the windows.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) pending: Vec<Whole>,
    /// One line a file that could not be read.
    pub(crate) findings: Vec<String>,
}

impl Store {
    /// Opens the folder, or makes it.
    pub(crate) fn open(disk: Arc<dyn Disk>, folder: PathBuf) -> io::Result<Opened> {
        disk.create_dir(&folder)?;
        if let Some(parent) = folder.parent() {
            disk.sync_dir(parent)?;
        }
        let windows = Arc::new(Windows::on(Arc::clone(&disk)));
        let (kept, damaged) = (BTreeMap::new(), BTreeSet::new());
        let mut store = Store { disk, folder, windows, kept, damaged, horizon: i64::MIN };
        store.horizon = store.read_horizon()?;
        let mut opened = Opened { store, pending: Vec::new(), findings: Vec::new() };
        let mut names = Vec::new();
        for listed in opened.store.disk.list(&opened.store.folder)? {
            let Some((minute, suffix)) = listed.name.split_once('.') else { continue };
            let Ok(minute) = minute.parse::<i64>() else { continue };
            names.push((order(suffix), minute, suffix.to_owned()));
        }
        names.sort();
        for (_, minute, suffix) in names {
            opened.take(minute, &suffix)?;
        }
        Ok(opened)
    }

    fn read_horizon(&self) -> io::Result<i64> {
        let file = match self.disk.open(&self.folder.join(HORIZON)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(i64::MIN),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.read_at(&mut bytes, 32, 0)?;
        let text = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        text.ok_or_else(|| file::broken("horizon: not a number"))
    }

    fn path(&self, minute_ms: i64, suffix: &str) -> PathBuf {
        self.folder.join(format!("{minute_ms}.{suffix}"))
    }

    /// Makes a file that takes no other's place.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        match self.disk.remove(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => self.disk.create(path),
        }
    }

    fn place(&self, minute_ms: i64, suffix: &str) -> io::Result<Place> {
        Ok(Place::Disk(self.disk.open(&self.path(minute_ms, suffix))?))
    }

    /// Reads a window that waits, from its begin.
    pub(crate) fn pending(&self, minute_ms: i64) -> io::Result<Scan> {
        Ok(Arc::new(Index::read(self.place(minute_ms, PENDING)?)?).scan(&[]))
    }

    /// Writes the sets of a minute, with those it has on the disk already, as `<minute>.part`.
    pub(crate) fn write(
        &self,
        meta: Meta,
        series: &mut Series,
        gathered: &Gathered,
    ) -> io::Result<Whole> {
        let minute_ms = meta.minute_ms;
        let closed = self.windows.get(minute_ms).is_some();
        let base = match (closed, self.kept.contains_key(&minute_ms)) {
            (true, _) => Some(self.place(minute_ms, WINDOW)?),
            (false, true) => Some(self.place(minute_ms, KEPT)?),
            (false, false) => None,
        };
        let base = base.map(|place| Index::read(place).map(Arc::new)).transpose()?;
        let numbers = sorted(series, gathered);
        let file = self.create(&self.path(minute_ms, PART))?;
        let mut writer = Writer::new(Some(file), &meta);
        let base = base.map(|index| index.scan(&[]));
        merge(base, !closed, series, gathered, &numbers, &mut writer)?;
        let (bytes, _) = writer.finish()?;
        Ok(Whole { meta, bytes })
    }

    /// Gives a minute's file another suffix; durable after [`Store::sync`].
    pub(crate) fn rename(&self, minute_ms: i64, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(&self.path(minute_ms, from), &self.path(minute_ms, to))
    }

    /// Makes names durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.disk.sync_dir(&self.folder)
    }

    /// Says that the sets kept of an open minute are in a window now.
    pub(crate) fn closed(&mut self, minute_ms: i64) -> io::Result<()> {
        match self.kept.remove(&minute_ms) {
            // A file that stays is removed at the next start.
            Some(_) => self.disk.remove(&self.path(minute_ms, KEPT)),
            None => Ok(()),
        }
    }

    /// Adds a window to those that queries see.
    pub(crate) fn show(&self, whole: &Whole) {
        let path = self.path(whole.meta.minute_ms, WINDOW);
        self.windows.keep(&whole.meta, whole.bytes, path);
    }

    /// Removes the oldest windows: those of more than 48 hours before `now_ms`, and those that are
    /// more than `budget` bytes; but none of the minute `busy_ms` or a later one.
    pub(crate) fn retire(&mut self, now_ms: i64, budget: u64, busy_ms: i64) -> io::Result<()> {
        let (_, mut bytes) = self.windows.size();
        let mut gone = Vec::new();
        for minute_ms in self.windows.minutes() {
            let over = bytes > budget || minute_ms < now_ms.saturating_sub(KEEP_MS);
            if !over || minute_ms >= busy_ms {
                break;
            }
            bytes -= self.windows.get(minute_ms).map_or(0, |kept| kept.bytes);
            gone.push(minute_ms);
        }
        let Some(last) = gone.last() else { return Ok(()) };
        // First it is said, then it is done: a minute must not look new when its window has gone.
        let part = self.folder.join("horizon-part");
        let file = self.create(&part)?;
        file.write_at(&[IoSlice::new(last.to_string().as_bytes())], 0)?;
        file.sync()?;
        self.disk.rename(&part, &self.folder.join(HORIZON))?;
        self.sync()?;
        self.horizon = *last;
        for minute_ms in gone {
            self.windows.drop_window(minute_ms);
            self.disk.remove(&self.path(minute_ms, WINDOW))?;
        }
        Ok(())
    }
}

/// Windows are looked at first, since the others depend on them.
fn order(suffix: &str) -> u8 {
    match suffix {
        WINDOW => 0,
        PENDING => 1,
        _ => 2,
    }
}

impl Opened {
    fn take(&mut self, minute_ms: i64, suffix: &str) -> io::Result<()> {
        let store = &mut self.store;
        let path = store.path(minute_ms, suffix);
        let waits = self.pending.iter().any(|whole| whole.meta.minute_ms == minute_ms);
        let stale = match suffix {
            WINDOW => minute_ms <= store.horizon,
            PENDING => false,
            KEPT => waits || store.windows.get(minute_ms).is_some(),
            PART => true,
            _ => return Ok(()),
        };
        if stale {
            return store.disk.remove(&path);
        }
        let whole = store.place(minute_ms, suffix).and_then(|place| file::head(&place));
        let whole = whole.map(|(meta, _, bytes)| Whole { meta, bytes });
        match whole {
            Err(error) => {
                self.findings.push(format!("{}: {error}", path.display()));
                store.damaged.insert(minute_ms);
            }
            Ok(whole) if suffix == WINDOW => store.show(&whole),
            Ok(whole) if suffix == PENDING => self.pending.push(whole),
            Ok(whole) => {
                store.kept.insert(minute_ms, whole.meta.through);
            }
        }
        Ok(())
    }
}

/// The series of a minute in the order of their keys.
fn sorted(series: &mut Series, gathered: &Gathered) -> Vec<u32> {
    /// With fewer than this share of all series a minute is sorted for itself.
    const FEW: usize = 16;
    if gathered.len() < series.len() / FEW {
        let mut numbers = gathered.numbers().to_vec();
        series.sort(&mut numbers);
        return numbers;
    }
    let all = series.ordered().iter().copied();
    all.filter(|number| gathered.get(*number).is_some()).collect()
}

/// Writes the rows of both, in order.
fn merge(
    mut base: Option<Scan>,
    all_changed: bool,
    series: &Series,
    gathered: &Gathered,
    numbers: &[u32],
    writer: &mut Writer,
) -> io::Result<()> {
    let mut old = base.as_mut().map(|scan| scan.next()).transpose()?.flatten();
    let mut new = numbers.iter();
    let mut number = new.next();
    let (mut key, mut raw) = (Vec::new(), Vec::new());
    let mut fresh = true;
    loop {
        if fresh && let Some(number) = number {
            key.clear();
            series.key(*number, &mut key);
        }
        let order = match (&old, number) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(_)) => old.key.cmp(&key),
        };
        let mut row = Row { key: &key, changed: true, set: [0.0; 4], raw: None };
        match (old, number) {
            (Some(old), _) if order == Ordering::Less => {
                row = Row { changed: all_changed, ..old };
            }
            (old, Some(number)) => {
                row.set = gathered.get(*number).unwrap_or_default();
                let mut whole = gathered.raw(*number).is_some();
                raw.clear();
                if order == Ordering::Equal
                    && let Some(old) = old
                {
                    gathered::add(&mut row.set, old.set);
                    whole &= old.raw.is_some();
                    raw.extend_from_slice(old.raw.unwrap_or_default());
                }
                for (value, weight) in gathered.raw(*number).unwrap_or_default() {
                    raw.extend_from_slice(&value.to_le_bytes());
                    raw.extend_from_slice(&weight.to_le_bytes());
                }
                row.raw = whole.then_some(raw.as_slice());
            }
            (_, None) => {}
        }
        writer.push(&row)?;
        if order != Ordering::Greater {
            old = base.as_mut().map(|scan| scan.next()).transpose()?.flatten();
        }
        fresh = order != Ordering::Less;
        if fresh {
            number = new.next();
        }
    }
}
