//! Units: the 27 of CloudWatch, and their OTel spelling, both ways.
//!
//! Owns the one table. Text of either spelling becomes [`Unit::Known`]; anything else is kept as
//! it came, so no unit is ever lost. Deliberately not here: what a destination calls a unit.

/// A CloudWatch `StandardUnit`, or text that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit<'a> {
    /// One of the 27, by index into the table.
    Known(u8),
    /// Anything else, kept as it came.
    Other(&'a [u8]),
}

/// CloudWatch's name and OTel's, in the order of the `StandardUnit` list of the API.
///
/// The capitals of `MBit` and `GBit` against `kbit` and `Tbit` are those AWS documents.
const TABLE: [(&[u8], &[u8]); 27] = [
    (b"Seconds", b"s"),
    (b"Microseconds", b"us"),
    (b"Milliseconds", b"ms"),
    (b"Bytes", b"By"),
    (b"Kilobytes", b"kBy"),
    (b"Megabytes", b"MBy"),
    (b"Gigabytes", b"GBy"),
    (b"Terabytes", b"TBy"),
    (b"Bits", b"bit"),
    (b"Kilobits", b"kbit"),
    (b"Megabits", b"MBit"),
    (b"Gigabits", b"GBit"),
    (b"Terabits", b"Tbit"),
    (b"Percent", b"%"),
    (b"Count", b"{Count}"),
    (b"Bytes/Second", b"By/s"),
    (b"Kilobytes/Second", b"kBy/s"),
    (b"Megabytes/Second", b"MBy/s"),
    (b"Gigabytes/Second", b"GBy/s"),
    (b"Terabytes/Second", b"TBy/s"),
    (b"Bits/Second", b"bit/s"),
    (b"Kilobits/Second", b"kbit/s"),
    (b"Megabits/Second", b"MBit/s"),
    (b"Gigabits/Second", b"GBit/s"),
    (b"Terabits/Second", b"Tbit/s"),
    (b"Count/Second", b"{Count}/s"),
    (b"None", b"1"),
];

/// Index of `None`, the unit of a metric that was sent without one.
const NONE: u8 = 26;
/// Longest name of a unit: `Kilobytes/Second`.
const NAME_LENGTH_MAX: usize = 16;
/// Sends each of the 54 names to a slot of its own; found by trial, checked when [`SLOTS`] is made.
const MULTIPLIER: u64 = 0x73aa_1107_119f_e69f;
/// An empty slot.
const VACANT: u8 = u8::MAX;
/// From the hash of a name to the index of its unit.
const SLOTS: [u8; 256] = slots();
/// The names of each unit as numbers, padded with zeros.
const WORDS: [(u128, u128); 27] = words();

/// Where a name of up to 16 bytes, padded with zeros, has its slot.
#[inline]
const fn slot(word: u128) -> usize {
    let (low, high) = (word as u64, (word >> 64) as u64);
    ((low ^ high.rotate_left(29)).wrapping_mul(MULTIPLIER) >> 56) as usize
}

/// A name as a number, first byte lowest.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn word(name: &[u8]) -> u128 {
    let (mut word, mut at) = (0, name.len());
    while at > 0 {
        at -= 1;
        word = word << 8 | name[at] as u128;
    }
    word
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn words() -> [(u128, u128); 27] {
    let (mut words, mut index) = ([(0, 0); 27], 0);
    while index < TABLE.len() {
        words[index] = (word(TABLE[index].0), word(TABLE[index].1));
        index += 1;
    }
    words
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn slots() -> [u8; 256] {
    let (mut slots, mut index) = ([VACANT; 256], 0);
    let words = words();
    while index < words.len() {
        let (first, second) = (slot(words[index].0), slot(words[index].1));
        assert!(slots[first] == VACANT && slots[second] == VACANT && first != second);
        slots[first] = index as u8;
        slots[second] = index as u8;
        index += 1;
    }
    slots
}

impl<'a> Unit<'a> {
    /// The unit `None`, which is also what an absent unit means.
    pub const NONE: Unit<'static> = Unit::Known(NONE);

    /// The 27 units of CloudWatch, in the order of the API's list.
    pub fn all() -> impl Iterator<Item = Unit<'static>> {
        (0..=NONE).map(Unit::Known)
    }

    /// The unit that `text` names, in CloudWatch's spelling or in OTel's; the two lists share no
    /// word. Empty text is [`Unit::NONE`]; unknown text is kept.
    pub fn parse(text: &'a [u8]) -> Self {
        let mut padded = [0; NAME_LENGTH_MAX];
        match padded.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(text),
            None => return Unit::Other(text),
        }
        Self::of_word(u128::from_le_bytes(padded), text)
    }

    /// The same for `text` at the start of `rest`: without a branch on its length when there is
    /// enough behind it, since the next unit can never be foreseen.
    #[inline]
    pub(crate) fn parse_at(rest: &'a [u8], text: &'a [u8]) -> Self {
        match rest.first_chunk::<NAME_LENGTH_MAX>() {
            Some(window) if !text.is_empty() && text.len() <= NAME_LENGTH_MAX => {
                let unused = 8 * (NAME_LENGTH_MAX - text.len());
                Self::of_word(u128::from_le_bytes(*window) << unused >> unused, text)
            }
            _ => Self::parse(text),
        }
    }

    /// The unit whose name is `word`, or `text`, which says the same.
    #[inline]
    fn of_word(word: u128, text: &'a [u8]) -> Self {
        let index = SLOTS.get(slot(word)).copied().unwrap_or(VACANT);
        match WORDS.get(usize::from(index)) {
            Some(names) if (word == names.0) | (word == names.1) => Unit::Known(index),
            _ if text.is_empty() => Self::NONE,
            _ => Self::parse_rare(text),
        }
    }

    /// The bit family, whose OTel spelling differs in its capitals from writer to writer.
    #[cold]
    fn parse_rare(text: &'a [u8]) -> Self {
        for index in [8_u8, 9, 10, 11, 12, 20, 21, 22, 23, 24] {
            if let Some((_, otel)) = TABLE.get(usize::from(index))
                && text.eq_ignore_ascii_case(otel)
            {
                return Unit::Known(index);
            }
        }
        Unit::Other(text)
    }

    /// The CloudWatch name, for instance `Bytes/Second`; other text as it came.
    pub fn cloudwatch(&self) -> &'a [u8] {
        match *self {
            Unit::Known(index) => TABLE.get(usize::from(index)).map_or(b"None", |row| row.0),
            Unit::Other(text) => text,
        }
    }

    /// The OTel name, for instance `By/s`; other text as it came.
    pub fn otel(&self) -> &'a [u8] {
        match *self {
            Unit::Known(index) => TABLE.get(usize::from(index)).map_or(b"1", |row| row.1),
            Unit::Other(text) => text,
        }
    }
}

#[cfg(test)]
mod tests;
