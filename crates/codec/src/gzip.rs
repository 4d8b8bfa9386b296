//! Gzip in and out. Inflating is bounded by a limit and reads every member; deflating reuses its state.
//!
//! Owns: the wording of what can be wrong with a gzip body, and the member framing of RFC 1952.
//!
//! Always: both readers accept and refuse the same bytes. A body is one or more members back to
//! back; every member's CRC and length are checked; bytes after the last member that do not begin
//! another one (zero padding too) are [`InflateError::Corrupt`], because a sender that appends
//! bytes to a body is not one whose body can be trusted to be whole.
//!
//! Not here: what is inside, and any wish to keep a body.

mod deflate;
mod fast;
mod inflate;
mod prepend;
mod rfc1951;
mod stream;
#[cfg(test)]
mod tests;

pub use deflate::Deflater;
pub use inflate::{Inflater, SliceInflater};
pub use prepend::prepend;
pub use stream::StreamInflater;

/// Why bytes did not inflate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// The bytes do not begin with a gzip header.
    #[error("not gzip")]
    NotGzip,
    /// The stream ends before its end marker and checksum.
    #[error("gzip stream is cut short")]
    Truncated,
    /// A block, a length or a checksum is wrong.
    #[error("gzip stream is corrupt: {0}")]
    Corrupt(&'static str),
    /// More than `limit` bytes would come out.
    #[error("inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl InflateError {
    /// The fault of the bytes that `error` carries, when it came from a [`StreamInflater`], however
    /// many readers above it passed it on as it was.
    pub fn within(error: &std::io::Error) -> Option<&InflateError> {
        error.get_ref()?.downcast_ref()
    }
}

/// The first bytes of a member: the magic number and method 8, deflate (RFC 1952 2.3.1).
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The smallest member: 10 bytes of header, 2 of an empty block, 8 of trailer.
const MEMBER_MIN: usize = 20;

/// True when `bytes` begin as a gzip member does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The `N` bytes from `at` on, as an array, for loops that know they are there.
#[expect(clippy::indexing_slicing, reason = "one check for all that is read of the array")]
#[inline(always)]
fn array<const N: usize>(bytes: &[u8], at: usize) -> &[u8; N] {
    bytes[at..at + N].try_into().expect("the slice has this length")
}
