//! Naming and the table of verdicts; requests are tried in `tests/sink_s3.rs`.

use remote::aws::{Fault, Kind};

use super::verdict::verdict_of;
use super::*;
use crate::Verdict;

fn named<'a>(place: &'a [&'a str]) -> Named<'a> {
    Named { stream: "to-s3", instant_ms: 1_535_365_804_056, error_output_type: "", place }
}

fn naming(prefix: &str) -> Naming {
    let prefix = Prefix::parse(prefix, Use::Delivery).unwrap();
    Naming { prefix, zone: Zone::utc(), extension: ".gz".to_owned() }
}

/// *Scenario:* keys of the same place, of the next item, of another stream and another installation.
/// *Guarantees:* the same place gives the same key for ever, any other place another one.
#[test]
fn keys_follow_the_place() {
    let naming = naming("m/!{firehose:random-string}/");
    let key = naming.key(&named(&["o", "aws", "7", "0"]));
    assert_eq!(key, naming.key(&named(&["o", "aws", "7", "0"])));
    assert!(key.contains("/to-s3-1-2018-08-27-10-30-04-") && key.ends_with(".gz"), "{key}");
    for other in [["o", "aws", "7", "1"], ["p", "aws", "7", "0"], ["o", "aws7", "", "0"]] {
        assert_ne!(naming.key(&named(&other)), key);
    }
    let place = ["o", "aws", "7", "0"];
    let stream = Named { stream: "b", ..named(&place) };
    let random = |key: &str| key.split('/').nth(1).unwrap().to_owned();
    assert_ne!(random(&naming.key(&stream)), random(&key));
}

/// *Scenario:* the word of an installation is asked for, twice, then its file is torn.
/// *Guarantees:* it stays; torn it is made anew.
#[test]
fn an_origin_stays() {
    let dir = testkit::TempDir::new("origin");
    let word = origin(dir.path()).unwrap();
    assert_eq!(word.len(), 32);
    assert_eq!(origin(dir.path()).unwrap(), word);
    std::fs::write(dir.join("origin"), "torn").unwrap();
    assert_ne!(origin(dir.path()).unwrap(), word);
    assert_ne!(origin(&dir.join("other")).unwrap(), word);
}

/// *Scenario:* every kind of fault.
/// *Guarantees:* what needs a person is loud, nothing is given up, and the remedy is told.
#[test]
fn verdicts() {
    let fault = |kind, code: &str| Fault {
        kind,
        doing: "PutObject s3://b/k".to_owned(),
        code: code.to_owned(),
        message: "no".to_owned(),
        remedy: Some("do this".to_owned()),
        status: 400,
        retry_after: Some(std::time::Duration::from_secs(7)),
    };
    let table = [
        (Kind::NoCredentials, true, "S3.NoCredentials"),
        (Kind::BadCredentials, true, "S3.InvalidToken"),
        (Kind::Denied, true, "S3.AccessDenied"),
        (Kind::NoSuchPlace, true, "S3.NoSuchBucket"),
        (Kind::WrongRegion, true, "S3.WrongRegion"),
        (Kind::Refused, true, "S3.Refused"),
        (Kind::Changed, true, "S3.Refused"),
        (Kind::NoSuchObject, true, "S3.Refused"),
        (Kind::Throttled, false, "S3.SlowDown"),
        (Kind::Unwell, false, "S3.ServiceUnavailable"),
    ];
    for (kind, is_loud, expected) in table {
        let verdict = verdict_of(&fault(kind, "X"));
        let Verdict::Later { after, loud, why } = verdict else { panic!("{kind:?}: {verdict:?}") };
        assert_eq!((loud, why.code), (is_loud, expected), "{kind:?}");
        assert_eq!(after, Some(std::time::Duration::from_secs(7)));
        assert_eq!(why.message, "PutObject s3://b/k: X: no; do this");
    }
    let unreachable = Fault { status: 0, ..fault(Kind::Unwell, "Unreachable") };
    assert_eq!(code_of(&unreachable), "S3.Unreachable");
    assert_eq!(code_of(&fault(Kind::Refused, "KMS.DisabledException")), "S3.KMS");
    let large = verdict_of(&fault(Kind::Refused, "EntityTooLarge"));
    assert!(matches!(large, Verdict::TooLarge { .. }), "{large:?}");
}
