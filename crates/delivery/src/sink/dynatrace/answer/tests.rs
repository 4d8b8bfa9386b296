use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::*;

const TOKEN: &str = "dt0c01.PUBLIC.SECRET";
const NOW_US: u64 = 1_795_176_000_000_000;

fn answered(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        retry_after: None,
    }
}

fn payload(text: &str, gzip: bool) -> Payload {
    let mut body = text.as_bytes().to_vec();
    if gzip {
        body.clear();
        codec::gzip::Deflater::new(1).gzip(text.as_bytes(), &mut body);
    }
    let points = text.lines().filter(|line| !line.starts_with('#')).count();
    Payload {
        body: body.into(),
        points: points.try_into().unwrap(),
        plain_bytes: text.len(),
        ..Payload::default()
    }
}

fn judge(answer: &Answer) -> Verdict {
    verdict(answer, &payload("a 1\nb 2\nc 3", true), TOKEN, NOW_US)
}

/// *Scenario:* every status, with a body of the general error shape.
/// *Guarantees:* the table of the docs: 400 never, 413 smaller, 429 and 5xx later, all else later and
/// loudly; no success without the body of a success.
#[test]
fn each_status_has_its_verdict() {
    let body = r#"{"error":{"code":1,"message":"Token dt0c01.PUBLIC.SECRET is missing","constraintViolations":[{"message":"scope"}]}}"#;
    for status in 200..=599 {
        let verdict = judge(&answered(status, body));
        let text = format!("{status}: {verdict:?}");
        assert!(!text.contains("SECRET"), "{text}");
        match (status, verdict) {
            (200..300, Verdict::Later { loud: true, why, .. }) => {
                assert_eq!(why.code, "HttpEndpoint.InvalidResponseFromDestination");
            }
            (400, Verdict::Never { why }) => {
                assert_eq!(why.message, "status 400: Token *** is missing; scope");
            }
            (413, Verdict::TooLarge { .. }) => {}
            (408 | 425 | 429 | 500.., Verdict::Later { loud: false, .. }) => {}
            (408 | 425 | 429 | 500.. | 200..300 | 400 | 413, _) => panic!("{text}"),
            (_, Verdict::Later { loud: true, .. }) => {}
            _ => panic!("{text}"),
        }
    }
}

