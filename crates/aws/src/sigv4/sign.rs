//! Signs: from a request and credentials to the `Authorization` header.

use super::canonical::signed_names;
use super::{ALGORITHM, KeyCache, Paths, Request, Scope, canonical_request, string_to_sign};

/// Who signs, for what service.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Keys derived before.
    pub keys: &'a KeyCache,
    /// `AKID...`.
    pub access_key_id: &'a str,
    /// Region, as the scope names it.
    pub region: &'a str,
    /// Service, as the scope names it.
    pub service: &'a str,
    /// How the service reads a path.
    pub paths: Paths,
}

impl Signer<'_> {
    /// The value of `Authorization`. `date` is the value of `X-Amz-Date` (`20261120T120000Z`), which
    /// must be among the signed headers, as `host` must, and `x-amz-security-token` with temporary
    /// credentials.
    pub fn authorization(&self, secret: &str, date: &str, request: &Request<'_>) -> String {
        let day = date.get(..8).unwrap_or(date);
        let scope = Scope { date: day, region: self.region, service: self.service };
        let canonical = canonical_request(request, self.paths);
        let signature =
            self.keys.key(secret, &scope).sign(&string_to_sign(date, &scope, &canonical));
        let names = signed_names(request.headers);
        let id = self.access_key_id;
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

/// SHA-256 in hexadecimal, as payload hashes are written.
pub fn hash(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        write!(out, "{byte:02x}").ok();
    }
    out
}
