//! The binary as a library, so that tests can call it: settings, commands, wiring, exit codes.
//!
//! The only crate that reads the environment and the settings file (I4) and the only one that
//! prints. Each command is one module with a function `command(&Args) -> Exit`.

mod access_key;
pub mod admin;
pub mod cli;
pub mod conform;
pub mod control;
pub mod cost;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod exit;
pub mod inspect;
pub mod lambda;
pub mod manual;
pub mod migrate;
mod patience;
pub mod replay;
pub mod run;
pub mod settings;
pub mod simulate;
pub mod status;
pub mod tags;
pub mod tap;
pub mod terminal;
pub mod top;
pub mod trace;
pub mod traffic;
pub mod validate;

use std::io::ErrorKind;

use clap::Parser;
use cli::{Cli, Command};
use exit::Exit;

/// Runs the command line of this process.
pub fn main() -> Exit {
    // Under that name Lambda gives no command, and may give a handler's name that is none.
    if lambda::is_started_by_lambda() {
        return lambda::command();
    }
    match Cli::try_parse() {
        Ok(cli) => dispatch(&cli.command),
        Err(answer) => {
            // Help and version are answers, not faults: clap prints them to stdout and exits 0.
            let exit = if answer.use_stderr() { Exit::Usage } else { Exit::Done };
            match answer.print() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => terminal::unwritten(&error),
                _ => exit,
            }
        }
    }
}

fn dispatch(command: &Command) -> Exit {
    match command {
        Command::Demo(args) => demo::command(args),
        Command::Run(args) => run::command(args),
        Command::Validate(args) => validate::command(args),
        Command::Inspect(args) => inspect::command(args),
        Command::Cost(args) => cost::command(args),
        Command::Replay(args) => replay::command(args),
        Command::Simulate(args) => simulate::command(args),
        Command::Conform(args) => conform::command(args),
        Command::Status(args) => status::command(args),
        Command::Top(args) => top::command(args),
        Command::Tap(args) => tap::command(args),
        Command::Trace(args) => trace::command(args),
        Command::Doctor(args) => doctor::command(args),
        Command::Stream(args) => status::stream_command(args),
        Command::Lambda => lambda::command(),
        Command::Migrate(args) => migrate::command(args),
        Command::Tags(args) => tags::command(args),
        Command::Deploy(args) => deploy::command(args),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args),
    }
}
