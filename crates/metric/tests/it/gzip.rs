//! Records that are gzip.

use codec::gzip::Deflater;
use metric::{Format, Reason};

use crate::common::{
    GOLDEN_JSON, Item, Sample, encode, golden07, golden10, items, lambda_duration, points, split,
};

const LOGS: &str = concat!(
    r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"g","logStream":"s","#,
    r#""subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":"m"}]}"#
);

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(6).gzip(plain, &mut out);
    out
}

/// *Scenario:* each format as gzip, in one member or two, with a line feed behind.
/// *Guarantees:* it is read as if it were plain.
#[test]
fn every_format_may_be_gzip() {
    for plain in [golden07(), golden10(), GOLDEN_JSON.as_bytes().to_vec()] {
        let one = gzip(&plain);
        let expect = points(&plain);
        assert_eq!(points(&one), expect);
        assert_eq!(points(&[&one[..], b"\n"].concat()), expect);
        assert_eq!(points(&[&one[..], &one].concat()).len(), 2);
    }
}

/// *Scenario:* a record inside gzip with a bad line.
/// *Guarantees:* offsets count inflated bytes, and the rest is used.
#[test]
fn offsets_count_inflated_bytes() {
    let plain = format!("{GOLDEN_JSON}{{\"bad\"\n{GOLDEN_JSON}");
    let (samples, rejects) = split(&gzip(plain.as_bytes()));
    assert_eq!(samples.len(), 2);
    assert_eq!(rejects, [(GOLDEN_JSON.len(), 6, Reason::MalformedJson)]);
}

/// *Scenario:* gzip that is cut, has a wrong checksum, or inflates beyond the limit.
/// *Guarantees:* one reject with the record as it came and the reason.
#[test]
fn bad_gzip_is_rejected_whole() {
    let good = gzip(GOLDEN_JSON.as_bytes());
    let mut flipped = good.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let bomb = gzip(&vec![0; (32 << 20) + 1]);
    for record in [&good[..good.len() - 4], &flipped, &bomb, b"\x1f\x8b\x08", b"\x1f\x8b\x08\n"] {
        let found = items(record);
        let [Item::Reject { offset: 0, bytes, reason, detail }] = &found[..] else {
            panic!("{} items", found.len());
        };
        assert_eq!((bytes.as_slice(), *reason), (record, Reason::MalformedGzip), "{detail}");
    }
    let [Item::Reject { detail, .. }] = &items(&bomb)[..] else { panic!("one reject") };
    assert_eq!(detail, "inflates to more than 33554432 bytes");
}

/// *Scenario:* CloudWatch Logs data, gzip as subscriptions send it, and plain.
/// *Guarantees:* it is told apart, and what is kept is the record as it came.
#[test]
fn log_data_is_told_apart() {
    let packed = gzip(LOGS.as_bytes());
    for record in [&packed[..], LOGS.as_bytes()] {
        assert_eq!(split(record), (vec![], vec![(0, record.len(), Reason::CloudWatchLogs)]));
    }
    let mixed = format!("{LOGS}\n{GOLDEN_JSON}{LOGS}{LOGS}");
    let (samples, rejects) = split(mixed.as_bytes());
    assert_eq!(samples.len(), 1);
    assert_eq!(rejects.len(), 3);
    assert!(
        rejects.iter().all(|reject| reject.1 == LOGS.len() && reject.2 == Reason::CloudWatchLogs)
    );
}

/// *Scenario:* gzip inside gzip.
/// *Guarantees:* it is not followed: one reject.
#[test]
fn gzip_is_followed_once() {
    let twice = gzip(&gzip(GOLDEN_JSON.as_bytes()));
    assert_eq!(split(&twice), (vec![], vec![(0, twice.len(), Reason::UnknownFormat)]));
}

/// *Scenario:* a decoder reads a large gzip record, then a small plain one and a gzip one.
/// *Guarantees:* nothing of an earlier record is seen in a later one.
#[test]
fn a_decoder_is_clean_after_each_record() {
    let many = vec![lambda_duration(); 500];
    let mut decoder = metric::Decoder::new();
    for record in [gzip(&encode(Format::Otel10, &many)), golden07(), gzip(&golden10())] {
        let mut collect = crate::common::Collect::default();
        decoder.decode(&record, &mut collect);
        let expect: Vec<Item> = points(&record)
            .into_iter()
            .map(|sample: Sample| Item::Point(Box::new(sample)))
            .collect();
        assert_eq!(collect.items, expect);
    }
}
