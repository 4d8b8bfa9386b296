//! Length-prefixed messages: where one begins, whether it is whole, and what may stand between two.
//!
//! Owns the rule that tells an inserted line feed (0x0a, as Firehose's delimiter) from a message of
//! ten bytes. Both cannot hold at once: after the byte 0x0a, a message of ten bytes goes on with the
//! tag 0x0a and a length of at most 8, while a delimiter goes on with the length of a message and
//! *its* tag 0x0a; a delimiter followed by a message of ten bytes is `0a 0a 0a`, which as a message
//! of ten bytes would hold a field of ten bytes and so cannot be whole. The same reasoning holds for
//! the other white space. So: whole messages first, delimiters second.

use crate::Reason;
use crate::wire::{Reader, tag_bytes};

/// Longest length prefix: a varint of 32 bits.
const LENGTH_BYTES_MAX: usize = 5;
/// Longest length prefix that is searched for after damage: 21 bits, 2 MiB, twice a Firehose record.
pub(super) const SEARCHED_LENGTH_MAX: usize = 3;
/// Tag of `resource_metrics`, the only field of an `ExportMetricsServiceRequest`.
const RESOURCE_METRICS: u32 = tag_bytes(1);

/// A length-prefixed message that its record is long enough for.
pub(super) struct Frame<'a> {
    /// Bytes of the length.
    pub(super) header: usize,
    /// The message.
    pub(super) body: &'a [u8],
    /// The record after it.
    pub(super) after: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The message that begins at the start of `rest`.
    #[inline]
    pub(super) fn at(rest: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(rest);
        let length = usize::try_from(reader.varint()?).ok()?;
        let header = rest.len() - reader.rest().len();
        let (body, after) = reader.rest().split_at_checked(length)?;
        (header <= LENGTH_BYTES_MAX).then_some(Self { header, body, after })
    }

    /// True when the message's fields fill it exactly and one of them is `resource_metrics`, or
    /// when it is empty. A message as short as the code of a white space may hold nothing else.
    pub(super) fn is_whole(&self) -> bool {
        let walk = Walk::over(self.body);
        let white_space_length = matches!(self.body.len(), 9 | 10 | 13 | 32);
        let holds_metrics = walk.resources > 0 || self.body.is_empty();
        walk.is_exact(self.body) && holds_metrics && !(white_space_length && walk.others > 0)
    }

    /// The fields of the message.
    pub(super) fn walk(&self) -> Walk<'a> {
        Walk::over(self.body)
    }

    /// True when the first field is `resource_metrics` and fits, or the message is empty. Cheap.
    pub(super) fn begins_well(&self) -> bool {
        let mut reader = Reader::new(self.body);
        self.body.is_empty() || (reader.tag() == Some(RESOURCE_METRICS) && reader.bytes().is_some())
    }
}

/// The fields of a message.
pub(super) struct Walk<'a> {
    /// The well-formed fields at its start.
    good: usize,
    /// The fields `resource_metrics` before any other.
    leading: &'a [u8],
    /// How many of the good fields are `resource_metrics`.
    resources: usize,
    /// How many are not.
    others: usize,
}

impl<'a> Walk<'a> {
    fn over(message: &'a [u8]) -> Self {
        let mut reader = Reader::new(message);
        let (mut good, mut leading, mut resources, mut others) = (0, 0, 0, 0);
        while !reader.is_empty() {
            let passed = match reader.tag() {
                Some(RESOURCE_METRICS) => reader.bytes().map(|_| resources += 1),
                Some(tag) => reader.skip(tag).map(|()| others += 1),
                None => None,
            };
            if passed.is_none() {
                break;
            }
            good = message.len() - reader.rest().len();
            if others == 0 {
                leading = good;
            }
        }
        Self { good, leading: message.get(..leading).unwrap_or(&[]), resources, others }
    }

    fn is_exact(&self, message: &[u8]) -> bool {
        self.good == message.len()
    }

    /// True when `message`, which was walked over, holds `resource_metrics` and nothing else.
    pub(super) fn is_strict(&self, message: &[u8]) -> bool {
        self.is_exact(message) && self.resources > 0 && self.others == 0
    }

