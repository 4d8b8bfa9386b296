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
        let index = match text {
            b"Seconds" | b"s" => 0,
            b"Microseconds" | b"us" => 1,
            b"Milliseconds" | b"ms" => 2,
            b"Bytes" | b"By" => 3,
            b"Kilobytes" | b"kBy" => 4,
            b"Megabytes" | b"MBy" => 5,
            b"Gigabytes" | b"GBy" => 6,
            b"Terabytes" | b"TBy" => 7,
            b"Percent" | b"%" => 13,
            b"Count" | b"{Count}" => 14,
            b"Bytes/Second" | b"By/s" => 15,
            b"Kilobytes/Second" | b"kBy/s" => 16,
            b"Megabytes/Second" | b"MBy/s" => 17,
            b"Gigabytes/Second" | b"GBy/s" => 18,
            b"Terabytes/Second" | b"TBy/s" => 19,
            b"Count/Second" | b"{Count}/s" => 25,
            b"None" | b"1" | b"" => NONE,
            _ => return Self::parse_rare(text),
        };
        Unit::Known(index)
    }

    /// The bit family, whose OTel spelling differs in its capitals from writer to writer.
    fn parse_rare(text: &'a [u8]) -> Self {
        const LONGEST: usize = 15; // `Kilobits/Second` and `Megabits/Second`
        if text.len() > LONGEST {
            return Unit::Other(text);
        }
        for index in [8_u8, 9, 10, 11, 12, 20, 21, 22, 23, 24] {
            if let Some((cloudwatch, otel)) = TABLE.get(usize::from(index))
                && (text == *cloudwatch || text.eq_ignore_ascii_case(otel))
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
