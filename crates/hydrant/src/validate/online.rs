//! `--online`: asks each destination, backup and source of AWS whether it can be reached and knows us.
//! Sends no metric, and takes none.

use delivery::{Destination, S3Backup, StreamConfig, Verdict, sink};
use remote::aws::s3::{From, S3};
use remote::aws::sqs::Sqs;
use remote::aws::{Fault, Identity};

use super::{Asked, Probe, describe::destination_text};
use crate::exit::Exit;
use crate::settings::{ObjectSource, Settings};
use crate::tags;

/// Asks all of them, one after the other: a person waits, and a list in order reads better.
pub fn probe(settings: &Settings) -> Vec<Probe> {
    remote::install_provider();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let all = settings.streams.iter();
            return all.map(|stream| failed(stream, format!("no runtime: {error}"))).collect();
        }
    };
    runtime.block_on(async {
        let mut probes = Vec::new();
        for source in &settings.objects {
            if let ObjectSource::S3(config) = source {
                let outcome = answer_to_source(config).await;
                probes.push(of_aws(Asked::Source, &config.name, source.place(), outcome));
            }
        }
        for stream in &settings.streams {
            probes.push(probe_one(stream).await);
            if let Some(s3) = &stream.backup.s3 {
                let place = format!("s3://{}/{}", s3.bucket, s3.error_output_prefix);
                let outcome = answer_to_backup(s3).await;
                probes.push(of_aws(Asked::Backup, &stream.name, place, outcome));
            }
        }
        probes
    })
}

async fn answer_to_source(config: &intake::objects::s3::Config) -> Result<(), Fault> {
    let identity = Identity::load(config.identity.clone()).await?;
    if let Some(queue) = &config.sqs_queue_url {
        Sqs::new(identity, queue).about().await?;
    } else if let Some(bucket) = &config.bucket {
        S3::new(identity).list(bucket, &config.prefix, From::default()).await?;
    }
    Ok(())
}

/// The permission to put cannot be tried without putting: as for a destination, listing is.
async fn answer_to_backup(s3: &S3Backup) -> Result<(), Fault> {
    let identity = Identity::load(s3.identity.clone()).await?;
    S3::new(identity).list(&s3.bucket, "", From::default()).await.map(|_| ())
}

fn of_aws(asked: Asked, name: &str, place: String, outcome: Result<(), Fault>) -> Probe {
    let (exit, message) = match outcome {
        Ok(()) => (Exit::Done, String::new()),
        Err(fault) => {
            let remedy = fault.remedy.as_ref().map_or(String::new(), |text| format!(" ({text})"));
            (tags::exit_of(&fault), format!("{fault}{remedy}"))
        }
    };
    Probe { asked, name: name.to_owned(), place, exit, message }
}

async fn probe_one(stream: &StreamConfig) -> Probe {
    let config = match &stream.destination {
        // Target and token come with each request: there is nobody to ask yet.
        Destination::FromRequest(_) => return answered(stream, Exit::Done, String::new()),
        Destination::Fixed(config) => config,
    };
    match sink::build(config) {
        Ok((_packer, wire)) => {
            let (exit, message) = judge(wire.probe().await);
            answered(stream, exit, message)
        }
        Err(why) => failed(stream, why),
    }
}

fn failed(stream: &StreamConfig, message: String) -> Probe {
    answered(stream, Exit::Unreachable, message)
}

fn answered(stream: &StreamConfig, exit: Exit, message: String) -> Probe {
    let (name, place) = (stream.name.clone(), destination_text(&stream.destination));
    Probe { asked: Asked::Destination, name, place, exit, message }
}

/// A verdict on nothing sent. What is not an answer of yes is no; whose no decides the code.
fn judge(verdict: Verdict) -> (Exit, String) {
    match verdict {
        Verdict::Delivered | Verdict::Partly { .. } => (Exit::Done, String::new()),
        Verdict::Later { why, .. }
        | Verdict::TooLarge { why }
        | Verdict::Divide { why }
        | Verdict::Never { why } => {
            let exit = if denied(&why) { Exit::Denied } else { Exit::Unreachable };
            (exit, format!("{}: {}", why.code, why.message))
        }
    }
}

/// What some sinks say before the status.
const LEADS: [&str; 2] = [
    "Received the following response from the endpoint destination. ",
    "no answer of gRPC, but HTTP ",
];

/// Verdicts carry no status, but sinks begin the text with it, or say that there is no token.
fn denied(why: &delivery::Why) -> bool {
    let words =
        ["status 401", "status 403", "grpc-status 16 ", "grpc-status 7 ", "no OAuth2 token"];
    let codes = ["S3.AccessDenied", "S3.InvalidToken", "S3.NoCredentials"];
    let message = LEADS.iter().find_map(|lead| why.message.strip_prefix(lead));
    let message = message.unwrap_or(&why.message);
    words.iter().any(|start| message.starts_with(start)) || codes.contains(&why.code)
}

#[cfg(test)]
mod tests {
    use delivery::Why;

    use super::*;

    /// *Scenario:* refusals of credentials as each sink words them, and other failures.
    /// *Guarantees:* the exit code tells the two apart.
    #[test]
    fn refused_credentials_are_told_apart() {
        let exit = |code, message: &str| {
            let why = Why { code, message: message.to_owned() };
            judge(Verdict::Later { after: None, loud: true, why }).0
        };
        let destination = "HttpEndpoint.DestinationException";
        let lead = "Received the following response from the endpoint destination.";
        for message in [
            "status 401 (token missing, wrong or expired)",
            &format!("{lead} status 403: bad key"),
            "grpc-status 16 UNAUTHENTICATED (credentials missing, wrong or expired)",
            "grpc-status 7 PERMISSION_DENIED",
            "no answer of gRPC, but HTTP status 401",
        ] {
            assert_eq!(exit(destination, message), Exit::Denied, "{message}");
        }
        assert_eq!(exit("S3.NoCredentials", "none were found"), Exit::Denied);
        for message in ["status 500: status 401", &format!("{lead} status 404"), "grpc-status 13 X"]
        {
            assert_eq!(exit(destination, message), Exit::Unreachable, "{message}");
        }
    }
}
