//! One port for SDKs: from a request to an answer.
//!
//! Owns the order of things: told apart, caller verified, allowed by policy, done, answered in the
//! caller's protocol. The door (sockets, limits, inflating) is the binary's.

mod allowed;
mod caller;
mod counts;
pub(crate) mod store;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use aws::api::{
    Answer, Call, Fault, Protocol, Seen, Service, Shape, Value, answer, call, fault_answer,
    protocol,
};
use aws::iam::Policy;
use aws::sigv4::KeyCache;
use journal::{Journal, Topic};

use crate::Clock;
use crate::fold::Windows;
use crate::registry::Registry;

pub use counts::{Counted, Counts};

/// What the settings say.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the source.
    pub source: String,
    /// `region`.
    pub region: String,
    /// Who may call; none only with `unsigned`.
    pub credentials: Vec<Credential>,
    /// Unsigned calls are taken, as this account.
    pub unsigned: Option<String>,
    /// `http://` is taken in `HttpEndpointConfiguration`.
    pub allow_http_endpoints: bool,
    /// Streams of the settings that are delivery streams here.
    pub delivery_streams: Vec<String>,
}

/// A key that may call.
#[derive(Clone)]
pub struct Credential {
    /// `AKID...`.
    pub access_key_id: String,
    /// Its secret. Never printed.
    pub secret_access_key: Arc<str>,
    /// Token that must come with it, for temporary credentials.
    pub session_token: Option<Arc<str>>,
    /// Account it belongs to.
    pub account_id: String,
    /// What it may do; everything without.
    pub policy: Option<Policy>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Account.
    pub account: String,
    /// Access key id; empty when unsigned.
    pub access_key_id: String,
    /// `arn:aws:iam::111122223333:user/AKID`, for messages.
    pub arn: String,
}

/// What operations work with.
#[derive(Clone)]
pub struct Context {
    /// The settings.
    pub config: Arc<Config>,
    /// Resources.
    pub registry: Registry,
    /// For the topics of delivery streams.
    pub journal: Journal,
    /// Where `PutMetricData` goes.
    pub topic: Topic,
    /// Kept windows.
    pub windows: Arc<Windows>,
    /// Signing keys derived before.
    pub keys: Arc<KeyCache>,
    /// Seals access keys.
    pub seal: Arc<entry::seal::SealKey>,
    /// What was answered.
    pub counts: Arc<Counts>,
    /// Time.
    pub clock: Clock,
}

/// A request as it came, its body inflated beside the one that was signed.
pub struct Incoming<'a> {
    /// Method.
    pub method: &'a str,
    /// Path.
    pub path: &'a str,
    /// Query without `?`.
    pub query: &'a str,
    /// Headers in the order they came.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body as sent.
    pub body: &'a [u8],
    /// Body inflated; the same without compression.
    pub plain: &'a [u8],
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({} of {})", self.access_key_id, self.account_id)
    }
}

impl Context {
    /// Answers a request.
    pub async fn respond(&self, incoming: &Incoming<'_>) -> Answer {
        let request_id = request_id();
        let seen = seen(incoming);
        let told_apart = match call(&seen, incoming.plain) {
            Ok(told_apart) => told_apart,
            Err(fault) => {
                self.counts.refused(fault.code);
                return fault_answer(Err(protocol(&seen, incoming.plain)), &fault, &request_id);
            }
        };
        match self.done(incoming, &seen, &told_apart).await {
            Ok(shape) => {
                self.counts.accepted(incoming.body.len());
                answer(&told_apart, &shape, &request_id)
            }
            Err(fault) => {
                self.counts.refused(fault.code);
                fault_answer(Ok(&told_apart), &fault, &request_id)
            }
        }
    }

    /// Answers a request that did not come as far as [`Context::respond`]: its head says in which
    /// protocol.
    pub fn refuse(&self, incoming: &Incoming<'_>, fault: &Fault) -> Answer {
        self.counts.refused(fault.code);
        let seen = seen(incoming);
        let told_apart = call(&seen, &[]);
        let told_apart = told_apart.as_ref().map_err(|_| protocol(&seen, &[]));
        fault_answer(told_apart, fault, &request_id())
    }

    async fn done(
        &self,
        incoming: &Incoming<'_>,
        seen: &Seen<'_>,
        call: &Call<'_>,
    ) -> Result<Shape<'static>, Fault> {
        let caller = self.caller(incoming, call)?;
        let unknown = || Fault::unknown_operation(&call.operation);
        if call.service == Service::CloudWatch && call.operation == "PutMetricData" {
            self.allowed(&caller, call, &Value::Null)?;
            let put = crate::put::read(call, seen, incoming.plain)?;
            return self.store(&caller, put).await;
        }
        if puts_records(call) {
            let put = crate::firehose::put::Put::read(&call.operation, incoming.plain)?;
            let name = put.stream().map(|name| Value::text(name.to_owned()));
            self.allowed(&caller, call, &Value::map([("DeliveryStreamName", name)]))?;
            return put.store_json(self, &caller).await;
        }
        let input = call.input(seen, incoming.plain)?;
        self.allowed(&caller, call, &input)?;
        match call.service {
            Service::Sts if call.operation == "GetCallerIdentity" => Ok(identity(&caller)),
            Service::Sts => Err(unknown()),
            Service::CloudWatch => {
                let done = crate::cloudwatch::call(self, &caller, &call.operation, &input).await;
                done.ok_or_else(unknown)?
            }
            Service::Firehose => {
                let done = crate::firehose::call(self, &caller, &call.operation, &input).await;
                done.ok_or_else(unknown)?
            }
        }
    }
}

/// The calls that carry records: they are read without a tree.
fn puts_records(call: &Call<'_>) -> bool {
    call.service == Service::Firehose
        && call.protocol == Protocol::Json11
        && matches!(&*call.operation, "PutRecord" | "PutRecordBatch")
}

/// `GetCallerIdentity`, which every tool asks first.
fn identity(caller: &Caller) -> Shape<'static> {
    Shape::Members(Value::map([
        ("UserId", Some(Value::text(caller.access_key_id.clone()))),
        ("Account", Some(Value::text(caller.account.clone()))),
        ("Arn", Some(Value::text(caller.arn.clone()))),
    ]))
}

fn seen<'a>(incoming: &Incoming<'a>) -> Seen<'a> {
    let header = |name: &str| {
        let found = incoming.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    Seen {
        path: incoming.path,
        query: incoming.query,
        content_type: header("content-type").unwrap_or_default(),
        target: header("x-amz-target"),
        smithy_protocol: header("smithy-protocol"),
        query_mode: header("x-amzn-query-mode") == Some("true"),
    }
}

/// A UUID; the standard library seeds each hasher from the operating system.
fn request_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
