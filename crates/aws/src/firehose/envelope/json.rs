//! The JSON that an envelope is made of, read from a window byte by byte where it is rare and in
//! long strokes where it is not.
//!
//! Always: RFC 8259 and nothing beside it, but for the UTF-8 of what is skipped, and for control
//! characters in the text of a record, which base64 refuses.
//!
//! Not here: which keys an envelope has.

use std::ops::Range;

use memchr::memchr2;

use super::EnvelopeFault;
use super::window::Window;

/// How deep unknown values may nest, so that no body exhausts the stack.
pub const NESTING_MAX: u32 = 32;

/// Where a string's text lies.
pub(super) enum Text {
    /// In the window, without escapes.
    Plain(Range<usize>),
    /// In the buffer of resolved escapes.
    Unescaped,
}

type Step<T> = Result<T, EnvelopeFault>;

impl Window<'_> {
    /// The next byte, left in place, or `None` at the end.
    fn peek(&mut self) -> Step<Option<u8>> {
        loop {
            if let Some(&byte) = self.rest().first() {
                return Ok(Some(byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Takes the next byte.
    fn take(&mut self) -> Step<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.bump();
        }
        Ok(byte)
    }

    /// The next byte that is not white space, left in place.
    pub(super) fn after_space(&mut self) -> Step<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.bump(),
                other => return Ok(other),
            }
        }
    }

    /// Takes `wanted` if it comes next, white space aside.
    pub(super) fn take_after_space(&mut self, wanted: u8) -> Step<bool> {
        let found = self.after_space()? == Some(wanted);
        if found {
            self.bump();
        }
        Ok(found)
    }

    /// Takes `wanted`, white space aside, or fails with `what`.
    pub(super) fn expect(&mut self, wanted: u8, what: &str) -> Step<()> {
        if self.take_after_space(wanted)? { Ok(()) } else { Err(self.unexpected(what)) }
    }

    /// Takes exactly these bytes if they come next.
    pub(super) fn take_exact(&mut self, wanted: &[u8]) -> Step<bool> {
        while self.rest().len() < wanted.len() {
            if !self.more()? {
                return Ok(false);
            }
        }
        let found = self.rest().starts_with(wanted);
        if found {
            self.skip(wanted.len());
        }
        Ok(found)
    }

    /// Goes to the next member of an object: past the comma unless it is the first. False past the
    /// closing brace.
    pub(super) fn member(&mut self, first: bool) -> Step<bool> {
        if self.take_after_space(b'}')? {
            return Ok(false);
        }
        if !first {
            self.expect(b',', "expected `,` or `}`")?;
        }
        self.after_space()?;
        Ok(true)
    }

    /// Reads a key and its colon. A key that does not fit into `space` comes back cut, and so is
    /// none of the known ones, which are shorter.
    pub(super) fn key<'k>(&mut self, space: &'k mut [u8]) -> Step<&'k [u8]> {
        self.expect(b'"', "expected a key in quotes")?;
        let mut length = 0;
        while let Some(unit) = self.string_unit()? {
            for &byte in unit.bytes() {
                if let Some(slot) = space.get_mut(length) {
                    *slot = byte;
                    length += 1;
                }
            }
        }
        self.expect(b':', "expected `:` after a key")?;
        Ok(space.get(..length).unwrap_or_default())
    }

    /// Marks a known key as seen; a second time is a fault.
    pub(super) fn once(&mut self, seen: &mut bool, key: &str) -> Step<()> {
        if *seen {
            return Err(self.malformed(&format!("`{key}` comes twice")));
        }
        *seen = true;
        Ok(())
    }

    /// Reads a string's text after its opening quote; `None` when it is longer than `most`.
    pub(super) fn text(&mut self, unescaped: &mut Vec<u8>, most: usize) -> Step<Option<Text>> {
        let mut searched = 0;
        loop {
            let unsearched = self.rest().get(searched..).unwrap_or_default();
            let found = memchr2(b'"', b'\\', unsearched).map(|at| searched + at);
            let length = found.unwrap_or(self.rest().len());
            if length > most {
                return Ok(None);
            }
            match found {
                Some(length) if self.rest().get(length) == Some(&b'"') => {
                    let begin = self.at();
                    self.skip(length + 1);
                    return Ok(Some(Text::Plain(begin..begin + length)));
                }
                Some(_) => {
                    unescaped.clear();
                    let fits = self.string_into(unescaped, most)?;
                    return Ok(fits.then_some(Text::Unescaped));
                }
                None => searched = length,
            }
            if !self.more()? {
                self.skip(length);
                return Err(self.unexpected("expected the closing quote of a string"));
            }
        }
    }

    /// Appends a string's text after its opening quote, escapes resolved; false when `out` would
    /// grow beyond `most`.
    pub(super) fn string_into(&mut self, out: &mut Vec<u8>, most: usize) -> Step<bool> {
        while let Some(unit) = self.string_unit()? {
            if out.len() + unit.bytes().len() > most {
                return Ok(false);
            }
            out.extend_from_slice(unit.bytes());
        }
        Ok(true)
    }

    /// One byte or one escape of a string, or `None` past its closing quote.
    fn string_unit(&mut self) -> Step<Option<Unit>> {
        match self.peek()? {
            Some(b'"') => {
                self.bump();
                Ok(None)
            }
            Some(b'\\') => {
                self.bump();
                self.escape().map(Some)
            }
            Some(byte) if byte >= 0x20 => {
                self.bump();
                Ok(Some(Unit::byte(byte)))
            }
            Some(_) => Err(self.malformed("a control character in a string")),
            None => Err(self.unexpected("expected the closing quote of a string")),
        }
    }

    /// The rest of an escape after its backslash.
    fn escape(&mut self) -> Step<Unit> {
        let byte = match self.take()? {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => return Err(self.malformed("an unknown escape in a string before this")),
            None => return Err(self.unexpected("expected the rest of an escape")),
        };
        Ok(Unit::byte(byte))
    }

    fn unicode_escape(&mut self) -> Step<Unit> {
        let high = self.four_digits()?;
        let mut code = high;
        if (0xd800..0xdc00).contains(&high) && self.take_exact(b"\\u")? {
            let low = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.malformed("half a surrogate pair before this"));
            }
            code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        }
        match char::from_u32(code) {
            Some(character) => Ok(Unit::character(character)),
            None => Err(self.malformed("half a surrogate pair before this")),
        }
    }

    fn four_digits(&mut self) -> Step<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("expected four hexadecimal digits"));
            };
            self.bump();
            code = code * 16 + digit;
        }
        Ok(code)
    }

    /// Reads any value; `Some` when it is a whole number that fits.
    pub(super) fn whole_number(&mut self) -> Step<Option<i64>> {
        match self.after_space()? {
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                self.skip_value(0)?;
                Ok(None)
            }
        }
    }

    /// Reads a number; `Some` when it is whole and fits.
    fn number(&mut self) -> Step<Option<i64>> {
        let negative = self.take_if(b'-')?;
        let mut magnitude = Some(0_i64);
        if !self.take_if(b'0')? {
            self.digits(|digit| {
                magnitude = magnitude.and_then(|m| m.checked_mul(10)?.checked_add(digit));
            })?;
        }
        if self.take_if(b'.')? {
            magnitude = None;
            self.digits(|_| ())?;
        }
        if matches!(self.peek()?, Some(b'e' | b'E')) {
            self.bump();
            magnitude = None;
            if matches!(self.peek()?, Some(b'+' | b'-')) {
                self.bump();
            }
            self.digits(|_| ())?;
        }
        Ok(magnitude.map(|m| if negative { -m } else { m }))
    }

    fn take_if(&mut self, wanted: u8) -> Step<bool> {
        let found = self.peek()? == Some(wanted);
        if found {
            self.bump();
        }
        Ok(found)
    }

    /// One digit or more.
    fn digits(&mut self, mut each: impl FnMut(i64)) -> Step<()> {
        let mut any = false;
        while let Some(byte @ b'0'..=b'9') = self.peek()? {
            self.bump();
            each(i64::from(byte - b'0'));
            any = true;
        }
        if any { Ok(()) } else { Err(self.unexpected("expected a digit")) }
    }

    /// Reads any value and forgets it.
    pub(super) fn skip_value(&mut self, depth: u32) -> Step<()> {
        match self.after_space()? {
            Some(b'{' | b'[') if depth >= NESTING_MAX => {
                Err(self.malformed(&format!("values nested more than {NESTING_MAX} deep")))
            }
            Some(b'{') => self.skip_object(depth),
            Some(b'[') => self.skip_array(depth),
            Some(b'"') => {
                self.bump();
                while self.string_unit()?.is_some() {}
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(self.unexpected("expected a JSON value")),
        }
    }

    fn skip_object(&mut self, depth: u32) -> Step<()> {
        self.bump();
        let mut first = true;
        while self.member(first)? {
            first = false;
            self.key(&mut [])?;
            self.skip_value(depth + 1)?;
        }
        Ok(())
    }

    fn skip_array(&mut self, depth: u32) -> Step<()> {
        self.bump();
        if self.take_after_space(b']')? {
            return Ok(());
        }
        loop {
            self.skip_value(depth + 1)?;
            if self.take_after_space(b']')? {
                return Ok(());
            }
            self.expect(b',', "expected `,` or `]`")?;
        }
    }

    fn literal(&mut self, word: &[u8]) -> Step<()> {
        for letter in word {
            if !self.take_if(*letter)? {
                let word = String::from_utf8_lossy(word);
                return Err(self.unexpected(&format!("expected `{word}`")));
            }
        }
        Ok(())
    }

    /// A fault at the next byte that says when it is the end of the body.
    pub(super) fn unexpected(&mut self, what: &str) -> EnvelopeFault {
        match self.peek() {
            Ok(Some(_)) => self.malformed(what),
            Ok(None) => self.malformed(&format!("{what}, found the end of the body")),
            Err(fault) => fault,
        }
    }
}

/// A byte of a string, or the UTF-8 of an escape.
struct Unit {
    bytes: [u8; 4],
    length: usize,
}

impl Unit {
    fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn character(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
