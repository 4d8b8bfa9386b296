//! From what AWS told to a fault: which kind, and what a person can do.
//!
//! Owns the table of codes. A code that is not in it is judged by its status. An answer that is not
//! AWS's (a proxy's page, a captive portal) is always "later", never "no": it must not settle what
//! AWS has not spoken about.

use super::fault::Kind;
use super::told::{Told, short};
use super::{Fault, IdentityConfig};
use crate::unreachable::{Unreachable, Why};
use crate::{Answer, TlsError};

/// What was asked, for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doing {
    /// `GetObject s3://bucket/key`.
    pub(super) text: String,
    /// What IAM calls it: `s3:GetObject`; empty when it needs no permission.
    pub(super) action: &'static str,
    /// The ARN it is done on.
    pub(super) resource: String,
    /// What else to know when it is denied.
    pub(super) besides: String,
}

/// The kind of failure behind a code.
fn kind_of(code: &str, status: u16, told: &Told) -> Kind {
    match code {
        "NoSuchKey" | "NoSuchVersion" | "NotFound" => Kind::NoSuchObject,
        "MethodNotAllowed" if told.deleted => Kind::NoSuchObject,
        "NoSuchBucket" | "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => {
            Kind::NoSuchPlace
        }
        "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException" => {
            Kind::WrongRegion
        }
        "AuthorizationHeaderMalformed" if told.region.is_some() => Kind::WrongRegion,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "TokenRefreshRequired"
        | "InvalidToken"
        | "InvalidTokenId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "AuthorizationHeaderMalformed"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "RequestInTheFuture"
        | "UnauthorizedException" => Kind::BadCredentials,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "BandwidthLimitExceeded"
        | "KMS.ThrottlingException"
        | "OverLimit" => Kind::Throttled,
        "PreconditionFailed" | "InvalidRange" => Kind::Changed,
        // A body damaged or cut on its way: the next attempt may come through.
        "RequestTimeout" | "BadDigest" | "IncompleteBody" | "XAmzContentSHA256Mismatch" => {
            Kind::Unwell
        }
        code if code.starts_with("AccessDenied") || code.starts_with("KMS.") => Kind::Denied,
        "AllAccessDisabled"
        | "AccountProblem"
        | "NotSignedUp"
        | "OptInRequired"
        | "UnauthorizedOperation"
        | "AuthorizationError" => Kind::Denied,
        _ => kind_of_status(status),
    }
}

fn kind_of_status(status: u16) -> Kind {
    match status {
        429 => Kind::Throttled,
        408 | 500.. => Kind::Unwell,
        401 | 403 => Kind::Denied,
        _ => Kind::Refused,
    }
}

/// The fault of an answer that is not a success.
pub(super) fn of_answer(doing: &Doing, answer: &Answer, told: &Told) -> Fault {
    if told.code.is_empty() {
        return not_aws(doing, answer);
    }
    let kind = kind_of(&told.code, answer.status, told);
    Fault {
        kind,
        doing: doing.text.clone(),
        code: told.code.clone(),
        message: message(answer, told),
        remedy: remedy(kind, doing, told),
        status: answer.status,
        retry_after: answer.retry_after,
    }
}

fn message(answer: &Answer, told: &Told) -> String {
    let mut text = told.message.clone();
    if text.is_empty() {
        text = format!("answered {} without a word", answer.status);
    }
    if let Some((ours, theirs)) = &told.times {
        text.push_str(&format!(" (signed at {ours}, their time is {theirs})"));
    }
    text
}

