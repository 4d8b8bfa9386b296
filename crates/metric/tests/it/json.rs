//! Records of JSON in any layout, and bad lines.

use metric::Reason;

use crate::common::{GOLDEN_JSON, Item, Sample, items, lambda_duration, points, split};

/// The golden line without its line feed.
fn line() -> &'static str {
    GOLDEN_JSON.trim_end()
}

fn golden() -> Sample {
    Sample { exporter_arn: String::new(), end_ns: None, ..lambda_duration() }
}

/// The golden line with one piece replaced.
#[track_caller]
fn with(from: &str, to: &str) -> String {
    assert!(line().contains(from), "{from}");
    line().replacen(from, to, 1)
}

/// *Scenario:* the golden metric in other layouts: spread over lines, spaced, keys in another
/// order, escapes, unknown keys, no line feed, several objects on one line, CRLF, empty lines, in an
/// array, behind a byte order mark.
/// *Guarantees:* each gives the same metric.
#[test]
fn any_layout_is_read() {
    let value: serde_json::Value = serde_json::from_str(line()).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let sorted = serde_json::to_string(&value).expect("JSON");
    assert_ne!(sorted, line());
    for (text, count) in [
        (line().to_owned(), 1),
        (pretty.clone(), 1),
        (format!("{pretty}\n{pretty}\r\n{pretty}"), 3),
        (sorted, 1),
        (line().replace(':', " : ").replace("arn : ", "arn:"), 1),
        (with("\"Duration\"", "\"\\u0044ura\\u0074ion\""), 1),
        (with("AWS/Lambda", "AWS\\/Lambda"), 1),
        (with("{\"metric_stream", "{\"x\":{\"y\":[1,{\"z\":null}]},\"metric_stream"), 1),
        (with("1795178040000", "1.79517804E12"), 1),
        (with("1795178040000", "1795178040000.0"), 1),
        (with("\"max\":10.0,\"min\":0.0", "\"min\":0,\"max\":10"), 1),
        (format!("{}{}", line(), line()), 2),
        (format!("{} {}\t{}\n", line(), line(), line()), 3),
        (format!("\r\n\n{}\r\n\r\n\n{}\n\n", line(), line()), 2),
        (format!("  {}", line()), 1),
        (format!("[{},{}]", line(), line()), 2),
        (format!("[\n  {pretty},\n  {pretty}\n]\n"), 2),
        (format!("{},\n{},\n", line(), line()), 2),
        (format!("\u{feff}{GOLDEN_JSON}{GOLDEN_JSON}"), 2),
    ] {
        assert_eq!(points(text.as_bytes()), vec![golden(); count], "{text}");
    }
}

/// *Scenario:* escapes and text beyond ASCII in every kind of text.
/// *Guarantees:* they are decoded, in the fast and the tolerant reader.
#[test]
fn text_is_unescaped() {
    let text = with("\"FunctionName\":\"f1\"", "\"F\\\"N\\u00e9\":\"a\\n\\ud83d\\ude00\"");
    assert_eq!(
        points(text.as_bytes())[0].dimensions,
        [("F\"N\u{e9}".into(), "a\n\u{1f600}".into())]
    );
    let text = with("\"FunctionName\":\"f1\"", "\"N\u{e9}\":\"\u{1f600}\"");
    assert_eq!(points(text.as_bytes())[0].dimensions, [("N\u{e9}".into(), "\u{1f600}".into())]);
}

/// *Scenario:* lines with fewer keys than CloudWatch sends.
/// *Guarantees:* only namespace, name, timestamp and one statistic are needed; what is missing is
/// empty, unknown, or 0 for the count, and sum without min decodes.
#[test]
fn few_keys_are_needed() {
    let text = r#"{"namespace":"N","metric_name":"m","timestamp":1000,"value":{"sum":2.5}}"#;
    let expect = Sample {
        stream: String::new(),
        account: String::new(),
        region: String::new(),
        namespace: "N".to_owned(),
        name: "m".to_owned(),
        dimensions: Vec::new(),
        unit: "None".to_owned(),
        start_ns: 1_000_000_000,
        min: None,
        max: None,
        sum: Some(2.5),
        count: 0.0,
        extra: Vec::new(),
        ..golden()
    };
    assert_eq!(points(text.as_bytes()), [expect]);
    let nulls = with("\"unit\":\"Milliseconds\"", "\"unit\":null");
    assert_eq!(points(nulls.as_bytes())[0].unit, "None");
}

