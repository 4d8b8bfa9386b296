//! Every shape of envelope, whole and streamed in pieces of any size.

use std::io::Read;

use proptest::prelude::*;

use super::{Envelope, EnvelopeFault, EnvelopeReader, Limits, NESTING_MAX};

const LIMITS: Limits = Limits { records: 10_000, record_text: 1_365_336 };

/// Gives the bytes in pieces of at most this size.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let (now, later) = self.0.split_at(self.1.min(out.len()).min(self.0.len()));
        out[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}

/// The texts and the envelope, or the words of the fault.
type Outcome = Result<(Vec<Vec<u8>>, Envelope), String>;

fn drain(mut reader: EnvelopeReader<'_>) -> Outcome {
    let mut texts = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(text)) => texts.push(text.to_vec()),
            Ok(None) => {
                assert!(matches!(reader.next(), Ok(None)), "the end stays the end");
                assert_eq!(reader.envelope().records as usize, texts.len());
                return Ok((texts, reader.envelope().clone()));
            }
            Err(fault) => {
                assert!(reader.next().is_err(), "a failed reader stays failed");
                return Err(fault.to_string());
            }
        }
    }
}

/// Reads the body whole and as a stream of pieces; all must agree.
#[track_caller]
fn read_with(body: &[u8], limits: Limits) -> Outcome {
    let whole = drain(EnvelopeReader::whole(body, limits));
    for size in [1, 2, 3, 7, 64, 1 << 20] {
        let streamed = drain(EnvelopeReader::stream(Box::new(Pieces(body, size)), limits));
        assert_eq!(whole, streamed, "pieces of {size} bytes");
    }
    whole
}

#[track_caller]
fn read(body: &str) -> Outcome {
    read_with(body.as_bytes(), LIMITS)
}

fn envelope(request_id: Option<&str>, timestamp: Option<i64>, records: u32) -> Envelope {
    Envelope { request_id: request_id.map(str::to_owned), timestamp, records }
}

/// A worked example: two records, one of them empty.
const CANONICAL: &str = r#"{"requestId":"0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10","timestamp":1795176000000,"records":[{"data":"aGVsbG8="},{"data":""}]}"#;

/// *Scenario:* the worked example, and the same pretty-printed.
/// *Guarantees:* its two records (one empty), its id and its time.
#[test]
fn the_canonical_body() {
    let expected = (
        vec![b"aGVsbG8=".to_vec(), vec![]],
        envelope(Some("0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10"), Some(1_795_176_000_000), 2),
    );
    assert_eq!(read(CANONICAL), Ok(expected.clone()));
    let value: serde_json::Value = serde_json::from_str(CANONICAL).unwrap();
    assert_eq!(read(&serde_json::to_string_pretty(&value).unwrap()), Ok(expected.clone()));
    let mut spaced = String::new();
    for character in CANONICAL.chars() {
        match character {
            '{' | '}' | '[' | ']' | ':' | ',' => spaced += &format!("\r\n\t {character} \n"),
            other => spaced.push(other),
        }
    }
    assert_eq!(read(&spaced), Ok(expected));
}

