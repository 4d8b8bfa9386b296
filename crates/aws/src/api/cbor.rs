//! CBOR (RFC 8949) as smithy's RPC v2 uses it, both ways.
//!
//! Owns a pull reader over borrowed bytes (for the hot path, which builds no tree) and a reader and
//! writer of [`Value`]. Every length form is taken: indefinite maps, lists and texts, half floats,
//! tagged times, integers where a number is meant. Depth and declared lengths cost nothing they did
//! not pay for in bytes.

use std::borrow::Cow;

use super::Value;

/// Nesting that is followed; AWS's own shapes are five deep.
const DEPTH_MAX: u32 = 32;

/// Bytes that are no CBOR, or not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CBOR at byte {at}: {what}")]
pub struct CborFault {
    /// Offset.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// One item's head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// A whole number.
    Int(i64),
    /// A number with a fraction, or too large to be whole.
    Float(f64),
    /// Bytes in one piece.
    Bytes(&'a [u8]),
    /// A text in one piece.
    Text(&'a str),
    /// Bytes in pieces; they follow as items, then `Break`.
    BytesBegin,
    /// A text in pieces; they follow as items, then `Break`.
    TextBegin,
    /// A list: its length, or `None` when `Break` ends it.
    List(Option<u64>),
    /// A map: its pairs, or `None` when `Break` ends it.
    Map(Option<u64>),
    /// A tag of the item that follows.
    Tag(u64),
    /// A boolean.
    Bool(bool),
    /// Null or undefined.
    Null,
    /// The end of an indefinite item.
    Break,
}

/// Reads items one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// How far it is.
    pub fn position(&self) -> usize {
        self.at
    }

    /// A fault here.
    pub fn fault(&self, what: &'static str) -> CborFault {
        CborFault { at: self.at, what }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CborFault> {
        let end = self.at.checked_add(count).ok_or(self.fault("length overflows"))?;
        let taken = self.bytes.get(self.at..end).ok_or(self.fault("cut short"))?;
        self.at = end;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CborFault> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.fault("cut short"))
    }

    /// The argument of a head; `None` for an indefinite length.
    fn argument(&mut self, low: u8) -> Result<Option<u64>, CborFault> {
        Ok(Some(match low {
            0..=23 => u64::from(low),
            24 => u64::from(u8::from_be_bytes(self.fixed()?)),
            25 => u64::from(u16::from_be_bytes(self.fixed()?)),
            26 => u64::from(u32::from_be_bytes(self.fixed()?)),
            27 => u64::from_be_bytes(self.fixed()?),
            31 => return Ok(None),
            _ => return Err(self.fault("a reserved length")),
        }))
    }

    fn definite(&mut self, low: u8) -> Result<u64, CborFault> {
        self.argument(low)?.ok_or(self.fault("an indefinite number"))
    }

    fn piece(&mut self, length: u64) -> Result<&'a [u8], CborFault> {
        self.take(usize::try_from(length).map_err(|_| self.fault("length overflows"))?)
    }

