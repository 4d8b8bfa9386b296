//! What queries find in kept windows.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn set<'a>(name: &'a str, unit: &'a str, set: [f64; 4]) -> Given<'a> {
    Given { account: ACCOUNT, namespace: "N", name, unit, set, ..Given::default() }
}

fn seconds(minutes_ago: i64) -> f64 {
    (NOW - minutes_ago * 60_000) as f64 / 1e3
}

/// A query of metric `m` in `N`.
fn query(id: &str, stat: &str, period: i64, more: &str) -> String {
    format!(
        r#"{{"Id":"{id}","MetricStat":{{"Metric":{{"Namespace":"N","MetricName":"m"}},"Stat":"{stat}","Period":{period}{more}}}}}"#
    )
}

/// GetMetricData over some minutes until now.
fn data(port: &Port, minutes: i64, queries: &str, more: &str) -> serde_json::Value {
    let input = format!(
        r#"{{"StartTime":{},"EndTime":{},"MetricDataQueries":[{queries}]{more}}}"#,
        seconds(minutes),
        seconds(0)
    );
    port.ask("GetMetricData", &input).unwrap()
}

const ASCENDING: &str = r#","ScanBy":"TimestampAscending""#;

/// *Scenario:* ten minutes of one metric, joined into five-minute and longer periods, each statistic.
/// *Guarantees:* sums and counts add, extremes stay, the average is of all; zeros are told; newest
/// first unless asked otherwise; the minute that ends the range is out.
#[test]
fn periods_are_joined() {
    let port = port("queries-periods");
    for minute in 0..=10 {
        let value = (10 - minute) as f64;
        port.give(minute, &[set("m", "Count", [2.0, value * 2.0, value - 1.0, value + 1.0])]);
    }
    let one = |stat: &str, period: i64, more: &str| {
        let told = data(&port, 10, &query("a", stat, period, ""), more);
        assert_eq!(told["Messages"], json!([]));
        told["MetricDataResults"][0].clone()
    };
    let told = one("Sum", 300, "");
    assert_eq!(
        told,
        json!({"Id":"a","Label":"m","StatusCode":"Complete",
            "Timestamps":[seconds(5), seconds(10)],"Values":[70.0, 20.0]})
    );
    assert_eq!(one("Sum", 300, ASCENDING)["Values"], json!([20.0, 70.0]));
    assert_eq!(one("Average", 300, ASCENDING)["Values"], json!([2.0, 7.0]));
    assert_eq!(one("SampleCount", 600, "")["Values"], json!([20.0]));
    assert_eq!(one("Minimum", 600, "")["Values"], json!([-1.0]));
    assert_eq!(one("Maximum", 600, "")["Values"], json!([10.0]));
    assert_eq!(one("Sum", 60, ASCENDING)["Values"][0], json!(0.0));
    assert_eq!(one("Sum", 60, "")["Values"].as_array().unwrap().len(), 10);
    assert_eq!(one("Sum", 86_400, "")["Values"], json!([90.0]));
    assert_eq!(one("Sum", 10, "")["Values"].as_array().unwrap().len(), 10);
}

/// *Scenario:* a start within a minute, periods that do not divide the hour, and a long quiet range.
/// *Guarantees:* the start is rounded down to its minute and periods are counted from there; a range
/// of years is no more work than what is kept.
#[test]
fn where_periods_begin() {
    let port = port("queries-begin");
    for minute in 0..130 {
        port.give(minute, &[set("m", "Count", [1.0, 1.0, 1.0, 1.0])]);
    }
    let asked = |start: f64, end: f64, period: i64| {
        let queries = query("a", "Sum", period, "");
        let input = format!(
            r#"{{"StartTime":{start},"EndTime":{end},"MetricDataQueries":[{queries}]{ASCENDING}}}"#
        );
        port.ask("GetMetricData", &input).unwrap()["MetricDataResults"][0].clone()
    };
    let told = asked(seconds(100) + 29.5, seconds(0), 420);
    assert_eq!(told["Timestamps"][0], json!(seconds(100)));
    assert_eq!(told["Timestamps"][1], json!(seconds(93)));
    let values: Vec<f64> = serde_json::from_value(told["Values"].clone()).unwrap();
    assert_eq!(values.len(), 15);
    assert_eq!((values[0], values[8], values[14]), (7.0, 7.0, 2.0));
    let told = asked(0.0, 253_402_300_799.0, 86_400 * 30);
    assert_eq!(told["Values"].as_array().unwrap().len(), 1);
    assert_eq!(told["Values"][0], json!(130.0));
}

