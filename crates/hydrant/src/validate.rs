//! `hydrant validate`: every problem of the settings at once.

use crate::cli::ValidateArgs;
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs the command.
pub fn command(_args: &ValidateArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
