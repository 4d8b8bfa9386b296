//! Who may call, asked of the running port: AWS's error and status in each protocol, nothing kept.

use serde_json::json;
use testkit::RawAnswer;

use super::caller::{bytes, told};
use super::{
    ACCOUNT, Caller, KEY_ID, REGION, Request, SECRET, caller, credential, write, write_whole,
};
use crate::service::{Home, Service};

const OTHER: &str = "444455556666";
const TOKEN: &str = "a-session-token-of-the-house";

/// A good call by JSON and by query.
fn calls() -> [Request; 2] {
    let input = json!({"Namespace": "Shop", "MetricData": [{"MetricName": "m", "Value": 1}]});
    let pairs = [
        ("Namespace", "Shop"),
        ("MetricData.member.1.MetricName", "m"),
        ("MetricData.member.1.Value", "1"),
    ];
    [Request::metrics("PutMetricData", &input), Request::metrics_query("PutMetricData", &pairs)]
}

/// The error of an answer by JSON is this, and that of the one by query is that with 403.
#[track_caller]
fn refused(by_json: &RawAnswer, by_query: &RawAnswer, json_name: &str, query_code: &str) {
    let (status, name, message) = told(by_json);
    assert_eq!((status, name.as_str()), (400, json_name), "{message}");
    assert_eq!(by_query.status, 403, "{}", by_query.text());
    let code = format!("<Code>{query_code}</Code>");
    assert!(by_query.text().contains(&code), "{}", by_query.text());
}

#[track_caller]
fn is_refused(caller: &Caller, json_name: &str, query_code: &str) {
    let [by_json, by_query] = calls().map(|call| caller.send(&call).unwrap());
    refused(&by_json, &by_query, json_name, query_code);
}

/// Calls that were kept.
fn kept(service: &Service<'_>) -> f64 {
    service.metric("hydrant_journal_entries_total{topic=\"cloud\"}")
}

const MISMATCH: [&str; 2] = ["InvalidSignatureException", "SignatureDoesNotMatch"];
const UNKNOWN: [&str; 2] = ["UnrecognizedClientException", "InvalidClientTokenId"];

/// *Scenario:* one good call, then calls that are wrong in one thing each: secret, clock either way,
/// region or service of the scope, the body after signing, the key, the session token; and one that
/// is not signed.
/// *Guarantees:* each is refused with AWS's error, by JSON and by query; nothing of them is kept; no
/// secret and no token is in the log.
#[test]
fn what_is_not_signed_as_it_must_be() {
    let home = Home::new("cloud-who");
    let with_token = credential("AKIDTEMPORARY", SECRET, ACCOUNT)
        .replace(" }", &format!(", session_token: {TOKEN} }}"));
    let keys = [credential(KEY_ID, SECRET, ACCOUNT), with_token].join(", ");
    write_whole(&home, &format!("    credentials: [ {keys} ]\n"), "", "");
    let service = home.start();
    let good = caller(&home);
    for call in calls() {
        assert_eq!(good.send(&call).unwrap().status, 200);
    }
    let temporary = Caller { id: "AKIDTEMPORARY".to_owned(), ..good.clone() };
    let token = |token: &str| Caller { token: Some(token.to_owned()), ..temporary.clone() };
    assert_eq!(token(TOKEN).send(&calls()[0]).unwrap().status, 200);
    let before = kept(&service);

    let mut wrong = good.clone();
    wrong.secret = "another-secret".to_owned();
    is_refused(&wrong, MISMATCH[0], MISMATCH[1]);
    for minutes in [-16, 16] {
        let late = Caller { skew_ms: minutes * 60_000, ..good.clone() };
        is_refused(&late, MISMATCH[0], MISMATCH[1]);
        let (_, _, text) = late.refused(&calls()[0]);
        assert!(text.starts_with("Signature "), "{text}");
    }
    let elsewhere = Caller { region: "us-east-1".to_owned(), ..good.clone() };
    is_refused(&elsewhere, MISMATCH[0], MISMATCH[1]);
    let (_, _, text) = elsewhere.refused(&calls()[0]);
    assert!(text.contains("us-east-1") || text.contains(REGION), "{text}");
    let [by_json, by_query] = calls().map(|call| {
        let other_service = Request { service: "firehose", ..call };
        good.send(&other_service).unwrap()
    });
    refused(&by_json, &by_query, MISMATCH[0], MISMATCH[1]);
    let [by_json, by_query] = calls().map(|call| {
        let headers = good.signed(&call);
        let mut body = call.body.clone();
        let at = body.len() - if body.ends_with(b"}") { 4 } else { 1 };
        body[at] = b'2';
        testkit::exchange(home.source, &bytes(&call.path, &headers, &body)).unwrap()
    });
    refused(&by_json, &by_query, MISMATCH[0], MISMATCH[1]);
    let unknown = Caller { id: "AKIDUNKNOWN".to_owned(), ..good.clone() };
    is_refused(&unknown, UNKNOWN[0], UNKNOWN[1]);
    is_refused(&temporary, UNKNOWN[0], UNKNOWN[1]);
    is_refused(&token("another-token"), UNKNOWN[0], UNKNOWN[1]);
    let uncalled = Caller { token: Some(TOKEN.to_owned()), ..good };
    is_refused(&uncalled, UNKNOWN[0], UNKNOWN[1]);
    let [by_json, by_query] = calls().map(|call| unsigned(&home, &call));
    let missing = ["MissingAuthenticationTokenException", "MissingAuthenticationToken"];
    refused(&by_json, &by_query, missing[0], missing[1]);

    assert_eq!(kept(&service), before, "nothing of these is kept");
    let log = service.stop();
    for secret in [SECRET, TOKEN, "another-token"] {
        assert!(!log.contains(secret), "{secret} is in the log\n{log}");
    }
}

