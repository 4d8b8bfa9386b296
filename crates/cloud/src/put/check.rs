//! The rules of `PutMetricData`, with CloudWatch's texts, and what is left when they hold.
//!
//! Texts marked *observed* were seen from the service; the others follow their pattern.

use std::borrow::Cow;
use std::fmt::{self, Display};

use aws::api::Fault;
use metric::Unit;

use super::{Datum, Dimension, PutMetricData, entity};

/// Metrics of one call, those of entities included.
const METRICS_MAX: usize = 1_000;
/// Unique values of one metric.
const VALUES_MAX: usize = 150;
/// Dimensions of one metric.
const DIMENSIONS_MAX: usize = 30;
/// Characters of a namespace, a metric name and a dimension's name.
const NAME_MAX: usize = 255;
/// Characters of a dimension's value.
const DIMENSION_VALUE_MAX: usize = 1_024;
/// Two weeks back, two hours ahead.
const PAST_MS: i64 = 14 * 24 * 3_600_000;
const FUTURE_MS: i64 = 2 * 3_600_000;
/// 2 to the 360th: no number is larger.
const MAGNITUDE_MAX: f64 = 2.348_542_582_773_833_3e108;

/// A call that is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<'a> {
    /// Namespace.
    pub namespace: Cow<'a, str>,
    /// In the order they came, those of entities last.
    pub entries: Vec<Entry<'a>>,
    /// What is wrong with an entity of a call that is not strict, in AWS's word for it.
    pub wrong_entity: Option<&'static str>,
}

/// Name and value of a dimension.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A datum that is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// By name, each name once.
    pub dimensions: Vec<Pair<'a>>,
    /// CloudWatch's name of the unit.
    pub unit: Cow<'a, str>,
    /// Milliseconds since the epoch; that of arrival when none was given.
    pub timestamp_ms: i64,
    /// `StorageResolution` is 1.
    pub high_resolution: bool,
    /// What was measured.
    pub samples: Samples,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Values with their weights.
    Raw(Vec<(f64, f64)>),
    /// Count, sum, minimum, maximum.
    Set([f64; 4]),
}

/// Checks a call that arrived at `now_ms`.
pub fn check(put: PutMetricData<'_>, now_ms: i64) -> Result<Checked<'_>, Fault> {
    let namespace = put.namespace.ok_or_else(|| missing("Namespace"))?;
    name("Namespace", &namespace, NAME_MAX)?;
    let total = put.data.len() + put.entities.iter().map(|given| given.data.len()).sum::<usize>();
    if total == 0 {
        return Err(missing("MetricData"));
    }
    if total > METRICS_MAX {
        return Err(value(format!(
            "The collection MetricData must not have a size greater than {METRICS_MAX}."
        )));
    }
    let wrong_entity = entity::wrong(&put.entities);
    if put.strict == Some(true)
        && let Some(wrong) = &wrong_entity
    {
        return Err(value(format!("{}: {}", wrong.word, wrong.text)));
    }
    let mut entries = Vec::with_capacity(total);
    // Sets that cannot be, and times that are out of bounds, are said all at once, as the service
    // does. *observed*
    let mut wrong = Vec::new();
    let own = put.data.into_iter().enumerate().map(|(at, datum)| (Member(None, at + 1), datum));
    let of_entities = put.entities.into_iter().enumerate().flat_map(|(entity, given)| {
        let place = move |at| Member(Some(entity + 1), at + 1);
        given.data.into_iter().enumerate().map(move |(at, datum)| (place(at), datum))
    });
    for (place, datum) in own.chain(of_entities) {
        let entry = one(datum, place, now_ms)?;
        wrong.extend(reversed(place, &entry.samples));
        wrong.extend(out_of_time(place, entry.timestamp_ms, now_ms));
        entries.push(entry);
    }
    if !wrong.is_empty() {
        return Err(value(wrong.join("\n")));
    }
    let wrong_entity = wrong_entity.map(|wrong| wrong.word);
    Ok(Checked { namespace, entries, wrong_entity })
}

/// The place of a datum in its call, from 1, and before it that of its entity. Written only when
/// something is wrong there.
#[derive(Clone, Copy)]
struct Member(Option<usize>, usize);

impl Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = self.0 {
            write!(f, "EntityMetricData.member.{entity}.")?;
        }
        write!(f, "MetricData.member.{}", self.1)
    }
}

