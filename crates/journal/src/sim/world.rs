//! The state of the simulated disk: what is there, what of it is durable, and what happens when power fails.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Hook;
use crate::disk::Listed;

/// Writes tear at this size when they tear at sectors.
const SECTOR: usize = 512;

/// The disk.
pub(super) struct World {
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, Name>,
    durable_names: BTreeMap<PathBuf, Name>,
    /// Changes of names that no directory sync has covered, in order.
    changes: Vec<(PathBuf, Change, Option<Name>)>,
    pub(super) operations: u64,
    pub(super) syncs: u64,
    pub(super) cut_at: Option<u64>,
    pub(super) stop_at: Option<u64>,
    pub(super) dead: bool,
    /// Syncs with these numbers fail.
    pub(super) failing: Range<u64>,
    pub(super) capacity: Option<u64>,
    pub(super) unreadable: Vec<(PathBuf, Range<u64>)>,
    pub(super) now_ms: u64,
    pub(super) hook: Option<Hook>,
    pub(super) violations: Vec<String>,
    state: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

/// A file's contents.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) now: Vec<u8>,
    durable: Vec<u8>,
    /// Edits that no sync has covered, in order.
    edits: Vec<Edit>,
    sync_failed: bool,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Dir,
    File(usize),
}

/// A change of a file's contents.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// A change of names.
#[derive(Clone, Debug)]
pub(super) enum Change {
    MakeDir(PathBuf),
    MakeFile(PathBuf, usize),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        World {
            nodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            operations: 0,
            syncs: 0,
            cut_at: None,
            stop_at: None,
            dead: false,
            failing: 0..0,
            capacity: None,
            unreadable: Vec::new(),
            now_ms: 1_700_000_000_000,
            hook: None,
            violations: Vec::new(),
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B,
        }
    }

    /// splitmix64: small, and good enough to toss coins.
    pub(super) fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn coin(&mut self) -> bool {
        self.random() & 1 == 0
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        match self.dead {
            true => Err(io::Error::other("the power is off")),
            false => Ok(()),
        }
    }

    /// Counts an operation; true when power fails in the middle of it.
    fn operate(&mut self) -> io::Result<bool> {
        self.alive()?;
        if self.stop_at.is_some_and(|at| self.operations + 1 >= at) {
            self.dead = true;
            self.alive()?;
        }
        self.operations += 1;
        self.dead = self.cut_at.is_some_and(|at| self.operations >= at);
        Ok(self.dead)
    }

    pub(super) fn node(&self, node: usize) -> io::Result<&Node> {
        self.nodes.get(node).ok_or_else(|| io::Error::other("no such node"))
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        let root = path.parent().is_none() || path.as_os_str().is_empty();
        root || self.names.get(path) == Some(&Name::Dir)
    }

    pub(super) fn file(&self, path: &Path) -> Option<&Node> {
        match self.names.get(path)? {
            Name::File(node) => self.nodes.get(*node),
            Name::Dir => None,
        }
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let files = self.names.iter().filter(|(_, name)| matches!(name, Name::File(_)));
        files.map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn used(&self) -> u64 {
        let nodes = self.names.values().filter_map(|name| match name {
            Name::File(node) => self.nodes.get(*node),
            Name::Dir => None,
        });
        nodes.map(|node| node.now.len() as u64).sum()
    }

    pub(super) fn put(&mut self, path: &Path, contents: &[u8]) {
        let (now, durable) = (contents.to_vec(), contents.to_vec());
        self.nodes.push(Node { now, durable, ..Node::default() });
        let name = Name::File(self.nodes.len() - 1);
        self.names.insert(path.to_owned(), name);
        self.durable_names.insert(path.to_owned(), name);
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.alive()?;
        if !self.is_dir(path) {
            return Err(ErrorKind::NotFound.into());
        }
        let inside = self.names.iter().filter(|(one, _)| one.parent() == Some(path));
        let listed = inside.filter_map(|(one, name)| {
            let text = one.file_name()?.to_str()?.to_owned();
            let (length, directory) = match name {
                Name::Dir => (0, true),
                Name::File(node) => (self.nodes.get(*node)?.now.len() as u64, false),
            };
            Some(Listed { name: text, length, directory })
        });
        Ok(listed.collect())
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.alive()?;
        if self.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if !self.is_dir(path.parent().unwrap_or(Path::new(""))) {
            return Err(ErrorKind::NotFound.into());
        }
        self.nodes.push(Node::default());
        let node = self.nodes.len() - 1;
        self.change(Change::MakeFile(path.to_owned(), node))?;
        Ok(node)
    }

    pub(super) fn open(&self, path: &Path) -> io::Result<usize> {
        self.alive()?;
        match self.names.get(path) {
            Some(Name::File(node)) => Ok(*node),
            Some(Name::Dir) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn read(
        &self,
        path: &Path,
        node: usize,
        offset: u64,
        length: usize,
    ) -> io::Result<&[u8]> {
        self.alive()?;
        let end = offset + length as u64;
        let bad = |(bad, range): &(PathBuf, Range<u64>)| {
            bad == path && range.start < end && offset < range.end
        };
        if self.unreadable.iter().any(bad) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let rest = self.node(node)?.now.get(index(offset)..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    pub(super) fn edit(&mut self, node: usize, edit: Edit) -> io::Result<()> {
        let cut = self.operate()?;
        let length = self.node(node)?.now.len() as u64;
        let (end, edit) = match edit {
            Edit::Length(end) => (end, Edit::Length(end)),
            Edit::Write(offset, bytes) => (offset + bytes.len() as u64, Edit::Write(offset, bytes)),
        };
        let room = self.capacity.map_or(u64::MAX, |most| most.saturating_sub(self.used()));
        let full = end.saturating_sub(length) > room;
        let edit = match edit {
            Edit::Length(_) if full => return Err(ErrorKind::StorageFull.into()),
            // What fits is written before the error comes.
            Edit::Write(offset, mut bytes) if full => {
                bytes.truncate(index((length + room).saturating_sub(offset)));
                Edit::Write(offset, bytes)
            }
            edit => edit,
        };
        if let Some(node) = self.nodes.get_mut(node) {
            apply(&mut node.now, &edit);
            node.edits.push(edit);
        }
        match (cut, full) {
            (true, _) => self.alive(),
            (false, true) => Err(ErrorKind::StorageFull.into()),
            (false, false) => Ok(()),
        }
    }

    pub(super) fn sync(&mut self, path: &Path, node: usize) -> io::Result<()> {
        if self.operate()? {
            return self.alive();
        }
        self.syncs += 1;
        let fails = self.failing.contains(&self.syncs);
        let (keep_pages, seed) = (self.coin(), self.random());
        let Some(node) = self.nodes.get_mut(node) else { return Ok(()) };
        if node.sync_failed {
            self.violations.push(format!("{} was synced again", path.display()));
        }
        let edits = std::mem::take(&mut node.edits);
        if !fails {
            for edit in &edits {
                apply(&mut node.durable, edit);
            }
            return Ok(());
        }
        // Some of it may have arrived; the kernel calls all of it clean, and may or may not keep showing it.
        node.sync_failed = true;
        survive(&mut node.durable, edits, &mut World::new(seed));
        if !keep_pages {
            node.now = node.durable.clone();
        }
        Err(io::Error::from_raw_os_error(5))
    }

    pub(super) fn change(&mut self, change: Change) -> io::Result<()> {
        let cut = self.operate()?;
        let (directory, subject) = match &change {
            Change::MakeDir(path) | Change::MakeFile(path, _) | Change::Remove(path) => {
                (path, path)
            }
            Change::Rename(from, to) => (to, from),
        };
        let directory = directory.parent().unwrap_or(Path::new("")).to_owned();
        let moved = self.names.get(subject).copied();
        rename(&mut self.names, &change, moved);
        self.changes.push((directory, change, moved));
        if cut { self.alive() } else { Ok(()) }
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        if self.operate()? {
            return self.alive();
        }
        if !self.is_dir(path) {
            return Err(ErrorKind::NotFound.into());
        }
        for (directory, change, moved) in std::mem::take(&mut self.changes) {
            if directory == path {
                rename(&mut self.durable_names, &change, moved);
            } else {
                self.changes.push((directory, change, moved));
            }
        }
        Ok(())
    }

    pub(super) fn after_power_cut(&mut self) -> World {
        let mut next = World::new(self.random());
        next.now_ms = self.now_ms;
        let mut names = self.durable_names.clone();
        for (_, change, moved) in &self.changes {
            if next.coin() {
                rename(&mut names, change, *moved);
            }
        }
        let known = names.clone();
        names.retain(|path, _| {
            let mut above = path.ancestors().skip(1);
            above.all(|one| {
                one.parent().is_none() || one.as_os_str().is_empty() || known.contains_key(one)
            })
        });
        for node in &self.nodes {
            let mut left = node.durable.clone();
            survive(&mut left, node.edits.clone(), &mut next);
            next.nodes.push(Node { now: left.clone(), durable: left, ..Node::default() });
        }
        (next.names, next.durable_names) = (names.clone(), names);
        self.dead = true;
        next
    }

    pub(super) fn after_kill(&mut self) -> World {
        let mut next = World::new(self.random());
        next.now_ms = self.now_ms;
        next.nodes = self.nodes.clone();
        for node in &mut next.nodes {
            node.sync_failed = false;
        }
        next.names = self.names.clone();
        next.durable_names = self.durable_names.clone();
        next.changes = self.changes.clone();
        self.dead = true;
        next
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn apply(contents: &mut Vec<u8>, edit: &Edit) {
    match edit {
        Edit::Length(length) => contents.resize(index(*length), 0),
        Edit::Write(offset, bytes) => {
            let start = index(*offset);
            if contents.len() < start + bytes.len() {
                contents.resize(start + bytes.len(), 0);
            }
            if let Some(place) = contents.get_mut(start..start + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
    }
}

/// Lets any part of the edits reach `contents`.
fn survive(contents: &mut Vec<u8>, edits: Vec<Edit>, dice: &mut World) {
    for edit in edits {
        let kind = dice.random() % 4;
        match (kind, edit) {
            (0, _) => {}
            (1, edit) | (_, edit @ Edit::Length(_)) => apply(contents, &edit),
            (2, Edit::Write(offset, mut bytes)) => {
                bytes.truncate(index(dice.random() % (bytes.len() as u64 + 1)));
                apply(contents, &Edit::Write(offset, bytes));
            }
            (_, Edit::Write(offset, bytes)) => {
                // Sectors lie at multiples of their size in the file, not in the write.
                let mut at = offset;
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let room = SECTOR - index(at) % SECTOR;
                    let (sector, behind) = rest.split_at(room.min(rest.len()));
                    if dice.coin() {
                        apply(contents, &Edit::Write(at, sector.to_vec()));
                    }
                    at += sector.len() as u64;
                    rest = behind;
                }
            }
        }
    }
}

fn rename(names: &mut BTreeMap<PathBuf, Name>, change: &Change, moved: Option<Name>) {
    match change {
        Change::MakeDir(path) => {
            names.insert(path.clone(), Name::Dir);
        }
        Change::MakeFile(path, node) => {
            names.insert(path.clone(), Name::File(*node));
        }
        Change::Remove(path) => {
            names.remove(path);
        }
        Change::Rename(from, to) => {
            names.remove(from);
            names.extend(moved.map(|name| (to.clone(), name)));
        }
    }
}
