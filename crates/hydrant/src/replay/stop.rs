//! Why a replay ends before its end.

use crate::exit::Exit;

/// It ends here; what was put back stays put back, and the next run goes on.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The settings are wrong, and that has been said.
    Told(Exit),
    /// Something is wrong.
    Failed { exit: Exit, what: String, hint: Option<String> },
}

impl Stop {
    pub(super) fn failed(exit: Exit, what: &str, hint: Option<&str>) -> Stop {
        Stop::Failed { exit, what: what.to_owned(), hint: hint.map(str::to_owned) }
    }

    pub(super) fn usage(what: &str) -> Stop {
        Stop::failed(Exit::Usage, what, None)
    }
}
