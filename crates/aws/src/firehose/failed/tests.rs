//! Failed-record lines: ours to the byte, and others' in the forms they are found in.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{FailedFault, FailedRecord, Origin, read, write};

fn record(raw_data: &str) -> FailedRecord {
    FailedRecord {
        attempts_made: 9,
        arrival_timestamp: 1_795_175_995_000,
        error_code: "HttpEndpoint.DestinationException".to_owned(),
        error_message: "said \"no\"\n".to_owned(),
        attempt_ending_timestamp: 1_795_176_250_000,
        raw_data: raw_data.to_owned(),
        subsequence_number: 0,
        data_id: "42.0".to_owned(),
        hydrant: None,
    }
}

fn origin() -> Origin {
    Origin {
        version: 1,
        stream: "s".to_owned(),
        source: "aws".to_owned(),
        topic: "aws".to_owned(),
        sequence: 42,
        record: 3,
        request_id: "r".to_owned(),
        source_arn: "arn".to_owned(),
        attributes: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        points: 7,
        undelivered: vec![(0, 2), (5, 7)],
    }
}

/// *Scenario:* a record of ours, without and with its origin.
/// *Guarantees:* AWS's members in AWS's order, one line each; ours is one member more.
#[test]
fn a_line_to_the_byte() {
    let mut out = Vec::new();
    write(&record("aGVsbG8="), &mut out);
    write(&FailedRecord { hydrant: Some(origin()), ..record("") }, &mut out);
    let expected = concat!(
        r#"{"attemptsMade":9,"arrivalTimestamp":1795175995000,"#,
        r#""errorCode":"HttpEndpoint.DestinationException","errorMessage":"said \"no\"\n","#,
        r#""attemptEndingTimestamp":1795176250000,"rawData":"aGVsbG8=","#,
        r#""subsequenceNumber":0,"dataId":"42.0"}"#,
        "\n",
        r#"{"attemptsMade":9,"arrivalTimestamp":1795175995000,"#,
        r#""errorCode":"HttpEndpoint.DestinationException","errorMessage":"said \"no\"\n","#,
        r#""attemptEndingTimestamp":1795176250000,"rawData":"","#,
        r#""subsequenceNumber":0,"dataId":"42.0","#,
        r#""hydrant":{"version":1,"stream":"s","source":"aws","topic":"aws","sequence":42,"#,
        r#""record":3,"requestId":"r","sourceArn":"arn","attributes":{"env":"prod"},"#,
        r#""points":7,"undelivered":[[0,2],[5,7]]}}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
    let records: Result<Vec<FailedRecord>, FailedFault> = read(&out).collect();
    let with_origin = FailedRecord { hydrant: Some(origin()), ..record("") };
    assert_eq!(records, Ok(vec![record("aGVsbG8="), with_origin]));
}

/// *Scenario:* objects separated by LF, CRLF, blank lines or nothing, with or without a last line
/// end, one pretty-printed.
/// *Guarantees:* all are read.
#[test]
fn any_separation() {
    let mut one = Vec::new();
    write(&record("QQ=="), &mut one);
    let line = String::from_utf8(one).unwrap().trim_end().to_owned();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    for object in [
        format!("{line}\n{line}\n{line}\n"),
        format!("{line}\n{line}\n{line}"),
        format!("{line}\r\n{line}\r\n{line}\r\n"),
        format!("{line}{line}{line}"),
        format!("\n\n{line}\n \n{line} {line}\n\n"),
        format!("{pretty}\n{line}\r\n{pretty}"),
    ] {
        let records: Result<Vec<FailedRecord>, FailedFault> = read(object.as_bytes()).collect();
        assert_eq!(records, Ok(vec![record("QQ=="); 3]), "{object}");
    }
    assert_eq!(read(b"").count() + read(b" \r\n\n").count(), 0);
}

/// *Scenario:* lines in the forms of Lambda, format conversion and OpenSearch, numbers in quotes.
/// *Guarantees:* they become the one form; only `rawData` is required.
#[test]
fn other_families_are_normalised() {
    let one = |line: &str| read(line.as_bytes()).next().unwrap();
    let lambda = one(
        r#"{"attemptsMade":4,"arrivalTimestamp":1,"errorCode":"Lambda.FunctionError","errorMessage":"m","attemptEndingTimestamp":2,"rawData":"QQ==","lambdaArn":"arn:aws:lambda"}"#,
    )
    .unwrap();
    assert_eq!((lambda.attempts_made, lambda.error_code.as_str()), (4, "Lambda.FunctionError"));
    assert_eq!((lambda.data_id.as_str(), lambda.subsequence_number), ("", 0));
    let conversion = one(
        r#"{"attemptsMade":"1","arrivalTimestamp":"1","lastErrorCode":"DataFormatConversion.X","lastErrorMessage":"m","attemptEndingTimestamp":2,"rawData":"QQ==","sequenceNumber":"49607357361271740811418664280693044274821622880012337186","subSequenceNumber":2,"dataCatalogTable":{"catalogId":null,"databaseName":"d"}}"#,
    )
    .unwrap();
    assert_eq!(conversion.error_code, "DataFormatConversion.X");
    assert_eq!(conversion.error_message, "m");
    assert_eq!(conversion.arrival_timestamp, 1);
    let id = "49607357361271740811418664280693044274821622880012337186.2";
    assert_eq!((conversion.data_id.as_str(), conversion.subsequence_number), (id, 2));
    let capital = one(r#"{"ErrorCode":"C","ErrorMessage":"M","rawData":""}"#).unwrap();
    assert_eq!((capital.error_code.as_str(), capital.error_message.as_str()), ("C", "M"));
}

/// *Scenario:* an object with damage between good lines: cut, no JSON, wrong types, no raw data.
/// *Guarantees:* each piece is named with its offset and nothing of its content, and reading goes
/// on at the next line.
#[test]
fn damage_is_named_and_passed() {
    let mut good = Vec::new();
    write(&record("QQ=="), &mut good);
    let good = String::from_utf8(good).unwrap();
    let object = format!(
        "{good}{{\"rawData\":\"s3cret\n{good}s3cret\n{{\"rawData\":7}}\n{{\"attemptsMade\":-1,\"rawData\":\"\"}}\n{{}}\n{{\"attemptsMade\":\"x\",\"rawData\":\"\"}}\n{good}{{\"rawData\":\"s3cret\""
    );
    let mut faults = Vec::new();
    let mut records = 0;
    for item in read(object.as_bytes()) {
        match item {
            Ok(found) => {
                assert_eq!(found, record("QQ=="));
                records += 1;
            }
            Err(fault) => faults.push(fault),
        }
    }
    assert_eq!(records, 3);
    let whats: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "the failed record is unreadable: it is not valid JSON",
            "the failed record is unreadable: expected the `{` that begins an object",
            "the failed record is unreadable: a member of it has the wrong type",
            "`attemptsMade` of the failed record is out of range",
            "the failed record has no `rawData`",
            "`attemptsMade` of the failed record is no number",
            "the failed record is unreadable: it is cut short",
        ]
    );
    for fault in &faults {
        let at = fault.offset as usize;
        assert!(at == 0 || object.as_bytes()[at - 1] == b'\n', "{fault}");
    }
}

