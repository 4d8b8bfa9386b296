//! `GetMetricData`: many metrics at once, page by page. Expressions are not built.
//!
//! A page ends when it has as many datapoints as were asked for, or has read so many windows that
//! its caller would wait too long; its last result then says PartialData, and the token where to go
//! on. An expression that nobody wants back needs no value, so it is let be.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::Arc;

use aws::api::{Fault, Shape, Value};

use super::buckets::{self, Asked, Wanted};
use super::form::{Constraints, NAME_MAX, required_at};
use super::refusal::{missing, too_many, validation};
use super::times::{self, Range};
use super::{label, read, refusal, token};
use crate::api::{Caller, Context};
use crate::fold::Windows;

/// Queries of one call.
const QUERIES_MAX: usize = 500;
/// Datapoints of one page.
const POINTS_MAX: i64 = 100_800;
/// Windows read for one page, all queries together: a few seconds of a cold disk.
const WINDOWS_MAX: usize = 50_000;
/// Characters of an expression.
const EXPRESSION_MAX: usize = 2_048;
const SCANS: [&str; 2] = ["TimestampDescending", "TimestampAscending"];

/// Datapoints: milliseconds since the epoch, and the statistic.
type Points = Vec<(i64, f64)>;

/// A query that gives a result.
struct Query {
    id: String,
    label: Option<String>,
    wanted: Wanted,
    statistic: String,
    asked: Asked,
    period_ms: i64,
    returned: bool,
}

/// What pages are made by.
pub(super) struct Plan {
    queries: Vec<Query>,
    range: Range,
    descending: bool,
    most: usize,
    /// The query to begin with, and the time after which its datapoints are wanted.
    pub(super) from: (usize, Option<i64>),
    /// Windows that may be read.
    pub(super) budget: usize,
}

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) results: Vec<Value<'static>>,
    pub(super) next: Option<String>,
}

/// `GetMetricData`.
pub(super) async fn get(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let digest = token::digest(&caller.account, input);
    let mut plan = plan(context, caller, input)?;
    if let Some(place) = token::place(&digest, input)? {
        plan.from = position(&place).ok_or_else(refusal::token)?;
    }
    let windows = Arc::clone(&context.windows);
    let page = read(move || plan.page(&windows)).await?;
    Ok(Shape::Members(Value::map([
        ("Messages", Some(Value::List(Vec::new()))),
        ("MetricDataResults", Some(Value::List(page.results))),
        ("NextToken", page.next.map(|place| token::write(&digest, &place))),
    ])))
}

pub(super) fn position(place: &str) -> Option<(usize, Option<i64>)> {
    let (query, after) = place.split_once('@')?;
    let after = if after.is_empty() { None } else { Some(after.parse().ok()?) };
    Some((query.parse().ok()?, after))
}

pub(super) fn plan(context: &Context, caller: &Caller, input: &Value<'_>) -> Result<Plan, Fault> {
    let given = input.structures_of("MetricDataQueries")?;
    if given.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    if given.len() > QUERIES_MAX {
        return Err(validation(too_many("MetricDataQueries", QUERIES_MAX)));
    }
    let range = times::range(input, (context.clock)(), validation)?;
    let mut model = Constraints::default();
    let scan = input.text_of("ScanBy")?.unwrap_or(SCANS[0]);
    model.among("scanBy", scan, &SCANS);
    let most = input.integer_of("MaxDatapoints")?.unwrap_or(POINTS_MAX);
    let mut wrong = Vec::new();
    wrong.extend(wrong_timezone(input)?);
    if !(1..=POINTS_MAX).contains(&most) {
        wrong.push(format!(
            "The value {most} for parameter MaxDatapoints must be between 1 and {POINTS_MAX}."
        ));
    }
    let mut queries = Vec::new();
    let mut ids = HashSet::new();
    for (index, one) in given.iter().enumerate() {
        let place = format!("MetricDataQueries.member.{}", index + 1);
        let id = required_at(one, "Id", &format!("{place}.Id"))?;
        let in_model = format!("metricDataQueries.{}.member", index + 1);
        model.length(&format!("{in_model}.id"), id, 1, NAME_MAX);
        if let Some(account) = one.text_of("AccountId")? {
            model.length(&format!("{in_model}.accountId"), account, 1, NAME_MAX);
        }
        if !is_id(id) {
            wrong.push(format!(
                "The value {id} for parameter {place}.Id is not matching the expected pattern \
                 ^[a-z][a-zA-Z0-9_]*$."
            ));
        }
        if !ids.insert(id) {
            wrong.push(
                "The values for parameter id in MetricDataQueries are not unique.".to_owned(),
            );
        }
        queries.extend(query(caller, one, id, &place, &mut model, &mut wrong)?);
    }
    model.hold()?;
    if !wrong.is_empty() {
        return Err(validation(wrong.join("\n")));
    }
    let (descending, most) = (scan == SCANS[0], most as usize);
    Ok(Plan { queries, range, descending, most, from: (0, None), budget: WINDOWS_MAX })
}

