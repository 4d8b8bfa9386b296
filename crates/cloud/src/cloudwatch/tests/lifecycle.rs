//! A stream's life in all three protocols, what updates replace, pages, tags.

use aws::api::cbor;
use serde_json::json;

use super::*;

/// A value as a form of the query protocol.
fn form(prefix: &str, value: &Value<'_>, out: &mut String) {
    let at =
        |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match value {
        Value::Map(members) => members.iter().for_each(|(name, one)| form(&at(name), one, out)),
        Value::List(items) if items.is_empty() => out.push_str(&format!("&{prefix}=")),
        Value::List(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, one)| form(&at(&format!("member.{}", index + 1)), one, out)),
        Value::Text(text) => out.push_str(&format!("&{prefix}={}", text.replace('/', "%2F"))),
        other => out.push_str(&format!("&{prefix}={}", serde_json::Value::from(other))),
    }
}

/// Asks through the port, in a protocol, and gives status and the answer's text. CBOR is told as
/// JSON.
fn ask(port: &Port, protocol: &str, operation: &str, input: &str) -> (u16, String) {
    let value: Value<'_> = serde_json::from_str(input).unwrap();
    match protocol {
        "json" => {
            let target = format!("GraniteServiceVersion20100801.{operation}");
            let headers = [
                ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-target", target.as_str()),
                ("x-amzn-query-mode", "true"),
            ];
            let (status, body) = port.respond("/", &headers, input.as_bytes());
            (status, String::from_utf8(body).unwrap())
        }
        "cbor" => {
            let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
            let headers = [
                ("content-type", "application/cbor"),
                ("smithy-protocol", "rpc-v2-cbor"),
                ("x-amzn-query-mode", "true"),
            ];
            let mut body = Vec::new();
            cbor::write(&value, &mut body);
            let (status, body) = port.respond(&path, &headers, &body);
            (status, serde_json::Value::from(&cbor::read(&body).unwrap()).to_string())
        }
        _ => {
            let mut text = format!("Action={operation}&Version=2010-08-01");
            form("", &value, &mut text);
            let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
            let (status, body) = port.respond("/", &headers, text.as_bytes());
            (status, String::from_utf8(body).unwrap())
        }
    }
}

