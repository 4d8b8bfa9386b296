//! What the settings would run: sources, streams and destinations, never a secret.

use std::path::Path;

use delivery::sink::{Config, otlp};
use delivery::{BackupConfig, BackupMode, Destination, StartFrom, StreamConfig};
use serde_json::{Value, json};

use super::Probe;
use crate::exit::Exit;
use crate::settings::quantity::{counted, duration_text, size_about};
use crate::settings::{ApiSource, FirehoseSource, ObjectSource, Settings};
use crate::terminal::Paint;

/// For a person.
pub(super) fn text(file: &Path, settings: &Settings, probes: &[Probe], paint: Paint) -> String {
    let mut out = format!(
        "{} {}\n  data      {}, at most {}\n  admin     http://{}\n",
        paint.good("valid"),
        file.display(),
        settings.data_dir.display(),
        size_about(settings.budget.total_bytes),
        settings.admin.listen,
    );
    for source in &settings.sources {
        out.push_str(&format!("  source    {}: {}\n", source.name, source_text(source)));
    }
    for source in &settings.apis {
        out.push_str(&format!("  source    {}: {}\n", source.name, api_text(source)));
    }
    for source in &settings.objects {
        out.push_str(&format!("  source    {}: {}\n", source.name(), source.place()));
    }
    for stream in &settings.streams {
        let from = stream.sources.join(", ");
        let to = destination_text(&stream.destination);
        let retry = duration_text(stream.retry_duration);
        out.push_str(&format!("  stream    {}: {from} -> {to}\n", stream.name));
        let backup = backup_text(&stream.backup);
        out.push_str(&format!("            retried for {retry}, then to {backup}\n"));
    }
    for probe in probes {
        let good = probe.exit == Exit::Done;
        let word = if good { paint.good("reached") } else { paint.error("failed ") };
        let message = if good { "" } else { probe.message.as_str() };
        out.push_str(&format!("  {word}   {}: {}", probe.owner(), probe.place));
        out.push_str(if message.is_empty() { "\n" } else { ": " });
        if !message.is_empty() {
            out.push_str(&format!("{message}\n"));
        }
    }
    let sources = settings.sources.len() + settings.apis.len() + settings.objects.len();
    let (sources, streams) =
        (counted(sources, "source"), counted(settings.streams.len(), "stream"));
    out.push_str(&format!("{sources}, {streams}\n"));
    out
}

fn source_text(source: &FirehoseSource) -> String {
    let scheme = if source.tls.is_some() { "https" } else { "http" };
    let keys = match source.access.keys.len() {
        0 => "no access key".to_owned(),
        1 => "1 access key".to_owned(),
        count => format!("{count} access keys"),
    };
    let lenient = if source.access.lenient { ", lenient" } else { "" };
    format!("firehose on {scheme}://{}, {keys}{lenient}", source.listen)
}

fn api_text(source: &ApiSource) -> String {
    let scheme = if source.tls.is_some() { "https" } else { "http" };
    let keys = match source.credentials.len() {
        1 => "1 credential".to_owned(),
        count => format!("{count} credentials"),
    };
    let unsigned = match &source.unsigned_account {
        Some(account) => format!(", unsigned calls as {account}"),
        None => String::new(),
    };
    format!("aws_api {} on {scheme}://{}, {keys}{unsigned}", source.region, source.listen)
}

fn backup_text(backup: &BackupConfig) -> String {
    let directory = backup.directory.display();
    match &backup.s3 {
        None => directory.to_string(),
        Some(s3) => {
            format!("s3://{}/{} (by way of {directory})", s3.bucket, s3.error_output_prefix)
        }
    }
}

