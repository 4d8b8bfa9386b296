//! Calls in AWS's JSON protocols: one path, the operation in `X-Amz-Target`.

use bytes::Bytes;
use http::{HeaderName, Method, header};
use serde_json::Value;

use super::call::{Ask, at_most};
use super::places::{Place, Service};
use super::verdict::{self, Doing};
use super::{Fault, Identity};

/// Most bytes of an answer: ten messages of SQS are 1 MiB, six times that when all is escaped.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// An operation of a service.
pub(super) struct Operation<'a> {
    pub(super) service: Service,
    pub(super) region: &'a str,
    pub(super) place: Place,
    /// `AmazonSQS.ReceiveMessage`.
    pub(super) target: String,
    /// `application/x-amz-json-1.0`.
    pub(super) content_type: &'a str,
    pub(super) body: Value,
    /// Beyond the usual time limit, for a call that waits on purpose.
    pub(super) waits: std::time::Duration,
    pub(super) doing: Doing,
}

impl Identity {
    /// Calls; the answer is a JSON object.
    pub(super) async fn json(&self, operation: Operation<'_>) -> Result<Value, Fault> {
        let ask = Ask {
            service: operation.service,
            region: operation.region.to_owned(),
            base: operation.place.url,
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![
                (header::CONTENT_TYPE, operation.content_type.to_owned()),
                (HeaderName::from_static("x-amz-target"), operation.target),
            ],
            body: Bytes::from(operation.body.to_string()),
            limits: at_most(self.patience() + operation.waits),
            doing: operation.doing,
        };
        let answer = self.call(&ask, ANSWER_BYTES).await.map_err(|failed| failed.fault)?;
        // DeleteMessage and ChangeMessageVisibility answer with an empty body, or an empty object.
        if answer.body.is_empty() && answer.headers.contains_key("x-amzn-requestid") {
            return Ok(Value::Null);
        }
        let parsed = serde_json::from_slice::<Value>(&answer.body).ok();
        parsed.filter(Value::is_object).ok_or_else(|| verdict::not_aws(&ask.doing, &answer))
    }
}
