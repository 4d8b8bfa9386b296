//! A folder and standard input as sources: `hydrant run` as a command that ends.

use std::process::{Command, Output, Stdio};

use testkit::Process;

use crate::service::{Home, PATIENCE, binary};

/// One point as CloudWatch writes it, with its own name.
fn line(name: &str) -> String {
    format!(
        "{{\"metric_stream_name\":\"s\",\"account_id\":\"111122223333\",\"region\":\"eu-west-1\",\
         \"namespace\":\"AWS/EC2\",\"metric_name\":\"{name}\",\"dimensions\":{{}},\
         \"timestamp\":1795176000000,\"value\":{{\"max\":1.0,\"min\":1.0,\"sum\":1.0,\"count\":1.0}},\
         \"unit\":\"Count\"}}\n"
    )
}

fn settings(home: &Home, source: &str) {
    let text = format!(
        "data_dir: data\nadmin: {{ listen: {} }}\nsources:\n  in: {source}\nstreams:\n  out:\n    \
         source: in\n    destination: {{ type: file, path: out.ndjson }}\n",
        home.admin
    );
    std::fs::write(home.dir.join("hydrant.yaml"), text).unwrap();
}

/// Runs to the end, with this on standard input.
fn run(home: &Home, stdin: &str) -> (Option<i32>, Output) {
    std::fs::write(home.dir.join("stdin"), stdin).unwrap();
    let stdin = std::fs::File::open(home.dir.join("stdin")).unwrap();
    let output = Command::new(binary())
        .args(["run", "-c", "hydrant.yaml"])
        .current_dir(home.dir.path())
        .stdin(Stdio::from(stdin))
        .output()
        .unwrap();
    (output.status.code(), output)
}

fn names(home: &Home) -> Vec<String> {
    let text = std::fs::read_to_string(home.dir.join("out.ndjson")).unwrap_or_default();
    let name = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["metric_name"].as_str().unwrap().to_owned()
    };
    let mut names: Vec<String> = text.lines().map(name).collect();
    names.sort();
    names
}

/// *Scenario:* a folder with an object in a folder, read twice by two runs; between them one comes.
/// *Guarantees:* each run ends by itself with 0 when all is delivered, and reads what is new only.
#[test]
fn a_folder_is_read_once() {
    let home = Home::new("folder");
    std::fs::create_dir_all(home.dir.join("captures/2026")).unwrap();
    std::fs::write(home.dir.join("captures/2026/a"), line("A")).unwrap();
    settings(&home, "{ type: file, path: captures }");
    let (code, output) = run(&home, "");
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&home), ["A"]);
    std::fs::write(home.dir.join("captures/b"), line("B")).unwrap();
    assert_eq!(run(&home, "").0, Some(0));
    assert_eq!(names(&home), ["A", "B"]);
}

/// *Scenario:* points on standard input; then points with something between them that is none.
/// *Guarantees:* 0 and 65; what is good is delivered either way, and what is not is named.
#[test]
fn standard_input_to_its_end() {
    let home = Home::new("stdin");
    settings(&home, "{ type: stdin }");
    let (code, output) = run(&home, &(line("A") + &line("B")));
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&home), ["A", "B"]);
    let (code, output) = run(&home, "a,b,c\n1,2,3\n");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("set aside"), "{said}");
}

/// *Scenario:* a folder is read once into a stream that buffers for a quarter of an hour, and backs up
/// all data, which is buffered too.
/// *Guarantees:* nothing waits for more once there is nothing to come: the run ends, all delivered and
/// copied.
#[test]
fn the_end_of_input_is_not_buffered() {
    let home = Home::new("end-of-input");
    std::fs::create_dir_all(home.dir.join("captures")).unwrap();
    std::fs::write(home.dir.join("captures/a"), line("A")).unwrap();
    settings(&home, "{ type: file, path: captures }");
    let file = home.dir.join("hydrant.yaml");
    let buffered =
        "    buffering: { interval: 15m }\n    backup: { mode: all_data, directory: copy }\n";
    let text = std::fs::read_to_string(&file).unwrap() + buffered;
    std::fs::write(&file, text).unwrap();
    let mut process = Process::start(binary(), ["run", "-c", "hydrant.yaml"], home.dir.path());
    assert_eq!(process.wait(PATIENCE).code(), Some(0), "{:?}", process.stderr());
    assert_eq!(names(&home), ["A"]);
    let copies = crate::service::files_below(&home.dir.join("copy"));
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(std::fs::read(&copies[0]).unwrap(), line("A").as_bytes());
}
