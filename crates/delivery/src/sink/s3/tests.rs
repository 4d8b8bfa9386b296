//! Naming, the table of verdicts, objects in every form, and a scripted S3.

use std::time::Duration;

use codec::container::{CONTAINERS, decompress};
use journal::Position;
use metric::{Decoder, Format, Point, Reject, Visit};
use remote::aws::s3::S3;
use remote::aws::{Fault, Identity, Kind, Variables};
use remote::{ClientConfig, TlsConfig};
use testkit::{Peer, Received, Reply};
use tokio::runtime::Runtime;

use super::verdict::verdict_of;
use super::*;
use crate::Verdict;
use crate::sink::{Label, Offer, Payload};

fn named<'a>(place: &'a [&'a str]) -> Named<'a> {
    Named { stream: "to-s3", instant_ms: 1_535_365_804_056, error_output_type: "", place }
}

fn naming(prefix: &str) -> Naming {
    let prefix = Prefix::parse(prefix, Use::Delivery).unwrap();
    Naming { prefix, zone: Zone::utc(), version: 1, extension: ".gz".to_owned() }
}

/// *Scenario:* keys of the same place, of the next item, of another stream and another installation.
/// *Guarantees:* the same place gives the same key for ever, any other place another one.
#[test]
fn keys_follow_the_place() {
    let naming = naming("m/!{firehose:random-string}/");
    let key = naming.key(&named(&["o", "aws", "7", "0"]));
    assert_eq!(key, naming.key(&named(&["o", "aws", "7", "0"])));
    assert!(key.contains("/to-s3-1-2018-08-27-10-30-04-") && key.ends_with(".gz"), "{key}");
    for other in [["o", "aws", "7", "1"], ["p", "aws", "7", "0"], ["o", "aws7", "", "0"]] {
        assert_ne!(naming.key(&named(&other)), key);
    }
    let place = ["o", "aws", "7", "0"];
    let stream = Named { stream: "b", ..named(&place) };
    let random = |key: &str| key.split('/').nth(1).unwrap().to_owned();
    assert_ne!(random(&naming.key(&stream)), random(&key));
}

/// *Scenario:* the word of an installation is asked for, twice, then its file is torn.
/// *Guarantees:* it stays; torn it is made anew.
#[test]
fn an_origin_stays() {
    let dir = testkit::TempDir::new("origin");
    let word = origin(dir.path()).unwrap();
    assert_eq!(word.len(), 32);
    assert_eq!(origin(dir.path()).unwrap(), word);
    std::fs::write(dir.join("origin"), "torn").unwrap();
    assert_ne!(origin(dir.path()).unwrap(), word);
    assert_ne!(origin(&dir.join("other")).unwrap(), word);
}

/// *Scenario:* every kind of fault.
/// *Guarantees:* what needs a person is loud, nothing is given up, and the remedy is told.
#[test]
fn verdicts() {
    let fault = |kind, code: &str| Fault {
        kind,
        doing: "PutObject s3://b/k".to_owned(),
        code: code.to_owned(),
        message: "no".to_owned(),
        remedy: Some("do this".to_owned()),
        status: 400,
        retry_after: Some(Duration::from_secs(7)),
    };
    let table = [
        (Kind::NoCredentials, true, "S3.NoCredentials"),
        (Kind::BadCredentials, true, "S3.InvalidToken"),
        (Kind::Denied, true, "S3.AccessDenied"),
        (Kind::NoSuchPlace, true, "S3.NoSuchBucket"),
        (Kind::WrongRegion, true, "S3.WrongRegion"),
        (Kind::Refused, true, "S3.Refused"),
        (Kind::Changed, true, "S3.Refused"),
        (Kind::NoSuchObject, true, "S3.Refused"),
        (Kind::Throttled, false, "S3.SlowDown"),
        (Kind::Unwell, false, "S3.ServiceUnavailable"),
    ];
    for (kind, is_loud, expected) in table {
        let verdict = verdict_of(&fault(kind, "X"));
        let Verdict::Later { after, loud, why } = verdict else { panic!("{kind:?}: {verdict:?}") };
        assert_eq!((loud, why.code), (is_loud, expected), "{kind:?}");
        assert_eq!(after, Some(Duration::from_secs(7)));
        assert_eq!(why.message, "PutObject s3://b/k: X: no; do this");
    }
    let long = Fault { message: "x".repeat(600), ..fault(Kind::NoCredentials, "X") };
    assert!(message_of(&long).ends_with("xx; do this"));
    let unreachable = Fault { status: 0, ..fault(Kind::Unwell, "Unreachable") };
    assert_eq!(code_of(&unreachable), "S3.Unreachable");
    assert_eq!(code_of(&fault(Kind::Refused, "KMS.DisabledException")), "S3.KMS");
    let large = verdict_of(&fault(Kind::Refused, "EntityTooLarge"));
    let Verdict::TooLarge { why } = large else { panic!("{large:?}") };
    assert_eq!(why.code, "S3.EntityTooLarge");
}

/// A packer, and a wire to this peer with credentials.
fn to_peer(peer: &Peer, change: impl FnOnce(&mut Config)) -> (Packer, Wire, Runtime) {
    remote::install_provider();
    let mut config = config(&peer.url(""));
    change(&mut config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let variables: Variables =
        [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")]
            .into_iter()
            .collect();
    let load = Identity::load_with(config.identity.clone(), variables);
    let client = S3::new(runtime.block_on(load).unwrap());
    (Packer::new(&config), Wire::with_client(&config, client), runtime)
}

fn config(endpoint: &str) -> Config {
    Config {
        bucket: "metrics".to_owned(),
        prefix: "cw/!{timestamp:yyyy/MM/dd/}".to_owned(),
        file_extension: None,
        custom_time_zone: "Asia/Tokyo".to_owned(),
        compression: Container::Gzip,
        content: Content::Points(Format::Json),
        version: 1,
        kms_key_id: None,
        bytes_max: 5 << 20,
        identity: IdentityConfig {
            region: Some("eu-west-1".to_owned()),
            profile: None,
            endpoint_url: Some(endpoint.to_owned()),
            assume_role: None,
            client: ClientConfig {
                tls: TlsConfig::default(),
                connect_timeout: Duration::from_secs(2),
                request_timeout: Duration::from_secs(5),
                answer_bytes: 1 << 16,
            },
        },
    }
}

fn point(name: &[u8]) -> Point<'_> {
    Point {
        stream: b"demo",
        account: b"123456789012",
        region: b"eu-west-1",
        dimensions: &[(b"ClusterName", b"prod")],
        start_ns: 1_795_176_000_000_000_000,
        end_ns: Some(1_795_176_060_000_000_000),
        min: Some(10.0),
        max: Some(20.0),
        sum: Some(45.5),
        count: 3.0,
        ..Point::of(b"AWS/ECS", name)
    }
}

fn payload(packer: &mut Packer, points: u32) -> Payload {
    for n in 0..points {
        assert_eq!(packer.offer(&point(format!("m{n}").as_bytes())), Offer::Taken);
    }
    let label = Label {
        origin: "0123".into(),
        stream: "to-s3".into(),
        topic: "aws".into(),
        from: Position { sequence: 7, ordinal: 3 },
        oldest_ms: 1_535_365_804_056,
    };
    Payload { label, ..packer.close() }
}

/// How many points a body decodes to; all of it must.
fn points_of(body: &[u8]) -> u32 {
    struct Count(u32);
    impl Visit for Count {
        fn point(&mut self, _: &Point<'_>) {
            self.0 += 1;
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{reject:?}");
        }
    }
    let mut plain = Vec::new();
    decompress(body, &mut plain, 1 << 30).unwrap();
    let mut count = Count(0);
    Decoder::new().decode(&plain, &mut count);
    count.0
}

/// *Scenario:* every format in every container, several thousand points, packed twice.
/// *Guarantees:* all points are in the object, JSON one a line; the same points are the same bytes.
#[test]
fn every_form_is_an_object() {
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        for compression in CONTAINERS {
            let config = Config {
                content: Content::Points(format),
                compression,
                ..config("http://127.0.0.1:9")
            };
            let mut packer = Packer::new(&config);
            let first = payload(&mut packer, 4000);
            assert_eq!((first.points, points_of(&first.body)), (4000, 4000), "{compression}");
            assert_eq!(packer.points(), 0);
            assert!(payload(&mut packer, 4000).body == first.body, "{compression}");
            let mut plain = Vec::new();
            decompress(&first.body, &mut plain, 1 << 30).unwrap();
            assert_eq!(plain.len(), first.plain_bytes);
            if format == Format::Json {
                assert_eq!(plain.iter().filter(|byte| **byte == b'\n').count(), 4000);
                assert_eq!(plain.last(), Some(&b'\n'));
            }
        }
    }
}

/// *Scenario:* points up to the size of an object, beyond it, and forgotten ones; enriched ones.
/// *Guarantees:* full at the size and not when empty; nothing forgotten comes later; what has no
/// place in the form is counted.
#[test]
fn an_object_is_closed_at_its_size() {
    let mut packer = Packer::new(&Config { bytes_max: 10_000, ..config("http://127.0.0.1:9") });
    assert!(!packer.full());
    let mut points = 0;
    while !packer.full() {
        packer.offer(&point(b"m"));
        points += 1;
    }
    let object = packer.close();
    assert!((10_000..10_400).contains(&object.plain_bytes), "{}", object.plain_bytes);
    assert_eq!((object.points, points_of(&object.body)), (points, points));
    packer.offer(&point(b"forgotten"));
    packer.discard();
    assert!(packer.points() == 0 && !packer.full());
    packer.offer(&Point { attributes: &[(b"team", b"sre")], ..point(b"m") });
    assert_eq!(points_of(&packer.close().body), 1);
    assert_eq!(packer.losses(), [("statistics_left_out", 0), ("attributes_left_out", 1)]);
}

/// *Scenario:* an object is put, and put again as after a crash; with a key of KMS and an extension.
/// *Guarantees:* path, headers and body; the same key again.
#[test]
fn an_object_is_put() {
    let peer = Peer::start(Reply::status(200).with("ETag", "\"0123\""));
    let (mut packer, wire, runtime) = to_peer(&peer, |config| {
        config.kms_key_id = Some("alias/m".to_owned());
        config.file_extension = Some(".json.gz".to_owned());
    });
    for _ in 0..2 {
        let payload = payload(&mut packer, 10);
        assert_eq!(runtime.block_on(wire.send(&payload)), Verdict::Delivered);
    }
    let requests = peer.requests();
    let Received { method, target, body, .. } = &requests[0];
    assert_eq!((method.as_str(), points_of(body)), ("PUT", 10));
    // The day is that of Tokyo.
    let path = "/metrics/cw/2018/08/27/to-s3-1-2018-08-27-19-30-04-";
    assert!(target.starts_with(path) && target.ends_with(".json.gz"), "{target}");
    assert_eq!(*target, requests[1].target);
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    assert_eq!(requests[0].header("x-amz-server-side-encryption"), Some("aws:kms"));
    assert_eq!(wire.describe(), "s3 s3://metrics/cw/");
}

/// *Scenario:* S3 denies, is down, closes, lies by an error in a success; a probe is denied or not.
/// *Guarantees:* each is tried again, loudly where a person must act; the probe writes nothing.
#[test]
fn a_put_that_failed_is_tried_again() {
    let xml = |status, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        Reply::body(status, "application/xml", body)
    };
    let table = [
        (xml(403, "AccessDenied"), true, "S3.AccessDenied"),
        (xml(404, "NoSuchBucket"), true, "S3.NoSuchBucket"),
        (xml(503, "SlowDown"), false, "S3.SlowDown"),
        (xml(200, "InternalError"), false, "S3.ServiceUnavailable"),
        (Reply::Close, false, "S3.Unreachable"),
        (Reply::garbage(), false, "S3.Unreachable"),
    ];
    let peer = Peer::start(Reply::Close);
    let (mut packer, wire, runtime) = to_peer(&peer, |_| {});
    for (reply, is_loud, code) in table {
        peer.set(reply);
        let verdict = runtime.block_on(wire.send(&payload(&mut packer, 1)));
        let Verdict::Later { loud, why, .. } = verdict else { panic!("{code}: {verdict:?}") };
        assert_eq!((loud, why.code), (is_loud, code));
    }
    let before = peer.count();
    let page = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    peer.set(Reply::body(200, "application/xml", page));
    assert_eq!(runtime.block_on(wire.probe()), Verdict::Delivered);
    peer.set(xml(403, "AccessDenied"));
    let Verdict::Later { loud: true, why, .. } = runtime.block_on(wire.probe()) else { panic!() };
    assert!(why.message.contains("delivery itself needs s3:PutObject alone"), "{}", why.message);
    let probes = peer.requests().split_off(before);
    assert!(probes.iter().all(|request| request.method == "GET"), "{probes:?}");
    assert!(probes[0].target.contains("prefix=cw"), "{}", probes[0].target);
}

