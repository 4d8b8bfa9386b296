//! What the comparison needs and a peer must not bring itself: deliveries, a sender, a sink.
//!
//! `load generate` writes a pool of deliveries, `load send` delivers it and times the answers,
//! `load sink` takes what a peer sends on and counts it. Each prints one JSON object.

mod arguments;
mod expected;
mod generate;
mod http;
mod lines;
mod otlp;
mod otlp_json;
mod pool;
mod proto;
mod remote_write;
mod send;
mod sink;
mod tally;

use arguments::Arguments;

const USAGE: &str = "usage:
  load generate --directory DIR --format otel10|otel07|json --deliveries N --metrics N [--seed N]
  load send --directory DIR --to 127.0.0.1:PORT --path / [--encoding gzip|none] [--key K]
            [--connections N] [--rate METRICS/S] [--count DELIVERIES] [--for SECONDS]
            [--retry SECONDS] [--acks FILE]
  load sink --listen 127.0.0.1:PORT --check count|intact|exact [--directory DIR]";

fn main() {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let outcome = Arguments::parse(words).and_then(|arguments| match command.as_str() {
        "generate" => generate::run(&arguments),
        "send" => send::run(&arguments),
        "sink" => sink::run(&arguments),
        _ => Err(USAGE.to_owned()),
    });
    if let Err(error) = outcome {
        eprintln!("load: {error}");
        std::process::exit(2);
    }
}
