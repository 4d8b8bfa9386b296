//! Destinations as sinks over borrowed points.
//!
//! A sink has two halves: the packer, owned by the stream's thread, turns points into the body of a
//! request and never waits; the wire, shared and async, makes one attempt and says what it means.

pub mod blackhole;
pub mod dynatrace;
pub mod file;
pub mod otlp;

use std::sync::Arc;

use metric::{Point, ShapeId};

use crate::Verdict;

/// When a point is offered: now, and when its delivery arrived; milliseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now_ms: i64,
    /// Arrival of the delivery the point came in.
    pub arrival_ms: i64,
}

/// What became of an offered point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is in the open parcel.
    Taken,
    /// This destination can never use it: quarantine it, with this reason.
    Refused(&'static str),
    /// It could have been used on arrival, but has grown old while held: its record goes to backup, with this code.
    Expired(&'static str),
}

/// The body of one request, closed.
#[derive(Clone, Debug)]
pub struct Payload {
    /// As sent, compressed or not.
    pub body: bytes::Bytes,
    /// How many points it carries.
    pub points: u32,
    /// Length before compression.
    pub plain_bytes: usize,
}

/// Settings of a destination.
#[derive(Clone, Debug)]
pub enum Config {
    /// Dynatrace metric ingestion.
    Dynatrace(dynatrace::Config),
    /// OTLP over HTTP.
    Otlp(otlp::Config),
    /// NDJSON files.
    File(file::Config),
    /// Nowhere.
    Blackhole,
}

/// The packing half.
pub enum Packer {
    /// Dynatrace.
    Dynatrace(Box<dynatrace::Packer>),
    /// OTLP.
    Otlp(Box<otlp::Packer>),
    /// Files.
    File(Box<file::Packer>),
    /// Nowhere.
    Blackhole(blackhole::Packer),
}

/// The sending half.
#[derive(Clone)]
pub enum Wire {
    /// Dynatrace.
    Dynatrace(Arc<dynatrace::Wire>),
    /// OTLP.
    Otlp(Arc<otlp::Wire>),
    /// Files.
    File(Arc<file::Wire>),
    /// Nowhere.
    Blackhole,
}

/// Builds both halves. The error names what is wrong with the settings.
pub fn build(_config: &Config) -> Result<(Packer, Wire), String> {
    unimplemented!()
}

impl Packer {
    /// Offers a selected point to the open parcel. Never called when `full`.
    pub fn offer(&mut self, _point: &Point<'_>, _shape: Option<ShapeId>, _moment: Moment) -> Offer {
        unimplemented!()
    }
    /// The next point might not fit: close first.
    pub fn full(&self) -> bool {
        unimplemented!()
    }
    /// Points in the open parcel.
    pub fn points(&self) -> u32 {
        unimplemented!()
    }
    /// Closes the open parcel. Never called when it holds no points.
    pub fn close(&mut self) -> Payload {
        unimplemented!()
    }
    /// Forgets the open parcel.
    pub fn discard(&mut self) {
        unimplemented!()
    }
}

impl Wire {
    /// One attempt.
    pub async fn send(&self, _payload: &Payload) -> Verdict {
        unimplemented!()
    }
    /// Can this destination be reached, and does it know us? Changes nothing there. For `validate --online`.
    pub async fn probe(&self) -> Verdict {
        unimplemented!()
    }
    /// For a person: type and place, never a secret.
    pub fn describe(&self) -> String {
        unimplemented!()
    }
}
