//! Over a restart, refused changes, a disk that fails.

use testkit::TempDir;

use super::*;

fn stream(name: &str) -> MetricStream {
    MetricStream { name: name.to_owned(), running: true, ..MetricStream::default() }
}

/// *Scenario:* a change, a refused change, and the file opened again.
/// *Guarantees:* the first is there, the second is not, and both were told.
#[test]
fn over_a_restart() {
    let folder = TempDir::new("registry");
    let path = folder.join("cloud/resources.json");
    let registry = Registry::open(&path).unwrap();
    let changes = registry.changes();
    let added = registry.change(|all| {
        all.metric_streams.insert(key("1", "a"), stream("a"));
        Ok::<_, ()>(7)
    });
    assert_eq!(added, Ok(7));
    let refused: Result<(), _> = registry.change(|all| {
        all.metric_streams.clear();
        Err("no")
    });
    assert_eq!(refused, Err(Ok("no")));
    assert_eq!(*changes.borrow(), 1);
    let again = Registry::open(&path).unwrap();
    assert_eq!(again.now(), registry.now());
    assert_eq!(again.now().metric_streams["1/a"], stream("a"));
}

/// *Scenario:* a disk that takes no file, a file of a newer release, a file that is none.
/// *Guarantees:* nothing is changed and the failure is told; the files are refused with the reason.
#[test]
fn what_cannot_be_kept_or_read() {
    let folder = TempDir::new("registry-bad");
    let path = folder.join("resources.json");
    let registry = Registry::open(&path).unwrap();
    std::fs::create_dir(folder.join("resources.part")).unwrap();
    let failed: Result<(), Result<(), String>> = registry.change(|all| {
        all.metric_streams.insert(key("1", "a"), stream("a"));
        Ok(())
    });
    assert!(matches!(failed, Err(Err(text)) if text.contains("resources.json")));
    assert!(registry.now().metric_streams.is_empty());
    for (text, said) in [
        ("{\"version\":2,\"resources\":[]}", "newer release"),
        ("{", "EOF"),
        ("{\"version\":1,\"resources\":3}", "invalid type"),
    ] {
        folder.write("other.json", text);
        let refused = Registry::open(&folder.join("other.json")).unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
}
