//! The arguments of `hydrant cost`. The doc comments are the help.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{StatusOutput, value};

/// Arguments of `hydrant cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// Files to read, or folders of them; none, or `-`, reads stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Extrapolate to this long
    #[arg(long = "for", value_name = "DURATION", default_value = "30d", value_parser = span)]
    pub period: Duration,
    /// How long it took to capture what is read [default: from the timestamps]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub span: Option<Duration>,
    /// A metric stream that carries only these; may be repeated
    #[arg(long, value_name = "NAMESPACE[:METRIC,METRIC]", value_parser = filter, conflicts_with = "exclude")]
    pub include: Vec<MetricFilter>,
    /// A metric stream that carries all but these; may be repeated
    #[arg(long, value_name = "NAMESPACE[:METRIC,METRIC]", value_parser = filter)]
    pub exclude: Vec<MetricFilter>,
    /// Region whose prices are taken
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub region: String,
    /// Take the prices from this file, in the form docs/cost.md shows
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Metrics shown of each namespace; JSON has all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = StatusOutput::Table)]
    pub output: StatusOutput,
}

/// A filter of a metric stream: a namespace, whole or by metric names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricFilter {
    /// The namespace.
    pub namespace: String,
    /// Metric names; none is the whole namespace.
    pub metric_names: Vec<String>,
}

fn span(text: &str) -> Result<Duration, String> {
    match value::duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        span => Ok(span),
    }
}

fn filter(text: &str) -> Result<MetricFilter, String> {
    let (namespace, names) = match text.split_once(':') {
        Some((namespace, names)) => (namespace, Some(names)),
        None => (text, None),
    };
    let metric_names: Vec<String> =
        names.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
    if namespace.is_empty() || metric_names.iter().any(String::is_empty) {
        return Err("expected NAMESPACE or NAMESPACE:METRIC,METRIC".to_owned());
    }
    Ok(MetricFilter { namespace: namespace.to_owned(), metric_names })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* filters as they are typed.
    /// *Guarantees:* namespace and names are told apart; an empty one is refused, which would
    /// otherwise mean the whole namespace.
    #[test]
    fn filters() {
        let names = |text: &str| filter(text).map(|filter| (filter.namespace, filter.metric_names));
        assert_eq!(names("AWS/EC2"), Ok(("AWS/EC2".to_owned(), vec![])));
        let two = vec!["NetworkIn".to_owned(), "NetworkOut".to_owned()];
        assert_eq!(names("AWS/EC2:NetworkIn,NetworkOut"), Ok(("AWS/EC2".to_owned(), two)));
        for text in ["", ":A", "AWS/EC2:", "AWS/EC2:A,", "AWS/EC2:,A"] {
            assert!(filter(text).is_err(), "{text}");
        }
        assert!(span("0s").is_err());
    }
}
