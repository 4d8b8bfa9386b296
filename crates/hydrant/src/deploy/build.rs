//! The plan: which source, which streams, and what the flags say.

use super::filters::{self, ENTRIES_MAX};
use super::parameter::{Kind, Parameter, Tool, camel};
use super::pick::{Picked, pick};
use super::plan::{
    AccessKey, AttributeValue, Bucket, Delivery, Function, Http, MetricStream, Plan, Queue, Reader,
    Topology,
};
use super::refusal::Refusal;
use super::{endpoint, policy};
use crate::cli::{AccessKeyFrom, DeployOptions, RecordFormat};
use crate::settings::{Elsewhere, Environment, Portable};

/// Of everything that is made.
const NAME: &str = "hydrant";
/// As people's scripts have it from Dynatrace.
const NAME_DYNATRACE: &str = "dynatrace-aws-metric-streams-client";
/// With account and region behind it, it is the name of a bucket, which has at most 63 characters.
const NAME_PATTERN: &str = "^[a-z][a-z0-9-]{0,34}$";
/// Where objects lie, so that what failed lies elsewhere.
const PREFIX: &str = "metrics/";
/// Time for the retries of a function.
const FUNCTION_TIMEOUT: u32 = 60;
/// How many timeouts of the function a message is hidden, as AWS advises.
pub(super) const VISIBILITY_TIMEOUTS: u32 = 6;
/// All environment variables of a function together; some room is left for their values.
const LAMBDA_STREAM_BYTES_MAX: usize = 3 * 1024;

/// Carries over a restart of Hydrant, or a full journal; costs nothing.
const RETRY: u32 = 3600;
/// What Dynatrace itself advises.
const RETRY_DYNATRACE: u32 = 900;

/// The parameter that names the secret with the access key.
const SECRET: &str = "access_key_secret_arn";

/// Everything that is to be made, or why nothing can be.
pub fn plan(elsewhere: &Elsewhere, options: &DeployOptions) -> Result<Plan, Refusal> {
    let picked = pick(&elsewhere.settings, options)?;
    let then = match picked.topology {
        Topology::Dynatrace => "Dynatrace gets, and bills, what is beyond the filter",
        _ => "Hydrant filters what is beyond",
    };
    let (filters, mut notes) = filters::union(&picked.streams, then);
    let entries = filters.entries();
    if entries > ENTRIES_MAX {
        return Err(Refusal::settings(
            format!(
                "the filters of the metric stream have {entries} entries; AWS takes {ENTRIES_MAX}"
            ),
            "each namespace and each metric name is one: drop metric_names where most of a namespace \
             is wanted, or deploy twice, each time with some of the streams (--stream)",
        ));
    }
    let name = name(options, picked.topology)?;
    let mut parameters = vec![
        Parameter::new(
            "name",
            Kind::Text(
                NAME_PATTERN,
                "1 to 35 of a-z, 0-9 and -, the first a letter, since the bucket's name begins with it",
            ),
            "Name of the streams, and prefix of the bucket's name",
        )
        .or(name),
        Parameter::new(
            "include_linked_accounts_metrics",
            Kind::Flag,
            "Also metrics of accounts that are linked to this one; only in a monitoring account",
        )
        .or(options.linked_accounts),
    ];
    let output_format = match options.format {
        RecordFormat::Json => "json",
        RecordFormat::Otel07 => "opentelemetry0.7",
        RecordFormat::Otel10 => "opentelemetry1.0",
    };
    let delivery = match picked.topology {
        Topology::Http | Topology::Dynatrace => {
            let http = http(&picked, elsewhere, options, &mut parameters, &mut notes)?;
            Delivery::Http(http)
        }
        Topology::S3 | Topology::Sqs | Topology::Lambda => {
            Delivery::Objects { prefix: prefix(&picked, &mut notes) }
        }
    };
    parameters.extend(numbers(&delivery, picked.topology));
    let mut plan = Plan {
        topology: picked.topology,
        about: about(&picked),
        regions: picked.regions.clone(),
        metric_stream: MetricStream { filters, output_format },
        roles: vec![policy::metric_stream(), policy::firehose(secret(&delivery))],
        bucket: Bucket {
            name: picked.bucket.clone(),
            policy: policy::bucket(),
            key_policy: policy::key(),
        },
        delivery,
        queue: None,
        reader: None,
        function: None,
        parameters,
        notes,
    };
    read_by(&mut plan, &picked, elsewhere, options)?;
    Ok(plan)
}

