//! OTLP in JSON: lower camel case, 64-bit numbers as text or numbers, enums as numbers.

use serde::de::{Deserialize, Deserializer, Error};

use super::message::Request;

/// Reads a request. The error says what is wrong and where.
pub fn read(body: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(body).map_err(|fault| fault.to_string())
}

/// A 64-bit number: as text, as the specification writes it, or as a number, which it allows.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Wide {
    Text(String),
    Unsigned(u64),
    Signed(i64),
}

impl Wide {
    fn unsigned<E: Error>(self) -> Result<u64, E> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Wide::Text(text) if digits(&text) => text.parse().map_err(E::custom),
            Wide::Unsigned(value) => Ok(value),
            Wide::Text(text) => Err(E::custom(format!("'{text}' is no unsigned number"))),
            Wide::Signed(value) => Err(E::custom(format!("{value} is no unsigned number"))),
        }
    }

    fn signed<E: Error>(self) -> Result<i64, E> {
        match self {
            Wide::Text(text) => text.parse().map_err(E::custom),
            Wide::Unsigned(value) => i64::try_from(value).map_err(E::custom),
            Wide::Signed(value) => Ok(value),
        }
    }
}

pub(super) fn fixed<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Wide::deserialize(from)?.unsigned()
}

pub(super) fn fixed_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
    Vec::<Wide>::deserialize(from)?.into_iter().map(Wide::unsigned).collect()
}

pub(super) fn signed<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    Wide::deserialize(from)?.signed()
}

pub(super) fn maybe_signed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Option::<Wide>::deserialize(from)?.map(Wide::signed).transpose()
}

pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    let mut out = Vec::new();
    codec::base64::decode_into(text.as_bytes(), &mut out).map_err(D::Error::custom)?;
    Ok(out)
}
