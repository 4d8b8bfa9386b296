//! `hydrant inspect`: what is in these bytes.

use crate::cli::InspectArgs;
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs the command.
pub fn command(_args: &InspectArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
