//! Whole requests: signed, unsigned, forbidden, unknown; and what is kept of a good one.

use std::path::Path;

use journal::{Journal, Options, Start};
use testkit::TempDir;

use super::*;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;

fn context(folder: &Path, unsigned: Option<&str>, policy: Option<&str>) -> Context {
    let options = Options { segment_bytes: 1 << 20, ..Options::default() };
    let (journal, _) = Journal::open(&folder.join("journal"), options).unwrap();
    let topic = journal.topic("cloud").unwrap();
    let credential = Credential {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        account_id: "111122223333".to_owned(),
        policy: policy.map(|text| Policy::read(text).unwrap()),
    };
    Context {
        config: Arc::new(Config {
            source: "cloud".to_owned(),
            region: "us-east-1".to_owned(),
            credentials: vec![credential],
            unsigned: unsigned.map(str::to_owned),
            allow_http_endpoints: false,
            delivery_streams: Vec::new(),
        }),
        registry: Registry::open(&folder.join("resources.json")).unwrap(),
        journal,
        topic,
        windows: Arc::default(),
        keys: Arc::default(),
        counts: Arc::default(),
        seal: Arc::new(
            entry::seal::SealKey::from_text("a key of more than thirty-two characters").unwrap(),
        ),
        clock: Arc::new(|| NOW),
    }
}

