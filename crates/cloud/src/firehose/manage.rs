//! Delivery streams made, changed, listed and deleted.
//!
//! Owns which kinds of source and destination there are, and the order in which a change is judged:
//! its form, the stream, its version, its destination, the rest.

use aws::api::{Fault, Shape, Value};

use super::check::{At, Checks, Rule};
use super::configure::{Reading, s3};
use super::describe::LIMIT_MAX;
use super::pattern::Pattern;
use super::{
    Asked, DESTINATION_ID, DeliveryStream, Destination, EMPTY, NAME, arn, encryption, exceeded,
    in_use, invalid, made_topic, of_settings, tags, unkept,
};

/// Delivery streams of an account: AWS's quota in its smallest regions. Each has a topic with a
/// thread and a reserved segment of its own.
const STREAMS_MAX: usize = 100;

/// `Limit` of `ListDeliveryStreams` when it is not given.
const LIST_LIMIT: i64 = 10;

const TYPES: [&str; 4] = ["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"];

/// Kinds of destination, as the members of a request begin.
const HTTP: &str = "HttpEndpoint";
const EXTENDED: &str = "ExtendedS3";
const S3: &str = "S3";
const NOT_BUILT: [&str; 7] = [
    "Redshift",
    "Elasticsearch",
    "Amazonopensearchservice",
    "AmazonOpenSearchServerless",
    "Splunk",
    "Snowflake",
    "Iceberg",
];

const ONE_DESTINATION: &str = "Exactly one destination configuration is supported for a Firehose";

