//! What can be said of a delivery before its body: method, version, request id, key, encoding, length.
//!
//! Checked in this order, and the first that fails is told. Nothing of it is trusted further than it
//! was checked, and the access key goes nowhere but into comparisons and, in drop-in mode, to `admit`.

use aws::firehose::{attributes, headers};
use entry::Encoding;
use http::request::Parts;
use http::{HeaderMap, Method};

use super::refusal::{Reason, Refusal};
use super::{Access, Limits};

/// Longest request id and ARN that are kept; Firehose sends 36 characters, and ARNs end at 512.
const NAME_MAX: usize = 512;

/// The head of a delivery that may go on.
#[derive(Debug)]
pub(crate) struct Head {
    /// `None` only in lenient mode.
    pub(crate) request_id: Option<String>,
    pub(crate) source_arn: String,
    pub(crate) encoding: Encoding,
    /// `None` when the body comes in chunks.
    pub(crate) length: Option<u64>,
    pub(crate) attributes: Vec<(String, String)>,
    /// Why the attributes are empty although a header was sent.
    pub(crate) attributes_fault: Option<String>,
}

/// True for what load balancers and people with a browser send.
pub(crate) fn is_health_check(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The request id of the header, for the answer, whatever else is wrong.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(headers::REQUEST_ID)?.to_str().ok()?;
    (!value.is_empty() && value.len() <= NAME_MAX).then_some(value)
}

pub(crate) fn parse(parts: &Parts, access: &Access, limits: &Limits) -> Result<Head, Refusal> {
    let map = &parts.headers;
    if parts.method != Method::POST {
        let message = format!("method {} is not POST", parts.method);
        return Err(Refusal::new(Reason::Method, message));
    }
    check_version(map)?;
    let request_id = check_request_id(map, access)?;
    check_key(map, access)?;
    let encoding = check_encoding(map)?;
    let length = check_length(map, limits)?;
    let source_arn = map.get(headers::SOURCE_ARN).and_then(|value| value.to_str().ok());
    let source_arn = source_arn.filter(|arn| arn.len() <= NAME_MAX).unwrap_or_default().to_owned();
    let given = map.get(headers::COMMON_ATTRIBUTES).map(|value| value.as_bytes());
    let (attributes, attributes_fault) = match attributes::parse(given.unwrap_or_default()) {
        Ok(attributes) => (attributes, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Ok(Head { request_id, source_arn, encoding, length, attributes, attributes_fault })
}

fn check_version(map: &HeaderMap) -> Result<(), Refusal> {
    match map.get(headers::PROTOCOL_VERSION) {
        Some(version) if version != headers::PROTOCOL_VERSION_1_0 => {
            let message =
                format!("{} must be {}", headers::PROTOCOL_VERSION, headers::PROTOCOL_VERSION_1_0);
            Err(Refusal::new(Reason::ProtocolVersion, message))
        }
        _ => Ok(()),
    }
}

fn check_request_id(map: &HeaderMap, access: &Access) -> Result<Option<String>, Refusal> {
    let refuse = |what: &str| {
        let message = format!("{} {what}", headers::REQUEST_ID);
        Err(Refusal::new(Reason::RequestId, message))
    };
    match (map.get(headers::REQUEST_ID), request_id(map)) {
        (_, Some(id)) => Ok(Some(id.to_owned())),
        (None, None) if access.lenient => Ok(None),
        (None, None) => refuse(
            "is missing: this endpoint takes deliveries of Amazon Data Firehose; \
             for emulators set lenient: true",
        ),
        (Some(_), None) => refuse("is empty, too long or not plain text"),
    }
}

/// Every key is compared, in constant time, whatever the others said: the time tells nothing.
fn check_key(map: &HeaderMap, access: &Access) -> Result<(), Refusal> {
    let mut sent = map.get_all(headers::ACCESS_KEY).iter();
    let (first, second) = (sent.next(), sent.next());
    if access.keys.is_empty() {
        return Ok(());
    }
    let Some(first) = first else {
        if access.lenient {
            return Ok(());
        }
        let message = format!(
            "{} is missing; set the access key of the Firehose destination",
            headers::ACCESS_KEY
        );
        return Err(Refusal::new(Reason::AccessKeyMissing, message));
    };
    let mut right = false;
    for key in &access.keys {
        right |= key.matches(first.as_bytes());
    }
    if right && second.is_none() {
        return Ok(());
    }
    Err(Refusal::new(Reason::AccessKeyWrong, "the access key is not one of those configured"))
}

fn check_encoding(map: &HeaderMap) -> Result<Encoding, Refusal> {
    let mut values = map.get_all(headers::CONTENT_ENCODING).iter();
    let (first, second) = (values.next(), values.next());
    let text = first.map_or(Some(""), |value| value.to_str().ok());
    let text = text.filter(|_| second.is_none()).map(str::trim);
    match text {
        Some("" | "identity") => Ok(Encoding::Identity),
        Some(text) if text.eq_ignore_ascii_case(headers::GZIP) => Ok(Encoding::Gzip),
        _ => {
            let message = "content-encoding must be gzip or absent";
            Err(Refusal::new(Reason::Encoding, message))
        }
    }
}

/// hyper has refused lengths that contradict each other or are no number.
fn check_length(map: &HeaderMap, limits: &Limits) -> Result<Option<u64>, Refusal> {
    let text = map.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = text.and_then(|text| text.parse::<u64>().ok());
    match length {
        Some(length) if length > limits.body_bytes => {
            Err(Refusal::too_large(&format!("a body of {length} bytes"), limits.body_bytes))
        }
        length => Ok(length),
    }
}
