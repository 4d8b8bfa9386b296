//! Enters data points into a ledger: the CloudWatch identity from the attributes, the statistic
//! set from whatever kind of data carries it.

use super::message::{
    AnyValue, Attribute, HistogramPoint, Metric, NumberPoint, Request, SummaryPoint,
};
use crate::ledger::{Ledger, Statistic, Values, identity};

const NS_PER_MS: u64 = 1_000_000;

/// Enters every point of `request`.
pub(super) fn enter(request: &Request, ledger: &mut Ledger) {
    for group in &request.resource_metrics {
        let resource = group.resource.as_ref().map_or(&[][..], |r| r.attributes.as_slice());
        let owner = [text(resource, "cloud.account.id"), text(resource, "cloud.region")];
        for metric in group.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            enter_metric(metric, owner, ledger);
        }
    }
}

fn enter_metric(metric: &Metric, owner: [&str; 2], ledger: &mut Ledger) {
    let mut sight = |attributes: &[Attribute], start: u64, values: Values| {
        let instant_ms = i64::try_from(start / NS_PER_MS).unwrap_or(i64::MAX);
        ledger.sight(&identity_of(owner, attributes), instant_ms, values);
    };
    for point in metric.summary.iter().flat_map(|summary| &summary.data_points) {
        sight(&point.attributes, point.start_time_unix_nano, of_summary(point));
    }
    for point in metric.histogram.iter().flat_map(|histogram| &histogram.data_points) {
        sight(&point.attributes, point.start_time_unix_nano, of_histogram(point));
    }
    let gauges = metric.gauge.iter().flat_map(|gauge| &gauge.data_points);
    for point in gauges.chain(metric.sum.iter().flat_map(|sum| &sum.data_points)) {
        // Averages and percentiles are made of what is entered already, or not promised.
        if let Some(values) = of_number(metric, point) {
            sight(&point.attributes, point.start_time_unix_nano, values);
        }
    }
}

fn identity_of(owner: [&str; 2], attributes: &[Attribute]) -> String {
    let [account, region] = owner;
    let head = [account, region, text(attributes, "Namespace"), text(attributes, "MetricName")];
    let dimensions = match find(attributes, "Dimensions") {
        Some(AnyValue::Map(map)) => map.values.as_slice(),
        _ => &[],
    };
    identity(&head, dimensions.iter().map(|pair| (pair.key.as_str(), value_text(&pair.value))))
}

fn of_summary(point: &SummaryPoint) -> Values {
    let at = |quantile: f64| {
        point.quantile_values.iter().find(|entry| entry.quantile == quantile).map(|q| q.value)
    };
    Values { min: at(0.0), max: at(1.0), sum: Some(point.sum), count: Some(point.count as f64) }
}

fn of_histogram(point: &HistogramPoint) -> Values {
    Values { min: point.min, max: point.max, sum: point.sum, count: Some(point.count as f64) }
}

/// A gauge is one statistic of the set; the end of the metric's name says which.
fn of_number(metric: &Metric, point: &NumberPoint) -> Option<Values> {
    let (_, suffix) = metric.name.rsplit_once('.')?;
    let statistic = match suffix {
        "min" => Statistic::Min,
        "max" => Statistic::Max,
        "sum" => Statistic::Sum,
        "count" => Statistic::Count,
        _ => return None,
    };
    let value = point.as_double.or(point.as_int.map(|value| value as f64))?;
    Some(Values::default().with(statistic, value))
}

fn find<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()
}

fn text<'a>(attributes: &'a [Attribute], key: &str) -> &'a str {
    match find(attributes, key) {
        Some(AnyValue::String(text)) => text,
        _ => "",
    }
}

fn value_text(value: &Option<AnyValue>) -> &str {
    match value {
        Some(AnyValue::String(text)) => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
