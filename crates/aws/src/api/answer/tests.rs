//! Answers and faults in every protocol, and every captured request told apart.

use super::*;
use crate::api::{Seen, call, protocol};

fn put(protocol: Protocol, query_mode: bool) -> Call<'static> {
    let operation = "GetMetricStream".into();
    Call { service: Service::CloudWatch, operation, protocol, query_mode }
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// *Scenario:* an answer with every kind of member, in JSON and in XML.
/// *Guarantees:* times, lists, maps and escapes as each protocol has them.
#[test]
fn answers() {
    let members = Value::map([
        ("Name", Some(Value::text("a<b>&\"c\""))),
        ("Absent", None),
        ("CreationDate", Some(Value::Time(1_765_977_780.0))),
        ("Filters", Some(Value::List(vec![Value::map([("Namespace", Some(Value::text("A")))])]))),
        ("Messages", Some(Value::List(Vec::new()))),
        ("Extended", Some(Value::Table(vec![("p99".into(), Value::Float(41.0))]))),
        ("On", Some(Value::Bool(false))),
    ]);
    let shape = Shape::Members(members);
    let json = answer(&put(Protocol::Json10, true), &shape, "r");
    assert_eq!(
        text(&json),
        "{\"Name\":\"a<b>&\\\"c\\\"\",\"CreationDate\":1765977780.0,\
         \"Filters\":[{\"Namespace\":\"A\"}],\"Messages\":[],\"Extended\":{\"p99\":41.0},\"On\":false}"
    );
    let xml = answer(&put(Protocol::Query, true), &shape, "r");
    assert_eq!(
        text(&xml),
        "<GetMetricStreamResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">\
         <GetMetricStreamResult><Name>a&lt;b&gt;&amp;&quot;c&quot;</Name>\
         <CreationDate>2025-12-17T13:23:00Z</CreationDate>\
         <Filters><member><Namespace>A</Namespace></member></Filters><Messages/>\
         <Extended><entry><key>p99</key><value>41.0</value></entry></Extended><On>false</On>\
         </GetMetricStreamResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </GetMetricStreamResponse>"
    );
    let none = answer(&put(Protocol::Query, true), &Shape::None, "r");
    assert!(!text(&none).contains("Result"), "{}", text(&none));
    let without = Shape::Without("InvalidAttributes");
    for protocol in [Protocol::Query, Protocol::Json10, Protocol::Cbor] {
        let plain = answer(&put(protocol, true), &Shape::None, "r");
        let mut told = answer(&put(protocol, true), &without, "r");
        let header = told.headers.pop();
        assert_eq!(header, Some(("x-amzn-failure-message", "InvalidAttributes".to_owned())));
        assert_eq!(told, plain);
    }
    let empty = answer(&put(Protocol::Query, true), &Shape::Members(Value::Map(Vec::new())), "r");
    assert!(text(&empty).contains("<GetMetricStreamResult/>"), "{}", text(&empty));
}

