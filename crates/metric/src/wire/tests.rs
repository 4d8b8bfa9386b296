use proptest::prelude::*;

use super::{
    Reader, close, field_len, open, put_bytes, put_fixed64, put_uint, put_varint, varint_len,
};

/// *Scenario:* varints that are padded, too long, cut off or above 64 bits.
/// *Guarantees:* padding up to ten bytes is taken, all else is refused without a panic.
#[test]
fn varints_are_bounded() {
    for (bytes, value) in [
        (&[0x00][..], Some(0)),
        (&[0x80, 0x00], Some(0)),
        (&[0x8a, 0x80, 0x80, 0x00], Some(10)),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Some(u64::MAX)),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], None),
        (&[0x80; 11], None),
        (&[0x80], None),
        (&[], None),
    ] {
        assert_eq!(Reader::new(bytes).varint(), value, "{bytes:x?}");
    }
}

/// *Scenario:* groups, within each other, without end, with another's; tags of field number 0 and of
/// unknown wire types; fields longer than what is there.
/// *Guarantees:* every known wire type is passed over whole, all else is refused.
#[test]
fn known_fields_are_passed_over() {
    for (bytes, rest) in [
        (&[0x20, 0x96, 0x01, 9][..], Some(1)),
        (&[0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9], Some(1)),
        (&[0x22, 2, 1, 2, 9], Some(1)),
        (&[0x25, 1, 2, 3, 4, 9], Some(1)),
        (&[0x23, 0x24, 9], Some(1)),
        (&[0x23, 0x20, 1, 0x2b, 0x22, 1, 0x24, 0x2c, 0x24, 9], Some(1)),
        (&[0x23, 0x20, 1], None),
        (&[0x23, 0x2c], None),
        (&[0x23, 0x2b, 0x24, 0x2c], None),
        (&[0x24], None),
        (&[0x26], None),
        (&[0x22, 3, 1, 2], None),
        (&[0x21, 1, 2, 3], None),
        (&[0x25, 1], None),
        (&[0x02, 0], None),
    ] {
        let mut reader = Reader::new(bytes);
        let passed = reader.tag().and_then(|tag| reader.skip(tag)).map(|()| reader.rest().len());
        assert_eq!(passed, rest, "{bytes:x?}");
    }
    for (deep, passed) in [(100, Some(())), (101, None), (1_000_000, None)] {
        let groups = [vec![0x23; deep], vec![0x24; deep]].concat();
        let mut reader = Reader::new(&groups);
        assert_eq!(reader.tag().and_then(|tag| reader.skip(tag)), passed, "{deep}");
    }
}

/// *Scenario:* a field is opened, filled and closed.
/// *Guarantees:* its padded length is read by our reader and by prost; a wrong mark writes nothing.
#[test]
fn padded_lengths_are_read() {
    for size in [0, 1, 127, 128, 20_000] {
        let mut out = vec![7];
        let opened = open(2, &mut out);
        out.resize(out.len() + size, 1);
        assert!(close(opened, &mut out));
        let mut reader = Reader::new(&out[1..]);
        assert_eq!(reader.tag(), Some(0x12));
        assert_eq!(reader.bytes().map(<[u8]>::len), Some(size));
        let mut bytes = &out[2..];
        assert_eq!(prost::encoding::decode_varint(&mut bytes), Ok(size as u64));
    }
    let mut out = vec![1, 2, 3];
    assert!(!close(2, &mut out) && !close(9, &mut out));
    assert_eq!(out, [1, 2, 3]);
}

/// *Scenario:* fields that hold zero.
/// *Guarantees:* numbers are left out, as proto3 does; empty text is written.
#[test]
fn defaults_are_left_out() {
    let mut out = Vec::new();
    put_fixed64(3, 0, &mut out);
    put_uint(3, 0, &mut out);
    assert!(out.is_empty());
    put_bytes(3, b"", &mut out);
    put_uint(4, 300, &mut out);
    put_fixed64(1, 1, &mut out);
    assert_eq!(out, [0x1a, 0, 0x20, 0xac, 0x02, 0x09, 1, 0, 0, 0, 0, 0, 0, 0]);
}

proptest! {
    /// *Scenario:* any number and any content are written.
    /// *Guarantees:* they read back, and their lengths are what was foretold, as with prost.
    #[test]
    fn what_is_written_reads_back(value in any::<u64>(), shift in 0..64, size in 0_usize..300) {
        let value = value >> shift;
        let mut out = Vec::new();
        put_varint(value, &mut out);
        prop_assert_eq!(out.len(), varint_len(value));
        prop_assert_eq!(out.len(), prost::encoding::encoded_len_varint(value));
        prop_assert_eq!(Reader::new(&out).varint(), Some(value));
        let content = vec![5; size];
        let mut out = Vec::new();
        put_bytes(1, &content, &mut out);
        prop_assert_eq!(out.len(), field_len(size));
        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.tag(), Some(0x0a));
        prop_assert_eq!(reader.bytes(), Some(&content[..]));
        prop_assert!(reader.is_empty());
    }
}
