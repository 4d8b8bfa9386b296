//! Which service, operation and protocol a request means.

use std::borrow::Cow;

use super::{Fault, Value, cbor, json, query};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
    /// smithy's RPC v2 in CBOR.
    Cbor,
    /// A form in, XML out.
    Query,
}

/// A service that one port answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// CloudWatch metrics.
    CloudWatch,
    /// Amazon Data Firehose.
    Firehose,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// Its name in a credential scope.
    pub fn signing_name(self) -> &'static str {
        match self {
            Service::CloudWatch => "monitoring",
            Service::Firehose => "firehose",
            Service::Sts => "sts",
        }
    }

    /// Its name in IAM actions.
    pub fn iam_name(self) -> &'static str {
        match self {
            Service::CloudWatch => "cloudwatch",
            Service::Firehose => "firehose",
            Service::Sts => "sts",
        }
    }

    /// What stands before shape names in `__type`; Firehose's are written without.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Service::CloudWatch => "com.amazonaws.cloudwatch.v2010_08_01#",
            Service::Firehose | Service::Sts => "",
        }
    }

    pub(super) fn xml_namespace(self) -> &'static str {
        match self {
            Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
            Service::Firehose => "http://firehose.amazonaws.com/doc/2015-08-04/",
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        }
    }
}

/// The shape name of CloudWatch in targets and paths.
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";
/// That of Firehose.
const FIREHOSE: &str = "Firehose_20150804";
/// That of STS.
const STS: &str = "AWSSecurityTokenServiceV20110615";

/// What of a request's head decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// Path without query.
    pub path: &'a str,
    /// Query of the URL, without `?`.
    pub query: &'a str,
    /// `Content-Type`.
    pub content_type: &'a str,
    /// `X-Amz-Target`.
    pub target: Option<&'a str>,
    /// `smithy-protocol`.
    pub smithy_protocol: Option<&'a str>,
    /// `x-amzn-query-mode` is `true`.
    pub query_mode: bool,
}

/// A call that is told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Of which service.
    pub service: Service,
    /// Which operation, known or not.
    pub operation: Cow<'a, str>,
    /// In which protocol.
    pub protocol: Protocol,
    /// The caller understands modelled statuses.
    pub query_mode: bool,
}

/// Tells a call apart. The body is inflated already.
pub fn call<'a>(seen: &Seen<'a>, body: &[u8]) -> Result<Call<'a>, Fault> {
    let path = seen.path.trim_matches('/');
    let query_mode = seen.query_mode;
    if seen.smithy_protocol == Some("rpc-v2-cbor") || path.starts_with("service/") {
        let parts: Vec<&str> = path.split('/').collect();
        let ["service", service, "operation", operation] = parts.as_slice() else {
            return Err(Fault::unknown_operation(path));
        };
        let service = service_of(service).ok_or_else(|| Fault::unknown_operation(operation))?;
        let operation = Cow::Borrowed(*operation);
        return Ok(Call { service, operation, protocol: Protocol::Cbor, query_mode });
    }
    if let Some(target) = seen.target {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        let service = service_of(service).ok_or_else(|| Fault::unknown_operation(operation))?;
        let newer = seen.content_type.contains("json-1.1") || service == Service::Firehose;
        let protocol = if newer { Protocol::Json11 } else { Protocol::Json10 };
        return Ok(Call { service, operation: Cow::Borrowed(operation), protocol, query_mode });
    }
    by_action(seen, body)
}

fn service_of(shape: &str) -> Option<Service> {
    match shape {
        CLOUDWATCH => Some(Service::CloudWatch),
        FIREHOSE => Some(Service::Firehose),
        STS => Some(Service::Sts),
        _ => None,
    }
}

fn by_action<'a>(seen: &Seen<'a>, body: &[u8]) -> Result<Call<'a>, Fault> {
    let form = form_of(seen, body)?;
    let pairs = query::pairs(form).map_err(Fault::serialization)?;
    let value =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(action) = value("Action") else {
        let message = "The request must contain the parameter Action, or a header X-Amz-Target";
        return Err(Fault::new("MissingAction", 400, message));
    };
    let service = match value("Version") {
        Some("2010-08-01") => Service::CloudWatch,
        Some("2011-06-15") => Service::Sts,
        // Without a version: what only STS has.
        None if matches!(action, "GetCallerIdentity" | "AssumeRole") => Service::Sts,
        None => Service::CloudWatch,
        Some(version) => return Err(unknown_version(action, version)),
    };
    let operation = Cow::Owned(action.to_owned());
    Ok(Call { service, operation, protocol: Protocol::Query, query_mode: true })
}

fn unknown_version(action: &str, version: &str) -> Fault {
    let message = format!(
        "Could not find operation {action} for version {version}: here is 2010-08-01 (CloudWatch) \
         and 2011-06-15 (STS)"
    );
    Fault { message, ..Fault::unknown_operation(action) }
}

/// In which protocol a request was meant that [`call`] could not tell apart, so that its caller can
/// read why. JSON when nothing tells: all tools can show it.
pub fn protocol(seen: &Seen<'_>, body: &[u8]) -> Protocol {
    let path = seen.path.trim_matches('/');
    if seen.smithy_protocol == Some("rpc-v2-cbor") || path.starts_with("service/") {
        return Protocol::Cbor;
    }
    if seen.target.is_some() {
        let newer = seen.content_type.contains("json-1.1");
        return if newer { Protocol::Json11 } else { Protocol::Json10 };
    }
    let names = |form: &[u8]| {
        let mut pairs = form.split(|byte| *byte == b'&');
        pairs.any(|pair| pair.starts_with(b"Action=") || pair.starts_with(b"Version="))
    };
    let is_form = seen.content_type.starts_with("application/x-www-form-urlencoded");
    if is_form || names(seen.query.as_bytes()) || names(body) {
        return Protocol::Query;
    }
    Protocol::Json10
}

/// The form: the body, or the query of the URL when there is none.
fn form_of<'b>(seen: &Seen<'b>, body: &'b [u8]) -> Result<&'b str, Fault> {
    if body.is_empty() {
        return Ok(seen.query);
    }
    std::str::from_utf8(body).map_err(|_| Fault::serialization("the body is not UTF-8"))
}

impl Call<'_> {
    /// The input as a tree. `body` is what [`call`] was given.
    pub fn input<'b>(&self, seen: &Seen<'b>, body: &'b [u8]) -> Result<Value<'b>, Fault> {
        let read = match self.protocol {
            Protocol::Json10 | Protocol::Json11 => json::read(body).map_err(Fault::serialization),
            Protocol::Cbor => cbor::read(body).map_err(Fault::serialization),
            Protocol::Query => {
                return query::read(form_of(seen, body)?).map_err(Fault::serialization);
            }
        };
        // Without members it would pass for an input that leaves all of them out.
        match read? {
            structure @ Value::Map(_) => Ok(structure),
            _ => Err(Fault::serialization("the body must be a structure")),
        }
    }
}
