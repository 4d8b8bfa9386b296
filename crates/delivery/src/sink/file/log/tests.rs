use std::fs;

use testkit::TempDir;

use super::*;

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// *Scenario:* appends past the size at which a file is closed, all closed files kept.
/// *Guarantees:* whole lines in the order they came, over files in the order they were closed.
#[test]
fn files_are_closed_by_size_and_numbered() {
    let dir = TempDir::new("file-rotate");
    let mut log = Log::new(dir.join("m.ndjson"), 10, 0);
    for line in ["aaaa\n", "bbbb\n", "cccc\n", "a line longer than a file\n", "dddd\n"] {
        log.append(line.as_bytes()).unwrap();
    }
    assert_eq!(names(&dir), ["m.ndjson", "m.ndjson.1", "m.ndjson.2", "m.ndjson.3"]);
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(read("m.ndjson.1"), "aaaa\nbbbb\n");
    assert_eq!(read("m.ndjson.2"), "cccc\n");
    assert_eq!(read("m.ndjson.3"), "a line longer than a file\n");
    assert_eq!(read("m.ndjson"), "dddd\n");
}

/// *Scenario:* two closed files kept, other files beside them, a restart in between.
/// *Guarantees:* the oldest go, numbers rise on, nothing of others is touched.
#[test]
fn only_the_newest_closed_files_are_kept() {
    let dir = TempDir::new("file-keep");
    dir.write("m.ndjson.bak", "x");
    for round in 0..6 {
        let mut log = Log::new(dir.join("m.ndjson"), 1, 2);
        log.append(format!("{round}\n").as_bytes()).unwrap();
    }
    assert_eq!(names(&dir), ["m.ndjson", "m.ndjson.4", "m.ndjson.5", "m.ndjson.bak"]);
    assert_eq!(fs::read_to_string(dir.join("m.ndjson.5")).unwrap(), "4\n");
}

/// *Scenario:* the file, then its whole folder, is moved away by another tool.
/// *Guarantees:* a new one is begun; what was moved keeps what it had.
#[test]
fn a_file_moved_away_is_begun_anew() {
    let dir = TempDir::new("file-moved");
    let mut log = Log::new(dir.join("sub/m.ndjson"), 1_000, 0);
    log.append(b"1\n").unwrap();
    fs::rename(dir.join("sub/m.ndjson"), dir.join("moved")).unwrap();
    log.append(b"2\n").unwrap();
    fs::rename(dir.join("sub"), dir.join("moved-folder")).unwrap();
    log.append(b"3\n").unwrap();
    assert_eq!(fs::read_to_string(dir.join("moved")).unwrap(), "1\n");
    assert_eq!(fs::read_to_string(dir.join("moved-folder/m.ndjson")).unwrap(), "2\n");
    assert_eq!(fs::read_to_string(dir.join("sub/m.ndjson")).unwrap(), "3\n");
}

/// *Scenario:* a folder where the file should be, and a device that is always full.
/// *Guarantees:* an error, not a loss; the full device says that storage is full.
#[test]
fn what_cannot_be_written_is_an_error() {
    let dir = TempDir::new("file-error");
    fs::create_dir(dir.join("m.ndjson")).unwrap();
    assert!(Log::new(dir.join("m.ndjson"), 1_000, 0).append(b"1\n").is_err());
    if Path::new("/dev/full").exists() {
        let error = Log::new("/dev/full".into(), 1_000, 0).append(b"1\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    assert!(check_folder(&dir.join("not/yet/there")).is_ok());
    dir.write("plain", "x");
    assert!(check_folder(&dir.join("plain/below")).is_err());
}
