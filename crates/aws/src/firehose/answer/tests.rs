//! Answers to the byte.

use super::{ERROR_MESSAGE_MAX, body};

fn text(request_id: &str, error: Option<&str>) -> String {
    String::from_utf8(body(request_id, 1_795_176_000_123, error)).unwrap()
}

/// *Scenario:* the answers to the worked example.
/// *Guarantees:* exactly AWS's members, in AWS's order, the time a number.
#[test]
fn canonical_answers() {
    let id = "0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10";
    let success = format!(r#"{{"requestId":"{id}","timestamp":1795176000123}}"#);
    assert_eq!(success.len(), 78);
    assert_eq!(text(id, None), success);
    let refusal =
        format!(r#"{{"requestId":"{id}","timestamp":1795176000123,"errorMessage":"queue full"}}"#);
    assert_eq!(text(id, Some("queue full")), refusal);
}

/// *Scenario:* ids and messages with quotes, control characters and characters beyond ASCII.
/// *Guarantees:* the body is JSON that says the same.
#[test]
fn odd_characters_are_escaped() {
    let odd = "\"\\/\u{0}\u{1f}\r\n\t\u{7f}\u{e9}\u{2028}\u{1f600}";
    let value: serde_json::Value = serde_json::from_str(&text(odd, Some(odd))).unwrap();
    assert_eq!(value["requestId"], odd);
    assert_eq!(value["errorMessage"], odd);
    assert_eq!(value["timestamp"], 1_795_176_000_123_i64);
}

/// *Scenario:* messages at and above the longest that Firehose takes, also of wide characters.
/// *Guarantees:* cut between characters, never above the length by either count.
#[test]
fn long_messages_are_cut() {
    let message = |error: &str| {
        let value: serde_json::Value = serde_json::from_str(&text("r", Some(error))).unwrap();
        value["errorMessage"].as_str().unwrap().to_owned()
    };
    let fits = "x".repeat(ERROR_MESSAGE_MAX);
    assert_eq!(message(&fits), fits);
    assert_eq!(message(&format!("{fits}y")), fits);
    let wide = message(&format!("x{}", "\u{1f600}".repeat(ERROR_MESSAGE_MAX)));
    assert_eq!(wide.encode_utf16().count(), ERROR_MESSAGE_MAX - 1);
}
