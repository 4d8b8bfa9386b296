//! Labels of 0.7 and attributes of 1.0.
//!
//! Owns the reading of one label or attribute, and the slow gathering of all of them for the rare
//! data point whose dimensions are not plain strings. A number or a truth value becomes its text,
//! an absent value empty text; bytes, arrays and nested lists have none and reject the data point.

use std::borrow::Cow;

use super::{Fault, is_text};
use crate::Dimension;
use crate::decode::scratch::DIMENSIONS_MAX;
use crate::wire::Reader;

/// An `AnyValue`.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// `string_value`.
    Text(&'a [u8]),
    /// `kvlist_value`.
    List(&'a [u8]),
    /// `kvlist_value` in several pieces, which are one list: `each_list` has them.
    Lists,
    Bool(bool),
    Int(i64),
    Double(f64),
    /// Bytes, an array, or a kind that is newer than this.
    Other,
    /// None was there.
    Absent,
}

/// Key and value of a `StringKeyValue`.
#[inline]
pub(super) fn label(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(body);
    // As everyone writes it: key, value, end.
    if reader.take(0x0a)
        && let Some(key) = reader.bytes()
        && reader.take(0x12)
        && let Some(value) = reader.bytes()
        && reader.is_empty()
    {
        return Some((key, value));
    }
    any_label(body)
}

/// A `StringKeyValue` in any order.
#[cold]
fn any_label(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(body);
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while !reader.is_empty() {
        match reader.tag()? {
            0x0a => key = reader.bytes()?,
            0x12 => value = reader.bytes()?,
            tag => reader.skip(tag)?,
        }
    }
    Some((key, value))
}

/// Namespace and metric name when they are the first two attributes of `rest`, in ASCII and in
/// CloudWatch's own encoding; and what follows them.
#[inline]
pub(super) fn names(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (namespace, after) = named(rest, b"\x0a\x09Namespace\x12")?;
    let (name, after) = named(after, b"\x0a\x0aMetricName\x12")?;
    // Being ASCII, no length is the first byte of a longer one.
    let both = rest.get(..rest.len() - after.len())?;
    let usable = both.is_ascii() && !namespace.is_empty() && !name.is_empty();
    usable.then_some((namespace, name, after))
}

/// The text of an attribute that begins with `key`, if each of its lengths is one byte.
#[inline]
fn named<'a>(rest: &'a [u8], key: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let [0x3a, length, body @ ..] = rest else { return None };
    let [value, 0x0a, text, after @ ..] = body.strip_prefix(key)? else { return None };
    let (text, after) = after.split_at_checked(usize::from(*text))?;
    let exact =
        usize::from(*value) == text.len() + 2 && usize::from(*length) == key.len() + text.len() + 3;
    exact.then_some((text, after))
}

/// Key and text of a `KeyValue` in the usual encoding, all lengths below 128.
#[inline]
pub(super) fn short_pair(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key, rest @ ..] = body else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*key))?;
    let [0x12, value, 0x0a, length, text @ ..] = rest else { return None };
    let exact = usize::from(*value) == text.len() + 2
        && usize::from(*length) == text.len()
        && (key.len() < 0x80) & (*value < 0x80);
    exact.then_some((key, text))
}

/// Key and value of a `KeyValue`.
#[inline]
pub(super) fn key_value(body: &[u8]) -> Option<(&[u8], Value<'_>)> {
    let mut reader = Reader::new(body);
    // As everyone writes it: key, value, end.
    if reader.take(0x0a)
        && let Some(key) = reader.bytes()
        && reader.take(0x12)
        && let Some(value) = reader.bytes()
        && reader.is_empty()
    {
        let mut value = Reader::new(value);
        if value.take(0x0a) {
            if let Some(text) = value.bytes()
                && value.is_empty()
            {
                return Some((key, Value::Text(text)));
            }
        } else if value.take(0x32)
            && let Some(list) = value.bytes()
            && value.is_empty()
        {
            return Some((key, Value::List(list)));
        }
    }
    any_key_value(body)
}

