//! Several records in one body: each with its length before it, four bytes little endian.
//!
//! Always: what [`push`] wrote, [`each`] gives back; any bytes give records or one fault.

/// Appends a record.
pub fn push(record: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(record.len() as u32).to_le_bytes());
    out.extend_from_slice(record);
}

/// The records of a body, in order; the last item is an error when the body is cut short.
pub fn each(body: &[u8]) -> impl Iterator<Item = Result<&[u8], CutShort>> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
        let split = bytes.split_first_chunk::<4>().and_then(|(length, after)| {
            after.split_at_checked(u32::from_le_bytes(*length) as usize)
        });
        match split {
            Some((record, after)) => {
                rest = Some(after);
                Some(Ok(record))
            }
            None => Some(Err(CutShort)),
        }
    })
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
            push(record, &mut body);
        }
        let found: Vec<_> = each(&body).collect();
        assert_eq!(found, [Ok(&b"one"[..]), Ok(b""), Ok(b"three")]);
        for length in 1..body.len() {
            let found: Vec<_> = each(body.get(..length).unwrap_or_default()).collect();
            let whole = matches!(length, 7 | 11);
            assert_eq!(found.last() == Some(&Err(CutShort)), !whole, "{length}");
        }
    }
}
