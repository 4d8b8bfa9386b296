//! `credential_process`: a program that prints credentials as JSON.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::super::credentials::Credentials;
use super::super::told::short;
use super::{Fault, broken, from_json};

/// A program that waits for a person's finger on a key takes a while; one that hangs is not awaited.
const PATIENCE: Duration = Duration::from_secs(60);
/// Far above what such a program prints.
const OUTPUT_MAX: u64 = 64 * 1024;

pub(super) async fn run(command: &str) -> Result<Credentials, Fault> {
    let program = command.split_ascii_whitespace().next().unwrap_or_default();
    let fail = |what: &str| {
        let remedy = "run the command of credential_process by hand; it must print \
                      {\"Version\": 1, \"AccessKeyId\": ..., \"SecretAccessKey\": ...}";
        broken(&format!("credential_process ({program})"), what, remedy)
    };
    let child = tokio::process::Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| fail(&format!("sh cannot be started: {error}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let (printed, said, status) = tokio::time::timeout(PATIENCE, all)
        .await
        .map_err(|_| fail(&format!("it was not done within {PATIENCE:?}")))?;
    let status = status.map_err(|error| fail(&error.to_string()))?;
    if !status.success() {
        let said = short(&String::from_utf8_lossy(&said));
        return Err(fail(&format!("it ended with {status}: {said}")));
    }
    let value = serde_json::from_slice::<serde_json::Value>(&printed).ok();
    if value.as_ref().and_then(|value| value.get("Version")?.as_u64()) != Some(1) {
        return Err(fail("it printed no JSON with Version 1"));
    }
    let from = format!("credential_process ({program})");
    let read = from_json(&printed, "SessionToken", &from);
    read.ok_or_else(|| fail("what it printed lacks a member, or Expiration is no time"))
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What could be read is judged; an error here shows as a missing end.
        stream.take(OUTPUT_MAX).read_to_end(&mut bytes).await.ok();
    }
    bytes
}