/// The URL of the Dynatrace environment, when it is written in the settings and not elsewhere.
fn environment_url(picked: &Picked<'_>, elsewhere: &Elsewhere) -> Option<String> {
    let environment = Environment::of_process();
    picked.streams.iter().find_map(|stream| {
        let portable = Portable::of(&elsewhere.text, &environment, &stream.name)?;
        let body: serde_json::Value = serde_json::from_str(&portable.text).ok()?;
        let destination = body.get("destination")?;
        let url = destination.get("url")?.as_str().filter(|url| url.starts_with("https://"))?;
        (destination.get("type")? == "dynatrace" && !url.contains("${")).then(|| url.to_owned())
    })
}

fn name(options: &DeployOptions, topology: Topology) -> Result<String, Refusal> {
    let default = if topology == Topology::Dynatrace { NAME_DYNATRACE } else { NAME };
    let name = options.name.as_deref().unwrap_or(default);
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if begins && name.len() <= 35 && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    Err(Refusal::usage(
        format!("--name {name:?} cannot begin the name of a bucket"),
        "take 1 to 35 of a-z, 0-9 and \"-\", the first of them a letter",
    ))
}

fn about(picked: &Picked<'_>) -> String {
    let source = picked.source.as_deref().unwrap_or_default();
    match picked.topology {
        Topology::Http => {
            format!("metric stream -> Firehose -> Hydrant (source {source}, over HTTPS)")
        }
        Topology::S3 => {
            format!("metric stream -> Firehose -> S3 -> Hydrant (source {source}, by listing)")
        }
        Topology::Sqs => {
            format!("metric stream -> Firehose -> S3 -> SQS -> Hydrant (source {source})")
        }
        Topology::Lambda => {
            let stream = picked.streams.first().map_or("", |stream| stream.name.as_str());
            format!(
                "metric stream -> Firehose -> S3 -> SQS -> Hydrant as a function (stream {stream})"
            )
        }
        Topology::Dynatrace => {
            "metric stream -> Firehose -> Dynatrace's own endpoint, without Hydrant".to_owned()
        }
    }
}

fn http(
    picked: &Picked<'_>,
    elsewhere: &Elsewhere,
    options: &DeployOptions,
    parameters: &mut Vec<Parameter>,
    notes: &mut Vec<String>,
) -> Result<Http, Refusal> {
    let is_direct = picked.topology == Topology::Dynatrace;
    let as_dynatrace = is_direct || picked.from_request;
    let url = if is_direct {
        parameters.push(endpoint::of_dynatrace(options)?);
        "firehose_http_delivery_endpoint"
    } else {
        parameters.push(endpoint::of_hydrant(picked, options, notes)?);
        "endpoint_url"
    };
    let mut attributes = Vec::new();
    if as_dynatrace {
        parameters.extend(endpoint::dynatrace_parameters(environment_url(picked, elsewhere)));
        for (name, parameter) in [
            ("dt-url", "dynatrace_environment_url"),
            ("require-valid-certificate", "require_valid_certificate"),
        ] {
            attributes.push((name.to_owned(), AttributeValue::Parameter(parameter)));
        }
    }
    for (name, value) in &options.attributes {
        endpoint::check_attribute(name, value)?;
        endpoint::check_room(name, &attributes)?;
        attributes.push((name.clone(), AttributeValue::Literal(value.clone())));
    }
    let access_key = access_key(picked, options, as_dynatrace, notes);
    parameters.extend(key_parameter(access_key));
    let name = if is_direct { "Dynatrace" } else { "Hydrant" };
    Ok(Http { name, url, access_key, attributes })
}

fn access_key(
    picked: &Picked<'_>,
    options: &DeployOptions,
    as_dynatrace: bool,
    notes: &mut Vec<String>,
) -> AccessKey {
    if !as_dynatrace && !picked.has_keys {
        let source = picked.source.as_deref().unwrap_or_default();
        notes.push(format!(
            "sources.{source} has no access_keys: anyone who finds it can deliver, and Firehose is \
             given no key; set access_keys and write this again"
        ));
        return AccessKey::None;
    }
    let default = if as_dynatrace { AccessKeyFrom::Variable } else { AccessKeyFrom::Secret };
    match options.access_key.unwrap_or(default) {
        AccessKeyFrom::Secret => AccessKey::Secret(SECRET),
        AccessKeyFrom::Variable if as_dynatrace => AccessKey::Variable("dynatrace_api_key"),
        AccessKeyFrom::Variable => AccessKey::Variable("access_key"),
    }
}

