//! Prometheus remote write 1.0.
//!
//! Owns the names that series get, the request and the meaning of a receiver's answers;
//! `docs/prometheus.md` tells where each rule comes from. Always holds: labels are sorted and
//! unique, each series stands once in a request, its samples by rising time, and requests go one at
//! a time in the order of the journal. Deliberately not here: when to send again (the stream), and
//! markers of staleness, since CloudWatch never says that a series has ended.

mod answer;
mod divisions;
mod encode;
mod families;
mod label;
mod losses;
mod metadata;
mod name;
mod owner;
mod packer;
mod parts;
mod phrases;
mod plan;
mod print;
mod series;
mod short;
mod snappy;
mod wire;

use remote::{ClientConfig, OAuth2Config, Secret};

pub(crate) use losses::Losses;
pub use packer::Packer;
pub use print::Singles;
pub use wire::Wire;

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where requests are posted, as it is.
    pub url: String,
    /// How series are named.
    pub naming: Naming,
    /// Static headers (`X-Scope-OrgID`).
    pub headers: Vec<(String, Secret)>,
    /// `Authorization: Basic`.
    pub basic_auth: Option<(String, Secret)>,
    /// `Authorization: Bearer`.
    pub bearer_token: Option<Secret>,
    /// OAuth2 client credentials.
    pub oauth2: Option<OAuth2Config>,
    /// Labels added to every series; they win over what came.
    pub external_labels: Vec<(String, String)>,
    /// Whether type, unit and help of each metric are sent, now and then.
    pub metadata: bool,
    /// Most samples of a request.
    pub samples_max: u32,
    /// Most plain bytes of a request.
    pub bytes_max: usize,
    /// TLS and time limits.
    pub client: ClientConfig,
}

/// `naming`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As YACE names them: `aws_ecs_cpuutilization_average{dimension_ClusterName="..."}`.
    Yace,
    /// As OpenTelemetry's translation names them.
    Otel,
}

#[cfg(test)]
mod tests_support;
