//! Deliveries to the byte.

use super::{Delivery, body};
use crate::firehose::headers;

/// *Scenario:* a worked example: two records, one of them empty.
/// *Guarantees:* its 122 bytes and its headers.
#[test]
fn canonical_delivery() {
    let id = "0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10";
    let mut out = Vec::new();
    body(id, 1_795_176_000_000, &[&b"hello"[..], b""], &mut out);
    let expected = format!(
        r#"{{"requestId":"{id}","timestamp":1795176000000,"records":[{{"data":"aGVsbG8="}},{{"data":""}}]}}"#
    );
    assert_eq!(String::from_utf8(out), Ok(expected));
    let attributes = [("env".to_owned(), "prod".to_owned())];
    let delivery = Delivery {
        request_id: id,
        source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s1",
        access_key: Some("k1"),
        attributes: &attributes,
        content_encoding: Some(headers::GZIP),
    };
    let mut list = delivery.headers();
    list.sort();
    let list: Vec<(&str, &str)> = list.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(
        list,
        [
            ("content-encoding", "gzip"),
            ("content-type", "application/json"),
            ("x-amz-firehose-access-key", "k1"),
            ("x-amz-firehose-common-attributes", r#"{"commonAttributes":{"env":"prod"}}"#),
            ("x-amz-firehose-protocol-version", "1.0"),
            ("x-amz-firehose-request-id", id),
            (
                "x-amz-firehose-source-arn",
                "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s1"
            ),
        ]
    );
}

/// *Scenario:* a delivery without key, attributes or compression.
/// *Guarantees:* their headers are absent, as Firehose leaves them away.
#[test]
fn absent_headers_are_absent() {
    let names: Vec<&str> = Delivery::default().headers().iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), 4);
    for absent in [headers::ACCESS_KEY, headers::COMMON_ATTRIBUTES, headers::CONTENT_ENCODING] {
        assert!(!names.contains(&absent));
    }
}
