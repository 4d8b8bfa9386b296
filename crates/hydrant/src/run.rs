//! `hydrant run`: run the configured sources and streams.

use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs the command.
pub fn command(_args: &RunArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
