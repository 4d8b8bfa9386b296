//! JSON in any layout: white space, other orders of keys, escapes, unknown keys, several lines.
//!
//! Owns the meaning of the keys and the judgement of what is missing or wrong; `json` reads the one
//! common layout faster. An object with the keys of CloudWatch Logs is told apart, since that is the
//! usual mistake. Numbers must be numbers: text in their place is a sign of another format.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Visit;
use super::json::Values;
use super::scratch::{DIMENSIONS_MAX, EXTRA_MAX, Scratch};
use crate::{Extra, Point, Reason, Source, Statistic, Unit};

/// What is said about a CloudWatch Logs record.
pub(super) const LOGS_DETAIL: &str =
    "CloudWatch Logs data: subscribe the log group to a delivery stream of its own";

/// Why an object gave no point.
pub(super) enum Fault {
    /// It is not JSON, or a value has the wrong type. Where it ends is not known.
    Syntax {
        /// What the parser says.
        detail: String,
        /// Bytes beyond the object's first line that were looked at in vain.
        looked_at: usize,
    },
    /// It is JSON that means something else.
    Meaning {
        /// Bytes of the object.
        length: usize,
        reason: Reason,
        detail: String,
    },
}

/// Instants that are taken, in nanoseconds: from the first millisecond of 1970, since zero means
/// that there is none, to what fits a signed 64-bit number, in the year 2262.
pub(super) const INSTANTS_NS: RangeInclusive<u64> = 1_000_000..=i64::MAX as u64;

/// An instant in nanoseconds; `None` for zero and past the year 2262.
#[inline]
pub(super) fn instant_ns(timestamp_ms: u64) -> Option<u64> {
    timestamp_ms.checked_mul(1_000_000).filter(|ns| INSTANTS_NS.contains(ns))
}

/// Text that is borrowed unless it held escapes.
struct Text<'a>(Cow<'a, str>);

/// The object, as it comes.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    metric_stream_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    account_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    region: Option<Text<'a>>,
    #[serde(borrow, default)]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    metric_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    dimensions: Option<Entries<'a, Option<Text<'a>>>>,
    #[serde(default)]
    timestamp: Option<serde_json::Number>,
    #[serde(borrow, default)]
    value: Option<Entries<'a, Option<f64>>>,
    #[serde(borrow, default)]
    unit: Option<Text<'a>>,
    #[serde(default, rename = "messageType")]
    message_type: Option<IgnoredAny>,
    #[serde(default, rename = "logGroup")]
    log_group: Option<IgnoredAny>,
    #[serde(default, rename = "logEvents")]
    log_events: Option<IgnoredAny>,
}

/// The entries of an object in their order, whatever their keys.
struct Entries<'a, T>(Vec<(Text<'a>, T)>);

/// Decodes the object at the start of `rest` and shows its point; returns what follows it.
pub(super) fn object<'a, V: Visit>(
    rest: &'a [u8],
    scratch: &mut Scratch<'a>,
    visit: &mut V,
) -> Result<&'a [u8], Fault> {
    let mut objects = serde_json::Deserializer::from_slice(rest).into_iter::<Object<'a>>();
    let object = match objects.next() {
        Some(Ok(object)) => object,
        Some(Err(error)) => {
            let looked_at = beyond_first_line(rest, error.line());
            return Err(Fault::Syntax { detail: error.to_string(), looked_at });
        }
        None => return Err(Fault::Syntax { detail: "no object".to_owned(), looked_at: 0 }),
    };
    let length = objects.byte_offset();
    let mut lists: Scratch<'_> = std::mem::take(scratch);
    let shown = show(&object, &mut lists, visit);
    *scratch = lists.recycle();
    shown.map_err(|(reason, detail)| Fault::Meaning { length, reason, detail })?;
    Ok(after_object(rest, length))
}

/// What follows an object of `length` bytes and the line feed behind it.
pub(super) fn after_object(rest: &[u8], length: usize) -> &[u8] {
    let mut after = rest.get(length..).unwrap_or(&[]);
    while let [b' ' | b'\t' | b'\r', tail @ ..] = after {
        after = tail;
    }
    after.strip_prefix(b"\n").unwrap_or(after)
}

/// Bytes between the first line feed and the line where a parser gave up.
fn beyond_first_line(rest: &[u8], lines: usize) -> usize {
    if lines < 2 {
        return 0;
    }
    memchr::memchr_iter(b'\n', rest).nth(lines - 1).unwrap_or(rest.len())
}