/// *Scenario:* successes: as documented, with warnings in both shapes, with a body that is empty or
/// cut short, with status 200, and from something that is not Dynatrace.
/// *Guarantees:* only what Dynatrace can have said counts; a page or a foreign body loses nothing.
#[test]
fn a_success_is_believed_only_from_dynatrace() {
    let delivered = [
        (202, r#"{"linesOk":3,"linesInvalid":0,"error":null,"warnings":null}"#),
        (
            202,
            r#"{"linesOk":3,"linesInvalid":0,"error":null,"warnings":{"message":"x","changedMetricKeys":[{"line":1,"warning":"y"}],"warningLines":[]},"new":1}"#,
        ),
        (202, ""),
        (202, r#"{"linesOk":3,"linesInv"#),
        (200, r#"{"linesOk":3}"#),
    ];
    for (status, body) in delivered {
        assert_eq!(judge(&answered(status, body)), Verdict::Delivered, "{status} {body}");
    }
    let foreign = [
        (200, ""),
        (200, "ok"),
        (200, "{}"),
        (204, ""),
        (202, "<html>login</html>"),
        (200, "<!doctype html>"),
    ];
    for (status, body) in foreign {
        let verdict = judge(&answered(status, body));
        assert!(
            matches!(verdict, Verdict::Later { loud: true, .. }),
            "{status} {body}: {verdict:?}"
        );
    }
}

/// *Scenario:* a 400 that took two of three lines and names the third, gzip or not.
/// *Guarantees:* one point refused, with the text that was sent for it and what was said of it.
#[test]
fn a_partial_400_names_the_lines_sent() {
    let body = r#"{"linesOk":2,"linesInvalid":1,"error":{"code":400,"message":"1 invalid lines","invalidLines":[{"line":3,"error":"out of range"}]}}"#;
    for gzip in [true, false] {
        let verdict = verdict(&answered(400, body), &payload("a 1\nb 2\nc 3", gzip), TOKEN, NOW_US);
        let Verdict::Partly { refused: 1, lines, all_named: true, why } = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(lines, [RefusedLine { text: b"c 3".to_vec(), why: "out of range".to_owned() }]);
        assert_eq!(why.message, "status 400: 1 of 3 lines refused, 1 named: 1 invalid lines");
    }
}

/// *Scenario:* more lines refused than named, all lines refused, line numbers outside the request or
/// named twice, a metadata line among them, counts beyond what was sent.
/// *Guarantees:* counts of points, never more than were sent; a metadata line is no point; lines
/// are all named only when the text of each is at hand.
#[test]
fn counts_of_a_partial_400_are_counts_of_points() {
    let judge = |text: &str, body: &str| match verdict(
        &answered(400, body),
        &payload(text, true),
        TOKEN,
        NOW_US,
    ) {
        Verdict::Partly { refused, lines, all_named, .. } => (refused, lines.len(), all_named),
        other => panic!("{other:?}"),
    };
    let three = "a 1\nb 2\nc 3";
    let many =
        r#"{"linesOk":0,"linesInvalid":3,"error":{"invalidLines":[{"line":1,"error":"x"}]}}"#;
    assert_eq!(judge(three, many), (3, 1, false));
    assert_eq!(judge(three, r#"{"linesOk":1,"linesInvalid":2,"error":null}"#), (2, 0, false));
    assert_eq!(
        judge(three, r#"{"linesOk":1,"linesInvalid":99,"error":{"invalidLines":null}}"#),
        (3, 0, false)
    );
    let outside = r#"{"linesOk":2,"linesInvalid":1,"error":{"invalidLines":[{"line":0},{"line":77,"error":null}]}}"#;
    assert_eq!(judge(three, outside), (1, 0, false));
    let twice =
        r#"{"linesOk":1,"linesInvalid":2,"error":{"invalidLines":[{"line":2},{"line":2}]}}"#;
    assert_eq!(judge(three, twice), (2, 1, false));
    // Three points with percentiles: as many lines named as there are points, and others not.
    let percentiles = r#"{"linesOk":1,"linesInvalid":5,"error":{"invalidLines":[{"line":1},{"line":2},{"line":3}]}}"#;
    let lines = payload("a 1\na.p50 2\na.p99 3\nb 1\nb.p50 2\nc 1", true);
    let three_points = Payload { points: 3, ..lines };
    let verdict = verdict(&answered(400, percentiles), &three_points, TOKEN, NOW_US);
    assert!(matches!(verdict, Verdict::Partly { refused: 3, all_named: false, .. }), "{verdict:?}");
    let metadata = r#"{"linesOk":2,"linesInvalid":2,"error":{"invalidLines":[{"line":1,"error":"m"},{"line":3,"error":"x"}]}}"#;
    assert_eq!(judge("#a gauge dt.meta.unit=Byte\na 1\nb 2", metadata), (1, 1, true));
}

/// *Scenario:* a server that refuses keys whose section begins with a digit.
/// *Guarantees:* the reason names the setting that helps.
#[test]
fn a_digit_section_is_explained() {
    let body = r#"{"linesOk":0,"linesInvalid":1,"error":{"invalidLines":[{"line":1,"error":"invalid metric key, error at '4'"}]}}"#;
    let text = "cloud.aws.apigateway.4xxErrorByRegion,a=\"b\" 1";
    let verdict = verdict(&answered(400, body), &payload(text, true), TOKEN, NOW_US);
    let Verdict::Partly { lines, .. } = verdict else { panic!("{verdict:?}") };
    assert!(lines[0].why.contains("digit_section: underscore"), "{}", lines[0].why);
}

/// *Scenario:* 429 and 503 with the headers that say when.
/// *Guarantees:* `Retry-After` before the reset of the limit, both within reason.
#[test]
fn pauses_are_honoured_and_bounded() {
    let after = |answer: &Answer| match judge(answer) {
        Verdict::Later { after, .. } => after,
        other => panic!("{other:?}"),
    };
    let mut answer = answered(429, "");
    assert_eq!(after(&answer), None);
    let reset = |us: u64| HeaderValue::from_str(&us.to_string()).unwrap();
    answer.headers.insert("x-ratelimit-reset", reset(NOW_US + 7_000_000));
    assert_eq!(after(&answer), Some(Duration::from_secs(7)));
    answer.headers.insert("x-ratelimit-reset", reset(NOW_US - 7_000_000));
    assert_eq!(after(&answer), Some(Duration::ZERO));
    answer.headers.insert("x-ratelimit-reset", reset(u64::MAX));
    assert_eq!(after(&answer), Some(answer::HINT_MAX));
    answer.headers.insert("x-ratelimit-reset", HeaderValue::from_static("soon"));
    assert_eq!(after(&answer), None);
    answer.retry_after = Some(Duration::from_secs(3));
    assert_eq!(after(&answer), Some(Duration::from_secs(3)));
}

/// *Scenario:* answers to a probe with nothing in it.
/// *Guarantees:* a server that calls it empty knows us; others are told apart as in an attempt.
#[test]
fn a_probe_tells_who_is_there() {
    let probe = |status, body: &str| probe_verdict(&answered(status, body), TOKEN, NOW_US);
    assert_eq!(probe(400, r#"{"error":{"message":"empty request"}}"#), Verdict::Delivered);
    assert_eq!(probe(202, ""), Verdict::Delivered);
    for (status, body) in [(400, "<html>"), (200, "ok"), (401, ""), (403, ""), (404, ""), (302, "")]
    {
        let verdict = probe(status, body);
        assert!(matches!(verdict, Verdict::Later { loud: true, .. }), "{status}: {verdict:?}");
    }
    assert!(matches!(probe(503, ""), Verdict::Later { loud: false, .. }));
}

/// *Scenario:* a 202 with an error, and counts of which none is refused, or no counts.
/// *Guarantees:* it is no delivery.
#[test]
fn an_error_beside_counts_is_no_delivery() {
    for counts in [r#""linesOk":0,"linesInvalid":0,"#, ""] {
        let body = format!(r#"{{{counts}"error":{{"code":500,"message":"nothing stored"}}}}"#);
        let verdict = judge(&answered(202, &body));
        assert!(matches!(verdict, Verdict::Later { loud: true, .. }), "{verdict:?}");
    }
}