    /// The next item's head, with its content when that is in one piece.
    pub fn item(&mut self) -> Result<Item<'a>, CborFault> {
        let [head] = self.fixed()?;
        let low = head & 0x1f;
        match head >> 5 {
            0 => Ok(whole(self.definite(low)?, false)),
            1 => Ok(whole(self.definite(low)?, true)),
            2 => match self.argument(low)? {
                Some(length) => self.piece(length).map(Item::Bytes),
                None => Ok(Item::BytesBegin),
            },
            3 => match self.argument(low)? {
                Some(length) => {
                    let piece = self.piece(length)?;
                    std::str::from_utf8(piece).map(Item::Text).map_err(|_| self.fault("not UTF-8"))
                }
                None => Ok(Item::TextBegin),
            },
            4 => self.argument(low).map(Item::List),
            5 => self.argument(low).map(Item::Map),
            6 => self.definite(low).map(Item::Tag),
            _ => self.simple(low),
        }
    }

    fn simple(&mut self, low: u8) -> Result<Item<'a>, CborFault> {
        match low {
            20 => Ok(Item::Bool(false)),
            21 => Ok(Item::Bool(true)),
            22 | 23 => Ok(Item::Null),
            25 => Ok(Item::Float(half(u16::from_be_bytes(self.fixed()?)))),
            26 => Ok(Item::Float(f64::from(f32::from_be_bytes(self.fixed()?)))),
            27 => Ok(Item::Float(f64::from_be_bytes(self.fixed()?))),
            31 => Ok(Item::Break),
            _ => Err(self.fault("an unknown simple value")),
        }
    }

    /// Passes over the item that begins here.
    pub fn skip(&mut self) -> Result<(), CborFault> {
        self.read(0).map(drop)
    }

    /// The item that begins here, as a tree.
    pub fn value(&mut self) -> Result<Value<'a>, CborFault> {
        self.read(0)
    }

    fn read(&mut self, depth: u32) -> Result<Value<'a>, CborFault> {
        if depth > DEPTH_MAX {
            return Err(self.fault("nested too deep"));
        }
        Ok(match self.item()? {
            Item::Int(number) => Value::Int(number),
            Item::Float(number) => Value::Float(number),
            Item::Bytes(bytes) => Value::Blob(Cow::Borrowed(bytes)),
            Item::Text(text) => Value::Text(Cow::Borrowed(text)),
            Item::BytesBegin => Value::Blob(Cow::Owned(self.bytes_in_pieces()?)),
            Item::TextBegin => Value::Text(Cow::Owned(self.text_in_pieces()?)),
            Item::List(length) => Value::List(self.list(length, depth)?),
            Item::Map(length) => Value::Map(self.map(length, depth)?),
            Item::Tag(tag) => match (tag, self.read(depth + 1)?) {
                (1, Value::Int(seconds)) => Value::Time(seconds as f64),
                (1, Value::Float(seconds)) => Value::Time(seconds),
                (_, value) => value,
            },
            Item::Bool(flag) => Value::Bool(flag),
            Item::Null => Value::Null,
            Item::Break => return Err(self.fault("an end of nothing")),
        })
    }

    /// True when an indefinite item ends here; the end is passed over.
    pub fn ends(&mut self) -> Result<bool, CborFault> {
        match self.bytes.get(self.at) {
            None => Err(self.fault("cut short")),
            Some(0xff) => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn list(&mut self, length: Option<u64>, depth: u32) -> Result<Vec<Value<'a>>, CborFault> {
        let mut items = Vec::new();
        let mut left = length;
        while !self.done(&mut left)? {
            items.push(self.read(depth + 1)?);
        }
        Ok(items)
    }

    fn map(
        &mut self,
        length: Option<u64>,
        depth: u32,
    ) -> Result<Vec<(Cow<'a, str>, Value<'a>)>, CborFault> {
        let mut members = Vec::new();
        let mut left = length;
        while !self.done(&mut left)? {
            let name = self.member_name()?;
            members.push((name, self.read(depth + 1)?));
        }
        Ok(members)
    }

    /// The name of a member of a map.
    pub fn member_name(&mut self) -> Result<Cow<'a, str>, CborFault> {
        match self.item()? {
            Item::Text(name) => Ok(Cow::Borrowed(name)),
            Item::TextBegin => Ok(Cow::Owned(self.text_in_pieces()?)),
            _ => Err(self.fault("a name that is no text")),
        }
    }

    /// Counts down a definite length, or looks for the end of an indefinite one.
    pub fn done(&mut self, left: &mut Option<u64>) -> Result<bool, CborFault> {
        match left {
            None => self.ends(),
            Some(0) => Ok(true),
            Some(left) => {
                *left -= 1;
                Ok(false)
            }
        }
    }

    fn bytes_in_pieces(&mut self) -> Result<Vec<u8>, CborFault> {
        let mut whole = Vec::new();
        while !self.ends()? {
            match self.item()? {
                Item::Bytes(piece) => whole.extend_from_slice(piece),
                _ => return Err(self.fault("a piece that is no bytes")),
            }
        }
        Ok(whole)
    }

    fn text_in_pieces(&mut self) -> Result<String, CborFault> {
        let mut whole = String::new();
        while !self.ends()? {
            match self.item()? {
                Item::Text(piece) => whole.push_str(piece),
                _ => return Err(self.fault("a piece that is no text")),
            }
        }
        Ok(whole)
    }
}

fn whole(argument: u64, negative: bool) -> Item<'static> {
    match (i64::try_from(argument), negative) {
        (Ok(number), false) => Item::Int(number),
        (Ok(number), true) => Item::Int(-1 - number),
        (Err(_), false) => Item::Float(argument as f64),
        (Err(_), true) => Item::Float(-1.0 - argument as f64),
    }
}

/// RFC 8949, appendix D.
fn half(bits: u16) -> f64 {
    let exponent = i32::from((bits >> 10) & 0x1f);
    let mantissa = f64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// A whole body; an empty one is an empty map, as clients without input send it.
pub fn read(bytes: &[u8]) -> Result<Value<'_>, CborFault> {
    if bytes.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let mut reader = Reader::new(bytes);
    let value = reader.value()?;
    if reader.position() != bytes.len() {
        return Err(reader.fault("more after the end"));
    }
    Ok(value)
}

/// Writes a value, with definite lengths; times are tagged doubles, as AWS writes them.
pub fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(0xf4 + u8::from(*flag)),
        Value::Int(number) if *number < 0 => head(1, (-1 - *number).unsigned_abs(), out),
        Value::Int(number) => head(0, number.unsigned_abs(), out),
        Value::Float(number) => double(*number, out),
        Value::Time(seconds) => {
            out.push(0xc1);
            double(*seconds, out);
        }
        Value::Text(text) => {
            head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Blob(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Value::List(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| write(item, out));
        }
        Value::Map(members) | Value::Table(members) => {
            head(5, members.len() as u64, out);
            for (name, member) in members {
                head(3, name.len() as u64, out);
                out.extend_from_slice(name.as_bytes());
                write(member, out);
            }
        }
    }
}

fn double(number: f64, out: &mut Vec<u8>) {
    out.push(0xfb);
    out.extend_from_slice(&number.to_be_bytes());
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
