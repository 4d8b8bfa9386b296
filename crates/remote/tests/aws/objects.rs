//! Objects: keys, listings, puts, faults, wrong clocks, expired tokens.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;
use remote::aws::s3::{Download, From, Put, S3};
use remote::aws::{Fault, IdentityConfig, Kind};
use testkit::{Peer, Received, Reply, TempDir, closed_port};

use super::support::{SECRET, at, config, credential, is_signed, keys, load, run};

fn object(body: &[u8]) -> Reply {
    Reply::body(200, "binary/octet-stream", body)
        .with("ETag", "\"e1\"")
        .with("Last-Modified", "Fri, 20 Nov 2026 10:00:00 GMT")
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
    );
    Reply::body(status, "application/xml", text)
}

async fn read(mut download: Download) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    while let Some(bytes) = download.chunk().await? {
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

/// *Scenario:* GET with a version and an entity tag, HEAD, an empty object.
/// *Guarantees:* bytes and headers are what was sent; version and tag are asked for, and signed.
#[test]
fn objects_are_read() {
    let peer = Peer::start(object(b"hello"));
    run(async {
        let s3 = S3::new(at(&peer).await);
        let download = s3.get("b-1", "k", Some("v 1"), Some("\"e1\"")).await.unwrap();
        assert_eq!((download.about.length, download.about.etag.as_str()), (5, "\"e1\""));
        assert_eq!(download.about.modified_ms, 1_795_168_800_000);
        assert_eq!(read(download).await.unwrap(), b"hello");
        peer.set(object(b""));
        assert_eq!(read(s3.get("b-1", "k", None, None).await.unwrap()).await.unwrap(), b"");
        assert_eq!(s3.head("b-1", "k").await.unwrap().length, 0);
    });
    let [get, _, head] = <[Received; 3]>::try_from(peer.requests()).unwrap();
    assert_eq!(get.target, "/b-1/k?versionId=v%201");
    assert_eq!(get.header("if-match"), Some("\"e1\""));
    assert_eq!(head.method, "HEAD");
    assert!([get, head].iter().all(|request| is_signed(request, SECRET)));
}

/// *Scenario:* PUT with an encoding and a KMS key; the body is that of the CRC32C check value.
/// *Guarantees:* type, encoding, checksum and key are sent and signed; a 200 without an entity tag
/// is no yes.
#[test]
fn objects_are_put() {
    let peer = Peer::start(Reply::status(200).with("ETag", "\"x\""));
    let how = Put { content_encoding: Some("gzip"), kms_key_id: Some("arn:aws:kms:x".to_owned()) };
    let body = Bytes::from_static(b"123456789");
    run(async {
        let s3 = S3::new(at(&peer).await);
        s3.put("b-1", "a/b", body.clone(), &how).await.unwrap();
        peer.set(Reply::body(200, "text/html", "<html>welcome</html>"));
        let fault = s3.put("b-1", "a/b", body, &how).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (Kind::Unwell, "NotAws"));
    });
    let put = peer.requests().remove(0);
    assert!(is_signed(&put, SECRET));
    assert_eq!((put.method.as_str(), put.target.as_str()), ("PUT", "/b-1/a/b"));
    assert_eq!(put.body, b"123456789");
    let expect = [
        ("content-type", "application/octet-stream"),
        ("content-encoding", "gzip"),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:x"),
    ];
    for (name, value) in expect {
        assert_eq!(put.header(name), Some(value), "{name}");
    }
}

fn listing(middle: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{middle}</ListBucketResult>"
    );
    Reply::body(200, "application/xml", text)
}