/// *Scenario:* statistics that are null, one, some, and an additional one; the same spread over lines.
/// *Guarantees:* each is missing as if its key were not there, and the point is used.
#[test]
fn a_null_statistic_is_missing() {
    let nulls =
        with("10.0", "null").replace("\"count\":3.0", "\"count\":null").replace("9.5", "null");
    let without = with("\"max\":10.0,", "").replace(",\"count\":3.0,\"p99\":9.5", "");
    let [sample] = &points(nulls.as_bytes())[..] else { panic!("one point") };
    assert_eq!(
        (sample.max, sample.min, sample.sum, sample.count),
        (None, Some(0.0), Some(12.5), 0.0)
    );
    assert!(sample.extra.is_empty());
    assert_eq!(points(without.as_bytes()), std::slice::from_ref(sample));
    assert_eq!(points(nulls.replace(',', ",\n ").as_bytes()), std::slice::from_ref(sample));
    let one = points(with("12.5", "null").as_bytes());
    assert_eq!(one, [Sample { sum: None, ..golden() }]);
}

/// *Scenario:* a dimension that is null, and a line whose statistics are all null.
/// *Guarantees:* each is one reject: without the dimension it would be a point of another series.
#[test]
fn what_null_leaves_without_meaning_is_rejected() {
    let statistics = r#"{"max":10.0,"min":0.0,"sum":12.5,"count":3.0,"p99":9.5}"#;
    for bad in [with("\"f1\"", "null"), with(statistics, r#"{"max":null,"p99":null}"#)] {
        let (samples, rejects) = split(format!("{bad}\n{}\n", line()).as_bytes());
        assert_eq!(samples, [golden()], "{bad}");
        assert_eq!(rejects, [(0, bad.len(), Reason::MalformedJson)], "{bad}");
    }
}

/// *Scenario:* account with leading zeros, fractional count, extreme numbers, a dimension called
/// Namespace, an unknown unit, statistics of every kind.
/// *Guarantees:* nothing is changed and every statistic is kept in its order.
#[test]
fn nothing_is_normalised() {
    let text = with("111122223333", "000022223333")
        .replace("\"FunctionName\"", "\"Namespace\"")
        .replace("\"count\":3.0", "\"count\":2.5")
        .replace("Milliseconds", "furlongs")
        .replace("\"max\":10.0", "\"max\":1.0E108")
        .replace("\"sum\":12.5", "\"sum\":9.999999E-9")
        .replace(
            "\"p99\":9.5",
            "\"TM(25%:75%)\":1,\"p99.9\":2,\"tm90\":3,\"PR(:300)\":4,\"IQM\":5",
        );
    let [sample] = &points(text.as_bytes())[..] else { panic!("one point") };
    assert_eq!(sample.account, "000022223333");
    assert_eq!(sample.dimensions, [("Namespace".to_owned(), "f1".to_owned())]);
    assert_eq!((sample.count, sample.unit.as_str()), (2.5, "furlongs"));
    assert_eq!((sample.max, sample.sum), (Some(1e108), Some(9.999999e-9)));
    let names: Vec<&str> = sample.extra.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["TM(25%:75%)", "p99.9", "tm90", "PR(:300)", "IQM"]);
}

/// *Scenario:* one line between two good ones is bad in one of many ways.
/// *Guarantees:* it is one reject with its offset, bytes and reason; the other lines are used.
#[test]
fn a_bad_line_is_one_reject() {
    use Reason::{InvalidUtf8, MalformedJson, MissingName};
    let many_dimensions =
        (0..1001).map(|at| format!("\"d{at}\":\"v\"")).collect::<Vec<_>>().join(",");
    for (bad, reason) in [
        ("{".to_owned(), MalformedJson),
        ("{}".to_owned(), MalformedJson),
        ("{\"a\":1}".to_owned(), MalformedJson),
        ("not json".to_owned(), MalformedJson),
        ("[1,2]".to_owned(), MalformedJson),
        ("\"text\"".to_owned(), MalformedJson),
        (line()[..200].to_owned(), MalformedJson),
        (line()[..line().len() - 1].to_owned(), MalformedJson),
        (with("10.0", "\"10.0\""), MalformedJson),
        (with("10.0", "NaN"), MalformedJson),
        (with("10.0", "1e999"), MalformedJson),
        (with("10.0", "01"), MalformedJson),
        (with("\"max\":10.0", "\"min\":10.0"), MalformedJson),
        (
            with("{\"max\":10.0,\"min\":0.0,\"sum\":12.5,\"count\":3.0,\"p99\":9.5}", "{}"),
            MalformedJson,
        ),
        (
            with("{\"max\":10.0,\"min\":0.0,\"sum\":12.5,\"count\":3.0,\"p99\":9.5}", "7"),
            MalformedJson,
        ),
        (with("\"111122223333\"", "111122223333"), MalformedJson),
        (with("\"f1\"", "1"), MalformedJson),
        (with("{\"FunctionName\":\"f1\"}", "[]"), MalformedJson),
        (with("\"FunctionName\":\"f1\"", &many_dimensions), MalformedJson),
        (with("1795178040000", "-1"), MalformedJson),
        (with("1795178040000", "0"), MalformedJson),
        (with("1795178040000", "0.0"), MalformedJson),
        (with("1795178040000", "1.5"), MalformedJson),
        (with("1795178040000", "9300000000000"), MalformedJson),
        (with("1795178040000", "1e300"), MalformedJson),
        (with("1795178040000", "\"1795178040000\""), MalformedJson),
        (with("\"timestamp\":1795178040000,", ""), MalformedJson),
        (with("\"namespace\":\"AWS/Lambda\",", ""), MalformedJson),
        (with("\"metric_name\":\"Duration\",", ""), MalformedJson),
        (
            with(
                "\"namespace\":\"AWS/Lambda\"",
                "\"namespace\":\"AWS/Lambda\",\"namespace\":\"x\"",
            ),
            MalformedJson,
        ),
        (with("f1", "f\t1"), MalformedJson),
        (with("f1", "\\ud800"), MalformedJson),
        (with("f1", "\\x"), MalformedJson),
        (with("AWS/Lambda", ""), MissingName),
        (with("Duration", ""), MissingName),
        (with("f1", "f\u{fffd}1"), InvalidUtf8),
    ] {
        let mut bad = bad.into_bytes();
        if reason == InvalidUtf8 {
            let at = bad.windows(3).position(|w| w == "\u{fffd}".as_bytes()).expect("there");
            bad.splice(at..at + 3, [0xff]);
        }
        for newline in [&b"\n"[..], b"\r\n"] {
            let record =
                [line().as_bytes(), newline, &bad, newline, line().as_bytes(), newline].concat();
            let shown = String::from_utf8_lossy(&bad).into_owned();
            let (samples, rejects) = split(&record);
            assert_eq!(samples, [golden(), golden()], "{shown}");
            assert_eq!(rejects, [(line().len() + newline.len(), bad.len(), reason)], "{shown}");
            // As the first line too, where the record has not shown what it is yet.
            let record = [&bad, newline, line().as_bytes(), newline].concat();
            assert_eq!(split(&record), (vec![golden()], vec![(0, bad.len(), reason)]), "{shown}");
        }
    }
}