/// A `KeyValue` in any order and of any kind.
#[cold]
fn any_key_value(body: &[u8]) -> Option<(&[u8], Value<'_>)> {
    let mut reader = Reader::new(body);
    let (mut key, mut value): (&[u8], _) = (&[], Value::Absent);
    while !reader.is_empty() {
        match reader.tag()? {
            0x0a => key = reader.bytes()?,
            0x12 => value = any_value(reader.bytes()?, value)?,
            tag => reader.skip(tag)?,
        }
    }
    Some((key, value))
}

/// The value after what came `before` it: pieces of a list add up, else the last one counts.
fn any_value<'a>(body: &'a [u8], before: Value<'a>) -> Option<Value<'a>> {
    let mut reader = Reader::new(body);
    let mut value = before;
    while !reader.is_empty() {
        value = match reader.tag()? {
            0x0a => Value::Text(reader.bytes()?),
            0x10 => Value::Bool(reader.varint()? != 0),
            0x18 => Value::Int(reader.varint()?.cast_signed()),
            0x21 => Value::Double(reader.double()?),
            0x32 => match (reader.bytes()?, value) {
                (_, Value::List(_) | Value::Lists) => Value::Lists,
                (list, _) => Value::List(list),
            },
            tag => {
                reader.skip(tag)?;
                // Beside a kind that is known, what is not is passed over, as anywhere.
                match value {
                    Value::Absent => Value::Other,
                    _ if is_known(tag) => Value::Other,
                    known => known,
                }
            }
        };
    }
    Some(value)
}

/// Whether this tag is one of the kinds of value.
fn is_known(tag: u32) -> bool {
    (1..=7).contains(&(tag >> 3))
}

/// Gives `take` the pieces of the list that the `KeyValue` ends up with, one after the other, and
/// `None` where what came before does not count.
fn each_list<'a>(
    body: &'a [u8],
    mut take: impl FnMut(Option<&'a [u8]>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let tag = reader.tag().ok_or(Fault::DataPoint)?;
        if tag != 0x12 {
            reader.skip(tag).ok_or(Fault::DataPoint)?;
            continue;
        }
        let mut value = Reader::new(reader.bytes().ok_or(Fault::DataPoint)?);
        while !value.is_empty() {
            match value.tag().ok_or(Fault::DataPoint)? {
                0x32 => take(Some(value.bytes().ok_or(Fault::DataPoint)?))?,
                tag => {
                    value.skip(tag).ok_or(Fault::DataPoint)?;
                    if is_known(tag) {
                        take(None)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// All that the labels and attributes of one data point say.
pub(super) struct Gathered<'a> {
    pub(super) namespace: &'a [u8],
    pub(super) name: &'a [u8],
    entries: Vec<Entry<'a>>,
}

/// One label, attribute, or entry of `Dimensions`.
struct Entry<'a> {
    key: &'a [u8],
    value: Cow<'a, [u8]>,
    /// It is an entry of `Dimensions`, so it is a dimension whatever its name.
    nested: bool,
}

impl Gathered<'_> {
    pub(super) fn dimensions(&self) -> Vec<Dimension<'_>> {
        self.entries.iter().map(|entry| (entry.key, entry.value.as_ref())).collect()
    }
}

/// Reads the labels and attributes of the data point `body`. What attributes merely repeat of the
/// labels, as writers of proto 0.9 to 0.11 did, is taken once.
pub(super) fn gather(body: &[u8]) -> Result<Gathered<'_>, Fault> {
    let (mut labels, mut attributes) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        match reader.tag().ok_or(Fault::DataPoint)? {
            0x0a => {
                let (key, value) =
                    label(reader.bytes().ok_or(Fault::DataPoint)?).ok_or(Fault::DataPoint)?;
                labels.push(Entry { key, value: Cow::Borrowed(value), nested: false });
            }
            0x3a => {
                let content = reader.bytes().ok_or(Fault::DataPoint)?;
                let (key, value) = key_value(content).ok_or(Fault::DataPoint)?;
                match value {
                    Value::List(list) if key == b"Dimensions" => nested(list, &mut attributes)?,
                    Value::Lists if key == b"Dimensions" => {
                        let before = attributes.len();
                        each_list(content, |piece| match piece {
                            Some(list) => nested(list, &mut attributes),
                            None => {
                                attributes.truncate(before);
                                Ok(())
                            }
                        })?;
                    }
                    // As an empty list: a metric without dimensions.
                    Value::Absent if key == b"Dimensions" => {}
                    value => attributes.push(Entry { key, value: rendered(value)?, nested: false }),
                }
            }
            tag => reader.skip(tag).ok_or(Fault::DataPoint)?,
        }
        // Two more than the limit: Namespace and MetricName, which may come twice.
        if labels.len().max(attributes.len()) > DIMENSIONS_MAX + 2 {
            return Err(Fault::ManyDimensions);
        }
    }
    let mut known: Vec<(&[u8], &[u8])> =
        labels.iter().map(|entry| (entry.key, entry.value.as_ref())).collect();
    known.sort_unstable();
    attributes.retain(|entry| known.binary_search(&(entry.key, entry.value.as_ref())).is_err());
    labels.append(&mut attributes);
    take_names(labels)
}

