//! A line of JSON in CloudWatch's own layout: keys in its order, no white space, no escapes.
//!
//! Owns the fast reading of that one layout, at several times the speed of a general parser.
//! Whatever differs, in the least, is left to `tolerant`: `line` then returns `None` and has
//! shown nothing to the visitor. What both accept, both read alike (a test holds them together).

use super::scratch::{DIMENSIONS_MAX, EXTRA_MAX, Scratch};
use super::{Visit, tolerant};
use crate::{Extra, Point, Source, Statistic, Unit, number};

/// The start of the line before, up to the namespace. Most lines of a record share it, and one
/// comparison is cheaper than three searches.
#[derive(Default)]
pub(super) struct Head<'a> {
    text: &'a [u8],
    stream: &'a [u8],
    account: &'a [u8],
    region: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads the head of the line `rest`; returns what follows it.
    #[inline]
    fn read(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if !self.text.is_empty()
            && let Some(after) = rest.strip_prefix(self.text)
        {
            return Some(after);
        }
        let mut at = Cursor { rest };
        let stream = at.text_after(b"{\"metric_stream_name\":\"")?;
        let account = at.text_after(b"\",\"account_id\":\"")?;
        let region = at.text_after(b"\",\"region\":\"")?;
        at.literal(b"\",\"namespace\":\"")?;
        let text = rest.get(..rest.len() - at.rest.len())?;
        // All at once: a head that could only be read in part leaves the one before as it is.
        *self = Self { text, stream, account, region };
        Some(at.rest)
    }
}

/// Decodes the line at the start of `rest` and shows its point; returns what follows its line feed.
#[inline]
pub(super) fn line<'a, V: Visit>(
    rest: &'a [u8],
    head: &mut Head<'a>,
    scratch: &mut Scratch<'a>,
    visit: &mut V,
) -> Option<&'a [u8]> {
    scratch.dimensions.clear();
    scratch.extra.clear();
    let mut at = Cursor { rest: head.read(rest)? };
    let namespace = at.text_after(b"")?;
    let name = at.text_after(b"\",\"metric_name\":\"")?;
    at.literal(b"\",\"dimensions\":{")?;
    at.dimensions(scratch)?;
    at.literal(b",\"timestamp\":")?;
    let (timestamp_ms, after) = number::read_integer(at.rest)?;
    at.rest = after;
    at.literal(b",\"value\":{")?;
    let values = at.values(scratch)?;
    at.literal(b",\"unit\":\"")?;
    let from_unit = at.rest;
    let unit = at.text_after(b"")?;
    at.literal(b"\"}")?;
    let line = rest.get(..rest.len() - at.rest.len())?;
    if !is_plain_text(line) || namespace.is_empty() || name.is_empty() {
        return None;
    }
    visit.point(&Point {
        stream: head.stream,
        exporter_arn: &[],
        account: head.account,
        region: head.region,
        namespace,
        name,
        dimensions: &scratch.dimensions,
        attributes: &[],
        unit: Unit::parse_at(from_unit, unit),
        start_ns: tolerant::instant_ns(timestamp_ms)?,
        end_ns: None,
        min: values.min,
        max: values.max,
        sum: values.sum,
        count: values.count.unwrap_or(0.0),
        extra: &scratch.extra,
        source: Source::Json,
    });
    Some(at.rest.strip_prefix(b"\n").unwrap_or(at.rest))
}

/// The four statistics that are always sent.
#[derive(Default)]
pub(super) struct Values {
    pub(super) max: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) sum: Option<f64>,
    pub(super) count: Option<f64>,
}

