//! Tests of composed deliveries.

use std::collections::HashSet;

use aws::firehose::envelope::{EnvelopeReader, Limits};
use codec::gzip::Inflater;

use super::*;

fn sender(gzip: bool) -> Sender {
    Sender {
        source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s1".to_owned(),
        access_key: Some("k1".to_owned()),
        attributes: vec![("env".to_owned(), "prod".to_owned())],
        gzip,
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut all = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    let found = all.next().map(|(_, value)| value.as_str());
    assert!(all.next().is_none(), "{name} twice");
    found
}

/// *Scenario:* the worked example of the reference is composed, plain.
/// *Guarantees:* headers and body are those that AWS sends, to the byte.
#[test]
fn a_delivery_is_what_firehose_sends() {
    let id = "0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10";
    let records = [b"hello".to_vec(), Vec::new()];
    let request = sender(false).compose(id, 1_795_176_000_000, &records);
    let body = String::from_utf8(request.body.clone()).unwrap();
    let wanted = format!(
        r#"{{"requestId":"{id}","timestamp":1795176000000,"records":[{{"data":"aGVsbG8="}},{{"data":""}}]}}"#
    );
    assert_eq!(body, wanted);
    assert_eq!(header(&request, "X-Amz-Firehose-Protocol-Version"), Some("1.0"));
    assert_eq!(header(&request, "X-Amz-Firehose-Request-Id"), Some(id));
    assert_eq!(header(&request, "X-Amz-Firehose-Access-Key"), Some("k1"));
    assert_eq!(
        header(&request, "X-Amz-Firehose-Common-Attributes"),
        Some(r#"{"commonAttributes":{"env":"prod"}}"#)
    );
    assert_eq!(header(&request, "Content-Type"), Some("application/json"));
    assert_eq!(header(&request, "Content-Encoding"), None);
}

/// *Scenario:* the same delivery compressed is inflated and read again.
/// *Guarantees:* `Content-Encoding` says gzip and the records come back.
#[test]
fn a_compressed_delivery_reads_back() {
    let records = [b"one".to_vec(), vec![0, 255, 10]];
    let request = sender(true).compose("id", 5, &records);
    assert_eq!(header(&request, "Content-Encoding"), Some("gzip"));
    let mut plain = Vec::new();
    Inflater::new().gunzip(&request.body, &mut plain, 10_000).unwrap();
    let limits = Limits { records: 10, record_text: 1000 };
    let mut reader = EnvelopeReader::whole(&plain, limits);
    let mut read = Vec::new();
    while let Some(text) = reader.next().unwrap() {
        let mut record = Vec::new();
        codec::base64::decode_into(text, &mut record).unwrap();
        read.push(record);
    }
    assert_eq!(read, records);
}

/// *Scenario:* ten thousand request ids of two seeds.
/// *Guarantees:* they look like GUIDs and never repeat.
#[test]
fn request_ids_are_guids_and_differ() {
    let mut seen = HashSet::new();
    for number in 0..5_000 {
        for seed in [1, 2] {
            let id = request_id(seed, number);
            let lengths: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(seen.insert(id));
        }
    }
}
