//! The operations, called as the port calls them.

mod captured;
mod errors;
mod lifecycle;
mod queries;
mod random;

use std::sync::Arc;

use aws::api::{Fault, Shape, Value};
use journal::{Journal, Options};
use testkit::TempDir;

use crate::api::{Caller, Config, Context, Credential, Incoming};
use crate::fold::Given;
use crate::registry::Registry;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;
const ACCOUNT: &str = "123456789012";
const FIREHOSE: &str = "arn:aws:firehose:us-east-1:123456789012:deliverystream/s";
const ROLE: &str = "arn:aws:iam::123456789012:role/ms";

/// A port without a socket.
struct Port {
    _folder: TempDir,
    context: Context,
    caller: Caller,
    runtime: tokio::runtime::Runtime,
}

fn port(name: &str) -> Port {
    let folder = TempDir::new(name);
    let options = Options { segment_bytes: 1 << 20, ..Options::default() };
    let (journal, _) = Journal::open(&folder.path().join("journal"), options).unwrap();
    let topic = journal.topic("cloud").unwrap();
    let credential = Credential {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        account_id: ACCOUNT.to_owned(),
        policy: None,
    };
    let context = Context {
        config: Arc::new(Config {
            source: "cloud".to_owned(),
            region: "us-east-1".to_owned(),
            credentials: vec![credential],
            unsigned: Some(ACCOUNT.to_owned()),
            allow_http_endpoints: false,
            delivery_streams: vec!["s".to_owned()],
        }),
        registry: Registry::open(&folder.join("resources.json")).unwrap(),
        journal,
        topic,
        windows: Arc::default(),
        keys: Arc::default(),
        counts: Arc::default(),
        seal: Arc::new(
            entry::seal::SealKey::from_text("a key of more than thirty-two characters").unwrap(),
        ),
        clock: Arc::new(|| NOW),
    };
    let caller = Caller {
        account: ACCOUNT.to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        arn: format!("arn:aws:iam::{ACCOUNT}:user/AKIDEXAMPLE"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Port { _folder: folder, context, caller, runtime }
}

impl Port {
    fn call(&self, operation: &str, input: &Value<'_>) -> Result<Value<'static>, Fault> {
        let called = super::call(&self.context, &self.caller, operation, input);
        match self.runtime.block_on(called).expect("the operation exists")? {
            Shape::Members(members) => Ok(members),
            Shape::None | Shape::Without(_) | Shape::Json(_) => {
                panic!("{operation} answers with members")
            }
        }
    }

    /// Asks in JSON and is told as JSON.
    fn ask(&self, operation: &str, input: &str) -> Result<serde_json::Value, Fault> {
        let input = serde_json::from_str(input).unwrap();
        let told = self.call(operation, &input)?;
        Ok((&told).into())
    }

    fn refused(&self, operation: &str, input: &str) -> Fault {
        self.ask(operation, input).expect_err(input)
    }

    fn respond(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
        let incoming = Incoming { method: "POST", path, query: "", headers, body, plain: body };
        let answer = self.runtime.block_on(self.context.respond(&incoming));
        (answer.status, answer.body)
    }

    /// A set in a minute before now, without dimensions.
    fn give(&self, minutes_ago: i64, sets: &[Given<'_>]) {
        self.context.windows.give(NOW - minutes_ago * 60_000, sets).unwrap();
    }
}

/// The input of a stream with further members.
fn stream(name: &str, more: &str) -> String {
    format!(
        r#"{{"Name":"{name}","FirehoseArn":"{FIREHOSE}","RoleArn":"{ROLE}","OutputFormat":"json"{more}}}"#
    )
}