/// The kind of the one destination that a request configures.
fn kind(at: &At<'_>, suffix: &str) -> Result<&'static str, Fault> {
    let all = [HTTP, EXTENDED, S3].into_iter().chain(NOT_BUILT);
    let mut given = all.filter(|kind| at.has(&format!("{kind}Destination{suffix}")));
    let (Some(kind), None) = (given.next(), given.next()) else {
        return Err(invalid(ONE_DESTINATION));
    };
    if NOT_BUILT.contains(&kind) {
        return Err(invalid(format!(
            "{kind}Destination{suffix} is not supported here: delivery streams of this server \
             deliver to an HTTP endpoint ({HTTP}) or to S3 ({EXTENDED}, {S3})"
        )));
    }
    Ok(kind)
}

/// `CreateDeliveryStream`. The stream is active at once.
pub(super) fn create(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let (context, account) = (asked.context, &asked.caller.account);
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    source(&at, &mut checks);
    let hint = at.part(&mut checks, "DirectPutSourceConfiguration").and_then(|part| {
        if !part.has("ThroughputHintInMBs") {
            checks.missing(&part.path("ThroughputHintInMBs"));
        }
        part.number(&mut checks, "ThroughputHintInMBs", 1, 100)
    });
    let encryption = encryption::input(&at, &mut checks).unwrap_or_default();
    let tags = tags::input(&at, &mut checks).unwrap_or_default();
    let arn = arn(context, account, &name);
    let reading =
        Reading { allow_http: context.config.allow_http_endpoints, seal: &context.seal, arn: &arn };
    let kind = kind(&at, "Configuration");
    let destination = kind.map(|kind| {
        let part = at.part(&mut checks, &format!("{kind}DestinationConfiguration"));
        part.map_or_else(Destination::default, |part| match kind {
            HTTP => Destination::HttpEndpoint(Box::new(reading.http(&part, &mut checks, None))),
            _ => Destination::S3(Box::new(s3(&part, &mut checks, None, kind == EXTENDED))),
        })
    });
    checks.done()?;
    let stream = DeliveryStream {
        name: name.clone(),
        account: account.clone(),
        arn: arn.clone(),
        version: 1,
        created_ms: (context.clock)(),
        updated_ms: None,
        tags,
        encryption,
        throughput_hint: hint,
        destination: destination?,
        first: 0,
    };
    let taken = || in_use(format!("Firehose {name} under accountId {account} already exists"));
    if of_settings(context, &name) {
        return Err(taken());
    }
    let kept = context.registry.change(|all| {
        let key = asked.key(&name);
        if all.delivery_streams.contains_key(&key) {
            return Err(taken());
        }
        let streams = all.delivery_streams.values().filter(|one| one.account == *account);
        if streams.count() >= STREAMS_MAX {
            let text = format!("You have already consumed your firehose quota of {STREAMS_MAX}");
            return Err(exceeded(text));
        }
        // Before the yes: a stream without its topic could take nothing.
        let opened = context.journal.topic(&made_topic(&context.config.source, account, &name));
        let opened = opened.map_err(|e| Fault::new("InternalFailure", 500, e.to_string()))?;
        all.delivery_streams.insert(key, DeliveryStream { first: opened.end(), ..stream });
        Ok(())
    });
    kept.map_err(unkept)?;
    Ok(Shape::Members(Value::map([("DeliveryStreamARN", Some(Value::text(arn)))])))
}

/// Records come by `PutRecord` or from a metric stream, from nowhere else.
fn source(at: &At<'_>, checks: &mut Checks) {
    let given = at.word(checks, "DeliveryStreamType", &TYPES);
    let direct = given.as_deref().is_none_or(|kind| kind == "DirectPut");
    let kinesis = at.has("KinesisStreamSourceConfiguration");
    if direct && kinesis {
        checks.refuse(
            "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type",
        );
    }
    let others = ["MSKSourceConfiguration", "DatabaseSourceConfiguration"];
    if !direct || others.iter().any(|name| at.has(name)) {
        checks.refuse(format!(
            "Delivery streams of this server have the type DirectPut; {} is not supported here",
            given.as_deref().filter(|_| !direct).unwrap_or("another source")
        ));
    }
}

/// `UpdateDestination`.
pub(super) fn update(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let context = asked.context;
    let at = At::root(asked.input);
    let mut checks = Checks::default();
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    let digits = Rule::of(1, 50, Pattern::Digits);
    let version = at.must(&mut checks, "CurrentDeliveryStreamVersionId", &digits);
    let id = at.must(&mut checks, "DestinationId", &Rule::of(1, 100, Pattern::DestinationId));
    checks.done()?;
    asked.change(&name, |stream| {
        let current = stream.version.to_string();
        let reading = Reading {
            allow_http: context.config.allow_http_endpoints,
            seal: &context.seal,
            arn: &stream.arn,
        };
        // The form is judged before the version, as the service does.
        let mut checks = Checks::default();
        let changed = changed(&at, &mut checks, &reading, &stream.destination);
        let (sound, refused) = checks.split();
        sound?;
        if version != current {
            return Err(Fault::new(
                "ConcurrentModificationException",
                400,
                format!(
                    "Cannot update firehose: {name} since the current version id: {current} and \
                     specified version id: {version} do not match"
                ),
            ));
        }
        if id != DESTINATION_ID {
            return Err(invalid(format!("Destination Id {id} not found")));
        }
        let changed = changed?;
        refused?;
        stream.destination = changed;
        stream.version += 1;
        stream.updated_ms = Some((context.clock)());
        Ok(())
    })
}

/// The destination as it would be then. Its kind cannot change.
fn changed(
    at: &At<'_>,
    checks: &mut Checks,
    reading: &Reading<'_>,
    there: &Destination,
) -> Result<Destination, Fault> {
    let kind = kind(at, "Update")?;
    let Some(part) = at.part(checks, &format!("{kind}DestinationUpdate")) else {
        return Ok(there.clone());
    };
    match there {
        Destination::HttpEndpoint(there) if kind == HTTP => {
            let changed = reading.http(&part, checks, Some(there));
            Ok(Destination::HttpEndpoint(Box::new(changed)))
        }
        Destination::S3(there) if kind != HTTP => {
            let changed = s3(&part, checks, Some(there), kind == EXTENDED);
            Ok(Destination::S3(Box::new(changed)))
        }
        _ => Err(invalid(format!(
            "Changing the destination type to or from {HTTP} is not supported at this time."
        ))),
    }
}

/// `DeleteDeliveryStream`. No key of KMS is held, so there is nothing to force.
pub(super) fn delete(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    at.flag(&mut checks, "AllowForceDelete");
    checks.done()?;
    let gone = asked.context.registry.change(|all| {
        let gone = all.delivery_streams.remove(&asked.key(&name));
        gone.map(|_| ()).ok_or_else(|| asked.missing(&name))
    });
    gone.map(|()| EMPTY).map_err(unkept)
}

/// `ListDeliveryStreams`: those of the account and those of the settings, by name.
pub(super) fn list(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let limit = at.number(&mut checks, "Limit", 1, LIMIT_MAX).unwrap_or(LIST_LIMIT);
    let kind = at.word(&mut checks, "DeliveryStreamType", &TYPES);
    let after = at.text(&mut checks, "ExclusiveStartDeliveryStreamName", &NAME);
    checks.done()?;
    let now = asked.context.registry.now();
    let made = now.delivery_streams.values().filter(|one| one.account == asked.caller.account);
    let made = made.map(|stream| stream.name.as_str());
    let mut names: Vec<&str> = if kind.is_none_or(|kind| kind == "DirectPut") {
        made.chain(asked.context.config.delivery_streams.iter().map(String::as_str)).collect()
    } else {
        Vec::new()
    };
    names.retain(|name| after.as_deref().is_none_or(|after| *name > after));
    names.sort_unstable();
    names.dedup();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let told = names.iter().take(limit).map(|name| Value::text((*name).to_owned())).collect();
    Ok(Shape::Members(Value::map([
        ("DeliveryStreamNames", Some(Value::List(told))),
        ("HasMoreDeliveryStreams", Some(Value::Bool(names.len() > limit))),
    ])))
}
