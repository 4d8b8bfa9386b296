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
/// The arguments of the process under test.
const RUN: [&str; 3] = ["run", "-c", "hydrant.yaml"];
/// The least that the settings allow.
const DISK_BUDGET: &str = "256MiB";
/// A start or a stop that takes longer hangs: a debug build on a busy machine needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    testkit::binary(env!("CARGO_BIN_EXE_hydrant"))
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

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files_below(&entry.path())),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
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
        self.write_whole(DISK_BUDGET, source_keys, streams);
    }

    /// The usual source with another disk budget.
    pub(crate) fn write_budget(&self, budget: &str, streams: &str) {
        self.write_whole(budget, &format!("access_keys: [{ACCESS_KEY}]"), streams);
    }

    fn write_whole(&self, budget: &str, source_keys: &str, streams: &str) {
        let text = format!(
            "data_dir: data\n\
             disk_budget: {budget}\n\
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
        self.ready(Process::start(binary(), RUN, self.dir.path()))
    }

    /// The same with environment variables.
    pub(crate) fn start_with(&self, environment: &[(&str, &str)]) -> Service<'_> {
        self.ready(Process::start_with(binary(), RUN, self.dir.path(), environment))
    }

    /// Starts it with this fault at its syncs, in the words of `strace -e`.
    pub(crate) fn start_with_fault(&self, fault: &str) -> Service<'_> {
        self.ready(self.spawn_with_fault(fault))
    }

    /// The same without waiting for it to be ready.
    pub(crate) fn spawn_with_fault(&self, fault: &str) -> Process {
        self.spawn_with_fault_and(fault, &[])
    }

    /// The same with environment variables.
    pub(crate) fn spawn_with_fault_and(
        &self,
        fault: &str,
        environment: &[(&str, &str)],
    ) -> Process {
        let strace = Path::new("/usr/bin/strace");
        assert!(strace.exists(), "this test injects faults by strace: apt-get install strace");
        // -D: strace stands beside, so that the process we start is the one under test.
        let before = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e"];
        let binary = binary();
        let under_test = [fault, binary.to_str().unwrap()];
        let arguments = before.into_iter().chain(under_test).chain(RUN);
        Process::start_with(strace, arguments, self.dir.path(), environment)
    }

    fn ready(&self, mut process: Process) -> Service<'_> {
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
    pub(crate) fn stop(self) -> String {
        self.process.terminate();
        self.ends_well()
    }

    /// It was told to stop, and must end well.
    #[track_caller]
    pub(crate) fn ends_well(mut self) -> String {
        let status = self.process.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "exit of a stop by SIGTERM\n{}", self.log());
        self.log()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}
