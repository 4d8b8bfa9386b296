//! The deliveries are what they claim to be, and every answer is judged as AWS's document does.

use std::collections::HashSet;

use aws::firehose::envelope::{EnvelopeReader, Limits};
use aws::firehose::{attributes, headers};
use bytes::Bytes;
use codec::gzip::Inflater;
use http::{HeaderMap, HeaderName, HeaderValue};
use metric::{Decoder, Point, Reject, Visit};

use super::*;

fn setup(run: u64) -> Setup {
    Setup {
        now_ms: 1_795_176_000_000,
        run,
        access_key: Some("k1".to_owned()),
        attributes: vec![("env".to_owned(), "prod".to_owned())],
    }
}

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
}

fn first(name: &str) -> Delivery {
    case(name).deliveries(&setup(1)).remove(0)
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a str> {
    let mut found = delivery.headers.iter().filter(|(known, _)| *known == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} twice");
    value
}

/// Records and request id of a body, read by other code than wrote it; `Err` names the room that
/// refused.
fn read(delivery: &Delivery) -> Result<(Vec<Vec<u8>>, String), &'static str> {
    let mut plain = Vec::new();
    match header(delivery, headers::CONTENT_ENCODING) {
        Some("gzip") => {
            Inflater::new().gunzip(&delivery.body, &mut plain, 128 << 20).map_err(|_| "gzip")?;
        }
        other => {
            assert_eq!(other, None);
            plain.extend_from_slice(&delivery.body);
        }
    }
    let limits = Limits { records: 10_000, record_text: 1_365_336 };
    let mut reader = EnvelopeReader::whole(&plain, limits);
    let mut records = Vec::new();
    while let Some(text) = reader.next().map_err(|_| "json")? {
        let mut record = Vec::new();
        codec::base64::decode_into(text, &mut record).map_err(|_| "base64")?;
        records.push(record);
    }
    let id = reader.envelope().request_id.as_deref().unwrap_or_default().to_owned();
    Ok((records, id))
}

#[derive(Default)]
struct Count {
    points: usize,
    rejects: usize,
}

impl Visit for Count {
    fn point(&mut self, point: &Point<'_>) {
        assert_eq!(point.namespace, NAMESPACE.as_bytes());
        self.points += 1;
    }
    fn reject(&mut self, _: &Reject<'_>) {
        self.rejects += 1;
    }
}

fn count(records: &[Vec<u8>]) -> Count {
    let (mut decoder, mut count) = (Decoder::new(), Count::default());
    for record in records {
        decoder.decode(record, &mut count);
    }
    count
}

/// *Scenario:* the deliveries of all cases, made twice, and for another run.
/// *Guarantees:* names are unique and short; the same setup makes the same bytes; no request id comes
/// twice but in a repeat, within a run and from run to run.
#[test]
fn deliveries_follow_from_the_setup() {
    let (mut names, mut ids) = (HashSet::new(), HashSet::new());
    for case in CASES {
        assert!(names.insert(case.name) && case.name.len() <= 16, "{}", case.name);
        let deliveries = case.deliveries(&setup(1));
        assert!(!deliveries.is_empty() && deliveries == case.deliveries(&setup(1)));
        if case.name == "get" {
            continue;
        }
        let is_repeat = case.name.starts_with("repeat");
        for (n, delivery) in deliveries.iter().enumerate() {
            assert_eq!(
                ids.insert(delivery.request_id.clone()),
                !is_repeat || n == 0,
                "{}",
                case.name
            );
        }
        for delivery in case.deliveries(&setup(2)) {
            assert!(!ids.contains(&delivery.request_id), "{}", case.name);
        }
    }
}

/// *Scenario:* every delivery that a receiver must say yes to, read again.
/// *Guarantees:* head and body are within AWS's schema, the body names the request id of the head,
/// every point is recognisable, and nothing in it cannot be decoded.
#[test]
fn good_deliveries_are_good() {
    let mut points = 0;
    for case in CASES.iter().filter(|case| case.demand == Demand::Yes) {
        for delivery in case.deliveries(&setup(1)) {
            let (records, id) =
                read(&delivery).unwrap_or_else(|room| panic!("{}: {room}", case.name));
            assert_eq!(header(&delivery, headers::REQUEST_ID), Some(id.as_str()), "{}", case.name);
            assert_eq!(id, delivery.request_id);
            assert_eq!(header(&delivery, headers::ACCESS_KEY), Some("k1"));
            assert_eq!(header(&delivery, headers::PROTOCOL_VERSION), Some("1.0"));
            assert!((1..=10_000).contains(&records.len()), "{}", case.name);
            assert!(records.iter().all(|record| record.len() <= 1_024_000), "{}", case.name);
            let seen = count(&records);
            assert_eq!(seen.rejects, 0, "{}", case.name);
            assert!(seen.points > 0 || case.name == "only-empty", "{}", case.name);
            points += seen.points;
        }
    }
    // docs/conform.md and the help say how many are sent.
    assert!((11_500..12_500).contains(&points), "{points}");
}

