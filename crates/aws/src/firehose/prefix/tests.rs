//! The documents' examples, what was observed, what is refused, and any text at any instant.

use proptest::prelude::*;

use super::*;

/// 2018-08-27 10:30:04.056 UTC, a Monday: the instant of the documents' examples.
const INSTANT_MS: i64 = 1_535_365_804_056;

fn at(zone: &Zone) -> Evaluation<'_> {
    Evaluation {
        instant_ms: INSTANT_MS,
        zone,
        error_output_type: "http-endpoint-failed",
        seed: b"topic 7 0",
    }
}

#[track_caller]
fn delivery(text: &str) -> String {
    Prefix::parse(text, Use::Delivery).unwrap().evaluate(&at(&Zone::utc()))
}

#[track_caller]
fn error(text: &str) -> String {
    Prefix::parse(text, Use::Error).unwrap().evaluate(&at(&Zone::utc()))
}

/// *Scenario:* prefixes of the documents, and those whose real keys were seen.
/// *Guarantees:* the same keys; the hour is appended only where there is no expression at all, and
/// without a slash before it.
#[test]
fn keys_as_firehose_writes_them() {
    let table = [
        ("", "2018/08/27/10/"),
        ("legacy", "legacy2018/08/27/10/"),
        ("legacy/", "legacy/2018/08/27/10/"),
        ("a/!{timestamp:yyyy/MM/dd}/b", "a/2018/08/27/b"),
        ("year=!{timestamp:yyyy}/hour=!{timestamp:HH}/", "year=2018/hour=10/"),
        ("!{timestamp:yyyy'-'MM'-'dd}/", "2018-08-27/"),
        ("!{timestamp:'year='yyyy'/month='MM}/", "year=2018/month=08/"),
    ];
    for (text, key) in table {
        assert_eq!(delivery(text), key, "{text}");
    }
    let random = delivery("!{firehose:random-string}/");
    assert_eq!(random.len(), 12, "nothing is appended: {random}");
    assert_eq!(random.as_bytes()[8], b'-');
    let table = [
        (
            "myFirehoseFailures/!{firehose:error-output-type}/",
            "myFirehoseFailures/http-endpoint-failed/",
        ),
        ("!{firehose:error-output-type}/!{timestamp:yyyy/DDD}/", "http-endpoint-failed/2018/239/"),
        ("failed/", "failed/http-endpoint-failed/2018/08/27/10/"),
    ];
    for (text, key) in table {
        assert_eq!(error(text), key, "{text}");
    }
}

/// *Scenario:* an error prefix left out, with and without expressions in the prefix.
/// *Guarantees:* failed data lies below the prefix, or AWS's own text says why it cannot.
#[test]
fn an_error_prefix_left_out() {
    let zone = Zone::utc();
    let both = Prefixes::parse("cw/", "").unwrap();
    assert_eq!(both.error.evaluate(&at(&zone)), "cw/http-endpoint-failed/2018/08/27/10/");
    assert_eq!(both.delivery.evaluate(&at(&zone)), "cw/2018/08/27/10/");
    assert_eq!(
        Prefixes::parse("cw/!{timestamp:yyyy}/", "").unwrap_err(),
        "Ths supplied prefix(es) do not satisfy the following constraint: ErrorOutputPrefix \
         cannot be null or empty when Prefix contains expressions"
    );
    assert!(Prefixes::parse("cw/!{timestamp:yyyy}/", "!{firehose:error-output-type}/").is_ok());
}

