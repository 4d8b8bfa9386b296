//! Points as deliveries of Firehose's protocol: what is sent, read back by our own door's readers,
//! and what becomes of the points when it is refused.

use std::sync::Arc;
use std::time::Duration;

use delivery::sink::http_endpoint::{self, Content, RECORD_BYTES_MAX};
use delivery::sink::{self, Label, Offer, Packer, Payload, Wire};
use delivery::{Verdict, Why};
use journal::Position;
use metric::{Encoder, Format, Point, Source};
use remote::Secret;
use testkit::{Peer, Received, Reply, closed_port};

use crate::sink_support::{self, NOW, build, captured, client, each_point, inflate, point, run};

const FORMATS: [Format; 3] = [Format::Json, Format::Otel07, Format::Otel10];
const ARN: &str = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s1";

fn config(url: &str) -> http_endpoint::Config {
    http_endpoint::Config {
        url: url.to_owned(),
        access_key: Some(Secret::new("k-SECRET \u{e4}")),
        common_attributes: vec![("env".to_owned(), "pr\u{f6}d \"1\"".to_owned())],
        source_arn: ARN.to_owned(),
        gzip: true,
        content: Content::Points(Format::Json),
        record_bytes: 128 * 1024,
        bytes_max: 1 << 20,
        client: client(),
    }
}

fn sink(url: &str, change: impl FnOnce(&mut http_endpoint::Config)) -> (Packer, Wire) {
    let mut config = config(url);
    change(&mut config);
    build(&sink::Config::HttpEndpoint(config))
}

