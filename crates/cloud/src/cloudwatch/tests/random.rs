//! Any input.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

const OPERATIONS: [&str; 12] = [
    "PutMetricStream",
    "GetMetricStream",
    "ListMetricStreams",
    "StartMetricStreams",
    "StopMetricStreams",
    "DeleteMetricStream",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "ListMetrics",
    "GetMetricStatistics",
    "GetMetricData",
];

/// Names that operations know, so that values get past the first check.
const NAMES: [&str; 38] = [
    "Name",
    "Names",
    "FirehoseArn",
    "RoleArn",
    "OutputFormat",
    "IncludeFilters",
    "ExcludeFilters",
    "Namespace",
    "MetricNames",
    "StatisticsConfigurations",
    "IncludeMetrics",
    "MetricName",
    "AdditionalStatistics",
    "Tags",
    "Key",
    "Value",
    "ResourceARN",
    "TagKeys",
    "NextToken",
    "MaxResults",
    "Dimensions",
    "StartTime",
    "EndTime",
    "Period",
    "Statistics",
    "ExtendedStatistics",
    "Unit",
    "MetricDataQueries",
    "Id",
    "MetricStat",
    "Metric",
    "Stat",
    "Expression",
    "ReturnData",
    "ScanBy",
    "MaxDatapoints",
    "RecentlyActive",
    "IncludeLinkedAccountsMetrics",
];

fn leaf() -> impl Strategy<Value = Value<'static>> {
    let texts = prop::sample::select(vec![
        "",
        "one",
        "json",
        FIREHOSE,
        ROLE,
        "arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/one",
        "N",
        "m",
        "Sum",
        "p99",
        "TM(1%:2%)",
        "60",
        "a",
        "true",
        "PT3H",
        "\u{e4}\u{0}",
        "2026-11-20T11:00:00Z",
        "NaN",
        "-1e400",
    ]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3i64..4_000).prop_map(|n| Value::Int(n * 60)),
        any::<f64>().prop_map(Value::Float),
        any::<f64>().prop_map(Value::Time),
        (-90_000i64..7_200).prop_map(|n| Value::Time(NOW as f64 / 1e3 + n as f64)),
        texts.prop_map(Value::text),
        "\\PC{0,9}".prop_map(Value::text),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Value::Blob(bytes.into())),
    ]
}

fn tree() -> impl Strategy<Value = Value<'static>> {
    leaf().prop_recursive(5, 48, 6, |inner| {
        let name = prop::sample::select(NAMES.to_vec());
        let member = (name, inner.clone()).prop_map(|(name, value)| (name.into(), value));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            prop::collection::vec(member, 0..12).prop_map(Value::Map),
        ]
    })
}

/// Good inputs, for one member of which any tree is put in.
fn nearly(operation: &str) -> String {
    let range = format!(r#""StartTime":{},"EndTime":{}"#, NOW / 1_000 - 600, NOW / 1_000);
    match operation {
        "PutMetricStream" => stream("one", ""),
        "StartMetricStreams" | "StopMetricStreams" => r#"{"Names":["one"]}"#.to_owned(),
        "GetMetricStream" | "DeleteMetricStream" => r#"{"Name":"one"}"#.to_owned(),
        "TagResource" | "UntagResource" | "ListTagsForResource" => {
            r#"{"ResourceARN":"arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/one"}"#
                .to_owned()
        }
        "GetMetricStatistics" => format!(
            r#"{{"Namespace":"N","MetricName":"m","Period":60,"Statistics":["Sum"],{range}}}"#
        ),
        "GetMetricData" => format!(
            r#"{{"MetricDataQueries":[{{"Id":"a","MetricStat":{{"Metric":{{"Namespace":"N","MetricName":"m"}},"Stat":"p9","Period":60}}}}],{range}}}"#
        ),
        _ => "{}".to_owned(),
    }
}

/// *Scenario:* any tree to any operation, alone and as one member of a good input.
/// *Guarantees:* an answer or a refusal that is the caller's, never a panic and never ours.
#[test]
fn any_input_is_answered() {
    let port = port("cloudwatch-random");
    let set = Given {
        account: ACCOUNT,
        namespace: "N",
        name: "m",
        unit: "None",
        set: [1.0; 4],
        ..Given::default()
    };
    port.give(3, &[set]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let strategy = (0..OPERATIONS.len(), prop::sample::select(NAMES.to_vec()), tree());
    let (good, bad) = (Cell::new(0), Cell::new(0));
    let ran = runner.run(&strategy, |(index, name, tree)| {
        let operation = OPERATIONS[index];
        let text = nearly(operation);
        let Ok(Value::Map(mut members)) = serde_json::from_str::<Value<'_>>(&text) else {
            unreachable!()
        };
        members.retain(|(known, _)| known != name);
        members.push((name.into(), tree.clone()));
        for input in [tree, Value::Map(members)] {
            match port.call(operation, &input) {
                Ok(_) => good.set(good.get() + 1),
                Err(fault) => {
                    bad.set(bad.get() + 1);
                    prop_assert!((400..500).contains(&fault.status), "{operation}: {fault:?}");
                }
            }
        }
        Ok(())
    });
    ran.unwrap();
    let (good, bad) = (good.get(), bad.get());
    assert!(good > 100 && bad > 100, "{good} good, {bad} bad");
}
