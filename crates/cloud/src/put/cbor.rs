//! The call in CBOR, read without a tree.

use std::borrow::Cow;

use aws::api::cbor::{CborFault, Item, Reader};

use super::{Attribute, Datum, Dimension, EntityData, PutMetricData};

pub(super) fn read(body: &[u8]) -> Result<PutMetricData<'_>, CborFault> {
    let mut put = PutMetricData::default();
    if body.is_empty() {
        return Ok(put);
    }
    let mut reader = Reader::new(body);
    members(&mut reader, |reader, name| match name {
        "Namespace" => {
            put.namespace = text(reader)?;
            Ok(())
        }
        "MetricData" => list(reader, |reader| {
            put.data.push(datum(reader)?);
            Ok(())
        }),
        "EntityMetricData" => list(reader, |reader| {
            put.entities.push(entity_data(reader)?);
            Ok(())
        }),
        "StrictEntityValidation" => {
            put.strict = match reader.item()? {
                Item::Bool(flag) => Some(flag),
                Item::Null => None,
                _ => return Err(reader.fault("StrictEntityValidation must be a boolean")),
            };
            Ok(())
        }
        _ => reader.skip(),
    })?;
    if reader.position() == body.len() { Ok(put) } else { Err(reader.fault("more after the end")) }
}

fn entity_data<'a>(reader: &mut Reader<'a>) -> Result<EntityData<'a>, CborFault> {
    let mut given = EntityData::default();
    members(reader, |reader, name| match name {
        "Entity" => {
            let entity = given.entity.get_or_insert_default();
            members(reader, |reader, name| match name {
                "KeyAttributes" => attributes(reader, &mut entity.key_attributes),
                "Attributes" => attributes(reader, &mut entity.attributes),
                _ => reader.skip(),
            })
        }
        "MetricData" => list(reader, |reader| {
            given.data.push(datum(reader)?);
            Ok(())
        }),
        _ => reader.skip(),
    })?;
    Ok(given)
}

fn attributes<'a>(reader: &mut Reader<'a>, into: &mut Vec<Attribute<'a>>) -> Result<(), CborFault> {
    members(reader, |reader, name| {
        let content = text(reader)?;
        into.extend(content.map(|content| (Cow::Owned(name.to_owned()), content)));
        Ok(())
    })
}

fn datum<'a>(reader: &mut Reader<'a>) -> Result<Datum<'a>, CborFault> {
    let mut datum = Datum::default();
    members(reader, |reader, name| {
        match name {
            "MetricName" => datum.name = text(reader)?,
            "Unit" => datum.unit = text(reader)?,
            "Timestamp" => datum.timestamp = number(reader)?,
            "Value" => datum.value = number(reader)?,
            "Values" => numbers(reader, &mut datum.values)?,
            "Counts" => numbers(reader, &mut datum.counts)?,
            "StorageResolution" => datum.resolution = whole(reader)?,
            "StatisticValues" => datum.set = Some(set(reader)?),
            "Dimensions" => list(reader, |reader| {
                datum.dimensions.push(dimension(reader)?);
                Ok(())
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(datum)
}

fn dimension<'a>(reader: &mut Reader<'a>) -> Result<Dimension<'a>, CborFault> {
    let mut dimension = (None, None);
    members(reader, |reader, name| {
        match name {
            "Name" => dimension.0 = text(reader)?,
            "Value" => dimension.1 = text(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(dimension)
}

fn set(reader: &mut Reader<'_>) -> Result<[Option<f64>; 4], CborFault> {
    let [mut count, mut sum, mut minimum, mut maximum] = [None; 4];
    members(reader, |reader, name| {
        match name {
            "SampleCount" => count = number(reader)?,
            "Sum" => sum = number(reader)?,
            "Minimum" => minimum = number(reader)?,
            "Maximum" => maximum = number(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok([count, sum, minimum, maximum])
}

fn numbers(reader: &mut Reader<'_>, into: &mut Vec<f64>) -> Result<(), CborFault> {
    list(reader, |reader| {
        let number = number(reader)?.ok_or(reader.fault("a number was expected"))?;
        into.push(number);
        Ok(())
    })
}

/// Calls `each` with the name of every member of the map that begins here; null is an empty map.
fn members<'a>(
    reader: &mut Reader<'a>,
    mut each: impl FnMut(&mut Reader<'a>, &str) -> Result<(), CborFault>,
) -> Result<(), CborFault> {
    let mut left = match reader.item()? {
        Item::Map(length) => length,
        Item::Null => return Ok(()),
        _ => return Err(reader.fault("a structure was expected")),
    };
    while !reader.done(&mut left)? {
        match reader.member_name()? {
            Cow::Borrowed(name) => each(reader, name)?,
            Cow::Owned(name) => each(reader, &name)?,
        }
    }
    Ok(())
}

/// Calls `each` at every item of the list that begins here; null is an empty list.
fn list<'a>(
    reader: &mut Reader<'a>,
    mut each: impl FnMut(&mut Reader<'a>) -> Result<(), CborFault>,
) -> Result<(), CborFault> {
    let mut left = match reader.item()? {
        Item::List(length) => length,
        Item::Null => return Ok(()),
        _ => return Err(reader.fault("a list was expected")),
    };
    while !reader.done(&mut left)? {
        each(reader)?;
    }
    Ok(())
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, CborFault> {
    match reader.value()? {
        aws::api::Value::Text(text) => Ok(Some(text)),
        aws::api::Value::Null => Ok(None),
        _ => Err(reader.fault("a text was expected")),
    }
}

/// A number, a tagged time, or nothing.
fn number(reader: &mut Reader<'_>) -> Result<Option<f64>, CborFault> {
    let mut item = reader.item()?;
    if matches!(item, Item::Tag(_)) {
        item = reader.item()?;
    }
    match item {
        Item::Int(number) => Ok(Some(number as f64)),
        Item::Float(number) => Ok(Some(number)),
        Item::Null => Ok(None),
        _ => Err(reader.fault("a number was expected")),
    }
}

fn whole(reader: &mut Reader<'_>) -> Result<Option<i64>, CborFault> {
    match number(reader)? {
        Some(number) if number.fract() != 0.0 => Err(reader.fault("a whole number was expected")),
        number => Ok(number.map(|number| number as i64)),
    }
}
