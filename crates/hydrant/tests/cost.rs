//! `hydrant cost` from the outside: inputs, output, exit codes.

use std::process::{Command, Output};

use serde_json::Value;
use testkit::TempDir;

/// A point of the minute `at`.
fn line(name: &str, at: u64) -> String {
    let head = r#"{"metric_stream_name":"m","account_id":"1","region":"us-east-1","namespace":"N""#;
    let timestamp = 1_795_176_000_000 + at * 60_000;
    let value = r#""value":{"max":1.0,"min":1.0,"sum":1.0,"count":1.0},"unit":"None""#;
    format!(
        "{head},\"metric_name\":\"{name}\",\"dimensions\":{{}},\"timestamp\":{timestamp},{value}}}\n"
    )
}

fn cost(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.arg("cost").args(arguments).output().expect("the binary was built for this test")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

/// *Scenario:* a folder with captures in it and below, and a hidden file that is none.
/// *Guarantees:* all but the hidden one count together; JSON on stdout, nothing on stderr.
#[test]
fn a_folder_is_one_capture() {
    let folder = TempDir::new("cost-folder");
    std::fs::create_dir(folder.path().join("below")).expect("a folder can be made");
    folder.write("a", line("A", 0));
    folder.write("below/b", &(line("A", 59) + &line("B", 30)));
    folder.write(".hidden", "no metrics");
    let path = folder.path().to_str().expect("a temporary path is text");
    let output = cost(&[path, "--output", "json", "--exclude", "N:B", "--for", "1d"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(output.stderr.len(), 0);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["total"]["updates"], 3);
    assert_eq!(told["total"]["estimate"]["billed_updates"], 72.0);
    assert_eq!(told["filter"]["saved"]["billed_updates"], 1);
    assert_eq!(told["prices"][0]["region"], "us-east-1");
    assert_eq!(told["namespaces"][0]["metrics"][0]["name"], "A");
    let page = include_str!("../../../docs/cost.md");
    let shown = page.split_once("| jq .").and_then(|(_, rest)| rest.split_whitespace().next());
    let path = format!("/{}", shown.expect("the page shows jq").replace('.', "/"));
    assert!(told.pointer(&path).is_some_and(Value::is_f64), "{path}: {told}");
}

/// *Scenario:* a capture of which half cannot be decoded; one that is not there; prices that are none.
/// *Guarantees:* 65, 1 and 78; what can be counted is counted, and stderr says what is wrong.
#[test]
fn faults_have_their_exit_codes() {
    let folder = TempDir::new("cost-faults");
    let broken = folder.write("broken", &(line("A", 0) + "{\"namespace\":7}\n"));
    let broken = broken.to_str().expect("a temporary path is text");
    let output = cost(&[broken]);
    assert_eq!(output.status.code(), Some(65));
    assert!(text(&output.stdout).contains("\ntotal"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("1 piece could not be decoded"));
    assert_eq!(cost(&["nowhere"]).status.code(), Some(1));
    let prices = cost(&[broken, "--prices", broken]);
    assert_eq!(prices.status.code(), Some(78));
    assert!(text(&prices.stderr).contains("line 1"), "{}", text(&prices.stderr));
    assert_eq!(cost(&["--include", "A", "--exclude", "B"]).status.code(), Some(2));
    let words = cost(&["--exclude", "AWS/EC2", "AWS/ECS"]);
    let said = String::from_utf8(words.stderr).expect("words are UTF-8");
    assert!(said.contains("hint: each namespace needs its own: --exclude"), "{said}");
    let nothing = folder.write("nothing", "");
    let nothing = cost(&[nothing.to_str().expect("a plain path")]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(65), 0));
}
