//! Where metric streams send to, and what happens when there is nothing.

use journal::{Appended, Body, Item, Position, Refused, Start};

use super::house::{ACCOUNT, House, MINUTE, NOON, plain, sample};
use super::rules::{OVER, points};

/// *Scenario:* a metric stream that points to a delivery stream made through the API.
/// *Guarantees:* its records are in the topic of that account, and in no other.
#[test]
fn to_a_stream_of_the_api() {
    let mut house = House::new(7);
    house.delivery_stream("s");
    house.metric_stream("s", |_| {});
    let all = [sample("Used", "a", NOON, 3.0)];
    house.put(1, &all).unwrap();
    house.at(NOON + OVER);
    assert_eq!(house.told("s"), plain(&all));
    let mut topics = house.topics();
    topics.sort();
    assert_eq!(topics, ["cloud".to_owned(), format!("cloud.{ACCOUNT}~to-s")]);
}

/// *Scenario:* a metric stream whose delivery stream has no name, and one that is right.
/// *Guarantees:* it is said, in `PublishErrorRate` too, and holds nobody up.
#[test]
fn a_stream_to_nowhere() {
    let mut house = House::new(12);
    house.stream("nowhere", |s| s.firehose_arn = "arn:aws:firehose".to_owned());
    house.stream("all", |s| s.exclude.clear());
    house.put(1, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + OVER);
    house.at(NOON + MINUTE + OVER);
    let told = points(&house, "all");
    let rate = told.iter().find(|told| told.key.0 == "PublishErrorRate" && told.key.1 == "nowhere");
    assert_eq!(rate.map(|told| told.set), Some([1.0, 1.0, 1.0, 1.0]));
    assert_eq!(rate.map(|told| told.key.2), Some(NOON + MINUTE));
    assert!(house.status().nowhere[0].contains("there is no delivery stream arn:aws:firehose,"));
    assert_eq!((house.status().waiting_windows, house.status().failures), (0, 1));
}

/// *Scenario:* the delivery stream of a metric stream is deleted, and made again three minutes later;
/// one of the settings goes with a reload, and comes back.
/// *Guarantees:* meanwhile it is said and counted as not sent and as a publish error, for windows that
/// had something for it; no topic is made; from then on it sends again.
#[test]
fn a_delivery_stream_goes_and_comes_back() {
    for made in [true, false] {
        let mut house = House::new(16);
        let goes = |house: &House| match made {
            true => house.no_delivery_stream("s"),
            false => house.of_settings.set(vec!["to-all".to_owned()]),
        };
        let comes = |house: &House| match made {
            true => house.delivery_stream("s"),
            false => house.of_settings.set(vec!["to-s".to_owned(), "to-all".to_owned()]),
        };
        comes(&house);
        house.metric_stream("s", |_| {});
        house.stream("all", |s| s.exclude.clear());
        let put = |house: &House, minute: i64| {
            let at = NOON + minute * MINUTE;
            house.put(minute.unsigned_abs(), &[sample("Used", "a", at, 1.0)]).unwrap();
        };
        let arn = format!("arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:metric-stream/s");
        let counts = |house: &House| {
            let of = |all: Vec<(String, u64)>| all.iter().find(|(a, _)| *a == arn).map(|one| one.1);
            (of(house.status().updates), of(house.status().unsent))
        };
        put(&house, 0);
        house.at(NOON + OVER);
        assert_eq!((counts(&house), house.status().nowhere.len()), ((Some(1), None), 0));
        goes(&house);
        let topics = house.topics();
        house.at(NOON + OVER + 1);
        assert_eq!(house.status().nowhere.len(), 1, "it is said at once");
        assert!(house.status().nowhere[0].contains("metric stream s: there is no delivery stream"));
        // The third minute has nothing for it, but for the streams' own metrics.
        put(&house, 1);
        put(&house, 2);
        for minute in 1..4 {
            house.at(NOON + minute * MINUTE + OVER);
        }
        assert_eq!((counts(&house), house.status().failures), ((Some(1), Some(2)), 2));
        assert_eq!((house.topics(), house.status().waiting_windows), (topics, 0));
        let told = points(&house, "all");
        let rates = told.iter().filter(|t| t.key.0 == "PublishErrorRate" && t.key.1 == "s");
        let rates: Vec<f64> = rates.map(|told| told.set[1]).collect();
        assert_eq!(rates, [0.0, 1.0, 1.0]);
        comes(&house);
        put(&house, 4);
        house.at(NOON + 4 * MINUTE + OVER);
        assert_eq!((counts(&house), house.status().nowhere.len()), ((Some(2), Some(2)), 0));
    }
}

/// *Scenario:* a delivery stream whose topic is full, beside one that is not; a stop meanwhile.
/// *Guarantees:* the other has its window at once; this one gets it when there is room, and nothing
/// when it was stopped before.
#[test]
fn a_full_delivery_stream() {
    for stopped in [false, true] {
        let mut house = House::new(11);
        house.stream("full", |_| {});
        house.stream("s", |_| {});
        let topic = house.journal.topic("cloud.to-full").unwrap();
        let mut holder = topic.cursor("holder", Start::Oldest).unwrap();
        let mut length = 100_000;
        while length > 0 {
            let (told, answer) = std::sync::mpsc::sync_channel(1);
            let body = Body::Bytes(vec![0; length].into());
            let done = move |outcome: Result<Appended, Refused>| told.send(outcome).unwrap();
            topic.append(Item { key: None, head: Vec::new(), body }, Box::new(done));
            if answer.recv().unwrap().is_err() {
                length /= 2;
            }
        }
        house.put(1, &[sample("Used", "a", NOON, 1.0)]).unwrap();
        house.at(NOON + OVER);
        assert_eq!((house.told("s").len(), house.status().waiting_windows), (1, 1));
        assert!(house.status().last_failure.unwrap().contains("full"));
        if stopped {
            house.stream("full", |s| s.running = false);
            house.at(NOON + OVER + 10);
            house.stream("full", |_| {});
        }
        let end = Position { sequence: holder.end(), ordinal: 0 };
        let mut reader = topic.cursor("reader", Start::Oldest).unwrap();
        for cursor in [&mut holder, &mut reader] {
            cursor.settle(cursor.low(), end).unwrap();
            cursor.sync().unwrap();
        }
        house.at(NOON + OVER + 2_000);
        assert_eq!(house.status().waiting_windows, 0);
        assert_eq!(topic.end() - end.sequence, u64::from(!stopped));
    }
}