/// `LabelOptions.Timezone`: a sign and four digits. No label here has a time in it, so nothing follows
/// from it but what is wrong with it.
fn wrong_timezone(input: &Value<'_>) -> Result<Option<String>, Fault> {
    let zone = input.get("LabelOptions").map(|options| options.text_of("Timezone")).transpose()?;
    let is_offset = |zone: &&str| {
        let digits = zone.strip_prefix(['+', '-']);
        digits.is_some_and(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()))
    };
    Ok(zone.flatten().filter(|zone| !is_offset(zone)).map(|zone| {
        format!(
            "The value {zone} for parameter LabelOptions.Timezone is not matching the expected \
             pattern ^[+-][0-9]{{4}}$."
        )
    }))
}

fn is_id(id: &str) -> bool {
    let begins = id.starts_with(|c: char| c.is_ascii_lowercase());
    begins && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One query; `None` for what gives no result. What is wrong with it is told with all the others.
fn query(
    caller: &Caller,
    one: &Value<'_>,
    id: &str,
    place: &str,
    model: &mut Constraints,
    wrong: &mut Vec<String>,
) -> Result<Option<Query>, Fault> {
    let returned = one.bool_of("ReturnData")?.unwrap_or(true);
    let expression = one.text_of("Expression")?;
    let Some(stat) = one.get("MetricStat") else {
        match expression {
            None => wrong.push(format!(
                "Either {place}.MetricStat or {place}.Expression must be specified."
            )),
            Some(text) => {
                model.length("expression", text, 1, EXPRESSION_MAX);
                if returned {
                    wrong.push(format!(
                        "Error in expression '{id}': expressions are not supported here, only \
                         MetricStat is."
                    ));
                }
            }
        }
        return Ok(None);
    };
    if expression.is_some() {
        wrong.push(format!(
            "The parameters {place}.MetricStat and {place}.Expression are mutually exclusive and \
             you have specified both."
        ));
        return Ok(None);
    }
    let in_stat = |name: &str| format!("{place}.MetricStat.{name}");
    let metric = stat.get("Metric").ok_or_else(|| missing(&in_stat("Metric")))?;
    let namespace = required_at(metric, "Namespace", &in_stat("Metric.Namespace"))?;
    let name = required_at(metric, "MetricName", &in_stat("Metric.MetricName"))?;
    let statistic = required_at(stat, "Stat", &in_stat("Stat"))?;
    let seconds = stat.integer_of("Period")?.ok_or_else(|| missing(&in_stat("Period")))?;
    model.namespace("metricStat.metric.namespace", namespace);
    model.length("metricStat.metric.metricName", name, 1, NAME_MAX);
    let given = metric.structures_of("Dimensions")?;
    let wanted = Wanted {
        account: one.text_of("AccountId")?.unwrap_or(&caller.account).to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: buckets::dimensions(given, &in_stat("Metric.Dimensions"), model)?,
        unit: buckets::unit(stat.text_of("Unit")?, "metricStat.unit", model),
    };
    let asked = Asked::parse(statistic);
    if asked.is_none() {
        let at = in_stat("Stat");
        wrong.push(format!("The value {statistic} for parameter {at} is not a valid statistic."));
    }
    let period = times::period(seconds, &in_stat("Period")).map_err(|text| wrong.push(text));
    let (Some(asked), Ok(period_ms)) = (asked, period) else { return Ok(None) };
    Ok(Some(Query {
        id: id.to_owned(),
        label: one.text_of("Label")?.map(str::to_owned),
        wanted,
        statistic: statistic.to_owned(),
        asked,
        period_ms,
        returned,
    }))
}

impl Query {
    fn named(&self) -> label::Named<'_> {
        (&self.wanted.name, &self.statistic, self.period_ms / 1_000)
    }
}

