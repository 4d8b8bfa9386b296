//! One data point of a summary, in the layout of 0.7, of 1.0, or of both at once.
//!
//! Owns the meaning of its fields: labels and attributes become namespace, name and dimensions;
//! quantiles become minimum, maximum and percentiles. Absent numbers are zero, as in proto3; an
//! empty quantile message is a minimum of zero.

use super::resource::Resource;
use super::{Fault, is_text, reject};
use crate::decode::scratch::{DIMENSIONS_MAX, EXTRA_MAX, Scratch};
use crate::decode::tolerant::INSTANT_NS_MAX;
use crate::decode::{Pass, Visit};
use crate::wire::{self, Reader};
use crate::{Extra, Point, Reason, Source, Statistic, Unit};

mod attribute;
use attribute::Value;

/// Bit of `flags` that says the point holds no value.
const NO_RECORDED_VALUE: u64 = 1;

const MALFORMED: Fault = Fault::malformed("a field of the data point is malformed");
const MANY_DIMENSIONS: Fault = Fault::malformed("the data point has more than 1000 dimensions");
const MANY_STATISTICS: Fault = Fault::malformed("the data point has more than 1000 statistics");
const BAD_QUANTILE: Fault = Fault::malformed("a quantile is not between 0 and 1");
const NO_INSTANT: Fault =
    Fault::malformed("the data point has no time, or one after the year 2262");
const NO_NAME: Fault = Fault {
    reason: Reason::MissingName,
    detail: "the data point has no Namespace or no MetricName",
};
const NOT_TEXT: Fault =
    Fault { reason: Reason::InvalidUtf8, detail: "a label or attribute is not UTF-8" };
const NOT_FINITE: Fault =
    Fault { reason: Reason::NotFinite, detail: "sum, quantile or value is not finite" };
const NO_VALUE: Fault = Fault {
    reason: Reason::UnsupportedMetric,
    detail: "the data point is flagged as holding no recorded value",
};

/// Decodes a data point. `whole` is the metric it is in, when it may be copied.
#[inline]
pub(super) fn decode<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    unit: Unit<'a>,
    body: &'a [u8],
    whole: Option<&'a [u8]>,
) {
    let mut fields = Fields::default();
    match fields.read(body, &mut pass.scratch) {
        Ok(()) if fields.is_rare() => rare(pass, at, unit, body, &fields),
        Ok(()) => {
            let source = fields.source(whole);
            let Scratch { dimensions, extra } = &pass.scratch;
            match fields.point(at, unit, dimensions, extra, source) {
                Ok(point) => pass.visit.point(&point),
                Err(fault) => reject(pass, body, fault),
            }
        }
        Err(fault) => reject(pass, body, fault),
    }
}

/// A data point with labels and attributes at once, or with dimensions that are not strings: they
/// are gathered anew, with text of their own.
#[cold]
fn rare<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    unit: Unit<'a>,
    body: &'a [u8],
    fields: &Fields<'a>,
) {
    let gathered = attribute::gather(body);
    let point = gathered.as_ref().map_err(|fault| *fault).and_then(|gathered| {
        let dimensions = gathered.dimensions();
        let source = fields.source(None);
        let named = Fields { namespace: gathered.namespace, name: gathered.name, ..*fields };
        let point = named.point(at, unit, &dimensions, &pass.scratch.extra, source)?;
        pass.visit.point(&point);
        Ok(())
    });
    if let Err(fault) = point {
        reject(pass, body, fault);
    }
}

/// The fields of one data point, but for its lists.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    start_ns: u64,
    end_ns: u64,
    count: u64,
    sum: f64,
    min: Option<f64>,
    max: Option<f64>,
    flags: u64,
    namespace: &'a [u8],
    name: &'a [u8],
    /// Labels of 0.7 were there.
    labels: bool,
    /// Attributes of 1.0 were there.
    attributes: bool,
    /// An attribute is not a string.
    not_strings: bool,
    /// Something that was not checked is in a label or attribute: the metric must not be copied.
    unchecked: bool,
}

