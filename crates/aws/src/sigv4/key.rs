//! Keys derived from a secret: one a day, region and service.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac::{self, HMAC_SHA256};

/// Keys kept: a process signs for a few services in a few regions, and yesterday's are of no use.
const KEYS_KEPT: usize = 16;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// `20261120`.
    pub date: &'a str,
    /// `eu-west-1`.
    pub region: &'a str,
    /// `s3`.
    pub service: &'a str,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// A derived key.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(***)")
    }
}

impl SigningKey {
    /// Derives.
    pub fn derive(secret: &str, scope: &Scope<'_>) -> SigningKey {
        let mut key = hmac::Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
        for part in [scope.date, scope.region, scope.service, "aws4_request"] {
            key = hmac::Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        SigningKey(key)
    }

    /// The signature of a string to sign, in hexadecimal.
    pub fn sign(&self, string_to_sign: &str) -> String {
        super::sign::hex(hmac::sign(&self.0, string_to_sign.as_bytes()).as_ref())
    }

    /// Whether `signature` (32 bytes) is that of this string to sign; in constant time.
    pub fn verify(&self, string_to_sign: &str, signature: &[u8]) -> bool {
        hmac::verify(&self.0, string_to_sign.as_bytes(), signature).is_ok()
    }
}

/// The keys used last. Deriving one costs four hashes, and the same is asked for all day.
#[derive(Default)]
pub struct KeyCache(pub(super) Mutex<Vec<Kept>>);

pub(super) struct Kept {
    secret: String,
    date: String,
    region: String,
    service: String,
    key: SigningKey,
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("KeyCache(***)")
    }
}

impl KeyCache {
    /// The key, derived when it is not here.
    pub fn key(&self, secret: &str, scope: &Scope<'_>) -> SigningKey {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |kept: &&Kept| {
            (kept.date.as_str(), kept.region.as_str()) == (scope.date, scope.region)
                && kept.service == scope.service
                && kept.secret == secret
        };
        if let Some(found) = kept.iter().find(same) {
            return found.key.clone();
        }
        let key = SigningKey::derive(secret, scope);
        kept.retain(|kept| kept.date == scope.date);
        if kept.len() >= KEYS_KEPT {
            kept.remove(0);
        }
        kept.push(Kept {
            secret: secret.to_owned(),
            date: scope.date.to_owned(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            key: key.clone(),
        });
        key
    }
}
