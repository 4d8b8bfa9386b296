//! Metric streams made, changed, started, stopped and deleted.
//!
//! `PutMetricStream` replaces the whole configuration; state, creation and tags of a stream that is
//! there stay. Starting and stopping is for all names or for none.

use std::collections::BTreeMap;

use aws::api::{Fault, Shape, Value};

use super::form::{ARN_MAX, Constraints, NAME_MAX, printable, required, required_at};
use super::refusal::{exclusive, limit, missing, too_many, value};
use super::{change, nothing, tags};
use crate::api::{Caller, Context};
use crate::registry::{Additional, MetricStream, Resources, key};
use crate::statistic::Statistic;

/// Namespaces and metric names of a filter, together.
const FILTER_MAX: usize = 1_000;
/// Members of `StatisticsConfigurations`.
const CONFIGURATIONS_MAX: usize = 100;
/// Metrics of one of them.
const METRICS_MAX: usize = 100;
/// Statistics of one of them.
const STATISTICS_MAX: usize = 20;
/// Streams of an account. CloudWatch has no such limit; here all are kept in memory and in one file.
const STREAMS_MAX: usize = 1_000;
/// Names in one call to start or stop; CloudWatch documents none. More than anybody has.
const NAMES_MAX: usize = 1_000;
/// `OutputFormat`.
pub(super) const FORMATS: [&str; 3] = ["json", "opentelemetry0.7", "opentelemetry1.0"];

/// Namespaces with metric names.
type Filters = Vec<(String, Vec<String>)>;

/// `PutMetricStream`.
pub(super) async fn put(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let (asked, delivery_stream) = asked(context, caller, input)?;
    let told = Value::map([("Arn", Some(Value::text(asked.arn.clone())))]);
    let known = context.config.delivery_streams.contains(&delivery_stream);
    let account = caller.account.clone();
    change(context, move |all| {
        if !known && !all.delivery_streams.contains_key(&key(&account, &delivery_stream)) {
            return Err(value(format!(
                "The parameter FirehoseArn is invalid: there is no delivery stream \
                 {delivery_stream} under account {account}."
            )));
        }
        let place = key(&account, &asked.name);
        let stream = match all.metric_streams.remove(&place) {
            None => {
                room(all, &account)?;
                asked
            }
            Some(there) => MetricStream {
                running: there.running,
                created_ms: there.created_ms,
                // Tags are for new streams only; later they have their own operations.
                tags: there.tags,
                updated_ms: asked.updated_ms.max(there.updated_ms + 1),
                ..asked
            },
        };
        all.metric_streams.insert(place, stream);
        Ok(())
    })
    .await?;
    Ok(Shape::Members(told))
}

/// Whether the account may have one more.
fn room(all: &Resources, account: &str) -> Result<(), Fault> {
    let own = key(account, "");
    let there = all.metric_streams.keys().filter(|place| place.starts_with(&own)).count();
    if there < STREAMS_MAX {
        return Ok(());
    }
    Err(limit(format!(
        "The account {account} has {STREAMS_MAX} metric streams, which is the limit."
    )))
}

/// The stream as it would be if it were new, and the name of its delivery stream.
fn asked(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<(MetricStream, String), Fault> {
    let name = required(input, "Name")?;
    let firehose_arn = required(input, "FirehoseArn")?;
    let role_arn = required(input, "RoleArn")?;
    let output_format = required(input, "OutputFormat")?;
    let mut model = Constraints::default();
    model.length("name", name, 1, NAME_MAX);
    model.length("firehoseArn", firehose_arn, 1, ARN_MAX);
    model.length("roleArn", role_arn, 1, ARN_MAX);
    model.among("outputFormat", output_format, &FORMATS);
    let include = filters(input, "IncludeFilters", "includeFilters", &mut model)?;
    let exclude = filters(input, "ExcludeFilters", "excludeFilters", &mut model)?;
    let statistics = configurations(input, &mut model)?;
    let tags = tags::read(input, &mut model)?.into_iter().collect::<BTreeMap<_, _>>();
    model.hold()?;
    if !include.is_empty() && !exclude.is_empty() {
        return Err(exclusive("IncludeFilters", "ExcludeFilters"));
    }
    named(name)?;
    let (region, account) = (&context.config.region, &caller.account);
    let delivery_stream = delivery_stream(firehose_arn, region, account)?;
    role(role_arn, account)?;
    counted("IncludeFilters", &include)?;
    counted("ExcludeFilters", &exclude)?;
    computable(&statistics, output_format)?;
    tags::within_limit(tags.len())?;
    let now_ms = (context.clock)();
    let stream = MetricStream {
        name: name.to_owned(),
        arn: aws::arn::of("cloudwatch", region, account, &format!("metric-stream/{name}")),
        firehose_arn: firehose_arn.to_owned(),
        role_arn: role_arn.to_owned(),
        output_format: output_format.to_owned(),
        include,
        exclude,
        statistics,
        linked_accounts: input.bool_of("IncludeLinkedAccountsMetrics")?.unwrap_or(false),
        running: true,
        created_ms: now_ms,
        updated_ms: now_ms,
        tags,
    };
    Ok((stream, delivery_stream.to_owned()))
}

fn named(name: &str) -> Result<(), Fault> {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Ok(());
    }
    Err(value(
        "The parameter Name must contain letters, digits, hyphens and underscores only: \
         [A-Za-z0-9-_].",
    ))
}

