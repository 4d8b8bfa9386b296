//! Every form an object is found in, in every separation and container.

use std::io::Cursor;

use codec::container::{CONTAINERS, Compressor};

use super::{Form, Found, Opened, Stop, read};
use crate::replay::kept::{Kept, Kind};

const LINE: &str = r#"{"metric_stream_name":"m","account_id":"111122223333","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"Sent","dimensions":{"QueueName":"q"},"timestamp":1795176000000,"value":{"max":1.0,"min":1.0,"sum":1.0,"count":1.0},"unit":"Count"}"#;

/// What is found in an object: records, broken pieces by place, reasons of what is left out.
#[derive(Debug, Default)]
struct Harvest {
    kept: Vec<Kept>,
    broken: Vec<String>,
    left_out: Vec<&'static str>,
    unreadable: bool,
}

fn harvest(bytes: &[u8]) -> Harvest {
    let mut harvest = Harvest::default();
    let opened = Opened {
        name: "object".into(),
        time_ms: 77,
        stream: "by-name".to_owned(),
        bytes: Box::new(Cursor::new(bytes.to_vec())),
    };
    let ended = read(opened, &mut |found| {
        match found {
            Found::Kept(kept) => harvest.kept.push(*kept),
            Found::Broken { place, why } => harvest.broken.push(format!("{place}: {why}")),
            Found::LeftOut(reason) => harvest.left_out.push(reason),
        }
        true
    });
    harvest.unreadable = matches!(ended, Err(Stop::Object(_)));
    harvest
}

fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    codec::base64::encode_into(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

/// Firehose's lines as they are known or feared, each with the record `raw`.
fn variations(raw: &[u8]) -> Vec<String> {
    let raw = base64(raw);
    vec![
        format!(
            r#"{{"attemptsMade":9,"arrivalTimestamp":1795175995000,"errorCode":"HttpEndpoint.DestinationException","errorMessage":"Received the following response from the endpoint destination. {{\"requestId\":1}}","attemptEndingTimestamp":1795176250000,"rawData":"{raw}","subsequenceNumber":0,"dataId":"49607357361271740811418664280693044274821622880012337186.0"}}"#
        ),
        format!(
            r#"{{"attemptsMade":4,"arrivalTimestamp":1795175995000,"errorCode":"Lambda.FunctionError","errorMessage":"The Lambda function was successfully invoked but it returned an error result.","attemptEndingTimestamp":1795176250000,"rawData":"{raw}","lambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:f:$LATEST"}}"#
        ),
        format!(
            r#"{{"attemptsMade":"1","arrivalTimestamp":"1795175995000","lastErrorCode":"DataFormatConversion.MalformedData","lastErrorMessage":"m","attemptEndingTimestamp":"1795176250000","rawData":"{raw}","sequenceNumber":"496","subSequenceNumber":3,"dataCatalogTable":{{"catalogId":null}}}}"#
        ),
        format!(
            r#"{{"ErrorCode":"S3.AccessDenied","ErrorMessage":"m","rawData":"{raw}","EventId":"1"}}"#
        ),
    ]
}

/// *Scenario:* each of Firehose's lines, alone and together, in every separation and container; the
/// record in JSON, in both OTel formats of the captures, and empty.
/// *Guarantees:* all are read, with code, arrival and identity; nothing is broken.
#[test]
fn firehose_lines_in_all_variations() {
    let mut raws = vec![LINE.as_bytes().to_vec(), Vec::new()];
    for name in ["frame-otel-0.7.bin", "frame-otel-1.0.bin"] {
        raws.extend(testkit::testdata(name));
    }
    for raw in raws {
        let lines = variations(&raw);
        for separator in ["\n", "\r\n", "", "\n\n", " "] {
            for end in ["", "\n", "\r\n"] {
                let object = lines.join(separator) + end;
                let harvest = harvest(object.as_bytes());
                assert_eq!((harvest.broken.len(), harvest.kept.len()), (0, 4), "{harvest:?}");
                assert!(harvest.kept.iter().all(|kept| kept.data == raw));
                assert!(harvest.kept.iter().all(|kept| kept.kind == Kind::Firehose));
            }
        }
    }
    let harvest = harvest(variations(b"x").join("\n").as_bytes());
    let codes: Vec<&str> = harvest.kept.iter().map(|kept| kept.code.as_str()).collect();
    let conversion = "DataFormatConversion.MalformedData";
    let expected = [
        "HttpEndpoint.DestinationException",
        "Lambda.FunctionError",
        conversion,
        "S3.AccessDenied",
    ];
    assert_eq!(codes, expected);
    let arrivals: Vec<i64> = harvest.kept.iter().map(|kept| kept.arrival_ms).collect();
    assert_eq!(arrivals, [1_795_175_995_000, 1_795_175_995_000, 1_795_175_995_000, 77]);
    assert_eq!(harvest.kept[2].data_id, "496.3");
    assert!(harvest.kept.iter().all(|kept| kept.stream == "by-name"));
}

/// *Scenario:* failed records and archived metrics as people's tools leave them: a list, on one line or
/// on many, of one or of eight; a byte order mark; both.
/// *Guarantees:* all are read, as what they are.
#[test]
fn lists_and_marks() {
    for count in [1, 6, 8] {
        for (line, kind) in
            [(variations(b"x").remove(0), Kind::Firehose), (LINE.to_owned(), Kind::Records)]
        {
            let lines = vec![line; count];
            for list in [
                format!("[{}]", lines.join(",")),
                format!("[\n  {}\n]\n", lines.join(",\n  ")),
                lines.join("\n"),
            ] {
                for object in [format!("\u{feff}{list}"), list] {
                    let harvest = harvest(object.as_bytes());
                    assert_eq!(harvest.broken, Vec::<String>::new(), "{object}");
                    assert!(harvest.kept.iter().all(|kept| kept.kind == kind), "{harvest:?}");
                    let found = match kind {
                        Kind::Records => points(&harvest.kept),
                        _ => harvest.kept.len() as u64,
                    };
                    assert_eq!(found, count as u64, "{object}");
                }
            }
        }
    }
}

/// *Scenario:* the same object in each container, and cut short in one.
/// *Guarantees:* all give the same records; the cut one gives what came before and says so.
#[test]
fn every_container_is_opened() {
    let object = variations(LINE.as_bytes()).join("\n").repeat(50);
    for container in CONTAINERS {
        let mut packed = Vec::new();
        Compressor::new(container).compress("entry", object.as_bytes(), &mut packed).unwrap();
        let found = harvest(&packed);
        assert_eq!((found.kept.len(), found.unreadable), (200, false), "{container}");
    }
    let mut packed = Vec::new();
    codec::gzip::Deflater::new(6).gzip(object.as_bytes(), &mut packed);
    let found = harvest(&packed[..packed.len() - 9]);
    assert!(found.unreadable && found.kept.len() >= 199, "{}", found.kept.len());
}

/// *Scenario:* lines of ours: half delivered, wholly undelivered, nothing undelivered, with ranges
/// out of order; between them damage.
/// *Guarantees:* only what was not delivered is asked for; damage is named by line and passed.
#[test]
fn lines_of_ours() {
    let raw = base64(LINE.as_bytes());
    let line = |undelivered: &str| {
        format!(
            r#"{{"attemptsMade":1,"arrivalTimestamp":5,"errorCode":"Dynatrace.TooOld","errorMessage":"m","attemptEndingTimestamp":6,"rawData":"{raw}","subsequenceNumber":0,"dataId":"aws-1-0.0","hydrant":{{"version":1,"stream":"s","source":"aws","topic":"aws","sequence":1,"record":0,"requestId":"r","sourceArn":"arn","attributes":{{"a":"b"}},"points":9,"undelivered":{undelivered}}}}}"#
        )
    };
    let object = [
        line("[[0,9]]"),
        "{\"rawData\":\"c3VjaA==".to_owned(),
        line("[[5,7],[1,2],[6,8],[3,3]]"),
        line("[]"),
        "no json at all".to_owned(),
        "{\"rawData\":\"***\"}".to_owned(),
    ]
    .join("\n");
    let harvest = harvest(object.as_bytes());
    let wanted: Vec<&[(u32, u32)]> = harvest.kept.iter().map(|k| &*k.undelivered).collect();
    assert_eq!(wanted, [&[][..], &[(1, 2), (5, 8)]]);
    let kept = &harvest.kept[0];
    assert_eq!(
        (kept.kind, kept.stream.as_str(), kept.source.as_str()),
        (Kind::Hydrant, "s", "aws")
    );
    assert_eq!((kept.source_arn.as_str(), kept.request_id.as_str()), ("arn", "r"));
    assert_eq!(kept.attributes, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(harvest.left_out, ["nothing_undelivered"]);
    let places: Vec<&str> =
        harvest.broken.iter().map(|told| told.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["object:2", "object:5", "object:6"], "{:?}", harvest.broken);
    assert!(!harvest.broken.join("").contains("c3VjaA"), "content is not told");
    assert_ne!(harvest.kept[0].id(), harvest.kept[1].id());
}

/// *Scenario:* a quarantine file: a point, a piece that decodes now, one that still does not, the
/// line of a request, a whole request, and a line without data.
/// *Guarantees:* what holds points is put back; the rest is left out by its reason.
#[test]
fn quarantine_lines() {
    let head = r#""time":"2026-11-20T12:00:00.000Z","stream":"s","source":"aws","topic":"aws","sequence":4,"record":1,"item":2"#;
    let escaped = serde_json::to_string(LINE).unwrap();
    let object = [
        format!(r#"{{{head},"reason":"too_old","detail":"","text":{escaped}}}"#),
        format!(
            r#"{{{head},"offset":3,"reason":"malformed_json","detail":"d","data":"{}"}}"#,
            base64(LINE.as_bytes())
        ),
        format!(
            r#"{{{head},"reason":"malformed_frame","detail":"d","data":"{}"}}"#,
            base64(b"\x01\x02\x03")
        ),
        format!(
            r#"{{{head},"reason":"refused","detail":"bad","text":"cloud.aws.sqs,dt=x gauge,1"}}"#
        ),
        format!(
            r#"{{{head},"reason":"refused_request","detail":"1 of 2","data":"{}"}}"#,
            base64(b"a.b,c=d 1\n")
        ),
        format!(r#"{{{head},"reason":"unreadable_entry","detail":"kept in a file"}}"#),
    ]
    .join("\n");
    let harvest = harvest(object.as_bytes());
    assert_eq!((harvest.kept.len(), harvest.broken.len()), (2, 0), "{harvest:?}");
    assert_eq!(harvest.kept[0].data, format!("{LINE}\n").into_bytes());
    assert_eq!(
        (harvest.kept[0].code.as_str(), harvest.kept[0].arrival_ms),
        ("too_old", 1_795_176_000_000)
    );
    let expected = ["not_decodable", "text_of_a_request", "text_of_a_request", "no_data_kept"];
    assert_eq!(harvest.left_out, expected);

    // What a source set aside: the index of files that lie beside it.
    let line = r#"{"time":"2026-11-20T12:00:00.000Z","source":"s","object":"s3://b/k","reason":"noise","detail":"","remedy":"look","offset":0,"length":9,"kept":9,"file":"x.bin"}"#;
    let harvest = self::harvest(format!("{line}\n{line}\n").as_bytes());
    assert_eq!((harvest.kept.len(), harvest.broken.len()), (0, 0), "{harvest:?}");
    assert_eq!(harvest.left_out, ["no_data_kept"; 2]);
}

/// *Scenario:* archives of records: JSON lines and OTel frames of several MiB back to back, with
/// and without a delimiter, one with damage in the middle.
/// *Guarantees:* pieces of about a MiB that hold the same points as the whole; damage costs its bytes.
#[test]
fn archives_are_cut_between_metrics() {
    for format in [metric::Format::Json, metric::Format::Otel07, metric::Format::Otel10] {
        for delimiter in [&b""[..], b"\n"] {
            let options = rehearsal::payload::Options {
                metrics: 12_000,
                series: 12_000,
                ..rehearsal::payload::Options::default()
            };
            let object = rehearsal::payload::records(&options, format).join(delimiter);
            let found = harvest(&object);
            assert!(object.len() > 2 << 20 && found.kept.len() >= 3, "{}", found.kept.len());
            assert!(found.kept.iter().all(|kept| kept.data.len() <= 1 << 20));
            assert_eq!(points(&found.kept), 12_000, "{format:?}");
            assert_eq!((found.broken.len(), found.kept[0].kind), (0, Kind::Records));
        }
    }
}

/// *Scenario:* an archive whose compression is cut short right behind a metric, within a line.
/// *Guarantees:* that metric is put back, as every one before it; the half of the next is not.
#[test]
fn the_last_whole_metric_before_damage_is_kept() {
    for (cut, whole) in [(LINE.len() * 2, 2), (LINE.len() * 2 + 40, 2), (LINE.len() * 2 - 1, 1)] {
        let object = LINE.repeat(2) + LINE.get(..40).unwrap();
        let stored = gzip_stored(&object.as_bytes()[..cut]);
        let found = harvest(&stored);
        assert_eq!((points(&found.kept), found.unreadable), (whole, true), "{cut}: {found:?}");
    }
}

/// The beginning of a gzip member that holds these bytes as they are, and should go on.
fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0];
    let length = (bytes.len() + 1000) as u16;
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out
}

fn points(kept: &[Kept]) -> u64 {
    struct Count(u64);
    impl metric::Visit for Count {
        fn point(&mut self, _: &metric::Point<'_>) {
            self.0 += 1;
        }
        fn reject(&mut self, _: &metric::Reject<'_>) {}
    }
    let mut count = Count(0);
    kept.iter().for_each(|kept| metric::Decoder::new().decode(&kept.data, &mut count));
    count.0
}

/// *Scenario:* objects that are no backups: nothing, a delivery's body, log data, a picture.
/// *Guarantees:* the empty one holds nothing; the others are broken, with what they are.
#[test]
fn other_objects_are_named() {
    assert_eq!(Form::of(b" \n"), Form::Empty);
    let logs = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","logEvents":[]}"#;
    for (object, told) in [
        (r#"{"requestId":"r","timestamp":1,"records":[{"data":""}]}"#, "Firehose delivery"),
        (logs, "CloudWatch Logs"),
        ("\u{89}PNG\r\n\u{1a}\n", "nothing that is known"),
    ] {
        let harvest = harvest(object.as_bytes());
        assert_eq!((harvest.kept.len(), harvest.broken.len()), (0, 1));
        assert!(harvest.broken[0].contains(told), "{:?}", harvest.broken);
    }
}
