//! Every captured signature verifies, and no changed request does.

use testkit::Received;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000;

/// Judged by a clock that stands where the caller's did.
fn judge(sent: &Received) -> Result<(), Refusal> {
    let headers: Vec<(&str, &str)> =
        sent.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let (path, query) = sent.target.split_once('?').unwrap_or((&sent.target, ""));
    let incoming =
        Incoming { method: &sent.method, path, query, headers: &headers, body: &sent.body };
    let presented = Presented::read(&incoming)?;
    let now = seconds_of(&presented.date).unwrap_or(NOW);
    let (region, service) = (presented.region.clone(), presented.service.clone());
    presented.verify(&incoming, SECRET, &KeyCache::default(), now, (&region, &service))
}

fn example() -> Received {
    Received::parse(
        b"POST / HTTP/1.1\r\n\
        Host: firehose.us-east-1.amazonaws.com\r\n\
        Content-Type: application/x-amz-json-1.1\r\n\
        X-Amz-Date: 20261120T120000Z\r\n\
        X-Amz-Target: Firehose_20150804.PutRecord\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/firehose/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
        Signature=e272a4f0aa07adabffca22d21d116e59602baea178fe9d82a666b52852f5de19\r\n\r\n\
        {\"DeliveryStreamName\":\"s\",\"Record\":{\"Data\":\"aGVsbG8=\"}}",
    )
}

fn with(change: impl FnOnce(&mut Received)) -> Result<(), Refusal> {
    let mut sent = example();
    change(&mut sent);
    judge(&sent)
}

fn header<'a>(sent: &'a mut Received, name: &str) -> &'a mut String {
    &mut sent.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap().1
}

/// *Scenario:* the reference's own vector, and each part of it changed.
/// *Guarantees:* it verifies; changed it does not, and each lack is named.
#[test]
fn one_request_and_its_changes() {
    assert_eq!(judge(&example()), Ok(()));
    assert_eq!(with(|sent| sent.body[3] ^= 1), Err(Refusal::Mismatch));
    assert_eq!(with(|sent| sent.target = "/x".to_owned()), Err(Refusal::Mismatch));
    assert_eq!(with(|sent| sent.method = "PUT".to_owned()), Err(Refusal::Mismatch));
    assert_eq!(with(|s| header(s, "host").push('.')), Err(Refusal::Mismatch));
    assert_eq!(
        with(|s| s.headers.push(("x-amz-content-sha256".to_owned(), hash(b"other")))),
        Err(Refusal::Incomplete(
            "There were headers present in the request which were not signed: x-amz-content-sha256"
                .to_owned()
        ))
    );
    assert_eq!(with(|s| s.headers.retain(|(n, _)| n != "Authorization")), Err(Refusal::Missing));
    for (part, lacks) in [("Signature=", "'Signature'"), ("SignedHeaders=", "'SignedHeaders'")] {
        let refused = with(|s| {
            let value = header(s, "authorization");
            *value = value.replace(part, "Nothing=");
        });
        assert!(matches!(&refused, Err(Refusal::Incomplete(text)) if text.contains(lacks)));
    }
    let unsigned_host = with(|s| {
        let value = header(s, "authorization");
        *value = value.replace("content-type;host;", "content-type;");
    });
    assert!(matches!(&unsigned_host, Err(Refusal::Incomplete(text)) if text.contains("'Host'")));
    let other_day = with(|s| *header(s, "x-amz-date") = "20261121T000000Z".to_owned());
    assert!(matches!(&other_day, Err(Refusal::Scope(text)) if text.contains("20261121")));
}

/// *Scenario:* the same request, signed by botocore with an HTTP date in place of `X-Amz-Date`.
/// *Guarantees:* it verifies; with another date it does not.
#[test]
fn an_http_date() {
    let dated = |date: &str| {
        with(|sent| {
            let at = sent.headers.iter_mut().find(|(name, _)| name == "X-Amz-Date").unwrap();
            *at = ("Date".to_owned(), date.to_owned());
            *header(sent, "authorization") =
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/firehose/aws4_request, \
                 SignedHeaders=content-type;date;host;x-amz-target, \
                 Signature=e2aab44b40c22a80642562a39d711d17d831d2fc1095a62b33c0b60b0d803d5c"
                    .to_owned();
        })
    };
    assert_eq!(dated("Fri, 20 Nov 2026 12:00:00 -0000"), Ok(()));
    assert_eq!(dated("Fri, 20 Nov 2026 12:00:01 GMT"), Err(Refusal::Mismatch));
    assert!(matches!(dated("Thu, 19 Nov 2026 12:00:00 GMT"), Err(Refusal::Scope(_))));
}

/// *Scenario:* the same request judged by clocks around the edges, for another region and service.
/// *Guarantees:* five minutes either way, with AWS's texts.
#[test]
fn clock_and_scope() {
    let sent = example();
    let headers: Vec<(&str, &str)> =
        sent.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let incoming =
        Incoming { method: "POST", path: "/", query: "", headers: &headers, body: &sent.body };
    let presented = Presented::read(&incoming).unwrap();
    let keys = KeyCache::default();
    let at = |now, place| presented.verify(&incoming, SECRET, &keys, now, place);
    let place = ("us-east-1", "firehose");
    assert_eq!(at(NOW + 300, place), Ok(()));
    assert_eq!(at(NOW - 300, place), Ok(()));
    assert_eq!(
        at(NOW + 301, place).unwrap_err().to_string(),
        "Signature expired: 20261120T120000Z is now earlier than 20261120T120001Z \
         (20261120T120501Z - 5 min.)"
    );
    assert_eq!(
        at(NOW - 301, place).unwrap_err().to_string(),
        "Signature not yet current: 20261120T120000Z is still later than 20261120T115959Z \
         (20261120T115459Z + 5 min.)"
    );
    let elsewhere = at(NOW, ("eu-west-1", "firehose")).unwrap_err().to_string();
    assert_eq!(elsewhere, "Credential should be scoped to a valid Region, not 'us-east-1'.");
    let other = at(NOW, ("us-east-1", "monitoring")).unwrap_err().to_string();
    assert_eq!(other, "Credential should be scoped to correct service: 'monitoring'.");
    let wrong = presented.verify(&incoming, "other secret", &keys, NOW, place);
    assert_eq!(wrong, Err(Refusal::Mismatch));
}

/// *Scenario:* every captured request of an SDK to CloudWatch, Firehose and SQS, as it is and with a
/// byte of its body, its target or a signed header changed.
/// *Guarantees:* all verify; none does once changed.
#[test]
fn captured_signatures_verify() {
    let captures = testkit::captured_requests();
    let mut count = 0;
    for (name, sent) in &captures {
        // S3 has rules of its own (unsigned payloads, chunks), which no API here speaks.
        let ours = ["-cloudwatch-", "-firehose-", "-sqs-"].iter().any(|part| name.contains(part));
        if !ours || name.starts_with("emulator") {
            continue;
        }
        assert_eq!(judge(sent), Ok(()), "{name}");
        let mut changed = sent.clone();
        changed.body.push(b' ');
        assert_eq!(judge(&changed), Err(Refusal::Mismatch), "{name}: body");
        let mut changed = sent.clone();
        changed.target.push_str("/x");
        assert_eq!(judge(&changed), Err(Refusal::Mismatch), "{name}: path");
        let mut changed = sent.clone();
        header(&mut changed, "host").push('x');
        assert_eq!(judge(&changed), Err(Refusal::Mismatch), "{name}: host");
        count += 1;
    }
    assert!(captures.is_empty() || count > 50, "only {count} captures were found");
}
