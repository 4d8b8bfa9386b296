//! A disk in memory that lies the way real ones do. For tests, of this crate and of others.
//!
//! It knows for each file and for each name in a directory what is durable and what is not, and at a power cut
//! lets any part of the latter survive: writes whole, torn at sectors or at any byte, names or not. Syncs can
//! fail and then forget the pages, the disk can fill up, reads can fail, bits can flip. All from a seed, so a
//! failure can be run again. Also a clock that only tests move. Not here: anything the journal needs.

mod world;

use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, File, Listed};
use crate::locked;
use world::{Change, Edit, World};

/// Runs at the begin of each sync of a file, before anything becomes durable.
pub type Hook = Arc<dyn Fn(&Path) + Send + Sync>;

/// The simulated disk. Cheap to clone; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimDisk")
    }
}

/// An open file of it.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    node: usize,
}

impl SimDisk {
    /// An empty disk without end.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk { world: Arc::new(Mutex::new(World::new(seed))) }
    }

    /// Operations so far that change something or make it durable.
    pub fn operations(&self) -> u64 {
        locked(&self.world).operations
    }

    /// Syncs of files so far.
    pub fn syncs(&self) -> u64 {
        locked(&self.world).syncs
    }

    /// Power fails in the middle of operation number `operation` (the first is 1).
    pub fn cut_at(&self, operation: u64) {
        locked(&self.world).cut_at = Some(operation);
    }

    /// The process stops before operation number `operation`; `kill` tells what the next one sees.
    pub fn stop_at(&self, operation: u64) {
        locked(&self.world).stop_at = Some(operation);
    }

    /// True once power has failed or the process has stopped.
    pub fn is_cut(&self) -> bool {
        locked(&self.world).dead
    }

    /// What is there after power failed and came back; this disk answers nothing any more.
    pub fn power_cut(&self) -> SimDisk {
        SimDisk { world: Arc::new(Mutex::new(locked(&self.world).after_power_cut())) }
    }

    /// What the next process sees after this one was killed: all that was written, durable or not.
    pub fn kill(&self) -> SimDisk {
        SimDisk { world: Arc::new(Mutex::new(locked(&self.world).after_kill())) }
    }

    /// The next `count` syncs of files fail, after `after` that do not.
    pub fn fail_syncs(&self, after: u64, count: u64) {
        let mut world = locked(&self.world);
        let first = world.syncs + after + 1;
        world.failing = first..first + count;
    }

    /// How many bytes fit; `None` for no end.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        locked(&self.world).capacity = bytes;
    }

    /// Bytes of all files.
    pub fn used(&self) -> u64 {
        locked(&self.world).used()
    }

    /// Reads that touch `range` of the file fail.
    pub fn fail_reads(&self, path: &Path, range: Range<u64>) {
        locked(&self.world).unreadable.push((path.to_owned(), range));
    }

    /// Contents of a file.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        locked(&self.world).file(path).map(|node| node.now.clone())
    }

    /// Puts a file there, durable, with these contents.
    pub fn put(&self, path: &Path, contents: &[u8]) {
        locked(&self.world).put(path, contents);
    }

    /// Paths of all files, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        locked(&self.world).files()
    }

    /// Sets the wall clock.
    pub fn set_now_ms(&self, now_ms: u64) {
        locked(&self.world).now_ms = now_ms;
    }

    /// Runs `hook` at the begin of each sync of a file; it may block.
    pub fn on_sync(&self, hook: Hook) {
        locked(&self.world).hook = Some(hook);
    }

    /// What the journal did that it must never do: a sync of a file whose sync had failed.
    pub fn violations(&self) -> Vec<String> {
        locked(&self.world).violations.clone()
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = locked(&self.world);
        world.alive()?;
        let missing: Vec<_> = path.ancestors().filter(|one| !world.is_dir(one)).collect();
        for one in missing.into_iter().rev() {
            world.change(Change::MakeDir(one.to_owned()))?;
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        locked(&self.world).sync_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        locked(&self.world).list(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = locked(&self.world).create(path)?;
        Ok(Arc::new(SimFile { disk: self.clone(), path: path.to_owned(), node }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = locked(&self.world).open(path)?;
        Ok(Arc::new(SimFile { disk: self.clone(), path: path.to_owned(), node }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = locked(&self.world);
        world.open(from)?;
        world.change(Change::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = locked(&self.world);
        world.open(path)?;
        world.change(Change::Remove(path.to_owned()))
    }

    fn now_ms(&self) -> u64 {
        locked(&self.world).now_ms
    }

    fn random(&self) -> u64 {
        locked(&self.world).random()
    }
}

impl File for SimFile {
    fn read_at(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        let world = locked(&self.disk.world);
        into.clear();
        into.extend_from_slice(world.read(&self.path, self.node, offset, length)?);
        Ok(())
    }

    fn write_at(&self, pieces: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        locked(&self.disk.world).edit(self.node, Edit::Write(offset, bytes))
    }

    fn sync(&self) -> io::Result<()> {
        let hook = locked(&self.disk.world).hook.clone();
        if let Some(hook) = hook {
            hook(&self.path);
        }
        locked(&self.disk.world).sync(&self.path, self.node)
    }

    fn length(&self) -> io::Result<u64> {
        let world = locked(&self.disk.world);
        world.alive()?;
        Ok(world.node(self.node)?.now.len() as u64)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        locked(&self.disk.world).edit(self.node, Edit::Length(length))
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let mut world = locked(&self.disk.world);
        let now = world.node(self.node)?.now.len() as u64;
        world.edit(self.node, Edit::Length(length.max(now)))
    }
}
