//! One port for SDKs: from a request to an answer.
//!
//! Owns the order of things: told apart, caller verified, allowed by policy, done, answered in the
//! caller's protocol. The door (sockets, limits, inflating) is the binary's.

use std::sync::Arc;

use aws::api::{Answer, Fault};
use aws::iam::Policy;
use journal::{Journal, Topic};

use crate::Clock;
use crate::fold::Windows;
use crate::registry::Registry;

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
#[derive(Clone, Debug)]
pub struct Credential {
    /// `AKID...`.
    pub access_key_id: String,
    /// Its secret. Never printed.
    pub secret_access_key: Arc<str>,
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
    /// Seals access keys.
    pub seal: Arc<entry::seal::SealKey>,
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

impl Context {
    /// Answers a request.
    pub async fn respond(&self, incoming: &Incoming<'_>) -> Answer {
        let _ = incoming;
        aws::api::fault_answer(None, &Fault::new("InternalFailure", 500, "not built"), "")
    }
}
