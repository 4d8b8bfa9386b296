//! `X-Amz-Firehose-Common-Attributes`: `{"commonAttributes":{"name":"value"}}`.
//!
//! Always: the order of the header is kept, a name that comes twice is kept twice. Any number is
//! taken: AWS allows 50, and the limit on header bytes bounds them already. Errors name keys, never
//! values: people put tokens there.
//!
//! Not here: what an attribute means.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json;

#[cfg(test)]
mod tests;

/// The key of the wrapped form.
const WRAPPER: &str = "commonAttributes";

/// Why the header was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("common attributes: {0}")]
pub struct AttributesError(pub String);

/// The attributes in order. Takes the wrapped form, the bare object, and the wrapped form without
/// its outer braces, as AWS's own example prints it. An empty header holds none.
pub fn parse(header: &[u8]) -> Result<Vec<(String, String)>, AttributesError> {
    let trimmed = header.trim_ascii();
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    let top = if trimmed.starts_with(b"\"") {
        members(&[b"{", trimmed, b"}"].concat())?
    } else {
        members(trimmed)?
    };
    let attributes = match top.as_slice() {
        [(key, Value::Members(_))] if key == WRAPPER => match top.into_iter().next() {
            Some((_, Value::Members(inner))) => inner,
            _ => Vec::new(),
        },
        _ => top,
    };
    attributes.into_iter().map(text_member).collect()
}

/// The header for these attributes, in printable ASCII.
pub fn format(attributes: &[(String, String)]) -> String {
    let mut out = Vec::from(b"{\"commonAttributes\":{".as_slice());
    for (index, (name, value)) in attributes.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::ascii_string(name, &mut out);
        out.push(b':');
        json::ascii_string(value, &mut out);
    }
    out.extend_from_slice(b"}}");
    out.into_iter().map(char::from).collect()
}

fn text_member((key, value): (String, Value)) -> Result<(String, String), AttributesError> {
    match value {
        Value::Text(text) => Ok((key, text)),
        Value::Members(_) | Value::Other => {
            Err(AttributesError(format!("the value of `{key}` is not a string")))
        }
    }
}

fn members(bytes: &[u8]) -> Result<Vec<(String, Value)>, AttributesError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = reader.deserialize_any(ValueVisitor).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    match value {
        Ok(Value::Members(members)) => Ok(members),
        Ok(_) => Err(AttributesError("expected a JSON object".to_owned())),
        // Serde's own text would quote what it found.
        Err(error) => {
            let what = if error.is_eof() { "the JSON is cut short" } else { "not valid JSON" };
            Err(AttributesError(format!("{what} at column {}", error.column())))
        }
    }
}

/// A JSON value as far as attributes need it.
enum Value {
    Text(String),
    Members(Vec<(String, Value)>),
    Other,
}

struct ValueVisitor;

impl<'de> serde::de::DeserializeSeed<'de> for ValueVisitor {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            members.push((key, map.next_value_seed(ValueVisitor)?));
        }
        Ok(Value::Members(members))
    }
}
