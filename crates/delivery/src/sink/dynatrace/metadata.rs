//! Units as metadata lines: `#key gauge dt.meta.unit=Byte`.
//!
//! Ingest takes metadata only for keys that have none, so one line per key and process is enough.

use metric::Unit;

use crate::sink::text::Text;

/// CloudWatch unit to unit id. All are letters, so that they may stand bare.
const UNITS: [(&str, &str); 27] = [
    ("Seconds", "Second"),
    ("Microseconds", "MicroSecond"),
    ("Milliseconds", "MilliSecond"),
    ("Bytes", "Byte"),
    ("Kilobytes", "KiloByte"),
    ("Megabytes", "MegaByte"),
    ("Gigabytes", "GigaByte"),
    ("Terabytes", "TeraByte"),
    ("Bits", "Bit"),
    ("Kilobits", "KiloBit"),
    ("Megabits", "MegaBit"),
    ("Gigabits", "GigaBit"),
    ("Terabits", "TeraBit"),
    ("Percent", "Percent"),
    ("Count", "Count"),
    ("Bytes/Second", "BytePerSecond"),
    ("Kilobytes/Second", "KiloBytePerSecond"),
    ("Megabytes/Second", "MegaBytePerSecond"),
    ("Gigabytes/Second", "GigaBytePerSecond"),
    ("Terabytes/Second", "TeraBytePerSecond"),
    ("Bits/Second", "BitPerSecond"),
    ("Kilobits/Second", "KiloBitPerSecond"),
    ("Megabits/Second", "MegaBitPerSecond"),
    ("Gigabits/Second", "GigaBitPerSecond"),
    ("Terabits/Second", "TeraBitPerSecond"),
    ("Count/Second", "PerSecond"),
    ("None", "Unspecified"),
];

/// The unit id of a CloudWatch unit; text that is none of the 27 has no id and is not announced.
pub(crate) fn unit_id(unit: &Unit<'_>) -> Option<&'static str> {
    let name = unit.cloudwatch();
    UNITS.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, id)| *id)
}

/// Appends the metadata line of a key, without a line end.
pub(crate) fn push_line(out: &mut Text, key: &[u8], unit: &str) {
    out.push(b'#');
    out.put(key);
    out.put(b" gauge dt.meta.unit=");
    out.put(unit.as_bytes());
}
