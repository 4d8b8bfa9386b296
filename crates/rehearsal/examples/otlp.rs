//! Judges one OTLP request from stdin as the receiver does: prints how many points it holds, or what
//! is wrong. The argument is `protobuf` or `json`. For checks in other languages.

use std::io::{Read, Write};
use std::process::ExitCode;

use rehearsal::otlp::{check, read_json, read_protobuf};

fn main() -> ExitCode {
    let mut body = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut body).is_err() {
        return ExitCode::FAILURE;
    }
    let read = match std::env::args().nth(1).as_deref() {
        Some("protobuf") => read_protobuf(&body),
        Some("json") => read_json(&body),
        _ => return ExitCode::from(2),
    };
    let (text, code) = match read.and_then(|request| check(&request)) {
        Ok(points) => (points.to_string(), ExitCode::SUCCESS),
        Err(why) => (why, ExitCode::FAILURE),
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
