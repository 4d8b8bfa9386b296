//! `hydrant inspect` from the outside: whatever a metric stream's output is wrapped in.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use codec::container::{CONTAINERS, Compressor, Container};
use codec::{base64, gzip::Deflater};
use serde_json::Value;

/// Two points as a metric stream writes them in JSON, the second with an additional statistic.
const LINES: &str = concat!(
    r#"{"metric_stream_name":"m","account_id":"111122223333","region":"eu-west-1","namespace":"AWS/ECS","metric_name":"CPUUtilization","dimensions":{"ClusterName":"a"},"timestamp":1795178040000,"value":{"max":3.5,"min":0.1,"sum":6.6,"count":3.0},"unit":"Percent"}"#,
    "\n",
    r#"{"metric_stream_name":"m","account_id":"111122223333","region":"eu-west-1","namespace":"AWS/EC2","metric_name":"NetworkIn","dimensions":{},"timestamp":1795178100000,"value":{"max":1e300,"min":-0.5,"sum":1.0,"count":2.0,"p99.9":7.25},"unit":"Bytes"}"#,
    "\n",
);

fn inspect(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .arg("inspect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    pipe.write_all(stdin).expect("small inputs fit the pipe");
    drop(pipe);
    child.wait_with_output().expect("it ends by itself")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(1).gzip(bytes, &mut out);
    out
}

fn encoded(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    base64::encode_into(bytes, &mut out);
    String::from_utf8(out).expect("base64 is ASCII")
}

/// The names of the metrics that came out, in order.
#[track_caller]
fn metrics(stdin: &[u8]) -> Vec<String> {
    let output = inspect(&["--output", "ndjson"], stdin);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let name = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a line is JSON");
        value.get("metric_name").and_then(Value::as_str).expect("a name").to_owned()
    };
    text(&output.stdout).lines().map(name).collect()
}

/// As `base64` prints it.
fn wrapped(text: &str) -> String {
    let lines = text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n");
    lines.collect()
}

/// *Scenario:* the same two points as lines, gzip, several gzip members, a request body, a
/// gzip request body of gzip records, failed-record lines of both origins, quarantine, base64 in one
/// line and in many, and every way in which Firehose compresses an object.
/// *Guarantees:* each is told by its content, and the same points come out.
#[test]
fn every_wrapping() {
    let lines = LINES.as_bytes();
    let (first, second) = LINES.split_once('\n').expect("two lines");
    let body = format!(
        r#"{{"requestId":"r","timestamp":1,"records":[{{"data":"{}"}},{{"data":"{}"}}]}}"#,
        encoded(first.as_bytes()),
        encoded(&gzip(second.as_bytes()))
    );
    let failed = format!(
        "{{\"attemptsMade\":4,\"rawData\":\"{}\",\"lambdaArn\":\"arn\"}}\n\n{{\"rawData\":\"{}\",\
         \"errorCode\":\"Dynatrace.TooOld\",\"hydrant\":{{\"version\":1}}}}\n",
        encoded(first.as_bytes()),
        encoded(second.as_bytes())
    );
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    for bytes in [
        lines.to_vec(),
        gzip(lines),
        gzip(&gzip(lines)),
        members,
        body.clone().into_bytes(),
        gzip(body.as_bytes()),
        failed.into_bytes(),
        encoded(&gzip(lines)).into_bytes(),
        wrapped(&encoded(&gzip(lines))).into_bytes(),
    ] {
        assert_eq!(metrics(&bytes), ["CPUUtilization", "NetworkIn"]);
    }
    for container in CONTAINERS {
        let mut bytes = Vec::new();
        Compressor::new(container).compress("entry", lines, &mut bytes).expect("it fits");
        assert_eq!(metrics(&bytes), ["CPUUtilization", "NetworkIn"], "{container}");
    }
    let quarantined = format!(
        "{{\"time\":\"t\",\"topic\":\"aws\",\"reason\":\"too_old\",\"text\":{}}}\n\
         {{\"time\":\"t\",\"topic\":\"aws\",\"reason\":\"json\",\"data\":\"{}\"}}\n",
        serde_json::to_string(first).expect("text"),
        encoded(second.as_bytes())
    );
    assert_eq!(metrics(quarantined.as_bytes()), ["CPUUtilization", "NetworkIn"]);
    assert_eq!(metrics(b""), Vec::<String>::new());
}