/// *Scenario:* the same fault in each protocol, with and without query mode.
/// *Guarantees:* status, `__type`, header and XML by which SDKs raise their typed exceptions.
#[test]
fn faults() {
    let fault = Fault::new("ResourceNotFoundException", 404, "")
        .with("ResourceType", Value::text("metric stream"));
    for (protocol, query_mode, status) in [
        (Protocol::Json10, true, 404),
        (Protocol::Json10, false, 400),
        (Protocol::Cbor, true, 404),
        (Protocol::Query, true, 404),
    ] {
        let told = fault_answer(Ok(&put(protocol, query_mode)), &fault, "r");
        assert_eq!(told.status, status, "{protocol:?}");
        let header = told.headers.iter().find(|(name, _)| *name == "x-amzn-query-error");
        let header = header.map(|(_, value)| value.as_str());
        let wanted = (protocol != Protocol::Query).then_some("ResourceNotFoundException;Sender");
        assert_eq!(header, wanted, "{protocol:?}");
    }
    let json = fault_answer(Ok(&put(Protocol::Json10, true)), &fault, "r");
    assert_eq!(
        text(&json),
        "{\"__type\":\"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFoundException\",\
         \"ResourceType\":\"metric stream\"}"
    );
    let wrong =
        Fault::new("InvalidParameterValueException", 400, "bad").with_code("InvalidParameterValue");
    let xml = fault_answer(Ok(&put(Protocol::Query, true)), &wrong, "r");
    assert_eq!(
        text(&xml),
        "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><Error>\
         <Type>Sender</Type><Code>InvalidParameterValue</Code><Message>bad</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
}

/// *Scenario:* a caller that may not, in each protocol.
/// *Guarantees:* JSON and CBOR tell it as 400, and what was meant is known.
#[test]
fn what_a_fault_means() {
    let denied = Fault::common("AccessDeniedException", "AccessDenied", 403, "no");
    for (protocol, status) in [
        (Protocol::Json10, 400),
        (Protocol::Json11, 400),
        (Protocol::Cbor, 400),
        (Protocol::Query, 403),
    ] {
        let told = fault_answer(Ok(&put(protocol, true)), &denied, "r");
        assert_eq!((told.status, told.meant), (status, 403), "{protocol:?}");
    }
    assert_eq!(answer(&put(Protocol::Query, true), &Shape::None, "r").meant, 200);
}

/// *Scenario:* requests that cannot be told apart, one of each protocol and one of none.
/// *Guarantees:* each is answered in the protocol that was meant, so that its caller can read why.
#[test]
fn in_the_protocol_that_was_meant() {
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let head = |content_type, target| Seen { path: "/", content_type, target, ..Seen::default() };
    let cbor = Seen { smithy_protocol: Some("rpc-v2-cbor"), path: "/x", ..Seen::default() };
    let path = Seen { path: "/service/Nobody/operation/X", ..Seen::default() };
    let query = Seen { path: "/", query: "Version=2010-08-01", ..Seen::default() };
    let json_10 = "application/x-amz-json-1.0";
    let cases = [
        (head(form, None), "Action=ListMetrics&Version=1999-01-01", "text/xml"),
        (head(form, None), "Version=2010-08-01", "text/xml"),
        (head(form, None), "Action=ListMetrics&Namespace=%ZZ", "text/xml"),
        (head(form, None), "", "text/xml"),
        (head("", None), "Namespace=%ZZ&Action=ListMetrics", "text/xml"),
        (query, "", "text/xml"),
        (cbor, "", "application/cbor"),
        (path, "", "application/cbor"),
        (head("application/x-amz-json-1.1", Some("Nobody.X")), "{}", "application/x-amz-json-1.1"),
        (head(json_10, Some("Nobody.X")), "Action=X", json_10),
        (head("", None), "", json_10),
        (head("text/plain", None), "hello", json_10),
    ];
    for (seen, body, wanted) in cases {
        let fault = call(&seen, body.as_bytes()).unwrap_err();
        let told = fault_answer(Err(protocol(&seen, body.as_bytes())), &fault, "r");
        let content_type = told.headers.iter().find(|(name, _)| *name == "content-type");
        assert_eq!(content_type.map(|(_, value)| value.as_str()), Some(wanted), "{seen:?} {body}");
        assert_eq!(told.status, 400, "{seen:?} {body}");
        if wanted == "text/xml" {
            let begin = "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">\
                         <Error><Type>Sender</Type><Code>";
            assert!(text(&told).starts_with(begin), "{}", text(&told));
        }
    }
    let seen = head(form, None);
    let fault = call(&seen, b"Action=ListMetrics&Version=1999-01-01").unwrap_err();
    assert_eq!(fault.code, "InvalidAction");
    assert!(fault.message.contains("ListMetrics for version 1999-01-01: here is 2010-08-01"));
}

/// *Scenario:* every captured request of an SDK to CloudWatch and Firehose.
/// *Guarantees:* service and operation are those of the capture's name, and its input reads.
#[test]
fn captured_requests_are_told_apart() {
    let captures = testkit::captured_requests();
    let mut seen_count = 0;
    for (name, request) in &captures {
        let parts: Vec<&str> = name.split('-').collect();
        let service = match parts.get(1) {
            Some(&"cloudwatch") => Service::CloudWatch,
            Some(&"firehose") if !name.starts_with("emulator") => Service::Firehose,
            _ => continue,
        };
        let header = |name: &str| request.header(name);
        let body = match header("content-encoding") {
            Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
                let mut plain = Vec::new();
                codec::gzip::Inflater::new().gunzip(&request.body, &mut plain, 1 << 20).unwrap();
                plain
            }
            _ => request.body.clone(),
        };
        let target = request.target.as_str();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let seen = Seen {
            path,
            query,
            content_type: header("content-type").unwrap_or_default(),
            target: header("x-amz-target"),
            smithy_protocol: header("smithy-protocol"),
            query_mode: header("x-amzn-query-mode") == Some("true"),
        };
        let found = call(&seen, &body).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!(found.service, service, "{name}");
        let operation = parts[2].split('.').next().unwrap();
        assert_eq!(found.operation, operation, "{name}");
        let input = found.input(&seen, &body).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        if found.operation == "PutMetricData" {
            assert!(!input.list_of("MetricData").unwrap().is_empty(), "{name}: {input:?}");
        }
        seen_count += 1;
    }
    assert!(captures.is_empty() || seen_count > 50, "only {seen_count} captures were found");
}
