//! Tokens of pages: opaque to callers, bound to the request that they came from.
//!
//! A token is base64 of a digest of the request (its token left out) and where the next page
//! begins. No secret and no state: a forged one leads to a page that its caller may see anyway.

use aws::api::{Fault, Value};
use codec::checksum::Hasher128;

use super::refusal;

/// Bytes of a token that are read: a metric with 30 long dimensions fits.
const TOKEN_MAX: usize = 128 * 1024;

/// What a token of this request begins with.
pub(super) fn digest(account: &str, input: &Value<'_>) -> String {
    let mut hash = Hasher128::new();
    hash.update(account.as_bytes());
    if let Value::Map(members) | Value::Table(members) = input {
        for (name, value) in members.iter().filter(|(name, _)| name != "NextToken") {
            hash.update(format!("{name}={value:?};").as_bytes());
        }
    }
    format!("{:032x}", hash.digest())
}

/// A token for the page that begins at `place`.
pub(super) fn write(digest: &str, place: &str) -> Value<'static> {
    let mut text = Vec::new();
    codec::base64::encode_into(format!("{digest}:{place}").as_bytes(), &mut text);
    Value::text(String::from_utf8_lossy(&text).into_owned())
}

/// The place in the token of the request, when it has one. `invalid` is for a token that is none.
pub(super) fn read(
    digest: &str,
    input: &Value<'_>,
    invalid: fn() -> Fault,
) -> Result<Option<String>, Fault> {
    let Some(token) = input.text_of("NextToken")? else { return Ok(None) };
    let mut bytes = Vec::new();
    let decoded = token.len() <= TOKEN_MAX
        && codec::base64::decode_into(token.as_bytes(), &mut bytes).is_ok();
    let text = if decoded { String::from_utf8(bytes).ok() } else { None };
    let (of, place) = text.as_deref().and_then(|text| text.split_once(':')).ok_or_else(invalid)?;
    if of != digest {
        return Err(invalid());
    }
    Ok(Some(place.to_owned()))
}

/// The same where the API has a name for it.
pub(super) fn place(digest: &str, input: &Value<'_>) -> Result<Option<String>, Fault> {
    read(digest, input, refusal::token)
}
