//! A value of any protocol: what control-plane operations read and write.
//!
//! Owns the conversions that differ between protocols: query has only texts, JSON has no bytes and
//! no times. Reading is by what the operation expects, so that `"60"`, `60` and `60.0` are one number.

use std::borrow::Cow;

/// A value. Maps keep the order in which members came or are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Absent, said aloud.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any number.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes: base64 in JSON and query.
    Blob(Cow<'a, [u8]>),
    /// Seconds since the epoch.
    Time(f64),
    /// A list.
    List(Vec<Value<'a>>),
    /// Named members of a structure.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// A map whose keys are data; XML writes it otherwise than a structure.
    Table(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// A member that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: expected {expected}")]
pub struct ValueFault {
    /// Name of the member.
    pub member: String,
    /// What it must be.
    pub expected: &'static str,
}

impl<'a> Value<'a> {
    /// A map of these members, without those that are absent.
    pub fn map<const N: usize>(members: [(&'static str, Option<Value<'a>>); N]) -> Value<'a> {
        let given = members.into_iter().filter_map(|(name, value)| {
            let value = value?;
            Some((Cow::Borrowed(name), value))
        });
        Value::Map(given.collect())
    }

    /// A text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value::Text(text.into())
    }

    /// A member of a map; `None` also for null and for what is no map.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let (Value::Map(members) | Value::Table(members)) = self else { return None };
        let (_, value) = members.iter().find(|(key, _)| key == name)?;
        (*value != Value::Null).then_some(value)
    }

    /// A text member.
    pub fn text_of(&self, name: &str) -> Result<Option<&str>, ValueFault> {
        self.get(name)
            .map(|value| value.as_text().ok_or_else(|| fault(name, "a string")))
            .transpose()
    }

    /// A number member.
    pub fn number_of(&self, name: &str) -> Result<Option<f64>, ValueFault> {
        self.get(name)
            .map(|value| value.as_number().ok_or_else(|| fault(name, "a number")))
            .transpose()
    }

    /// A whole number member.
    pub fn integer_of(&self, name: &str) -> Result<Option<i64>, ValueFault> {
        let read = |value: &Value<'_>| value.as_integer().ok_or_else(|| fault(name, "an integer"));
        self.get(name).map(read).transpose()
    }

    /// A boolean member.
    pub fn bool_of(&self, name: &str) -> Result<Option<bool>, ValueFault> {
        let read = |value: &Value<'_>| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Text(text) if text == "true" => Ok(true),
            Value::Text(text) if text == "false" => Ok(false),
            _ => Err(fault(name, "a boolean")),
        };
        self.get(name).map(read).transpose()
    }

    /// A list member; absent and empty are the same.
    pub fn list_of(&self, name: &str) -> Result<&[Value<'a>], ValueFault> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::List(items)) => Ok(items),
            // Query cannot say that a list is empty but by an empty text.
            Some(Value::Text(text)) if text.is_empty() => Ok(&[]),
            Some(_) => Err(fault(name, "a list")),
        }
    }

    /// A list member whose elements are structures; none when absent. An element that is null, or empty
    /// in query, is one without members.
    pub fn structures_of(&self, name: &str) -> Result<&[Value<'a>], ValueFault> {
        let given = self.list_of(name)?;
        let is_other = |one: &Value<'_>| match one {
            Value::Map(_) | Value::Table(_) | Value::Null => false,
            Value::Text(text) => !text.is_empty(),
            _ => true,
        };
        match given.iter().position(is_other) {
            Some(at) => Err(fault(&format!("{name}.member.{}", at + 1), "a structure")),
            None => Ok(given),
        }
    }

    /// A time member, seconds since the epoch.
    pub fn time_of(&self, name: &str) -> Result<Option<f64>, ValueFault> {
        let read = |value: &Value<'_>| value.as_time().ok_or_else(|| fault(name, "a timestamp"));
        self.get(name).map(read).transpose()
    }

    /// A text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number; SDKs write whole ones as integers, and NaN in JSON as a text.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) | Value::Time(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A whole number.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(*number as i64)
            }
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A time: a number of seconds, or ISO 8601 as query and some JSON clients write it.
    pub fn as_time(&self) -> Option<f64> {
        match self {
            Value::Time(seconds) | Value::Float(seconds) => Some(*seconds),
            Value::Int(seconds) => Some(*seconds as f64),
            Value::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| iso_seconds(text))
            }
            _ => None,
        }
    }
}

fn fault(member: &str, expected: &'static str) -> ValueFault {
    ValueFault { member: member.to_owned(), expected }
}

/// `2026-11-20T12:34:56.789Z`, also with an offset or without one (then it is UTC).
fn iso_seconds(text: &str) -> Option<f64> {
    let instant: jiff::Timestamp = text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(instant.as_nanosecond() as f64 / 1e9)
}
