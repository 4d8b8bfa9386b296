//! `hydrant demo`: the whole path on this machine.

use crate::cli::DemoArgs;
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs the command.
pub fn command(_args: &DemoArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