impl Plan {
    pub(super) fn page(&self, windows: &Windows) -> io::Result<Page> {
        let mut page = Page::default();
        let (mut left, mut budget) = (self.most, self.budget);
        let (first, after) = self.from;
        let cost = Wanted::cost(windows, self.range);
        for (index, query) in self.queries.iter().enumerate().skip(first) {
            if !query.returned {
                continue;
            }
            if page.next.is_none() && index > first && cost > budget {
                page.next = Some(format!("{index}@"));
            }
            if page.next.is_some() {
                page.results.push(self.told(query, &[], "PartialData", &[]));
                continue;
            }
            budget = budget.saturating_sub(cost);
            let after = after.filter(|_| index == first);
            let (points, units) = self.points(query, windows, after)?;
            let (now, rest) = points.split_at(left.min(points.len()));
            left -= now.len();
            if !rest.is_empty() {
                let last = now.last().map(|(at_ms, _)| *at_ms).or(after);
                page.next = Some(match last {
                    Some(at_ms) => format!("{index}@{at_ms}"),
                    None => format!("{index}@"),
                });
            }
            let status = if rest.is_empty() { "Complete" } else { "PartialData" };
            page.results.push(self.told(query, now, status, &units));
        }
        Ok(page)
    }

    /// The datapoints of a query in the order they are told, beyond `after`, and the names of the
    /// units that the metric has. Of several units only the first by name is told.
    fn points(
        &self,
        query: &Query,
        windows: &Windows,
        after: Option<i64>,
    ) -> io::Result<(Points, Vec<&'static str>)> {
        let mut by_unit: BTreeMap<&'static str, Points> = BTreeMap::new();
        let raw = query.asked.is_extended();
        query.wanted.visit(windows, self.range, query.period_ms, raw, |at_ms, unit, bucket| {
            let of = if raw { bucket.distribution() } else { None };
            let number = bucket.compute(&query.asked, of.as_ref());
            let points = by_unit.entry(unit).or_default();
            points.extend(number.map(|number| (at_ms, number)));
        })?;
        let units = by_unit.keys().copied().collect();
        let mut points = by_unit.into_values().next().unwrap_or_default();
        if self.descending {
            points.reverse();
        }
        let beyond = |at_ms: i64, after: i64| {
            if self.descending { at_ms < after } else { at_ms > after }
        };
        points.retain(|(at_ms, _)| after.is_none_or(|after| beyond(*at_ms, after)));
        Ok((points, units))
    }

    fn told(
        &self,
        query: &Query,
        points: &[(i64, f64)],
        status: &'static str,
        units: &[&'static str],
    ) -> Value<'static> {
        let times = points.iter().map(|(at_ms, _)| Value::Time(*at_ms as f64 / 1e3));
        let values = points.iter().map(|(_, number)| Value::Float(*number));
        let several = (units.len() > 1).then(|| {
            let text = format!("Multiple units returned: '[{}]'", units.join(", "));
            Value::List(vec![Value::map([
                ("Code", Some(Value::text("MultipleUnits"))),
                ("Value", Some(Value::text(text))),
            ])])
        });
        Value::map([
            ("Id", Some(Value::text(query.id.clone()))),
            ("Label", Some(Value::text(self.label(query)))),
            ("Messages", several),
            ("StatusCode", Some(Value::text(status))),
            ("Timestamps", Some(Value::List(times.collect()))),
            ("Values", Some(Value::List(values.collect()))),
        ])
    }

    fn label(&self, query: &Query) -> String {
        if let Some(label) = &query.label {
            return label.clone();
        }
        let all: Vec<_> = self.queries.iter().map(Query::named).collect();
        label::default(query.named(), &all)
    }
}
