//! What can be wrong with a compressed object, in words for a person.
//!
//! Not here: failures of whatever the object is read from; those are passed on as they are.

use std::fmt;
use std::io;

use super::Container;

/// What kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It ends too soon: perhaps it was still being written.
    CutShort,
    /// A block, a length or a checksum is wrong.
    Damaged,
    /// More would come out than was asked for at most.
    OverLimit,
    /// It is sound, but of a kind that is not read: encrypted, several entries.
    Unsupported,
}

/// What is wrong with an object, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub wrong: Wrong,
    /// Of which container.
    pub container: Container,
    /// How many compressed bytes had been looked at. When a container lies in another one, those
    /// of the inner.
    pub offset: u64,
    /// More in words.
    pub detail: String,
}

impl Fault {
    /// The fault that `error` carries when it came from a [`super::Reader`], however many readers
    /// above it passed it on as it was. Without one it is a failure of the layer below.
    pub fn within(error: &io::Error) -> Option<&Fault> {
        error.get_ref()?.downcast_ref()
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { wrong, container, offset, detail } = self;
        match wrong {
            Wrong::CutShort => write!(f, "{container} is cut short after {offset} bytes")?,
            Wrong::Damaged => write!(f, "{container} is damaged at byte {offset}")?,
            Wrong::OverLimit => write!(f, "{container} holds too much")?,
            Wrong::Unsupported => write!(f, "{container} of a kind that is not read")?,
        }
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

/// A fault as a decoder knows it, which knows neither its container nor its offset.
#[derive(Debug)]
pub(super) struct Flaw {
    pub wrong: Wrong,
    pub detail: &'static str,
}

impl std::error::Error for Flaw {}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail)
    }
}

pub(super) fn cut_short() -> io::Error {
    io::Error::other(Flaw { wrong: Wrong::CutShort, detail: "" })
}

pub(super) fn damaged(detail: &'static str) -> io::Error {
    io::Error::other(Flaw { wrong: Wrong::Damaged, detail })
}

pub(super) fn unsupported(detail: &'static str) -> io::Error {
    io::Error::other(Flaw { wrong: Wrong::Unsupported, detail })
}
