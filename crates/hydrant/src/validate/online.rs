//! `--online`: asks each destination whether it can be reached and knows us. Sends no metric.

use delivery::{Destination, StreamConfig, Verdict, sink};

use super::{Probe, describe::destination_text};
use crate::exit::Exit;
use crate::settings::Settings;

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
    settings.streams.iter().map(|stream| runtime.block_on(probe_one(stream))).collect()
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
    let destination = destination_text(&stream.destination);
    Probe { stream: stream.name.clone(), destination, exit, message }
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
            "status 401 (the token is missing, wrong or expired)",
            &format!("{lead} status 403: bad key"),
            "grpc-status 16 UNAUTHENTICATED (the token is missing, wrong or expired)",
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
