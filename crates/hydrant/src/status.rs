//! `hydrant status` and `hydrant stream`: questions and commands to a running process, or to its folder.

use crate::cli::{StatusArgs, StreamArgs};
use crate::exit::Exit;
use crate::terminal::fail;

/// Runs `hydrant status`.
pub fn command(_args: &StatusArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}

/// Runs `hydrant stream forget|drop-backlog`.
pub fn stream_command(_args: &StreamArgs) -> Exit {
    fail(Exit::Bug, "internal: not built yet", None)
}