/// *Scenario:* two pages, keys that are encoded, a start, a token.
/// *Guarantees:* keys come decoded, in order; the token is sent back as it came.
#[test]
fn listings_are_read_page_by_page() {
    let first = "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>1+/=&amp;</NextContinuationToken>\
        <Contents><Key>a%2Bb+c%2F%C3%A9%25</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>\
        <ETag>&quot;e&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>\
        <CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes>";
    let last =
        "<IsTruncated>false</IsTruncated><Contents><Key>b+%41</Key><Size>0</Size></Contents>";
    let peer = Peer::scripted(move |request| {
        listing(if request.target.contains("token") { last } else { first })
    });
    run(async {
        let s3 = S3::new(at(&peer).await);
        let from = From { start_after: Some("p/a b"), token: None };
        let page = s3.list("b.1", "p/\u{fc}", from).await.unwrap();
        let object = page.objects.first().unwrap();
        assert_eq!((object.key.as_str(), object.length), ("a+b c/\u{e9}%", 7));
        assert_eq!((object.etag.as_str(), object.modified_ms), ("\"e\"", 1_795_168_800_000));
        let next = page.next.unwrap();
        let page = s3.list("b.1", "p/\u{fc}", From { start_after: None, token: Some(&next) }).await;
        let page = page.unwrap();
        assert_eq!((page.objects.first().unwrap().key.as_str(), page.next), ("b+%41", None));
    });
    let [first, second] = <[Received; 2]>::try_from(peer.requests()).unwrap();
    let base = "/b.1?list-type=2&encoding-type=url&prefix=p%2F%C3%BC";
    assert_eq!(first.target, format!("{base}&start-after=p%2Fa%20b"));
    assert_eq!(second.target, format!("{base}&continuation-token=1%2B%2F%3D%26"));
    assert!(is_signed(&first, SECRET) && is_signed(&second, SECRET));
}

/// *Scenario:* a server that says it encodes keys, and does not.
/// *Guarantees:* the keys are what they are.
#[test]
fn keys_that_are_not_encoded_are_told() {
    let text = "<EncodingType>url</EncodingType><Contents><Key>a b+%41</Key><Size>1</Size></Contents>\
        <Contents><Key>c+d</Key><Size>1</Size></Contents>";
    let peer = Peer::start(listing(text));
    let page =
        run(async { S3::new(at(&peer).await).list("b", "", From::default()).await }).unwrap();
    let keys: Vec<&str> = page.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["a b+%41", "c+d"]);
}

/// *Scenario:* listings that are cut, of another kind, that promise more and say not where, that lead
/// back to where one is.
/// *Guarantees:* a fault that may pass; never an empty page, never a circle.
#[test]
fn strange_listings_are_refused() {
    let cut = b"<ListBucketResult><Contents><Key>a</Key>";
    let replies = [
        Reply::body(200, "application/xml", cut.as_slice()),
        Reply::body(200, "text/html", "<html><body>login</body></html>"),
        Reply::body(200, "application/xml", "<ListAllMyBucketsResult/>"),
        Reply::status(200),
        listing("<IsTruncated>true</IsTruncated>"),
        listing("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
        listing("<Contents><Key>a</Key><Size>many</Size></Contents>"),
        listing(
            "<EncodingType>url</EncodingType><Contents><Key>%ff</Key><Size>1</Size></Contents>",
        ),
    ];
    run(async {
        for reply in replies {
            let peer = Peer::start(reply.clone());
            let from = From { start_after: None, token: Some("t") };
            let fault = S3::new(at(&peer).await).list("b", "", from).await.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_str()), (Kind::Unwell, "NotAws"), "{reply:?}");
        }
    });
}

#[derive(Clone, Copy)]
struct Case {
    reply: (u16, &'static str, &'static str),
    kind: Kind,
    remedy: &'static str,
}

const fn case(status: u16, code: &'static str, kind: Kind, remedy: &'static str) -> Case {
    Case { reply: (status, code, "a message"), kind, remedy }
}

