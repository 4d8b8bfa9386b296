//! What does not start: a data folder that is not ours to use, and settings with mistakes. Each says
//! what to do, and nothing is touched.

use std::ffi::OsStr;
use std::time::Duration;

use testkit::Process;

use crate::receivers::to_blackhole;
use crate::service::{Home, PATIENCE, binary, free_port, local};

/// Runs `hydrant run` to its end: exit code and what it said.
fn run(home: &Home) -> (Option<i32>, String) {
    let mut process = Process::start(binary(), ["run", "-c", "hydrant.yaml"], home.dir.path());
    let status = process.wait(PATIENCE);
    (status.code(), process.stderr().join("\n"))
}

/// *Scenario:* a data folder whose layout has the version 99.
/// *Guarantees:* exit 1, a message with both versions and what to do, and the folder as it was.
#[test]
fn a_data_folder_of_a_newer_version_is_left_alone() {
    let home = Home::new("newer");
    home.write(&to_blackhole("all"));
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(home.data().join("version"), "99\n").unwrap();
    let (code, said) = run(&home);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("newer release (layout 99, this release knows 1)"), "{said}");
    assert!(said.contains("run that release, or set another data_dir"), "{said}");
    let names = std::fs::read_dir(home.data()).unwrap().map(|e| e.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["lock", "version"]);
    assert_eq!(std::fs::read_to_string(home.data().join("version")).unwrap(), "99\n");
}

/// *Scenario:* a second process on the data folder of a running one, with other ports.
/// *Guarantees:* the second ends with exit 1 and says why; the first is not disturbed; after its end,
/// by SIGKILL even, the folder can be used at once.
#[test]
fn a_data_folder_in_use_is_refused() {
    let home = Home::new("in-use");
    home.write(&to_blackhole("all"));
    let service = home.start();
    let mut second = Home::new("in-use-second");
    second.admin = local(free_port());
    second.write(&to_blackhole("all"));
    let path = second.dir.join("hydrant.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let shared = format!("data_dir: {}\n", home.data().display());
    std::fs::write(&path, text.replace("data_dir: data\n", &shared)).unwrap();
    let (code, said) = run(&second);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use by another hydrant process"), "{said}");
    assert!(said.contains("stop it, or set another data_dir"), "{said}");
    assert_eq!(service.get("/readyz").status, 200);
    service.kill();
    let mut process = Process::start(binary(), ["run", "-c", "hydrant.yaml"], second.dir.path());
    process.wait_for_line("hydrant runs", Duration::from_secs(30));
}

/// *Scenario:* settings with three mistakes: a key that is not there, a duration without a unit, a
/// stream that reads no source.
/// *Guarantees:* exit 78, all three at once, each with its line, and no data folder.
#[test]
fn settings_with_three_mistakes_tell_all_three() {
    let home = Home::new("mistakes");
    let stream = to_blackhole("all")
        + "    retry_duration: 5\n  other:\n    source: awz\n    destination: { type: blackhole }\n";
    home.write_with("acces_keys: [k]", &stream);
    let (code, said) = run(&home);
    assert_eq!(code, Some(78), "{said}");
    for (line, wrong) in [(8, "acces_keys"), (13, "retry_duration"), (15, "awz")] {
        assert!(said.contains(wrong), "{wrong} in: {said}");
        assert!(said.contains(&format!("hydrant.yaml:{line}")), "line {line} in: {said}");
    }
    assert!(said.contains("3 errors"), "{said}");
    assert!(!home.data().exists());
}

/// *Scenario:* a data folder that cannot be made, a journal that cannot, and a port that somebody has.
/// *Guarantees:* exit 74, 74 and 1; which place it is, and what to do.
#[test]
fn what_stands_in_the_way_is_told_with_a_remedy() {
    let home = Home::new("in-the-way");
    home.dir.write("data", "a file");
    home.write(&to_blackhole("all"));
    let (code, said) = run(&home);
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("data") && said.contains("hint: data_dir must be a folder"), "{said}");

    let home = Home::new("journal-in-the-way");
    home.write(&to_blackhole("all"));
    std::fs::create_dir(home.data()).unwrap();
    home.dir.write("data/journal", "a file");
    let (code, said) = run(&home);
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("data/journal"), "{said}");

    let home = Home::new("port-taken");
    home.write(&to_blackhole("all"));
    let _taken = std::net::TcpListener::bind(home.source).unwrap();
    let (code, said) = run(&home);
    assert_eq!(code, Some(1), "{said}");
    let words = format!("source aws: cannot listen on {}: Address already in use", home.source);
    assert!(said.contains(&words) && said.contains("another process using this port?"), "{said}");
}

/// *Scenario:* it is started with few open files allowed, and may ask for more, or may not.
/// *Guarantees:* it asks for all it may have; what is still too few is told with a remedy.
#[test]
fn the_limit_of_open_files_is_raised() {
    let home = Home::new("open-files");
    home.write(&to_blackhole("all"));
    for (limits, low) in [("ulimit -Sn 256", false), ("ulimit -n 256", true)] {
        let script = format!("{limits}; exec \"$0\" run -c hydrant.yaml");
        let binary = binary();
        let arguments = [OsStr::new("-c"), OsStr::new(&script), binary.as_os_str()];
        let mut process = Process::start("/bin/sh", arguments, home.dir.path());
        process.wait_for_line("hydrant runs", Duration::from_secs(30));
        let allowed = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
        let soft = allowed.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        let soft: u64 = soft.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(soft > 256, !low, "{limits}: {soft}");
        let said = process.stderr().join("\n");
        assert_eq!(said.contains("the limit of open files is low"), low, "{limits}: {said}");
        assert_eq!(said.contains("raise it (LimitNOFILE of systemd, ulimit -n)"), low, "{said}");
    }
}
