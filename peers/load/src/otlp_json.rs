//! OTLP in JSON, as one of the recipes sends it. Slow and simple: it is never timed.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::tally::{Check, Seen};

/// Counts the data points of `request`; false when it is no JSON.
pub fn walk(request: &[u8], check: &Check, seen: &mut Seen) -> bool {
    let Ok(request) = serde_json::from_slice::<Value>(request) else { return false };
    for resource in list(&request, "resourceMetrics") {
        let owner = xxh3_64(resource["resource"].to_string().as_bytes());
        let metrics = list(resource, "scopeMetrics").flat_map(|scope| list(scope, "metrics"));
        for metric in metrics {
            let kinds = ["summary", "gauge", "sum", "histogram"];
            for point in kinds.iter().flat_map(|kind| list(&metric[*kind], "dataPoints")) {
                data_point(point, (owner, &metric["name"]), check, seen);
            }
        }
    }
    true
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn data_point(point: &Value, (owner, name): (u64, &Value), check: &Check, seen: &mut Seen) {
    match check {
        Check::Count => seen.units += 1,
        Check::Intact(_) => {
            let texts =
                list(point, "attributes").filter_map(|a| a["value"]["stringValue"].as_str());
            let values =
                texts.fold(0_u64, |sum, text| sum.wrapping_add(check.values(text.as_bytes())));
            seen.intact(values);
        }
        Check::Exact => {
            let time: u64 =
                point["timeUnixNano"].as_str().and_then(|t| t.parse().ok()).unwrap_or(0);
            let attributes = format!("{name}{}", point["attributes"]);
            seen.exact(time / 1_000_000_000, owner ^ xxh3_64(attributes.as_bytes()));
        }
    }
}