/// *Scenario:* quarantine that keeps what a destination refused: a line, and a whole request.
/// *Guarantees:* told for what they are, with the destination's words, not as a broken record.
#[test]
fn what_a_destination_refused_is_told() {
    let quarantined = format!(
        "{{\"time\":\"t\",\"topic\":\"aws\",\"reason\":\"refused\",\"detail\":\"bad key\",\"text\":\"a.b gauge,1\"}}\n\
         {{\"time\":\"t\",\"topic\":\"aws\",\"reason\":\"refused_request\",\"detail\":\"0 of 3 named\",\"data\":\"{}\"}}\n",
        encoded(b"a.b gauge,1")
    );
    let output = inspect(&["-o", "ndjson"], quarantined.as_bytes());
    assert_eq!(output.status.code(), Some(65));
    let said = text(&output.stderr);
    for words in [
        "line 1 (refused): as it was sent: a.b gauge,1; what was said of it: bad key",
        "line 2 (refused_request): a request as it was sent, and no record; 0 of 3 named",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("unknown_format"), "{said}");
}

/// *Scenario:* the two points as NDJSON.
/// *Guarantees:* the contract's keys in its order, numbers that read back, statistics by their names.
#[test]
fn ndjson_is_the_contract() {
    let output = inspect(&["-o", "ndjson"], LINES.as_bytes());
    let printed = text(&output.stdout);
    let parse = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    assert_eq!(parse(printed), parse(LINES));
    let keys = [
        "metric_stream_name",
        "account_id",
        "region",
        "namespace",
        "metric_name",
        "dimensions",
        "timestamp",
        "\"value\":{\"max\"",
        "min",
        "sum",
        "count",
        "unit",
    ];
    let mut rest = printed.lines().next().expect("a line");
    for key in keys {
        rest = rest.split_once(key).unwrap_or_else(|| panic!("{key} in order")).1;
    }
}

/// *Scenario:* the two points as table, MINT lines, OTLP/JSON and Prometheus text.
/// *Guarantees:* each form has both points, and the names its readers expect.
#[test]
fn other_forms() {
    let table = inspect(&[], LINES.as_bytes());
    let lines: Vec<&str> = text(&table.stdout).lines().collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("TIME") && lines[1].contains("ClusterName=a"), "{lines:#?}");
    assert!(lines[1].contains("2026-11-20T12:34:00Z") && lines[2].contains("p99.9=7.25"));
    let summary = text(&table.stderr);
    assert!(summary.starts_with("2 points, 2 metrics, 1 accounts, 1 records"), "{summary}");

    let mint = inspect(&["-o", "mint"], LINES.as_bytes());
    let lines: Vec<&str> = text(&mint.stdout).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("cloud.aws.ecs.cpuUtilizationByAccountIdClusterNameRegion,"));
    assert!(lines[0].ends_with("gauge,min=0.1,max=3.5,sum=6.6,count=3 1795178040000"), "{lines:?}");

    let otlp = inspect(&["-o", "otlp-json"], LINES.as_bytes());
    let request: Value = serde_json::from_slice(&otlp.stdout).expect("one request");
    assert!(request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["summary"].is_object());

    let prometheus = inspect(&["-o", "prometheus"], LINES.as_bytes());
    let page = text(&prometheus.stdout);
    for line in [
        "# TYPE aws_ecs_cpuutilization_maximum gauge",
        "aws_ecs_cpuutilization_maximum{account_id=\"111122223333\",dimension_ClusterName=\"a\",region=\"eu-west-1\"} 3.5 1795178040000",
        "aws_ec2_network_in_p99_9{account_id=\"111122223333\",region=\"eu-west-1\"} 7.25 1795178100000",
        "aws_ec2_network_in_maximum{account_id=\"111122223333\",region=\"eu-west-1\"} 1e300 1795178100000",
    ] {
        assert!(page.lines().any(|printed| printed == line), "{line} in\n{page}");
    }
}

