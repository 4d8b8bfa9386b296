//! What a CloudWatch metric is, and its three wire forms, both ways.
//!
//! No I/O, no clock, no async, and no input makes it panic (I3).

mod decode;
mod encode;
mod point;
mod reject;
mod shape;
mod sniff;
mod unit;

pub use decode::{Decoder, Visit};
pub use encode::{Encoder, Format};
pub use point::{Dimension, Extra, Point, Source, Statistic};
pub use reject::{Reason, Reject};
pub use shape::{ShapeId, Shapes};
pub use sniff::{Kind, sniff};
pub use unit::Unit;
