//! What is rewritten, what is left, and that nothing else moves.

use super::rewrite::{Finding, Outcome, rewrite};
use super::table::{Rule, Table};

const DURATION: &str = "cloud.aws.lambda.durationByAccountIdFunctionNameRegion";
const INVOCATIONS: &str = "cloud.aws.lambda.invocationsByAccountIdFunctionNameRegion";
const CPU: &str = "cloud.aws.rds.cpuUtilizationByAccountIdDBInstanceIdentifierRegion";

fn table() -> Table {
    Table::new().expect("the table is sound")
}

/// A document that holds this selector, rewritten, and the one finding in it.
#[track_caller]
fn selector(text: &str) -> (String, Outcome) {
    let document = serde_json::json!({ "metricExpression": text }).to_string();
    let (new, findings) = rewrite(&document, &table()).expect("it is JSON");
    let new: serde_json::Value = serde_json::from_str(&new).expect("it stays JSON");
    let new = new["metricExpression"].as_str().expect("it stays text").to_owned();
    let [Finding { outcome, .. }] = &findings[..] else { panic!("{findings:?}") };
    (new, outcome.clone())
}

/// *Scenario:* the table, beside keys of the same metrics as they are seen in production.
/// *Guarantees:* what it rewrites to is what the destination makes; every polled key has a known
/// beginning; what is not certain or has no counterpart says why.
#[test]
fn the_table_is_sound() {
    let table = table();
    let to = |key: &str| match table.find(key) {
        Some(Rule::Rewrite { to, .. }) => to.clone(),
        other => panic!("{key}: {other:?}"),
    };
    for (polled, stream) in [
        ("ext:cloud.aws.lambda.duration", DURATION),
        ("ext:cloud.aws.lambda.invocationsSum", INVOCATIONS),
        (
            "ext:cloud.aws.lambda.errorsSumByResource",
            "cloud.aws.lambda.errorsByAccountIdFunctionNameRegionResource",
        ),
        (
            "ext:cloud.aws.dynamodb.returnedItemCountSumByOperation",
            "cloud.aws.dynamodb.returnedItemCountByAccountIdOperationRegionTableName",
        ),
        (
            "ext:cloud.aws.ebs.volumeReadOpsSum",
            "cloud.aws.ebs.volumeReadOpsByAccountIdRegionVolumeId",
        ),
        ("ext:cloud.aws.rds.cpuUtilization", CPU),
    ] {
        assert_eq!(to(polled), stream);
    }
    let mut rewritten = 0;
    for (key, rule) in table.all() {
        assert!(
            key.starts_with("ext:cloud.aws.") || key.starts_with("builtin:cloud.aws."),
            "{key}"
        );
        match rule {
            Rule::Rewrite { .. } => rewritten += 1,
            Rule::Report { why, .. } | Rule::Nothing { why } => assert!(why.len() > 10, "{key}"),
        }
    }
    assert_eq!((rewritten, table.all().count()), (51, 206));
}

