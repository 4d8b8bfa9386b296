//! Sealing what drop-in lanes must remember of a token, and naming lanes without it.
//!
//! Owns: the keys derived from `token_key` of the settings, and the bytes of a sealed secret,
//! described in `docs/entry-format.md`.
//!
//! Always: AES-256-GCM with a random nonce; the context is authenticated, so that a sealed token
//! opens only where it was put; a key is never printed.
//!
//! Not here: where sealed bytes are kept.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};

use crate::LaneId;

#[cfg(test)]
mod tests;

/// Fewest characters of a key that is neither hexadecimal nor base64 of 32 bytes.
pub const KEY_TEXT_MIN: usize = 32;

/// The version of sealed bytes: this layout, AES-256-GCM, keys derived as below.
const VERSION: u8 = 1;

/// Version, key id, nonce.
const PREFIX: usize = 1 + KEY_ID + NONCE_LEN;

/// Bytes that tell a secret sealed with another key from a damaged one.
const KEY_ID: usize = 4;

/// Separates these keys from any other use of the same text.
const SALT: &[u8] = b"hydrant token_key 1";

/// What is wrong with a key text, or with sealed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text of the key is too short.
    #[error(
        "the key is too short: 64 hexadecimal digits, 44 base64 characters, or a text of at least {KEY_TEXT_MIN} characters"
    )]
    ShortKey,
    /// Sealed by a newer release.
    #[error("sealed by a newer release, version {0}")]
    Newer(u8),
    /// Sealed with another key.
    #[error("sealed with another key")]
    OtherKey,
    /// Cut short, changed, or put elsewhere than it was sealed for.
    #[error("the sealed bytes are damaged or belong elsewhere")]
    Damaged,
}

/// The keys that come from `token_key`.
pub struct SealKey {
    aead: RandomizedNonceKey,
    lanes: hmac::Key,
    id: [u8; KEY_ID],
}

impl fmt::Debug for SealKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealKey(***)")
    }
}

impl SealKey {
    /// Takes 32 bytes as 64 hexadecimal digits or 44 base64 characters, or any text of at least
    /// [`KEY_TEXT_MIN`] characters. White space around it, as files have it, does not count.
    pub fn from_text(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        let material = match thirty_two_bytes(text) {
            Some(bytes) => bytes.to_vec(),
            None if text.chars().count() >= KEY_TEXT_MIN => text.as_bytes().to_vec(),
            None => return Err(SealError::ShortKey),
        };
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(&material);
        let aead = RandomizedNonceKey::new(&AES_256_GCM, &derived(&root, b"seal"))
            .expect("a derived key has the 32 bytes that AES-256 takes");
        let lanes = hmac::Key::new(hmac::HMAC_SHA256, &derived(&root, b"lane"));
        let [a, b, c, d, ..] = derived(&root, b"id");
        Ok(Self { aead, lanes, id: [a, b, c, d] })
    }

    /// Seals a secret for this context: version, key id, nonce, ciphertext, tag.
    pub fn seal(&self, plaintext: &[u8], context: &[u8]) -> Vec<u8> {
        let mut text = plaintext.to_vec();
        let nonce = self
            .aead
            .seal_in_place_append_tag(Aad::from(bound(context)), &mut text)
            .expect("a secret is shorter than the 64 GiB that GCM takes");
        let mut out = Vec::with_capacity(PREFIX + text.len());
        out.push(VERSION);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(nonce.as_ref());
        out.extend_from_slice(&text);
        out
    }

    /// Opens what was sealed with this key for this context.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        match sealed.first() {
            Some(&VERSION) => {}
            Some(&version) if version > VERSION => return Err(SealError::Newer(version)),
            _ => return Err(SealError::Damaged),
        }
        let (prefix, text) = sealed.split_at_checked(PREFIX).ok_or(SealError::Damaged)?;
        let (_, nonce) = prefix.split_last_chunk::<NONCE_LEN>().ok_or(SealError::Damaged)?;
        if prefix.get(1..=KEY_ID) != Some(&self.id) {
            return Err(SealError::OtherKey);
        }
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(bound(context)), &mut text)
            .map_err(|_| SealError::Damaged)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// The name of the lane for this target and token: the same for the same, and no way back.
    pub fn lane_id(&self, target: &str, token: &[u8]) -> LaneId {
        let mut context = hmac::Context::with_key(&self.lanes);
        // The length keeps (a, bc) and (ab, c) apart.
        context.update(&(target.len() as u64).to_le_bytes());
        context.update(target.as_bytes());
        context.update(token);
        let tag = context.sign();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        LaneId(id)
    }
}

/// What is authenticated beside the secret.
fn bound(context: &[u8]) -> Vec<u8> {
    [&[VERSION], context].concat()
}

fn derived(root: &hkdf::Prk, purpose: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("HKDF-SHA256 gives 32 bytes for any purpose");
    key
}

/// The bytes of a key written in hexadecimal or base64.
fn thirty_two_bytes(text: &str) -> Option<[u8; 32]> {
    if text.len() == 64 {
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return None };
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            *byte = (digit(high)? * 16 + digit(low)?) as u8;
        }
        return Some(bytes);
    }
    let mut bytes = Vec::new();
    codec::base64::decode_into(text.as_bytes(), &mut bytes).ok()?;
    bytes.try_into().ok()
}
