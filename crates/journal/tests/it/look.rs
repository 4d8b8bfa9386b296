//! Looking things up without a cursor.

use std::sync::Arc;

use journal::sim::SimDisk;
use journal::{Coverage, Journal, Start};

use crate::common::{append, at, keyed, small, store};

fn heads(journal: &Journal, most: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let visited = journal.heads("t", &mut |sequence, _head| {
        found.push(sequence);
        found.len() < most
    });
    visited.unwrap();
    found
}

/// *Scenario:* entries with keys and a repeat; a cursor that has settled some of them, one that has
/// none; a restart.
/// *Guarantees:* each key leads to its entry, with its repeats until the restart; headers are found in
/// order, settled or not, and the search stops when told; each cursor tells how far it is; what nobody
/// has stored is not found.
#[test]
fn entries_are_found() {
    let disk = Arc::new(SimDisk::new(1));
    let open = || Journal::open_on(disk.clone(), "/j".as_ref(), small()).unwrap().0;
    let journal = open();
    let topic = journal.topic("t").unwrap();
    let mut cursor = topic.cursor("quick", Start::Oldest).unwrap();
    let slow = topic.cursor("slow", Start::Oldest).unwrap();
    for name in 10..14 {
        store(&topic, keyed(name, 1, b"body"));
    }
    append(&topic, keyed(11, 1, b"body")).unwrap();
    cursor.settle(at(0), at(1)).unwrap();
    cursor.settle(at(2), at(3)).unwrap();
    let known = journal.known(11);
    assert_eq!((known.len(), known[0].sequence, known[0].repeats), (1, 1, 1));
    assert_eq!((known[0].topic.as_str(), journal.known(12)[0].repeats), ("t", 0));
    assert!(journal.known(99).is_empty());
    assert_eq!(heads(&journal, usize::MAX), [0, 1, 2, 3]);
    assert_eq!(heads(&journal, 2), [0, 1]);
    let standing = |sequence| {
        let all = journal.standing("t", sequence).into_iter();
        all.map(|one| (one.cursor, one.settled, one.open)).collect::<Vec<_>>()
    };
    let expected = |quick| {
        let of = |name: &str, settled| (name.to_owned(), settled, true);
        vec![of("quick", quick), of("slow", Coverage::None)]
    };
    assert_eq!(standing(0), expected(Coverage::Whole));
    assert_eq!(standing(1), expected(Coverage::None));
    assert_eq!(standing(2), expected(Coverage::Whole));
    assert!(journal.standing("other", 0).is_empty());
    drop((cursor, slow, topic));
    journal.close();
    drop(journal);
    let journal = open();
    assert_eq!(heads(&journal, usize::MAX), [0, 1, 2, 3]);
    assert_eq!((journal.known(11)[0].sequence, journal.known(11)[0].repeats), (1, 0));
    assert!(journal.standing("t", 0).iter().all(|one| !one.open));
    journal.close();
}
