//! Common attributes in every form they are found in.

use proptest::prelude::*;

use super::{format, parse};

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// *Scenario:* the wrapped form, the bare object, AWS's own example without outer braces, nothing.
/// *Guarantees:* the same attributes in the order of the header.
#[test]
fn every_form_is_read() {
    let expected = Ok(pairs(&[("deployment -context", "pre-prod-gamma"), ("device-types", "")]));
    let members = r#"{"deployment -context":"pre-prod-gamma","device-types":""}"#;
    assert_eq!(parse(members.as_bytes()), expected);
    assert_eq!(parse(format!(r#"{{"commonAttributes":{members}}}"#).as_bytes()), expected);
    assert_eq!(parse(format!(r#" "commonAttributes": {members} "#).as_bytes()), expected);
    for empty in ["", "  ", "{}", r#"{"commonAttributes":{}}"#] {
        assert_eq!(parse(empty.as_bytes()), Ok(vec![]), "{empty}");
    }
}

/// *Scenario:* an attribute that is itself called `commonAttributes`, and one name twice.
/// *Guarantees:* neither is lost.
#[test]
fn odd_names_are_kept() {
    let list = pairs(&[("commonAttributes", "x"), ("a", "1"), ("a", "2")]);
    assert_eq!(parse(br#"{"commonAttributes":"x","a":"1","a":"2"}"#), Ok(list.clone()));
    assert_eq!(parse(format(&list).as_bytes()), Ok(list));
}

/// *Scenario:* values that are no strings, JSON that is cut or wrong, bytes that are not UTF-8.
/// *Guarantees:* the message names the key or the place and never a value.
#[test]
fn what_is_wrong_is_named() {
    for (header, message) in [
        (&br#"{"commonAttributes":{"a":"x","port":1}}"#[..], "the value of `port` is not a string"),
        (br#"{"a":null}"#, "the value of `a` is not a string"),
        (br#"{"a":["s3cret"]}"#, "the value of `a` is not a string"),
        (
            br#"{"commonAttributes":{"a":"x"},"b":"y"}"#,
            "the value of `commonAttributes` is not a string",
        ),
        (br#"["s3cret"]"#, "expected a JSON object"),
        (br#"{"a":"s3cret"#, "the JSON is cut short at column 12"),
        (br#"{"a":s3cret}"#, "not valid JSON at column 6"),
        (br#"{"a":"x"} s3cret"#, "not valid JSON at column 11"),
        (b"{\"a\":\"\xff\"}", "not valid JSON at column 7"),
    ] {
        let error = parse(header).unwrap_err().to_string();
        assert_eq!(error, format!("common attributes: {message}"));
        assert!(!error.contains("s3cret"));
    }
    let deep = [&br#"{"a":"#[..], &[b'['; 100_000]].concat();
    assert!(parse(&deep).is_err(), "nesting does not exhaust the stack");
}

/// *Scenario:* fifty attributes as long as AWS allows, and more.
/// *Guarantees:* taken: the limit on header bytes is the only one.
#[test]
fn many_attributes_are_taken() {
    let list: Vec<(String, String)> =
        (0..80).map(|n| (format!("{n:0>256}"), "v".repeat(1024))).collect();
    assert_eq!(parse(format(&list).as_bytes()), Ok(list));
}

proptest! {
    /// *Scenario:* any attributes.
    /// *Guarantees:* they come back, and the header is printable ASCII.
    #[test]
    fn what_is_formatted_is_parsed(list in prop::collection::vec((".{0,20}", ".{0,20}"), 0..6)) {
        let header = format(&list);
        prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        prop_assert_eq!(parse(header.as_bytes()), Ok(list));
    }

    /// *Scenario:* any bytes.
    /// *Guarantees:* no panic.
    #[test]
    fn any_bytes_parse_or_not(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(list) = parse(&bytes) {
            prop_assert_eq!(parse(format(&list).as_bytes()), Ok(list));
        }
    }
}