    /// The fields `resource_metrics` before anything else. In a message that is not whole, what
    /// looks like an unknown field is more likely the start of the damage.
    pub(super) fn usable(&self) -> Option<&'a [u8]> {
        (!self.leading.is_empty()).then_some(self.leading)
    }
}

/// What may stand before the first object of JSON.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What follows the white space at the start of `rest`, when the record can go on there.
///
/// Between objects of JSON, the punctuation of an array is white space too; before the first one a
/// byte order mark is.
pub(super) fn after_delimiters(rest: &[u8], json_seen: bool) -> Option<&[u8]> {
    let mut after = rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(rest);
    let mut brackets = false;
    if after.len() < rest.len() && after.starts_with(b"{") {
        return Some(after);
    }
    loop {
        after = match after {
            [b' ' | b'\t' | b'\r' | b'\n', tail @ ..] => tail,
            [b',' | b']', tail @ ..] if json_seen => tail,
            [b'[', tail @ ..] => {
                brackets = true;
                tail
            }
            _ => return None,
        };
        match after.first() {
            Some(b'{') => return Some(after),
            None if !brackets => return Some(after),
            _ if Frame::at(after).is_some_and(|frame| frame.is_whole()) => return Some(after),
            _ => {}
        }
    }
}

/// White space that is looked over for the next piece when damage is judged.
pub(super) const DELIMITERS_MAX: usize = 4;

/// True when a record may end, or seems to go on with a piece, at the start of `rest`. Cheap.
pub(super) fn is_boundary(rest: &[u8]) -> bool {
    let white = rest.iter().take(DELIMITERS_MAX).take_while(|byte| byte.is_ascii_whitespace());
    (0..=white.count()).any(|skipped| match rest.get(skipped..) {
        None | Some([] | [b'{', ..]) => true,
        Some(rest) => Frame::at(rest).is_some_and(|frame| frame.begins_well()),
    })
}

/// Why no message begins at the start of `rest`.
pub(super) fn describe(rest: &[u8]) -> (Reason, String) {
    let mut reader = Reader::new(rest);
    let length = reader.varint();
    let header = rest.len() - reader.rest().len();
    let left = reader.rest().len();
    match length {
        None => (Reason::MalformedFrame, "length of a message is no varint".to_owned()),
        Some(_) if header > LENGTH_BYTES_MAX => {
            let detail = format!("length of a message takes {header} bytes, at most 5 are allowed");
            (Reason::MalformedFrame, detail)
        }
        Some(length) if usize::try_from(length).is_ok_and(|length| length <= left) => {
            let detail = "no JSON object, and no message of metrics".to_owned();
            (Reason::UnknownFormat, detail)
        }
        Some(length) if reader.rest().first().is_none_or(|tag| *tag == 0x0a) => (
            Reason::MalformedFrame,
            format!("message of {length} bytes, of which {left} are there"),
        ),
        Some(_) => (Reason::UnknownFormat, "neither JSON nor OpenTelemetry metrics".to_owned()),
    }
}

/// True when `line` is text as a person would write it.
pub(super) fn is_text(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    std::str::from_utf8(line).is_ok_and(|text| !text.chars().any(|c| c.is_control() && c != '\t'))
}

/// True when a message begins at the start of `record`, whole or cut short, perhaps behind white
/// space. Cheap: looks at heads only.
pub(super) fn begins(record: &[u8]) -> bool {
    let white = record.iter().take(DELIMITERS_MAX).take_while(|byte| byte.is_ascii_whitespace());
    (0..=white.count()).any(|skipped| {
        let rest = record.get(skipped..).unwrap_or(&[]);
        match Frame::at(rest) {
            Some(frame) => frame.begins_well(),
            None => {
                let mut reader = Reader::new(rest);
                let length = reader.varint().filter(|length| u32::try_from(*length).is_ok());
                length.is_some() && reader.tag() == Some(RESOURCE_METRICS)
            }
        }
    })
}
