//! What a CloudWatch metric is, and its three wire forms, both ways.
//!
//! Owns the point as everything behind the journal sees it, its decoder and its encoder, and the
//! tables of units. No I/O, no clock, no async, and no input makes it panic (I3). What the forms
//! hold, what each cannot carry and every reason of a reject is written in `docs/formats.md`.
//! Deliberately not here: base64 and the envelope around a record (`codec`, `aws`), and what
//! becomes of a point (`rules`, `delivery`).

mod decode;
pub mod encode;
mod number;
mod partition;
mod point;
mod reject;
mod shape;
mod sniff;
mod statistic;
mod unit;
pub mod wire;

pub use decode::{Decoder, Visit, boundary};
pub use encode::{Encoder, Format};
pub use partition::partition;
pub use point::{Dimension, Extra, Point, Source, text};
pub use reject::{Reason, Reject};
pub use shape::{ShapeId, Shapes};
pub use sniff::{Kind, sniff};
pub use statistic::Statistic;
pub use unit::Unit;
