//! Reports without a process: they look at a data folder and leave it as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use metric::Format;
use serde_json::Value;

use crate::load;
use crate::points::{Batch, now_ms};
use crate::receivers::to_blackhole;
use crate::service::Home;

/// Every file and folder below, with its length and the time of its last change.
fn contents(root: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut all = BTreeMap::new();
    for one in std::fs::read_dir(root).unwrap() {
        let path = one.unwrap().path();
        let about = std::fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            all.extend(contents(&path));
        }
        all.insert(path, (about.len(), about.modified().unwrap()));
    }
    all
}

/// *Scenario:* a process takes deliveries that it cannot pass on, and is killed; then every command that
/// only looks is run on its folder.
/// *Guarantees:* status tells what is held, and not a file is made, changed or removed by any of them; the
/// service starts and finds the same.
#[test]
fn reports_change_nothing() {
    let home = Home::new("reports");
    let away = format!("http://127.0.0.1:{}", testkit::closed_port());
    let stream =
        format!("  away:\n    source: aws\n    destination: {{ type: otlp, endpoint: {away} }}\n");
    home.write(&stream);
    let service = home.start();
    for number in 0..3 {
        let records = Batch::new(number, 200).records(Format::Json);
        let request = load::sender().compose(&format!("held-{number}"), now_ms(), &records);
        assert_eq!(load::post(home.source, "/", &request).unwrap().status, 200);
    }
    service.kill();
    let before = contents(&home.data());
    let looks = [
        vec!["status", "--data-dir", "data", "--output", "json"],
        vec!["status", "-c", "hydrant.yaml"],
        vec!["status", "-c", "hydrant.yaml", "--ready"],
        vec!["doctor", "-c", "hydrant.yaml"],
        vec!["trace", "held-1", "--data-dir", "data"],
        vec!["top", "--once", "--data-dir", "data"],
        vec!["tap", "away", "--data-dir", "data"],
        vec!["validate", "-c", "hydrant.yaml"],
        vec!["stream", "drop-backlog", "away", "--data-dir", "data", "--yes"],
    ];
    for look in &looks {
        home.command(look);
        assert_eq!(contents(&home.data()), before, "{look:?}");
    }
    let (code, stdout, stderr) = home.command(&looks[0]);
    let report: Value = serde_json::from_str(&stdout).expect(&stderr);
    assert_eq!((code, &report["forgotten"][0]["entries"]), (0, &3.into()), "{report}");
    let service = home.start();
    assert!(service.metric("hydrant_stream_backlog_bytes{stream=\"away\"}") > 10_000.0);
    service.stop();
}

/// *Scenario:* `stream drop-backlog` and `forget` of names that are not there, beside a process and without
/// one, and without `--yes`.
/// *Guarantees:* what is not there is said, and what is; nobody is asked first.
#[test]
fn what_is_not_there_is_not_asked_about() {
    let home = Home::new("not-there");
    home.write(&to_blackhole("all"));
    let service = home.start();
    let said = |words: [&str; 3], what: &str| {
        let (code, _, stderr) = home.command(&[&words[..], &["--data-dir", "data"]].concat());
        assert!(code == 1 && stderr.contains(what), "{words:?}: {code}: {stderr}");
        assert!(!stderr.contains("confirmed"), "{stderr}");
    };
    said(["stream", "drop-backlog", "al"], "no stream is called al\nhint: there are: all");
    said(["stream", "forget", "al"], "no removed stream is called al\nhint: there is none");
    service.stop();
    said(["stream", "drop-backlog", "all"], "no process is running");
    said(["stream", "forget", "al"], "no removed stream is called al\nhint: there are: all");
}

/// *Scenario:* who reads the log goes away, and then there is much to log.
/// *Guarantees:* the process lives on, takes deliveries and stops as told.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    use std::io::BufRead;

    let home = Home::new("unread-log");
    home.write(&to_blackhole("all"));
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .args(["run", "-c", "hydrant.yaml"])
        .current_dir(home.dir.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = std::io::BufReader::new(process.stderr.take().unwrap());
    log.read_line(&mut String::new()).unwrap();
    drop(log);
    let is_ready = || home.command(&["status", "--ready", "-c", "hydrant.yaml"]).0 == 0;
    let mut tries = 0;
    while !is_ready() {
        tries += 1;
        assert!(tries < 400 && process.try_wait().unwrap().is_none(), "it takes deliveries");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let records = Batch::new(1, 20).records(Format::Json);
    let request = load::sender().compose("unread", now_ms(), &records);
    assert_eq!(load::post(home.source, "/", &request).unwrap().status, 200);
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

/// *Scenario:* a folder that holds nothing, or nothing of ours, and one that is not there.
/// *Guarantees:* status and `stream forget` say that it is none of hydrant's, where, and what to do, exit 1;
/// doctor does not take it for one; nothing is made in it.
#[test]
fn a_folder_of_nobody_is_left_alone() {
    let home = Home::new("nobodys");
    home.write(&to_blackhole("all"));
    let looks = [
        vec!["status", "-c", "hydrant.yaml"],
        vec!["status", "--data-dir", "data", "--output", "json"],
        vec!["stream", "forget", "all", "--data-dir", "data", "--yes"],
    ];
    for is_there in [false, true] {
        if is_there {
            std::fs::create_dir_all(home.data().join("holiday")).unwrap();
        }
        for look in &looks {
            let (code, stdout, stderr) = home.command(look);
            assert_eq!((code, stdout.as_str()), (1, ""), "{look:?}: {stderr}");
            let told = if is_there { "is no hydrant data folder" } else { "data is not there" };
            assert!(stderr.contains(told), "{look:?}: {stderr}");
        }
        let (_, stdout, _) = home.command(&["doctor", "-c", "hydrant.yaml"]);
        assert!(!stdout.contains("layout known"), "{stdout}");
        assert_eq!(home.data().exists(), is_there);
    }
    assert_eq!(contents(&home.data()).len(), 1);
    let (_, _, stderr) = home.command(&looks[0]);
    assert!(stderr.contains("hydrant run") && stderr.contains("--data-dir"), "{stderr}");
}
