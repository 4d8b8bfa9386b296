//! The deliveries that Firehose sends when all is well.

use aws::firehose::headers;
use http::Method;
use metric::{Encoder, Format};

use super::draft::{Coding, Delivery, Draft, SOURCE_ARN, Slow};

/// Records of a delivery at most.
pub(super) const RECORDS_MAX: usize = 10_000;
/// Bytes of a record at most: 1,000 KiB.
pub(super) const RECORD_BYTES_MAX: usize = 1_024_000;
/// The largest buffer of a Firehose with an HTTP endpoint: 64 MiB of records.
pub(super) const DELIVERY_BYTES_MAX: usize = 64 << 20;
/// Common attributes at most, and the characters of their names and values.
const ATTRIBUTES_MAX: usize = 50;
const ATTRIBUTE_NAME_MAX: usize = 256;
const ATTRIBUTE_VALUE_MAX: usize = 1024;
/// Dimensions of a metric at most, and characters of a value that is near AWS's limit: large records
/// of few points, so that a backend gets few series.
const DIMENSIONS_MAX: usize = 30;
const DIMENSION_VALUE: usize = 1000;
/// A slow sender takes eight seconds: longer than a server that reads impatiently, for five, waits.
const SLOW: Slow = Slow { pieces: 17, pause_ms: 500 };

pub(super) fn json(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[draft.record(Format::Json, 3, 1)])]
}

pub(super) fn otel07(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[draft.record(Format::Otel07, 3, 1)])]
}

pub(super) fn otel10(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[draft.record(Format::Otel10, 3, 1)])]
}

pub(super) fn json_gzip(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Gzip, &[draft.record(Format::Json, 3, 1)])]
}

pub(super) fn otel07_gzip(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Gzip, &[draft.record(Format::Otel07, 3, 1)])]
}

pub(super) fn otel10_gzip(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Gzip, &[draft.record(Format::Otel10, 3, 1)])]
}

/// Each record as a metric stream makes it: messages back to back, each with its length before it.
pub(super) fn messages(draft: &Draft<'_>) -> Vec<Delivery> {
    let formats = [(0, Format::Otel07), (1, Format::Otel10)];
    formats
        .map(|(number, format)| draft.delivery(number, Coding::Gzip, &[draft.record(format, 2, 5)]))
        .into()
}

pub(super) fn records(draft: &Draft<'_>) -> Vec<Delivery> {
    let record = draft.record(Format::Otel10, 2, 2);
    vec![draft.delivery(0, Coding::Gzip, &vec![record; 20])]
}

pub(super) fn empty_record(draft: &Draft<'_>) -> Vec<Delivery> {
    let full = draft.record(Format::Json, 1, 1);
    vec![draft.delivery(0, Coding::Plain, &[full.clone(), Vec::new(), full])]
}

pub(super) fn only_empty(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[Vec::new()])]
}

/// All of one series and minute, so that few backends keep more than one of them.
pub(super) fn ten_thousand(draft: &Draft<'_>) -> Vec<Delivery> {
    let record = draft.record(Format::Json, 1, 1);
    vec![draft.delivery(0, Coding::Gzip, &vec![record; RECORDS_MAX])]
}

pub(super) fn largest_record(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[large_record(draft)])]
}

/// As many of the largest records as fit, and a last one that fills the buffer as well as it can.
pub(super) fn largest_delivery(draft: &Draft<'_>) -> Vec<Delivery> {
    let record = large_record(draft);
    let count = DELIVERY_BYTES_MAX / record.len().max(1);
    let records = vec![record.as_slice(); count];
    vec![draft.delivery(0, Coding::Plain, &records)]
}

/// Lines of JSON, as long as lines get, up to the limit of a record.
fn large_record(draft: &Draft<'_>) -> Vec<u8> {
    let names: Vec<String> = (1..DIMENSIONS_MAX).map(|n| format!("Filler{n:02}")).collect();
    let value = "hydrant-conform-".repeat(DIMENSION_VALUE / 16);
    let (mut encoder, mut record, mut line) = (Encoder::new(Format::Json), Vec::new(), Vec::new());
    for number in 0_u32.. {
        let number = number.to_string();
        let mut dimensions = vec![("Number", number.as_str())];
        dimensions.extend(names.iter().map(|name| (name.as_str(), value.as_str())));
        draft.point(&mut encoder, &dimensions);
        line.clear();
        encoder.finish(&mut line);
        if record.len() + line.len() > RECORD_BYTES_MAX {
            break;
        }
        record.extend_from_slice(&line);
    }
    record
}

/// Those that the receiver needs, and as many more as Firehose allows, each as long as it may be.
pub(super) fn largest_headers(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut attributes = draft.setup.attributes.clone();
    for n in attributes.len()..ATTRIBUTES_MAX {
        let name = format!("{:x<ATTRIBUTE_NAME_MAX$}", format!("hydrant-conform-{n:02}-"));
        attributes.push((name, "v".repeat(ATTRIBUTE_VALUE_MAX)));
    }
    vec![draft.attributed(attributes, &[draft.record(Format::Json, 1, 1)])]
}

pub(super) fn odd_attributes(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut attributes = draft.setup.attributes.clone();
    let odd = [("empty", ""), ("quoted \"name\"", "back\\slash, {\"a\":1}"), ("a=b;c", " , ")];
    attributes.extend(odd.map(|(name, value)| (name.to_owned(), value.to_owned())));
    vec![draft.attributed(attributes, &[draft.record(Format::Json, 1, 1)])]
}

/// Of another partition, and with the short account number of AWS's own example.
pub(super) fn other_source(draft: &Draft<'_>) -> Vec<Delivery> {
    let arns = [
        "arn:aws-cn:firehose:cn-north-1:111122223333:deliverystream/hydrant-conform",
        "arn:aws:firehose:us-east-1:123456789:deliverystream/hydrant-conform",
    ];
    let record = draft.record(Format::Json, 1, 1);
    let number = |arn: &str| u64::from(arn.len() < SOURCE_ARN.len());
    arns.map(|arn| {
        draft
            .delivery(number(arn), Coding::Plain, std::slice::from_ref(&record))
            .with(headers::SOURCE_ARN, arn)
    })
    .into()
}

pub(super) fn twice(draft: &Draft<'_>) -> Vec<Delivery> {
    let delivery = draft.delivery(0, Coding::Gzip, &[draft.record(Format::Json, 3, 1)]);
    vec![delivery.clone(), delivery]
}

pub(super) fn slow(draft: &Draft<'_>) -> Vec<Delivery> {
    let delivery = draft.delivery(0, Coding::Plain, &[draft.record(Format::Json, 3, 1)]);
    vec![Delivery { slow: Some(SLOW), ..delivery }]
}

/// Standard base64 of bytes that are no metrics, between two records that are.
pub(super) fn no_metrics(draft: &Draft<'_>) -> Vec<Delivery> {
    let full = draft.record(Format::Json, 1, 1);
    vec![draft.delivery(0, Coding::Plain, &[full.clone(), b"no metrics at all".to_vec(), full])]
}

/// A load balancer's health check.
pub(super) fn get(_: &Draft<'_>) -> Vec<Delivery> {
    vec![Delivery {
        method: Method::GET,
        headers: Vec::new(),
        body: Vec::new(),
        request_id: String::new(),
        slow: None,
    }]
}