/// Somebody else answered.
pub(super) fn not_aws(doing: &Doing, answer: &Answer) -> Fault {
    let kind = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
    let begin = answer.body.get(..80).unwrap_or(&answer.body);
    let begin = short(&String::from_utf8_lossy(begin));
    Fault {
        kind: if answer.status == 429 { Kind::Throttled } else { Kind::Unwell },
        doing: doing.text.clone(),
        code: "NotAws".to_owned(),
        message: format!(
            "answered {} ({}), which is not an answer of this service: {begin}",
            answer.status,
            short(kind.unwrap_or("no content type"))
        ),
        remedy: Some(
            "a proxy or another server answers in the place of AWS: check endpoint_url, \
             AWS_ENDPOINT_URL and HTTPS_PROXY, and name AWS's hosts in NO_PROXY if the proxy \
             should not be asked"
                .to_owned(),
        ),
        status: answer.status,
        retry_after: answer.retry_after,
    }
}

/// Nobody answered.
pub(super) fn of_silence(doing: &Doing, error: &Unreachable) -> Fault {
    let (kind, remedy) = match error.why {
        Why::Request => (Kind::Refused, "check endpoint_url, region, bucket and key"),
        Why::Dns => (
            Kind::Unwell,
            "is the region right (a host name is made of it), and does this machine resolve names \
             outside its network?",
        ),
        Why::Tls => (
            Kind::Unwell,
            "name the CA that signed the certificate: AWS_CA_BUNDLE, or tls.ca_file of the settings",
        ),
        Why::Connect | Why::Timeout => (
            Kind::Unwell,
            "check the way out: a proxy (HTTPS_PROXY), a VPC endpoint, a security group",
        ),
        Why::Reset | Why::Protocol => (Kind::Unwell, ""),
    };
    Fault::ours(kind, &doing.text, "Unreachable", &error.to_string(), remedy)
}

/// TLS could not be set up for this identity.
pub(super) fn of_tls(error: &TlsError, config: &IdentityConfig) -> Fault {
    let file = config.client.tls.ca_file.as_ref().map(|file| file.display().to_string());
    let remedy =
        format!("check {}", file.as_deref().unwrap_or("the CA certificates of this system"));
    Fault::ours(Kind::Refused, "set up TLS for AWS", "Tls", &error.to_string(), &remedy)
}

fn remedy(kind: Kind, doing: &Doing, told: &Told) -> Option<String> {
    let Doing { action, resource, besides, .. } = doing;
    let text = match kind {
        Kind::Denied if about_kms(told) => format!(
            "the object is encrypted with a key of KMS: allow {} on that key, in the role's policy \
             and in the key's policy",
            if *action == "s3:PutObject" { "kms:GenerateDataKey" } else { "kms:Decrypt" },
        ),
        Kind::Denied if told.code == "InvalidObjectState" => return archived(),
        Kind::Denied if !action.is_empty() => {
            format!("allow {action} on {resource} for these credentials{besides}")
        }
        Kind::Denied => "the credentials may not do this".to_owned(),
        Kind::WrongRegion => match &told.region {
            Some(region) => format!("the bucket is in {region}: set region: {region}"),
            None => "set region to the one the bucket is in".to_owned(),
        },
        Kind::BadCredentials => of_credentials(told).to_owned(),
        Kind::NoSuchPlace => {
            "check the name, the account and the region (and endpoint_url)".to_owned()
        }
        Kind::Throttled => "S3 and KMS raise their limits by themselves under steady load; fewer \
                            concurrent requests help now"
            .to_owned(),
        _ if told.code == "InvalidObjectState" => return archived(),
        _ => return None,
    };
    Some(text)
}

fn archived() -> Option<String> {
    Some("the object is archived (Glacier): restore it, then read it".to_owned())
}

fn about_kms(told: &Told) -> bool {
    told.code.starts_with("KMS.") || told.message.contains("kms:") || told.message.contains(":kms:")
}

fn of_credentials(told: &Told) -> &'static str {
    match told.code.as_str() {
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => {
            "set this machine's clock (NTP)"
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "get new temporary credentials: what comes from the environment or a file is not \
             renewed by Hydrant; a role, SSO or an instance profile is"
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "the secret access key does not belong to the access key id, or a proxy changed the \
             request"
        }
        "AuthorizationHeaderMalformed" => "set region to the one this endpoint expects",
        _ => "check the access key id and, with temporary credentials, the session token",
    }
}
