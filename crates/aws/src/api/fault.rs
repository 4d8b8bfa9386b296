//! What a caller is told when a call is not done.

use super::{Value, ValueFault};

/// A refusal, as each protocol writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Name of the modelled shape, or of a common error: `__type` in JSON and CBOR.
    pub shape: &'static str,
    /// Its code in the query protocol, and in `x-amzn-query-error`.
    pub code: &'static str,
    /// HTTP status, where the protocol uses it.
    pub status: u16,
    /// Text; left out when empty, as AWS does.
    pub message: String,
    /// One of the errors every service has: always 400 in JSON and CBOR.
    pub common: bool,
    /// Further members of the shape.
    pub members: Vec<(&'static str, Value<'static>)>,
}

impl Fault {
    /// A fault whose code in the query protocol is that of its shape.
    pub fn new(shape: &'static str, status: u16, message: impl Into<String>) -> Fault {
        Fault {
            shape,
            code: shape,
            status,
            message: message.into(),
            common: false,
            members: Vec::new(),
        }
    }

    /// The same with another code in the query protocol.
    pub fn with_code(self, code: &'static str) -> Fault {
        Fault { code, ..self }
    }

    /// An error that every service has, about who calls rather than what is asked.
    pub fn common(
        shape: &'static str,
        code: &'static str,
        status: u16,
        message: impl Into<String>,
    ) -> Fault {
        Fault { common: true, ..Fault::new(shape, status, message).with_code(code) }
    }

    /// The same with one more member.
    pub fn with(mut self, name: &'static str, value: Value<'static>) -> Fault {
        self.members.push((name, value));
        self
    }

    /// An operation that does not exist here.
    pub fn unknown_operation(operation: &str) -> Fault {
        let message = format!("The action {operation} is not valid for this web service.");
        Fault::new("UnknownOperationException", 400, message).with_code("InvalidAction")
    }

    /// A body that is not what its protocol says.
    pub fn serialization(detail: impl std::fmt::Display) -> Fault {
        Fault::new("SerializationException", 400, detail.to_string()).with_code("MalformedInput")
    }
}

impl From<ValueFault> for Fault {
    fn from(fault: ValueFault) -> Fault {
        Fault::serialization(fault)
    }
}
