//! Dynatrace's metric ingestion, seen from Dynatrace: a strict reading of the MINT grammar and a
//! server that answers as the real one does.
//!
//! Shares no code with the destination it judges. Where the documentation leaves a choice, the
//! stricter reading is taken: what passes here passes there.

mod answer;
pub mod key;
mod line;
mod name;
mod number;
mod receiver;
mod request;

pub use line::{Gauge, Line, Payload, read as read_line};
pub use name::{check_dimension_key, check_metric_key};
pub use receiver::{Options, Receiver, Token};
pub use request::{Judgement, LINES_MAX, PLAIN_BYTES_MAX, Refusal, count, judge};
