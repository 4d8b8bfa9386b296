//! Firehose data transformation.

use base64::{decode, encode};
use metric::{Decoder, Format, Point, Reject, Visit};
use rehearsal::payload::{self, Options};
use serde_json::{Value, json};

use crate::emulator::{Answer, Given, Lambda};

/// The limit of Lambda's answer.
const LIMIT: usize = 6 * 1024 * 1024;

mod base64 {
    pub(super) fn encode(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        codec::base64::encode_into(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    pub(super) fn decode(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        codec::base64::decode_into(text.as_bytes(), &mut out).unwrap();
        out
    }
}

fn event(records: &[String]) -> String {
    let records: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(at, data)| {
            json!({
                "recordId": format!("4963{at:08}000000"), "data": data,
                "approximateArrivalTimestamp": 1_795_178_040_000_u64,
                "kinesisRecordMetadata": { "shardId": "shardId-000000000000" },
            })
        })
        .collect();
    json!({
        "invocationId": "f6a8", "region": "eu-west-1", "records": records,
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/d",
    })
    .to_string()
}

/// Each record once, in order, with its result and its data.
#[track_caller]
fn results(answer: &Answer, count: usize) -> Vec<(String, Option<String>)> {
    let records = answer.body["records"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(records.len(), count);
    let read = |(at, record): (usize, &Value)| {
        assert_eq!(record["recordId"], format!("4963{at:08}000000"));
        let data = record.get("data").map(|data| data.as_str().unwrap().to_owned());
        (record["result"].as_str().unwrap().to_owned(), data)
    };
    records.iter().enumerate().map(read).collect()
}

/// Namespaces of the points of a record, and everything else that a point is, as text.
#[derive(Default)]
struct Seen {
    points: Vec<(String, String)>,
}

impl Visit for Seen {
    fn point(&mut self, point: &Point<'_>) {
        let mut line = Vec::new();
        metric::encode::json_line(point, &mut line);
        let namespace = metric::text(point.namespace).to_owned();
        self.points.push((namespace, String::from_utf8(line).unwrap()));
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{}", reject.detail);
    }
}

fn points(record: &[u8]) -> Vec<(String, String)> {
    let mut seen = Seen::default();
    Decoder::new().decode(record, &mut seen);
    seen.points
}

/// *Scenario:* records of each format through a filter of one namespace, all points of some of them
/// filtered, and some untouched.
/// *Guarantees:* what stays is exactly the selected points in the format they came in; a record
/// without any is dropped; one with nothing filtered comes back byte for byte.
#[test]
fn selection_inside_firehose() {
    let options = Options { metrics: 2_000, series: 2_000, ..Options::default() };
    let formats = [Format::Json, Format::Otel07, Format::Otel10];
    let mut records: Vec<Vec<u8>> =
        formats.iter().flat_map(|format| payload::records(&options, *format)).collect();
    let line = |namespace: &str| {
        format!(
            "{{\"metric_stream_name\":\"s\",\"account_id\":\"1\",\"region\":\"r\",\
             \"namespace\":\"{namespace}\",\"metric_name\":\"m\",\"dimensions\":{{}},\
             \"timestamp\":1795178040000,\"value\":{{\"max\":1.0,\"min\":1.0,\"sum\":1.0,\
             \"count\":1.0}}, \"unit\":\"Count\"}}"
        )
    };
    records.push(line("AWS/Lambda").into_bytes());
    records.push(line("AWS/EC2").into_bytes());
    records
        .push(rehearsal::payload::gzip(format!("{}\n{}", line("AWS/EC2"), line("x")).as_bytes()));
    records.push(Vec::new());
    let given: Vec<String> = records.iter().map(|record| encode(record)).collect();
    let include = "[{namespace: AWS/EC2}]";
    let lambda =
        Lambda::start(vec![Given::new(event(&given))], &[("HYDRANT_STREAM__INCLUDE", include)]);
    let results = results(&lambda.answer(), given.len());
    let mut kept = 0;
    for ((record, sent), (result, data)) in records.iter().zip(&given).zip(&results) {
        let expected: Vec<_> =
            points(record).into_iter().filter(|(namespace, _)| namespace == "AWS/EC2").collect();
        let before = points(record).len();
        kept += expected.len();
        match result.as_str() {
            "Dropped" => assert!(expected.is_empty() && before > 0 && data.is_none()),
            "Ok" if expected.len() == before => assert_eq!(data.as_ref(), Some(sent)),
            "Ok" => {
                let record_after = decode(data.as_ref().unwrap());
                assert_eq!(codec::gzip::is_gzip(&record_after), codec::gzip::is_gzip(record));
                let sorted = |mut points: Vec<(String, String)>| {
                    points.sort();
                    points
                };
                assert_eq!(sorted(points(&record_after)), sorted(expected));
            }
            other => panic!("{other}"),
        }
    }
    assert!(kept > 100, "{kept} points of EC2: the filter met something");
    let told: Vec<&str> = results.iter().map(|(result, _)| result.as_str()).collect();
    assert_eq!(told[told.len() - 4..], ["Dropped", "Ok", "Ok", "Ok"]);
    let line = &lambda.logged("records transformed", 1)[0];
    assert_eq!(line["records"], given.len());
    assert_eq!(line["points"].as_u64().unwrap() - line["filtered"].as_u64().unwrap(), kept as u64);
}

/// *Scenario:* records that are no metrics, that are so in part, and that are no base64.
/// *Guarantees:* each is `ProcessingFailed` without data, so that Firehose keeps the original; their
/// neighbours pass; the log says why, once for each reason.
#[test]
fn what_cannot_be_decoded_stays_with_firehose() {
    let good =
        payload::records(&Options { metrics: 50, series: 50, ..Options::default() }, Format::Json);
    let half = [good[0].as_slice(), b"{\"metric_name\":\"m\"\n"].concat();
    let records = [
        encode(&good[0]),
        encode(b"hello"),
        encode(&half),
        "no base64!".to_owned(),
        encode(b"hello"),
        encode(&good[0]),
    ];
    let lambda = Lambda::start(vec![Given::new(event(&records))], &[]);
    let results = results(&lambda.answer(), records.len());
    let told: Vec<_> =
        results.iter().map(|(result, data)| (result.as_str(), data.is_some())).collect();
    let failed = ("ProcessingFailed", false);
    assert_eq!(told, [("Ok", true), failed, failed, failed, failed, ("Ok", true)]);
    assert_eq!(results[5].1.as_ref(), Some(&records[5]));
    let lines = lambda.logged("records failed: Firehose keeps them", 3);
    let reasons: Vec<_> = lines
        .iter()
        .map(|l| (l["reason"].as_str().unwrap(), l["records"].as_u64().unwrap()))
        .collect();
    assert_eq!(reasons, [("malformed_json", 1), ("not_base64", 1), ("unknown_format", 2)]);
}

/// *Scenario:* an event that fills Lambda's 6 MB, with records that grow when they are written anew,
/// and one filtered point in each, so that each is.
/// *Guarantees:* the answer stays below 6 MB; no record is missing; those for which there was no room
/// are `ProcessingFailed`, and the log says so.
#[test]
fn an_answer_never_exceeds_the_limit() {
    // A number as short as JSON allows; written as CloudWatch writes it, it has 17 characters more.
    let lines: Vec<String> = (0..60)
        .map(|number| {
            format!(
                "{{\"namespace\":\"N\",\"metric_name\":\"m{number}\",\"timestamp\":1,\
                 \"value\":{{\"max\":1,\"min\":1,\"sum\":1,\"count\":1}}}}"
            )
        })
        .collect();
    let record = encode(
        format!(
            "{{\"namespace\":\"gone\",\"metric_name\":\"m\",\"timestamp\":1,\
        \"value\":{{\"max\":1,\"min\":1,\"sum\":1,\"count\":1}}}}\n{}\n",
            lines.join("\n")
        )
        .as_bytes(),
    );
    let count = (LIMIT - 1024) / (record.len() + 180);
    let event = event(&vec![record; count]);
    assert!(event.len() < LIMIT && event.len() > LIMIT - 300_000, "{}", event.len());
    let exclude = "[{namespace: gone}]";
    let lambda = Lambda::start(vec![Given::new(event)], &[("HYDRANT_STREAM__EXCLUDE", exclude)]);
    let answer = lambda.answer();
    assert!(answer.length <= LIMIT && answer.length > LIMIT - 100_000, "{}", answer.length);
    let results = results(&answer, count);
    let failed = results.iter().filter(|(result, _)| result == "ProcessingFailed").count();
    assert!(failed > 0 && failed < count / 2, "{failed} of {count}");
    assert_eq!(results[0].0, "Ok");
    let lines = lambda.logged("records failed: Firehose keeps them", 1);
    assert_eq!(
        (lines[0]["reason"].as_str(), lines[0]["records"].as_u64()),
        (Some("answer_too_large"), Some(failed as u64))
    );
}

/// *Scenario:* a record of each format through a fixed attribute for one namespace.
/// *Guarantees:* it stands in JSON and in 1.0 on the points of that namespace and no others; 0.7, which
/// has no place for it, comes back byte for byte and is counted.
#[test]
fn enrichment_inside_firehose() {
    let options = Options { metrics: 300, series: 300, ..Options::default() };
    let formats = [Format::Json, Format::Otel10, Format::Otel07];
    let records = formats.map(|format| payload::records(&options, format).concat());
    let given = records.each_ref().map(|record| encode(record));
    let enrich = "{attributes: [{when: {namespace: AWS/EC2}, set: {team: blue}}]}";
    let lambda =
        Lambda::start(vec![Given::new(event(&given))], &[("HYDRANT_STREAM__ENRICH", enrich)]);
    let results = results(&lambda.answer(), 3);
    assert!(results.iter().all(|(result, _)| result == "Ok"));
    assert_eq!(results[2].1.as_ref(), Some(&given[2]));
    let ec2 = points(&records[0]).iter().filter(|(namespace, _)| namespace == "AWS/EC2").count();
    assert!(ec2 > 3, "{ec2}");
    let json = String::from_utf8(decode(results[0].1.as_ref().unwrap())).unwrap();
    for line in json.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let expected = (line["namespace"] == "AWS/EC2").then(|| json!({ "team": "blue" }));
        assert_eq!(line.get("attributes"), expected.as_ref());
    }
    assert_eq!(json.lines().count(), 300);
    let otel = decode(results[1].1.as_ref().unwrap());
    let teams = otel.windows(4).filter(|bytes| bytes == b"team").count();
    assert_eq!((points(&otel).len(), teams), (300, ec2));
    let line = &lambda.logged("records transformed", 1)[0];
    let counts =
        (line["enriched"].as_u64().unwrap(), line["attributes_left_out"].as_u64().unwrap());
    assert_eq!(counts, (2 * ec2 as u64, ec2 as u64));
}
