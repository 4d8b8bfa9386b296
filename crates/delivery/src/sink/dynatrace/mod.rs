//! Dynatrace: lines of metric ingestion (MINT) to `/api/v2/metrics/ingest`.
//!
//! Owns the names Dynatrace knows CloudWatch metrics by, the grammar and the limits of its lines,
//! and the meaning of its answers; `docs/dynatrace.md` tells where each rule comes from. Always
//! holds: no line leaves here that a server must refuse for its form. Deliberately not here: when
//! to send again, and what becomes of a point that was refused (the stream).

mod added;
mod answer;
mod dimension;
mod gauge;
mod key;
mod known;
mod losses;
mod metadata;
mod open;
mod packer;
mod prepared;
mod url;
mod window;
mod wire;

use remote::{ClientConfig, Secret};

pub(crate) use losses::Losses;
pub use packer::Packer;
pub(crate) use url::{Target, target};
pub use window::OLDEST_MS;
pub use wire::Wire;

/// The key that a metric has with default settings, for those who ask without a point.
pub fn stream_key(namespace: &str, name: &str, dimensions: &[&str]) -> String {
    key::metric_key(namespace, name, dimensions.iter().copied(), DigitSection::AsIs).text
}

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Environment URL in any accepted form (`https://abc.live.dynatrace.com`, `.../e/<id>`, with or without `/api...`).
    pub url: String,
    /// Token with scope `metrics.ingest`.
    pub api_token: Secret,
    /// What becomes of a point too old on arrival.
    pub too_old: TooOld,
    /// Opt-in gauge `<key>.p99` for percentiles.
    pub percentiles: bool,
    /// Unit metadata lines, once per key and process.
    pub metadata: bool,
    /// How a key section that begins with a digit is written.
    pub digit_section: DigitSection,
    /// gzip the request.
    pub compression: bool,
    /// TLS and time limits.
    pub client: ClientConfig,
}

/// `too_old`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooOld {
    /// Quarantine it.
    Quarantine,
    /// Send it with the time of now.
    Restamp,
}

/// `digit_section`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitSection {
    /// As Dynatrace's own endpoint makes it.
    AsIs,
    /// With an underscore before the digit.
    Underscore,
}
