//! The terminal while a table is redrawn on it: another screen, no cursor, keys without Enter.

use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc::{Receiver, channel};

/// Another screen, its cursor hidden; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the upper left; and below, what an older page has left.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Gives the terminal back when it is dropped.
pub(super) struct Screen {
    before: Termios,
}

impl Screen {
    /// Takes the terminal; keys come out of the receiver.
    pub(super) fn open() -> io::Result<(Screen, Receiver<u8>)> {
        let before = tcgetattr(io::stdin())?;
        let mut keys = before.clone();
        // Ctrl-C is a key here, so that nothing can end the command without this being dropped.
        keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(io::stdin(), OptionalActions::Flush, &keys)?;
        let screen = Screen { before };
        write(ENTER)?;
        let (sender, keys) = channel(16);
        // Never joined: it waits for a key, and goes with the process.
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            let mut key = [0];
            while io::stdin().read_exact(&mut key).is_ok() {
                if sender.blocking_send(key[0]).is_err() {
                    return;
                }
            }
        })?;
        Ok((screen, keys))
    }

    /// Lines and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
                (usize::from(size.ws_row), usize::from(size.ws_col))
            }
            _ => (24, 80),
        }
    }

    /// Draws a page over the last one, in one write, so that nothing flickers.
    pub(super) fn draw(&mut self, page: &str) -> io::Result<()> {
        let mut out = String::with_capacity(page.len() + 256);
        out.push_str(HOME);
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push_str(CLEAR_LINE);
            // No line feed behind the last line: it would scroll a full page.
            if lines.peek().is_some() {
                out.push_str("\r\n");
            }
        }
        out.push_str(CLEAR_BELOW);
        write(&out)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        drop(write(LEAVE));
        let _gone = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
