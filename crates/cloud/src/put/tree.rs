//! The call as a tree, which the query protocol makes of a form.

use std::borrow::Cow;

use aws::api::{Fault, Value, ValueFault};

use super::{Attribute, Datum, Entity, EntityData, PutMetricData};

pub(super) fn read(input: &Value<'_>) -> Result<PutMetricData<'static>, Fault> {
    let mut put = PutMetricData {
        namespace: text(input, "Namespace")?,
        strict: input.bool_of("StrictEntityValidation")?,
        ..PutMetricData::default()
    };
    put.data = data(input, "")?;
    for (index, given) in input.list_of("EntityMetricData")?.iter().enumerate() {
        let place = format!("EntityMetricData.member.{}.", index + 1);
        put.entities.push(EntityData {
            entity: given.get("Entity").map(|given| entity(given, &place)).transpose()?,
            data: data(given, &place)?,
        });
    }
    Ok(put)
}

/// `MetricData`; a fault says where.
fn data(given: &Value<'_>, place: &str) -> Result<Vec<Datum<'static>>, Fault> {
    let mut data = Vec::new();
    for (index, given) in given.list_of("MetricData")?.iter().enumerate() {
        let place = format!("{place}MetricData.member.{}.", index + 1);
        data.push(datum(given).map_err(|fault| within(&place, fault))?);
    }
    Ok(data)
}

fn within(place: &str, fault: ValueFault) -> ValueFault {
    ValueFault { member: format!("{place}{}", fault.member), ..fault }
}

fn entity(given: &Value<'_>, place: &str) -> Result<Entity<'static>, ValueFault> {
    let pairs = |name: &str| match given.get(name) {
        None => Ok(Vec::new()),
        // Query says that a map is empty by an empty text.
        Some(Value::Text(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::Table(pairs)) => Ok(pairs.iter().filter_map(pair).collect()),
        Some(_) => Err(ValueFault { member: format!("{place}Entity.{name}"), expected: "a map" }),
    };
    Ok(Entity { key_attributes: pairs("KeyAttributes")?, attributes: pairs("Attributes")? })
}

fn pair((key, value): &(Cow<'_, str>, Value<'_>)) -> Option<Attribute<'static>> {
    Some((Cow::Owned(key.to_string()), Cow::Owned(value.as_text()?.to_owned())))
}

fn datum(given: &Value<'_>) -> Result<Datum<'static>, ValueFault> {
    let mut dimensions = Vec::new();
    for dimension in given.list_of("Dimensions")? {
        dimensions.push((text(dimension, "Name")?, text(dimension, "Value")?));
    }
    let set = given.get("StatisticValues").map(set).transpose();
    Ok(Datum {
        name: text(given, "MetricName")?,
        dimensions,
        timestamp: given.time_of("Timestamp")?,
        value: given.number_of("Value")?,
        values: numbers(given, "Values")?,
        counts: numbers(given, "Counts")?,
        set: set.map_err(|fault| within("StatisticValues.", fault))?,
        unit: text(given, "Unit")?,
        resolution: given.integer_of("StorageResolution")?,
    })
}

fn set(given: &Value<'_>) -> Result<[Option<f64>; 4], ValueFault> {
    Ok([
        given.number_of("SampleCount")?,
        given.number_of("Sum")?,
        given.number_of("Minimum")?,
        given.number_of("Maximum")?,
    ])
}

fn text(from: &Value<'_>, name: &str) -> Result<Option<Cow<'static, str>>, ValueFault> {
    Ok(from.text_of(name)?.map(|text| Cow::Owned(text.to_owned())))
}

fn numbers(from: &Value<'_>, name: &str) -> Result<Vec<f64>, ValueFault> {
    let wrong = || ValueFault { member: name.to_owned(), expected: "numbers" };
    let list = from.list_of(name)?.iter();
    list.map(|value| value.as_number().ok_or_else(wrong)).collect()
}