fn key_parameter(key: AccessKey) -> Option<Parameter> {
    match key {
        AccessKey::None => None,
        AccessKey::Secret(name) => {
            let about = "ARN of the secret with the access key, in this region; its text is \
                         {\"api_key\": \"...\"}";
            let kind = Kind::Text("^arn:[^:]+:secretsmanager:.+$", "the ARN of a secret");
            let mut parameter = Parameter::new(name, kind, about);
            parameter.regional = true;
            Some(parameter)
        }
        AccessKey::Variable("dynatrace_api_key") => {
            let about = "Access token of Dynatrace with the scope metrics.ingest";
            Some(Parameter::new("dynatrace_api_key", Kind::Any, about).secret())
        }
        AccessKey::Variable(name) => {
            let about = "Access key that Firehose sends, one of access_keys of the source";
            Some(Parameter::new(name, Kind::Any, about).secret())
        }
    }
}

fn secret(delivery: &Delivery) -> Option<&'static str> {
    match delivery {
        Delivery::Http(Http { access_key: AccessKey::Secret(parameter), .. }) => Some(parameter),
        _ => None,
    }
}

/// Where the objects lie: as the source says.
fn prefix(picked: &Picked<'_>, notes: &mut Vec<String>) -> String {
    match picked.prefix.as_deref() {
        None => PREFIX.to_owned(),
        Some("") => {
            notes.push(format!(
                "objects are written below {PREFIX}, so that what failed lies elsewhere: give the \
                 source prefix: {PREFIX}"
            ));
            PREFIX.to_owned()
        }
        Some(prefix) if prefix.ends_with('/') => prefix.to_owned(),
        Some(prefix) => format!("{prefix}/"),
    }
}

/// Sizes and times, by what AWS allows.
fn numbers(delivery: &Delivery, topology: Topology) -> Vec<Parameter> {
    let (size, size_max, kept) = match delivery {
        // As Dynatrace advises, and small enough for any receiver; the metric stream writes once a minute.
        Delivery::Http(_) => (3, 64, "Days that what could not be delivered is kept"),
        Delivery::Objects { .. } => (5, 128, "Days that objects are kept"),
    };
    let mut list = vec![
        Parameter::new(
            "buffering_size",
            Kind::Number(1, size_max),
            "MiB that Firehose gathers before it delivers",
        )
        .or(size),
        Parameter::new(
            "buffering_interval",
            Kind::Number(0, 900),
            "Seconds that Firehose gathers before it delivers",
        )
        .or(60),
    ];
    if matches!(delivery, Delivery::Http(_)) {
        let about = "Seconds that Firehose tries again before a delivery goes to the bucket";
        let retry = if topology == Topology::Dynatrace { RETRY_DYNATRACE } else { RETRY };
        list.push(Parameter::new("retry_duration", Kind::Number(0, 7200), about).or(retry));
    }
    list.push(Parameter::new("retention_days", Kind::Number(1, 3650), kept).or(30));
    let days = vec![1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365];
    let about = "Days that logs are kept";
    list.push(Parameter::new("log_retention_days", Kind::Numbers(days), about).or(14));
    list
}

/// Who reads the bucket.
fn read_by(
    plan: &mut Plan,
    picked: &Picked<'_>,
    elsewhere: &Elsewhere,
    options: &DeployOptions,
) -> Result<(), Refusal> {
    let Delivery::Objects { prefix } = &plan.delivery else { return Ok(()) };
    let prefix = prefix.clone();
    let has_queue = picked.topology != Topology::S3;
    if has_queue {
        plan.queue = Some(Queue {
            name: picked.queue.clone(),
            prefix: prefix.clone(),
            visibility_seconds: picked.visibility,
            policy: policy::queue(),
        });
    }
    if picked.topology == Topology::Lambda {
        let backup = picked.streams.first().and_then(|stream| stream.backup.s3.as_ref());
        plan.roles.push(policy::function(&prefix, backup.map(|s3| s3.bucket.as_str())));
        if picked.streams.iter().any(|stream| stream.enrich.tags.is_some()) {
            let what = "enrich.tags of the stream: the snapshot of tags belongs into the zip file";
            plan.notes.push(what.to_owned());
        }
        let (function, parameters) = function(picked, elsewhere)?;
        plan.function = Some(function);
        plan.parameters.extend(parameters);
        return Ok(());
    }
    let queue = has_queue.then_some(policy::HYDRANT_ON_QUEUE.as_slice());
    let statements = policy::read_objects(&prefix, queue);
    plan.reader = Some(Reader { statements, role: options.reader.is_some() });
    if let Some(principal) = &options.reader {
        endpoint::check_principal(principal)?;
        let kind =
            Kind::Text("^arn:[^:]+:iam::[0-9]{12}:.+$", "the ARN of a role, user or account");
        let about = "Who takes on the role that reads bucket and queue";
        plan.parameters.push(Parameter::new("reader_principal_arn", kind, about).or(principal));
        let kind = Kind::Text("^[A-Za-z0-9+=,.@:/_-]{2,1224}$", "2 to 1224 characters");
        let about = "What whoever takes on that role must say: assume_role.external_id";
        plan.parameters.push(Parameter::new("reader_external_id", kind, about).secret());
    }
    if has_queue && picked.queue.is_none() {
        let source = picked.source.as_deref().unwrap_or_default();
        plan.notes.push(format!(
            "once it is deployed, put the output queue_url into sources.{source}.sqs_queue_url"
        ));
    }
    Ok(())
}

