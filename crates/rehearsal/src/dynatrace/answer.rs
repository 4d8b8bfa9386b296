//! Answers as Dynatrace words them.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::request::{Judgement, Refusal};
use crate::door;

/// 202 when all lines are good, else 400 with the valid lines kept.
pub(super) fn judged(judgement: &Judgement) -> Response<Full<Bytes>> {
    let (status, error) = match judgement.lines_invalid {
        0 => (StatusCode::ACCEPTED, Value::Null),
        n => {
            let list = judgement.listed.iter();
            let lines: Vec<_> =
                list.map(|(line, error)| json!({ "line": line, "error": error })).collect();
            let message = format!("{n} invalid lines");
            (
                StatusCode::BAD_REQUEST,
                json!({ "code": 400, "message": message, "invalidLines": lines }),
            )
        }
    };
    let body = json!({
        "linesOk": judgement.lines_ok,
        "linesInvalid": judgement.lines_invalid,
        "error": error,
        "warnings": null,
    });
    door::json(status, &body)
}

/// A request whose lines were not looked at.
pub(super) fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = match refusal {
        Refusal::Empty | Refusal::NotUtf8 => StatusCode::BAD_REQUEST,
        Refusal::TooLarge | Refusal::TooManyLines => StatusCode::PAYLOAD_TOO_LARGE,
    };
    error(status, &refusal.to_string())
}

/// The generic error envelope.
pub(super) fn error(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    door::json(status, &json!({ "error": { "code": status.as_u16(), "message": message } }))
}
