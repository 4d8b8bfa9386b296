//! What AWS's own encoding of a point looks like to the receiver's ledger.

use metric::{Encoder, Format};

use super::*;
use crate::ledger::View;
use crate::otlp::{check, read_protobuf};
use crate::payload::{self, Options};

/// *Scenario:* the records of a payload in format 1.0 are taken apart into their messages, and each
/// is read as an OTLP request.
/// *Guarantees:* every message keeps every rule, and the ledger finds every point, to the bit.
#[test]
fn every_point_of_the_payload_is_found() {
    let options = Options { metrics: 2_000, series: 800, ..Options::default() };
    let mut ledger = Ledger::new(View::Otlp);
    let mut encoder = Encoder::new(Format::Otel10);
    payload::points(&options, |point| {
        ledger.expect(1, point);
        encoder.push(point);
    });
    ledger.acknowledge(1);
    let mut record = Vec::new();
    encoder.finish(&mut record);
    let mut rest = record.as_slice();
    let mut points = 0;
    while !rest.is_empty() {
        let length = prost::encoding::decode_varint(&mut rest).unwrap();
        let (message, after) = rest.split_at(usize::try_from(length).unwrap());
        let request = read_protobuf(message).unwrap();
        points += check(&request).unwrap();
        enter(&request, &mut ledger);
        rest = after;
    }
    let result = ledger.compare();
    assert!(result.is_clean(), "{result:?}");
    assert_eq!((points, result.sent, result.arrived), (2_000, 2_000, 2_000));
}

/// *Scenario:* a set as gauges with the statistic at the end of the name, and as a histogram.
/// *Guarantees:* both give the set; an average is no part of it.
#[test]
fn gauges_and_histograms_are_statistic_sets_too() {
    let point = NumberPoint { as_double: Some(4.0), ..NumberPoint::default() };
    let named = |name: &str| Metric { name: name.to_owned(), ..Metric::default() };
    let max = of_number(&named("amazonaws.com/AWS/EC2/X.max"), &point).unwrap();
    assert_eq!(max, Values { max: Some(4.0), ..Values::default() });
    assert_eq!(of_number(&named("amazonaws.com/AWS/EC2/X.avg"), &point), None);
    let whole = NumberPoint { as_int: Some(3), ..NumberPoint::default() };
    assert_eq!(of_number(&named("a.count"), &whole).unwrap().count, Some(3.0));
    let histogram = HistogramPoint {
        count: 2,
        sum: Some(5.0),
        min: Some(1.0),
        max: Some(4.0),
        ..HistogramPoint::default()
    };
    let wanted = Values { min: Some(1.0), max: Some(4.0), sum: Some(5.0), count: Some(2.0) };
    assert_eq!(of_histogram(&histogram), wanted);
}
