//! Why a call to AWS failed.

use std::time::Duration;

/// What kind of failure, for whoever must decide what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No credentials were found, or the chain failed.
    NoCredentials,
    /// The credentials have expired or are not known, or the clock is wrong.
    BadCredentials,
    /// They are known, and may not do this.
    Denied,
    /// The object, or its version, is not there.
    NoSuchObject,
    /// The bucket or queue is not there.
    NoSuchPlace,
    /// The bucket is in another region, which the fault's remedy names when it is known.
    WrongRegion,
    /// The object is not what it was when it was first read (`If-Match` failed).
    Changed,
    /// Asked to slow down.
    Throttled,
    /// The service failed (5xx), could not be reached, or somebody else answered: later.
    Unwell,
    /// Anything else that will not pass by trying again.
    Refused,
}

/// A call that failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{doing}: {code}: {message}")]
pub struct Fault {
    /// What kind.
    pub kind: Kind,
    /// What was asked, with its place: `GetObject s3://bucket/key`.
    pub doing: String,
    /// AWS's own code (`NoSuchKey`, `ExpiredToken`), or ours (`Unreachable`).
    pub code: String,
    /// AWS's own text, shortened; never a secret.
    pub message: String,
    /// What a person can do, when it is known.
    pub remedy: Option<String>,
    /// HTTP status, 0 without an answer.
    pub status: u16,
    /// What the service asked to wait.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// May the same call succeed later, without anybody changing anything?
    pub fn passes(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unwell)
    }

    /// One that this client found by itself.
    pub(super) fn ours(kind: Kind, doing: &str, code: &str, message: &str, remedy: &str) -> Fault {
        Fault {
            kind,
            doing: doing.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
            status: 0,
            retry_after: None,
        }
    }
}
