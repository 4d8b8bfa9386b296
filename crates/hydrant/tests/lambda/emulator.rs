//! The runtime API as a scripted peer, and the function as a process beside it.

use std::collections::VecDeque;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use testkit::{Peer, Process, Received, Reply, TempDir};

/// A start or an answer that takes longer hangs: a debug build on a busy machine needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The path below which the emulator answers, as cargo-lambda gives one.
const BELOW: &str = "/.rt/hello";

/// An event, and how long the function has for it.
pub(crate) struct Given {
    pub(crate) event: String,
    pub(crate) within_ms: i64,
}

impl Given {
    /// With a minute of time.
    pub(crate) fn new(event: impl Into<String>) -> Given {
        Given { event: event.into(), within_ms: 60_000 }
    }

    pub(crate) fn within_ms(mut self, within_ms: i64) -> Given {
        self.within_ms = within_ms;
        self
    }
}

/// A function under test. It gets the events in their order, then waits.
pub(crate) struct Lambda {
    pub(crate) peer: Peer,
    pub(crate) process: Process,
    pub(crate) dir: TempDir,
}

/// Variables of this machine that would reach the function, each set to nothing.
const CLEARED: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "OTEL_COLLECTOR_URL",
    "ENDPOINT_URL",
    "S3_BUCKET_NAME",
    "S3_PREFIX",
    "OTEL_SERVICE_NAME",
];

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl Lambda {
    /// Starts the binary under the name that Lambda runs, with these variables.
    pub(crate) fn start(given: Vec<Given>, variables: &[(&str, &str)]) -> Lambda {
        Self::start_with(given, variables, |_| Reply::status(202))
    }

    /// The same, with another answer to the function's answers.
    pub(crate) fn start_with(
        given: Vec<Given>,
        variables: &[(&str, &str)],
        mut taken: impl FnMut(&Received) -> Reply + Send + 'static,
    ) -> Lambda {
        let dir = TempDir::new("lambda");
        let mut events: VecDeque<Given> = given.into();
        let mut number = 0;
        let peer = Peer::scripted(move |request| {
            if request.method != "GET" {
                return taken(request);
            }
            let Some(given) = events.pop_front() else { return Reply::Hang };
            number += 1;
            Reply::json(200, &given.event)
                .with("Lambda-Runtime-Aws-Request-Id", &format!("request-{number}"))
                .with("Lambda-Runtime-Deadline-Ms", &(now_ms() + given.within_ms).to_string())
                .with("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        });
        let address = format!("{}{BELOW}", peer.address());
        let temporary = dir.path().to_str().unwrap().to_owned();
        let mut environment: Vec<(&str, &str)> = CLEARED.iter().map(|name| (*name, "")).collect();
        environment.extend([("AWS_LAMBDA_RUNTIME_API", address.as_str()), ("TMPDIR", &temporary)]);
        environment.extend([
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ]);
        environment.extend(variables);
        let bootstrap = dir.join("bootstrap");
        symlink(testkit::binary(env!("CARGO_BIN_EXE_hydrant")), &bootstrap).unwrap();
        // What Lambda passes, if anything, is the name of a handler.
        let process = Process::start_with(bootstrap, ["handler"], dir.path(), &environment);
        Lambda { peer, process, dir }
    }

    /// Waits for so many answers, and gives them all: what was posted, and where.
    #[track_caller]
    pub(crate) fn answers(&self, count: usize) -> Vec<Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let requests = self.peer.requests();
            let posted: Vec<&Received> = requests.iter().filter(|r| r.method == "POST").collect();
            if posted.len() >= count {
                return posted.into_iter().map(Answer::of).collect();
            }
            let log = || self.process.stderr().join("\n");
            assert!(Instant::now() < deadline, "{} of {count} answers:\n{}", posted.len(), log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The one answer.
    pub(crate) fn answer(&self) -> Answer {
        self.answers(1).remove(0)
    }

    /// The log so far, a line each.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.process.stderr();
        let read = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        lines.iter().map(read).collect()
    }

    /// The lines of the log with this message, when there are so many: they may come later than the
    /// answer that followed them.
    #[track_caller]
    pub(crate) fn logged(&self, message: &str, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines: Vec<Value> =
                self.log().into_iter().filter(|line| line["message"] == message).collect();
            if lines.len() >= count {
                return lines;
            }
            let seen = || format!("{message}: {} of {count}: {:?}", lines.len(), self.log());
            assert!(Instant::now() < deadline, "{}", seen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What the function said of an invocation.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Path below the runtime's: `invocation/request-1/response`.
    pub(crate) path: String,
    /// Its body.
    pub(crate) body: Value,
    /// Length of the body.
    pub(crate) length: usize,
}

impl Answer {
    fn of(request: &Received) -> Answer {
        let base = format!("{BELOW}/2018-06-01/runtime/");
        let path = request.target.strip_prefix(&base).expect("a path of the runtime api");
        let body = serde_json::from_slice(&request.body).expect("answers are JSON");
        Answer { path: path.to_owned(), body, length: request.body.len() }
    }

    /// The same, to keep.
    #[track_caller]
    pub(crate) fn error_owned(&self) -> (String, String) {
        let (kind, message) = self.error();
        (kind.to_owned(), message.to_owned())
    }

    /// The error it tells of, kind and message.
    #[track_caller]
    pub(crate) fn error(&self) -> (&str, &str) {
        assert!(self.path.ends_with("/error"), "{self:?}");
        (self.body["errorType"].as_str().unwrap(), self.body["errorMessage"].as_str().unwrap())
    }
}