/// *Scenario:* keys in any order, `requestId` and `timestamp` after the records or absent.
/// *Guarantees:* the order does not matter, and only `records` must be there.
#[test]
fn keys_in_any_order() {
    let one = vec![b"QQ==".to_vec()];
    let records = r#""records":[{"data":"QQ=="}]"#;
    let id = r#""requestId":"r""#;
    let time = r#""timestamp":5"#;
    for body in [
        format!("{{{id},{time},{records}}}"),
        format!("{{{records},{id},{time}}}"),
        format!("{{{time},{records},{id}}}"),
    ] {
        assert_eq!(read(&body), Ok((one.clone(), envelope(Some("r"), Some(5), 1))));
    }
    assert_eq!(read(&format!("{{{records}}}")), Ok((one, envelope(None, None, 1))));
    assert_eq!(read(r#"{"records":[]}"#), Ok((vec![], envelope(None, None, 0))));
    assert_eq!(read(r#"{"records":[ ], "timestamp":1}"#), Ok((vec![], envelope(None, Some(1), 0))));
}

/// *Scenario:* unknown keys beside the known ones, at every level, with every kind of value.
/// *Guarantees:* they are skipped, also before and after `data` in a record.
#[test]
fn unknown_keys_are_skipped() {
    let odd =
        r#"[{"data":"no","records":[1,-2.5e+10,0.0E-1]},"\"\\\u00e9]}",null,true,false,{}, [] ]"#;
    let body = format!(
        r#"{{"a":{odd},"requestId":"x","a":{odd},"records":[{{"b":{odd},"data":"QQ==","c":{odd}}},{{"data":"Qg=="}}],"a_key_that_is_longer_than_any_known_one":{odd}}}"#
    );
    let texts = vec![b"QQ==".to_vec(), b"Qg==".to_vec()];
    assert_eq!(read(&body), Ok((texts, envelope(Some("x"), None, 2))));
}

/// *Scenario:* escapes in keys, in the id and in the text of records.
/// *Guarantees:* they are resolved; base64's own `/` may come as `\/` or by its code.
#[test]
fn escapes_are_resolved() {
    let body = r#"{"reque\u0073tId":"a\"\\\/\b\f\n\r\tEACUTE\u20ac\ud83d\ude00","\u0072ecords":[{"data":"ab\/\u002f+w=="},{"\u0064ata":"QQ=="}]}"#
    .replace("EACUTE", "\u{e9}");
    let id = "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{20ac}\u{1f600}";
    let texts = vec![b"ab//+w==".to_vec(), b"QQ==".to_vec()];
    assert_eq!(read(&body), Ok((texts, envelope(Some(id), None, 2))));
}

/// *Scenario:* times that are not whole numbers in range.
/// *Guarantees:* they are no time, and no fault: AWS does not require one.
#[test]
fn odd_timestamps_are_no_fault() {
    for time in ["1.5", "1e3", "\"5\"", "null", "9223372036854775808", "[]", "-1.0"] {
        let body = format!(r#"{{"timestamp":{time},"records":[]}}"#);
        assert_eq!(read(&body), Ok((vec![], envelope(None, None, 0))), "{time}");
    }
    for (time, number) in [("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", i64::MAX)] {
        let body = format!(r#"{{"timestamp":{time},"records":[]}}"#);
        assert_eq!(read(&body), Ok((vec![], envelope(None, Some(number), 0))), "{time}");
    }
}

/// *Scenario:* bodies that are no delivery.
/// *Guarantees:* each is refused with what was expected and the byte where it was not found.
#[test]
fn malformed_bodies_say_what_and_where() {
    for (body, message) in [
        ("", "expected the `{` of a Firehose delivery, found the end of the body at byte 0"),
        ("[]", "expected the `{` of a Firehose delivery at byte 0"),
        ("{}", "the delivery has no `records` at byte 2"),
        ("{", "expected a key in quotes, found the end of the body at byte 1"),
        (r#"{"requestId":"r"}"#, "the delivery has no `records` at byte 17"),
        (r#"{"requestId":7,"records":[]}"#, "expected `requestId` to be a string at byte 13"),
        (r#"{"records":{}}"#, "expected the `[` of `records` at byte 11"),
        (r#"{"records":[1]}"#, "expected the `{` of a record at byte 12"),
        (r#"{"records":[{}]}"#, "record 0 has no `data` at byte 14"),
        (r#"{"records":[{"data":1}]}"#, "expected `data` to be a base64 string at byte 20"),
        (r#"{"records":[{"data":{}}]}"#, "expected `data` to be a base64 string at byte 20"),
        (r#"{"records":[{"data":"a","data":"b"}]}"#, "`data` comes twice in a record at byte 31"),
        (r#"{"records":[],"records":[]}"#, "`records` comes twice at byte 24"),
        (r#"{"timestamp":1,"timestamp":1}"#, "`timestamp` comes twice at byte 27"),
        (r#"{"requestId":"","requestId":""}"#, "`requestId` comes twice at byte 28"),
        (r#"{"records":[]} x"#, "expected nothing after the delivery at byte 15"),
        (r#"{"records":[]}{"records":[]}"#, "expected nothing after the delivery at byte 14"),
        (r#"{"records":[],}"#, "expected a key in quotes at byte 14"),
        (r#"{"records":[{"data":""},]}"#, "expected the `{` of a record at byte 24"),
        (
            r#"{"records":[{"data":""}{"data":""}]}"#,
            "expected `,` or `]` after a record at byte 23",
        ),
        (r#"{"records":[{"data":""};]}"#, "expected `,` or `]` after a record at byte 23"),
        (r#"{"records":[{"data":"" "x":1}]}"#, "expected `,` or `}` at byte 23"),
        (
            r#"{"records":[{"data":"a"#,
            "expected the closing quote of a string, found the end of the body at byte 22",
        ),
        (r#"{"a":01,"records":[]}"#, "expected `,` or `}` at byte 6"),
        (r#"{"a":-,"records":[]}"#, "expected a digit at byte 6"),
        (r#"{"a":1.,"records":[]}"#, "expected a digit at byte 7"),
        (r#"{"a":nul,"records":[]}"#, "expected `null` at byte 8"),
        (r#"{"a":[1,],"records":[]}"#, "expected a JSON value at byte 8"),
        (r#"{"a":"\x","records":[]}"#, "an unknown escape in a string before this at byte 8"),
        (r#"{"a":"\u12g4","records":[]}"#, "expected four hexadecimal digits at byte 10"),
        (r#"{"a":"\ud800","records":[]}"#, "half a surrogate pair before this at byte 12"),
        ("{\"a\":\"\n\",\"records\":[]}", "a control character in a string at byte 6"),
        ("\u{feff}{\"records\":[]}", "expected the `{` of a Firehose delivery at byte 0"),
    ] {
        assert_eq!(read(body), Err(message.to_owned()), "{body}");
    }
}

/// *Scenario:* the canonical body cut after every one of its bytes.
/// *Guarantees:* never taken for whole.
#[test]
fn a_cut_body_is_refused() {
    for length in 0..CANONICAL.len() {
        let message = read(CANONICAL.get(..length).unwrap()).unwrap_err();
        assert!(message.contains("end of the body"), "{length}: {message}");
    }
}

/// *Scenario:* as many records as the limit, and one more; texts as long as the limit, and longer.
/// *Guarantees:* the limits are exact, also for texts with escapes.
#[test]
fn the_limits_are_exact() {
    let limits = Limits { records: 3, record_text: 8 };
    let body = |records: &[&str]| {
        let list: Vec<String> = records.iter().map(|r| format!(r#"{{"data":"{r}"}}"#)).collect();
        format!(r#"{{"records":[{}]}}"#, list.join(",")).into_bytes()
    };
    assert!(read_with(&body(&["QQ=="; 3]), limits).is_ok());
    assert_eq!(read_with(&body(&["QQ=="; 4]), limits), Err("more than 3 records".to_owned()));
    assert!(read_with(&body(&["", "12345678"]), limits).is_ok());
    assert!(read_with(&body(&["", r"\u0041234567\/"]), limits).is_ok());
    for text in ["123456789", r"\/23456789", r"1234567\/9", &"x".repeat(300_000)] {
        let message = "record 1 is longer than 8 base64 characters".to_owned();
        assert_eq!(read_with(&body(&["", text]), limits), Err(message));
    }
    let long = format!(r#"{{"requestId":"{}","records":[]}}"#, "r".repeat(1025));
    assert!(read(&long).unwrap_err().contains("`requestId` is longer than 1024 bytes"));
}

/// *Scenario:* unknown values nested as deep as allowed and deeper, up to a megabyte of brackets.
/// *Guarantees:* a fault, no exhausted stack.
#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        format!(r#"{{"a":{}{},"records":[]}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(read(&nested(NESTING_MAX as usize)).is_ok());
    let message = read(&nested(NESTING_MAX as usize + 1)).unwrap_err();
    assert_eq!(message, "values nested more than 32 deep at byte 37");
    let deep = nested(500_000);
    assert!(drain(EnvelopeReader::whole(deep.as_bytes(), LIMITS)).is_err());
}

/// *Scenario:* records longer than the first window of a stream, with little ones between.
/// *Guarantees:* the window grows to them and no further than one record and the slack.
#[test]
fn the_window_grows_to_a_record() {
    let long = "QUJD".repeat(100_000);
    let body = format!(r#"{{"records":[{{"data":"A"}},{{"data":"{long}"}},{{"data":"B"}}]}}"#);
    let (texts, _) = read(&body).unwrap();
    let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 400_000, 1]);
}

/// *Scenario:* the layer below a stream fails.
/// *Guarantees:* its error comes out as it was.
#[test]
fn a_read_error_is_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from(std::io::ErrorKind::TimedOut))
        }
    }
    let start = Pieces(&CANONICAL.as_bytes()[..100], 10);
    let mut reader = EnvelopeReader::stream(Box::new(start.chain(Broken)), LIMITS);
    let fault = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the body is cut"),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, EnvelopeFault::Read(e) if e.kind() == std::io::ErrorKind::TimedOut));
}

/// *Scenario:* the real capture, when the test data is there.
/// *Guarantees:* its 4 records of metric-stream JSON, pretty-printed as it is.
#[test]
fn the_real_capture() {
    let Some(body) = testkit::testdata("telegraf-firehose-json.json") else { return };
    let (texts, envelope) = read_with(&body, LIMITS).unwrap();
    assert_eq!(envelope.request_id.as_deref(), Some("c8291d2e-8c46-4f2a-a8df-2562550287ad"));
    assert_eq!((envelope.timestamp, envelope.records), (Some(1_651_679_861_072), 4));
    let mut plain = Vec::new();
    let mut lines = 0;
    for text in &texts {
        codec::base64::decode_into(text, &mut plain).unwrap();
        lines += plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    }
    assert_eq!(lines, 1160);
}

/// A small deterministic source of numbers; the seed is in the message of a failing case.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// *Scenario:* 20,000 bodies made of good ones by changing, inserting, cutting and repeating bytes.
/// *Guarantees:* no panic; whole and streamed agree; what serde_json refuses or reads otherwise is
/// never taken.
#[test]
fn mutated_bodies_agree_with_serde_json() {
    let seeds = [
        CANONICAL.to_owned(),
        r#"{ "x":[{"y":-1.5e3},"\u00e9\\"], "records":[ {"k":null,"data":"ab\/d","z":[]} ], "timestamp":12, "requestId":"r"}"#.to_owned(),
    ];
    let odd = b"{}[]:,\"\\ \n0-.eEtu1a/";
    let mut state = 1;
    for case in 0..20_000_u64 {
        let mut body = seeds[(case % 2) as usize].clone().into_bytes();
        for _ in 0..=splitmix(&mut state) % 3 {
            let at = (splitmix(&mut state) as usize) % body.len();
            let byte = odd[(splitmix(&mut state) as usize) % odd.len()];
            match splitmix(&mut state) % 4 {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                2 => drop(body.remove(at)),
                _ => {
                    let piece = body[at..(at + 9).min(body.len())].to_vec();
                    body.splice(at..at, piece);
                }
            }
        }
        let whole = drain(EnvelopeReader::whole(&body, LIMITS));
        let size = 1 + (splitmix(&mut state) as usize) % 9;
        let stream = EnvelopeReader::stream(Box::new(Pieces(&body, size)), LIMITS);
        assert_eq!(whole, drain(stream), "case {case}");
        if let Ok((texts, envelope)) = whole {
            agree_with_serde_json(&body, &texts, &envelope);
        }
    }
}

#[track_caller]
fn agree_with_serde_json(body: &[u8], texts: &[Vec<u8>], envelope: &Envelope) {
    let shown = String::from_utf8_lossy(body);
    // A control character in the text of a record is left for base64 to refuse.
    if texts.iter().flatten().any(|byte| *byte < 0x20) {
        return;
    }
    let value: serde_json::Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        // Good JSON, but no double holds it.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        Err(error) => panic!("taken though it is no JSON: {error}: {shown}"),
    };
    let records: Vec<Vec<u8>> = value["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["data"].as_str().unwrap().as_bytes().to_vec())
        .collect();
    assert_eq!(records, texts, "{shown}");
    assert_eq!(value["requestId"].as_str(), envelope.request_id.as_deref(), "{shown}");
    assert_eq!(value["timestamp"].as_i64(), envelope.timestamp, "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// *Scenario:* any id, time and records, as our own sender writes them.
    /// *Guarantees:* they come back, whole or streamed.
    #[test]
    fn what_a_sender_writes_comes_back(
        id in ".{0,40}",
        time in any::<i64>(),
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
    ) {
        let mut body = Vec::new();
        crate::firehose::request::body(&id, time, &records, &mut body);
        let (texts, envelope) = read_with(&body, LIMITS).unwrap();
        prop_assert_eq!(envelope.request_id, Some(id));
        prop_assert_eq!(envelope.timestamp.or(Some(i64::MIN)), Some(time));
        let mut plain = Vec::new();
        prop_assert_eq!(texts.len(), records.len());
        for (text, record) in texts.iter().zip(&records) {
            codec::base64::decode_into(text, &mut plain).unwrap();
            prop_assert_eq!(&plain, record);
        }
    }

    /// *Scenario:* any bytes, and any bytes inside an envelope.
    /// *Guarantees:* no panic, and whole and streamed agree.
    #[test]
    fn any_bytes_are_judged_alike(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read_with(&bytes, LIMITS));
        drop(read_with(&[b"{\"records\":[{\"data\":\"", &bytes[..], b"\"}]}"].concat(), LIMITS));
        drop(read_with(&[b"{\"x\":", &bytes[..], b",\"records\":[]}"].concat(), LIMITS));
    }
}
