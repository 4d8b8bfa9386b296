//! The call in JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use aws::api::Fault;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Attribute, Datum, Dimension, Entity, EntityData, PutMetricData};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given<'a> {
    #[serde(borrow, default)]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    metric_data: Option<Vec<Members<GivenDatum<'a>>>>,
    #[serde(borrow, default)]
    entity_metric_data: Option<Vec<Members<GivenEntityData<'a>>>>,
    strict_entity_validation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenEntityData<'a> {
    #[serde(borrow, default)]
    entity: Option<Members<GivenEntity<'a>>>,
    #[serde(borrow, default)]
    metric_data: Option<Vec<Members<GivenDatum<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenEntity<'a> {
    #[serde(borrow, default)]
    key_attributes: Option<Attributes<'a>>,
    #[serde(borrow, default)]
    attributes: Option<Attributes<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenDatum<'a> {
    #[serde(borrow, default)]
    metric_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    dimensions: Option<Vec<Members<GivenDimension<'a>>>>,
    #[serde(default)]
    timestamp: Option<Time>,
    #[serde(default)]
    value: Option<Number>,
    #[serde(default)]
    values: Option<Vec<Number>>,
    #[serde(default)]
    counts: Option<Vec<Number>>,
    #[serde(default)]
    statistic_values: Option<Members<GivenSet>>,
    #[serde(borrow, default)]
    unit: Option<Text<'a>>,
    #[serde(default)]
    storage_resolution: Option<Whole>,
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

/// A structure by the names of its members. What is derived would take a list of them too, in an
/// order that nobody promises.
struct Members<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<T>, D::Error> {
        struct Named<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Named<T> {
            type Value = Members<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a structure")
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Members<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Members)
            }
        }
        deserializer.deserialize_map(Named(PhantomData))
    }
}

/// A map of texts, in the order it came.
struct Attributes<'a>(Vec<Attribute<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Attributes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Attributes<'a>, D::Error> {
        struct Pairs<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Pairs<'a> {
            type Value = Attributes<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'a>, Option<Text<'a>>>()? {
                    pairs.extend(value.map(|value| (key.0, value.0)));
                }
                Ok(Attributes(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

/// A text, borrowed when nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct Words<'a>(PhantomData<&'a ()>);
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
        deserializer.deserialize_str(Words(PhantomData))
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

/// A whole number, with a fraction of zero or without one.
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        let Number(number) = Number::deserialize(deserializer)?;
        if number.fract() != 0.0 {
            return Err(D::Error::custom("a whole number was expected"));
        }
        Ok(Whole(number as i64))
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
    let given: Members<Given<'_>> = serde_json::from_slice(body).map_err(Fault::serialization)?;
    let given = given.0;
    let entities = given.entity_metric_data.unwrap_or_default().into_iter();
    Ok(PutMetricData {
        namespace: given.namespace.map(|text| text.0),
        data: data(given.metric_data),
        entities: entities.map(|given| entity_data(given.0)).collect(),
        strict: given.strict_entity_validation,
    })
}

fn data(given: Option<Vec<Members<GivenDatum<'_>>>>) -> Vec<Datum<'_>> {
    given.unwrap_or_default().into_iter().map(|given| datum(given.0)).collect()
}

fn entity_data(given: GivenEntityData<'_>) -> EntityData<'_> {
    let entity = given.entity.map(|Members(entity)| Entity {
        key_attributes: pairs(entity.key_attributes),
        attributes: pairs(entity.attributes),
    });
    EntityData { entity, data: data(given.metric_data) }
}

fn pairs(map: Option<Attributes<'_>>) -> Vec<Attribute<'_>> {
    map.map(|map| map.0).unwrap_or_default()
}

fn datum(given: GivenDatum<'_>) -> Datum<'_> {
    let numbers = |list: Option<Vec<Number>>| {
        list.unwrap_or_default().into_iter().map(|number| number.0).collect()
    };
    let number = |number: Option<Number>| number.map(|number| number.0);
    Datum {
        name: given.metric_name.map(|text| text.0),
        dimensions: given
            .dimensions
            .unwrap_or_default()
            .into_iter()
            .map(|given| pair(given.0))
            .collect(),
        timestamp: given.timestamp.map(|time| time.0),
        value: number(given.value),
        values: numbers(given.values),
        counts: numbers(given.counts),
        set: given.statistic_values.map(|Members(set)| {
            [number(set.sample_count), number(set.sum), number(set.minimum), number(set.maximum)]
        }),
        unit: given.unit.map(|text| text.0),
        resolution: given.storage_resolution.map(|whole| whole.0),
    }
}

fn pair(given: GivenDimension<'_>) -> Dimension<'_> {
    (given.name.map(|text| text.0), given.value.map(|text| text.0))
}
