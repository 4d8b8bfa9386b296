//! A checked call as the journal keeps it: what the fold reads.
//!
//! Owns the bytes, described in `docs/entry-format.md`: little endian, lengths before texts. Always:
//! what [`encode`] wrote, [`decode`] gives back, borrowed; any bytes give a call or a fault.

use metric::Unit;

use super::check::{Checked, Samples};

/// The version this release writes.
const VERSION: u8 = 1;

const HIGH_RESOLUTION: u8 = 1;
const IS_SET: u8 = 2;

/// Appends a call of an account.
pub fn encode(account: &str, call: &Checked<'_>, out: &mut Vec<u8>) {
    out.push(VERSION);
    text(account, out);
    text(&call.namespace, out);
    out.extend_from_slice(&(call.entries.len() as u32).to_le_bytes());
    for entry in &call.entries {
        text(&entry.name, out);
        out.push(entry.dimensions.len() as u8);
        for (name, value) in &entry.dimensions {
            text(name, out);
            text(value, out);
        }
        let unit = Unit::all().position(|unit| unit.cloudwatch() == entry.unit.as_bytes());
        out.push(unit.unwrap_or(UNIT_NONE) as u8);
        out.extend_from_slice(&entry.timestamp_ms.to_le_bytes());
        let high_resolution = if entry.high_resolution { HIGH_RESOLUTION } else { 0 };
        match &entry.samples {
            Samples::Set(parts) => {
                out.push(high_resolution | IS_SET);
                parts.iter().for_each(|part| out.extend_from_slice(&part.to_le_bytes()));
            }
            Samples::Raw(values) => {
                out.push(high_resolution);
                out.push(values.len() as u8);
                for (value, weight) in values {
                    out.extend_from_slice(&value.to_le_bytes());
                    out.extend_from_slice(&weight.to_le_bytes());
                }
            }
        }
    }
}

/// Place of `None` in CloudWatch's list.
const UNIT_NONE: usize = 26;

/// Every text here is at most 1,024 characters of ASCII.
fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Bytes that are no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// Written by a newer release.
    #[error("written by a newer release (version {0})")]
    Newer(u8),
    /// Cut short or malformed.
    #[error("malformed at byte {0}")]
    Malformed(usize),
}

/// A call, read datum by datum.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Account.
    pub account: &'a str,
    /// Namespace.
    pub namespace: &'a str,
    left: u32,
    rest: Reader<'a>,
}

/// One datum. `key` is what names its series within account and namespace: name, dimensions and
/// unit, in bytes that are equal exactly when these are.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<'a> {
    /// Name, dimensions and unit as they stand in the entry.
    pub key: &'a [u8],
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// `StorageResolution` is 1.
    pub high_resolution: bool,
    /// What was measured.
    pub samples: Samples,
}

/// The parts of a [`Kept::key`].
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// Name.
    pub name: &'a str,
    /// By name.
    pub dimensions: Vec<(&'a str, &'a str)>,
    /// Unit.
    pub unit: Unit<'static>,
}

/// Begins to read a call.
pub fn decode(bytes: &[u8]) -> Result<Call<'_>, WireFault> {
    let mut rest = Reader { bytes, at: 0 };
    let [version] = rest.fixed()?;
    if version > VERSION {
        return Err(WireFault::Newer(version));
    }
    let (account, namespace) = (rest.text()?, rest.text()?);
    let left = u32::from_le_bytes(rest.fixed()?);
    Ok(Call { account, namespace, left, rest })
}

impl<'a> Iterator for Call<'a> {
    type Item = Result<Kept<'a>, WireFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let kept = self.rest.kept();
        if kept.is_err() {
            self.left = 0;
        }
        Some(kept)
    }
}

/// The parts of a key; `None` when it is none.
pub fn series(key: &[u8]) -> Option<Series<'_>> {
    let mut reader = Reader { bytes: key, at: 0 };
    let name = reader.text().ok()?;
    let [count] = reader.fixed().ok()?;
    let mut dimensions = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        dimensions.push((reader.text().ok()?, reader.text().ok()?));
    }
    let [unit] = reader.fixed().ok()?;
    let unit = Unit::all().nth(usize::from(unit))?;
    (reader.at == key.len()).then_some(Series { name, dimensions, unit })
}

#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], WireFault> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or(WireFault::Malformed(self.at))?;
        self.at += count;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], WireFault> {
        self.take(N)?.try_into().map_err(|_| WireFault::Malformed(self.at))
    }

    fn text(&mut self) -> Result<&'a str, WireFault> {
        let length = u16::from_le_bytes(self.fixed()?);
        let at = self.at;
        std::str::from_utf8(self.take(usize::from(length))?).map_err(|_| WireFault::Malformed(at))
    }

    fn number(&mut self) -> Result<f64, WireFault> {
        Ok(f64::from_le_bytes(self.fixed()?))
    }

    fn kept(&mut self) -> Result<Kept<'a>, WireFault> {
        let begin = self.at;
        self.text()?;
        let [dimensions] = self.fixed()?;
        for _ in 0..u16::from(dimensions) * 2 {
            self.text()?;
        }
        let [_unit] = self.fixed()?;
        let key = self.bytes.get(begin..self.at).unwrap_or_default();
        let timestamp_ms = i64::from_le_bytes(self.fixed()?);
        let [flags] = self.fixed()?;
        let samples = if flags & IS_SET == 0 {
            let [count] = self.fixed()?;
            let mut values = Vec::with_capacity(usize::from(count));
            for _ in 0..count {
                values.push((self.number()?, self.number()?));
            }
            Samples::Raw(values)
        } else {
            Samples::Set([self.number()?, self.number()?, self.number()?, self.number()?])
        };
        let high_resolution = flags & HIGH_RESOLUTION != 0;
        Ok(Kept { key, timestamp_ms, high_resolution, samples })
    }
}
