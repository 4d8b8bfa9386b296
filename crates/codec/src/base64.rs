//! Standard base64 with padding, as Firehose sends it.
//!
//! Always: strict. White space, the URL alphabet, missing padding and stray bits in the last
//! character are errors, because a record that was changed on its way must be seen at the door.

use base64_simd::STANDARD;

#[cfg(test)]
mod tests;

/// The text is not standard base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not standard base64")]
pub struct NotBase64;

/// The decoded length of `text`, or an error when it is not standard padded base64.
pub fn check(text: &[u8]) -> Result<usize, NotBase64> {
    STANDARD.check(text).map_err(|_| NotBase64)?;
    STANDARD.decoded_length(text).map_err(|_| NotBase64)
}

/// Replaces the content of `out` with the decoded bytes. On failure `out` is empty.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NotBase64> {
    out.clear();
    // Writes into the spare capacity, so nothing is zeroed first.
    STANDARD.decode_append(text, out).map_err(|_| NotBase64)
}

/// Appends the decoded bytes to `out`, which a failure leaves as it was.
pub fn decode_append(text: &[u8], out: &mut Vec<u8>) -> Result<(), NotBase64> {
    STANDARD.decode_append(text, out).map_err(|_| NotBase64)
}

/// Appends the encoding of `bytes`.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    STANDARD.encode_append(bytes, out);
}