/// *Scenario:* every letter, at every width that means something else.
/// *Guarantees:* what Java's DateTimeFormatter writes in English.
#[test]
fn letters() {
    let table = [
        ("y u yy yyy yyyyy uuuu", "2018 2018 18 2018 02018 2018"),
        ("M MM MMM MMMM MMMMM L", "8 08 Aug August A 8"),
        ("d dd D DD DDD", "27 27 239 239 239"),
        ("E EEEE EEEEE", "Mon Monday M"),
        ("Q QQ QQQ QQQQ QQQQQ", "3 03 Q3 3rd quarter 3"),
        ("H HH h hh K k kk a", "10 10 10 10 10 10 10 AM"),
        ("m mm s ss S SSS SSSSSS", "30 30 4 04 0 056 056000"),
        ("A n N", "37804056 56000000 37804056000000"),
        ("X XX x xx xxx Z VV", "Z Z +00 +0000 +00:00 +0000 UTC"),
        ("'it''s' '' 'yyyy'", "it's ' yyyy"),
    ];
    for (pattern, text) in table {
        assert_eq!(delivery(&format!("!{{timestamp:{pattern}}}")), text, "{pattern}");
    }
    let three = "X".repeat(3);
    assert_eq!(delivery(&format!("!{{timestamp:{three}}}")), "Z");
    let midnight = Evaluation { instant_ms: 0, ..at(&Zone::utc()) }.instant_ms;
    let prefix = Prefix::parse("!{timestamp:h k K a EEE D DDD}", Use::Delivery).unwrap();
    let zone = Zone::utc();
    assert_eq!(
        prefix.evaluate(&Evaluation { instant_ms: midnight, ..at(&zone) }),
        "12 24 0 AM Thu 1 001"
    );
}

/// *Scenario:* zones east and west, with minutes, and over a change of summer time.
/// *Guarantees:* prefix and suffix both move; names are known without files of the machine.
#[test]
fn zones() {
    let prefix = Prefix::parse("!{timestamp:yyyy/MM/dd/HH mm xxx VV}", Use::Delivery).unwrap();
    let table = [
        ("Asia/Tokyo", "2018/08/27/19 30 +09:00 Asia/Tokyo"),
        ("America/New_York", "2018/08/27/06 30 -04:00 America/New_York"),
        ("Asia/Kolkata", "2018/08/27/16 00 +05:30 Asia/Kolkata"),
        ("Australia/Eucla", "2018/08/27/19 15 +08:45 Australia/Eucla"),
        ("", "2018/08/27/10 30 +00:00 UTC"),
    ];
    for (name, key) in table {
        let zone = Zone::named(name).unwrap();
        assert_eq!(prefix.evaluate(&at(&zone)), key);
    }
    let zone = Zone::named("Europe/Berlin").unwrap();
    // 2026-10-25 00:30 UTC and an hour later are both 02:30 there.
    for (instant_ms, offset) in [(1_792_888_200_000, "+02:00"), (1_792_891_800_000, "+01:00")] {
        let key = prefix.evaluate(&Evaluation { instant_ms, ..at(&zone) });
        assert_eq!(key, format!("2026/10/25/02 30 {offset} Europe/Berlin"));
    }
    for bad in ["Berlin", "Mars/Olympus", "../../etc/passwd", "UTC+1"] {
        assert!(Zone::named(bad).unwrap_err().contains("is not the name of a time zone"), "{bad}");
    }
}

/// *Scenario:* suffixes of the same and of other data, of other streams, with a zone.
/// *Guarantees:* Firehose's form; the same data has the same name for ever, other data another.
#[test]
fn suffixes() {
    let zone = Zone::named("Asia/Tokyo").unwrap();
    let suffix = Suffix {
        stream: "to-s3",
        version: 1,
        instant_ms: INSTANT_MS,
        zone: &zone,
        seed: b"topic 7 0",
        extension: ".gz",
    };
    let name = suffix.name();
    // Written once and kept: a later release must name the same object.
    assert_eq!(name, "to-s3-1-2018-08-27-19-30-04-bd2a5435-1247-849e-84d3-c514c10febf0.gz");
    assert_eq!(Suffix { seed: b"topic 7 0", ..suffix }.name(), name);
    for other in [Suffix { seed: b"topic 7 1", ..suffix }, Suffix { stream: "b", ..suffix }] {
        assert_ne!(other.uuid(), suffix.uuid());
    }
}

/// *Scenario:* two random strings in one prefix, evaluated twice, and with other data.
/// *Guarantees:* they differ from each other and are the same again for the same data.
#[test]
fn random_strings_are_repeatable() {
    let text = "!{firehose:random-string}/!{firehose:random-string}";
    let key = delivery(text);
    let (a, b) = key.split_once('/').unwrap();
    assert_ne!(a, b);
    assert_eq!((a.len(), b.len()), (RANDOM_CHARS, RANDOM_CHARS));
    assert_eq!(delivery(text), key);
    let prefix = Prefix::parse(text, Use::Delivery).unwrap();
    let zone = Zone::utc();
    assert_ne!(prefix.evaluate(&Evaluation { seed: b"other", ..at(&zone) }), key);
}