/// Type and place of a destination, never a secret. For `validate` and the startup line.
pub fn destination_text(destination: &Destination) -> String {
    match destination {
        Destination::FromRequest(from) => {
            format!("dynatrace by request: {}", from.allowed_hosts.join(", "))
        }
        Destination::Fixed(Config::Dynatrace(config)) => {
            format!("dynatrace {}", without_query(&config.url))
        }
        Destination::Fixed(Config::Otlp(config)) => {
            format!("otlp {} ({})", without_query(&config.endpoint), protocol(config.protocol))
        }
        Destination::Fixed(Config::Prometheus(config)) => {
            format!("prometheus_remote_write {}", without_query(&config.url))
        }
        Destination::Fixed(Config::HttpEndpoint(config)) => {
            format!("http_endpoint {}", host_of(&config.url))
        }
        Destination::Fixed(Config::S3(config)) => {
            format!("s3 s3://{}/{}", config.bucket, config.prefix)
        }
        Destination::Fixed(Config::File(config)) => format!("file {}", config.path.display()),
        Destination::Fixed(Config::Blackhole) => "blackhole".to_owned(),
    }
}

/// Many receivers of Firehose have their key in the path.
fn host_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let length = url.get(after..).and_then(|rest| rest.find(['/', '?']));
    url.get(..length.map_or(url.len(), |length| after + length)).unwrap_or_default()
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

fn protocol(protocol: otlp::Protocol) -> &'static str {
    match protocol {
        otlp::Protocol::HttpProtobuf => "http/protobuf",
        otlp::Protocol::HttpJson => "http/json",
        otlp::Protocol::Grpc => "grpc",
    }
}

fn kind(destination: &Destination) -> &'static str {
    match destination {
        Destination::FromRequest(_) | Destination::Fixed(Config::Dynatrace(_)) => "dynatrace",
        Destination::Fixed(Config::Otlp(_)) => "otlp",
        Destination::Fixed(Config::Prometheus(_)) => "prometheus_remote_write",
        Destination::Fixed(Config::HttpEndpoint(_)) => "http_endpoint",
        Destination::Fixed(Config::S3(_)) => "s3",
        Destination::Fixed(Config::File(_)) => "file",
        Destination::Fixed(Config::Blackhole) => "blackhole",
    }
}

/// For a script.
pub(super) fn sources_json(settings: &Settings) -> Value {
    let one = |source: &FirehoseSource| {
        json!({
            "name": source.name,
            "type": "firehose",
            "listen": source.listen,
            "tls": source.tls.is_some(),
            "access_keys": source.access.keys.len(),
            "lenient": source.access.lenient,
        })
    };
    let objects = |source: &ObjectSource| {
        json!({
            "name": source.name(),
            "type": match source {
                ObjectSource::S3(_) => "s3",
                ObjectSource::Files(config) if config.path.is_none() => "stdin",
                ObjectSource::Files(_) => "file",
            },
            "place": source.place(),
        })
    };
    let apis = settings.apis.iter().map(|source| {
        json!({
            "name": source.name,
            "type": "aws_api",
            "listen": source.listen,
            "tls": source.tls.is_some(),
            "region": source.region,
            "credentials": source.credentials.len(),
            "unsigned": source.unsigned_account.is_some(),
        })
    });
    let doors = settings.sources.iter().map(one);
    doors.chain(apis).chain(settings.objects.iter().map(objects)).collect()
}

/// For a script.
pub(super) fn streams_json(settings: &Settings) -> Value {
    let one = |stream: &StreamConfig| {
        json!({
            "name": stream.name,
            "sources": stream.sources,
            "destination": {
                "type": kind(&stream.destination),
                "place": destination_text(&stream.destination),
            },
            "include": stream.include.len(),
            "exclude": stream.exclude.len(),
            "retry_duration_seconds": stream.retry_duration.as_secs_f64(),
            "start_from": match stream.start_from {
                StartFrom::Newest => "newest",
                StartFrom::Oldest | StartFrom::At(_) => "oldest",
            },
            "backup": {
                "mode": match stream.backup.mode {
                    BackupMode::FailedDataOnly => "failed_data_only",
                    BackupMode::AllData => "all_data",
                },
                "directory": stream.backup.directory,
                "bucket": stream.backup.s3.as_ref().map(|s3| &s3.bucket),
            },
            "max_backlog_bytes": stream.max_backlog_bytes,
            "concurrency": stream.concurrency,
        })
    };
    settings.streams.iter().map(one).collect()
}
