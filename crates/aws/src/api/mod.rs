//! AWS's API protocols, as a server meets them: JSON 1.0 and 1.1, smithy's RPC v2 in CBOR, and query
//! with XML answers.
//!
//! Owns how a call is told apart and read, and how its answer or fault is written, so that an
//! operation is one function of a [`Value`] whatever protocol its caller speaks. Always holds: any
//! bytes give a value or a fault; depth and size are bounded; an answer carries what every SDK needs
//! to raise its typed exception. Deliberately not here: who may call, and what operations do.

mod answer;
pub mod cbor;
mod fault;
mod json;
mod protocol;
mod query;
mod value;
mod xml;

pub use answer::{Answer, Shape, answer, fault_answer};
pub use fault::Fault;
pub use protocol::{Call, Protocol, Seen, Service, call, protocol};
pub use value::{Value, ValueFault};
