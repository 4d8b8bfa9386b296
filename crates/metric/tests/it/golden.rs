//! The three forms of one metric, byte by byte, and real captures.

use metric::Format;

use crate::common::{GOLDEN_JSON, Sample, encode, golden07, golden10, lambda_duration, points};

/// *Scenario:* the worked frames of 0.7 and 1.0 are decoded and encoded.
/// *Guarantees:* both give the same metric, and encoding it gives the same bytes.
#[test]
fn otel_frames_are_byte_exact() {
    for (frame, format) in [(golden07(), Format::Otel07), (golden10(), Format::Otel10)] {
        assert_eq!(points(&frame), [lambda_duration()]);
        assert_eq!(encode(format, &[lambda_duration()]), frame);
    }
    assert_eq!((golden07().len(), golden10().len()), (380, 404));
}

/// *Scenario:* the worked frames as files of the test data.
/// *Guarantees:* they are the bytes that the tests are built on.
#[test]
fn otel_frames_are_those_of_the_test_data() {
    for (name, frame) in [("frame-otel-0.7.bin", golden07()), ("frame-otel-1.0.bin", golden10())] {
        if let Some(file) = testkit::testdata(name) {
            assert!(file == frame, "{name} differs");
        }
    }
}

/// *Scenario:* the same metric as a line of JSON.
/// *Guarantees:* it is the same but for what JSON does not carry, and is written as it was read.
#[test]
fn json_line_is_byte_exact() {
    let sample = Sample { exporter_arn: String::new(), end_ns: None, ..lambda_duration() };
    let sample = std::slice::from_ref(&sample);
    assert_eq!(points(GOLDEN_JSON.as_bytes()), sample);
    assert_eq!(encode(Format::Json, sample), GOLDEN_JSON.as_bytes());
    // The stream's ARN and the period's end are made up as AWS has them.
    assert_eq!(encode(Format::Otel07, sample), golden07());
    assert_eq!(encode(Format::Otel10, sample), golden10());
}

/// *Scenario:* 1,160 real lines of four records go through decoder and encoder.
/// *Guarantees:* each line comes back byte for byte, whole records too.
#[test]
fn captured_json_comes_back_as_it_was() {
    let Some(body) = testkit::testdata("telegraf-firehose-json.json") else { return };
    let body: serde_json::Value = serde_json::from_slice(&body).expect("the capture is JSON");
    let records = body["records"].as_array().expect("records");
    let (mut record, mut lines) = (Vec::new(), 0);
    for data in records {
        let data = data["data"].as_str().expect("data is text");
        codec::base64::decode_into(data.as_bytes(), &mut record).expect("base64");
        let samples = points(&record);
        lines += samples.len();
        let again = encode(Format::Json, &samples);
        assert!(again == record, "a record of {} lines differs", samples.len());
    }
    assert_eq!((records.len(), lines), (4, 1160));
}
