//! OTLP over HTTP, in protobuf and in JSON, and over gRPC.
//!
//! Owns the three forms a statistic set may take there, the grouping by resource, and the meaning
//! of a receiver's answers; `docs/otlp.md` tells where each rule comes from. Always holds: names,
//! attributes and both ends of the period are those CloudWatch sends. Deliberately not here: when
//! to send again (the stream).

mod answer;
mod dimensions;
pub(crate) mod groups;
mod grpc;
mod json;
mod losses;
mod packer;
pub(crate) mod protobuf;
pub(crate) mod reading;
mod wire;

use remote::{ClientConfig, OAuth2Config, Secret};

pub(crate) use losses::Losses;
pub use packer::Packer;
pub use wire::Wire;

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `/v1/metrics` is appended unless the URL has a path; gRPC takes `host:port`, or a URL without
    /// a path, of which `http` means plaintext.
    pub endpoint: String,
    /// Protobuf or JSON over HTTP, or gRPC.
    pub protocol: Protocol,
    /// gzip or none (zstd where the receiver takes it).
    pub compression: Compression,
    /// Static headers.
    pub headers: Vec<(String, Secret)>,
    /// `Authorization: Bearer`.
    pub bearer_token: Option<Secret>,
    /// OAuth2 client credentials.
    pub oauth2: Option<OAuth2Config>,
    /// Added to every resource; wins over what came.
    pub resource_attributes: Vec<(String, String)>,
    /// How a statistic set is expressed.
    pub points: Points,
    /// How dimensions are expressed; a text only in JSON over HTTP.
    pub dimensions: Dimensions,
    /// Most points of a request.
    pub points_max: u32,
    /// Most plain bytes of a request.
    pub bytes_max: usize,
    /// TLS and time limits.
    pub client: ClientConfig,
}

/// `protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`.
    HttpProtobuf,
    /// `http/json`.
    HttpJson,
    /// `grpc`.
    Grpc,
}

/// `compression`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// `points`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// As they came.
    Summary,
    /// `.min .max .sum .count .avg` and percentiles.
    Gauges,
    /// Delta histogram with no buckets.
    DeltaHistogram,
}

/// `dimensions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimensions {
    /// A list of names and values, as CloudWatch sends them.
    List,
    /// One text that holds them as a JSON object.
    JsonText,
}
