//! What is to be made, as data: from the settings and the flags, for either tool.

use super::filters::Filters;
use super::parameter::Parameter;
use super::policy::{Role, Statement};

pub use crate::cli::DeployTopology as Topology;

/// The AWS side of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The way of the metrics.
    pub topology: Topology,
    /// One sentence about that way, for the head of what is written.
    pub about: String,
    /// Where; empty when it is said at the time of deploying.
    pub regions: Vec<String>,
    /// The metric stream.
    pub metric_stream: MetricStream,
    /// The Firehose stream.
    pub delivery: Delivery,
    /// The bucket for its objects, or for what could not be delivered.
    pub bucket: Bucket,
    /// Roles of services.
    pub roles: Vec<Role>,
    /// The queue between bucket and reader.
    pub queue: Option<Queue>,
    /// Hydrant as the reader.
    pub reader: Option<Reader>,
    /// Hydrant as a function.
    pub function: Option<Function>,
    /// What may be set when it is deployed.
    pub parameters: Vec<Parameter>,
    /// What whoever deploys should know, for stderr.
    pub notes: Vec<String>,
}

/// The metric stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricStream {
    /// What it carries.
    pub filters: Filters,
    /// `opentelemetry1.0`.
    pub output_format: &'static str,
}

/// Where Firehose delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// To an HTTP endpoint; what cannot be delivered goes to the bucket.
    Http(Http),
    /// To the bucket.
    Objects {
        /// Prefix of the objects; ends with a slash.
        prefix: String,
    },
}

/// An HTTP endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// What it is called in the console.
    pub name: &'static str,
    /// Parameter with its URL.
    pub url: &'static str,
    /// Its key.
    pub access_key: AccessKey,
    /// Common attributes.
    pub attributes: Vec<(String, AttributeValue)>,
}

/// Where the access key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKey {
    /// There is none.
    None,
    /// A secret; the parameter names it.
    Secret(&'static str),
    /// The parameter is the key.
    Variable(&'static str),
}

/// Value of a common attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// As it is.
    Literal(String),
    /// A parameter.
    Parameter(&'static str),
}

/// The bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The name the settings know; else it is made of name, account and region.
    pub name: Option<String>,
    /// Its policy.
    pub policy: Vec<Statement>,
    /// Policy of the key that encrypts it.
    pub key_policy: Vec<Statement>,
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The name the settings know; else that of everything.
    pub name: Option<String>,
    /// Objects below this prefix are told.
    pub prefix: String,
    /// A message is hidden this long while Hydrant works on it; for a function, six of its timeouts.
    pub visibility_seconds: u64,
    /// Who may send to it.
    pub policy: Vec<Statement>,
}

/// Hydrant as the reader of bucket and queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// What it may do; attached to the role it has, or to one of its own.
    pub statements: Vec<Statement>,
    /// A role of its own: parameters with the principal and the external id.
    pub role: bool,
}

/// Hydrant as a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The stream, as `HYDRANT_STREAM` takes it.
    pub stream: String,
    /// Variables that the stream refers to, each with its parameter.
    pub variables: Vec<(String, String)>,
}
