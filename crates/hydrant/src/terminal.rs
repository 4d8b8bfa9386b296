//! What reaches a person: stderr for words, stdout for data, colours only where they are wanted.
//!
//! Owns no state. A reader that has gone away (a closed pipe) is never an error worth a message.

use std::io::{self, IsTerminal, Write};

use crate::exit::Exit;

/// Prints `error: what` and, on a line of its own, `hint: ...`; gives `exit` back.
pub fn fail(exit: Exit, what: &str, hint: Option<&str>) -> Exit {
    let paint = Paint::for_stderr();
    say(&format!("{} {what}", paint.error("error:")));
    if let Some(hint) = hint {
        say(&format!("{} {hint}", paint.hint("hint:")));
    }
    exit
}

/// One line to stderr. A stderr that cannot be written to leaves nobody to tell.
pub fn say(line: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(line.as_bytes()).and_then(|()| stderr.write_all(b"\n")));
}

/// Writes data to stdout whole. A closed pipe counts as done: the reader has seen enough.
pub fn print(data: &[u8]) -> io::Result<()> {
    print_unless_closed(data).map(|_open| ())
}

/// The same for who goes on: false when the reader has seen enough.
pub fn print_unless_closed(data: &[u8]) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a command ends with when stdout takes nothing: data that is not there is the same failure
/// wherever it was to go.
pub fn unwritten(error: &io::Error) -> Exit {
    fail(Exit::Disk, &format!("cannot write to stdout: {error}"), None)
}

/// Columns of the terminal that stdout is, or of the page that a file is.
pub fn width() -> usize {
    columns().unwrap_or(PAGE_WIDTH)
}

/// Columns of the terminal that stdout is, when it is one that tells.
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Columns where there is no terminal to ask.
const PAGE_WIDTH: usize = 120;

/// Paints words, or does not.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Never paints.
    pub const PLAIN: Paint = Paint { colours: false };

    /// Paints when stderr is a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    pub fn for_stderr() -> Self {
        Self { colours: io::stderr().is_terminal() && colours_wanted() }
    }

    /// Paints when stdout is a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    pub fn for_stdout() -> Self {
        Self { colours: io::stdout().is_terminal() && colours_wanted() }
    }

    /// Bold red.
    pub fn error(self, text: &str) -> String {
        self.wrap("1;31", text)
    }
    /// Bold yellow.
    pub fn warning(self, text: &str) -> String {
        self.wrap("1;33", text)
    }
    /// Bold green.
    pub fn good(self, text: &str) -> String {
        self.wrap("1;32", text)
    }
    /// Bold cyan.
    pub fn hint(self, text: &str) -> String {
        self.wrap("1;36", text)
    }
    /// Bold.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }
    /// Blue, for the frame around a snippet.
    pub fn frame(self, text: &str) -> String {
        self.wrap("34", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `NO_COLOR` counts when it is set to anything but the empty string.
pub fn colours_wanted() -> bool {
    let environment = crate::settings::Environment::of_process();
    let refused = environment.text("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && !is_dumb()
}

/// A terminal that knows no escape sequences.
pub fn is_dumb() -> bool {
    crate::settings::Environment::of_process().text("TERM") == Some("dumb")
}
