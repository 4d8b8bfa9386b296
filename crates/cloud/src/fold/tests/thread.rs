//! The thread around it, on the real disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use journal::{Journal, Options, Start};
use testkit::TempDir;

use super::super::{Fold, Parts};
use super::house::{self, ACCOUNT, House, MINUTE, NOON, plain, sample};
use crate::registry::Registry;

/// *Scenario:* a fold on the real disk; a sample, and its minute passes by the clock it was given.
/// *Guarantees:* the thread wakes by itself, the window is kept, found by queries and over a
/// restart, and it ends when told.
#[test]
fn on_the_real_disk() {
    let folder = TempDir::new("fold-thread");
    let options = Options { segment_bytes: 1 << 20, ..Options::default() };
    let (journal, _) = Journal::open(&folder.join("journal"), options).unwrap();
    let topic = journal.topic("cloud").unwrap();
    let registry = Registry::open(&folder.join("resources.json")).unwrap();
    let now = Arc::new(AtomicI64::new(NOON));
    let start = || {
        let clock = Arc::clone(&now);
        let parts = Parts {
            journal: journal.clone(),
            topic: topic.clone(),
            registry: registry.clone(),
            delivery_streams: vec!["to-s".to_owned()],
            folder: folder.join("windows"),
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        };
        Fold::start(house::config(), parts).unwrap()
    };
    let fold = start();
    let delivery = journal.topic("cloud.to-s").unwrap();
    delivery.cursor("reader", Start::Oldest).unwrap();
    let (told, woken) = sync_channel(8);
    delivery.on_commit(Box::new(move |_| told.send(()).unwrap()));
    let house = House::new(1);
    house.stream("s", |_| {});
    let stream = house.registry.now();
    let put = registry.change(|all| {
        all.metric_streams.clone_from(&stream.metric_streams);
        Ok::<_, ()>(())
    });
    put.unwrap();
    let all = [sample("Used", "a", NOON, 3.0)];
    House::append(&topic, ACCOUNT, 1, NOON, &all).unwrap();
    now.store(NOON + 2 * MINUTE, Ordering::Relaxed);
    // Its sample may have been read before or after the minute was over: then it is late.
    let clock = Arc::clone(&now);
    let later = move || clock.fetch_add(5_000, Ordering::Relaxed);
    let mut waited = 0;
    while woken.recv_timeout(Duration::from_millis(200)).is_err() {
        later();
        waited += 1;
        assert!(waited < 100, "{:?}", fold.status());
    }
    assert!(fold.lives());
    assert!(fold.join());
    let again = start();
    let found = again.windows().range(ACCOUNT, "Own", "Used", &[("Host", "a")], 0, i64::MAX);
    assert_eq!(found.unwrap().len(), plain(&all).len());
    assert_eq!(again.status().windows, 1);
    assert!(again.join());
}