/// The name in the ARN of a delivery stream that lies where its caller does.
fn delivery_stream<'a>(arn: &'a str, region: &str, account: &str) -> Result<&'a str, Fault> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "firehose", in_region, of, resource] = parts.as_slice() else {
        return Err(value("The parameter FirehoseArn must be the ARN of a delivery stream."));
    };
    let name = resource.strip_prefix("deliverystream/").filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| !partition.is_empty()) else {
        return Err(value("The parameter FirehoseArn must be the ARN of a delivery stream."));
    };
    if *of != account {
        return Err(value(format!(
            "The parameter FirehoseArn must be of the account {account} of the metric stream."
        )));
    }
    if *in_region != region {
        return Err(value(format!(
            "The parameter FirehoseArn must be of the Region {region} of the metric stream."
        )));
    }
    Ok(name)
}

/// `arn:<partition>:iam::<account>:role/<path and name>`, of the caller's account.
fn role(arn: &str, account: &str) -> Result<(), Fault> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", of, resource] = parts.as_slice() else {
        return Err(value("The parameter RoleArn must be the ARN of an IAM role."));
    };
    let sound = |name: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
        !name.is_empty() && !name.ends_with('/') && name.bytes().all(allowed)
    };
    let fits = !partition.is_empty() && resource.strip_prefix("role/").is_some_and(sound);
    if !fits {
        return Err(value("The parameter RoleArn must be the ARN of an IAM role."));
    }
    if *of != account {
        return Err(value(format!(
            "The parameter RoleArn must be of the account {account} of the metric stream."
        )));
    }
    Ok(())
}

fn filters(
    input: &Value<'_>,
    member: &str,
    at: &str,
    model: &mut Constraints,
) -> Result<Filters, Fault> {
    let mut filters = Vec::new();
    for (index, filter) in input.structures_of(member)?.iter().enumerate() {
        let number = index + 1;
        let place = format!("{member}.member.{number}.Namespace");
        let namespace = required_at(filter, "Namespace", &place)?;
        model.namespace(&format!("{at}.{number}.member.namespace"), namespace);
        printable(&place, namespace)?;
        let mut names = Vec::new();
        for (index, name) in filter.list_of("MetricNames")?.iter().enumerate() {
            let place = format!("{member}.member.{number}.MetricNames.member.{}", index + 1);
            let name = name.as_text().ok_or_else(|| missing(&place))?;
            let at = format!("{at}.{number}.member.metricNames.{}.member", index + 1);
            model.length(&at, name, 1, NAME_MAX);
            printable(&place, name)?;
            names.push(name.to_owned());
        }
        filters.push((namespace.to_owned(), names));
    }
    Ok(filters)
}

/// Each namespace counts one, and each name in it one more.
fn counted(member: &str, filters: &Filters) -> Result<(), Fault> {
    let count: usize = filters.iter().map(|(_, names)| 1 + names.len()).sum();
    if count <= FILTER_MAX {
        return Ok(());
    }
    Err(value(format!(
        "The parameter {member} must not have more than {FILTER_MAX} namespaces and metric names \
         in all, it has {count}."
    )))
}

