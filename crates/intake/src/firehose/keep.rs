//! What a stream will want of a delivery, kept while it is checked: its records, decoded.
//!
//! A body is read once at the door, for its fault. Kept as text it would be read a second time by
//! each stream, from memory that no cache of the processor holds any more; the records are a quarter
//! smaller and need no second look.
//!
//! Owns a buffer of the tail, which goes back when the delivery is refused.
//!
//! Always: no more than was reserved. A body that holds more than its trailer says is not kept.

use codec::base64::{self, NotBase64};
use entry::{Tail, records};

/// Records on their way into the tail.
pub(crate) struct Keep<'a> {
    tail: Option<&'a Tail>,
    /// `None` when nothing is kept, or no more.
    records: Option<Vec<u8>>,
    most: usize,
}

/// Bytes that the records of a plain body have, at most: four characters of base64 are three bytes,
/// and the JSON around a record is longer than the length before it.
pub(crate) fn room(plain_bytes: usize) -> usize {
    plain_bytes.div_ceil(4).saturating_mul(3)
}

impl<'a> Keep<'a> {
    /// Only looks.
    pub(crate) fn nothing() -> Keep<'a> {
        Keep { tail: None, records: None, most: 0 }
    }

    /// Keeps up to `most` bytes.
    pub(crate) fn up_to(most: usize, tail: &'a Tail) -> Keep<'a> {
        let mut buffer = tail.buffer();
        buffer.reserve_exact(most);
        Keep { tail: Some(tail), records: Some(buffer), most }
    }

    /// Takes the base64 text of the next record, which is checked whether it is kept or not.
    pub(crate) fn take(&mut self, text: &[u8]) -> Result<(), NotBase64> {
        let Some(records) = &mut self.records else { return base64::check(text).map(drop) };
        if records.len() + records::LENGTH_BYTES + room(text.len()) > self.most {
            self.give_back();
            return base64::check(text).map(drop);
        }
        records::push_with(records, |out| base64::decode_append(text, out))
    }

    /// The records, when all were kept.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        self.records.take()
    }

    fn give_back(&mut self) {
        if let (Some(tail), Some(unused)) = (self.tail, self.records.take()) {
            tail.give_back(unused);
        }
    }
}

impl Drop for Keep<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