fn function(
    picked: &Picked<'_>,
    elsewhere: &Elsewhere,
) -> Result<(Function, Vec<Parameter>), Refusal> {
    let environment = Environment::of_process();
    let name = picked.streams.first().map_or("", |stream| stream.name.as_str());
    let portable = Portable::of(&elsewhere.text, &environment, name).unwrap_or_default();
    if portable.text.len() > LAMBDA_STREAM_BYTES_MAX {
        return Err(Refusal::settings(
            format!(
                "streams.{name} has {} bytes; a function has 4 KB of variables in all",
                portable.text.len()
            ),
            "shorten its filters: the metric stream filters already",
        ));
    }
    let mut parameters = vec![
        Parameter::new(
            "function_zip",
            Kind::Any,
            "Zip file with the binary of Hydrant as bootstrap",
        )
        .or("function.zip")
        .only(Tool::Terraform),
        Parameter::new(
            "code_bucket",
            Kind::Any,
            "Bucket, of this region, with the zip file that holds the binary of Hydrant as bootstrap",
        )
        .only(Tool::CloudFormation),
        Parameter::new("code_key", Kind::Any, "Key of the zip file")
            .or("function.zip")
            .only(Tool::CloudFormation),
        Parameter::new(
            "architecture",
            Kind::Choice(vec!["arm64", "x86_64"]),
            "What the binary was built for",
        )
        .or("arm64"),
        Parameter::new("function_memory", Kind::Number(128, 10240), "MB of the function").or(256),
        Parameter::new(
            "function_timeout",
            Kind::Number(10, 900),
            "Seconds of the function: also the time for its retries",
        )
        .or(FUNCTION_TIMEOUT),
        Parameter::new(
            "queue_visibility",
            Kind::Number(10, 43_200),
            "Seconds that a message is hidden; six times FunctionTimeout",
        )
        .or(FUNCTION_TIMEOUT * VISIBILITY_TIMEOUTS)
        .only(Tool::CloudFormation),
    ];
    let mut variables = Vec::new();
    for variable in portable.variables.iter().filter(|one| !is_set_by_lambda(&one.name)) {
        if !is_taken_by_lambda(&variable.name) {
            let (key, variable) = (&variable.key, &variable.name);
            return Err(Refusal::settings(
                format!(
                    "streams.{name}.{key} needs {variable}, which no variable of a function can be called"
                ),
                "give it a letter first, then letters, digits and _, two or more in all, and not a name \
                 that begins with HYDRANT_STREAM or HYDRANT_SOURCE",
            ));
        }
        let about = format!("{} of the stream, as the variable {}", variable.key, variable.name);
        let name = free_name(&variable.name, &parameters);
        let parameter = Parameter::new(&name, Kind::Any, about).secret();
        parameters.push(if variable.optional { parameter.or("") } else { parameter });
        variables.push((variable.name.clone(), name));
    }
    Ok((Function { stream: portable.text, variables }, parameters))
}

/// A parameter for a variable, of a name that nothing else has in either tool's spelling.
fn free_name(variable: &str, taken: &[Parameter]) -> String {
    let mut name = format!("stream_{}", variable.to_ascii_lowercase());
    while taken.iter().any(|other| other.camel() == camel(&name)) {
        name.push_str("_too");
    }
    name
}

/// Lambda sets these itself and takes them from nobody.
fn is_set_by_lambda(name: &str) -> bool {
    let own = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    own.contains(&name) || name == "AWS_SESSION_TOKEN" || name.starts_with("AWS_LAMBDA_")
}

/// What Lambda takes for the name of a variable, and Hydrant for none of its own settings.
fn is_taken_by_lambda(name: &str) -> bool {
    let own = name.starts_with("HYDRANT_STREAM") || name.starts_with("HYDRANT_SOURCE");
    let letter_first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    !own && letter_first && rest && name.len() > 1 && name != "AWS_EXECUTION_ENV"
}

#[cfg(test)]
mod tests;
