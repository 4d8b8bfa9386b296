//! The settings of the Python recipes, with this binary in the place of their code.

use serde_json::{Value, json};
use testkit::{Peer, Reply};

use crate::cloud::{bucket, lines, notification};
use crate::emulator::{Given, Lambda};

/// `key -> value` of attributes in OTLP/JSON.
fn attributes(list: &Value) -> Value {
    let pairs = list.as_array().unwrap().iter();
    pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), pair["value"].clone())).collect()
}

fn given() -> Vec<Given> {
    vec![Given::new(notification("object").to_string())]
}

/// *Scenario:* the variables of the recipe with OAuth2; its endpoint has no path.
/// *Guarantees:* the token is asked for with Basic and the recipe's audience; the request goes to the
/// URL as given, with the attributes that the recipe sends, Dimensions as text among them.
#[test]
fn the_recipe_with_oauth2() {
    let s3 = bucket(vec![("object".to_owned(), lines("CPU", 7, 8))]);
    let provider = Peer::start(Reply::json(200, r#"{"access_token":"t0ken","expires_in":3600}"#));
    let backend = Peer::start(Reply::json(200, "{}"));
    let (s3, token, endpoint) = (s3.url(""), provider.url("/oauth2/token"), backend.url(""));
    let variables = [
        ("AWS_ENDPOINT_URL", s3.as_str()),
        ("CLIENT_ID", "id"),
        ("CLIENT_SECRET", "s3cret"),
        ("TOKEN_URL", &token),
        ("ENDPOINT_URL", &endpoint),
    ];
    let lambda = Lambda::start(given(), &variables);
    assert_eq!(lambda.answer().body["points"]["delivered"], 1, "{:?}", lambda.log());
    let asked = &provider.requests()[0];
    assert_eq!(asked.header("authorization"), Some("Basic aWQ6czNjcmV0"));
    assert_eq!(asked.text(), "grant_type=client_credentials&audience=b14collector");
    let sent = &backend.requests()[0];
    assert_eq!(sent.target.trim_end_matches('?'), "/");
    assert_eq!(sent.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!(sent.header("content-encoding"), None);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let resource = &body["resourceMetrics"][0];
    let text = |text: &str| json!({ "stringValue": text });
    let mut known = attributes(&resource["resource"]["attributes"]);
    let arn = "arn:aws:cloudwatch:eu-west-1:111122223333:metric-stream/s";
    assert_eq!(known["aws.exporter.arn"], text(arn), "new, as in the OpenTelemetry formats");
    known.as_object_mut().unwrap().remove("aws.exporter.arn");
    let expected = json!({
        "cloud.provider": text("aws"), "cloud.account.id": text("111122223333"),
        "cloud.region": text("eu-west-1"), "service.name": text("aws-cloudwatch-stream"),
        "environment": text("production"),
    });
    assert_eq!(known, expected);
    let metric = &resource["scopeMetrics"][0]["metrics"][0];
    assert_eq!(metric["name"], "amazonaws.com/AWS/EC2/CPU");
    let point = &metric["summary"]["dataPoints"][0];
    let expected = json!({
        "Namespace": text("AWS/EC2"), "MetricName": text("CPU"),
        "Dimensions": text(r#"{"InstanceId": "i-7"}"#),
    });
    assert_eq!(attributes(&point["attributes"]), expected);
    let quantiles = json!([
        { "quantile": 0, "value": 1 }, { "quantile": 0.99, "value": 2.5 }, { "quantile": 1, "value": 3 }
    ]);
    assert_eq!((&point["count"], &point["sum"]), (&json!("2"), &json!(4)));
    assert_eq!(point["quantileValues"], quantiles);
}

/// *Scenario:* the token endpoint answers 500, then HTML.
/// *Guarantees:* the invocation fails with a text that names the endpoint and what it answered.
#[test]
fn a_token_endpoint_that_is_none() {
    let cases = [
        (Reply::body(500, "text/html", "<html>oops</html>"), "answered 500"),
        (
            Reply::body(200, "text/html", "<html>hello</html>"),
            "the body is not the JSON of a token",
        ),
    ];
    for (reply, part) in cases {
        let s3 = bucket(vec![("object".to_owned(), lines("CPU", 7, 8))]);
        let provider = Peer::start(reply);
        let backend = Peer::start(Reply::json(200, "{}"));
        let (s3, token, endpoint) = (s3.url(""), provider.url("/token"), backend.url("/otlp"));
        let variables = [
            ("AWS_ENDPOINT_URL", s3.as_str()),
            ("CLIENT_ID", "id"),
            ("CLIENT_SECRET", "s3cret"),
            ("TOKEN_URL", &token),
            ("ENDPOINT_URL", &endpoint),
            ("OAUTH2_AUDIENCE", ""),
        ];
        let given = given().into_iter().map(|one| one.within_ms(2_200)).collect();
        let lambda = Lambda::start(given, &variables);
        let answer = lambda.answer();
        let (kind, message) = answer.error();
        assert_eq!(kind, "Hydrant.NotDelivered");
        let place = format!("token endpoint {}", provider.address());
        assert!(message.contains(part) && message.contains(&place), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
        assert_eq!(provider.requests()[0].text(), "grant_type=client_credentials");
        assert_eq!(backend.count(), 0);
    }
}

/// *Scenario:* the variables of the recipe with a collector, with and without a service name, the
/// object in OpenTelemetry 1.0 with a new line after every record, as the recipe tells people to set.
/// *Guarantees:* every message arrives, not the first alone; protobuf, uncompressed, to the URL as
/// given, with the service name beside what CloudWatch sent.
#[test]
fn the_recipe_with_a_collector() {
    let options =
        rehearsal::payload::Options { metrics: 1_000, series: 1_000, ..Default::default() };
    let records = rehearsal::payload::records(&options, metric::Format::Otel10);
    assert!(records.len() > 1);
    let object: Vec<u8> =
        records.iter().flat_map(|record| [record.as_slice(), b"\n"].concat()).collect();
    for (name, expected) in [("", "awsCloudwatchMetrics"), ("scout", "scout")] {
        let s3 = bucket(vec![("object".to_owned(), object.clone())]);
        let backend = Peer::start(Reply::status(200));
        let (s3, url) = (s3.url(""), backend.url("/otlp/metrics?tenant=7"));
        let variables = [
            ("AWS_ENDPOINT_URL", s3.as_str()),
            ("OTEL_COLLECTOR_URL", &url),
            ("S3_BUCKET_NAME", "metrics"),
            ("OTEL_SERVICE_NAME", name),
        ];
        let lambda = Lambda::start(given(), &variables);
        assert_eq!(lambda.answer().body["points"]["delivered"], 1_000, "{:?}", lambda.log());
        let requests = backend.requests();
        assert_eq!(crate::cloud::delivered(&requests).len(), 1_000);
        for request in &requests {
            assert_eq!(request.target, "/otlp/metrics?tenant=7");
            assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
            assert_eq!(request.header("content-encoding"), None);
            let text = request.text();
            for part in ["service.name", expected, "cloud.account.id", "aws.exporter.arn"] {
                assert!(text.contains(part), "{part}");
            }
        }
    }
}

/// *Scenario:* both recipes at once; a recipe under settings of Hydrant's own; one with a key laid over.
/// *Guarantees:* the first is refused; in the second Hydrant's count, with a warning; in the third the
/// key counts and the rest of the recipe stays.
#[test]
fn who_wins() {
    let both =
        [("OTEL_COLLECTOR_URL", "http://127.0.0.1:1/a"), ("ENDPOINT_URL", "http://127.0.0.1:1/b")];
    let lambda = Lambda::start(Vec::new(), &both);
    let answer = lambda.answer();
    assert!(
        answer.error().1.contains("OTEL_COLLECTOR_URL and ENDPOINT_URL are both set"),
        "{answer:?}"
    );

    let own = [
        ("OTEL_COLLECTOR_URL", "http://127.0.0.1:1/a"),
        ("HYDRANT_STREAM", "{destination: {type: blackhole}}"),
    ];
    let lambda = Lambda::start(vec![Given::new("[]")], &own);
    lambda.answer();
    assert_eq!(lambda.logged("ready", 1)[0]["destination"], "blackhole");
    let warnings = lambda.logged("settings warning", 1);
    assert!(warnings[0]["warning"].as_str().unwrap().contains("OTEL_COLLECTOR_URL is not used"));

    let s3 = bucket(vec![("object".to_owned(), lines("CPU", 7, 8))]);
    let backend = Peer::start(Reply::status(200));
    let (s3, url) = (s3.url(""), backend.url("/x"));
    let laid_over = [
        ("AWS_ENDPOINT_URL", s3.as_str()),
        ("OTEL_COLLECTOR_URL", &url),
        ("HYDRANT_STREAM__DESTINATION__COMPRESSION", "gzip"),
        ("HYDRANT_STREAM__DESTINATION__RESOURCE_ATTRIBUTES", "{service.name: mine, env: test}"),
    ];
    let lambda = Lambda::start(given(), &laid_over);
    assert_eq!(lambda.answer().body["points"]["delivered"], 1, "{:?}", lambda.log());
    let request = &backend.requests()[0];
    assert_eq!((request.target.as_str(), request.header("content-encoding")), ("/x", Some("gzip")));
}
