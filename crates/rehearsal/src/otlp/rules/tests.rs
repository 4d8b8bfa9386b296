//! The rules, one broken at a time, written in JSON, which shows what is meant.

use super::*;
use crate::otlp::json;

const GOOD: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[
    {"key":"cloud.account.id","value":{"stringValue":"111122223333"}}]},"scopeMetrics":[{"metrics":[
    {"name":"a.count","unit":"1","gauge":{"dataPoints":[{"timeUnixNano":"9","asInt":"7"}]}},
    {"name":"b","sum":{"aggregationTemporality":1,"isMonotonic":true,
        "dataPoints":[{"startTimeUnixNano":"8","timeUnixNano":9,"asDouble":1.5}]}},
    {"name":"c","histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"9","count":"3",
        "sum":6,"min":1,"max":3,"bucketCounts":["1","2"],"explicitBounds":[2.0]}]}},
    {"name":"d","summary":{"dataPoints":[{"timeUnixNano":"9","count":"2","sum":1.5,
        "attributes":[{"key":"Dimensions","value":{"kvlistValue":{"values":[
            {"key":"x","value":{"stringValue":"y"}}]}}}],
        "quantileValues":[{"quantile":0,"value":0.5},{"quantile":1,"value":1}]}]}}
    ]}]}]}"#;

/// *Scenario:* a request in JSON with one metric of each kind.
/// *Guarantees:* it is read and passes, numbers as text or not.
#[test]
fn a_good_request_passes() {
    assert_eq!(check(&json::read(GOOD.as_bytes()).unwrap()), Ok(4));
}

/// *Scenario:* the good request with one piece replaced.
/// *Guarantees:* each broken rule is refused, and for that rule.
#[test]
fn each_broken_rule_is_named() {
    for (piece, instead, why) in [
        (r#""name":"d""#, r#""name":"""#, "name is empty"),
        (
            r#""asInt":"7""#,
            r#""asInt":"7","asDouble":1"#,
            "metric 'a.count': not exactly one value",
        ),
        (r#","asInt":"7""#, "", "not exactly one value"),
        (r#""timeUnixNano":"9","asInt""#, r#""asInt""#, "time is missing"),
        (r#""startTimeUnixNano":"8""#, r#""startTimeUnixNano":"10""#, "start 10 is after time 9"),
        (r#""aggregationTemporality":1,"isMonotonic""#, r#""isMonotonic""#, "neither delta nor"),
        (r#""explicitBounds":[2.0]"#, r#""explicitBounds":[2.0,3.0]"#, "2 buckets do not fit 2"),
        (r#""bucketCounts":["1","2"]"#, r#""bucketCounts":["1","3"]"#, "not the sum"),
        (
            r#""bucketCounts":["1","2"],"explicitBounds":[2.0]"#,
            r#""bucketCounts":["1","1","1"],"explicitBounds":[2.0,2.0]"#,
            "bounds do not ascend",
        ),
        (r#""min":1,"max":3"#, r#""min":4,"max":3"#, "min 4 is more than max 3"),
        (r#""quantile":1,"#, r#""quantile":1.1,"#, "not between 0 and 1"),
        (r#""quantile":1,"#, r#""quantile":0,"#, "quantiles do not ascend"),
        (r#""quantile":1,"#, r#""quantile":0.5,"other":1,"#, "unknown field `other`"),
        (r#""key":"Dimensions""#, r#""key":"""#, "empty key"),
        (r#","value":{"stringValue":"y"}"#, "", "attribute 'x' has no value"),
        (
            r#"[{"key":"Dimensions""#,
            r#"[{"key":"Dimensions","value":{"intValue":"1"}},{"key":"Dimensions""#,
            "given twice",
        ),
        (r#""count":"2","sum":1.5"#, r#""count":"2","sum":1.5,"flags":1"#, "flags 1"),
        (r#""count":"2""#, r#""count":"-2""#, "no unsigned number"),
        (r#""count":"2""#, r#""count":"2.0""#, "no unsigned number"),
        (r#""sum":1.5"#, r#""sum":"NaN""#, "invalid type"),
        (r#""resource":{"#, r#""Resource":{"#, "unknown field `Resource`"),
        (
            r#""name":"b","sum":{"#,
            r#""name":"b","gauge":{"dataPoints":[]},"sum":{"#,
            "exactly one kind",
        ),
        (r#"{"dataPoints":[{"timeUnixNano":"9","asInt":"7"}]}"#, "{}", "no data points"),
    ] {
        let body = GOOD.replacen(piece, instead, 1);
        assert_ne!(body, GOOD, "{piece} is not in the request");
        let said = json::read(body.as_bytes()).and_then(|request| check(&request)).unwrap_err();
        assert!(said.contains(why), "{instead}: said '{said}', wanted '{why}'");
    }
    assert!(check(&Request::default()).unwrap_err().contains("without data points"));
}
