//! Queues and tags: the JSON protocols.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::time::Duration;

use remote::aws::sqs::Sqs;
use remote::aws::tagging::Tagging;
use remote::aws::{IdentityConfig, Kind};
use serde_json::{Value, json};
use testkit::{Peer, Received, Reply};

use super::support::{SECRET, at, config, credential, is_signed, keys, load, run};

fn amz(body: &Value) -> Reply {
    Reply::body(200, "application/x-amz-json-1.0", body.to_string()).with("x-amzn-RequestId", "1")
}

fn error(status: u16, kind: &str, message: &str) -> Reply {
    let body = json!({ "__type": kind, "message": message }).to_string();
    Reply::body(status, "application/x-amz-json-1.0", body)
}

fn body(request: &Received) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// *Scenario:* receive, extend, delete and the attributes of a queue whose URL names another region.
/// *Guarantees:* the members and limits of SQS; signed for the region of the URL; answers without a
/// body are a yes.
#[test]
fn queue_is_spoken_to() {
    let url = "https://sqs.ap-southeast-2.amazonaws.com/111122223333/notes";
    let messages = json!({ "Messages": [
        { "MessageId": "m1", "ReceiptHandle": "r1", "Body": "one\u{e9}", "MD5OfBody": "x",
          "Attributes": { "ApproximateReceiveCount": "3", "SentTimestamp": "1795168800123" } },
        { "MessageId": "m2", "ReceiptHandle": "r2", "Body": "two" },
    ] });
    let about = json!({ "Attributes": {
        "VisibilityTimeout": "90", "ApproximateNumberOfMessages": "7",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:x\",\"maxReceiveCount\":\"5\"}",
    } });
    let peer = Peer::scripted(move |request| match request.header("x-amz-target").unwrap() {
        "AmazonSQS.ReceiveMessage" => amz(&messages),
        "AmazonSQS.GetQueueAttributes" => amz(&about),
        _ => Reply::status(200).with("x-amzn-RequestId", "1"),
    });
    run(async {
        let queue = Sqs::new(at(&peer).await, url);
        let got = queue.receive(99, Duration::from_secs(99), Duration::from_secs(120)).await;
        let got = got.unwrap();
        let first = got.first().unwrap();
        assert_eq!((first.body.as_str(), first.receipt.as_str()), ("one\u{e9}", "r1"));
        assert_eq!((first.received, first.sent_ms), (3, 1_795_168_800_123));
        assert_eq!(got.len(), 2);
        queue.extend("r1", Duration::from_secs(99_999)).await.unwrap();
        queue.delete("r1").await.unwrap();
        let about = queue.about().await.unwrap();
        assert_eq!((about.visibility, about.receives_max), (Duration::from_secs(90), Some(5)));
        assert_eq!((about.waiting, about.in_flight), (7, 2));
    });
    let seen = peer.requests();
    for request in &seen {
        assert!(is_signed(request, SECRET));
        assert!(credential(request).ends_with("/ap-southeast-2/sqs/aws4_request"));
        assert_eq!(request.header("content-type"), Some("application/x-amz-json-1.0"));
        assert_eq!(body(request).get("QueueUrl").unwrap(), url);
    }
    let receive = body(seen.first().unwrap());
    assert_eq!(receive.get("MaxNumberOfMessages").unwrap(), 10);
    assert_eq!(receive.get("WaitTimeSeconds").unwrap(), 20);
    assert_eq!(receive.get("VisibilityTimeout").unwrap(), 120);
    assert_eq!(body(seen.get(1).unwrap()).get("VisibilityTimeout").unwrap(), 43200);
}

/// *Scenario:* a queue at an address of its own, without any endpoint or region in the settings.
/// *Guarantees:* that address is asked; an empty answer is no message.
#[test]
fn address_in_the_url_is_asked() {
    let peer = Peer::start(amz(&json!({})));
    run(async {
        let mut variables = keys();
        variables.retain(|(name, _)| *name != "AWS_REGION");
        let queue = Sqs::new(load(config(), variables).await.unwrap(), &peer.url("/1/notes"));
        let got = queue.receive(1, Duration::ZERO, Duration::ZERO).await.unwrap();
        assert!(got.is_empty());
    });
    assert!(credential(&peer.requests().remove(0)).contains("/us-east-1/sqs/"));
}

