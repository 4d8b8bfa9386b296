//! Dynatrace: MINT lines to `/api/v2/metrics/ingest`.

use remote::{ClientConfig, Secret};

/// Settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Environment URL in any accepted form (`https://abc.live.dynatrace.com`, `…/e/<id>`, with or without `/api…`).
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

/// The packing half.
pub struct Packer {}
/// The sending half.
pub struct Wire {}
