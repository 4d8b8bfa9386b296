//! Standard base64 with padding, as Firehose sends it.

/// The text is not standard base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not standard base64")]
pub struct NotBase64;

/// The decoded length of `text`, or an error when it is not standard padded base64.
pub fn check(text: &[u8]) -> Result<usize, NotBase64> {
    base64_simd::STANDARD.check(text).map_err(|_| NotBase64)?;
    base64_simd::STANDARD.decoded_length(text).map_err(|_| NotBase64)
}

/// Replaces the content of `out` with the decoded bytes.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NotBase64> {
    out.clear();
    let n = base64_simd::STANDARD.decoded_length(text).map_err(|_| NotBase64)?;
    out.resize(n, 0);
    base64_simd::STANDARD.decode(text, base64_simd::Out::from_slice(out)).map_err(|_| NotBase64)?;
    Ok(())
}

/// Appends the encoding of `bytes`.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let n = base64_simd::STANDARD.encoded_length(bytes.len());
    out.resize(start + n, 0);
    if let Some(space) = out.get_mut(start..) {
        let _ = base64_simd::STANDARD.encode(bytes, base64_simd::Out::from_slice(space));
    }
}