/// Answers as the protocol wants it.
fn taken(request: &Received) -> Reply {
    let id = request.header("x-amz-firehose-request-id").unwrap();
    Reply::json(200, &format!(r#"{{"requestId":"{id}","timestamp":1795176000123}}"#))
}

/// The records of a delivery; its shape is checked.
fn records(request: &Received) -> Vec<Vec<u8>> {
    let body: serde_json::Value = serde_json::from_slice(&inflate(&request.body)).unwrap();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["records", "requestId", "timestamp"]);
    assert_eq!(body["requestId"].as_str(), request.header("x-amz-firehose-request-id"));
    assert!(body["timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    let list = body["records"].as_array().unwrap().iter();
    let decoded = list.map(|record| {
        let mut out = Vec::new();
        codec::base64::decode_into(record["data"].as_str().unwrap().as_bytes(), &mut out).unwrap();
        out
    });
    decoded.collect()
}

/// What a point says, whatever form it came in.
fn line_of(point: &Point<'_>) -> String {
    let mut out = Vec::new();
    metric::encode::json_line(&Point { stream: b"", ..*point }, &mut out);
    String::from_utf8(out).unwrap()
}

fn lines_of(records: &[Vec<u8>]) -> Vec<String> {
    let mut lines = Vec::new();
    each_point(records, |point| lines.push(line_of(point)));
    lines
}

fn send(packer: &mut Packer, wire: &Wire) -> Verdict {
    run(wire.send(&packer.close()))
}

#[track_caller]
fn later(verdict: &Verdict) -> (bool, &Why) {
    let (_, loud, why) = sink_support::later(verdict);
    (loud, why)
}

/// *Scenario:* two points in a delivery with key and attributes, compressed.
/// *Guarantees:* one POST to the URL as given, every header of the protocol, the body's shape.
#[test]
fn a_delivery_has_its_headers_and_shape() {
    let peer = Peer::scripted(taken);
    let (mut packer, wire) = sink(&peer.url("/in/gest?x=1"), |_| {});
    packer.offer(&point(), None, NOW);
    packer.offer(&Point { name: b"Other", ..point() }, None, NOW);
    assert_eq!(send(&mut packer, &wire), Verdict::Delivered);
    let request = &peer.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/in/gest?x=1"));
    let attributes = r#"{"commonAttributes":{"env":"pr\u00f6d \"1\""}}"#;
    for (name, value) in [
        ("x-amz-firehose-protocol-version", "1.0"),
        ("x-amz-firehose-source-arn", ARN),
        ("x-amz-firehose-common-attributes", attributes),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("content-length", &request.body.len().to_string()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("x-amz-firehose-access-key"), Some("k-SECRET \u{e4}"));
    assert_eq!(lines_of(&records(request)).len(), 2);
    assert_eq!(wire.describe(), format!("http_endpoint {}", peer.url("")));
}

/// *Scenario:* neither key, nor attributes, nor compression.
/// *Guarantees:* their headers are absent, as from Firehose; the ARN is made of the stream's name.
#[test]
fn what_is_not_set_is_not_sent() {
    let peer = Peer::scripted(taken);
    let (mut packer, wire) = sink(&peer.url(""), |config| {
        config.access_key = None;
        config.common_attributes = Vec::new();
        config.source_arn = String::new();
        config.gzip = false;
    });
    let payload = Payload { label: label(7), ..packed(&mut packer) };
    assert_eq!(run(wire.send(&payload)), Verdict::Delivered);
    let request = &peer.requests()[0];
    let arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/s";
    assert_eq!(request.header("x-amz-firehose-source-arn"), Some(arn));
    for name in ["access-key", "common-attributes"] {
        assert_eq!(request.header(&format!("x-amz-firehose-{name}")), None);
    }
    assert_eq!(request.header("content-encoding"), None);
    assert!(request.body.starts_with(b"{\"requestId\":\""));
    assert_eq!(records(request).len(), 1);
}

/// *Scenario:* real captured records, and made ones of many accounts, in each format, in records of
/// different sizes.
/// *Guarantees:* every point arrives, in its order (by resource in OpenTelemetry), with its values;
/// no record exceeds its size by more than one point.
#[test]
fn points_arrive_as_they_came_in_every_format() {
    let mut originals = captured().unwrap_or_default();
    originals.push(made_record());
    let before = lines_of(&originals);
    for format in FORMATS {
        for record_bytes in [1_000, 16 * 1024, RECORD_BYTES_MAX] {
            let peer = Peer::scripted(taken);
            let (mut packer, wire) = sink(&peer.url(""), |config| {
                config.content = Content::Points(format);
                config.record_bytes = record_bytes;
            });
            let mut left = 0;
            each_point(&originals, |point| {
                if packer.full() {
                    assert_eq!(send(&mut packer, &wire), Verdict::Delivered);
                }
                assert_eq!(packer.offer(point, None, NOW), Offer::Taken);
                left += 1;
            });
            assert_eq!(send(&mut packer, &wire), Verdict::Delivered);
            let arrived: Vec<Vec<u8>> = peer.requests().iter().flat_map(records).collect();
            assert!(arrived.iter().all(|record| record.len() <= record_bytes), "{format:?}");
            let mut after = lines_of(&arrived);
            let mut expected = before.clone();
            if format != Format::Json {
                // Resources are told apart in a record; the order of a series stays.
                expected.sort();
                after.sort();
            }
            assert_eq!(after.len(), left);
            assert!(after == expected, "{format:?} at {record_bytes}");
        }
    }
}

/// A record of format 1.0 with points of some accounts taking turns.
fn made_record() -> Vec<u8> {
    let mut encoder = Encoder::new(Format::Otel10);
    for n in 0..300_u64 {
        let account = format!("{:012}", n % 5);
        let name = format!("Metric{n}");
        encoder.push(&Point {
            account: account.as_bytes(),
            name: name.as_bytes(),
            start_ns: point().start_ns + n * 60_000_000_000,
            ..point()
        });
    }
    let mut out = Vec::new();
    encoder.finish(&mut out);
    out
}

/// *Scenario:* a point that came alone in format 1.0, with a field of its metric that we do not know.
/// *Guarantees:* its bytes are copied.
#[test]
fn a_point_of_format_1_0_is_copied() {
    let mut body = Vec::new();
    metric::encode::otel10_metric(&point(), &mut body);
    // Description, which CloudWatch never sends.
    body.extend_from_slice(b"\x12\x04mine");
    let peer = Peer::scripted(taken);
    let (mut packer, wire) =
        sink(&peer.url(""), |config| config.content = Content::Points(Format::Otel10));
    packer.offer(&Point { source: Source::Otel10 { metric: Some(&body) }, ..point() }, None, NOW);
    assert_eq!(send(&mut packer, &wire), Verdict::Delivered);
    let record = records(&peer.requests()[0]).remove(0);
    assert!(record.windows(body.len()).any(|window| window == body));
    assert!(packer.losses().contains(&("copied", 1)));
}

/// *Scenario:* a point beyond a legal record, a point beyond `record_size`, sets that OpenTelemetry
/// cannot express, enrichment.
/// *Guarantees:* refused with a reason, or sent alone, or counted; nothing else is touched.
#[test]
fn what_does_not_fit_is_named() {
    let value = |bytes: usize| vec![b'v'; bytes];
    let (huge, large) = (value(RECORD_BYTES_MAX), value(8_000));
    let (mut packer, _) = sink("http://127.0.0.1:9", |config| config.record_bytes = 4_000);
    let (huge, large) = ([(&b"d"[..], &huge[..])], [(&b"d"[..], &large[..])]);
    let with = |dimensions| Point { dimensions, ..point() };
    assert_eq!(packer.offer(&with(&huge), None, NOW), Offer::Refused("too_large"));
    assert_eq!(packer.points(), 0);
    assert_eq!(packer.offer(&point(), None, NOW), Offer::Taken);
    assert_eq!(packer.offer(&with(&large), None, NOW), Offer::Taken);
    assert_eq!(packer.offer(&point(), None, NOW), Offer::Taken);
    let text = String::from_utf8(inflate(&packer.close().body)).unwrap();
    assert_eq!(text.matches("\"data\"").count(), 3);

    let (mut packer, _) =
        sink("http://127.0.0.1:9", |config| config.content = Content::Points(Format::Otel10));
    let bare = Point { sum: None, min: None, max: None, ..point() };
    assert_eq!(packer.offer(&bare, None, NOW), Offer::Refused("incomplete"));
    let enriched = Point { attributes: &[(b"team", b"blue")], ..point() };
    assert_eq!(packer.offer(&enriched, None, NOW), Offer::Taken);
    assert!(packer.losses().contains(&("attributes_left_out", 1)));
}

/// *Scenario:* points until the parcel is full, for two limits.
/// *Guarantees:* it says so in time; the records of a request stay below the limit.
#[test]
fn a_request_stays_below_its_size() {
    for bytes_max in [10_000, 200_000] {
        let (mut packer, _) = sink("http://127.0.0.1:9", |config| {
            config.bytes_max = bytes_max;
            config.record_bytes = 2_000;
            config.gzip = false;
        });
        while !packer.full() {
            assert_eq!(packer.offer(&point(), None, NOW), Offer::Taken);
        }
        let payload = packer.close();
        assert!(payload.points > 1 && payload.plain_bytes * 3 / 4 <= bytes_max);
        assert!(payload.plain_bytes > bytes_max / 2, "{}", payload.plain_bytes);
    }
}

fn label(sequence: u64) -> Label {
    let from = Position { sequence, ordinal: 0 };
    Label {
        stream: Arc::from("s"),
        topic: Arc::from("aws"),
        from,
        oldest_ms: 1,
        ..Label::default()
    }
}

fn packed(packer: &mut Packer) -> Payload {
    packer.offer(&point(), None, NOW);
    packer.close()
}

/// *Scenario:* a delivery sent twice; packed anew by another process; another delivery with the
/// same points.
/// *Guarantees:* one id for the same delivery, another for the other, so that a receiver can tell.
#[test]
fn a_repeat_has_the_id_of_the_first() {
    let peer = Peer::scripted(taken);
    let (mut packer, wire) = sink(&peer.url(""), |_| {});
    let (mut other_packer, other_wire) = sink(&peer.url(""), |_| {});
    let first = Payload { label: label(7), ..packed(&mut packer) };
    let again = Payload { label: label(7), ..packed(&mut other_packer) };
    let next = Payload { label: label(8), ..packed(&mut packer) };
    run(async {
        wire.send(&first).await;
        wire.send(&first).await;
        other_wire.send(&again).await;
        wire.send(&next).await;
    });
    let ids: Vec<String> = peer
        .requests()
        .iter()
        .map(|request| request.header("x-amz-firehose-request-id").unwrap().to_owned())
        .collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
}

/// *Scenario:* receivers that refuse, answer for another delivery, answer a page, break, or are not
/// there.
/// *Guarantees:* nothing counts as delivered; each with Firehose's code, loudly where a person must
/// act, without the key.
#[test]
fn what_is_no_acceptance_is_repeated() {
    let refusal = r#"{"requestId":"x","timestamp":1,"errorMessage":"bad key k-SECRET \u00e4"}"#;
    for (reply, code, loud) in [
        (Reply::json(401, refusal), "DestinationException", true),
        (Reply::json(503, refusal), "DestinationException", false),
        (Reply::json(200, refusal), "InvalidResponseFromDestination", true),
        (Reply::body(200, "text/html", "<html>"), "InvalidResponseFromDestination", true),
        (Reply::status(200), "InvalidResponseFromDestination", true),
        (Reply::redirect("http://127.0.0.1:9/"), "InvalidStatusCode", true),
        (Reply::Reset, "ConnectionReset", false),
        (Reply::Half, "ConnectionReset", false),
        (Reply::garbage(), "IllegalMessageStart", false),
        (Reply::body(200, "application/json", vec![b' '; 1_100_000]), "ResponseTooLarge", true),
    ] {
        let peer = Peer::start(reply);
        let (mut packer, wire) = sink(&peer.url(""), |_| {});
        let verdict = run(wire.send(&packed(&mut packer)));
        let (found_loud, why) = later(&verdict);
        assert_eq!(
            (why.code, found_loud),
            (&*format!("HttpEndpoint.{code}"), loud),
            "{}",
            why.message
        );
    }
    let peer = Peer::start(Reply::Hang);
    let (mut packer, wire) = sink(&peer.url(""), |config| {
        config.client.request_timeout = Duration::from_millis(200);
    });
    let verdict = run(wire.send(&packed(&mut packer)));
    assert_eq!(later(&verdict).1.code, "HttpEndpoint.RequestTimeout");
    let (mut packer, wire) = sink(&format!("http://127.0.0.1:{}", closed_port()), |_| {});
    let verdict = run(wire.send(&packed(&mut packer)));
    assert_eq!(later(&verdict).1.code, "HttpEndpoint.ConnectionFailed");
    let peer = Peer::start(Reply::status(413));
    let (mut packer, wire) = sink(&peer.url(""), |_| {});
    assert!(matches!(run(wire.send(&packed(&mut packer))), Verdict::TooLarge { .. }));
}

/// *Scenario:* the probe, compressed and not, at a receiver that takes it and one that does not
/// know the key.
/// *Guarantees:* a legal delivery of one empty record, with an id of its own; the refusal is told.
#[test]
fn a_probe_is_a_delivery_without_data() {
    for gzip in [true, false] {
        let peer = Peer::scripted(taken);
        let (_, wire) = sink(&peer.url(""), |config| config.gzip = gzip);
        assert_eq!(run(wire.probe()), Verdict::Delivered);
        assert_eq!(records(&peer.requests()[0]), [Vec::<u8>::new()]);
        peer.set(Reply::status(401));
        assert!(later(&run(wire.probe())).0);
    }
}

/// *Scenario:* settings that cannot work.
/// *Guarantees:* the error names the setting, and shows no secret.
#[test]
fn unusable_settings_are_named() {
    remote::install_provider();
    type Change = fn(&mut http_endpoint::Config);
    let table: [(&str, Change); 12] = [
        ("url: ", |c| c.url = "in.example.com".to_owned()),
        ("url: ", |c| c.url = "https://".to_owned()),
        ("url: ", |c| c.url = "https://u:SECRET@x.example".to_owned()),
        ("access_key: ", |c| c.access_key = Some(Secret::new("SECRET\n"))),
        ("access_key: ", |c| c.access_key = Some(Secret::new("S".repeat(4_097)))),
        ("access_key: ", |c| c.access_key = Some(Secret::new(""))),
        ("source_arn: ", |c| c.source_arn = "a\n".to_owned()),
        ("source_arn: ", |c| c.source_arn = "a\u{e4}".to_owned()),
        ("record_size: ", |c| c.record_bytes = RECORD_BYTES_MAX + 1),
        ("request_size: ", |c| c.bytes_max = 1_000),
        ("common_attributes: ", |c| c.common_attributes = vec![(" ".to_owned(), String::new())]),
        ("common_attributes: ", |c| {
            c.common_attributes = vec![("a".to_owned(), "v".repeat(1_025))];
        }),
    ];
    for (begin, change) in table {
        let mut config = config("https://in.example.com");
        change(&mut config);
        let error = sink::build(&sink::Config::HttpEndpoint(config)).err().expect("it cannot work");
        assert!(error.starts_with(begin) && !error.contains("SECRET"), "{error}");
    }
}
