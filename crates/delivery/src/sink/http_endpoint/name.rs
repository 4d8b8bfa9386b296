//! The request id of a delivery: made of what it is and of what it holds, so that the same delivery
//! has the same id whenever and however often it is sent.

use codec::checksum::Hasher128;

use crate::sink::Label;

/// A UUID of version 8 (RFC 9562 5.8), whose other 122 bits are a hash. The body alone would not
/// do: two streams, or two installations, may carry the same points to one receiver.
pub(crate) fn request_id(label: &Label, body: &[u8]) -> String {
    let mut hasher = Hasher128::new();
    for name in [&label.origin, &label.stream, &label.topic] {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
    }
    hasher.update(&label.from.sequence.to_le_bytes());
    hasher.update(&u64::from(label.from.ordinal).to_le_bytes());
    hasher.update(body);
    let hash = hasher.digest();
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0x3 << 62;
    let bits = hash & !VERSION & !VARIANT | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use journal::Position;

    use super::*;

    /// *Scenario:* one delivery twice, and others that differ in one thing each.
    /// *Guarantees:* the same id, which is on record; a UUID; and an id of its own for each other.
    #[test]
    fn an_id_names_a_delivery() {
        let label = Label {
            stream: Arc::from("s"),
            topic: Arc::from("t"),
            from: Position { sequence: 7, ordinal: 3 },
            oldest_ms: 1,
            ..Label::default()
        };
        let id = request_id(&label, b"body");
        // What an earlier release sent is known as a repeat by its id: it must not change.
        assert_eq!(id, request_id(&Label { oldest_ms: 2, ..label.clone() }, b"body"));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        let from =
            |sequence, ordinal| Label { from: Position { sequence, ordinal }, ..label.clone() };
        let moved = Label { stream: Arc::from("st"), topic: Arc::from(""), ..label.clone() };
        let ids = [
            request_id(&label, b"other"),
            request_id(&from(8, 3), b"body"),
            request_id(&from(7, 4), b"body"),
            request_id(&moved, b"body"),
            request_id(&Label { stream: Arc::from("x"), ..label.clone() }, b"body"),
            request_id(&Label { origin: Arc::from("x"), ..label.clone() }, b"body"),
            id,
        ];
        let distinct: std::collections::HashSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