fn ask(context: &Context, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let incoming = Incoming {
        method: "POST",
        path: "/",
        query: "",
        headers,
        body: body.as_bytes(),
        plain: body.as_bytes(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(context.respond(&incoming));
    assert!(answer.headers.iter().any(|(name, id)| *name == "x-amzn-requestid" && id.len() == 36));
    (answer.status, String::from_utf8(answer.body).unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.0");

fn target(operation: &str) -> (&'static str, String) {
    ("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"))
}

/// *Scenario:* the reference's signed request, the same with another key, unsigned ones.
/// *Guarantees:* the first is believed (and its operation asked), the others get AWS's errors.
#[test]
fn who_calls() {
    let folder = TempDir::new("api-caller");
    let context = context(folder.path(), None, None);
    let body = r#"{"DeliveryStreamName":"s","Record":{"Data":"aGVsbG8="}}"#;
    let signed = |id: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/20261120/us-east-1/firehose/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
             Signature=e272a4f0aa07adabffca22d21d116e59602baea178fe9d82a666b52852f5de19"
        )
    };
    let ask_as = |authorization: &str| {
        let headers = [
            ("host", "firehose.us-east-1.amazonaws.com"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-date", "20261120T120000Z"),
            ("x-amz-target", "Firehose_20150804.PutRecord"),
            ("authorization", authorization),
        ];
        ask(&context, &headers, body)
    };
    let (_, told) = ask_as(&signed("AKIDEXAMPLE"));
    assert!(!told.contains("Signature") && !told.contains("Token"), "{told}");
    let (status, told) = ask_as(&signed("AKIDOTHER"));
    assert_eq!(status, 400);
    assert!(told.contains("UnrecognizedClientException"), "{told}");
    let (status, told) = ask_as(&signed("AKIDEXAMPLE").replace("e272", "0000"));
    assert_eq!(status, 400);
    assert!(told.contains("InvalidSignatureException"), "{told}");
    let operation = target("ListMetrics");
    let (status, told) = ask(&context, &[JSON, (operation.0, &operation.1)], "{}");
    assert_eq!(status, 400);
    assert!(told.contains("MissingAuthenticationTokenException"), "{told}");
    let (status, told) = ask(&context, &[], "Action=ListMetrics&Version=2010-08-01");
    assert_eq!(status, 403);
    assert!(told.contains("<Code>MissingAuthenticationToken</Code>"), "{told}");
}

/// *Scenario:* an unsigned port: identity, a good and a bad PutMetricData, operations nobody has.
/// *Guarantees:* the good one is durable before its answer; the others get AWS's errors, never 500.
#[test]
fn an_unsigned_port() {
    let folder = TempDir::new("api-unsigned");
    let context = context(folder.path(), Some("444455556666"), None);
    let (status, told) = ask(&context, &[], "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(status, 200);
    assert!(told.contains("<Account>444455556666</Account>"), "{told}");
    let put = target("PutMetricData");
    let headers = [JSON, (put.0, put.1.as_str())];
    let mut cursor = context.topic.cursor("test", Start::Oldest).unwrap();
    let good = r#"{"Namespace":"Demo","MetricData":[{"MetricName":"m","Value":1}]}"#;
    assert_eq!(ask(&context, &headers, good), (200, "{}".to_owned()));
    let kept = cursor.read(cursor.low().sequence).unwrap().expect("it is durable");
    let journal::EntryBody::Bytes(bytes) = kept.body else { panic!("a small body") };
    let call = crate::put::wire::decode(&bytes).unwrap();
    assert_eq!((call.account, call.namespace), ("444455556666", "Demo"));
    cursor.sync().unwrap();
    let bad = good.replace("\"Value\":1", "\"Value\":1,\"Unit\":\"parsecs\"");
    let (status, told) = ask(&context, &headers, &bad);
    assert_eq!(status, 400);
    assert!(told.contains("InvalidParameterValueException"), "{told}");
    for operation in ["PutAnomalyDetector", ""] {
        let unknown = target(operation);
        let (status, told) = ask(&context, &[JSON, (unknown.0, &unknown.1)], "{}");
        assert_eq!(status, 400);
        assert!(told.contains("UnknownOperationException"), "{told}");
    }
    assert_eq!(ask(&context, &headers, "{").0, 400);
    let list = target("ListMetricStreams");
    for body in ["5", "[]", "null", "\"x\""] {
        let (status, told) = ask(&context, &[JSON, (list.0, &list.1)], body);
        assert!(status == 400 && told.contains("SerializationException"), "{body}: {told}");
    }
    assert_eq!(ask(&context, &[JSON, (list.0, &list.1)], "").0, 200);
    assert_eq!(ask(&context, &[], "").0, 400);
}

/// *Scenario:* forms with an unknown version, without an action, with a wrong escape; one whose body was
/// not even read.
/// *Guarantees:* each gets the XML that SDKs of the query protocol read.
#[test]
fn a_form_that_is_wrong() {
    let folder = TempDir::new("api-form");
    let context = context(folder.path(), Some("444455556666"), None);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    for (body, code) in [
        ("Action=ListMetrics&Version=1999-01-01", "InvalidAction"),
        ("Version=2010-08-01", "MissingAction"),
        ("Action=ListMetrics&Version=2010-08-01&Namespace=%ZZ", "MalformedInput"),
    ] {
        let (status, told) = ask(&context, &headers, body);
        let begin =
            "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><Error>";
        assert!(status == 400 && told.starts_with(begin), "{body}: {told}");
        assert!(told.contains(&format!("<Code>{code}</Code>")), "{body}: {told}");
    }
    let unread =
        Incoming { method: "POST", path: "/", query: "", headers: &headers, body: &[], plain: &[] };
    let told = context.refuse(&unread, &Fault::new("RequestEntityTooLarge", 413, "too large"));
    assert!(told.status == 413 && told.body.starts_with(b"<ErrorResponse"), "{told:?}");
}

/// *Scenario:* a key whose policy allows one action, on an unsigned port that is not its own.
/// *Guarantees:* what the policy does not allow is refused as AWS refuses it.
#[test]
fn what_a_policy_forbids() {
    let folder = TempDir::new("api-policy");
    let policy = r#"{"Statement":{"Effect":"Allow","Action":"cloudwatch:List*","Resource":"*"}}"#;
    let context = context(folder.path(), None, Some(policy));
    let caller = Caller {
        account: "111122223333".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        arn: "arn:aws:iam::111122223333:user/AKIDEXAMPLE".to_owned(),
    };
    let asked = |service, operation: &'static str| {
        let protocol = aws::api::Protocol::Json11;
        let call = Call { service, operation: operation.into(), protocol, query_mode: false };
        let input = Value::map([("DeliveryStreamName", Some(Value::text("s")))]);
        context.allowed(&caller, &call, &input)
    };
    assert_eq!(asked(Service::CloudWatch, "ListMetrics"), Ok(()));
    assert_eq!(asked(Service::Sts, "GetCallerIdentity"), Ok(()));
    let refused = asked(Service::Firehose, "PutRecord").unwrap_err();
    assert_eq!(
        refused.message,
        "User: arn:aws:iam::111122223333:user/AKIDEXAMPLE is not authorized to perform: \
         firehose:PutRecord on resource: arn:aws:firehose:us-east-1:111122223333:deliverystream/s \
         because no identity-based policy allows the firehose:PutRecord action"
    );
}

/// *Scenario:* a key that may touch its own streams asks for others, with its own named in members that
/// the operation does not read; and for lists.
/// *Guarantees:* the policy is asked about what the operation would do.
#[test]
fn a_policy_is_not_led_astray() {
    let folder = TempDir::new("api-astray");
    let arn = |kind: &str| format!("arn:aws:{kind}/mine").replace('#', "us-east-1:111122223333");
    let (delivery, metric) = (arn("firehose:#:deliverystream"), arn("cloudwatch:#:metric-stream"));
    let policy = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":["{delivery}","{metric}"]}}}}"#
    );
    let context = context(folder.path(), None, Some(&policy));
    let caller = Caller {
        account: "111122223333".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        arn: String::new(),
    };
    let may = |service, operation: &'static str, read: &str, asked: &str| {
        let protocol = aws::api::Protocol::Json11;
        let call = Call { service, operation: operation.into(), protocol, query_mode: false };
        let own = if service == Service::Firehose { &delivery } else { &metric };
        let given = |name: &str, own: &str| {
            let text = if name == read { asked } else { own };
            Some(Value::text(text.to_owned()))
        };
        let names =
            vec![Value::text(if read == "Names" { asked.to_owned() } else { "mine".to_owned() })];
        let input = Value::map([
            ("ResourceARN", given("ResourceARN", own)),
            ("DeliveryStreamName", given("DeliveryStreamName", "mine")),
            ("Name", given("Name", "mine")),
            ("Names", Some(Value::List(names))),
        ]);
        context.allowed(&caller, &call, &input).is_ok()
    };
    let other = metric.replace("mine", "other");
    for (service, operation, read, own, other) in [
        (Service::Firehose, "DeleteDeliveryStream", "DeliveryStreamName", "mine", "other"),
        (Service::Firehose, "UpdateDestination", "DeliveryStreamName", "mine", "other"),
        (Service::CloudWatch, "PutMetricStream", "Name", "mine", "other"),
        (Service::CloudWatch, "GetMetricStream", "Name", "mine", "other"),
        (Service::CloudWatch, "DeleteMetricStream", "Name", "mine", "other"),
        (Service::CloudWatch, "StartMetricStreams", "Names", "mine", "other"),
        (Service::CloudWatch, "StopMetricStreams", "Names", "mine", "other"),
        (Service::CloudWatch, "TagResource", "ResourceARN", metric.as_str(), other.as_str()),
        (
            Service::CloudWatch,
            "ListTagsForResource",
            "ResourceARN",
            metric.as_str(),
            other.as_str(),
        ),
    ] {
        assert!(may(service, operation, read, own), "{operation}");
        assert!(!may(service, operation, read, other), "{operation}");
    }
    for (service, operation) in [
        (Service::Firehose, "ListDeliveryStreams"),
        (Service::CloudWatch, "ListMetricStreams"),
        (Service::CloudWatch, "ListMetrics"),
    ] {
        assert!(!may(service, operation, "", ""), "{operation}");
    }
}