fn one<'a>(datum: Datum<'a>, place: Member, now_ms: i64) -> Result<Entry<'a>, Fault> {
    let metric_name = datum.name.ok_or_else(|| missing(format_args!("{place}.MetricName")))?;
    name(format_args!("{place}.MetricName"), &metric_name, NAME_MAX)?;
    let samples = samples(datum.value, datum.values, datum.counts, datum.set, place)?;
    let unit = datum.unit.unwrap_or(Cow::Borrowed("None"));
    if !Unit::all().any(|known| known.cloudwatch() == unit.as_bytes()) {
        let known: Vec<&str> = Unit::all().map(|unit| metric::text(unit.cloudwatch())).collect();
        return Err(value(format!(
            "The parameter {place}.Unit must be a value in the set [ {} ].",
            known.join(", ")
        )));
    }
    let high_resolution = match datum.resolution {
        None | Some(60) => false,
        Some(1) => true,
        Some(_) => {
            let text = format!("The parameter {place}.StorageResolution must be 1 or 60.");
            return Err(value(text));
        }
    };
    let timestamp_ms = match datum.timestamp {
        None => now_ms,
        Some(seconds) if seconds.is_finite() => milliseconds(seconds),
        Some(_) => return Err(value(format!("The parameter {place}.Timestamp is not a time."))),
    };
    Ok(Entry {
        name: metric_name,
        dimensions: dimensions(datum.dimensions, place)?,
        unit,
        timestamp_ms,
        high_resolution,
        samples,
    })
}

/// Rounded down, so that a sample of the last instant of a minute stays in it. A float of seconds is
/// right to a quarter of a microsecond: what is nearer than that to a whole millisecond is it.
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1e3 + 5e-4).floor() as i64
}

fn samples(
    single: Option<f64>,
    values: Vec<f64>,
    counts: Vec<f64>,
    set: Option<[Option<f64>; 4]>,
    place: Member,
) -> Result<Samples, Fault> {
    for (there, other) in [(!values.is_empty(), "Values"), (set.is_some(), "StatisticValues")] {
        if single.is_some() && there {
            // *observed*
            return Err(combination(format!(
                "The parameters {place}.Value and {place}.{other} are mutually exclusive and you \
                 have specified both."
            )));
        }
    }
    if values.len() > VALUES_MAX {
        // *observed*
        return Err(value(format!(
            "The collection {place}.Values must not have a size greater than {VALUES_MAX}."
        )));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        // *observed*
        return Err(value(format!(
            "The parameters {place}.Values and {place}.Counts must be of the same size."
        )));
    }
    // Values beside a set are taken by the service; the set says all there is to say.
    if let Some(parts) = set {
        let names = ["SampleCount", "Sum", "Minimum", "Maximum"];
        let mut whole = [0.0; 4];
        for ((part, name), slot) in parts.into_iter().zip(names).zip(&mut whole) {
            let at = format_args!("{place}.StatisticValues.{name}");
            *slot = number(at, part.ok_or_else(|| missing(at))?)?;
        }
        // A set of nothing would be taken and then left out.
        if whole.first().is_none_or(|count| *count <= 0.0) {
            return Err(value(format!(
                "The parameter {place}.StatisticValues.SampleCount must be greater than 0."
            )));
        }
        return Ok(Samples::Set(whole));
    }
    if let Some(single) = single {
        return Ok(Samples::Raw(vec![(number(format_args!("{place}.Value"), single)?, 1.0)]));
    }
    if values.is_empty() {
        return Err(missing(format_args!("{place}.Value")));
    }
    let mut raw = Vec::with_capacity(values.len());
    for (index, sample) in values.into_iter().enumerate() {
        let sample = number(format_args!("{place}.Values.member.{}", index + 1), sample)?;
        let count = counts.get(index).copied().unwrap_or(1.0);
        let at = format_args!("{place}.Counts.member.{}", index + 1);
        if number(at, count)? < 0.0 {
            return Err(invalid(at, count));
        }
        raw.push((sample, count));
    }
    Ok(Samples::Raw(raw))
}

