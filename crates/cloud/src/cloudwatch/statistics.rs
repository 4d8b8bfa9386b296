//! `GetMetricStatistics`: the periods of one metric, a datapoint for each of its units.

use std::borrow::Cow;
use std::sync::Arc;

use aws::api::{Fault, Shape, Value};

use super::buckets::{self, Asked, BASIC, Bucket, Wanted};
use super::form::{Constraints, NAME_MAX, required};
use super::refusal::{combination, exclusive, missing, too_many, value};
use super::{read, times};
use crate::api::{Caller, Context};

/// Datapoints of one answer.
const POINTS_MAX: i64 = 1_440;
/// `ExtendedStatistics` of one call.
const EXTENDED_MAX: usize = 10;

/// `GetMetricStatistics`.
pub(super) async fn get(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let namespace = required(input, "Namespace")?;
    let name = required(input, "MetricName")?;
    let mut model = Constraints::default();
    model.namespace("namespace", namespace);
    model.length("metricName", name, 1, NAME_MAX);
    let wanted = Wanted {
        account: caller.account.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: buckets::dimensions(
            input.structures_of("Dimensions")?,
            "Dimensions",
            &mut model,
        )?,
        unit: buckets::unit(input.text_of("Unit")?, "unit", &mut model),
    };
    let asked = asked(input, &mut model)?;
    let seconds = input.integer_of("Period")?.ok_or_else(|| missing("Period"))?;
    model.hold()?;
    let range = times::range(input, (context.clock)(), times::invalid_value)?;
    let period_ms = times::period(seconds, "Period").map_err(value)?;
    let periods = range.periods(period_ms);
    if periods > POINTS_MAX {
        return Err(combination(format!(
            "You have requested up to {periods} datapoints, which exceeds the limit of \
             {POINTS_MAX}. You may reduce the datapoints requested by increasing Period, or \
             decreasing the time range."
        )));
    }
    let label = wanted.name.clone();
    let windows = Arc::clone(&context.windows);
    let datapoints = read(move || {
        let mut datapoints = Vec::new();
        let raw = asked.iter().any(|(_, asked)| asked.is_extended());
        wanted.visit(&windows, range, period_ms, raw, |at_ms, unit, bucket| {
            datapoints.extend(datapoint(at_ms, unit, bucket, &asked));
        })?;
        Ok(datapoints)
    })
    .await?;
    Ok(Shape::Members(Value::map([
        ("Datapoints", Some(Value::List(datapoints))),
        ("Label", Some(Value::text(label))),
    ])))
}

/// `Statistics` or `ExtendedStatistics`, by the names they were given.
fn asked(input: &Value<'_>, model: &mut Constraints) -> Result<Vec<(String, Asked)>, Fault> {
    let basic = input.list_of("Statistics")?;
    let extended = input.list_of("ExtendedStatistics")?;
    match (basic.is_empty(), extended.is_empty()) {
        (false, false) => return Err(exclusive("Statistics", "ExtendedStatistics")),
        (true, true) => {
            return Err(combination("Must specify either Statistics or ExtendedStatistics"));
        }
        _ => {}
    }
    for (list, place, most) in
        [(basic, "Statistics", BASIC.len()), (extended, "ExtendedStatistics", EXTENDED_MAX)]
    {
        if list.len() > most {
            return Err(value(too_many(place, most)));
        }
    }
    let mut asked = Vec::new();
    for (index, name) in basic.iter().enumerate() {
        let at = format!("Statistics.member.{}", index + 1);
        let name = name.as_text().ok_or_else(|| missing(&at))?;
        model.among(&format!("statistics.{}.member", index + 1), name, &BASIC);
        asked.extend(Asked::parse(name).map(|one| (name.to_owned(), one)));
    }
    for (index, name) in extended.iter().enumerate() {
        let at = format!("ExtendedStatistics.member.{}", index + 1);
        let name = name.as_text().ok_or_else(|| missing(&at))?;
        let one = Asked::parse(name).filter(Asked::is_extended).ok_or_else(|| {
            value(format!("The value {name} for parameter {at} is not a valid statistic."))
        })?;
        asked.push((name.to_owned(), one));
    }
    Ok(asked)
}

/// Only what was asked for; `None` when the period has nothing of it.
fn datapoint(
    at_ms: i64,
    unit: &'static str,
    bucket: &Bucket,
    asked: &[(String, Asked)],
) -> Option<Value<'static>> {
    let extended = asked.iter().any(|(_, asked)| asked.is_extended());
    let of = if extended { bucket.distribution() } else { None };
    let mut told = Vec::new();
    for (name, one) in asked {
        let number = bucket.compute(one, of.as_ref());
        told.extend(number.map(|number| (Cow::Owned(name.clone()), Value::Float(number))));
    }
    if told.is_empty() {
        return None;
    }
    let mut members = vec![(Cow::Borrowed("Timestamp"), Value::Time(at_ms as f64 / 1e3))];
    if extended {
        members.push((Cow::Borrowed("ExtendedStatistics"), Value::Table(told)));
    } else {
        members.extend(told);
    }
    members.push((Cow::Borrowed("Unit"), Value::text(unit)));
    Some(Value::Map(members))
}
