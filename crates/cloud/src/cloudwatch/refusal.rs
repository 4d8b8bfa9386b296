//! What CloudWatch says no with: its errors by name, code and status.

use std::fmt::Display;

use aws::api::{Fault, Value};

/// A member that must be there.
pub(super) fn missing(place: &str) -> Fault {
    Fault::new(
        "MissingRequiredParameterException",
        400,
        format!("The parameter {place} is required."),
    )
    .with_code("MissingParameter")
}

/// A member that is not as it must be.
pub(super) fn value(text: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValueException", 400, text).with_code("InvalidParameterValue")
}

/// Members that cannot be there together.
pub(super) fn combination(text: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterCombinationException", 400, text)
        .with_code("InvalidParameterCombination")
}

/// Two members of which only one may be given. The text is CloudWatch's for `PutMetricData`.
pub(super) fn exclusive(one: &str, other: &str) -> Fault {
    combination(format!(
        "The parameters {one} and {other} are mutually exclusive and you have specified both."
    ))
}

/// What the model of the API itself forbids, and every refusal of `GetMetricData`.
pub(super) fn validation(text: String) -> Fault {
    Fault::new("ValidationException", 400, text).with_code("ValidationError")
}

/// A list that is too long, in CloudWatch's words.
pub(super) fn too_many(place: &str, most: usize) -> String {
    format!("The collection {place} must not have a size greater than {most}.")
}

/// A token that no answer gave, or that another request was given.
pub(super) fn token() -> Fault {
    Fault::new("InvalidNextToken", 400, "The value for parameter NextToken is invalid.")
}

/// A stream or a tagged resource that is not there: told by members, without a message.
pub(super) fn not_found(kind: &'static str, id: &str) -> Fault {
    Fault::new("ResourceNotFoundException", 404, "")
        .with("ResourceType", Value::text(kind))
        .with("ResourceId", Value::text(id.to_owned()))
}

/// More than this service keeps.
pub(super) fn limit(text: String) -> Fault {
    Fault::new("LimitExceededException", 400, text)
}

/// A disk that fails: ours, not the caller's. What the disk said goes to the log, not to the caller.
pub(super) fn internal(what: &'static str, why: &impl Display) -> Fault {
    tracing::error!(%why, "{what}");
    Fault::new("InternalServiceFault", 500, format!("{what}, see the log of the service"))
        .with_code("InternalServiceError")
}
