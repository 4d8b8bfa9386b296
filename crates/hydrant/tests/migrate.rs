//! `hydrant migrate dynatrace` from the outside: where documents and reports go, exit codes.

use std::process::{Command, Output};

use testkit::TempDir;

const POLLED: &str =
    "{\"a\": \"ext:cloud.aws.rds.cpuUtilization:avg\",\n \"b\": \"builtin:cloud.aws.asg.running\"}";
const STREAM: &str = "cloud.aws.rds.cpuUtilizationByAccountIdDBInstanceIdentifierRegion";

fn migrate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    let command = command.args(["migrate", "dynatrace"]).args(arguments);
    command.output().expect("the binary was built for this test")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

/// *Scenario:* one export to stdout, to a folder, to the same folder again, and in a dry run.
/// *Guarantees:* the document is data and the report is not, but in a dry run; nothing is replaced.
#[test]
fn documents_and_reports_have_their_places() {
    let folder = TempDir::new("migrate");
    let export = folder.write("board.json", POLLED);
    let export = export.to_str().expect("a temporary path is text");
    let new = POLLED.replace("ext:cloud.aws.rds.cpuUtilization", STREAM);

    let output = migrate(&[export]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), new.as_str()));
    let said = text(&output.stderr);
    assert!(said.contains(":1: ext:cloud.aws.rds.cpuUtilization -> "), "{said}");
    assert!(said.contains(":2: builtin:cloud.aws.asg.running left: "), "{said}");
    assert!(said.ends_with("1 key rewritten, 1 left\n"), "{said}");

    let marked = folder.write("marked.json", format!("\u{feff}{POLLED}\r\n"));
    let output = migrate(&[marked.to_str().expect("a temporary path is text")]);
    assert_eq!(text(&output.stdout), format!("\u{feff}{new}\r\n"), "as Windows writes it");

    let dry = migrate(&[export, "--dry-run"]);
    assert!(text(&dry.stdout).contains(":1: ext:cloud.aws.rds.cpuUtilization -> "));

    let out = folder.path().join("out");
    let out = out.to_str().expect("a temporary path is text");
    let output = migrate(&[export, "--output", out]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let written = std::fs::read_to_string(format!("{out}/board.json")).expect("it was written");
    assert_eq!(written, new);
    let again = migrate(&[export, "--output", out]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
}

/// *Scenario:* a folder of exports with texts about them, one of them not UTF-8; the same file by its name.
/// *Guarantees:* the folder is done, what is left out is said; who names a file means it.
#[test]
fn texts_beside_exports_are_left_out() {
    let folder = TempDir::new("migrate-folder");
    std::fs::create_dir(folder.join("exports")).expect("a temporary folder can be made");
    folder.write("exports/board.json", POLLED);
    folder.write("exports/logo.png", b"\x89PNG\xff");
    let readme = folder.write("exports/README.md", "# What this is");
    let exports = folder.join("exports");
    let exports = exports.to_str().expect("a temporary path is text");
    let output = migrate(&[exports, "--dry-run"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(text(&output.stdout).contains("board.json:1: ext:cloud.aws"), "{said}");
    assert!(said.contains("README.md: is no JSON") && said.contains("it is left out"), "{said}");
    let named = migrate(&[readme.to_str().expect("text"), "--dry-run"]);
    assert_eq!(named.status.code(), Some(65));
    folder.write("exports/cut.json", "{");
    assert_eq!(migrate(&[exports, "--dry-run"]).status.code(), Some(65));
}

/// *Scenario:* a file that is no JSON, one that is not there, two without a place to go.
/// *Guarantees:* 65, 1 and 2.
#[test]
fn faults_have_their_exit_codes() {
    let folder = TempDir::new("migrate-faults");
    let broken = folder.write("broken.json", "{\"a\"");
    let broken = broken.to_str().expect("a temporary path is text");
    assert_eq!(migrate(&[broken]).status.code(), Some(65));
    assert_eq!(migrate(&["nowhere.json"]).status.code(), Some(1));
    assert_eq!(migrate(&[broken, broken]).status.code(), Some(2));
}