fn configurations(input: &Value<'_>, model: &mut Constraints) -> Result<Vec<Additional>, Fault> {
    let member = "StatisticsConfigurations";
    let given = input.structures_of(member)?;
    at_most(member, given.len(), CONFIGURATIONS_MAX)?;
    let mut all = Vec::new();
    for (index, one) in given.iter().enumerate() {
        let place = format!("{member}.member.{}", index + 1);
        let at = format!("statisticsConfigurations.{}.member", index + 1);
        let (metrics, statistics) =
            (one.structures_of("IncludeMetrics")?, one.list_of("AdditionalStatistics")?);
        for (list, name, most) in [
            (metrics, "IncludeMetrics", METRICS_MAX),
            (statistics, "AdditionalStatistics", STATISTICS_MAX),
        ] {
            let place = format!("{place}.{name}");
            if list.is_empty() {
                return Err(missing(&place));
            }
            at_most(&place, list.len(), most)?;
        }
        let mut additional = Additional::default();
        for (index, metric) in metrics.iter().enumerate() {
            let place = format!("{place}.IncludeMetrics.member.{}", index + 1);
            let at = format!("{at}.includeMetrics.{}.member", index + 1);
            let [of_namespace, of_name] =
                ["Namespace", "MetricName"].map(|member| format!("{place}.{member}"));
            let namespace = required_at(metric, "Namespace", &of_namespace)?;
            let name = required_at(metric, "MetricName", &of_name)?;
            printable(&of_namespace, namespace)?;
            printable(&of_name, name)?;
            model.namespace(&format!("{at}.namespace"), namespace);
            model.length(&format!("{at}.metricName"), name, 1, NAME_MAX);
            additional.metrics.push((namespace.to_owned(), name.to_owned()));
        }
        for (index, statistic) in statistics.iter().enumerate() {
            let place = format!("{place}.AdditionalStatistics.member.{}", index + 1);
            let statistic = statistic.as_text().ok_or_else(|| missing(&place))?;
            additional.statistics.push(statistic.to_owned());
        }
        all.push(additional);
    }
    Ok(all)
}

fn at_most(place: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most { Err(value(too_many(place, most))) } else { Ok(()) }
}

/// Statistics that exist, and that the format can carry.
fn computable(all: &[Additional], format: &str) -> Result<(), Fault> {
    for (index, additional) in all.iter().enumerate() {
        for (at, name) in additional.statistics.iter().enumerate() {
            let place = format!(
                "StatisticsConfigurations.member.{}.AdditionalStatistics.member.{}",
                index + 1,
                at + 1
            );
            let statistic = Statistic::parse(name).ok_or_else(|| {
                value(format!("The value {name} for parameter {place} is not a valid statistic."))
            })?;
            if format != "json" && !statistic.is_percentile() {
                return Err(value(format!(
                    "The value {name} for parameter {place} is not supported by the output format \
                     {format}, which takes percentiles only."
                )));
            }
        }
    }
    Ok(())
}

/// `StartMetricStreams` and `StopMetricStreams`.
pub(super) async fn turn(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
    running: bool,
) -> Result<Shape<'static>, Fault> {
    let given = input.list_of("Names")?;
    if given.is_empty() {
        return Err(missing("Names"));
    }
    at_most("Names", given.len(), NAMES_MAX)?;
    let mut model = Constraints::default();
    let mut names = Vec::new();
    for (index, name) in given.iter().enumerate() {
        let place = format!("Names.member.{}", index + 1);
        let name = name.as_text().ok_or_else(|| missing(&place))?;
        model.length(&format!("names.{}.member", index + 1), name, 1, NAME_MAX);
        names.push(name.to_owned());
    }
    model.hold()?;
    let places: Vec<String> = names.iter().map(|name| key(&caller.account, name)).collect();
    let there = context.registry.now();
    let changes = |all: &Resources| {
        let stream = |place: &String| all.metric_streams.get(place);
        places.iter().any(|place| stream(place).is_none_or(|stream| stream.running != running))
    };
    if !changes(&there) {
        return Ok(nothing());
    }
    let now_ms = (context.clock)();
    change(context, move |all| {
        for (place, name) in places.iter().zip(&names) {
            let stream = all.metric_streams.get_mut(place).ok_or_else(|| {
                value(format!("The metric stream {name} does not exist, no stream was changed."))
            })?;
            if stream.running != running {
                stream.running = running;
                stream.updated_ms = now_ms.max(stream.updated_ms + 1);
            }
        }
        Ok(())
    })
    .await?;
    Ok(nothing())
}

/// `DeleteMetricStream`. A stream that is not there is deleted already.
pub(super) async fn delete(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let name = required(input, "Name")?;
    let mut model = Constraints::default();
    model.length("name", name, 1, NAME_MAX);
    model.hold()?;
    let place = key(&caller.account, name);
    if context.registry.now().metric_streams.contains_key(&place) {
        change(context, move |all| {
            all.metric_streams.remove(&place);
            Ok(())
        })
        .await?;
    }
    Ok(nothing())
}
