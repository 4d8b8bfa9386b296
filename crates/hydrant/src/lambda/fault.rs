//! Why an invocation failed, as Lambda shows it to a person.

use bytes::Bytes;
use serde_json::json;

/// Lambda cuts longer messages in its own logs and in the record of a failed invocation.
const MESSAGE_MAX: usize = 4096;

/// A failed invocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    /// `Hydrant.NotDelivered` and so on: a closed set, listed in docs/lambda.md.
    pub kind: &'static str,
    /// What, where, and the remedy.
    pub message: String,
}

/// The settings in the environment are wrong.
pub(super) const BAD_SETTINGS: &str = "Hydrant.BadSettings";
/// The event is none of those understood.
pub(super) const UNKNOWN_EVENT: &str = "Hydrant.UnknownEvent";
/// An object could not be read.
pub(super) const UNREADABLE: &str = "Hydrant.ObjectUnreadable";
/// Points could not be delivered in time.
pub(super) const NOT_DELIVERED: &str = "Hydrant.NotDelivered";
/// Points were refused for good, or could not be decoded, and the settings say that this fails.
pub(super) const REFUSED: &str = "Hydrant.Refused";
/// The answer was not taken by the runtime API.
pub(super) const ANSWER_REFUSED: &str = "Hydrant.AnswerRefused";
/// A bug in Hydrant.
pub(super) const BUG: &str = "Hydrant.Bug";

impl Fault {
    /// A fault of this kind.
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into() }
    }

    /// The body that the runtime API takes.
    pub(super) fn body(&self) -> Bytes {
        let message: String = self.message.chars().take(MESSAGE_MAX).collect();
        let body = json!({ "errorMessage": message, "errorType": self.kind, "stackTrace": [] });
        Bytes::from(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/lambda.md");

    /// *Scenario:* docs/lambda.md beside the kinds of errors, the variables and the lines of log.
    /// *Guarantees:* each kind has its row, and what people set or search for is named there.
    #[test]
    fn the_page_names_what_people_meet() {
        let kinds =
            [BAD_SETTINGS, UNKNOWN_EVENT, UNREADABLE, NOT_DELIVERED, REFUSED, ANSWER_REFUSED, BUG];
        for kind in kinds {
            assert!(PAGE.contains(&format!("| `{kind}` |")), "{kind}");
        }
        for word in [
            "HYDRANT_STREAM__",
            "HYDRANT_SOURCE__",
            "HYDRANT_ON_REFUSED",
            "HYDRANT_DEADLINE_MARGIN",
            "OAUTH2_AUDIENCE",
            "object delivered",
            "points were refused",
            "records failed: Firehose keeps them",
        ] {
            assert!(PAGE.contains(word), "{word}");
        }
    }
}
