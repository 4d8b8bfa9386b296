//! Whole requests.

use super::*;

const NOW: i64 = 1_795_176_000_000;

fn judged(body: &str) -> Judgement {
    judge(body.as_bytes(), NOW, |_| Ok(())).unwrap()
}

/// *Scenario:* a request of good, bad and metadata lines.
/// *Guarantees:* lines are numbered from one, metadata counts as a line and not as a point, and ten
/// refusals are listed of twelve.
#[test]
fn lines_are_judged_one_by_one() {
    let mut body = "abc 1\n#abc gauge dt.meta.unit=Count\n".to_owned();
    body.push_str(&"x 1\n".repeat(12));
    body.push_str("abc 2");
    let judgement = judged(&body);
    assert_eq!((judgement.lines_ok, judgement.points, judgement.lines_invalid), (3, 2, 12));
    assert_eq!(judgement.listed.len(), 10);
    assert_eq!(judgement.listed[0].0, 3);
    assert_eq!(judgement, judged(&(body + "\n")));
}

/// *Scenario:* requests that are empty, too long in lines or bytes, or not text.
/// *Guarantees:* each is refused as a whole; the limits themselves are still good.
#[test]
fn requests_have_limits() {
    let judge = |body: &[u8]| judge(body, NOW, |_| Ok(()));
    assert_eq!(judge(b""), Err(Refusal::Empty));
    assert_eq!(judge(b"\n"), Err(Refusal::Empty));
    assert_eq!(judge(b"abc,a=\"\xff\" 1"), Err(Refusal::NotUtf8));
    assert!(judge("abc 1\n".repeat(1000).as_bytes()).is_ok());
    assert_eq!(judge("abc 1\n".repeat(1001).as_bytes()), Err(Refusal::TooManyLines));
    assert_eq!(judge(&vec![b'x'; PLAIN_BYTES_MAX + 1]), Err(Refusal::TooLarge));
    assert_eq!(judged("abc 1\n\nabc 1").listed, [(2, "line is empty".to_owned())]);
}

/// *Scenario:* the same good requests judged and merely counted.
/// *Guarantees:* the cheap count agrees with the strict one.
#[test]
fn counting_agrees_with_judging() {
    for body in ["abc 1", "abc 1\n", "#abc gauge dt.meta.unit=x\nabc 1\n#abc gauge dt.meta.unit=x"]
    {
        assert_eq!(count(body.as_bytes()).unwrap(), judged(body), "{body}");
    }
}