/// *Scenario:* thousands of lines that each look like the start of something long.
/// *Guarantees:* reading ends, and each line is judged once.
#[test]
fn unfinished_lines_do_not_run_away() {
    for line in ["{\"a\":[\n", "{\n", "{\"a\":\"\n", "{\"rawData\":{\"x\":[1,\n"] {
        let object = line.repeat(5000);
        assert!(read(object.as_bytes()).all(|item| item.is_err()));
        assert!(read(object.as_bytes()).count() <= 5000);
    }
}

/// Gives its bytes in pieces of a given size.
struct Drip<'a>(&'a [u8], usize);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(self.1).min(self.0.len());
        let (now, rest) = self.0.split_at(n);
        out[..n].copy_from_slice(now);
        self.0 = rest;
        Ok(n)
    }
}

/// *Scenario:* an object of many records, larger than the window, with damage and pretty-printed
/// pieces, read in small pieces.
/// *Guarantees:* the stream gives what the slice gives, with the right offsets and lines.
#[test]
fn a_stream_reads_as_the_whole_does() {
    let mut one = Vec::new();
    write(&record(&"QUJD".repeat(40_000)), &mut one);
    let line = String::from_utf8(one).unwrap();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let broken = "{\"rawData\":\n";
    let object = format!("{line}{broken}{pretty}\r\n{line}{}", line.trim_end()).repeat(3);
    let whole: Vec<Result<FailedRecord, FailedFault>> = read(object.as_bytes()).collect();
    assert_eq!(whole.iter().filter(|item| item.is_ok()).count(), 12);
    let mut stream = super::stream(Drip(object.as_bytes(), 1000));
    let mut found = Vec::new();
    while let Some(item) = stream.read_next().unwrap() {
        let before = &object.as_bytes()[..item.offset as usize];
        let feeds = before.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(item.line, feeds + 1);
        found.push(item.value.map_err(|what| FailedFault { offset: item.offset, what }));
    }
    assert_eq!(found, whole);
}

