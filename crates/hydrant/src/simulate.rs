//! `hydrant simulate`: deterministic, realistic traffic.

use crate::cli::SimulateArgs;
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs the command.
pub fn command(_args: &SimulateArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
