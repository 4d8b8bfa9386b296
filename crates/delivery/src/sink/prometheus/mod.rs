//! Prometheus remote write 1.0.

mod packer;
mod wire;

use remote::{ClientConfig, OAuth2Config, Secret};

pub use packer::Packer;
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
