//! The table of answers.

use bytes::Bytes;
use http::HeaderMap;

use super::*;
use crate::Why;

fn answer(status: u16, body: &str) -> Answer {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let retry_after = Some(std::time::Duration::from_secs(9));
    Answer { status, headers: HeaderMap::new(), body, retry_after }
}

fn short(verdict: Verdict) -> (&'static str, String) {
    let message = |why: Why| why.message;
    match verdict {
        Verdict::Delivered => ("delivered", String::new()),
        Verdict::Partly { why, .. } => ("partly", message(why)),
        Verdict::Later { loud: true, why, .. } => ("loud", message(why)),
        Verdict::Later { loud: false, after, why } => {
            (if after.is_some() { "later, told when" } else { "later" }, message(why))
        }
        Verdict::TooLarge { why } => ("smaller", message(why)),
        Verdict::Divide { why } => ("divide", message(why)),
        Verdict::Never { why } => ("never", message(why)),
    }
}

/// *Scenario:* every status that receivers are known to answer, to many points and to one.
/// *Guarantees:* 2xx is delivered; 5xx and 429 are later; 4xx about data is never, after the request
/// was divided down to the point it is about; the rest of 4xx is for a person.
#[test]
fn statuses() {
    let old = "too old sample\n";
    for (status, body, many, one) in [
        (200, "", "delivered", "delivered"),
        (204, "", "delivered", "delivered"),
        (200, "{}", "delivered", "delivered"),
        (200, "<html>sign in</html>", "loud", "loud"),
        (302, "", "loud", "loud"),
        (400, "out of order sample\n", "divide", "never"),
        (400, "snappy: corrupt input", "divide", "never"),
        (409, "conflict", "divide", "never"),
        (422, "label too long", "divide", "never"),
        (401, "", "loud", "loud"),
        (403, "", "loud", "loud"),
        (404, "", "loud", "loud"),
        (405, "", "loud", "loud"),
        (413, "", "smaller", "smaller"),
        (415, "", "loud", "loud"),
        (418, "", "loud", "loud"),
        (408, "", "later, told when", "later, told when"),
        (429, "slow down", "later, told when", "later, told when"),
        (500, "disk full", "later, told when", "later, told when"),
        (500, old, "divide", "never"),
        (502, old, "later, told when", "later, told when"),
        (503, "", "later, told when", "later, told when"),
    ] {
        assert_eq!(short(verdict(&answer(status, body), 10, &[])).0, many, "{status} {body}");
        assert_eq!(short(verdict(&answer(status, body), 1, &[])).0, one, "{status} {body}");
    }
}

/// *Scenario:* answers whose text or status has a known remedy, and one that echoes a secret.
/// *Guarantees:* the remedy is told, the text is quoted, the secret is not.
#[test]
fn texts() {
    let text = |status, body| short(verdict(&answer(status, body), 1, &["SECRET"])).1;
    assert!(text(404, "not found").contains("--web.enable-remote-write-receiver"));
    assert!(text(415, "").contains("Snappy"));
    let said = text(400, "duplicate sample for timestamp 1; token SECRET\n");
    assert!(
        said.starts_with("status 400: duplicate sample for timestamp 1; token ***; "),
        "{said}"
    );
    for (status, late) in
        [(400, "out of order sample"), (400, "out of bounds"), (500, "too old sample")]
    {
        let said = text(status, late);
        assert!(said.contains(late) && said.contains("out_of_order_time_window"), "{said}");
        assert!(said.contains("hydrant replay"), "{said}");
    }
    assert_eq!(text(400, "label too long"), "status 400: label too long");
}

/// *Scenario:* answers to a request without series.
/// *Guarantees:* taken or called empty is well; a page, a missing path and wrong credentials are not.
#[test]
fn probes() {
    let probe = |status, body| short(probe_verdict(&answer(status, body), &[])).0;
    assert_eq!(probe(204, ""), "delivered");
    assert_eq!(probe(400, "empty request"), "delivered");
    assert_eq!(probe(200, "<html>"), "loud");
    assert_eq!(probe(404, ""), "loud");
    assert_eq!(probe(401, ""), "loud");
}

/// *Scenario:* a success whose JSON tells an error.
/// *Guarantees:* it is no delivery.
#[test]
fn an_error_in_a_success_is_no_delivery() {
    let (kind, _) = short(verdict(&answer(200, r#"{"status":"error","error":"full"}"#), 2, &[]));
    assert_eq!(kind, "loud");
}
