//! The header of a journal entry: intake writes it, delivery reads it, the journal never looks inside.
//!
//! An entry is a header (`head`) and the bytes as they arrived (`body`).

mod header;
pub mod records;
pub mod seal;
mod tail;

pub use header::{Encoding, Header, HeaderError, Kind, LaneId};
pub use tail::{Reader, Room, Tail, TailKey};
