//! The decoder and the encoders together, against bytes, properties and decoders that are not ours.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is a failure, which is what it is for"
)]

mod boundary;
mod common;
mod framing;
mod golden;
mod gzip;
mod hostile;
mod json;
mod oracle;
mod otel;
mod properties;
