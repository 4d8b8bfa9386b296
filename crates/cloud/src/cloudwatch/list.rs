//! Metric streams as they are told: one, and all of an account.

use std::ops::Bound;

use aws::api::{Fault, Shape, Value};

use super::form::{Constraints, NAME_MAX, required};
use super::{refusal, token};
use crate::api::{Caller, Context};
use crate::registry::{Additional, MetricStream, key};

/// Streams of a page, at most and by default; CloudWatch documents no default.
const PAGE_MAX: i64 = 500;

fn state(stream: &MetricStream) -> Value<'static> {
    Value::text(if stream.running { "running" } else { "stopped" })
}

/// Seconds with a fraction.
fn time(at_ms: i64) -> Value<'static> {
    Value::Time(at_ms as f64 / 1e3)
}

fn text(text: &str) -> Option<Value<'static>> {
    Some(Value::text(text.to_owned()))
}

/// `GetMetricStream`. Lists that are empty are absent, as recorded from the service.
pub(super) fn get(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let name = required(input, "Name")?;
    let mut model = Constraints::default();
    model.length("name", name, 1, NAME_MAX);
    model.hold()?;
    let all = context.registry.now();
    let stream = all.metric_streams.get(&key(&caller.account, name));
    let stream = stream.ok_or_else(|| refusal::not_found("MetricStream", name))?;
    Ok(Shape::Members(Value::map([
        ("Arn", text(&stream.arn)),
        ("CreationDate", Some(time(stream.created_ms))),
        ("ExcludeFilters", filters(&stream.exclude)),
        ("FirehoseArn", text(&stream.firehose_arn)),
        ("IncludeFilters", filters(&stream.include)),
        ("IncludeLinkedAccountsMetrics", Some(Value::Bool(stream.linked_accounts))),
        ("LastUpdateDate", Some(time(stream.updated_ms))),
        ("Name", text(&stream.name)),
        ("OutputFormat", text(&stream.output_format)),
        ("RoleArn", text(&stream.role_arn)),
        ("State", Some(state(stream))),
        ("StatisticsConfigurations", configurations(&stream.statistics)),
    ])))
}

fn filters(filters: &[(String, Vec<String>)]) -> Option<Value<'static>> {
    let told = filters.iter().map(|(namespace, names)| {
        let names: Vec<_> = names.iter().filter_map(|name| text(name)).collect();
        let names = (!names.is_empty()).then_some(Value::List(names));
        Value::map([("MetricNames", names), ("Namespace", text(namespace))])
    });
    (!filters.is_empty()).then(|| Value::List(told.collect()))
}

fn configurations(all: &[Additional]) -> Option<Value<'static>> {
    let told = all.iter().map(|additional| {
        let metrics = additional.metrics.iter().map(|(namespace, name)| {
            Value::map([("MetricName", text(name)), ("Namespace", text(namespace))])
        });
        let statistics = additional.statistics.iter().filter_map(|name| text(name));
        Value::map([
            ("AdditionalStatistics", Some(Value::List(statistics.collect()))),
            ("IncludeMetrics", Some(Value::List(metrics.collect()))),
        ])
    });
    (!all.is_empty()).then(|| Value::List(told.collect()))
}

/// `ListMetricStreams`, by name.
pub(super) fn list(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let most = input.integer_of("MaxResults")?.unwrap_or(PAGE_MAX);
    let mut model = Constraints::default();
    model.range("maxResults", most, 1, PAGE_MAX);
    model.hold()?;
    // A page may be asked with another size than the one before.
    let digest = token::digest(&caller.account, &Value::Null);
    let after = token::place(&digest, input)?.unwrap_or_default();
    let all = context.registry.now();
    let from = key(&caller.account, &after);
    let own = key(&caller.account, "");
    let streams = all.metric_streams.range((Bound::Excluded(from), Bound::Unbounded));
    let mut streams = streams.take_while(|(place, _)| place.starts_with(&own)).peekable();
    let (mut entries, mut last) = (Vec::new(), "");
    while let Some((_, stream)) = streams.next_if(|_| (entries.len() as i64) < most) {
        last = &stream.name;
        entries.push(Value::map([
            ("Arn", text(&stream.arn)),
            ("CreationDate", Some(time(stream.created_ms))),
            ("FirehoseArn", text(&stream.firehose_arn)),
            ("LastUpdateDate", Some(time(stream.updated_ms))),
            ("Name", text(&stream.name)),
            ("OutputFormat", text(&stream.output_format)),
            ("State", Some(state(stream))),
        ]));
    }
    let next = streams.peek().map(|_| token::write(&digest, last));
    Ok(Shape::Members(Value::map([("Entries", Some(Value::List(entries))), ("NextToken", next)])))
}
