use proptest::prelude::*;

use super::{Head, find_quote, is_plain_text, line};
use crate::decode::scratch::Scratch;
use crate::decode::tolerant;
use crate::{Point, Reject, Visit};

/// Prints what it is shown, but for where it was read.
#[derive(Debug, Default, PartialEq)]
struct Shown(Vec<String>);

impl Visit for Shown {
    fn point(&mut self, point: &Point<'_>) {
        self.0.push(format!("{point:?}"));
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        self.0.push(format!("{reject:?}"));
    }
}

/// What both readers make of `text`: the point and how much is left, if they take it.
fn both(text: &[u8]) -> [Option<(Shown, usize)>; 2] {
    let (mut fast, mut slow) = (Shown::default(), Shown::default());
    let fast_rest = line(text, &mut Head::default(), &mut Scratch::default(), &mut fast);
    let slow_rest = tolerant::object(text, &mut Scratch::default(), &mut slow).ok();
    [fast_rest.map(|rest| (fast, rest.len())), slow_rest.map(|rest| (slow, rest.len()))]
}

const LINE: &str = r#"{"metric_stream_name":"s","account_id":"000122223333","region":"eu-west-1","namespace":"AWS/EC2","metric_name":"CPU","dimensions":{"A":"1","B":"two"},"timestamp":1795178040000,"value":{"max":1.5,"min":-0.0,"sum":1.0E7,"count":3.0,"p99.9":1.25},"unit":"Count/Second"}"#;

/// *Scenario:* CloudWatch's layout, alone, with a line feed, and with more behind it.
/// *Guarantees:* the fast reader takes it and stops behind its line feed.
#[test]
fn the_usual_layout_is_read_fast() {
    for (behind, rest) in [("", 0), ("\n", 0), ("\n{", 1), ("{", 1), ("\r\n", 2)] {
        let text = format!("{LINE}{behind}");
        let [fast, slow] = both(text.as_bytes());
        let (fast, left) = fast.expect("taken");
        assert_eq!((fast.0.len(), left), (1, rest));
        assert_eq!(fast, slow.expect("taken").0);
    }
}

/// *Scenario:* the layout with one thing that is not CloudWatch's: an escape, a space, a missing or
/// doubled key, another order, a number out of range, a control character.
/// *Guarantees:* the fast reader leaves it, having shown nothing.
#[test]
fn anything_else_is_left_to_the_tolerant_reader() {
    for (from, to) in [
        ("\"CPU\"", "\"C\\u0050U\""),
        ("\"CPU\"", "\"C\\\"PU\""),
        ("\"CPU\"", "\"C\tPU\""),
        ("\"CPU\"", "\"\""),
        ("\"CPU\"", "\"C\u{1}PU\""),
        (":{\"A\"", ": {\"A\""),
        ("\"region\"", "\"Region\""),
        ("\"A\":\"1\"", "\"A\":1"),
        ("\"max\":1.5", "\"max\":\"1.5\""),
        ("\"max\":1.5", "\"max\":1.5,\"max\":1.5"),
        ("\"max\":1.5", "\"max\":1e999"),
        ("\"max\":1.5", "\"max\":NaN"),
        ("1795178040000", "1795178040000.0"),
        ("1795178040000", "-1"),
        ("1795178040000", "99999999999999"),
        ("\"unit\"", "\"other\":1,\"unit\""),
    ] {
        let text = LINE.replacen(from, to, 1);
        assert_ne!(text, LINE);
        assert!(both(text.as_bytes())[0].is_none(), "{to}");
    }
    let mut not_utf8 = LINE.as_bytes().to_vec();
    not_utf8[25] = 0xff;
    assert!(both(&not_utf8)[0].is_none());
}

/// *Scenario:* the second line of a record has the head of the first, then another one.
/// *Guarantees:* a remembered head gives what reading it anew gives.
#[test]
fn a_remembered_head_is_the_same() {
    let other = LINE.replace("000122223333", "999922223333");
    let (mut head, mut scratch) = (Head::default(), Scratch::default());
    let (mut remembered, mut anew) = (Shown::default(), Shown::default());
    // Heads that break off after the stream or the account must leave nothing behind.
    let broken = LINE.replace("\"s\",\"account_id\"", "\"bad\",\"account\"");
    let broken_later = LINE.replace("000122223333", "bad").replace("\"region\"", "\"place\"");
    for text in [&broken, &broken_later] {
        assert!(line(LINE.as_bytes(), &mut head, &mut scratch, &mut Shown::default()).is_some());
        assert!(line(text.as_bytes(), &mut head, &mut scratch, &mut Shown::default()).is_none());
        let mut after = Shown::default();
        assert!(line(LINE.as_bytes(), &mut head, &mut scratch, &mut after).is_some());
        assert_eq!(Some((after, 0)), both(LINE.as_bytes())[0]);
    }
    let lines = [LINE, LINE, &other, &other, LINE];
    for text in lines {
        assert!(line(text.as_bytes(), &mut head, &mut scratch, &mut remembered).is_some());
        let (mut head, mut scratch) = (Head::default(), Scratch::default());
        assert!(line(text.as_bytes(), &mut head, &mut scratch, &mut anew).is_some());
    }
    assert_eq!(remembered, anew);
    assert!(remembered.0[2].contains("57, 57, 57, 57"));
}

proptest! {
    /// *Scenario:* CloudWatch's layout with any byte changed, inserted or removed.
    /// *Guarantees:* what the fast reader takes, the tolerant one takes too, and reads the same.
    #[test]
    fn both_readers_agree(
        changes in prop::collection::vec((0..LINE.len(), any::<u8>(), 0..3), 0..3),
    ) {
        let mut text = LINE.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.min(text.len() - 1);
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => { text.remove(at); }
            }
        }
        let [fast, slow] = both(&text);
        if let Some(fast) = fast {
            prop_assert_eq!(Some(fast), slow);
        }
    }

    /// *Scenario:* any bytes.
    /// *Guarantees:* the first quote is found where the standard library finds it.
    #[test]
    fn quotes_are_found(text in prop::collection::vec(prop::sample::select(vec![b'"', b'!', b'#', b'a', 0xa2, 0x21]), 0..70)) {
        prop_assert_eq!(find_quote(&text), text.iter().position(|&b| b == b'"'));
    }

    /// *Scenario:* lines of 32 bytes and more with any bytes in them.
    /// *Guarantees:* they are plain exactly when they are UTF-8 without control characters and backslashes.
    #[test]
    fn plain_text_is_told(start in "[ -~]{32,80}", at in 0_usize..32, middle in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut text = start.into_bytes();
        text.splice(at..at, middle);
        let plain = std::str::from_utf8(&text).is_ok()
            && !text.iter().any(|&b| b < 0x20 || b == b'\\');
        prop_assert_eq!(is_plain_text(&text), plain);
    }
}
