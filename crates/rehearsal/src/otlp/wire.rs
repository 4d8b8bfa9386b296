//! OTLP in protobuf, walked by hand: wire types must fit, text must be UTF-8, fields must be known,
//! and what may be there once must not be there twice.

use super::message::{
    AnyValue, Array, Attribute, Gauge, Histogram, HistogramPoint, Map, Metric, NumberPoint,
    Quantile, Request, Resource, ResourceMetrics, Scope, ScopeMetrics, Sum, Summary, SummaryPoint,
};

/// Deepest nesting of attribute values; the messages around them have eight levels of their own.
const DEPTH_MAX: u32 = 32;

/// Reads a request. The error names the message and the field.
pub fn read(body: &[u8]) -> Result<Request, String> {
    message("ExportMetricsServiceRequest", body, &[1], |to: &mut Request, number, value| {
        match number {
            1 => to.resource_metrics.push(resource_metrics(value.bytes()?)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

/// Counts data points and looks at nothing else, for load tests.
pub fn count_points(body: &[u8]) -> Result<u64, String> {
    fn descend(bytes: &[u8], path: &[&[u32]]) -> Result<u64, String> {
        let Some((numbers, below)) = path.split_first() else { return Ok(1) };
        let mut fields = Fields(bytes);
        let mut points = 0;
        while let Some((number, value)) = fields.next()? {
            if let Value::Bytes(inner) = value
                && numbers.contains(&number)
            {
                points += descend(inner, below)?;
            }
        }
        Ok(points)
    }
    descend(body, &[&[1], &[2], &[2], &[5, 7, 9, 11], &[1]])
}

fn resource_metrics(bytes: &[u8]) -> Result<ResourceMetrics, String> {
    message("ResourceMetrics", bytes, &[2], |to: &mut ResourceMetrics, number, value| {
        match number {
            1 => to.resource = Some(resource(value.bytes()?)?),
            2 => to.scope_metrics.push(scope_metrics(value.bytes()?)?),
            3 => to.schema_url = value.text()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn resource(bytes: &[u8]) -> Result<Resource, String> {
    message("Resource", bytes, &[1], |to: &mut Resource, number, value| {
        match number {
            1 => to.attributes.push(attribute(value.bytes()?, 0)?),
            2 => to.dropped_attributes_count = value.narrow()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn scope_metrics(bytes: &[u8]) -> Result<ScopeMetrics, String> {
    message("ScopeMetrics", bytes, &[2], |to: &mut ScopeMetrics, number, value| {
        match number {
            1 => to.scope = Some(scope(value.bytes()?)?),
            2 => to.metrics.push(metric(value.bytes()?)?),
            3 => to.schema_url = value.text()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn scope(bytes: &[u8]) -> Result<Scope, String> {
    message("InstrumentationScope", bytes, &[3], |to: &mut Scope, number, value| {
        match number {
            1 => to.name = value.text()?,
            2 => to.version = value.text()?,
            3 => to.attributes.push(attribute(value.bytes()?, 0)?),
            4 => to.dropped_attributes_count = value.narrow()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn metric(bytes: &[u8]) -> Result<Metric, String> {
    message("Metric", bytes, &[12], |to: &mut Metric, number, value| {
        match number {
            1 => to.name = value.text()?,
            2 => to.description = value.text()?,
            3 => to.unit = value.text()?,
            5 => to.gauge = Some(gauge(value.bytes()?)?),
            7 => to.sum = Some(sum(value.bytes()?)?),
            9 => to.histogram = Some(histogram(value.bytes()?)?),
            11 => to.summary = Some(summary(value.bytes()?)?),
            12 => to.metadata.push(attribute(value.bytes()?, 0)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn gauge(bytes: &[u8]) -> Result<Gauge, String> {
    message("Gauge", bytes, &[1], |to: &mut Gauge, number, value| {
        match number {
            1 => to.data_points.push(number_point(value.bytes()?)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn sum(bytes: &[u8]) -> Result<Sum, String> {
    message("Sum", bytes, &[1], |to: &mut Sum, number, value| {
        match number {
            1 => to.data_points.push(number_point(value.bytes()?)?),
            2 => to.aggregation_temporality = value.narrow()?,
            3 => to.is_monotonic = value.varint()? != 0,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn histogram(bytes: &[u8]) -> Result<Histogram, String> {
    message("Histogram", bytes, &[1], |to: &mut Histogram, number, value| {
        match number {
            1 => to.data_points.push(histogram_point(value.bytes()?)?),
            2 => to.aggregation_temporality = value.narrow()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn summary(bytes: &[u8]) -> Result<Summary, String> {
    message("Summary", bytes, &[1], |to: &mut Summary, number, value| {
        match number {
            1 => to.data_points.push(summary_point(value.bytes()?)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn number_point(bytes: &[u8]) -> Result<NumberPoint, String> {
    message("NumberDataPoint", bytes, &[7], |to: &mut NumberPoint, number, value| {
        match number {
            2 => to.start_time_unix_nano = value.fixed()?,
            3 => to.time_unix_nano = value.fixed()?,
            4 => to.as_double = Some(value.double()?),
            6 => to.as_int = Some(value.fixed()?.cast_signed()),
            7 => to.attributes.push(attribute(value.bytes()?, 0)?),
            8 => to.flags = value.narrow()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn histogram_point(bytes: &[u8]) -> Result<HistogramPoint, String> {
    let name = "HistogramDataPoint";
    message(name, bytes, &[6, 7, 9], |to: &mut HistogramPoint, number, value| {
        match number {
            2 => to.start_time_unix_nano = value.fixed()?,
            3 => to.time_unix_nano = value.fixed()?,
            4 => to.count = value.fixed()?,
            5 => to.sum = Some(value.double()?),
            6 => value.packed(|bits| to.bucket_counts.push(bits))?,
            7 => value.packed(|bits| to.explicit_bounds.push(f64::from_bits(bits)))?,
            9 => to.attributes.push(attribute(value.bytes()?, 0)?),
            10 => to.flags = value.narrow()?,
            11 => to.min = Some(value.double()?),
            12 => to.max = Some(value.double()?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn summary_point(bytes: &[u8]) -> Result<SummaryPoint, String> {
    let name = "SummaryDataPoint";
    message(name, bytes, &[6, 7], |to: &mut SummaryPoint, number, value| {
        match number {
            2 => to.start_time_unix_nano = value.fixed()?,
            3 => to.time_unix_nano = value.fixed()?,
            4 => to.count = value.fixed()?,
            5 => to.sum = value.double()?,
            6 => to.quantile_values.push(quantile(value.bytes()?)?),
            7 => to.attributes.push(attribute(value.bytes()?, 0)?),
            8 => to.flags = value.narrow()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn quantile(bytes: &[u8]) -> Result<Quantile, String> {
    message("ValueAtQuantile", bytes, &[], |to: &mut Quantile, number, value| {
        match number {
            1 => to.quantile = value.double()?,
            2 => to.value = value.double()?,
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn attribute(bytes: &[u8], depth: u32) -> Result<Attribute, String> {
    message("KeyValue", bytes, &[], |to: &mut Attribute, number, value| {
        match number {
            1 => to.key = value.text()?,
            2 => to.value = Some(any_value(value.bytes()?, depth)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn any_value(bytes: &[u8], depth: u32) -> Result<AnyValue, String> {
    if depth > DEPTH_MAX {
        return Err("AnyValue: nested too deeply".to_owned());
    }
    let read = message("AnyValue", bytes, &[], |to: &mut Option<AnyValue>, number, value| {
        let read = match number {
            1 => AnyValue::String(value.text()?),
            2 => AnyValue::Bool(value.varint()? != 0),
            3 => AnyValue::Int(value.varint()?.cast_signed()),
            4 => AnyValue::Double(value.double()?),
            5 => AnyValue::Array(array(value.bytes()?, depth + 1)?),
            6 => AnyValue::Map(map(value.bytes()?, depth + 1)?),
            7 => AnyValue::Bytes(value.bytes()?.to_vec()),
            _ => return Err(unknown()),
        };
        match to.replace(read) {
            Some(_) => Err("two kinds of value".to_owned()),
            None => Ok(()),
        }
    })?;
    read.ok_or_else(|| "AnyValue: no value".to_owned())
}

fn array(bytes: &[u8], depth: u32) -> Result<Array, String> {
    message("ArrayValue", bytes, &[1], |to: &mut Array, number, value| {
        match number {
            1 => to.values.push(any_value(value.bytes()?, depth)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

fn map(bytes: &[u8], depth: u32) -> Result<Map, String> {
    message("KeyValueList", bytes, &[1], |to: &mut Map, number, value| {
        match number {
            1 => to.values.push(attribute(value.bytes()?, depth)?),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

/// Walks the fields of a message. Fields that are not `repeated` may come once.
fn message<T: Default>(
    name: &str,
    bytes: &[u8],
    repeated: &[u32],
    mut set: impl FnMut(&mut T, u32, Value<'_>) -> Result<(), String>,
) -> Result<T, String> {
    let mut to = T::default();
    let mut fields = Fields(bytes);
    let mut seen = 0u64;
    while let Some((number, value)) = fields.next().map_err(|fault| format!("{name}: {fault}"))? {
        let bit = 1u64.checked_shl(number).unwrap_or(0);
        if seen & bit != 0 && !repeated.contains(&number) {
            return Err(format!("{name}: field {number} given twice"));
        }
        seen |= bit;
        set(&mut to, number, value).map_err(|fault| format!("{name}.{number}: {fault}"))?;
    }
    Ok(to)
}

fn unknown() -> String {
    "unknown field".to_owned()
}

/// The value of a field, by wire type.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Value<'a> {
    fn wrong<T>(&self) -> Result<T, String> {
        Err("wrong wire type".to_owned())
    }

    fn bytes(self) -> Result<&'a [u8], String> {
        if let Value::Bytes(bytes) = self { Ok(bytes) } else { self.wrong() }
    }

    fn text(self) -> Result<String, String> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| "text is not UTF-8")?;
        Ok(text.to_owned())
    }

    fn varint(self) -> Result<u64, String> {
        if let Value::Varint(value) = self { Ok(value) } else { self.wrong() }
    }

    fn narrow(self) -> Result<u32, String> {
        u32::try_from(self.varint()?).map_err(|_| "number is too large".to_owned())
    }

    fn fixed(self) -> Result<u64, String> {
        if let Value::Fixed64(value) = self { Ok(value) } else { self.wrong() }
    }

    fn double(self) -> Result<f64, String> {
        Ok(f64::from_bits(self.fixed()?))
    }

    /// A repeated 64-bit field: packed, or one of several single ones.
    fn packed(self, mut push: impl FnMut(u64)) -> Result<(), String> {
        let Value::Bytes(bytes) = self else {
            push(self.fixed()?);
            return Ok(());
        };
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err("packed field is not a multiple of 8 bytes".to_owned());
        }
        chunks.iter().for_each(|chunk| push(u64::from_le_bytes(*chunk)));
        Ok(())
    }
}

/// The fields that are left of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| "tag is too large")?;
        let number = tag >> 3;
        if number == 0 {
            return Err("field number 0".to_owned());
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.take()?)),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| "length is too large")?;
                let split = self.0.split_at_checked(length);
                let (bytes, rest) = split.ok_or("length runs past the end")?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => {
                self.take::<4>()?;
                Value::Fixed32
            }
            other => return Err(format!("wire type {other}")),
        };
        Ok(Some((number, value)))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or("value is cut short")?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// Base 128, ten bytes at most, of which the last holds one bit.
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for n in 0..10 {
            let [byte] = self.take::<1>()?;
            if n == 9 && byte > 1 {
                return Err("varint is too long".to_owned());
            }
            value |= u64::from(byte & 0x7f) << (7 * n);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("varint is too long".to_owned())
    }
}

#[cfg(test)]
mod tests;