/// Takes namespace and name out of all entries.
fn take_names(entries: Vec<Entry<'_>>) -> Result<Gathered<'_>, Fault> {
    let mut all = Gathered { namespace: &[], name: &[], entries };
    all.entries.retain(|entry| {
        let field = match (entry.nested, entry.key) {
            (false, b"Namespace") if all.namespace.is_empty() => &mut all.namespace,
            (false, b"MetricName") if all.name.is_empty() => &mut all.name,
            _ => return true,
        };
        match entry.value {
            Cow::Borrowed(text) => *field = text,
            Cow::Owned(_) => return true,
        }
        false
    });
    if all.namespace.is_empty() || all.name.is_empty() {
        return Err(Fault::NoName);
    }
    if all.entries.len() > DIMENSIONS_MAX {
        return Err(Fault::ManyDimensions);
    }
    let text = all.entries.iter().all(|entry| is_text(entry.key) && is_text(&entry.value));
    if text && is_text(all.namespace) && is_text(all.name) {
        Ok(all)
    } else {
        Err(Fault::AttributeText)
    }
}

/// The entries of `Dimensions`.
fn nested<'a>(list: &'a [u8], entries: &mut Vec<Entry<'a>>) -> Result<(), Fault> {
    let mut reader = Reader::new(list);
    while !reader.is_empty() {
        match reader.tag().ok_or(Fault::DataPoint)? {
            0x0a => {
                let content = reader.bytes().ok_or(Fault::DataPoint)?;
                let (key, value) = key_value(content).ok_or(Fault::DataPoint)?;
                entries.push(Entry { key, value: rendered(value)?, nested: true });
                if entries.len() > DIMENSIONS_MAX + 2 {
                    return Err(Fault::ManyDimensions);
                }
            }
            tag => reader.skip(tag).ok_or(Fault::DataPoint)?,
        }
    }
    Ok(())
}

/// A value as text.
fn rendered(value: Value<'_>) -> Result<Cow<'_, [u8]>, Fault> {
    let text = match value {
        Value::Text(text) => return Ok(Cow::Borrowed(text)),
        Value::Absent => return Ok(Cow::Borrowed(&[])),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) if number.is_finite() => number.to_string(),
        Value::Double(_) => return Err(Fault::NotFinite),
        Value::List(_) | Value::Lists | Value::Other => return Err(Fault::NotText),
    };
    Ok(Cow::Owned(text.into_bytes()))
}