/// What has not been read of a line.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// The text between `literal`, which ends with a quote, and the next quote, which stays unread.
    /// Escapes are not looked at here: [`is_plain_text`] looks at the whole line.
    #[inline]
    fn text_after(&mut self, literal: &[u8]) -> Option<&'a [u8]> {
        self.literal(literal)?;
        let (text, rest) = self.rest.split_at_checked(find_quote(self.rest)?)?;
        self.rest = rest;
        Some(text)
    }

    /// The names and values of `dimensions`, with the closing brace.
    #[inline]
    fn dimensions(&mut self, scratch: &mut Scratch<'a>) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix(b"}") {
            self.rest = rest;
            return Some(());
        }
        loop {
            let name = self.text_after(b"\"")?;
            let value = self.text_after(b"\":\"")?;
            if scratch.dimensions.len() == DIMENSIONS_MAX {
                return None;
            }
            scratch.dimensions.push((name, value));
            match self.rest.split_first_chunk::<2>()? {
                (b"\",", rest) => self.rest = rest,
                (b"\"}", rest) => {
                    self.rest = rest;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// The statistics of `value`, with the closing brace.
    #[inline]
    fn values(&mut self, scratch: &mut Scratch<'a>) -> Option<Values> {
        let mut values = Values::default();
        loop {
            let slot = if let Some(rest) = self.rest.strip_prefix(b"\"max\":") {
                self.rest = rest;
                Some(&mut values.max)
            } else if let Some(rest) = self.rest.strip_prefix(b"\"min\":") {
                self.rest = rest;
                Some(&mut values.min)
            } else if let Some(rest) = self.rest.strip_prefix(b"\"sum\":") {
                self.rest = rest;
                Some(&mut values.sum)
            } else if let Some(rest) = self.rest.strip_prefix(b"\"count\":") {
                self.rest = rest;
                Some(&mut values.count)
            } else {
                None
            };
            let Some(slot) = slot else {
                self.extra(scratch)?;
                if self.ends_values()? {
                    return Some(values);
                }
                continue;
            };
            let (value, rest) = number::read(self.rest)?;
            self.rest = rest;
            // The same key twice is no layout of CloudWatch's.
            if slot.replace(value).is_some() {
                return None;
            }
            if self.ends_values()? {
                return Some(values);
            }
        }
    }

    #[inline]
    fn ends_values(&mut self) -> Option<bool> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        match first {
            b',' => Some(false),
            b'}' => Some(true),
            _ => None,
        }
    }

    /// An additional statistic.
    fn extra(&mut self, scratch: &mut Scratch<'a>) -> Option<()> {
        let name = self.text_after(b"\"")?;
        self.literal(b"\":")?;
        let (value, rest) = number::read(self.rest)?;
        self.rest = rest;
        if scratch.extra.len() == EXTRA_MAX {
            return None;
        }
        scratch.extra.push(Extra { statistic: Statistic::Named(name), value });
        Some(())
    }
}

/// Where the next quote is: sixteen bytes at a time.
#[inline]
fn find_quote(text: &[u8]) -> Option<usize> {
    const ONES: u128 = u128::from_le_bytes([1; 16]);
    const HIGHS: u128 = u128::from_le_bytes([0x80; 16]);
    const QUOTES: u128 = u128::from_le_bytes([b'"'; 16]);
    let mut at = 0;
    let mut rest = text;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        let difference = u128::from_le_bytes(*block) ^ QUOTES;
        // The lowest marked byte is exact: a borrow can only mark bytes above a real match.
        let marks = difference.wrapping_sub(ONES) & !difference & HIGHS;
        if marks != 0 {
            return Some(at + (marks.trailing_zeros() / 8) as usize);
        }
        at += 16;
        rest = tail;
    }
    rest.iter().position(|&byte| byte == b'"').map(|found| at + found)
}

/// True when a line that was cut at its quotes is what it seems: without escapes, without control
/// characters (which JSON does not allow in text), and UTF-8.
#[inline]
fn is_plain_text(line: &[u8]) -> bool {
    // Three running values for each of 32 columns, which compile to a few vector instructions.
    let (mut lowest, mut escape, mut high) = ([0xff; 32], [0xff; 32], [0; 32]);
    let mut look = |block: &[u8; 32]| {
        let columns = lowest.iter_mut().zip(&mut escape).zip(&mut high);
        for (((lowest, escape), high), &byte) in columns.zip(block) {
            *lowest = byte.min(*lowest);
            *escape = (byte ^ b'\\').min(*escape);
            *high |= byte;
        }
    };
    // Whole blocks, and one that ends with the line: no line of this layout is shorter.
    line.as_chunks::<32>().0.iter().for_each(&mut look);
    let Some(last) = line.last_chunk::<32>() else { return false };
    look(last);
    let plain = lowest.iter().all(|byte| *byte >= 0x20) && escape.iter().all(|byte| *byte != 0);
    plain && (high.is_ascii() || std::str::from_utf8(line).is_ok())
}

#[cfg(test)]
mod tests;
