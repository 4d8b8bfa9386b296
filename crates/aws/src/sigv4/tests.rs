//! Tests: the captures of the SDKs, AWS's own examples, properties.

use proptest::prelude::*;
use testkit::Received;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The signature in the capture and the one computed here.
fn signatures(captured: &Received, secret: &str) -> Option<(String, String)> {
    let authorization = captured.header("authorization")?.strip_prefix(ALGORITHM)?;
    let part = |name: &str| {
        let mut parts = authorization.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)).map(str::to_owned)
    };
    let credential = part("Credential=")?;
    let mut scope = credential.split('/').skip(1);
    let (date, region, service) = (scope.next()?, scope.next()?, scope.next()?);
    let names = part("SignedHeaders=")?;
    let mut headers = Vec::new();
    for name in names.split(';') {
        let values = captured.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        headers.extend(values.map(|(n, v)| (n.as_str(), v.as_str())));
    }
    let (path, query) = captured.target.split_once('?').unwrap_or((&captured.target, ""));
    let own_hash = hash(&captured.body);
    let request = Request {
        method: &captured.method,
        path,
        query,
        headers: &headers,
        payload_hash: captured.header("x-amz-content-sha256").unwrap_or(&own_hash),
    };
    let paths = if service == "s3" { Paths::AsTheyAre } else { Paths::Normal };
    let signer =
        Signer { keys: &KeyCache::default(), access_key_id: "AKIDEXAMPLE", region, service, paths };
    let ours = signer.authorization(secret, captured.header("x-amz-date")?, &request);
    assert!(ours.contains(&format!("/{date}/{region}/{service}/aws4_request")));
    assert!(ours.contains(&format!("SignedHeaders={names},")), "{ours}");
    let ours = ours.rsplit_once("Signature=")?.1.to_owned();
    Some((part("Signature=")?, ours))
}
/// *Scenario:* every signed request captured from boto3, both CLIs, the JavaScript and Rust SDKs.
/// *Guarantees:* our signature is theirs; with one letter of the secret changed it is not.
#[test]
fn captured_signatures_are_recomputed() {
    let captures = testkit::captured_requests();
    let mut same = 0;
    for (name, capture) in &captures {
        let Some((theirs, ours)) = signatures(capture, SECRET) else { continue };
        assert_eq!(theirs, ours, "{name}");
        let (_, other) = signatures(capture, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX").unwrap();
        assert_ne!(theirs, other, "{name}");
        same += 1;
    }
    assert!(captures.is_empty() || same >= 150, "only {same} of {} are signed", captures.len());
}

#[track_caller]
fn check_example(signer: &Signer<'_>, date: &str, request: &Request<'_>, signature: &str) {
    let ours = signer.authorization(SECRET, date, request);
    let ours = ours.rsplit_once("Signature=").unwrap().1;
    assert_eq!(ours, signature, "{}", canonical_request(request, signer.paths));
}

/// *Scenario:* "GET Object" and "Get Bucket (List Objects)" of the S3 API reference, and a signed
/// Firehose call.
/// *Guarantees:* the signatures printed there.
#[test]
fn published_examples_are_met() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let keys = KeyCache::default();
    let s3 = Signer {
        keys: &keys,
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        region: "us-east-1",
        service: "s3",
        paths: Paths::AsTheyAre,
    };
    let date = "20130524T000000Z";
    let host = ("Host", "examplebucket.s3.amazonaws.com");
    let empty = ("x-amz-content-sha256", EMPTY_HASH);
    let get = Request {
        method: "GET",
        path: "/test.txt",
        query: "",
        headers: &[host, ("Range", "bytes=0-9"), empty, ("x-amz-date", date)],
        payload_hash: EMPTY_HASH,
    };
    let header = s3.authorization(secret, date, &get);
    assert_eq!(
        header,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    let list = Request {
        path: "/",
        query: "max-keys=2&prefix=J",
        headers: &[host, empty, ("x-amz-date", date)],
        ..get
    };
    assert!(
        s3.authorization(secret, date, &list).ends_with(
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        )
    );
    let date = "20261120T120000Z";
    let body = br#"{"DeliveryStreamName":"s","Record":{"Data":"aGVsbG8="}}"#;
    let put = Request {
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "Firehose_20150804.PutRecord"),
            ("host", "firehose.us-east-1.amazonaws.com"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-date", date),
        ],
        payload_hash: &hash(body),
    };
    let firehose =
        Signer { access_key_id: "AKIDEXAMPLE", service: "firehose", paths: Paths::Normal, ..s3 };
    check_example(
        &firehose,
        date,
        &put,
        "e272a4f0aa07adabffca22d21d116e59602baea178fe9d82a666b52852f5de19",
    );
}

#[track_caller]
fn check_canonical(paths: Paths, path: &str, query: &str, expect: &str) {
    let request =
        Request { method: "GET", path, query, headers: &[("Host", "h")], payload_hash: "x" };
    let text = canonical_request(&request, paths);
    let got: Vec<&str> = text.split('\n').skip(1).take(2).collect();
    assert_eq!(got.join("?"), expect);
}