/// *Scenario:* the cases that go to a limit.
/// *Guarantees:* they do reach it.
#[test]
fn limits_are_reached() {
    let (records, _) = read(&first("ten-thousand")).unwrap();
    assert_eq!(records.len(), 10_000);
    let (records, _) = read(&first("largest-record")).unwrap();
    assert!((990_000..=1_024_000).contains(&records[0].len()), "{}", records[0].len());
    let (records, _) = read(&first("largest-delivery")).unwrap();
    let bytes: usize = records.iter().map(Vec::len).sum();
    assert!(((63 << 20)..=(64 << 20)).contains(&bytes), "{bytes}");
    let largest = first("largest-headers");
    let given = header(&largest, headers::COMMON_ATTRIBUTES).unwrap();
    let read_back = attributes::parse(given.as_bytes()).unwrap();
    assert_eq!((read_back.len(), read_back[0].1.as_str()), (50, "prod"));
    assert!(read_back.iter().skip(1).all(|(name, value)| (name.len(), value.len()) == (256, 1024)));
    assert!(given.len() > 62_000, "{}", given.len());
    let (records, _) = read(&first("messages")).unwrap();
    assert_eq!(count(&records).points, 10);
    let slow = first("slow").slow.unwrap();
    assert_eq!((slow.pieces as u64 - 1) * slow.pause_ms, 8_000);
}

/// *Scenario:* the deliveries that a receiver must refuse, read again.
/// *Guarantees:* each is wrong in the one way it is meant to be.
#[test]
fn spoiled_deliveries_are_spoiled() {
    for (name, room) in [
        ("cut-gzip", "gzip"),
        ("gzip-checksum", "gzip"),
        ("hidden-gzip", "json"),
        ("wrong-base64", "base64"),
        ("not-json", "json"),
        ("cut-json", "json"),
    ] {
        assert_eq!(read(&first(name)).map(|_| ()), Err(room), "{name}");
    }
    let stars = first("wrong-base64").body.iter().filter(|byte| **byte == b'*').count();
    assert_eq!(stars, 1);
    assert_ne!(read(&first("other-id")).unwrap().1, first("other-id").request_id);
    assert_eq!(read(&first("zero-records")).unwrap().0.len(), 0);
    assert!(!String::from_utf8(first("no-records").body).unwrap().contains("records"));
    assert_eq!(header(&first("missing-key"), headers::ACCESS_KEY), None);
    assert_ne!(header(&first("wrong-key"), headers::ACCESS_KEY), Some("k1"));
    assert_eq!(header(&first("no-id"), headers::REQUEST_ID), None);
    assert_eq!(header(&first("other-version"), headers::PROTOCOL_VERSION), Some("9.0"));
    let (records, _) = read(&first("no-metrics")).unwrap();
    let seen = count(&records);
    assert_eq!((seen.points, seen.rejects), (2, 1));
}

/// An answer, built up.
struct Said(Answer);

impl Said {
    fn status(status: u16, body: &str) -> Said {
        let headers = HeaderMap::new();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let said = Said(Answer { status, reason: "OK".to_owned(), headers, body });
        let length = said.0.body.len().to_string();
        said.header("content-type", "application/json").header("content-length", &length)
    }
    fn header(mut self, name: &'static str, value: &str) -> Said {
        let value = HeaderValue::from_str(value).unwrap();
        self.0.headers.append(HeaderName::from_static(name), value);
        self
    }
    fn without(mut self, name: &str) -> Said {
        self.0.headers.remove(name);
        self
    }
    fn reason(mut self, reason: &str) -> Said {
        self.0.reason = reason.to_owned();
        self
    }
}

const GOOD: &str = r#"{"requestId":"ID","timestamp":1795176000123}"#;

fn judged(name: &str, said: Said) -> Finding {
    let delivery = first(name);
    let mut answer = said.0;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    answer.body = Bytes::from(text.replace("ID", &delivery.request_id));
    judge(case(name), &[(delivery, Outcome::Answer(answer))])
}

