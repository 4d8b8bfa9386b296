//! Exit codes: one closed set, the same for every command, documented in docs/cli.md.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// The operation failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The data given could not all be understood.
    BadData,
    /// A remote could not be reached.
    Unreachable,
    /// A bug in Hydrant.
    Bug,
    /// The disk failed.
    Disk,
    /// A remote refused our credentials.
    Denied,
    /// The settings are wrong.
    BadSettings,
    /// Interrupted by a signal before it was done.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub const ALL: [Exit; 10] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::BadData,
        Exit::Unreachable,
        Exit::Bug,
        Exit::Disk,
        Exit::Denied,
        Exit::BadSettings,
        Exit::Interrupted,
    ];

    /// The number the shell sees; from 65 on they are those of `sysexits.h`.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::BadData => 65,
            Exit::Unreachable => 69,
            Exit::Bug => 70,
            Exit::Disk => 74,
            Exit::Denied => 77,
            Exit::BadSettings => 78,
            Exit::Interrupted => 130,
        }
    }

    /// What it means, for help and docs.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "the operation failed",
            Exit::Usage => "usage: the command line is wrong",
            Exit::BadData => "bad data: something could not be decoded",
            Exit::Unreachable => "a remote could not be reached",
            Exit::Bug => "a bug in Hydrant",
            Exit::Disk => "the disk failed, or standard output takes nothing",
            Exit::Denied => "credentials refused",
            Exit::BadSettings => "bad settings",
            Exit::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