/// *Scenario:* S3's errors.
/// *Guarantees:* each has its kind, its code, its status, and a remedy that names action, ARN, key or
/// clock.
#[test]
fn errors_are_told_apart() {
    use Kind::*;
    let kms =
        "User: u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:1:key/k";
    let cases = [
        case(404, "NoSuchKey", NoSuchObject, ""),
        case(404, "NoSuchVersion", NoSuchObject, ""),
        case(404, "NoSuchBucket", NoSuchPlace, "check the name"),
        case(403, "AccessDenied", Denied, "allow s3:GetObject on arn:aws:s3:::bucket/a key"),
        case(403, "AccessDenied", Denied, "without s3:ListBucket on arn:aws:s3:::bucket"),
        Case { reply: (403, "AccessDenied", kms), kind: Denied, remedy: "kms:Decrypt on that key" },
        case(400, "KMS.DisabledException", Denied, "kms:Decrypt"),
        case(403, "InvalidObjectState", Denied, "restore it"),
        case(400, "ExpiredToken", BadCredentials, "new temporary credentials"),
        case(403, "InvalidAccessKeyId", BadCredentials, "access key id"),
        case(403, "SignatureDoesNotMatch", BadCredentials, "secret access key"),
        case(403, "RequestTimeTooSkewed", BadCredentials, "clock"),
        case(503, "SlowDown", Throttled, "fewer"),
        case(400, "ThrottlingException", Throttled, ""),
        case(412, "PreconditionFailed", Changed, ""),
        case(500, "InternalError", Unwell, ""),
        case(400, "RequestTimeout", Unwell, ""),
        case(400, "BadDigest", Unwell, ""),
        case(400, "InvalidArgument", Refused, ""),
        case(403, "Unheard", Denied, ""),
        case(503, "Unheard", Unwell, ""),
    ];
    run(async {
        for Case { reply: (status, code, message), kind, remedy } in cases {
            let peer = Peer::start(error(status, code, message).with("Retry-After", "3"));
            let s3 = S3::new(at(&peer).await);
            let fault = s3.get("bucket", "a key", None, None).await.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_str(), fault.status), (kind, code, status));
            assert_eq!(fault.doing, "GetObject s3://bucket/a key");
            assert_eq!(fault.message, message);
            assert_eq!(fault.retry_after.unwrap().as_secs(), 3);
            let said = fault.remedy.unwrap_or_default();
            assert!(said.contains(remedy), "{code}: '{remedy}' is not in '{said}'");
            assert_eq!(peer.count(), 1, "{code} is not asked again");
        }
        let peer = Peer::start(error(403, "AccessDenied", "kms:GenerateDataKey"));
        let fault = S3::new(at(&peer).await).put("b", "k", Bytes::new(), &Put::default()).await;
        assert!(fault.unwrap_err().remedy.unwrap().contains("allow kms:GenerateDataKey"));
    });
}

/// *Scenario:* answers that AWS did not write: pages of a proxy with any status, a cut error.
/// *Guarantees:* "later" and never "no", above all not "there is no such object"; the page is named.
#[test]
fn answers_of_others_settle_nothing() {
    run(async {
        for status in [200, 203, 302, 400, 403, 404, 407, 500, 503] {
            let peer = Peer::start(Reply::body(status, "text/html", "<html>Blocked</html>"));
            let s3 = S3::new(at(&peer).await);
            let faults = [
                s3.get("b", "k", None, None).await.err().unwrap(),
                s3.put("b", "k", Bytes::new(), &Put::default()).await.unwrap_err(),
                // Last: the peer sends a body where a HEAD has none.
                s3.head("b", "k").await.unwrap_err(),
            ];
            for fault in faults {
                assert_eq!(
                    (fault.kind, fault.code.as_str()),
                    (Kind::Unwell, "NotAws"),
                    "{fault:?}"
                );
                assert!(fault.message.contains("text/html"), "{fault}");
                assert!(fault.remedy.unwrap().contains("NO_PROXY"));
            }
        }
        let cut = "<Error><Code>NoSuchKey</Code>";
        let peer = Peer::start(Reply::body(404, "application/xml", cut));
        let fault = S3::new(at(&peer).await).get("b", "k", None, None).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unwell);
    });
}

/// *Scenario:* HEAD, whose answers have no body.
/// *Guarantees:* the status decides.
#[test]
fn head_without_a_body_is_understood() {
    let check = |reply: Reply, kind: Kind| {
        let peer = Peer::start(reply);
        let fault = run(async { S3::new(at(&peer).await).head("b", "k").await.unwrap_err() });
        assert_eq!(fault.kind, kind, "{fault:?}");
    };
    check(Reply::status(404), Kind::NoSuchObject);
    check(
        Reply::status(404).with("Content-Type", "text/html").with("x-amzn-requestid", "1"),
        Kind::NoSuchObject,
    );
    check(Reply::status(403), Kind::Denied);
    check(Reply::status(503), Kind::Throttled);
    check(Reply::status(405).with("x-amz-delete-marker", "true"), Kind::NoSuchObject);
    check(Reply::status(301).with("x-amz-bucket-region", "eu-north-1"), Kind::WrongRegion);
}

