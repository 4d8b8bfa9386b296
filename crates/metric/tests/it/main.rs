//! The decoder and the encoders together, against bytes, properties and decoders that are not ours.

mod common;
mod golden;
