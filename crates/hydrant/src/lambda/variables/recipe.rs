//! The variables of the two Python recipes, as a stream.
//!
//! What the recipes send, what is kept of it and what is mended stands in docs/lambda.md.

use super::given;
use super::tree::Tree;
use crate::settings::Environment;

/// A recipe that the environment was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recipe {
    /// Objects in OpenTelemetry 1.0 to a collector.
    Collector,
    /// Objects in JSON to an endpoint behind OAuth2.
    Endpoint,
}

/// The recipes whose variable for the destination is set.
pub(super) fn found(environment: &Environment) -> Vec<Recipe> {
    let all = [Recipe::Collector, Recipe::Endpoint];
    all.into_iter().filter(|one| given(environment, one.variable()).is_some()).collect()
}

impl Recipe {
    /// The variable that says where to deliver.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Recipe::Collector => "OTEL_COLLECTOR_URL",
            Recipe::Endpoint => "ENDPOINT_URL",
        }
    }

    /// Says that the variable counts for nothing.
    pub(super) fn unused(self, by: &str) -> String {
        format!("{} is not used: {by} says where to deliver", self.variable())
    }

    /// The stream it describes.
    pub(super) fn tree(self, environment: &Environment) -> Tree {
        let mut tree = Tree::default();
        let mut put = |path: &[&str], yaml: &str, variable: &str| {
            let path = [&["destination"], path].concat();
            tree.put(&path, yaml, variable);
        };
        let refer = |name: &str| format!("\"${{{name}}}\"");
        let name = "OTEL_SERVICE_NAME";
        put(&["type"], "otlp", "");
        put(&["endpoint"], &refer(self.variable()), self.variable());
        put(&["compression"], "none", "");
        match self {
            Recipe::Collector => {
                put(&["protocol"], "http/protobuf", "");
                let attributes = format!("{{service.name: \"${{{name}:-awsCloudwatchMetrics}}\"}}");
                put(&["resource_attributes"], &attributes, name);
            }
            Recipe::Endpoint => {
                put(&["protocol"], "http/json", "");
                put(&["dimensions"], "json_text", "");
                let attributes = format!(
                    "{{service.name: \"${{{name}:-aws-cloudwatch-stream}}\", \
                     environment: production}}"
                );
                put(&["resource_attributes"], &attributes, name);
                for (key, variable) in [
                    ("token_url", "TOKEN_URL"),
                    ("client_id", "CLIENT_ID"),
                    ("client_secret", "CLIENT_SECRET"),
                ] {
                    put(&["oauth2", key], &refer(variable), variable);
                }
                // Set to nothing, none is sent: some providers refuse one they do not know.
                let audience = "OAUTH2_AUDIENCE";
                if environment.text(audience) != Some("") {
                    let yaml = format!("\"${{{audience}:-b14collector}}\"");
                    put(&["oauth2", "audience"], &yaml, audience);
                }
            }
        }
        tree
    }
}

/// The recipes post to the URL as it is, also when it has no path; an OTLP destination would append
/// one. An empty query says that the path is meant.
pub(super) fn as_given(endpoint: &str) -> String {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    match rest.split_once('/') {
        None if !rest.contains('?') => format!("{endpoint}/?"),
        Some((_, "")) => format!("{endpoint}?"),
        _ => endpoint.to_owned(),
    }
}