/// *Scenario:* settings that cannot work.
/// *Guarantees:* refused when the stream is built, with the key of the settings that is wrong.
#[test]
fn settings_that_cannot_work() {
    let good = config("http://127.0.0.1:9");
    let text = |text: &str| text.to_owned();
    let table = [
        (Config { prefix: text("!{timestamp:YYYY}"), ..good.clone() }, "prefix: "),
        (Config { custom_time_zone: text("Tokyo"), ..good.clone() }, "custom_time_zone: "),
        (Config { file_extension: Some(text("gz")), ..good.clone() }, "file_extension: "),
        (Config { bytes_max: 65 << 20, ..good.clone() }, "object_size: "),
    ];
    for (config, key) in table {
        let why = Wire::new(&config).err().unwrap();
        assert!(why.starts_with(key), "{why}");
    }
    assert_eq!(good.check(), Ok(()));
}

/// *Scenario:* records of any bytes, with and without a delimiter, in every container, as version 7.
/// *Guarantees:* the object is the records one after the other, the delimiter after each and nothing
/// else; its key has the version; an object has room for what it may hold and no more.
#[test]
fn records_go_as_they_are() {
    let records: [&[u8]; 4] = [b"abc", b"", b"\x00\xff\r\n", b"abc"];
    for container in CONTAINERS {
        for delimiter in [&b""[..], b"\n"] {
            let peer = Peer::start(Reply::status(200).with("ETag", "\"0123\""));
            let (mut packer, wire, runtime) = to_peer(&peer, |config| {
                config.compression = container;
                config.content = Content::Records { delimiter: delimiter.to_vec() };
                config.version = 7;
                config.bytes_max = 12;
            });
            assert!(packer.takes_records() && packer.has_room_for(&[0; 99]));
            records.iter().for_each(|record| packer.offer_record(record));
            assert_eq!(packer.has_room_for(b"ab"), delimiter.is_empty());
            assert_eq!(packer.points(), 4);
            let label =
                Label { stream: "s".into(), oldest_ms: 1_795_176_000_000, ..Label::default() };
            let payload = Payload { label, ..packer.close() };
            assert_eq!(runtime.block_on(wire.send(&payload)), Verdict::Delivered);
            let mut plain = Vec::new();
            decompress(&peer.requests()[0].body, &mut plain, 1 << 20).unwrap();
            let expected: Vec<u8> = records.iter().flat_map(|r| [r, delimiter].concat()).collect();
            assert_eq!(plain, expected);
            assert!(peer.requests()[0].target.contains("/s-7-2026-"), "{:?}", peer.requests());
        }
    }
}
