//! The answer to a call, in the protocol it came in.

use super::protocol::{Call, Protocol, Service};
use super::{Fault, Value, cbor, json, xml};

/// What an operation has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape<'a> {
    /// It has no output shape: not even an empty result in XML.
    None,
    /// The same, done without a part of the input that was wrong: what is the matter with it, in
    /// AWS's word.
    Without(&'static str),
    /// Its members; none of them may be there.
    Members(Value<'a>),
    /// They, written already: for calls in JSON alone.
    Json(Vec<u8>),
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Status that the fault has by itself: JSON and CBOR tell every 403 as 400.
    pub meant: u16,
    /// Headers, besides length and date.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Yes.
pub fn answer(call: &Call<'_>, shape: &Shape<'_>, request_id: &str) -> Answer {
    let empty = Value::Map(Vec::new());
    let mut headers = headers(call.protocol, request_id);
    let members = match shape {
        Shape::None => &empty,
        Shape::Without(wrong) => {
            headers.push(("x-amzn-failure-message", (*wrong).to_owned()));
            &empty
        }
        Shape::Members(members) => members,
        Shape::Json(body) => {
            return Answer { status: 200, meant: 200, headers, body: body.clone() };
        }
    };
    let mut body = Vec::new();
    match call.protocol {
        Protocol::Json10 | Protocol::Json11 => json::write(members, &mut body),
        Protocol::Cbor => cbor::write(members, &mut body),
        Protocol::Query => {
            let (operation, namespace) = (&call.operation, call.service.xml_namespace());
            body.extend_from_slice(
                format!("<{operation}Response xmlns=\"{namespace}\">").as_bytes(),
            );
            if matches!(shape, Shape::Members(_)) {
                xml::element(&format!("{operation}Result"), members, &mut body);
            }
            xml::tag("ResponseMetadata", &mut body, |out| {
                xml::tag("RequestId", out, |out| xml::text(request_id, out));
            });
            body.extend_from_slice(format!("</{operation}Response>").as_bytes());
        }
    }
    Answer { status: 200, meant: 200, headers, body }
}

/// No. Without a call (the request could not be told apart) it is in the protocol that was meant.
pub fn fault_answer(call: Result<&Call<'_>, Protocol>, fault: &Fault, request_id: &str) -> Answer {
    let protocol = call.map_or_else(|meant| meant, |call| call.protocol);
    let call = call.ok();
    let sender = if fault.status < 500 { "Sender" } else { "Receiver" };
    let mut headers = headers(protocol, request_id);
    // Without query mode a caller of JSON or CBOR expects 400 for whatever is its fault. What is too
    // large is told by whoever stands before the service, in the same words to all.
    let modelled = !fault.common && call.is_none_or(|call| call.query_mode || !is_cloudwatch(call));
    let told_400 = fault.status < 500 && fault.status != 413 && !modelled;
    let status = if told_400 { 400 } else { fault.status };
    let mut body = Vec::new();
    if protocol == Protocol::Query {
        let service = call.map_or(Service::CloudWatch, |call| call.service);
        let namespace = service.xml_namespace();
        body.extend_from_slice(format!("<ErrorResponse xmlns=\"{namespace}\">").as_bytes());
        xml::tag("Error", &mut body, |out| {
            xml::tag("Type", out, |out| xml::text(sender, out));
            xml::tag("Code", out, |out| xml::text(fault.code, out));
            xml::tag("Message", out, |out| xml::text(&fault.message, out));
            fault.members.iter().for_each(|(name, value)| xml::element(name, value, out));
        });
        xml::tag("RequestId", &mut body, |out| xml::text(request_id, out));
        body.extend_from_slice(b"</ErrorResponse>");
        return Answer { status: fault.status, meant: fault.status, headers, body };
    }
    if call.is_some_and(is_cloudwatch) {
        headers.push(("x-amzn-query-error", format!("{};{sender}", fault.code)));
    }
    let told = told(call, fault);
    match protocol {
        Protocol::Cbor => cbor::write(&told, &mut body),
        _ => json::write(&told, &mut body),
    }
    Answer { status, meant: fault.status, headers, body }
}

fn is_cloudwatch(call: &Call<'_>) -> bool {
    call.service == Service::CloudWatch
}

fn told<'a>(call: Option<&Call<'_>>, fault: &'a Fault) -> Value<'a> {
    let namespace = call.map_or("", |call| call.service.namespace());
    let mut members = vec![("__type".into(), Value::text(format!("{namespace}{}", fault.shape)))];
    if !fault.message.is_empty() {
        let capital = matches!(fault.shape, "InternalServiceFault" | "ConflictException");
        let name = if capital { "Message" } else { "message" };
        members.push((name.into(), Value::text(fault.message.as_str())));
    }
    members.extend(fault.members.iter().map(|(name, value)| ((*name).into(), value.clone())));
    Value::Map(members)
}

fn headers(protocol: Protocol, request_id: &str) -> Vec<(&'static str, String)> {
    let content_type = match protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::Cbor => "application/cbor",
        Protocol::Query => "text/xml",
    };
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("x-amzn-requestid", request_id.to_owned()),
    ];
    if protocol == Protocol::Cbor {
        headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    }
    headers
}

#[cfg(test)]
mod tests;