/// *Scenario:* what is wrong with a line is named.
/// *Guarantees:* the detail is a short fragment with the wrong value or key.
#[test]
fn rejects_say_what_is_wrong() {
    for (text, expect) in [
        (with("1795178040000", "-1"), "timestamp -1 is no instant in milliseconds"),
        (with("\"timestamp\":1795178040000,", ""), "no timestamp"),
        (with("\"metric_name\":\"Duration\",", ""), "no metric_name"),
        (with("\"max\":10.0", "\"min\":10.0"), "value holds \"min\" twice"),
        (with("\"f1\"", "null"), "dimension \"FunctionName\" is null"),
        (
            with("\"p99\":9.5}", "\"p99\":\"9\"}"),
            "invalid type: string \"9\", expected f64 at line 1 column 251",
        ),
        ("{\"namespace\"".to_owned(), "EOF while parsing an object at line 1 column 12"),
    ] {
        let [Item::Reject { detail, .. }] = &items(text.as_bytes())[..] else {
            panic!("one reject")
        };
        assert_eq!(detail, expect);
    }
}

/// *Scenario:* an object over several lines is broken inside.
/// *Guarantees:* its lines are one reject, and the next object is read.
#[test]
fn a_broken_object_over_lines_is_one_reject() {
    let value: serde_json::Value = serde_json::from_str(line()).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let broken = pretty.replacen("\"Duration\"", "Duration", 1);
    let record = format!("{pretty}\n{broken}\n{pretty}\n");
    let (samples, rejects) = split(record.as_bytes());
    assert_eq!(samples.len(), 2);
    assert_eq!(rejects, [(pretty.len() + 1, broken.len(), Reason::MalformedJson)]);
}

/// *Scenario:* good objects and one without a name on the same line.
/// *Guarantees:* the reject is the object alone.
#[test]
fn an_object_of_another_meaning_is_rejected_alone() {
    let other = r#"{"level":"info"}"#;
    let record = format!("{}{other}{}\n", line(), line());
    let (samples, rejects) = split(record.as_bytes());
    assert_eq!(samples.len(), 2);
    assert_eq!(rejects, [(line().len(), other.len(), Reason::MalformedJson)]);
}

/// *Scenario:* a record is cut at every byte of its second line.
/// *Guarantees:* the first line stays, the cut one is one reject.
#[test]
fn a_cut_record_keeps_its_whole_lines() {
    let record = format!("{GOLDEN_JSON}{GOLDEN_JSON}");
    for cut in GOLDEN_JSON.len() + 1..record.len() - 1 {
        let (samples, rejects) = split(&record.as_bytes()[..cut]);
        assert_eq!(samples.len(), 1, "cut at {cut}");
        let expect = (GOLDEN_JSON.len(), cut - GOLDEN_JSON.len(), Reason::MalformedJson);
        assert_eq!(rejects, [expect], "cut at {cut}");
    }
}