/// *Scenario:* selectors with aggregations that mean the same on a stream, and some that do not.
/// *Guarantees:* the first are rewritten, key by key; the others are left, and the reason names what
/// stands in the way.
#[test]
fn selectors_are_rewritten_where_figures_stay() {
    for (polled, new) in [
        ("ext:cloud.aws.lambda.duration", DURATION.to_owned()),
        ("ext:cloud.aws.lambda.duration:max", format!("{DURATION}:max")),
        (
            "ext:cloud.aws.lambda.invocationsSum:sum:splitBy()",
            format!("{INVOCATIONS}:sum:splitBy()"),
        ),
        ("100-ext:cloud.aws.rds.cpuUtilization:avg:limit(20)", format!("100-{CPU}:avg:limit(20)")),
        (
            "ext:cloud.aws.rds.cpuUtilization:splitBy():sort(value(avg,descending))",
            format!("{CPU}:splitBy():sort(value(avg,descending))"),
        ),
    ] {
        let (text, outcome) = selector(polled);
        assert!(matches!(outcome, Outcome::Rewritten { .. }), "{polled}: {outcome:?}");
        assert_eq!(text, new);
    }
    for (polled, reason) in [
        ("ext:cloud.aws.lambda.invocationsSum:splitBy()", "no aggregation is named"),
        ("ext:cloud.aws.lambda.invocationsSum:avg", "the aggregation avg"),
        ("ext:cloud.aws.lambda.duration:sum", "the aggregation sum"),
        ("ext:cloud.aws.rds.cpuUtilization:max", "the aggregation max"),
        ("ext:cloud.aws.lambda.duration:percentile(90)", "the aggregation percentile"),
        (r#"ext:cloud.aws.lambda.duration:splitBy("dt.entity.custom_device"):avg"#, "splitby"),
        (r#"ext:cloud.aws.lambda.duration:filter(eq("a",":avg)")):avg"#, "filter"),
        ("(ext:cloud.aws.lambda.duration):merge(x)", "merge"),
        ("ext:cloud.aws.lambda.invocationsSumByRegion:sum", "likely, not certain"),
        ("builtin:cloud.aws.lambda.invocations:sum", "built-in metrics"),
        ("builtin:cloud.aws.ebs.latency.read", "names no CloudWatch metric"),
        ("ext:cloud.aws.sqs.numberOfMessagesSentSum:sum", "not in the table"),
        ("builtin:cloud.aws.ec2.net.rx:avg", "rate per second"),
        ("ext:cloud.aws.lambda.invocationsSum:sum:rate(1m)", "rate depends on"),
        ("dt.cloud.aws.ec2.cpu.usage", "not in the table"),
    ] {
        let (text, outcome) = selector(polled);
        let Outcome::Left { why, .. } = outcome else { panic!("{polled} was rewritten to {text}") };
        assert!(why.contains(reason), "{polled}: {why}");
        assert_eq!(text, polled);
    }
}

/// *Scenario:* bare keys as metric events and dashboards hold them, bound to the polled entity or not.
/// *Guarantees:* only those that are not bound are rewritten.
#[test]
fn bare_keys_heed_what_stands_beside_them() {
    for (beside, is_rewritten) in [
        (r#""aggregation":"AVG","dimensionFilter":[]"#, true),
        (r#""aggregation":"AVG","entityFilter":{"conditions":[]}"#, true),
        (
            r#""aggregation":"AVG","entityFilter":{"dimensionKey":"dt.entity.x","conditions":[]}"#,
            false,
        ),
        (r#""aggregation":"AVG","dimensionFilter":[{"dimensionKey":"a"}]"#, false),
        (r#""aggregationType":"MAX""#, false),
        (r#""filterBy":{"filterOperator":"AND","nestedFilters":[],"criteria":[]}"#, true),
        (r#""filterBy":{"filterOperator":"AND","nestedFilters":[{"filter":"a"}]}"#, false),
        (r#""splitBy":["functionname"]"#, false),
        (r#""spaceAggregation":"AVG","rate":"NONE","splitBy":[]"#, true),
        (r#""spaceAggregation":"AVG","rate":"MINUTE","splitBy":[]"#, false),
    ] {
        let document = format!(r#"{{"metricKey":"ext:cloud.aws.rds.cpuUtilization",{beside}}}"#);
        let (new, _) = rewrite(&document, &table()).expect("it is JSON");
        assert_eq!(new.contains(CPU), is_rewritten, "{beside}");
    }
}

/// *Scenario:* a tile as the data explorer exports it: the query, and the same again as an expression.
/// *Guarantees:* both get the stream key, or both stay; half a tile is never rewritten.
#[test]
fn a_tile_is_rewritten_whole() {
    for (rate, behind, new) in
        [("NONE", "", INVOCATIONS), ("MINUTE", ":rate(1m)", "ext:cloud.aws.lambda.invocationsSum")]
    {
        let tile = |key: &str| {
            format!(
                r#"{{"queries":[{{"id":"A","metric":"{key}","spaceAggregation":"SUM","timeAggregation":"DEFAULT","splitBy":[],"rate":"{rate}"}}],"metricExpressions":["resolution=null&({key}:splitBy():sum{behind}:auto:sort(value(sum,descending)):limit(20)):limit(100):names"]}}"#
            )
        };
        let polled = tile("ext:cloud.aws.lambda.invocationsSum");
        let (text, findings) = rewrite(&polled, &table()).expect("it is JSON");
        assert_eq!(text, tile(new), "{findings:?}");
    }
}

/// *Scenario:* a dashboard with odd spacing, escapes, a key twice, bare keys with their aggregation
/// and dimensions beside them.
/// *Guarantees:* only keys move, each with its line; every other byte stays.
#[test]
fn everything_else_stays_byte_for_byte() {
    let document = |sum: &str, cpu: &str| {
        format!(
            "{{ \"tiles\" :[\r\n\t{{\"metric\":\"{sum}\",\"spaceAggregation\":\"SUM\",\"splitBy\":[]}},\n\
             {{\"spaceAggregation\":\"AVG\",\"metric\":\"{cpu}\",\"filterBy\":{{\"criteria\":[]}}}},\n\
             {{\"metric\":\"ext:cloud.aws.lambda.duration\",\"splitBy\":[\"dt.entity.custom_device\"]}},\n\
             {{\"metricExpressions\":[\"resolution=null&({cpu}:avg + {cpu}:avg)\"],\"t\":\"a\\\\\\\"\\u00e9\"}},\n\
             \"next:cloud.aws.x\", 1.50 ] }}\n"
        )
    };
    let (sum, cpu) = ("ext:cloud.aws.lambda.invocationsSum", "ext:cloud.aws.rds.cpuUtilization");
    let (new, findings) = rewrite(&document(sum, cpu), &table()).expect("it is JSON");
    assert_eq!(new, document(INVOCATIONS, CPU));
    let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 5]);
    let left = findings.iter().filter(|f| matches!(f.outcome, Outcome::Left { .. })).count();
    assert_eq!(left, 1);
    let (again, _) = rewrite(&new, &table()).expect("it is JSON");
    assert_eq!(again, new);
    assert!(rewrite("{\"a\":", &table()).is_err());
}