/// *Scenario:* nobody listens; a reset; silence; a name that does not resolve; no region; a name that
/// is none.
/// *Guarantees:* each is told, with what to look at; the first four may pass.
#[test]
fn silence_is_told() {
    run(async {
        let mut short = config();
        short.client.request_timeout = std::time::Duration::from_millis(200);
        let with = |url: String| IdentityConfig { endpoint_url: Some(url), ..short.clone() };
        let (hang, reset) = (Peer::start(Reply::Hang), Peer::start(Reply::Reset));
        let nobody = format!("http://127.0.0.1:{}", closed_port());
        for url in [nobody, hang.url(""), reset.url(""), "http://nowhere.invalid".to_owned()] {
            let s3 = S3::new(load(with(url.clone()), keys()).await.unwrap());
            let fault = s3.get("b", "k", None, None).await.unwrap_err();
            assert!(fault.passes() && fault.code == "Unreachable", "{url}: {fault:?}");
            assert_eq!(fault.status, 0);
        }
        let mut variables = keys();
        variables.retain(|(name, _)| *name != "AWS_REGION");
        let s3 = S3::new(load(config(), variables).await.unwrap());
        let fault = s3.get("b", "k", None, None).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (Kind::Refused, "NoRegion"));
        for (bucket, key) in [("", "k"), ("a/b", "k"), ("..", "k"), ("b?x", "k"), ("b", "")] {
            let fault = s3.get(bucket, key, None, None).await.unwrap_err();
            assert_eq!(fault.code, "BadName", "{bucket}");
        }
    });
}

/// *Scenario:* a token that S3 calls expired, from a source that gives another; then from the
/// environment.
/// *Guarantees:* asked again once with the new one; without another source the fault says so.
#[test]
fn expired_token_is_renewed_once() {
    let expired = || error(400, "ExpiredToken", "The provided token has expired.");
    let peer = Peer::scripted(move |request| match credential(request).starts_with("AK1/") {
        true => expired(),
        false => object(b"x"),
    });
    let dir = TempDir::new("aws");
    let count = dir.join("count").display().to_string();
    let script = format!(
        "echo >> {count}; echo '{{\"Version\":1,\"AccessKeyId\":\"AK'$(wc -l < {count})'\",\
         \"SecretAccessKey\":\"{SECRET}\",\"SessionToken\":\"t\",\
         \"Expiration\":\"2099-01-01T00:00:00Z\"}}'"
    );
    let file = dir.write("config", format!("[default]\ncredential_process = {script}\n"));
    let variables = vec![("AWS_CONFIG_FILE", file.display().to_string())];
    run(async {
        let own = IdentityConfig { endpoint_url: Some(peer.url("")), ..config() };
        let s3 = S3::new(load(own, variables).await.unwrap());
        assert_eq!(read(s3.get("b", "k", None, None).await.unwrap()).await.unwrap(), b"x");
        assert_eq!(peer.count(), 2);
        s3.get("b", "k", None, None).await.unwrap();
        assert_eq!(peer.count(), 3);
        peer.set(error(400, "ExpiredToken", "again"));
        assert_eq!(s3.get("b", "k", None, None).await.unwrap_err().status, 400);
        assert_eq!(peer.count(), 5);
        let s3 = S3::new(at(&peer).await);
        let before = peer.count();
        let fault = s3.get("b", "k", None, None).await.unwrap_err();
        assert_eq!((fault.kind, peer.count() - before), (Kind::BadCredentials, 1));
    });
}