/// Shows the point that `object` means.
fn show<'o, V: Visit>(
    object: &'o Object<'_>,
    lists: &mut Scratch<'o>,
    visit: &mut V,
) -> Result<(), (Reason, String)> {
    let namespace = text(object.namespace.as_ref());
    let name = text(object.metric_name.as_ref());
    if namespace.is_empty() || name.is_empty() {
        return Err(nameless(object));
    }
    let values = lists_of(object, lists).map_err(|detail| (Reason::MalformedJson, detail))?;
    let start_ns = object
        .timestamp
        .as_ref()
        .ok_or_else(|| "no timestamp".to_owned())
        .and_then(instant)
        .map_err(|detail| (Reason::MalformedJson, detail))?;
    visit.point(&Point {
        stream: text(object.metric_stream_name.as_ref()),
        exporter_arn: &[],
        account: text(object.account_id.as_ref()),
        region: text(object.region.as_ref()),
        namespace,
        name,
        dimensions: &lists.dimensions,
        attributes: &[],
        unit: Unit::parse(text(object.unit.as_ref())),
        start_ns,
        end_ns: None,
        min: values.min,
        max: values.max,
        sum: values.sum,
        count: values.count.unwrap_or(0.0),
        extra: &lists.extra,
        source: Source::Json,
    });
    Ok(())
}

/// What an object without namespace or name is.
fn nameless(object: &Object<'_>) -> (Reason, String) {
    let log_keys = object.log_group.is_some() || object.log_events.is_some();
    if object.message_type.is_some() && log_keys {
        return (Reason::CloudWatchLogs, LOGS_DETAIL.to_owned());
    }
    match (&object.namespace, &object.metric_name) {
        (None, _) => (Reason::MalformedJson, "no namespace".to_owned()),
        (_, None) => (Reason::MalformedJson, "no metric_name".to_owned()),
        _ => (Reason::MissingName, "namespace or metric_name is empty".to_owned()),
    }
}

/// Fills the lists of the point; the error says what is wrong.
fn lists_of<'o>(object: &'o Object<'_>, lists: &mut Scratch<'o>) -> Result<Values, String> {
    lists.dimensions.clear();
    lists.extra.clear();
    let dimensions = object.dimensions.as_ref().map_or(&[][..], |entries| &entries.0);
    let statistics = object.value.as_ref().map_or(&[][..], |entries| &entries.0);
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(format!("{} dimensions, at most {DIMENSIONS_MAX} are taken", dimensions.len()));
    }
    for (name, value) in dimensions {
        // Left out, it would make the point one of another series.
        let value = value.as_ref().ok_or_else(|| format!("dimension \"{}\" is null", name.0))?;
        lists.dimensions.push((bytes(name), bytes(value)));
    }
    // Left out, a statistic costs itself only: what null stands for is that there is none.
    let mut statistics =
        statistics.iter().filter_map(|(key, value)| Some((key, (*value)?))).peekable();
    if statistics.peek().is_none() {
        return Err("value holds no statistic".to_owned());
    }
    let mut values = Values::default();
    for (key, value) in statistics {
        let slot = match bytes(key) {
            b"max" => &mut values.max,
            b"min" => &mut values.min,
            b"sum" => &mut values.sum,
            b"count" => &mut values.count,
            name if lists.extra.len() < EXTRA_MAX => {
                lists.extra.push(Extra { statistic: Statistic::Named(name), value });
                continue;
            }
            _ => return Err(format!("more than {EXTRA_MAX} additional statistics")),
        };
        if slot.replace(value).is_some() {
            return Err(format!("value holds \"{}\" twice", key.0));
        }
    }
    Ok(values)
}

/// The timestamp as an instant: whole milliseconds, after 1970 began and up to 2262.
fn instant(timestamp: &serde_json::Number) -> Result<u64, String> {
    // 2^53 milliseconds are past the year 2262, so every instant taken is exact as an `f64`.
    let whole = timestamp.as_f64().filter(|ms| ms.fract() == 0.0 && (0.0..9e15).contains(ms));
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    #[expect(clippy::cast_sign_loss, reason = "not negative")]
    let milliseconds = timestamp.as_u64().or(whole.map(|ms| ms as u64));
    milliseconds
        .and_then(instant_ns)
        .ok_or_else(|| format!("timestamp {timestamp} is no instant in milliseconds"))
}

fn text<'o>(field: Option<&'o Text<'_>>) -> &'o [u8] {
    field.map_or(&[], bytes)
}

fn bytes<'o>(text: &'o Text<'_>) -> &'o [u8] {
    text.0.as_bytes()
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Entries<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<'de, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}
