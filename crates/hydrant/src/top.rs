//! `hydrant top`: what runs, redrawn in place on a terminal; a table every interval elsewhere.
//!
//! Asks the running process for the report that `hydrant status` shows, and tells how its counters
//! grew between two of them. The terminal is given back as it was, however the command ends.

mod screen;
mod table;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::MissedTickBehavior;

use crate::cli::TopArgs;
use crate::control::{self, Answer, Request};
use crate::exit::Exit;
use crate::run::{Report, control_socket};
use crate::status;
use crate::terminal::{self, Paint, fail};
use screen::Screen;

/// Lines and columns of what is no terminal: enough for the reason of a failure.
const PLAIN: (usize, usize) = (usize::MAX, 240);

/// Runs the command.
pub fn command(args: &TopArgs) -> Exit {
    let data_dir =
        match status::data_dir(args.process.config.as_deref(), args.process.data_dir.as_deref()) {
            Ok(data_dir) => data_dir,
            Err(exit) => return exit,
        };
    let first = match status::report_of(&data_dir) {
        Ok(Some(report)) => report,
        Ok(None) => return status::no_process(&data_dir),
        Err(exit) => return exit,
    };
    // What cannot place its cursor gets plain tables.
    let places = !terminal::is_dumb();
    let live = places && !args.once && io::stdout().is_terminal() && io::stdin().is_terminal();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) if live => runtime.block_on(watch(&data_dir, args.interval, first)),
        Ok(runtime) => runtime.block_on(print(&data_dir, args, first)),
        Err(error) => fail(Exit::Failed, &format!("no runtime: {error}"), None),
    }
}

/// A table every interval, until the process or the reader is gone.
async fn print(data_dir: &Path, args: &TopArgs, first: Report) -> Exit {
    let mut before = first;
    loop {
        tokio::select! {
            () = tokio::time::sleep(args.interval) => {}
            _ = tokio::signal::ctrl_c() => return Exit::Done,
        }
        let now = match status::report_of(data_dir) {
            Ok(Some(report)) => report,
            Ok(None) => return status::no_process(data_dir),
            Err(exit) => return exit,
        };
        let mut page = table::text(&before, &now, PLAIN, Paint::for_stdout());
        if !args.once {
            page.push('\n');
        }
        match terminal::print_unless_closed(page.as_bytes()) {
            Ok(true) if !args.once => {}
            Ok(_) => return Exit::Done,
            Err(error) => {
                return terminal::unwritten(&error);
            }
        }
        before = now;
    }
}

/// Redraws until q or Ctrl-C; a process that is away is waited for.
async fn watch(data_dir: &Path, interval: Duration, first: Report) -> Exit {
    let (mut screen, mut keys) = match Screen::open() {
        Ok(opened) => opened,
        Err(error) => return fail(Exit::Failed, &format!("terminal: {error}"), None),
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(Exit::Failed, &format!("listening for signals: {error}"), None),
    };
    let (mut before, mut now) = (first.clone(), first);
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away: Option<String> = None;
    loop {
        let page = match &away {
            Some(why) => format!("{why}; waiting for one. q ends.\n"),
            None => table::text(&before, &now, screen.size(), Paint::for_stdout()),
        };
        if let Err(error) = screen.draw(&page) {
            drop(screen);
            return fail(Exit::Failed, &format!("terminal: {error}"), None);
        }
        tokio::select! {
            () = wanted_end(&mut keys) => return Exit::Done,
            ends = signals.next() => if ends {
                return Exit::Done;
            },
            _ = tick.tick() => match ask(data_dir) {
                Ok(report) => {
                    before = if away.is_some() { report.clone() } else { now };
                    now = report;
                    away = None;
                }
                Err(why) => away = Some(why),
            },
        }
    }
}

/// The report, or in words why there is none: nothing may be printed beside the table.
fn ask(data_dir: &Path) -> Result<Report, String> {
    match control::ask(&control_socket(data_dir), &Request::Report) {
        Ok(Some(Answer::Report { report })) => Ok(*report),
        Ok(None) => Err(format!("no hydrant process works with {}", data_dir.display())),
        Ok(Some(_)) => Err("the process is of another release".to_owned()),
        Err(error) => Err(format!("the process does not answer ({error})")),
    }
}

/// Waits for q or Ctrl-C; a keyboard that is gone ends it too.
async fn wanted_end(keys: &mut Receiver<u8>) {
    const CTRL_C: u8 = 3;
    while let Some(key) = keys.recv().await {
        if matches!(key, b'q' | b'Q' | CTRL_C) {
            return;
        }
    }
}

/// Whatever else ends it must find the terminal given back.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    resized: Signal,
}

impl Signals {
    fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            resized: signal(SignalKind::window_change())?,
        })
    }

    /// The next one; true for one that ends the command, false for another size of the window.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hang_up.recv() => true,
            _ = self.resized.recv() => false,
        }
    }
}
