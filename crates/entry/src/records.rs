//! Several records in one body: each with its length before it, four bytes little endian.
//!
//! Always: what [`push`] wrote, [`Slices`] and [`Reader`] give back; any bytes give records or one
//! fault, and no memory is taken that the bytes did not pay for.

use std::io::{self, Read};

/// Bytes of the length before a record.
pub const LENGTH_BYTES: usize = 4;

/// Appends a record.
pub fn push(record: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(record.len() as u32).to_le_bytes());
    out.extend_from_slice(record);
}

/// Appends a record that `write` appends; nothing when it fails.
pub fn push_with<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let begin = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    let written = write(out);
    if written.is_err() {
        out.truncate(begin);
    } else if let Some((length, record)) =
        out.get_mut(begin..).and_then(<[u8]>::split_first_chunk_mut)
    {
        *length = (record.len() as u32).to_le_bytes();
    }
    written
}

/// The records of a body, in order; the last item is an error when the body is cut short.
pub fn each(body: &[u8]) -> Slices<'_> {
    Slices { rest: body }
}

/// The records of a body in memory.
#[derive(Clone, Debug)]
pub struct Slices<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Slices<'a> {
    type Item = Result<&'a [u8], CutShort>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.rest);
        if bytes.is_empty() {
            return None;
        }
        let split = bytes.split_first_chunk::<4>().and_then(|(length, after)| {
            after.split_at_checked(u32::from_le_bytes(*length) as usize)
        });
        Some(
            split
                .map(|(record, after)| {
                    self.rest = after;
                    record
                })
                .ok_or(CutShort),
        )
    }
}

/// The records of a body that is read as a stream; only one is in memory.
#[derive(Debug)]
pub struct Reader<R> {
    body: R,
}

impl<R: Read> Reader<R> {
    /// Reads a body from its beginning.
    pub fn new(body: R) -> Reader<R> {
        Reader { body }
    }

    /// Puts the next record in place of what `record` holds; false at the end of the body. After a
    /// fault nothing that follows makes sense.
    pub fn next_into(&mut self, record: &mut Vec<u8>) -> Result<bool, ReadFault> {
        record.clear();
        // A vector grows with what is there, whatever the length promises.
        self.take(4, record)?;
        if record.is_empty() {
            return Ok(false);
        }
        let length = record.first_chunk::<4>().ok_or(CutShort)?;
        let length = u32::from_le_bytes(*length);
        record.clear();
        self.take(u64::from(length), record)?;
        if record.len() as u64 != u64::from(length) {
            return Err(CutShort.into());
        }
        Ok(true)
    }

    fn take(&mut self, bytes: u64, out: &mut Vec<u8>) -> io::Result<()> {
        self.body.by_ref().take(bytes).read_to_end(out).map(|_| ())
    }
}

/// Why a body gives no further record.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// It could not be read; the same bytes may be readable later.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It ends too early.
    #[error(transparent)]
    CutShort(#[from] CutShort),
}

/// A body that ends within a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body ends within a record")]
pub struct CutShort;

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* three records, one of them empty, whole and cut anywhere.
    /// *Guarantees:* they come back; a cut is an error after the whole ones.
    #[test]
    fn there_and_back() {
        let mut body = Vec::new();
        for record in [&b"one"[..], b"", b"three"] {
            let refused = push_with(&mut body, |out| {
                out.extend_from_slice(record);
                Err(())
            });
            assert_eq!(refused, Err(()));
            push_with(&mut body, |out| {
                out.extend_from_slice(record);
                Ok::<_, ()>(())
            })
            .unwrap();
        }
        let found: Vec<_> = each(&body).collect();
        assert_eq!(found, [Ok(&b"one"[..]), Ok(b""), Ok(b"three")]);
        for length in 1..body.len() {
            let found: Vec<_> = each(body.get(..length).unwrap_or_default()).collect();
            let whole = matches!(length, 7 | 11);
            assert_eq!(found.last() == Some(&Err(CutShort)), !whole, "{length}");
        }
    }

    proptest::proptest! {
        /// *Scenario:* any records, then any bytes in place of them, from memory and as a stream.
        /// *Guarantees:* records come back as they were; both ways find the same in anything.
        #[test]
        fn both_ways_read_the_same(
            records: Vec<Vec<u8>>,
            noise: Vec<u8>,
        ) {
            let mut body = Vec::new();
            records.iter().for_each(|record| push(record, &mut body));
            assert_eq!(streamed(&body), (records, true));
            body.extend_from_slice(&noise);
            let found: Vec<_> = each(&body).collect();
            let whole = found.iter().all(Result::is_ok);
            let found = found.into_iter().filter_map(|r| r.ok().map(<[u8]>::to_vec)).collect();
            assert_eq!(streamed(&body), (found, whole));
        }
    }

    fn streamed(body: &[u8]) -> (Vec<Vec<u8>>, bool) {
        let (mut reader, mut record, mut found) = (Reader::new(body), Vec::new(), Vec::new());
        loop {
            match reader.next_into(&mut record) {
                Ok(true) => found.push(record.clone()),
                Ok(false) => return (found, true),
                Err(ReadFault::CutShort(_)) => return (found, false),
                Err(ReadFault::Read(error)) => panic!("{error}"),
            }
        }
    }
}
