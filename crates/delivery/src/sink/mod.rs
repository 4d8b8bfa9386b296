//! Destinations as sinks over borrowed points.
//!
//! A sink has two halves: the packer, owned by the stream's thread, turns points into the body of a
//! request and never waits; the wire, shared and async, makes one attempt and says what it means.

mod answer;
pub mod blackhole;
mod credentials;
pub mod dynatrace;
pub mod file;
pub mod http_endpoint;
mod number;
pub mod otlp;
pub mod prometheus;
pub mod s3;
mod shelf;
mod text;
mod url;

use std::sync::Arc;

use journal::Position;
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
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// As sent, compressed or not.
    pub body: bytes::Bytes,
    /// How many points it carries.
    pub points: u32,
    /// Length before compression.
    pub plain_bytes: usize,
    /// What it is, for destinations that must name a request the same way whenever it is sent.
    pub label: Label,
}

/// What names a request: the same data packed again after a crash begins at the same place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Random word of this installation: two with the same settings must not name alike.
    pub origin: Arc<str>,
    /// Name of the stream.
    pub stream: Arc<str>,
    /// Topic of the journal it was read from.
    pub topic: Arc<str>,
    /// Its first item.
    pub from: Position,
    /// Arrival of the oldest delivery in it, milliseconds since the epoch.
    pub oldest_ms: i64,
}

/// Settings of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Config {
    /// Dynatrace metric ingestion.
    Dynatrace(dynatrace::Config),
    /// OTLP over HTTP.
    Otlp(otlp::Config),
    /// Prometheus remote write.
    Prometheus(prometheus::Config),
    /// A receiver of Firehose deliveries.
    HttpEndpoint(http_endpoint::Config),
    /// Objects in S3.
    S3(s3::Config),
    /// NDJSON files.
    File(file::Config),
    /// Nowhere.
    Blackhole,
}

/// What a destination of records is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Points, as records of a metric stream in this form.
    Points(metric::Format),
    /// Records as they were put, whatever they hold.
    Records {
        /// Follows each record; mostly empty.
        delimiter: Vec<u8>,
    },
}

impl Content {
    /// What follows each record; `None` when points are wanted.
    pub(crate) fn delimiter(&self) -> Option<Vec<u8>> {
        match self {
            Content::Points(_) => None,
            Content::Records { delimiter } => Some(delimiter.clone()),
        }
    }

    /// The form of points, when there are any.
    pub(crate) fn format(&self) -> metric::Format {
        match self {
            Content::Points(format) => *format,
            Content::Records { .. } => metric::Format::Json,
        }
    }
}

/// The packing half.
pub enum Packer {
    /// Dynatrace.
    Dynatrace(Box<dynatrace::Packer>),
    /// OTLP.
    Otlp(Box<otlp::Packer>),
    /// Prometheus remote write.
    Prometheus(Box<prometheus::Packer>),
    /// A receiver of Firehose deliveries.
    HttpEndpoint(Box<http_endpoint::Packer>),
    /// Objects in S3.
    S3(Box<s3::Packer>),
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
    /// Prometheus remote write.
    Prometheus(Arc<prometheus::Wire>),
    /// A receiver of Firehose deliveries.
    HttpEndpoint(Arc<http_endpoint::Wire>),
    /// Objects in S3.
    S3(Arc<s3::Wire>),
    /// Files.
    File(Arc<file::Wire>),
    /// Nowhere.
    Blackhole,
}

/// Builds both halves. The error names what is wrong with the settings.
pub fn build(config: &Config) -> Result<(Packer, Wire), String> {
    Ok(match config {
        Config::Dynatrace(config) => {
            let wire = dynatrace::Wire::new(config)?;
            let packer = dynatrace::Packer::new(config);
            (Packer::Dynatrace(Box::new(packer)), Wire::Dynatrace(Arc::new(wire)))
        }
        Config::Otlp(config) => {
            let wire = otlp::Wire::new(config)?;
            (Packer::Otlp(Box::new(otlp::Packer::new(config))), Wire::Otlp(Arc::new(wire)))
        }
        Config::Prometheus(config) => {
            let wire = prometheus::Wire::new(config)?;
            (
                Packer::Prometheus(Box::new(prometheus::Packer::new(config))),
                Wire::Prometheus(Arc::new(wire)),
            )
        }
        Config::HttpEndpoint(config) => {
            let wire = http_endpoint::Wire::new(config)?;
            (
                Packer::HttpEndpoint(Box::new(http_endpoint::Packer::new(config))),
                Wire::HttpEndpoint(Arc::new(wire)),
            )
        }
        Config::S3(config) => {
            let wire = s3::Wire::new(config)?;
            (Packer::S3(Box::new(s3::Packer::new(config))), Wire::S3(Arc::new(wire)))
        }
        Config::File(config) => {
            let wire = file::Wire::new(config)?;
            (Packer::File(Box::new(file::Packer::new(config))), Wire::File(Arc::new(wire)))
        }
        Config::Blackhole => (Packer::Blackhole(blackhole::Packer::default()), Wire::Blackhole),
    })
}

impl Packer {
    /// Does the destination make use of the shape of a point?
    pub fn asks_for_shapes(&self) -> bool {
        matches!(self, Packer::Dynatrace(_) | Packer::Prometheus(_))
    }

    /// Offers a selected point to the open parcel. Never called when `full`.
    pub fn offer(&mut self, point: &Point<'_>, shape: Option<ShapeId>, moment: Moment) -> Offer {
        match self {
            Packer::Dynatrace(packer) => packer.offer(point, shape, moment),
            Packer::Otlp(packer) => packer.offer(point),
            Packer::Prometheus(packer) => packer.offer(point, shape, moment),
            Packer::HttpEndpoint(packer) => packer.offer(point),
            Packer::S3(packer) => packer.offer(point),
            Packer::File(packer) => packer.offer(point),
            Packer::Blackhole(packer) => {
                packer.take();
                Offer::Taken
            }
        }
    }

