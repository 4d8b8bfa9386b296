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

/// Verdicts carry no status, but sinks begin the text with it, or say that there is no token.
fn denied(why: &delivery::Why) -> bool {
    let words = ["status 401", "status 403", "no OAuth2 token"];
    let codes = ["S3.AccessDenied", "S3.InvalidToken"];
    words.iter().any(|start| why.message.starts_with(start)) || codes.contains(&why.code)
}
