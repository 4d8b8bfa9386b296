//! How old a point may be for a destination, told before anything is sent.

use delivery::sink::{Config, dynatrace};
use delivery::{Destination, StreamConfig};

use super::pick::CLOUDWATCH_OLDEST_MS;

/// Prometheus takes what is not older than its head block, which begins one hour back at least.
const PROMETHEUS_OLDEST_MS: i64 = 3_600_000;

/// What a destination does with old points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgeRule {
    /// Older points are counted.
    pub limit_ms: Option<i64>,
    /// They are refused for certain.
    pub refuses: bool,
    /// Why, for a person.
    pub text: &'static str,
}

const NO_RULE: AgeRule = AgeRule { limit_ms: None, refuses: false, text: "" };

/// A receiver of deliveries, of which it is not known what stands behind it.
pub(super) const ENDPOINT: AgeRule = AgeRule {
    limit_ms: Some(CLOUDWATCH_OLDEST_MS),
    refuses: false,
    text: "older than two weeks: a CloudWatch API behind the endpoint refuses them",
};

/// The rule of a stream's destination.
pub(super) fn rule(stream: &StreamConfig) -> AgeRule {
    let Destination::Fixed(destination) = &stream.destination else { return NO_RULE };
    match destination {
        Config::Dynatrace(config) if config.too_old == dynatrace::TooOld::Restamp => AgeRule {
            limit_ms: Some(dynatrace::OLDEST_MS),
            refuses: false,
            text: "older than one hour: Dynatrace gets them with the time of now (too_old: restamp)",
        },
        Config::Dynatrace(_) => AgeRule {
            limit_ms: Some(dynatrace::OLDEST_MS),
            refuses: true,
            text: "older than one hour: Dynatrace refuses them",
        },
        Config::Prometheus(_) => AgeRule {
            limit_ms: Some(PROMETHEUS_OLDEST_MS),
            refuses: false,
            text: "older than one hour: Prometheus refuses them as out of order, unless \
                   storage.tsdb.out_of_order_time_window reaches that far back",
        },
        Config::HttpEndpoint(_) => ENDPOINT,
        Config::Otlp(_) | Config::S3(_) | Config::File(_) | Config::Blackhole => NO_RULE,
    }
}
