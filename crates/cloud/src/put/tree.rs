//! The call as a tree, which the query protocol makes of a form.

use std::borrow::Cow;

use aws::api::{Fault, Value, ValueFault};

use super::{Datum, PutMetricData};

pub(super) fn read(input: &Value<'_>) -> Result<PutMetricData<'static>, Fault> {
    let mut put = PutMetricData {
        namespace: text(input, "Namespace")?,
        strict: input.bool_of("StrictEntityValidation")?,
        ..PutMetricData::default()
    };
    for given in input.list_of("MetricData")? {
        put.data.push(datum(given)?);
    }
    for entity in input.list_of("EntityMetricData")? {
        put.entities += 1;
        for given in entity.list_of("MetricData")? {
            put.entity_data.push(datum(given)?);
        }
    }
    Ok(put)
}

fn datum(given: &Value<'_>) -> Result<Datum<'static>, Fault> {
    let mut dimensions = Vec::new();
    for dimension in given.list_of("Dimensions")? {
        dimensions.push((text(dimension, "Name")?, text(dimension, "Value")?));
    }
    let set = match given.get("StatisticValues") {
        None => None,
        Some(set) => Some([
            set.number_of("SampleCount")?,
            set.number_of("Sum")?,
            set.number_of("Minimum")?,
            set.number_of("Maximum")?,
        ]),
    };
    Ok(Datum {
        name: text(given, "MetricName")?,
        dimensions,
        timestamp: given.time_of("Timestamp")?,
        value: given.number_of("Value")?,
        values: numbers(given, "Values")?,
        counts: numbers(given, "Counts")?,
        set,
        unit: text(given, "Unit")?,
        resolution: given.integer_of("StorageResolution")?,
    })
}

fn text(from: &Value<'_>, name: &str) -> Result<Option<Cow<'static, str>>, ValueFault> {
    Ok(from.text_of(name)?.map(|text| Cow::Owned(text.to_owned())))
}

fn numbers(from: &Value<'_>, name: &str) -> Result<Vec<f64>, ValueFault> {
    let wrong = || ValueFault { member: name.to_owned(), expected: "numbers" };
    let list = from.list_of(name)?.iter();
    list.map(|value| value.as_number().ok_or_else(wrong)).collect()
}
