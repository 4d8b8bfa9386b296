//! One `hydrant run` after another on the same folder, the same settings file and the same ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Process, RawAnswer, TempDir};

/// The access key of every source that does not say otherwise.
pub(crate) const ACCESS_KEY: &str = "house-access-key";
/// A start or a stop that takes longer hangs: a debug build on a busy machine needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("HYDRANT_BINARY")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_hydrant")), PathBuf::from)
}

/// A port on loopback that stays free until it is bound: below those that outgoing connections get.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 9_000).unwrap();
    loop {
        let port = 20_000 + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Loopback with this port.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Waits until `holds`, looking often; panics with `what` and what `seen` says after [`PATIENCE`].
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool, seen: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited for: {what}\n{}", seen());
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// The folder, the settings and the ports of one test.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) source: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Home {
    pub(crate) fn new(name: &str) -> Home {
        let (source, admin) = (local(free_port()), local(free_port()));
        Home { dir: TempDir::new(name), source, admin }
    }

    /// Settings with one source `aws` and these streams (YAML, indented by two).
    pub(crate) fn write(&self, streams: &str) {
        self.write_with(&format!("access_keys: [{ACCESS_KEY}]"), streams);
    }

    /// The same with other keys in the source.
    pub(crate) fn write_with(&self, source_keys: &str, streams: &str) {
        let text = format!(
            "data_dir: data\n\
             disk_budget: 256MiB\n\
             admin: {{ listen: '{}' }}\n\
             sources:\n  aws:\n    type: firehose\n    listen: '{}'\n    {source_keys}\n\
             streams:\n{streams}",
            self.admin, self.source
        );
        self.dir.write("hydrant.yaml", text);
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Starts it and waits until it takes deliveries.
    pub(crate) fn start(&self) -> Service<'_> {
        self.start_by(&binary(), &[])
    }

    /// Starts it by another program, whose arguments end with the binary.
    pub(crate) fn start_by(&self, program: &Path, before: &[&str]) -> Service<'_> {
        let run = ["run", "-c", "hydrant.yaml"];
        let arguments = before.iter().copied().chain(run);
        let mut process = Process::start(program, arguments, self.dir.path());
        process.wait_for_line("hydrant runs", PATIENCE);
        Service { home: self, process }
    }

    /// Runs another command on the same settings: exit code, stdout, stderr.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let run = Command::new(binary())
            .args(arguments)
            .env_remove("HYDRANT_CONFIG")
            .current_dir(self.dir.path())
            .output();
        let output = run.expect("the binary starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }
}

/// A running `hydrant run`.
pub(crate) struct Service<'a> {
    home: &'a Home,
    pub(crate) process: Process,
}

impl Service<'_> {
    /// GET on the admin port.
    pub(crate) fn get(&self, path: &str) -> RawAnswer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        testkit::exchange(self.home.admin, request.as_bytes()).expect("the admin port answers")
    }

    /// The value of one line of /metrics: `name{label="value"}`; 0 when it is not there.
    pub(crate) fn metric(&self, line: &str) -> f64 {
        let page = self.get("/metrics").text();
        let value = page.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a metric is a number"))
    }

    /// Points of one stream with this outcome.
    pub(crate) fn points(&self, stream: &str, outcome: &str) -> f64 {
        let labels = format!("stream=\"{stream}\",outcome=\"{outcome}\"");
        self.metric(&format!("hydrant_stream_points_total{{{labels}}}"))
    }

    /// What `hydrant status --output json` says.
    pub(crate) fn status(&self) -> Value {
        // By folder: the settings file may be broken on purpose.
        let arguments = ["status", "--data-dir", "data", "--output", "json"];
        let (code, stdout, stderr) = self.home.command(&arguments);
        assert_eq!(code, 0, "hydrant status: {stderr}");
        serde_json::from_str(&stdout).expect("status prints JSON")
    }

    /// What it says of one stream.
    pub(crate) fn stream(&self, name: &str) -> Value {
        let status = self.status();
        let streams = status["streams"].as_array().expect("status lists streams").clone();
        let found = streams.into_iter().find(|s| s["name"] == name);
        found.unwrap_or_else(|| panic!("status knows no stream {name}: {status}"))
    }

    /// Lines of the log that contain `text`, so far.
    pub(crate) fn logged(&self, text: &str) -> usize {
        self.process.stderr().iter().filter(|line| line.contains(text)).count()
    }

    /// The whole log so far.
    pub(crate) fn log(&self) -> String {
        self.process.stderr().join("\n")
    }

    /// Waits until `holds`, then goes on; panics with the log.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        eventually(what, || holds(self), || self.log());
    }

    /// SIGTERM, and it must end well.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        self.process.terminate();
        let status = self.process.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "exit of a stop by SIGTERM\n{}", self.log());
        self.log()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}
