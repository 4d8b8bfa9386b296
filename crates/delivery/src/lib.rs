//! Delivery streams and destinations: claim, decode, select, pack, send, retry, back up, quarantine.
//!
//! A stream owns its cursors, its parcels, its quarantine and its backup; nobody else touches them.
//! It never sees a sender's socket. Whatever it is told by a destination, a point ends delivered,
//! filtered by a counted rule, in the backup, in quarantine, or stays in the journal (I5).

mod alldata;
mod backup;
mod claim;
mod config;
mod dispatch;
mod divert;
mod feed;
mod housekeep;
mod lanes;
mod marker;
mod pack;
mod parcel;
mod pieces;
mod place;
mod quarantine;
mod ranges;
mod retry;
mod share;
pub mod sink;
mod split;
mod stats;
mod stream;
mod tags;
mod tap;
mod time;
mod upload;
mod verdict;
mod worker;

pub use alldata::ALL_DATA_SUFFIX;
pub use config::{
    BackupConfig, BackupMode, Buffering, Destination, FromRequest, S3Backup, StartFrom,
    StreamConfig,
};
pub use lanes::{Lanes, NotAdmitted, PartsFor};
pub use share::{Share, Spent, folder_size};
pub use stats::{REQUEST_OUTCOMES, State, Stats, UPLOAD_OUTCOMES};
pub use stream::{Commands, Parts, Stream};
pub use tags::TagState;
pub use tap::{NotTapped, Tap, TapFilter, Taps};
pub use time::{Clock, steady_clock};
pub use verdict::{RefusedLine, Verdict, Why};
