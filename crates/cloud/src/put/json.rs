//! The call in JSON.

use std::borrow::Cow;
use std::fmt;

use aws::api::Fault;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::{Datum, Dimension, PutMetricData};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given<'a> {
    #[serde(borrow, default)]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    metric_data: Option<Vec<GivenDatum<'a>>>,
    #[serde(borrow, default)]
    entity_metric_data: Option<Vec<GivenEntity<'a>>>,
    strict_entity_validation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenEntity<'a> {
    #[serde(borrow, default)]
    metric_data: Option<Vec<GivenDatum<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenDatum<'a> {
    #[serde(borrow, default)]
    metric_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    dimensions: Option<Vec<GivenDimension<'a>>>,
    #[serde(default)]
    timestamp: Option<Time>,
    #[serde(default)]
    value: Option<Number>,
    #[serde(default)]
    values: Option<Vec<Number>>,
    #[serde(default)]
    counts: Option<Vec<Number>>,
    #[serde(default)]
    statistic_values: Option<GivenSet>,
    #[serde(borrow, default)]
    unit: Option<Text<'a>>,
    #[serde(default)]
    storage_resolution: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenDimension<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenSet {
    #[serde(default)]
    sample_count: Option<Number>,
    #[serde(default)]
    sum: Option<Number>,
    #[serde(default)]
    minimum: Option<Number>,
    #[serde(default)]
    maximum: Option<Number>,
}

/// A text, borrowed when nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct Words<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Words<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Words(std::marker::PhantomData))
    }
}

/// A number; what is none comes as a text.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "NaN" => Ok(Number(f64::NAN)),
                    "Infinity" => Ok(Number(f64::INFINITY)),
                    "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

/// Seconds since the epoch, or ISO 8601.
struct Time(f64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let value = aws::api::Value::deserialize(deserializer)?;
        value.as_time().map(Time).ok_or_else(|| D::Error::custom("a timestamp was expected"))
    }
}

pub(super) fn read(body: &[u8]) -> Result<PutMetricData<'_>, Fault> {
    if body.is_empty() {
        return Ok(PutMetricData::default());
    }
    let given: Given<'_> = serde_json::from_slice(body).map_err(Fault::serialization)?;
    let entities = given.entity_metric_data.unwrap_or_default();
    let count = entities.len();
    let entity_data = entities.into_iter().flat_map(|e| e.metric_data.unwrap_or_default());
    Ok(PutMetricData {
        namespace: given.namespace.map(|text| text.0),
        data: given.metric_data.unwrap_or_default().into_iter().map(datum).collect(),
        entity_data: entity_data.map(datum).collect(),
        entities: count,
        strict: given.strict_entity_validation,
    })
}

fn datum(given: GivenDatum<'_>) -> Datum<'_> {
    let numbers = |list: Option<Vec<Number>>| {
        list.unwrap_or_default().into_iter().map(|number| number.0).collect()
    };
    let number = |number: Option<Number>| number.map(|number| number.0);
    Datum {
        name: given.metric_name.map(|text| text.0),
        dimensions: given.dimensions.unwrap_or_default().into_iter().map(pair).collect(),
        timestamp: given.timestamp.map(|time| time.0),
        value: number(given.value),
        values: numbers(given.values),
        counts: numbers(given.counts),
        set: given.statistic_values.map(|set| {
            [number(set.sample_count), number(set.sum), number(set.minimum), number(set.maximum)]
        }),
        unit: given.unit.map(|text| text.0),
        resolution: given.storage_resolution,
    }
}

fn pair(given: GivenDimension<'_>) -> Dimension<'_> {
    (given.name.map(|text| text.0), given.value.map(|text| text.0))
}