/// *Scenario:* SQS's errors; answers that are none; a URL that is none.
/// *Guarantees:* kind, code without its prefix, remedy with action and ARN; nothing is invented.
#[test]
fn errors_of_queues_are_told_apart() {
    let check = |reply: Reply, kind: Kind, code: &str, remedy: &str| {
        let peer = Peer::start(reply);
        let fault = run(async {
            let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/notes";
            Sqs::new(at(&peer).await, url).about().await.unwrap_err()
        });
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{fault:?}");
        assert!(fault.doing.starts_with("GetQueueAttributes https://sqs."));
        let said = fault.remedy.unwrap_or_default();
        assert!(said.contains(remedy), "{said}");
    };
    let gone = "com.amazonaws.sqs#QueueDoesNotExist";
    check(error(400, gone, "m"), Kind::NoSuchPlace, "QueueDoesNotExist", "check the name");
    check(
        error(403, "com.amazon.coral.service#AccessDeniedException", "m"),
        Kind::Denied,
        "AccessDeniedException",
        "sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:111122223333:notes",
    );
    check(error(400, "RequestThrottled", "m"), Kind::Throttled, "RequestThrottled", "");
    check(
        error(403, "UnrecognizedClientException", "m"),
        Kind::BadCredentials,
        "UnrecognizedClientException",
        "access key id",
    );
    let typed = Reply::status(500).with("x-amzn-ErrorType", "InternalFailure:http://x/");
    check(typed, Kind::Unwell, "InternalFailure", "");
    for reply in [
        Reply::body(200, "text/html", "<html>"),
        Reply::status(200),
        Reply::json(200, "[]"),
        Reply::json(403, "{}"),
    ] {
        check(reply, Kind::Unwell, "NotAws", "");
    }
    check(amz(&json!({})), Kind::Unwell, "NotAws", "endpoint_url");
    run(async {
        let identity = load(config(), keys()).await.unwrap();
        for url in ["notes", "arn:aws:sqs:eu-west-1:1:notes", "ftp://x/1/q", "https://sqs.x.y/"] {
            let fault = Sqs::new(identity.clone(), url).about().await.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_str()), (Kind::Refused, "BadQueueUrl"), "{url}");
        }
        let peer = Peer::start(amz(&json!({ "Messages": [{ "MessageId": "m" }] })));
        let queue = Sqs::new(at(&peer).await, &peer.url("/1/q"));
        let fault = queue.receive(1, Duration::ZERO, Duration::ZERO).await.unwrap_err();
        assert_eq!(fault.code, "NotAws");
    });
}

/// *Scenario:* a long poll that is answered later than the usual time limit, but within its wait.
/// *Guarantees:* it is awaited.
#[test]
fn long_poll_is_awaited() {
    let peer = Peer::start(amz(&json!({})).after(Duration::from_millis(600)));
    run(async {
        let mut short = config();
        short.client.request_timeout = Duration::from_millis(300);
        let short = IdentityConfig { endpoint_url: Some(peer.url("")), ..short };
        let queue = Sqs::new(load(short, keys()).await.unwrap(), &peer.url("/1/q"));
        queue.receive(1, Duration::from_secs(1), Duration::ZERO).await.unwrap();
        let fault = queue.receive(1, Duration::ZERO, Duration::ZERO).await.unwrap_err();
        assert_eq!(fault.code, "Unreachable");
    });
}

/// *Scenario:* tags, two pages; a token that leads back; no list.
/// *Guarantees:* the filter and the token are sent; tags keep their order; a circle is refused.
#[test]
fn tags_are_read_page_by_page() {
    let first = json!({ "PaginationToken": "p2", "ResourceTagMappingList": [
        { "ResourceARN": "arn:a", "Tags": [{ "Key": "b", "Value": "1" }, { "Key": "a", "Value": "" }] },
        { "ResourceARN": "arn:b", "Tags": [] },
    ] });
    let last = json!({ "PaginationToken": "", "ResourceTagMappingList": [] });
    let peer = Peer::scripted(move |request| {
        amz(if request.text().contains("PaginationToken") { &last } else { &first })
    });
    run(async {
        let tagging = Tagging::new(at(&peer).await);
        let types = ["ec2:instance".to_owned()];
        let page = tagging.resources(&types, None).await.unwrap();
        let resource = page.resources.first().unwrap();
        assert_eq!(resource.arn, "arn:a");
        let tags = [("b".to_owned(), "1".to_owned()), ("a".to_owned(), String::new())];
        assert_eq!(resource.tags, tags);
        let page = tagging.resources(&[], page.next.as_deref()).await.unwrap();
        assert_eq!((page.resources.len(), page.next), (0, None));
        peer.set(amz(&json!({ "PaginationToken": "p2", "ResourceTagMappingList": [] })));
        assert_eq!(tagging.resources(&[], Some("p2")).await.unwrap_err().code, "NotAws");
        peer.set(amz(&json!({})));
        assert_eq!(tagging.resources(&[], None).await.unwrap_err().code, "NotAws");
    });
    let [first, second] = <[Received; 2]>::try_from(peer.requests()[..2].to_vec()).unwrap();
    assert!(is_signed(&first, SECRET) && is_signed(&second, SECRET));
    assert!(credential(&first).ends_with("/eu-west-1/tagging/aws4_request"));
    let target = "ResourceGroupsTaggingAPI_20170126.GetResources";
    assert_eq!(first.header("x-amz-target"), Some(target));
    let expect = json!({ "ResourcesPerPage": 100, "ResourceTypeFilters": ["ec2:instance"] });
    assert_eq!(body(&first), expect);
    assert_eq!(body(&second), json!({ "ResourcesPerPage": 100, "PaginationToken": "p2" }));
}
