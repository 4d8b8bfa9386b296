//! The durable log of opaque bytes: append with one sync for all who wait, read by cursor, settle, free.
//!
//! Owns the log directories, the cursors and the list of recent keys. It never looks inside an entry (I2)
//! and nobody hears yes before the sync that covers his bytes has returned (I1). The format, what each kind of
//! failure costs and how bytes are bounded is described in `docs/journal-format.md`. Not here: any thought
//! about metrics, streams or retries; async; locking the directory against another process.
//!
//! ```
//! use journal::{Appended, Body, Item, Journal, Options, Position, Start, sim::SimDisk};
//!
//! let disk = std::sync::Arc::new(SimDisk::new(1));
//! let (journal, found) = Journal::open_on(disk, "/data/journal".as_ref(), Options::default())?;
//! assert!(found.findings.is_empty());
//! let topic = journal.topic("aws")?;
//! let mut cursor = topic.cursor("to-dynatrace", Start::Newest)?;
//!
//! let (told, answer) = std::sync::mpsc::sync_channel(1);
//! let item = Item { key: None, head: b"head".to_vec(), body: Body::Bytes("body".into()) };
//! topic.append(item, Box::new(move |outcome| told.send(outcome).expect("it is waited for")));
//! assert_eq!(answer.recv()?, Ok(Appended::Stored { sequence: 0, other_data: false }));
//!
//! let entry = cursor.read(0)?.expect("it was stored");
//! let end = Position { sequence: entry.sequence + 1, ordinal: 0 };
//! cursor.settle(cursor.low(), end)?;
//! cursor.sync()?;
//! journal.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod cursor;
mod damage;
mod disk;
mod frame;
mod inbox;
mod item;
mod journal;
mod keyfile;
mod keys;
mod look;
mod memory;
mod names;
mod read;
mod recover;
mod scan;
mod sealed;
mod segment;
mod settled;
mod shared;
mod side;
pub mod sim;
mod slot;
mod topic;
mod writer;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use cursor::Cursor;
pub use damage::{DAMAGED, Damage, MISSING};
pub use disk::{Disk, File, Listed, RealDisk};
pub use item::{Appended, Body, Entry, EntryBody, Item, Key, Position, ReadError, Refused};
pub use journal::{CursorStatus, Journal, OpenError, Options, Recovery, TopicStatus};
pub use look::{KnownEntry, Standing};
pub use memory::MemoryDisk;
pub use settled::Coverage;
pub use side::{SideBody, SideFile, SideReader, SideWriter};
pub use topic::{Start, Topic};

/// Locks; a panic of another holder is reported by who joins it, not by everyone else.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