/// *Scenario:* a metric in two units, asked without a unit, with each, and with one it has not.
/// *Guarantees:* the alphabetically first with a message; each alone without one; an empty result.
#[test]
fn several_units() {
    let port = port("queries-units");
    let two = [set("m", "Seconds", [1.0; 4]), set("m", "Milliseconds", [2.0; 4])];
    port.give(1, &two);
    let told = data(&port, 5, &query("a", "Sum", 60, ""), "")["MetricDataResults"][0].clone();
    assert_eq!(told["Values"], json!([2.0]));
    assert_eq!(
        told["Messages"],
        json!([{"Code":"MultipleUnits","Value":"Multiple units returned: '[Milliseconds, Seconds]'"}])
    );
    for (unit, values) in [("Seconds", json!([1.0])), ("Bytes", json!([]))] {
        let query = query("a", "Sum", 60, &format!(r#","Unit":"{unit}""#));
        let told = data(&port, 5, &query, "")["MetricDataResults"][0].clone();
        assert_eq!(told["Values"], values);
        assert_eq!(told["StatusCode"], "Complete");
        assert!(told.get("Messages").is_none());
    }
    let input = format!(
        r#"{{"Namespace":"N","MetricName":"m","StartTime":{},"EndTime":{},"Period":60,"Statistics":["Sum","Average"]}}"#,
        seconds(5),
        seconds(0)
    );
    assert_eq!(
        port.ask("GetMetricStatistics", &input).unwrap(),
        json!({"Label":"m","Datapoints":[
            {"Timestamp":seconds(1),"Sum":2.0,"Average":1.0,"Unit":"Milliseconds"},
            {"Timestamp":seconds(1),"Sum":1.0,"Average":1.0,"Unit":"Seconds"}]})
    );
}

/// *Scenario:* raw values kept in one minute, a set that stands for its values in another, one that
/// does not in a third, a negative value in a fourth.
/// *Guarantees:* extended statistics are exact over joined minutes where all values are known, and
/// absent where one is not, be it the first or the last.
#[test]
fn extended_statistics() {
    let port = port("queries-extended");
    let raw = Some((1..=9).map(|n| (f64::from(n), 1.0)).collect());
    port.give(4, &[Given { raw, ..set("m", "None", [9.0, 45.0, 1.0, 9.0]) }]);
    port.give(3, &[set("m", "None", [1.0, 10.0, 10.0, 10.0])]);
    port.give(2, &[set("m", "None", [2.0, 3.0, 1.0, 2.0])]);
    port.give(1, &[set("m", "None", [1.0, -1.0, -1.0, -1.0])]);
    let values = |stat: &str, period: i64| {
        let told = data(&port, 4, &query("a", stat, period, ""), ASCENDING);
        told["MetricDataResults"][0]["Values"].clone()
    };
    assert_eq!(values("p50", 120), json!([5.0]));
    assert_eq!(values("p100", 60), json!([9.0, 10.0]));
    assert_eq!(values("TC(2:5)", 120), json!([3.0]));
    assert_eq!(values("p50", 240), json!([]));
    assert_eq!(values("Sum", 240), json!([57.0]));
    port.give(5, &[set("m", "None", [2.0, 3.0, 1.0, 2.0])]);
    let told = data(&port, 5, &query("a", "p50", 120, ""), ASCENDING);
    assert_eq!(told["MetricDataResults"][0]["Values"], json!([]));
    let input = format!(
        r#"{{"Namespace":"N","MetricName":"m","StartTime":{},"EndTime":{},"Period":120,"ExtendedStatistics":["p50","p90"]}}"#,
        seconds(4),
        seconds(0)
    );
    assert_eq!(
        port.ask("GetMetricStatistics", &input).unwrap()["Datapoints"],
        json!([{"Timestamp":seconds(4),"ExtendedStatistics":{"p50":5.0,"p90":9.0},"Unit":"None"}])
    );
}

/// *Scenario:* a metric with dimensions, asked with all of them in another order, with fewer, with
/// none, in another account.
/// *Guarantees:* only the exact set matches.
#[test]
fn dimensions_match_exactly() {
    let port = port("queries-dimensions");
    let dimensions = &[("A", "1"), ("B", "2")][..];
    port.give(1, &[Given { dimensions, ..set("m", "None", [1.0; 4]) }]);
    let found = |dimensions: &str, more: &str| {
        let query = query("a", "Sum", 60, "")
            .replace(r#""m""#, &format!(r#""m","Dimensions":[{dimensions}]"#))
            .replace(r#""Id""#, &format!(r#"{more}"Id""#));
        let told = data(&port, 5, &query, "");
        told["MetricDataResults"][0]["Values"].as_array().unwrap().len()
    };
    let (a, b) = (r#"{"Name":"A","Value":"1"}"#, r#"{"Name":"B","Value":"2"}"#);
    assert_eq!(found(&format!("{b},{a}"), ""), 1);
    assert_eq!(found(a, ""), 0);
    assert_eq!(found("", ""), 0);
    assert_eq!(found(&format!("{a},{b}"), r#""AccountId":"123456789012","#), 1);
    assert_eq!(found(&format!("{a},{b}"), r#""AccountId":"111122223333","#), 0);
}

/// *Scenario:* queries of one metric that differ in statistic, period, both, unit, and with labels.
/// *Guarantees:* default labels as recorded; given ones as given; what is not wanted back is not told.
#[test]
fn labels() {
    let port = port("queries-labels");
    let labels = |queries: &[String]| {
        let told = data(&port, 5, &queries.join(","), "");
        let results = told["MetricDataResults"].as_array().unwrap().clone();
        let label = |one: &serde_json::Value| one["Label"].as_str().unwrap().to_owned();
        results.iter().map(label).collect::<Vec<_>>()
    };
    let (sum, least) = (query("a", "Sum", 60, ""), query("b", "Minimum", 60, ""));
    assert_eq!(labels(&[sum.clone(), least.clone()]), ["m Sum", "m Minimum"]);
    assert_eq!(labels(&[sum.clone(), query("b", "Sum", 300, "")]), ["m 60", "m 300"]);
    assert_eq!(labels(&[sum.clone(), query("b", "Minimum", 30, "")]), ["m Sum 60", "m Minimum 30"]);
    let units = [query("a", "Sum", 60, r#","Unit":"Bytes""#), query("b", "Sum", 60, "")];
    assert_eq!(labels(&units), ["m", "m"]);
    let other = least.replace(r#""m""#, r#""other""#);
    assert_eq!(labels(&[sum.clone(), other]), ["m", "other"]);
    let named = sum.replace(r#""Id""#, r#""Label":"mine","Id""#);
    let hidden = r#"{"Id":"e","Expression":"SUM(METRICS())","ReturnData":false}"#.to_owned();
    let silent = query("c", "Sum", 60, "").replace(r#""Id""#, r#""ReturnData":false,"Id""#);
    assert_eq!(labels(&[named, hidden, silent]), ["mine"]);
}

/// *Scenario:* three queries over ten datapoints each, a page at a time with every size of page, in
/// both orders; the same token with another range.
/// *Guarantees:* together the pages have each datapoint once, in order; a page is never larger than
/// asked; the last is Complete; the foreign token is refused.
#[test]
fn pages_of_datapoints() {
    let port = port("queries-pages");
    for minute in 1..=10 {
        port.give(minute, &[set("m", "None", [1.0, minute as f64, 1.0, 1.0])]);
    }
    let queries: Vec<String> = ["a", "b", "c"].map(|id| query(id, "Sum", 60, "")).into();
    let queries = queries.join(",");
    for order in ["", ASCENDING] {
        let whole = data(&port, 20, &queries, order);
        assert!(whole.get("NextToken").is_none());
        for size in [1, 3, 10, 11, 29, 30, 31] {
            let mut values = [Vec::new(), Vec::new(), Vec::new()];
            let mut token = String::new();
            loop {
                let more = format!(r#"{order},"MaxDatapoints":{size}{token}"#);
                let told = data(&port, 20, &queries, &more);
                let mut on_page = 0;
                for result in told["MetricDataResults"].as_array().unwrap() {
                    let at = ["a", "b", "c"].iter().position(|id| result["Id"] == *id).unwrap();
                    let new: Vec<f64> = serde_json::from_value(result["Values"].clone()).unwrap();
                    on_page += new.len();
                    values[at].extend(new);
                }
                assert!(on_page <= size && on_page > 0, "{on_page} of {size}");
                assert!(values.iter().all(|values| values.len() <= 10), "a page came again");
                let Some(next) = told.get("NextToken") else {
                    let results = told["MetricDataResults"].as_array().unwrap();
                    assert!(results.iter().all(|one| one["StatusCode"] == "Complete"));
                    break;
                };
                token = format!(r#","NextToken":{next}"#);
            }
            for (at, values) in values.iter().enumerate() {
                assert_eq!(json!(values), whole["MetricDataResults"][at]["Values"]);
            }
            if !token.is_empty() {
                let other = format!(
                    r#"{{"StartTime":1,"EndTime":{},"MetricDataQueries":[{queries}]{token}}}"#,
                    seconds(0)
                );
                assert_eq!(port.refused("GetMetricData", &other).code, "InvalidNextToken");
            }
        }
    }
}

/// *Scenario:* metrics in several namespaces, with dimensions, of another account, long silent.
/// *Guarantees:* each filter takes what it says, dimensions come by name, the caller sees its own
/// account unless linked ones are asked for.
#[test]
fn metrics_are_listed() {
    let port = port("queries-metrics");
    let dimensions = &[("A", "1"), ("B", "2")][..];
    let other = Given { namespace: "O", ..set("x", "None", [1.0; 4]) };
    let foreign = Given { account: "111122223333", ..set("m", "None", [1.0; 4]) };
    port.give(1, &[set("m", "None", [1.0; 4]), set("m", "Bytes", [1.0; 4]), other, foreign]);
    port.give(300, &[Given { dimensions, ..set("m", "None", [1.0; 4]) }]);
    let list = |input: &str| {
        let told = port.ask("ListMetrics", input).unwrap();
        let text = |one: &serde_json::Value| {
            let dimensions = one["Dimensions"].as_array().unwrap().iter();
            let dimensions: String = dimensions
                .map(|d| {
                    format!(" {}={}", d["Name"].as_str().unwrap(), d["Value"].as_str().unwrap())
                })
                .collect();
            format!(
                "{}/{}{dimensions}",
                one["Namespace"].as_str().unwrap(),
                one["MetricName"].as_str().unwrap()
            )
        };
        told["Metrics"].as_array().unwrap().iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(list("{}"), ["N/m", "N/m A=1 B=2", "O/x"]);
    assert_eq!(list(r#"{"Namespace":"O"}"#), ["O/x"]);
    assert_eq!(list(r#"{"MetricName":"m","RecentlyActive":"PT3H"}"#), ["N/m"]);
    assert_eq!(list(r#"{"Dimensions":[{"Name":"B"}]}"#), ["N/m A=1 B=2"]);
    assert_eq!(list(r#"{"Dimensions":[{"Name":"A","Value":"1"},{"Name":"B"}]}"#), ["N/m A=1 B=2"]);
    assert!(list(r#"{"Dimensions":[{"Name":"A","Value":"2"}]}"#).is_empty());
    let told =
        port.ask("ListMetrics", r#"{"IncludeLinkedAccounts":true,"MetricName":"m"}"#).unwrap();
    assert_eq!(told["OwningAccounts"], json!(["111122223333", ACCOUNT, ACCOUNT]));
    let one = r#"{"IncludeLinkedAccounts":true,"OwningAccount":"111122223333"}"#;
    assert_eq!(list(one), ["N/m"]);
    let refused = port.refused("ListMetrics", r#"{"OwningAccount":"111122223333"}"#);
    assert_eq!(refused.code, "InvalidParameterValue");
}

/// *Scenario:* 1,234 metrics, and a new one between pages.
/// *Guarantees:* 500 a page, each metric once, whatever came meanwhile.
#[test]
fn pages_of_metrics() {
    let port = port("queries-metric-pages");
    let names: Vec<String> = (0..1_234).map(|n| format!("m{n:04}")).collect();
    let sets: Vec<Given<'_>> = names.iter().map(|name| set(name, "None", [1.0; 4])).collect();
    port.give(2, &sets);
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let told = port.ask("ListMetrics", &format!(r#"{{"Namespace":"N"{token}}}"#)).unwrap();
        let metrics = told["Metrics"].as_array().unwrap();
        assert!(metrics.len() <= 500);
        found.extend(metrics.iter().map(|one| one["MetricName"].as_str().unwrap().to_owned()));
        port.give(1, &[set("a-new-one", "None", [1.0; 4])]);
        let Some(next) = told.get("NextToken") else { break };
        token = format!(r#","NextToken":{next}"#);
    }
    assert_eq!(found, names);
}

/// *Scenario:* four queries over five windows, with a budget of windows for one, two and all of them.
/// *Guarantees:* a page reads at least one query and no more than its budget; queries that were not
/// reached say so, and the next page begins with them.
#[test]
fn pages_that_cost_too_much() {
    let port = port("queries-budget");
    for minute in 1..=5 {
        port.give(minute, &[set("m", "None", [1.0; 4])]);
    }
    let queries: Vec<String> = ["a", "b", "c", "d"].map(|id| query(id, "Sum", 60, "")).into();
    let input = format!(
        r#"{{"StartTime":{},"EndTime":{},"MetricDataQueries":[{}]}}"#,
        seconds(5),
        seconds(0),
        queries.join(",")
    );
    let input = serde_json::from_str(&input).unwrap();
    for (budget, pages) in [(1, 4), (5, 4), (10, 2), (14, 2), (15, 2), (20, 1)] {
        let mut plan = super::super::data::plan(&port.context, &port.caller, &input).unwrap();
        plan.budget = budget;
        let (mut count, mut complete) = (0, Vec::new());
        loop {
            let page = plan.page(&port.context.windows).unwrap();
            count += 1;
            for result in page.results.iter().map(serde_json::Value::from) {
                let values = result["Values"].as_array().unwrap().len();
                match result["StatusCode"].as_str().unwrap() {
                    "Complete" => complete.push((result["Id"].clone(), values)),
                    "PartialData" => assert_eq!(values, 0),
                    other => panic!("{other}"),
                }
            }
            let Some(next) = page.next else { break };
            plan.from = super::super::data::position(&next).unwrap();
        }
        assert_eq!(count, pages, "budget {budget}");
        let all = ["a", "b", "c", "d"].map(|id| (json!(id), 5));
        assert_eq!(complete, all);
    }
}

/// *Scenario:* any sets in two hundred minutes, any start, end and period.
/// *Guarantees:* each period has what a plain sum over its minutes gives, and no period is missing.
#[test]
fn periods_are_those_of_a_model() {
    let sums = prop::collection::vec(prop::option::of(-1_000i32..1_000), 200);
    let strategy = (sums, 0i64..200, 0i64..200, 1i64..100, 0i64..59_999);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let port = port("queries-model");
    let ran = runner.run(&strategy, |(sums, a, b, period, within_ms)| {
        let first_ms = NOW - 200 * 60_000;
        for (minute, sum) in (0..).zip(&sums) {
            let sum = sum.map(|sum| set("m", "None", [1.0, f64::from(sum), 0.0, 0.0]));
            port.context.windows.give(first_ms + minute * 60_000, sum.as_slice()).unwrap();
        }
        let (from, to) = (a.min(b), a.max(b) + 1);
        let mut model: Vec<(f64, f64)> = Vec::new();
        for (minute, sum) in (0..).zip(&sums).filter(|(minute, _)| (from..to).contains(minute)) {
            let Some(sum) = sum.map(f64::from) else { continue };
            let begin = from + (minute - from) / period * period;
            let at = (first_ms + begin * 60_000) as f64 / 1e3;
            match model.last_mut() {
                Some((last, total)) if *last == at => *total += sum,
                _ => model.push((at, sum)),
            }
        }
        let at = |minute: i64, ms: i64| (first_ms + minute * 60_000 + ms) as f64 / 1e3;
        let input = format!(
            r#"{{"StartTime":{},"EndTime":{},"MetricDataQueries":[{}]{ASCENDING}}}"#,
            at(from, within_ms),
            at(to, 0),
            query("a", "Sum", period * 60, "")
        );
        let told = port.ask("GetMetricData", &input).unwrap()["MetricDataResults"][0].clone();
        let (times, values): (Vec<f64>, Vec<f64>) = model.into_iter().unzip();
        prop_assert_eq!(told["Timestamps"].clone(), json!(times));
        prop_assert_eq!(told["Values"].clone(), json!(values));
        Ok(())
    });
    ran.unwrap();
}