    /// It wants records as they are: then [`offer_record`](Packer::offer_record) is called, and
    /// [`offer`](Packer::offer) never.
    pub fn takes_records(&self) -> bool {
        match self {
            Packer::HttpEndpoint(packer) => packer.takes_records(),
            Packer::S3(packer) => packer.takes_records(),
            _ => false,
        }
    }

    /// This record fits into the open parcel; into an empty one every record does.
    pub fn has_room_for(&self, record: &[u8]) -> bool {
        match self {
            Packer::HttpEndpoint(packer) => packer.has_room_for(record),
            Packer::S3(packer) => packer.has_room_for(record),
            _ => !self.full(),
        }
    }

    /// Puts a record into the open parcel, which has room for it; or says why this destination can
    /// never use it: quarantine it, with this reason.
    pub fn offer_record(&mut self, record: &[u8]) -> Result<(), &'static str> {
        match self {
            Packer::HttpEndpoint(packer) => packer.offer_record(record),
            Packer::S3(packer) => {
                packer.offer_record(record);
                Ok(())
            }
            _ => Err("not_a_point"),
        }
    }

    /// The next point might not fit: close first. An empty parcel is never full.
    pub fn full(&self) -> bool {
        match self {
            Packer::Dynatrace(packer) => packer.full(),
            Packer::Otlp(packer) => packer.full(),
            Packer::Prometheus(packer) => packer.full(),
            Packer::HttpEndpoint(packer) => packer.full(),
            Packer::S3(packer) => packer.full(),
            Packer::File(packer) => packer.full(),
            Packer::Blackhole(packer) => packer.full(),
        }
    }

    /// Points in the open parcel.
    pub fn points(&self) -> u32 {
        match self {
            Packer::Dynatrace(packer) => packer.points(),
            Packer::Otlp(packer) => packer.points(),
            Packer::Prometheus(packer) => packer.points(),
            Packer::HttpEndpoint(packer) => packer.points(),
            Packer::S3(packer) => packer.points(),
            Packer::File(packer) => packer.points(),
            Packer::Blackhole(packer) => packer.points(),
        }
    }

    /// Closes the open parcel. Never called when it holds no points.
    pub fn close(&mut self) -> Payload {
        match self {
            Packer::Dynatrace(packer) => packer.close(),
            Packer::Otlp(packer) => packer.close(),
            Packer::Prometheus(packer) => packer.close(),
            Packer::HttpEndpoint(packer) => packer.close(),
            Packer::S3(packer) => packer.close(),
            Packer::File(packer) => packer.close(),
            Packer::Blackhole(packer) => packer.close(),
        }
    }

    /// Forgets the open parcel.
    pub fn discard(&mut self) {
        match self {
            Packer::Dynatrace(packer) => packer.discard(),
            Packer::Otlp(packer) => packer.discard(),
            Packer::Prometheus(packer) => packer.discard(),
            Packer::HttpEndpoint(packer) => packer.discard(),
            Packer::S3(packer) => packer.discard(),
            Packer::File(packer) => packer.discard(),
            Packer::Blackhole(packer) => packer.discard(),
        }
    }

    /// What this destination could not carry of the points it took, or carries changed: name and
    /// count since the start. The names are listed in the docs of the destination.
    pub fn losses(&self) -> Vec<(&'static str, u64)> {
        match self {
            Packer::Dynatrace(packer) => packer.losses(),
            Packer::Otlp(packer) => packer.losses(),
            Packer::Prometheus(packer) => packer.losses(),
            Packer::HttpEndpoint(packer) => packer.losses(),
            Packer::S3(packer) => packer.losses(),
            Packer::File(_) | Packer::Blackhole(_) => Vec::new(),
        }
    }
}

impl Wire {
    /// One attempt.
    pub async fn send(&self, payload: &Payload) -> Verdict {
        match self {
            Wire::Dynatrace(wire) => wire.send(payload).await,
            Wire::Otlp(wire) => wire.send(payload).await,
            Wire::Prometheus(wire) => wire.send(payload).await,
            Wire::HttpEndpoint(wire) => wire.send(payload).await,
            Wire::S3(wire) => wire.send(payload).await,
            Wire::File(wire) => wire.send(payload).await,
            Wire::Blackhole => Verdict::Delivered,
        }
    }

    /// Can this destination be reached, and does it know us? Changes nothing there. For `validate --online`.
    pub async fn probe(&self) -> Verdict {
        match self {
            Wire::Dynatrace(wire) => wire.probe().await,
            Wire::Otlp(wire) => wire.probe().await,
            Wire::Prometheus(wire) => wire.probe().await,
            Wire::HttpEndpoint(wire) => wire.probe().await,
            Wire::S3(wire) => wire.probe().await,
            Wire::File(wire) => wire.probe().await,
            Wire::Blackhole => Verdict::Delivered,
        }
    }

    /// One request at a time, and none before those that came first.
    pub fn ordered(&self) -> bool {
        matches!(self, Wire::Prometheus(_))
    }

    /// For a person: type and place, never a secret.
    pub fn describe(&self) -> String {
        match self {
            Wire::Dynatrace(wire) => wire.describe(),
            Wire::Otlp(wire) => wire.describe(),
            Wire::Prometheus(wire) => wire.describe(),
            Wire::HttpEndpoint(wire) => wire.describe(),
            Wire::S3(wire) => wire.describe(),
            Wire::File(wire) => wire.describe(),
            Wire::Blackhole => "blackhole".to_owned(),
        }
    }
}