fn dimensions<'a>(given: Vec<Dimension<'a>>, place: Member) -> Result<Vec<Pair<'a>>, Fault> {
    if given.len() > DIMENSIONS_MAX {
        return Err(value(format!(
            "The collection {place}.Dimensions must not have a size greater than {DIMENSIONS_MAX}."
        )));
    }
    let mut dimensions = Vec::with_capacity(given.len());
    for (index, (key, content)) in given.into_iter().enumerate() {
        let at = format_args!("{place}.Dimensions.member.{}", index + 1);
        let key = key.ok_or_else(|| missing(format_args!("{at}.Name")))?;
        let content = content.ok_or_else(|| missing(format_args!("{at}.Value")))?;
        name(format_args!("{at}.Name"), &key, NAME_MAX)?;
        text_of(format_args!("{at}.Value"), &content, DIMENSION_VALUE_MAX)?;
        dimensions.push((key, content));
    }
    // A series is its set of dimensions, in whatever order they came.
    dimensions.sort();
    if dimensions.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(value(format!(
            "The parameter {place}.Dimensions must not contain the same dimension name twice."
        )));
    }
    Ok(dimensions)
}

fn reversed(place: Member, samples: &Samples) -> Option<String> {
    let Samples::Set([_, _, minimum, maximum]) = samples else { return None };
    // *observed*
    (minimum > maximum).then(|| {
        format!(
            "The parameter {place}.StatisticValues.Maximum must be greater than \
             {place}.StatisticValues.Minimum."
        )
    })
}

fn out_of_time(place: Member, at_ms: i64, now_ms: i64) -> Option<String> {
    if at_ms < now_ms - PAST_MS {
        // *observed*
        return Some(format!(
            "The parameter {place}.Timestamp must specify a time within the past two weeks."
        ));
    }
    (at_ms > now_ms + FUTURE_MS).then(|| {
        format!(
            "The parameter {place}.Timestamp must specify a time no more than two hours in the \
             future."
        )
    })
}

/// Printable ASCII with something in it; a colon first belongs to CloudWatch itself.
fn name(place: impl Display, text: &str, most: usize) -> Result<(), Fault> {
    text_of(&place, text, most)?;
    if text.starts_with(':') {
        return Err(value(format!("The parameter {place} must not begin with a colon.")));
    }
    Ok(())
}

/// Printable ASCII with something in it.
fn text_of(place: impl Display, text: &str, most: usize) -> Result<(), Fault> {
    let printable = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    let rule = if text.is_empty() {
        "must not be empty"
    } else if text.len() > most {
        return Err(value(format!(
            "The parameter {place} must be shorter than {} characters.",
            most + 1
        )));
    } else if !printable {
        "must contain printable ASCII characters only"
    } else if text.trim().is_empty() {
        "must contain at least one non-whitespace character"
    } else {
        return Ok(());
    };
    Err(value(format!("The parameter {place} {rule}.")))
}

fn number(place: impl Display, number: f64) -> Result<f64, Fault> {
    if number.is_finite() && number.abs() <= MAGNITUDE_MAX {
        return Ok(number);
    }
    Err(invalid(place, number))
}

/// The number as Java writes it: `1.0E200`, `-Infinity`.
fn invalid(place: impl Display, number: f64) -> Fault {
    let told = match (number.is_infinite(), number > 0.0) {
        (true, true) => "Infinity".to_owned(),
        (true, false) => "-Infinity".to_owned(),
        (false, _) => format!("{number:?}"),
    };
    let told = match told.split_once('e') {
        None => told,
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            format!("{digits}{point}E{exponent}")
        }
    };
    value(format!("The value {told} for parameter {place} is invalid."))
}

fn missing(place: impl Display) -> Fault {
    Fault::new(
        "MissingRequiredParameterException",
        400,
        format!("The parameter {place} is required."),
    )
    .with_code("MissingParameter")
}

fn value(text: String) -> Fault {
    Fault::new("InvalidParameterValueException", 400, text).with_code("InvalidParameterValue")
}

fn combination(text: String) -> Fault {
    Fault::new("InvalidParameterCombinationException", 400, text)
        .with_code("InvalidParameterCombination")
}
