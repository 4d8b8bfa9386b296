//! `hydrant tap`: the points of a stream as they pass, one JSON object a line on stdout.
//!
//! Asks the running process, which shows what was selected and enriched as it is packed, before it
//! is sent. Words go to stderr: what was missed because it came faster than it could be shown.

use std::io::{self, IsTerminal, StdoutLock, Write};
use std::path::Path;

use tokio::time::{Instant, sleep_until};

use crate::cli::TapArgs;
use crate::control::Request;
use crate::control::tap::{self, Lines, Seen, Wanted};
use crate::exit::Exit;
use crate::run::control_socket;
use crate::status;
use crate::terminal::{self, fail};

/// Runs the command.
pub fn command(args: &TapArgs) -> Exit {
    let data_dir =
        match status::data_dir(args.process.config.as_deref(), args.process.data_dir.as_deref()) {
            Ok(data_dir) => data_dir,
            Err(exit) => return exit,
        };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(args, &data_dir)),
        Err(error) => fail(Exit::Failed, &format!("no runtime: {error}"), None),
    }
}

async fn run(args: &TapArgs, data_dir: &Path) -> Exit {
    let wanted = Wanted {
        namespaces: args.namespace.clone(),
        metrics: args.metric.clone(),
        dimensions: args.dimension.clone(),
        accounts: args.account.clone(),
    };
    let request = Request::Tap { stream: args.stream.clone(), wanted };
    let lines = match tap::open(&control_socket(data_dir), &request).await {
        Ok(Some(Ok(lines))) => lines,
        Ok(Some(Err(why))) => return fail(Exit::Failed, &why, None),
        Ok(None) => return status::no_process(data_dir),
        Err(error) => return status::not_asked(data_dir, &error),
    };
    if io::stderr().is_terminal() {
        let stream = &args.stream;
        terminal::say(&format!("points of {stream}, before they are sent; Ctrl-C stops"));
    }
    let (mut shown, mut missed) = (0, 0);
    let end = follow(args, lines, &mut shown, &mut missed).await;
    if missed > 0 || io::stderr().is_terminal() {
        terminal::say(&format!("{shown} points shown, {missed} missed"));
    }
    match end {
        End::Enough => Exit::Done,
        End::Interrupted if args.limit.is_none() && args.run_for.is_none() => Exit::Done,
        End::Interrupted => Exit::Interrupted,
        End::Stopped => fail(Exit::Failed, "the process has stopped", None),
        End::Unwritten(error) => terminal::unwritten(&error),
        End::Broken(error) => fail(Exit::Failed, &error.to_string(), None),
    }
}

enum End {
    /// The limit, the time, or the reader of stdout has had enough.
    Enough,
    /// By Ctrl-C.
    Interrupted,
    /// The process is gone.
    Stopped,
    /// The process could not be followed.
    Broken(io::Error),
    /// Stdout takes nothing.
    Unwritten(io::Error),
}

async fn follow(args: &TapArgs, mut lines: Lines, shown: &mut u64, missed: &mut u64) -> End {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let deadline = args.run_for.map(|time| Instant::now() + time);
    loop {
        let seen = tokio::select! {
            seen = lines.next() => seen,
            () = over(deadline) => return flushed(&mut stdout, End::Enough),
            _ = tokio::signal::ctrl_c() => return flushed(&mut stdout, End::Interrupted),
        };
        match seen {
            Ok(Seen::Point(line)) => {
                let mut written = stdout.write_all(&line);
                if !lines.has_more() {
                    written = written.and_then(|()| stdout.flush());
                }
                match written {
                    Ok(()) => *shown += 1,
                    Err(error) => return end_of(error),
                }
                if args.limit == Some(*shown) {
                    return flushed(&mut stdout, End::Enough);
                }
            }
            Ok(Seen::Missed(so_far)) => {
                terminal::say(&format!(
                    "{} points were not shown: they came faster than they could be",
                    so_far - *missed
                ));
                *missed = so_far;
            }
            Ok(Seen::Ended) => return flushed(&mut stdout, End::Stopped),
            Err(error) => return flushed(&mut stdout, End::Broken(error)),
        }
    }
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn flushed(stdout: &mut io::BufWriter<StdoutLock<'_>>, end: End) -> End {
    match stdout.flush() {
        Ok(()) => end,
        Err(error) => end_of(error),
    }
}

/// A closed pipe counts as enough.
fn end_of(error: io::Error) -> End {
    if error.kind() == io::ErrorKind::BrokenPipe { End::Enough } else { End::Unwritten(error) }
}