impl<'a> Fields<'a> {
    /// Reads all fields; dimensions and percentiles go to `scratch`.
    #[inline]
    fn read(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        scratch.dimensions.clear();
        scratch.extra.clear();
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.tag().ok_or(MALFORMED)? {
                0x0a => self.label(reader.bytes().ok_or(MALFORMED)?, scratch)?,
                0x11 => self.start_ns = reader.fixed64().ok_or(MALFORMED)?,
                0x19 => self.end_ns = reader.fixed64().ok_or(MALFORMED)?,
                0x21 => self.count = reader.fixed64().ok_or(MALFORMED)?,
                0x29 => self.sum = reader.double().ok_or(MALFORMED)?,
                0x32 => self.quantile(reader.bytes().ok_or(MALFORMED)?, scratch)?,
                0x3a => self.attribute(reader.bytes().ok_or(MALFORMED)?, scratch)?,
                0x40 => self.flags = reader.varint().ok_or(MALFORMED)?,
                tag if (1..=8).contains(&(tag >> 3)) => return Err(MALFORMED),
                tag => reader.skip(tag).ok_or(MALFORMED)?,
            }
        }
        Ok(())
    }

    /// `ValueAtQuantile`: 0 is the minimum, 1 the maximum, all between are percentiles.
    #[inline]
    fn quantile(&mut self, body: &[u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        let (mut quantile, mut value) = (0.0_f64, 0.0_f64);
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.tag().ok_or(MALFORMED)? {
                0x09 => quantile = reader.double().ok_or(MALFORMED)?,
                0x11 => value = reader.double().ok_or(MALFORMED)?,
                tag => reader.skip(tag).ok_or(MALFORMED)?,
            }
        }
        if !(quantile.is_finite() && value.is_finite()) {
            return Err(NOT_FINITE);
        }
        // A percentile 0 or 100 is the same number as minimum or maximum; the wider one stays.
        if quantile == 0.0 {
            self.min = Some(self.min.map_or(value, |min| min.min(value)));
        } else if quantile == 1.0 {
            self.max = Some(self.max.map_or(value, |max| max.max(value)));
        } else if !(0.0..1.0).contains(&quantile) {
            return Err(BAD_QUANTILE);
        } else if scratch.extra.len() == EXTRA_MAX {
            return Err(MANY_STATISTICS);
        } else {
            scratch.extra.push(Extra { statistic: Statistic::Quantile(quantile), value });
        }
        Ok(())
    }

    /// `StringKeyValue` of 0.7. The first `Namespace` and `MetricName` are CloudWatch's.
    #[inline]
    fn label(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        self.labels = true;
        let (key, value) = attribute::label(body).ok_or(MALFORMED)?;
        // One look at the whole message is enough: its tags and short lengths are ASCII too.
        if !(body.is_ascii() || is_text(key) && is_text(value)) {
            return Err(NOT_TEXT);
        }
        self.named(key, value, scratch)
    }

    /// Checks the text of an attribute whose message is not all ASCII.
    #[cold]
    fn check(&mut self, body: &[u8], key: &[u8], value: &[u8]) -> Result<(), Fault> {
        // Any other length means that there is more in it than this key and this value.
        let exact = wire::field_len(key.len()) + wire::field_len(wire::field_len(value.len()));
        self.unchecked |= body.len() != exact;
        if is_text(key) && is_text(value) { Ok(()) } else { Err(NOT_TEXT) }
    }

    /// `KeyValue` of 1.0: the two names, the nested `Dimensions`, or a dimension of its own.
    #[inline]
    fn attribute(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        self.attributes = true;
        let (key, value) = attribute::key_value(body).ok_or(MALFORMED)?;
        let ascii = body.is_ascii();
        match value {
            Value::Text(text) => {
                if !ascii {
                    self.check(body, key, text)?;
                }
                self.named(key, text, scratch)
            }
            Value::List(list) if key == b"Dimensions" => {
                let exact = 12 + wire::field_len(wire::field_len(list.len()));
                self.unchecked |= !ascii && body.len() != exact;
                self.dimensions(list, ascii, scratch)
            }
            _ => {
                self.not_strings = true;
                Ok(())
            }
        }
    }

    /// The entries of `Dimensions`.
    #[inline]
    fn dimensions(
        &mut self,
        list: &'a [u8],
        ascii: bool,
        scratch: &mut Scratch<'a>,
    ) -> Result<(), Fault> {
        let mut reader = Reader::new(list);
        while !reader.is_empty() {
            let tag = reader.tag().ok_or(MALFORMED)?;
            if tag != 0x0a {
                self.unchecked = true;
                reader.skip(tag).ok_or(MALFORMED)?;
                continue;
            }
            let body = reader.bytes().ok_or(MALFORMED)?;
            let (key, value) = attribute::key_value(body).ok_or(MALFORMED)?;
            let Value::Text(text) = value else {
                self.not_strings = true;
                continue;
            };
            if !ascii && !body.is_ascii() {
                self.check(body, key, text)?;
            }
            if scratch.dimensions.len() == DIMENSIONS_MAX {
                return Err(MANY_DIMENSIONS);
            }
            scratch.dimensions.push((key, text));
        }
        Ok(())
    }

    #[inline]
    fn named(
        &mut self,
        key: &'a [u8],
        value: &'a [u8],
        scratch: &mut Scratch<'a>,
    ) -> Result<(), Fault> {
        if key == b"Namespace" && self.namespace.is_empty() {
            self.namespace = value;
        } else if key == b"MetricName" && self.name.is_empty() {
            self.name = value;
        } else if scratch.dimensions.len() == DIMENSIONS_MAX {
            return Err(MANY_DIMENSIONS);
        } else {
            scratch.dimensions.push((key, value));
        }
        Ok(())
    }

    #[inline]
    fn source<'p>(&self, whole: Option<&'p [u8]>) -> Source<'p> {
        if self.labels {
            Source::Otel07
        } else {
            Source::Otel10 { metric: whole.filter(|_| !self.unchecked) }
        }
    }

    #[inline]
    fn is_rare(&self) -> bool {
        (self.labels && self.attributes) || self.not_strings
    }

    /// The point of these fields, or why there is none.
    #[inline]
    fn point<'p>(
        &self,
        at: &Resource<'p>,
        unit: Unit<'p>,
        dimensions: &'p [crate::Dimension<'p>],
        extra: &'p [Extra<'p>],
        source: Source<'p>,
    ) -> Result<Point<'p>, Fault>
    where
        'a: 'p,
    {
        if self.namespace.is_empty() || self.name.is_empty() {
            return Err(NO_NAME);
        }
        if !self.sum.is_finite() {
            return Err(NOT_FINITE);
        }
        if self.flags & NO_RECORDED_VALUE != 0 {
            return Err(NO_VALUE);
        }
        // Writers that know one time only leave the start out; then the one time is the instant.
        let (start_ns, end_ns) = match (self.start_ns, self.end_ns) {
            (0, only) => (only, None),
            (start, 0) => (start, None),
            (start, end) => (start, Some(end)),
        };
        if start_ns == 0 || start_ns.max(self.end_ns) > INSTANT_NS_MAX {
            return Err(NO_INSTANT);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts are far below 2^53; above, the nearest"
        )]
        let count = self.count as f64;
        Ok(Point {
            stream: at.stream,
            exporter_arn: at.exporter_arn,
            account: at.account,
            region: at.region,
            namespace: self.namespace,
            name: self.name,
            dimensions,
            unit,
            start_ns,
            end_ns,
            min: self.min,
            max: self.max,
            sum: Some(self.sum),
            count,
            extra,
            source,
        })
    }
}
