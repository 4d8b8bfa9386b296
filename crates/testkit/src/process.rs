//! Runs a built binary and watches what it prints.
//!
//! Owns the child: dropped, it is killed as by `kill -9`. Lines of stdout and stderr are kept in
//! the order they came; a test waits for a line rather than for a time.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

#[derive(Default)]
struct Output {
    stdout: Vec<String>,
    stderr: Vec<String>,
}

#[derive(Default)]
struct Watch {
    output: Mutex<Output>,
    grown: Condvar,
}

#[derive(Clone, Copy)]
enum Pipe {
    Stdout,
    Stderr,
}

/// A running program.
pub struct Process {
    child: Child,
    watch: Arc<Watch>,
    readers: Vec<JoinHandle<()>>,
}

/// The binary under test: `built`, as a test knows it by `env!("CARGO_BIN_EXE_...")`, unless
/// `HYDRANT_BINARY` names another, for instance a release build.
#[expect(clippy::disallowed_methods, reason = "tests may be pointed at another binary")]
pub fn binary(built: &str) -> PathBuf {
    std::env::var_os("HYDRANT_BINARY").map_or_else(|| PathBuf::from(built), PathBuf::from)
}

fn lock(watch: &Watch) -> MutexGuard<'_, Output> {
    watch.output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn follow(pipe: impl Read + Send + 'static, which: Pipe, watch: Arc<Watch>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut output = lock(&watch);
            match which {
                Pipe::Stdout => output.stdout.push(line),
                Pipe::Stderr => output.stderr.push(line),
            }
            watch.grown.notify_all();
        }
    })
}

impl Process {
    /// Starts `binary` (a test passes `env!("CARGO_BIN_EXE_...")`) with `arguments`, in `directory`.
    pub fn start<S: AsRef<OsStr>>(
        binary: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = S>,
        directory: &Path,
    ) -> Process {
        Self::start_with(binary, arguments, directory, &[])
    }
    /// The same with environment variables.
    pub fn start_with<S: AsRef<OsStr>>(
        binary: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = S>,
        directory: &Path,
        environment: &[(&str, &str)],
    ) -> Process {
        let mut child = Command::new(binary.as_ref())
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let watch = Arc::new(Watch::default());
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let readers = vec![
            follow(stdout, Pipe::Stdout, Arc::clone(&watch)),
            follow(stderr, Pipe::Stderr, Arc::clone(&watch)),
        ];
        Process { child, watch, readers }
    }
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
    /// Waits for a line (stdout or stderr, also an earlier one) that contains `text`, and returns
    /// it; panics with all output after `within`, or when the program has ended without it.
    pub fn wait_for_line(&mut self, text: &str, within: Duration) -> String {
        let deadline = Instant::now() + within;
        loop {
            // Before the look at the output: what an ended program printed is then all there.
            let ended = self.ended();
            let output = lock(&self.watch);
            let found = output.stdout.iter().chain(&output.stderr).find(|l| l.contains(text));
            if let Some(line) = found {
                return line.clone();
            }
            let late = Instant::now() >= deadline;
            assert!(!ended && !late, "no line with '{text}' in:\n{}", joined(&output));
            // Short, since the end of the program wakes nobody.
            let waited = self.watch.grown.wait_timeout(output, Duration::from_millis(50));
            drop(waited);
        }
    }
    fn ended(&mut self) -> bool {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)) | Err(_));
        if ended {
            self.join_readers();
        }
        ended
    }
    fn join_readers(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader of output does not panic");
        }
    }
    /// Lines of stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        lock(&self.watch).stdout.clone()
    }
    /// Lines of stderr so far.
    pub fn stderr(&self) -> Vec<String> {
        lock(&self.watch).stderr.clone()
    }
    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }
    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }
    /// SIGINT, as by Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }
    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a child has a positive id"), signal).expect("the child is there");
    }
    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
        self.join_readers();
    }
    /// Waits for it to end by itself; panics with all output after `within`.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child can be waited for") {
                self.join_readers();
                return status;
            }
            let late = Instant::now() >= deadline;
            assert!(!late, "still running after {within:?}:\n{}", joined(&lock(&self.watch)));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn joined(output: &Output) -> String {
    format!("stdout:\n{}\nstderr:\n{}", output.stdout.join("\n"), output.stderr.join("\n"))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; both calls fail then, as they should.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
