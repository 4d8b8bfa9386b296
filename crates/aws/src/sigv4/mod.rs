//! AWS Signature Version 4, for whoever signs and for whoever verifies.
//!
//! Owns: the canonical form of a request, the string to sign, the derived keys, and the text of the
//! `Authorization` header. Always: what is canonical is computed from the request as it is on the
//! wire, so that both sides of a conversation come to the same text; a secret is never printed.
//! Deliberately not here: clocks, credentials and how they are found, HTTP.
//!
//! Facts: "Signature Version 4 signing process" of the IAM user guide; captures of the SDKs.

mod canonical;
mod encode;
mod key;
mod sign;
#[cfg(test)]
mod tests;

pub use canonical::{Paths, Request, canonical_request, string_to_sign};
pub use encode::{decode_form, encode_path, encode_query};
pub use key::{KeyCache, Scope, SigningKey};
pub use sign::{Signer, hash};

/// The algorithm, as headers and strings to sign name it.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// SHA-256 of nothing, the payload hash of a request without a body.
pub const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// In the place of a payload hash: the body is not signed (S3 over TLS).
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