/// *Scenario:* Put, Get, List, Stop, Start, tags, Delete, Get in JSON, CBOR and query.
/// *Guarantees:* all are answered in the protocol asked, with the recorded members, and a deleted
/// stream is not found with 404.
#[test]
fn lives_in_three_protocols() {
    for protocol in ["json", "cbor", "query"] {
        let port = port("cloudwatch-life");
        let said = |operation: &str, input: &str, parts: &[&str]| {
            let (status, told) = ask(&port, protocol, operation, input);
            assert_eq!(status, 200, "{protocol} {operation}: {told}");
            for part in parts {
                assert!(told.contains(part), "{protocol} {operation}: {part} in {told}");
            }
            told
        };
        let arn = "arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/one";
        let empty = stream("one", r#","IncludeFilters":[],"Tags":[{"Key":"a","Value":"b"}]"#);
        said("PutMetricStream", &empty, &[arn]);
        let one = r#"{"Name":"one"}"#;
        let names = r#"{"Names":["one"]}"#;
        let told = said("GetMetricStream", one, &[arn, FIREHOSE, ROLE, "running", "json"]);
        assert!(!told.contains("Filters") && !told.contains("Statistics"), "{told}");
        assert!(told.contains("IncludeLinkedAccountsMetrics") && told.contains("false"), "{told}");
        let time = if protocol == "query" { "2026-11-20T12:00:00Z" } else { "1795176000.0" };
        assert!(told.contains(time), "{told}");
        let told = said("ListMetricStreams", "{}", &[arn, "Entries", "running"]);
        assert!(!told.contains("Role") && !told.contains("NextToken"), "{told}");
        said("StartMetricStreams", names, &[]);
        said("StopMetricStreams", names, &[]);
        said("GetMetricStream", one, &["stopped"]);
        said("StopMetricStreams", names, &[]);
        said("StartMetricStreams", names, &[]);
        said("GetMetricStream", one, &["running"]);
        let of = |more: &str| format!(r#"{{"ResourceARN":"{arn}"{more}}}"#);
        said("TagResource", &of(r#","Tags":[{"Key":"c","Value":"d"}]"#), &[]);
        said("ListTagsForResource", &of(""), &["Tags", "a", "b", "c", "d"]);
        said("UntagResource", &of(r#","TagKeys":["a","c","x"]"#), &[]);
        let none = if protocol == "query" { "<Tags/>" } else { "\"Tags\":[]" };
        said("ListTagsForResource", &of(""), &[none]);
        said("DeleteMetricStream", one, &[]);
        said("DeleteMetricStream", one, &[]);
        let (status, told) = ask(&port, protocol, "GetMetricStream", one);
        assert_eq!(status, 404, "{told}");
        assert!(told.contains("ResourceNotFoundException"), "{told}");
        assert!(!told.contains("message"), "{told}");
        assert!(told.contains("ResourceType") && told.contains("ResourceId"), "{told}");
    }
}

/// *Scenario:* a stream with everything, stopped, put again with little and with other tags.
/// *Guarantees:* what was given is told as given; the second configuration replaces the first whole;
/// state, creation and tags stay; and it is so after a restart.
#[test]
fn an_update_replaces_the_configuration() {
    let mut port = port("cloudwatch-update");
    let more = r#","ExcludeFilters":[{"Namespace":"A","MetricNames":["x","y"]},{"Namespace":"B"}],
        "StatisticsConfigurations":[{"IncludeMetrics":[{"Namespace":"A","MetricName":"z"}],
        "AdditionalStatistics":["p99","tm90","PR(:300)"]}],
        "IncludeLinkedAccountsMetrics":true,"Tags":[{"Key":"a","Value":""}]"#;
    let arn = port.ask("PutMetricStream", &stream("one", more)).unwrap()["Arn"].clone();
    let told = port.ask("GetMetricStream", r#"{"Name":"one"}"#).unwrap();
    let filters = json!([{"Namespace":"A","MetricNames":["x","y"]},{"Namespace":"B"}]);
    assert_eq!(told["ExcludeFilters"], filters);
    assert_eq!(
        told["StatisticsConfigurations"],
        json!([{"IncludeMetrics":[{"Namespace":"A","MetricName":"z"}],
            "AdditionalStatistics":["p99","tm90","PR(:300)"]}])
    );
    assert_eq!(told["IncludeLinkedAccountsMetrics"], true);
    port.ask("StopMetricStreams", r#"{"Names":["one"]}"#).unwrap();
    port.context.clock = Arc::new(|| NOW + 1_500);
    let again =
        stream("one", r#","Tags":[{"Key":"b","Value":"c"}]"#).replace("json", "opentelemetry1.0");
    assert_eq!(port.ask("PutMetricStream", &again).unwrap()["Arn"], arn);
    let path = port._folder.join("resources.json");
    port.context.registry = Registry::open(&path).unwrap();
    let told = port.ask("GetMetricStream", r#"{"Name":"one"}"#).unwrap();
    let now = NOW as f64 / 1e3;
    assert_eq!(
        told,
        json!({"Arn": arn, "Name": "one", "FirehoseArn": FIREHOSE, "RoleArn": ROLE,
            "OutputFormat": "opentelemetry1.0", "State": "stopped", "CreationDate": now,
            "LastUpdateDate": now + 1.5, "IncludeLinkedAccountsMetrics": false})
    );
    let tags = port.ask("ListTagsForResource", &format!(r#"{{"ResourceARN":{arn}}}"#)).unwrap();
    assert_eq!(tags, json!({"Tags":[{"Key":"a","Value":""}]}));
}

/// *Scenario:* seven streams of one account and one of another, listed two at a time, with a stream
/// deleted and one made between the pages.
/// *Guarantees:* each stream that stays comes once, by name; the other account's never.
#[test]
fn pages_of_streams() {
    let port = port("cloudwatch-pages");
    for name in ["g", "b", "a", "e", "d", "c", "f"] {
        port.ask("PutMetricStream", &stream(name, "")).unwrap();
    }
    let mut other = port.caller.clone();
    other.account = "123456789013".to_owned();
    let input = stream("other", "").replace(ACCOUNT, &other.account);
    let input = serde_json::from_str(&input).unwrap();
    let put = super::super::call(&port.context, &other, "PutMetricStream", &input);
    port.runtime.block_on(put).unwrap().unwrap();
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let told = port.ask("ListMetricStreams", &format!(r#"{{"MaxResults":2{token}}}"#)).unwrap();
        let entries = told["Entries"].as_array().unwrap();
        names.extend(entries.iter().map(|entry| entry["Name"].as_str().unwrap().to_owned()));
        if names.len() == 2 {
            port.ask("DeleteMetricStream", r#"{"Name":"b"}"#).unwrap();
            port.ask("PutMetricStream", &stream("aa", "")).unwrap();
        }
        let Some(next) = told.get("NextToken") else { break };
        token = format!(r#","NextToken":{next}"#);
    }
    assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g"]);
    let all = port.ask("ListMetricStreams", r#"{"MaxResults":500}"#).unwrap();
    assert_eq!(all["Entries"].as_array().unwrap().len(), 7);
}
