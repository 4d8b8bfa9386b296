use codec::gzip::Deflater;

use super::{Kind, sniff};

const LOGS: &str = r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/aws/lambda/f","logStream":"s","subscriptionFilters":["x"],"logEvents":[{"id":"1","timestamp":1,"message":"m"}]}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(6).gzip(plain, &mut out);
    out
}

/// *Scenario:* the start of every kind of record, with white space before some.
/// *Guarantees:* each is told by a look at its first bytes.
#[test]
fn kinds_are_told_apart() {
    let message = [0x04, 0x0a, 0x02, 0x0a, 0x00];
    let mut long_logs = LOGS.to_owned();
    long_logs.push_str(&"x".repeat(100_000));
    for (record, kind) in [
        (&b""[..], Kind::Empty),
        (b"\n", Kind::Empty),
        (b"{\"metric_stream_name\":\"s\"}\n", Kind::Json),
        (b"\n  {\"a\":1}", Kind::Json),
        (b"{\n \"a\": 1}", Kind::Json),
        (&message, Kind::Otel),
        (b"\n\x04\x0a\x02\x0a\x00", Kind::Otel),
        (b"\xfa\x02\x0a\xf7\x02\x0a", Kind::Otel),
        (LOGS.as_bytes(), Kind::CloudWatchLogs),
        (long_logs.as_bytes(), Kind::CloudWatchLogs),
        (&gzip(LOGS.as_bytes()), Kind::CloudWatchLogs),
        (&gzip(long_logs.as_bytes()), Kind::CloudWatchLogs),
        (&gzip(b"{\"metric_stream_name\":\"s\"}\n"), Kind::Gzip),
        (&gzip(&message), Kind::Gzip),
        (b"\x1f\x8b\x08cut", Kind::Gzip),
        (b"plain text", Kind::Unknown),
        (b"\xff\xff\xff\xff\xff\xff\xff", Kind::Unknown),
    ] {
        assert_eq!(sniff(record), kind, "{:?}", record.get(..40).unwrap_or(record));
    }
}

/// *Scenario:* a message of 123 bytes, which begins as pretty-printed JSON does.
/// *Guarantees:* it is taken for what it is.
#[test]
fn a_message_of_123_bytes_is_no_json() {
    let mut record = vec![123, 0x0a, 121, 0x0a, 119];
    record.resize(124, b' ');
    assert_eq!(sniff(&record), Kind::Otel);
}