fn unsigned(home: &Home, call: &Request) -> RawAnswer {
    testkit::exchange(home.source, &bytes(&call.path, &call.headers, &call.body)).unwrap()
}

/// *Scenario:* a key that may only list, one that may put into one stream alone, and one that may do
/// all but delete.
/// *Guarantees:* what a policy does not allow, or denies, is refused in AWS's words; the rest is done.
#[test]
fn what_a_policy_does_not_allow() {
    let home = Home::new("cloud-policy");
    let with = |id: &str, statement: &str| {
        let policy = format!(", policy: {{ Statement: [ {statement} ] }} }}");
        credential(id, SECRET, ACCOUNT).replace(" }", &policy)
    };
    let one = format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/one");
    let keys = [
        credential(KEY_ID, SECRET, ACCOUNT),
        with("AKIDLIST", "{ Effect: Allow, Action: 'cloudwatch:List*', Resource: '*' }"),
        with(
            "AKIDONE",
            &format!("{{ Effect: Allow, Action: 'firehose:PutRecord*', Resource: '{one}' }}"),
        ),
        with(
            "AKIDKEEP",
            "{ Effect: Allow, Action: '*', Resource: '*' }, \
             { Effect: Deny, Action: 'firehose:Delete*', Resource: '*' }",
        ),
    ];
    write_whole(&home, &format!("    credentials: [ {} ]\n", keys.join(", ")), "", "");
    let service = home.start();
    let all = caller(&home);
    for name in ["one", "two"] {
        let stream = super::to_endpoint(name, "http://127.0.0.1:9/", 300);
        all.firehose("CreateDeliveryStream", &stream);
    }
    let by = |id: &str| Caller { id: id.to_owned(), ..all.clone() };
    let denied = |caller: &Caller, request: &Request, action: &str| {
        let (status, name, message) = caller.refused(request);
        assert_eq!((status, name.as_str()), (400, "AccessDeniedException"), "{message}");
        assert!(message.contains(&format!("not authorized to perform: {action}")), "{message}");
    };
    by("AKIDLIST").metrics("ListMetrics", &json!({}));
    denied(&by("AKIDLIST"), &calls()[0], "cloudwatch:PutMetricData");
    let by_query = by("AKIDLIST").send(&calls()[1]).unwrap();
    assert_eq!(by_query.status, 403);
    assert!(by_query.text().contains("<Code>AccessDenied</Code>"), "{}", by_query.text());
    super::put(&by("AKIDONE"), "one", &["yes"]);
    let to_two = Request::firehose("PutRecordBatch", &super::batch("two", &["no".to_owned()]));
    denied(&by("AKIDONE"), &to_two, "firehose:PutRecordBatch");
    let delete = Request::firehose("DeleteDeliveryStream", &super::named("two"));
    denied(&by("AKIDKEEP"), &delete, "firehose:DeleteDeliveryStream");
    by("AKIDKEEP").firehose("DescribeDeliveryStream", &super::named("two"));
    service.stop();
}

/// *Scenario:* the same port with `unsigned_account`.
/// *Guarantees:* calls without a signature are that account's; a wrong signature is still refused.
#[test]
fn unsigned_calls_where_they_are_wanted() {
    let home = Home::new("cloud-unsigned");
    write(&home, &format!("    unsigned_account: \"{OTHER}\"\n"), "");
    let service = home.start();
    let who = Request {
        service: "sts",
        body: b"Action=GetCallerIdentity&Version=2011-06-15".to_vec(),
        ..calls()[1].clone()
    };
    let answer = unsigned(&home, &who);
    assert!(answer.text().contains(&format!("<Account>{OTHER}</Account>")), "{}", answer.text());
    let answer = caller(&home).send(&who).unwrap();
    assert!(answer.text().contains(&format!("<Account>{ACCOUNT}</Account>")), "{}", answer.text());
    assert_eq!(unsigned(&home, &calls()[0]).status, 200);
    let wrong = Caller { secret: "another-secret".to_owned(), ..caller(&home) };
    is_refused(&wrong, MISMATCH[0], MISMATCH[1]);
    service.stop();
}