/// *Scenario:* every kind of mistake.
/// *Guarantees:* each is refused with words that name it.
#[test]
fn mistakes() {
    let table = [
        (Use::Delivery, "a/!{timestamp:yyyy", "has no closing brace"),
        (Use::Delivery, "!{timestamp}", "is not of the form"),
        (Use::Delivery, "!{timestamp:}", "the pattern is empty"),
        (Use::Delivery, "!{timestamp:yyyy'}", "a quote is not closed"),
        (Use::Delivery, "!{timestamp:ddd}", "too many letters `d`: 3, and 2 are allowed"),
        (Use::Delivery, "!{timestamp:DDDD}", "too many letters"),
        (Use::Delivery, "!{timestamp:year}", "`e` depends on a country's calendar"),
        (Use::Delivery, "!{timestamp:YYYY}", "depends on a country's calendar"),
        (Use::Delivery, "!{timestamp:yyyy/bb}", "`b` is not a letter of dates"),
        (Use::Delivery, "!{timestamp:[yyyy]}", "is reserved"),
        (Use::Delivery, "!{timestamp:V}", "`VV`"),
        (Use::Delivery, "!{firehose:error-output-type}", "Prefix cannot contain"),
        (Use::Delivery, "!{firehose:uuid}", "firehose knows"),
        (Use::Delivery, "!{time:yyyy}", "the namespaces are"),
        (Use::Delivery, "!{partitionKeyFromQuery:id}", "not supported"),
        (Use::Error, "!{partitionKeyFromLambda:id}", "cannot contain partition keys"),
        (Use::Error, "f/!{timestamp:yyyy}/", "must contain !{firehose:error-output-type}"),
        (Use::Delivery, "a\nb", "control character"),
    ];
    for (purpose, text, words) in table {
        let why = Prefix::parse(text, purpose).unwrap_err();
        assert!(why.contains(words), "{text}: {why}");
    }
    assert!(Prefix::parse(&"x".repeat(1025), Use::Delivery).unwrap_err().contains("1024"));
    assert!(Prefix::parse(&"x".repeat(502), Use::Delivery).is_err(), "the hour has 14 more");
    assert_eq!(delivery(&"x".repeat(498)).len(), 512);
    for good in ["", ".txt", ".json.gz", ".."] {
        assert_eq!(check_extension(good), Ok(()), "{good}");
    }
    for bad in [".", "gz", ".GZ", ".a/b", ".a b"] {
        assert!(check_extension(bad).is_err(), "{bad}");
    }
}

proptest! {
    /// *Scenario:* any text made of what prefixes are made of, any instant, several zones.
    /// *Guarantees:* no panic; what was taken is evaluated, twice the same, within its length.
    #[test]
    fn any_prefix_is_evaluated_or_refused(
        pieces in prop::collection::vec(prop_oneof![
            Just("!{".to_owned()), Just("}".to_owned()), Just("'".to_owned()),
            Just("timestamp:".to_owned()), Just("firehose:random-string".to_owned()),
            Just("!{firehose:error-output-type}".to_owned()),
            "[a-zA-Z]{1,4}", "!\\{timestamp:[uyMLdDEQHhKkmsSAnNXxZa/]{1,9}\\}", ".{0,3}",
        ], 0..12),
        instant_ms in any::<i64>(),
        zone in prop_oneof![Just("UTC"), Just("Pacific/Apia"), Just("America/St_Johns")],
        for_errors in any::<bool>(),
    ) {
        let purpose = if for_errors { Use::Error } else { Use::Delivery };
        let zone = Zone::named(zone).unwrap();
        if let Ok(prefix) = Prefix::parse(&pieces.concat(), purpose) {
            let at = Evaluation { instant_ms, ..at(&zone) };
            let key = prefix.evaluate(&at);
            prop_assert_eq!(&key, &prefix.evaluate(&at));
            prop_assert!(key.starts_with(prefix.fixed()));
        }
    }
}