/// *Scenario:* damage: a broken line between good ones, a cut gzip, a cut body, wrong base64, zip.
/// *Guarantees:* 65, what is good still printed, and stderr says file, part and reason.
#[test]
fn what_cannot_be_decoded() {
    let cut_gzip = gzip(LINES.as_bytes());
    let mut wrong_sum = gzip(LINES.as_bytes());
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    let cut_body =
        format!(r#"{{"requestId":"r","records":[{{"data":"{}"}},"#, encoded(LINES.as_bytes()));
    let zip = b"PK\x03\x04 and so on".to_vec();
    let broken = LINES.replace("\n{", "\n{broken}\n{");
    for (bytes, points, said) in [
        (broken.into_bytes(), 2, "stdin, record 1, byte "),
        (cut_gzip[..cut_gzip.len() - 8].to_vec(), 2, "stdin: gzip is cut short after"),
        (wrong_sum, 2, "the checksum differs"),
        (cut_body.into_bytes(), 2, "stdin, after record 1: "),
        (br#"{"records":[{"data":"!!!!"}]}"#.to_vec(), 0, "stdin, record 1: not standard base64"),
        (zip, 0, "stdin: zip"),
    ] {
        let output = inspect(&["-o", "ndjson"], &bytes);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(65), "{words}");
        assert_eq!(text(&output.stdout).lines().count(), points, "{words}");
        assert!(words.contains(said), "{said} in\n{words}");
        assert!(words.contains("could not be decoded"), "{words}");
    }
}

/// *Scenario:* each container of many points, cut in its middle, and with a byte of its second half wrong.
/// *Guarantees:* 65, what comes before the damage is printed, and the container's fault is said.
#[test]
fn what_comes_before_damage_is_printed() {
    // Points that differ, so that a container has more than one block.
    let lines: String = (0..6000_u64)
        .map(|n| LINES.replace("\"sum\":6.6", &format!("\"sum\":{}", n.wrapping_mul(n) * 7919)))
        .collect();
    for container in CONTAINERS {
        let mut whole = Vec::new();
        Compressor::new(container).compress("x", lines.as_bytes(), &mut whole).expect("memory");
        let name = container.name();
        let output = inspect(&["-o", "ndjson"], &whole[..whole.len() * 2 / 3]);
        let (words, points) = (text(&output.stderr), text(&output.stdout).lines().count());
        assert_eq!(output.status.code(), Some(65), "{name}: {words}");
        assert!((1000..12_000).contains(&points), "{name}: {points} points; {words}");
        let fault = format!("stdin: {container} is cut short after");
        assert!(container == Container::Plain || words.contains(&fault), "{name}: {words}");
    }
}

/// *Scenario:* a file that is not there beside one that is, and a reader that goes away.
/// *Guarantees:* 1 and the good file printed; a closed pipe is quiet.
#[test]
fn files_and_pipes() {
    let folder = testkit::TempDir::new("inspect");
    let file = folder.write("good.json", LINES);
    let file = file.to_str().expect("text");
    let output = inspect(&["-o", "ndjson", "/no/such/file", file], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).lines().count(), 2);
    assert!(text(&output.stderr).starts_with("error: /no/such/file: No such file"));

    let large = folder.write("large.json", LINES.repeat(5000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .args(["inspect", "-o", "ndjson"])
        .arg(large)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

/// *Scenario:* the real capture of a Firehose delivery, when the folder is there.
/// *Guarantees:* all 1,160 points of its 4 records, none undecodable.
#[test]
fn a_real_delivery() {
    let Some(body) = testkit::testdata("telegraf-firehose-json.json") else {
        return;
    };
    let folder = testkit::TempDir::new("capture");
    let file = folder.write("body.json", body);
    let output = inspect(&[file.to_str().expect("text")], b"");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout).lines().count(), 1161);
    let summary = text(&output.stderr);
    assert!(summary.starts_with("1160 points, 32 metrics, 1 accounts, 4 records"), "{summary}");
}
