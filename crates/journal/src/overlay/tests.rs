//! Tests of the disk for who only looks.

use std::io::IoSlice;

use super::*;

fn read(file: &Arc<dyn File>) -> Vec<u8> {
    let mut into = Vec::new();
    file.read_at(&mut into, 99, 0).unwrap();
    into
}

fn names(disk: &Overlay, path: &Path) -> Vec<(String, u64)> {
    let mut all: Vec<_> =
        disk.list(path).unwrap().into_iter().map(|one| (one.name, one.length)).collect();
    all.sort();
    all
}

/// *Scenario:* a folder of two files, in which everything is done that a disk can do.
/// *Guarantees:* each call is answered as if it had been done, and the folder is as it was.
#[test]
fn what_is_done_does_not_happen() {
    let root = std::env::temp_dir().join(format!("overlay-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    for name in ["one", "two"] {
        std::fs::write(root.join(name), name).unwrap();
    }
    let disk = Overlay::default();
    let kind = |result: io::Result<Arc<dyn File>>| result.err().map(|error| error.kind());
    assert_eq!(kind(disk.open(&root.join("three"))), Some(ErrorKind::NotFound));
    assert_eq!(kind(disk.create(&root.join("one"))), Some(ErrorKind::AlreadyExists));
    assert_eq!(disk.list(&root.join("new")).unwrap_err().kind(), ErrorKind::NotFound);
    disk.create_dir(&root.join("new")).unwrap();
    assert_eq!(names(&disk, &root.join("new")), []);

    disk.open(&root.join("one")).unwrap().write_at(&[IoSlice::new(b"OTHER")], 1).unwrap();
    let one = disk.open(&root.join("one")).unwrap();
    assert_eq!(read(&one), b"oOTHER");
    one.sync().unwrap();
    disk.rename(&root.join("one"), &root.join("new/one")).unwrap();
    assert_eq!(kind(disk.open(&root.join("one"))), Some(ErrorKind::NotFound));
    disk.remove(&root.join("two")).unwrap();
    disk.create(&root.join("two")).unwrap().write_at(&[IoSlice::new(b"2")], 0).unwrap();
    assert_eq!(read(&disk.open(&root.join("new/one")).unwrap()), b"oOTHER");
    assert_eq!(names(&disk, &root), [("new".to_owned(), 0), ("two".to_owned(), 1)]);

    let mut there: Vec<_> = std::fs::read_dir(&root).unwrap().map(|f| f.unwrap().path()).collect();
    there.sort();
    assert_eq!(there, [root.join("one"), root.join("two")]);
    assert_eq!(std::fs::read(root.join("one")).unwrap(), b"one");
    assert_eq!(std::fs::read(root.join("two")).unwrap(), b"two");
    std::fs::remove_dir_all(&root).unwrap();
}
