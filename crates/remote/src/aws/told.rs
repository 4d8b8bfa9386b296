//! What an answer says is wrong, in whichever of AWS's forms it says it.

use jiff::Timestamp;
use serde_json::Value;

use super::xml;
use crate::Answer;
use crate::retry_after::http_date;

/// Characters of AWS's own text that are passed on.
const MESSAGE_MAX: usize = 400;

/// What AWS puts on every answer; one of them is on those of every server that speaks for it.
const REQUEST_IDS: [&str; 2] = ["x-amz-request-id", "x-amzn-requestid"];

/// An error as AWS told it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// AWS's code; empty when the answer is not of AWS.
    pub(super) code: String,
    pub(super) message: String,
    /// The region where the bucket is.
    pub(super) region: Option<String>,
    /// The service's time, from the `Date` of its answer.
    pub(super) date: Option<Timestamp>,
    /// Both times of a `RequestTimeTooSkewed`.
    pub(super) times: Option<(String, String)>,
    /// `x-amz-delete-marker`.
    pub(super) deleted: bool,
}

impl Told {
    pub(super) fn read(answer: &Answer, without_body: bool) -> Told {
        let header = |name: &str| {
            answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let mut told = Told {
            region: header("x-amz-bucket-region"),
            date: header("date").and_then(|date| http_date(&date)),
            deleted: header("x-amz-delete-marker").is_some_and(|said| said == "true"),
            ..Told::default()
        };
        let html = header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let signed = REQUEST_IDS.iter().any(|name| answer.headers.contains_key(*name));
        if without_body && (signed || !html) {
            told.code = code_of_status(answer.status).to_owned();
        } else if let Some(root) = xml::parse(&answer.body) {
            told.take_xml(&root);
        } else if let Ok(Value::Object(members)) = serde_json::from_slice(&answer.body) {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            let typed = text("__type").or_else(|| text("code")).map(str::to_owned);
            told.code = plain(&typed.or_else(|| header("x-amzn-errortype")).unwrap_or_default());
            let message = text("message").or_else(|| text("Message"));
            told.message = short(message.unwrap_or_default());
        } else if let Some(typed) = header("x-amzn-errortype") {
            told.code = plain(&typed);
        }
        if told.code.is_empty() && told.region.is_some() && answer.body.is_empty() {
            told.code = code_of_status(answer.status).to_owned();
        }
        told
    }

    fn take_xml(&mut self, root: &xml::Element) {
        // S3: <Error>; STS: <ErrorResponse><Error>; some SQS: <Response><Errors><Error>.
        let Some(error) = root.find("Error") else { return };
        self.code = plain(error.text_of("Code").unwrap_or_default());
        self.message = short(error.text_of("Message").unwrap_or_default());
        let region = error.text_of("Region").filter(|region| !region.is_empty());
        self.region = self.region.take().or(region.map(str::to_owned));
        let times = (error.text_of("RequestTime"), error.text_of("ServerTime"));
        if let (Some(ours), Some(theirs)) = times {
            self.times = Some((short(ours), short(theirs)));
        }
    }
}

/// `com.amazon.coral.service#Throttled:http://...` is `Throttled`.
fn plain(code: &str) -> String {
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    let code = code.split(':').next().unwrap_or_default();
    short(code.trim())
}

pub(super) fn short(text: &str) -> String {
    let flat = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    flat.take(MESSAGE_MAX).collect::<String>().trim().to_owned()
}

/// What S3 would have said in a body that a HEAD does not have.
fn code_of_status(status: u16) -> &'static str {
    match status {
        301 => "PermanentRedirect",
        307 => "TemporaryRedirect",
        400 => "BadRequest",
        403 => "AccessDenied",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        412 => "PreconditionFailed",
        503 => "SlowDown",
        500.. => "InternalError",
        _ => "Refused",
    }
}