/// *Scenario:* a service whose clock is an hour ahead; then one that never agrees.
/// *Guarantees:* asked again once, signed by its clock, and from then on at once; a HEAD, too, whose
/// refusal tells no reason; the fault tells both times.
#[test]
fn clock_is_corrected_once() {
    let hour = std::time::Duration::from_secs(3600);
    let date = move || (Timestamp::now() + hour).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let near = move |request: &Received| {
        let stamp = request.header("x-amz-date").unwrap_or_default().to_owned();
        let hours = (Timestamp::now() + hour).strftime("%Y%m%dT%H%M").to_string();
        let earlier = (Timestamp::now() + hour - std::time::Duration::from_secs(60))
            .strftime("%Y%m%dT%H%M")
            .to_string();
        stamp.starts_with(&hours) || stamp.starts_with(&earlier)
    };
    let skewed = move || {
        let text = "<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message>\
            <RequestTime>20261120T100000Z</RequestTime><ServerTime>2026-11-20T11:00:00Z</ServerTime>\
            </Error>";
        Reply::body(403, "application/xml", text).with("Date", &date())
    };
    let peer =
        Peer::scripted(
            move |request| {
                if near(request) { object(b"x").with("Date", "x") } else { skewed() }
            },
        );
    run(async {
        let s3 = S3::new(at(&peer).await);
        s3.get("b", "k", None, None).await.unwrap();
        assert_eq!(peer.count(), 2);
        assert!(is_signed(&peer.requests().pop().unwrap(), SECRET));
        let before = peer.count();
        s3.get("b", "k", None, None).await.unwrap();
        assert_eq!(peer.count(), before + 1);
        let bare = Peer::scripted(move |request| match near(request) {
            true => object(b""),
            false => Reply::status(403).with("Date", &date()),
        });
        S3::new(at(&bare).await).head("b", "k").await.unwrap();
        let never = Peer::start(skewed());
        let s3 = S3::new(at(&never).await);
        let fault = s3.get("b", "k", None, None).await.unwrap_err();
        assert_eq!(fault.kind, Kind::BadCredentials);
        let times = "(signed at 20261120T100000Z, their time is 2026-11-20T11:00:00Z)";
        assert!(fault.message.contains(times), "{fault}");
        assert_eq!(never.count(), 2);
    });
}

/// *Scenario:* a bucket elsewhere, at an endpoint of one's own.
/// *Guarantees:* not followed; the remedy names the region.
#[test]
fn wrong_region_of_an_own_endpoint_is_told() {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region \
        'eu-west-1' is wrong; expecting 'us-east-2'</Message><Region>us-east-2</Region></Error>";
    let replies = [
        error(301, "PermanentRedirect", "elsewhere").with("x-amz-bucket-region", "us-east-2"),
        error(307, "TemporaryRedirect", "elsewhere").with("x-amz-bucket-region", "us-east-2"),
        Reply::body(400, "application/xml", malformed),
    ];
    run(async {
        for reply in replies {
            let peer = Peer::start(reply);
            let fault = S3::new(at(&peer).await).get("b", "k", None, None).await.unwrap_err();
            assert_eq!(fault.kind, Kind::WrongRegion, "{fault:?}");
            assert!(fault.remedy.unwrap().contains("region: us-east-2"));
            assert_eq!(peer.count(), 1);
        }
    });
}

fn decoded(target: &str) -> Vec<u8> {
    let path = target.split('?').next().unwrap().strip_prefix("/bucket/").unwrap();
    // In a path a plus is a plus.
    aws::sigv4::decode_form(&path.replace('+', "%2B"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// *Scenario:* any key: `+`, spaces, `%`, `//`, `..`, control characters, any language.
    /// *Guarantees:* the path on the wire is that key and no other, and the signature holds.
    #[test]
    fn any_key_arrives(key in r"([ -~]|\PC|[/.+%?#&\\]|\.\./|//|\x00|\n){1,40}") {
        prop_assume!(key.len() <= 1024);
        let peer = Peer::start(object(b"x"));
        run(async { S3::new(at(&peer).await).get("bucket", &key, None, None).await }).unwrap();
        let request = peer.requests().remove(0);
        prop_assert_eq!(decoded(&request.target), key.as_bytes(), "{}", request.target);
        prop_assert!(is_signed(&request, SECRET), "{}", request.target);
    }
}