/// *Scenario:* paths and queries that are written in more than one way.
/// *Guarantees:* S3's keys stay what they are; other services' paths are made normal and encoded
/// twice; queries are sorted and encoded once.
#[test]
fn paths_and_queries_have_one_form() {
    use Paths::{AsTheyAre, Normal};
    check_canonical(AsTheyAre, "", "", "/?");
    check_canonical(
        AsTheyAre,
        "/b//a/../c%20d+%2Be%2Ff%c3%a9",
        "",
        "/b//a/../c%20d%2B%2Be/f%C3%A9?",
    );
    check_canonical(AsTheyAre, "/100%", "", "/100%25?");
    check_canonical(Normal, "/a%20b/./c//../d/", "", "/a%2520b/d/?");
    check_canonical(Normal, "/..", "", "/?");
    check_canonical(AsTheyAre, "/", "b=2&a&b=1&a=%2f+&&", "/?a=&a=%2F%20&b=1&b=2");
    check_canonical(AsTheyAre, "/", "a-b=1&a=2&a%20=3", "/?a=2&a%20=3&a-b=1");
}

/// *Scenario:* headers in any order and case, with inner and outer white space, one name twice.
/// *Guarantees:* sorted, lower case, one space, joined by a comma.
#[test]
fn headers_have_one_form() {
    let headers =
        [("X-Amz-Date", " d "), ("My-H", "  a   b\t c "), ("HOST", "h"), ("my-h", "second")];
    let request =
        Request { method: "GET", path: "/", query: "", headers: &headers, payload_hash: "p" };
    assert_eq!(
        canonical_request(&request, Paths::Normal),
        "GET\n/\n\nhost:h\nmy-h:a b c,second\nx-amz-date:d\n\nhost;my-h;x-amz-date\np"
    );
}

/// *Scenario:* more keys asked for than are kept, of two days and two secrets.
/// *Guarantees:* always the key that deriving gives; no more are kept than said.
#[test]
fn cache_gives_the_right_key() {
    let cache = KeyCache::default();
    for number in 0..200_u32 {
        let region = format!("r{}", number % 5);
        let date = if number % 97 == 96 { "20261121" } else { "20261120" };
        let service = if number % 2 == 0 { "s3" } else { "sqs" };
        let secret = ["one", "two", "three"][number as usize % 3];
        let scope = Scope { date, region: &region, service };
        let expect = SigningKey::derive(secret, &scope).sign("text");
        assert_eq!(cache.key(secret, &scope).sign("text"), expect, "{number}");
        assert!(cache.0.lock().unwrap().len() <= 16);
    }
}

/// *Scenario:* what might be printed by accident.
/// *Guarantees:* no key and no secret shows.
#[test]
fn keys_are_not_printed() {
    let cache = KeyCache::default();
    let key = cache.key("s3cret", &Scope { date: "d", region: "r", service: "s" });
    assert!(!format!("{key:?}{cache:?}").contains("s3cret"));
}

fn signature(method: &str, path: &str, query: &str, header: &str, body: &[u8]) -> String {
    let signer = Signer {
        keys: &KeyCache::default(),
        access_key_id: "A",
        region: "r",
        service: "s3",
        paths: Paths::AsTheyAre,
    };
    let request = Request {
        method,
        path: &encode_path(path),
        query: &format!("q={}", encode_query(query)),
        headers: &[("host", "h"), ("x-a", header)],
        payload_hash: &hash(body),
    };
    let text = signer.authorization(SECRET, "20261120T120000Z", &request);
    text.rsplit_once("Signature=").unwrap().1.to_owned()
}

proptest! {
    /// *Scenario:* any text in path, query, header and body, and one character of one of them changed.
    /// *Guarantees:* another signature.
    #[test]
    fn one_change_changes_the_signature(
        mut parts in prop::array::uniform4("[a-z+% /\u{e9}]{1,20}"),
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
    ) {
        let sign = |p: &[String; 4]| signature("PUT", &p[0], &p[1], &p[2], p[3].as_bytes());
        let before = sign(&parts);
        let mut letters: Vec<char> = parts[which].chars().collect();
        letters[at.index(parts[which].chars().count())] = 'Z';
        parts[which] = letters.into_iter().collect();
        prop_assert_ne!(before, sign(&parts));
    }

    /// *Scenario:* any key and any text of a query.
    /// *Guarantees:* what is encoded decodes to what it was, holds only characters that no parser
    /// touches, and is its own canonical form.
    #[test]
    fn encoding_is_undone(text in any::<String>()) {
        let path = format!("/{}", encode_path(&text));
        let query = encode_query(&text);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
        prop_assert!(query.chars().all(plain));
        let decoded = encode::decode(&query, true).into_owned();
        prop_assert_eq!(decoded, text.as_bytes());
        let request = Request {
            method: "GET", path: &path, query: &format!("a={query}"), headers: &[], payload_hash: "",
        };
        let canonical = canonical_request(&request, Paths::AsTheyAre);
        let expect = format!("GET\n{path}\na={query}\n");
        prop_assert!(canonical.starts_with(&expect), "{}", canonical);
    }

    /// *Scenario:* anything at all where a path, a query and headers should be.
    /// *Guarantees:* no panic; the same text twice.
    #[test]
    fn nothing_panics(path in any::<String>(), query in any::<String>(), header in any::<String>()) {
        let request = Request {
            method: "GET", path: &path, query: &query, headers: &[(&header, &query)], payload_hash: &path,
        };
        for paths in [Paths::AsTheyAre, Paths::Normal] {
            prop_assert_eq!(canonical_request(&request, paths), canonical_request(&request, paths));
        }
    }
}
