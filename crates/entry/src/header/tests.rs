//! The bytes of a header: golden, round trip, what is skipped, what is refused.

use proptest::prelude::*;

use super::{CRITICAL, Encoding, Header, HeaderError, Kind, LaneId, member};

fn sample() -> Header {
    Header {
        kind: Kind::FirehoseDelivery,
        encoding: Encoding::Gzip,
        arrival_ms: 1_795_176_000_123,
        plain_bytes: 700_000,
        records: 5,
        source: "aws".to_owned(),
        source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s1".to_owned(),
        request_id: "r-1".to_owned(),
        attributes: vec![("env".to_owned(), "prod".to_owned()), ("env".to_owned(), String::new())],
        lane: Some(LaneId([7; 16])),
        only: Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// *Scenario:* the header of `docs/entry-format.md`, encoded.
/// *Guarantees:* exactly these bytes, in this release and every later one (I8).
#[test]
fn golden_bytes() {
    let expected = concat!(
        "01",                         // version
        "810100000001",               // kind: Firehose delivery
        "820100000001",               // encoding: gzip
        "03080000007bead3f8a1010000", // arrival
        "040800000060ae0a0000000000", // plain bytes
        "050400000005000000",         // records
        "0603000000617773",           // source
        "073900000061726e3a6177733a66697265686f73653a65752d776573742d313a",
        "3131313132323232333333333a64656c697665727973747265616d2f7331", // source ARN
        "0803000000722d31",                                             // request id
        "090b00000003000000656e7670726f64",                             // attribute env=prod
        "090700000003000000656e76",                                     // attribute env=
        "8a1000000007070707070707070707070707070707",                   // lane
    );
    assert_eq!(hex(&sample().encode()), expected);
}

/// *Scenario:* a header with everything, and one with nothing that may be absent.
/// *Guarantees:* both come back.
#[test]
fn round_trip() {
    let full = sample();
    assert_eq!(Header::decode(&full.encode()), Ok(full.clone()));
    let bare = Header {
        encoding: Encoding::Identity,
        arrival_ms: -1,
        source: String::new(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: vec![],
        lane: None,
        only: Vec::new(),
        ..full
    };
    assert_eq!(Header::decode(&bare.encode()), Ok(bare));
}

/// *Scenario:* a record put back of which two stretches are wanted.
/// *Guarantees:* its bytes are what `docs/entry-format.md` says, in every release.
#[test]
fn golden_bytes_of_a_record() {
    let header = Header { kind: Kind::Record, only: vec![(0, 2), (5, 6)], ..sample() };
    let bytes = header.encode();
    assert_eq!(bytes.get(1..7), Some(&[0x81, 1, 0, 0, 0, 2][..]));
    let wanted =
        [[0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0], [0x8b, 8, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0]];
    assert!(bytes.ends_with(&wanted.concat()));
    assert_eq!(Header::decode(&bytes), Ok(header));
}

/// *Scenario:* members of a later release: one that may be skipped, one that may not, new values
/// of kind and encoding, a new version.
/// *Guarantees:* the first is skipped, the others are refused as newer, never misread.
#[test]
fn newer_members() {
    let mut bytes = sample().encode();
    member(99, b"what the future brings", &mut bytes);
    assert_eq!(Header::decode(&bytes), Ok(sample()));
    member(CRITICAL | 99, b"", &mut bytes);
    assert_eq!(Header::decode(&bytes), Err(HeaderError::Newer(1)));
    for (at, value) in [(6, 5), (12, 2)] {
        let mut bytes = sample().encode();
        bytes[at] = value;
        assert_eq!(Header::decode(&bytes), Err(HeaderError::Newer(1)), "value at {at}");
    }
    let mut bytes = sample().encode();
    bytes[0] = 2;
    assert_eq!(Header::decode(&bytes), Err(HeaderError::Newer(2)));
}

/// *Scenario:* a header cut anywhere, with a member twice, with one missing, with text that is not
/// UTF-8, with lengths that lie.
/// *Guarantees:* malformed, unless the cut falls between members and only optional ones are gone.
#[test]
fn malformed_headers() {
    let bytes = sample().encode();
    for length in 0..bytes.len() {
        let decoded = Header::decode(&bytes[..length]);
        if let Ok(header) = decoded {
            assert!(length >= 48, "{length}: a required member is missing");
            assert_ne!(header, sample());
        }
    }
    assert_eq!(Header::decode(b""), Err(HeaderError::Malformed));
    assert_eq!(Header::decode(&[0]), Err(HeaderError::Malformed));
    assert_eq!(Header::decode(&[1]), Err(HeaderError::Malformed));
    let with = |tag: u8, value: &[u8]| {
        let mut bytes = sample().encode();
        member(tag, value, &mut bytes);
        Header::decode(&bytes)
    };
    assert_eq!(with(5, &[1, 0, 0, 0]), Err(HeaderError::Malformed), "records twice");
    assert_eq!(with(9, &[9, 0, 0, 0, b'a']), Err(HeaderError::Malformed), "name too long");
    assert_eq!(with(9, &[1, 0, 0]), Err(HeaderError::Malformed), "no room for a length");
    assert_eq!(with(9, &[1, 0, 0, 0, 0xff]), Err(HeaderError::Malformed), "not UTF-8");
    let mut long = sample().encode();
    long.extend_from_slice(&[99, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(Header::decode(&long), Err(HeaderError::Malformed), "a length past the end");
}

/// *Scenario:* every bit of a header flipped, one at a time.
/// *Guarantees:* no panic, and what decodes encodes and decodes again to the same.
#[test]
fn flipped_bits() {
    let bytes = sample().encode();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(header) = Header::decode(&bad) {
            assert_eq!(Header::decode(&header.encode()), Ok(header), "bit {bit}");
        }
    }
}

proptest! {
    /// *Scenario:* any header.
    /// *Guarantees:* it comes back.
    #[test]
    fn any_header_comes_back(
        gzip in any::<bool>(),
        (arrival_ms, plain_bytes, records) in any::<(i64, u64, u32)>(),
        (source, source_arn, request_id) in (".*", ".*", ".*"),
        attributes in prop::collection::vec((".{0,9}", ".{0,9}"), 0..5),
        (lane, record) in any::<(Option<[u8; 16]>, bool)>(),
        only in prop::collection::vec(any::<(u32, u32)>(), 0..4),
    ) {
        let header = Header {
            kind: if record { Kind::Record } else { Kind::FirehoseDelivery },
            encoding: if gzip { Encoding::Gzip } else { Encoding::Identity },
            arrival_ms, plain_bytes, records, source, source_arn, request_id, attributes,
            lane: lane.map(LaneId), only,
        };
        prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
    }

    /// *Scenario:* any bytes, with and without the version before them.
    /// *Guarantees:* no panic.
    #[test]
    fn any_bytes_decode_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [&[1], &bytes[..]].concat();
        for bytes in [&bytes, &versioned] {
            if let Ok(header) = Header::decode(bytes) {
                prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
            }
        }
    }
}