/// *Scenario:* answers to a good delivery, right and wrong in every way AWS's document names.
/// *Guarantees:* only an exact 200 is a yes; 413 loses; all else stalls, with Firehose's own code.
#[test]
fn answers_to_a_good_delivery() {
    use Verdict::{Loss, Ok, Stall};
    let invalid = "HttpEndpoint.InvalidResponseFromDestination";
    let gone = "HttpEndpoint.DestinationException";
    let good = || Said::status(200, GOOD);
    let body = |text: &str| Said::status(200, text);
    let long = "x".repeat(BODY_BYTES_MAX);
    let error = |text: &str| GOOD.replace('}', &format!(r#","errorMessage":{text}}}"#));
    for (what, said, verdict, told) in [
        ("a yes", good(), Ok, ""),
        ("201", Said::status(201, GOOD), Stall, gone),
        ("204", Said::status(204, ""), Stall, gone),
        ("302", Said::status(302, GOOD), Stall, "HttpEndpoint.InvalidStatusCode"),
        ("400", Said::status(400, GOOD), Stall, gone),
        ("503", Said::status(503, ""), Stall, gone),
        ("413", Said::status(413, GOOD), Loss, "gives up"),
        ("no body", body(""), Stall, invalid),
        ("no JSON", body("OK"), Stall, invalid),
        ("a list", body("[]"), Stall, invalid),
        ("no id", body(r#"{"timestamp":1795176000123}"#), Stall, invalid),
        ("wrong id", body(r#"{"requestId":"other","timestamp":1795176000123}"#), Stall, invalid),
        ("no time", body(r#"{"requestId":"ID"}"#), Stall, "no timestamp"),
        ("quoted time", body(r#"{"requestId":"ID","timestamp":"1795176000123"}"#), Stall, invalid),
        ("no time at all", body(r#"{"requestId":"ID","timestamp":-5e300}"#), Stall, "-5e300"),
        ("an error", body(&error(r#""stored nothing""#)), Loss, "stored nothing"),
        ("odd error", body(&error("5")), Stall, invalid),
        ("long error", body(&error(&format!("{:?}", "e".repeat(8193)))), Stall, "8192"),
        ("more", body(r#"{"requestId":"ID","timestamp":1,"x":1}"#), Stall, "\"x\""),
        ("large", body(&format!(r#"{{"requestId":"{long}"}}"#)), Stall, "ResponseTooLarge"),
        ("no type", good().without("content-type"), Stall, invalid),
        (
            "text",
            good().without("content-type").header("content-type", "text/plain"),
            Stall,
            invalid,
        ),
        ("two types", good().header("content-type", "application/json"), Stall, "IllegalResponse"),
        ("encoded", good().header("content-encoding", "identity"), Stall, invalid),
        ("chunked", good().without("content-length"), Stall, "no Content-Length"),
        ("long reason", good().reason(&"r".repeat(65)), Stall, "ReasonPhraseExceededLimit"),
        ("reason", good().reason(&"r".repeat(64)), Ok, ""),
    ] {
        let finding = judged("json", said);
        assert_eq!(finding.verdict, verdict, "{what}: {finding:?}");
        assert!(finding.notes.join("\n").contains(told), "{what}: {finding:?}");
        assert_eq!(finding.notes.is_empty(), told.is_empty(), "{what}: {finding:?}");
    }
}

/// *Scenario:* yes in forms that work in the field or whose effect nobody has written down.
/// *Guarantees:* cosmetic, with the reason.
#[test]
fn doubtful_forms_are_cosmetic() {
    let charset = Said::status(200, GOOD).without("content-type");
    let twice = r#"{"requestId":"other","requestId":"ID","timestamp":1795176000123}"#;
    for (said, told) in [
        (charset.header("content-type", "application/json; charset=utf-8"), "charset=utf-8"),
        (Said::status(200, r#"{"requestId":"ID","timestamp":1795176000}"#), "milliseconds"),
        (Said::status(200, r#"{"requestId":"ID","timestamp":1795176000123.5}"#), "whole number"),
        (Said::status(200, &GOOD.replace('}', r#","errorMessage":null}"#)), "errorMessage"),
        (Said::status(200, &GOOD.replace('}', r#","errorMessage":""}"#)), "errorMessage"),
        (Said::status(200, r#"{"requestId":"ID","timestamp":-5}"#), "milliseconds"),
        (Said::status(200, twice), "requestId twice"),
    ] {
        let finding = judged("json", said);
        assert_eq!(finding.verdict, Verdict::Cosmetic, "{finding:?}");
        assert!(finding.notes[0].contains(told), "{finding:?}");
        assert!(finding.verdict.is_conformant());
    }
}

/// *Scenario:* answers to what must be refused.
/// *Guarantees:* a yes loses (or lets anyone in), 413 loses, a reasoned refusal is right, and one
/// that leaves the operator in the dark is cosmetic.
#[test]
fn answers_to_what_must_be_refused() {
    use Verdict::{Cosmetic, Loss, Ok, Open};
    let refusal = r#"{"requestId":"ID","timestamp":1795176000123,"errorMessage":"why"}"#;
    let refused = |status| Said::status(status, refusal);
    for (name, said, verdict) in [
        ("cut-gzip", refused(400), Ok),
        ("cut-gzip", refused(503), Ok),
        ("cut-gzip", refused(401), Cosmetic),
        ("cut-gzip", refused(413), Loss),
        ("cut-gzip", Said::status(400, "bad gzip"), Cosmetic),
        ("cut-gzip", Said::status(400, GOOD), Cosmetic),
        ("cut-gzip", Said::status(400, &refusal.replace("ID", "other")), Cosmetic),
        ("no-id", Said::status(400, &refusal.replace("ID", "")), Ok),
        ("cut-gzip", Said::status(200, GOOD), Loss),
        ("cut-gzip", Said::status(200, "OK"), Cosmetic),
        ("wrong-key", refused(401), Ok),
        ("missing-key", refused(403), Ok),
        ("wrong-key", refused(400), Cosmetic),
        ("wrong-key", Said::status(200, GOOD), Open),
        ("wrong-key", Said::status(200, "OK"), Open),
        ("wrong-key", Said::status(202, GOOD), Open),
        ("missing-key", Said::status(204, "").reason(&"r".repeat(65)), Open),
        ("missing-key", Said::status(302, ""), Cosmetic),
        ("missing-key", refused(404), Cosmetic),
        ("wrong-key", refused(500), Cosmetic),
        ("wrong-key", refused(413), Loss),
        ("cut-gzip", Said::status(202, GOOD), Cosmetic),
        ("zero-records", Said::status(200, GOOD), Cosmetic),
        ("no-metrics", Said::status(200, GOOD), Ok),
        ("no-metrics", Said::status(200, refusal), Cosmetic),
        ("cut-gzip", Said::status(200, refusal), Loss),
        ("wrong-key", Said::status(200, refusal), Open),
        ("no-metrics", refused(400), Ok),
        ("no-metrics", refused(413), Loss),
        ("get", Said::status(405, ""), Ok),
        ("get", Said::status(500, ""), Cosmetic),
    ] {
        let status = said.0.status;
        let finding = judged(name, said);
        assert_eq!(finding.verdict, verdict, "{name} {status}: {finding:?}");
    }
    for said in [Said::status(204, ""), Said::status(302, ""), refused(404)] {
        let finding = judged("missing-key", said);
        assert!(finding.notes[0].contains("401 or 403"), "what a refusal is: {finding:?}");
    }
    let kept = judged("no-metrics", Said::status(200, GOOD));
    assert!(kept.notes.join("").contains("cannot be seen"), "{kept:?}");
    let unclear = judged("no-metrics", Said::status(200, "OK"));
    assert!(!unclear.notes.join("").contains("cannot be seen"), "it was no yes: {unclear:?}");
}

/// *Scenario:* no answer, for each reason; a repeat that is answered differently the second time; words
/// with control characters.
/// *Guarantees:* a good delivery stalls; the worst answer of several decides, and both are told; what
/// a receiver says reaches no terminal raw.
#[test]
fn silence_repeats_and_words() {
    let silent = |name: &str, silence| {
        judge(case(name), &[(first(name), Outcome::Silence(silence))]).verdict
    };
    for silence in [Silence::Timeout, Silence::Closed, Silence::Refused, Silence::Garbled] {
        assert_eq!(silent("json", silence), Verdict::Stall);
    }
    assert_eq!(silent("cut-gzip", Silence::Closed), Verdict::Cosmetic);
    assert_eq!(silent("cut-gzip", Silence::Timeout), Verdict::Stall);
    let delivery = first("repeat");
    let yes = GOOD.replace("ID", &delivery.request_id);
    let said =
        |status, body: &str| (delivery.clone(), Outcome::Answer(Said::status(status, body).0));
    let finding = judge(case("repeat"), &[said(200, &yes), said(409, "seen\u{1b}[2J")]);
    assert_eq!((finding.verdict, finding.did.as_str()), (Verdict::Stall, "200, 409"));
    assert!(finding.notes.iter().any(|note| note == r#"it said "seen\u{1b}[2J""#), "{finding:?}");
    let finding = judge(case("repeat"), &[said(200, &yes), said(200, &yes)]);
    assert_eq!((finding.verdict, finding.did.as_str()), (Verdict::Ok, "200, 2 times"));
    assert_eq!(finding.notes.len(), 1, "{finding:?}");
}
