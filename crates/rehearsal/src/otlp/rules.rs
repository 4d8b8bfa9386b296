//! What a request must mean, whatever its encoding: names, times, numbers, one kind of data each.

use super::message::{
    AnyValue, Attribute, HistogramPoint, Metric, NumberPoint, Request, SummaryPoint,
};

/// Checks a request and returns how many data points it holds. The error names the metric.
pub fn check(request: &Request) -> Result<u64, String> {
    let mut points = 0;
    for group in &request.resource_metrics {
        let Some(resource) = &group.resource else {
            return Err("resource_metrics without resource".to_owned());
        };
        check_attributes(&resource.attributes).map_err(|fault| format!("resource: {fault}"))?;
        if group.scope_metrics.is_empty() {
            return Err("resource_metrics without scope_metrics".to_owned());
        }
        for scope in &group.scope_metrics {
            if scope.metrics.is_empty() {
                return Err("scope_metrics without metrics".to_owned());
            }
            for metric in &scope.metrics {
                points += check_metric(metric)
                    .map_err(|fault| format!("metric '{}': {fault}", metric.name))?;
            }
        }
    }
    if points == 0 {
        return Err("request without data points".to_owned());
    }
    Ok(points)
}

fn check_metric(metric: &Metric) -> Result<u64, String> {
    if metric.name.is_empty() {
        return Err("name is empty".to_owned());
    }
    check_attributes(&metric.metadata)?;
    let Metric { gauge, sum, histogram, summary, .. } = metric;
    let kinds = [gauge.is_some(), sum.is_some(), histogram.is_some(), summary.is_some()];
    if kinds.iter().filter(|there| **there).count() != 1 {
        return Err("not exactly one kind of data".to_owned());
    }
    let mut points = 0;
    let numbers = gauge.iter().flat_map(|gauge| &gauge.data_points);
    for point in numbers.chain(sum.iter().flat_map(|sum| &sum.data_points)) {
        check_number(point)?;
        points += 1;
    }
    for point in histogram.iter().flat_map(|histogram| &histogram.data_points) {
        check_histogram(point)?;
        points += 1;
    }
    for point in summary.iter().flat_map(|summary| &summary.data_points) {
        check_summary(point)?;
        points += 1;
    }
    let temporalities = [
        sum.as_ref().map(|sum| sum.aggregation_temporality),
        histogram.as_ref().map(|histogram| histogram.aggregation_temporality),
    ];
    if temporalities.iter().flatten().any(|t| !matches!(t, 1 | 2)) {
        return Err("aggregation temporality is neither delta nor cumulative".to_owned());
    }
    if points == 0 {
        return Err("no data points".to_owned());
    }
    Ok(points)
}

fn check_number(point: &NumberPoint) -> Result<(), String> {
    check_common(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.flags)?;
    match (point.as_double, point.as_int) {
        (Some(value), None) => check_finite("value", value),
        (None, Some(_)) => Ok(()),
        _ => Err("not exactly one value".to_owned()),
    }
}

fn check_histogram(point: &HistogramPoint) -> Result<(), String> {
    check_common(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.flags)?;
    for (name, value) in [("sum", point.sum), ("min", point.min), ("max", point.max)] {
        check_finite(name, value.unwrap_or(0.0))?;
    }
    if let (Some(min), Some(max)) = (point.min, point.max)
        && min > max
    {
        return Err(format!("min {min} is more than max {max}"));
    }
    let (buckets, bounds) = (point.bucket_counts.len(), point.explicit_bounds.len());
    if buckets != bounds + 1 && (buckets, bounds) != (0, 0) {
        return Err(format!("{buckets} buckets do not fit {bounds} bounds"));
    }
    if !point.explicit_bounds.is_sorted_by(|a, b| a < b) {
        return Err("bounds do not ascend".to_owned());
    }
    let total = point.bucket_counts.iter().try_fold(0u64, |sum, count| sum.checked_add(*count));
    if buckets > 0 && total != Some(point.count) {
        return Err("count is not the sum of the buckets".to_owned());
    }
    Ok(())
}

fn check_summary(point: &SummaryPoint) -> Result<(), String> {
    check_common(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.flags)?;
    check_finite("sum", point.sum)?;
    for entry in &point.quantile_values {
        if !(0.0..=1.0).contains(&entry.quantile) {
            return Err(format!("quantile {} is not between 0 and 1", entry.quantile));
        }
        check_finite("quantile value", entry.value)?;
    }
    if !point.quantile_values.is_sorted_by(|a, b| a.quantile < b.quantile) {
        return Err("quantiles do not ascend".to_owned());
    }
    Ok(())
}

fn check_common(attributes: &[Attribute], start: u64, time: u64, flags: u32) -> Result<(), String> {
    check_attributes(attributes)?;
    if time == 0 {
        return Err("time is missing".to_owned());
    }
    if start > time {
        return Err(format!("start {start} is after time {time}"));
    }
    if flags != 0 {
        return Err(format!("flags {flags} on a point that has a value"));
    }
    Ok(())
}

fn check_finite(name: &str, value: f64) -> Result<(), String> {
    if value.is_finite() { Ok(()) } else { Err(format!("{name} is {value}")) }
}

fn check_attributes(attributes: &[Attribute]) -> Result<(), String> {
    for (n, attribute) in attributes.iter().enumerate() {
        let key = attribute.key.as_str();
        if key.is_empty() {
            return Err("attribute with an empty key".to_owned());
        }
        if attributes.iter().take(n).any(|other| other.key == key) {
            return Err(format!("attribute '{key}' given twice"));
        }
        match &attribute.value {
            None => return Err(format!("attribute '{key}' has no value")),
            Some(AnyValue::Map(map)) => check_attributes(&map.values)?,
            Some(AnyValue::Double(value)) => check_finite("attribute", *value)?,
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