/// *Scenario:* a stream that fails within the third record.
/// *Guarantees:* the two before it are given, then the failure, then the end.
#[test]
fn a_failing_stream_gives_what_came_before() {
    struct Fails;
    impl std::io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let mut object = Vec::new();
    for _ in 0..3 {
        write(&record("QQ=="), &mut object);
    }
    object.truncate(object.len() - 5);
    let mut stream = super::stream(std::io::Read::chain(&object[..], Fails));
    for _ in 0..2 {
        assert_eq!(stream.read_next().unwrap().unwrap().value, Ok(record("QQ==")));
    }
    assert_eq!(stream.read_next().unwrap_err().to_string(), "gone");
    assert!(stream.read_next().unwrap().is_none());
}

/// *Scenario:* an object that never ends, then a good line.
/// *Guarantees:* it is told as too long, and the good line is read; memory stays bounded.
#[test]
fn an_endless_object_is_passed() {
    let mut good = Vec::new();
    write(&record("QQ=="), &mut good);
    let mut object = format!("{{\"x\":\"{}", "y".repeat(super::OBJECT_BYTES_MAX)).into_bytes();
    object.push(b'\n');
    object.extend_from_slice(&good);
    let mut items = read(&object);
    let fault = items.next().unwrap().unwrap_err();
    assert!(fault.what.contains("longer than 16 MiB"), "{fault}");
    assert_eq!(items.next(), Some(Ok(record("QQ=="))));
    assert_eq!(items.next(), None);
}

proptest! {
    /// *Scenario:* any texts in a record and its origin.
    /// *Guarantees:* one line, which comes back.
    #[test]
    fn what_is_written_is_read(message in ".*", stream in ".*", undelivered: Vec<(u32, u32)>) {
        let written = FailedRecord {
            error_message: message,
            hydrant: Some(Origin { stream, undelivered, ..origin() }),
            ..record("QQ==")
        };
        let mut out = Vec::new();
        write(&written, &mut out);
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        let records: Result<Vec<FailedRecord>, FailedFault> = read(&out).collect();
        prop_assert_eq!(records, Ok(vec![written]));
    }

    /// *Scenario:* a good line with any bytes put into it anywhere.
    /// *Guarantees:* no panic, and every fault lies inside.
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..40), at: prop::sample::Index) {
        let mut object = Vec::new();
        write(&record("QQ=="), &mut object);
        let at = at.index(object.len());
        object.splice(at..at, bytes);
        for item in read(&object) {
            if let Err(fault) = item {
                prop_assert!((fault.offset as usize) < object.len());
            }
        }
    }
}