/// *Scenario:* a port that stands for a region in China, and a policy for a stream there.
/// *Guarantees:* ARNs are of the region's partition, to callers and to policies.
#[test]
fn another_partition() {
    let folder = TempDir::new("api-partition");
    let arn = "arn:aws-cn:firehose:cn-north-1:111122223333:deliverystream/s";
    let policy = r#"{"Statement":{"Effect":"Allow","Action":"firehose:*","Resource":"ARN"}}"#;
    let mut context =
        context(folder.path(), Some("111122223333"), Some(&policy.replace("ARN", arn)));
    let here = Config { region: "cn-north-1".to_owned(), ..Config::clone(&context.config) };
    context.config = Arc::new(here);
    let (_, told) = ask(&context, &[], "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(told.contains("<Arn>arn:aws-cn:iam::111122223333:user/unsigned</Arn>"), "{told}");
    let caller = Caller {
        account: "111122223333".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        arn: String::new(),
    };
    let input = Value::map([("DeliveryStreamName", Some(Value::text("s")))]);
    let call = Call {
        service: Service::Firehose,
        operation: "PutRecord".into(),
        protocol: Protocol::Json11,
        query_mode: false,
    };
    assert_eq!(context.allowed(&caller, &call, &input), Ok(()));
    assert_eq!(crate::firehose::arn(&context, "111122223333", "s"), arn);
    let kept = aws::arn::of("cloudwatch", "us-gov-west-1", "1", "metric-stream/m");
    assert_eq!(kept, "arn:aws-us-gov:cloudwatch:us-gov-west-1:1:metric-stream/m");
}
