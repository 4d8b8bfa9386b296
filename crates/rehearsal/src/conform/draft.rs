//! What the cases are made of: points that anybody recognises, records of them, and deliveries.

use http::Method;
use metric::{Dimension, Encoder, Format, Point, Unit};

use crate::sender::{Request, Sender, request_id};

/// Namespace of every point that is sent.
pub const NAMESPACE: &str = "Hydrant/Conform";
/// Where the deliveries say they come from.
pub(super) const SOURCE_ARN: &str =
    "arn:aws:firehose:eu-west-1:111122223333:deliverystream/hydrant-conform";
/// Name of every metric.
const METRIC: &str = "Probe";
const STREAM: &str = "hydrant-conform";
/// Nanoseconds of a minute.
const MINUTE_NS: u64 = 60_000_000_000;

/// What the deliveries of a run have in common.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The clock, ms since the epoch: the time of the deliveries and, by the minute, of their points.
    pub now_ms: i64,
    /// Makes the request ids: another run must not be a repeat of this one.
    pub run: u64,
    /// The access key of the receiver.
    pub access_key: Option<String>,
    /// Common attributes that the receiver needs.
    pub attributes: Vec<(String, String)>,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// POST, but for health checks.
    pub method: Method,
    /// Names and values, but for what HTTP itself adds.
    pub headers: Vec<(&'static str, String)>,
    /// The body as it goes over the wire.
    pub body: Vec<u8>,
    /// What an answer must name.
    pub request_id: String,
    /// The body goes slowly.
    pub slow: Option<Slow>,
}

/// A body in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// How many.
    pub pieces: usize,
    /// Between two.
    pub pause_ms: u64,
}

impl Delivery {
    /// Without this header.
    pub(super) fn without(mut self, name: &str) -> Delivery {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// With this header, in place of what it had.
    pub(super) fn with(self, name: &'static str, value: &str) -> Delivery {
        let mut delivery = self.without(name);
        delivery.headers.push((name, value.to_owned()));
        delivery
    }
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
}

/// Makes the deliveries of one case.
pub(super) struct Draft<'a> {
    pub(super) setup: &'a Setup,
    case: &'static str,
}

impl<'a> Draft<'a> {
    pub(super) fn new(setup: &'a Setup, case: &'static str) -> Draft<'a> {
        Draft { setup, case }
    }

    /// The request id of the `number`th delivery of the case.
    pub(super) fn id(&self, number: u64) -> String {
        let mixed = self.case.bytes().fold(self.setup.run, |sum, byte| {
            sum.wrapping_mul(0x100_0000_01b3).wrapping_add(u64::from(byte))
        });
        request_id(mixed, number)
    }

    /// A record of `points` points in each of `messages` messages (of JSON: lines).
    pub(super) fn record(&self, format: Format, points: usize, messages: usize) -> Vec<u8> {
        let (mut encoder, mut record) = (Encoder::new(format), Vec::new());
        for message in 0..messages {
            for n in 0..points {
                let number = (message * points + n).to_string();
                self.point(&mut encoder, &[("Case", self.case), ("Number", &number)]);
            }
            encoder.finish(&mut record);
        }
        record
    }

    /// Adds the point with these dimensions.
    pub(super) fn point(&self, encoder: &mut Encoder, dimensions: &[(&str, &str)]) {
        let dimensions: Vec<Dimension<'_>> =
            dimensions.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        // The minute that was over when the delivery was made.
        let minute = u64::try_from(self.setup.now_ms).unwrap_or(0) / 60_000;
        let start_ns = minute.saturating_sub(1) * MINUTE_NS;
        encoder.push(&Point {
            stream: STREAM.as_bytes(),
            account: b"111122223333",
            region: b"eu-west-1",
            dimensions: &dimensions,
            unit: Unit::parse(b"Count"),
            start_ns,
            end_ns: Some(start_ns + MINUTE_NS),
            min: Some(0.5),
            max: Some(2.0),
            sum: Some(4.25),
            count: 3.0,
            ..Point::of(NAMESPACE.as_bytes(), METRIC.as_bytes())
        });
    }

    /// The `number`th delivery of the case, with these records.
    pub(super) fn delivery(
        &self,
        number: u64,
        coding: Coding,
        records: &[impl AsRef<[u8]>],
    ) -> Delivery {
        let id = self.id(number);
        self.compose(&id, coding, self.setup.attributes.clone(), records)
    }

    /// The same with other common attributes.
    pub(super) fn attributed(
        &self,
        attributes: Vec<(String, String)>,
        records: &[impl AsRef<[u8]>],
    ) -> Delivery {
        self.compose(&self.id(0), Coding::Plain, attributes, records)
    }

    fn compose(
        &self,
        id: &str,
        coding: Coding,
        attributes: Vec<(String, String)>,
        records: &[impl AsRef<[u8]>],
    ) -> Delivery {
        let sender = Sender {
            source_arn: SOURCE_ARN.to_owned(),
            access_key: self.setup.access_key.clone(),
            attributes,
            gzip: coding == Coding::Gzip,
        };
        let Request { headers, body } = sender.compose(id, self.setup.now_ms, records);
        let method = Method::POST;
        Delivery { method, headers, body, request_id: id.to_owned(), slow: None }
    }
}
