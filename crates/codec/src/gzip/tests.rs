//! Round trips, members, limits and damage; both inflaters must always agree.

use std::io::{Read, Write};

use proptest::prelude::*;

use super::deflate::Zlib;
use super::{Deflater, InflateError, Inflater, SliceInflater, StreamInflater, is_gzip};

/// Text like the lines we send: repetitive, but not all the same.
fn lines(count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut state = 7_u64;
    for line in 0..count {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = state >> 44;
        out.extend_from_slice(
            format!(
                "cloud.aws.ecs.cpu,cluster=\"c{}\",n={} gauge,min={value}\n",
                line % 7,
                line % 3
            )
            .as_bytes(),
        );
    }
    out
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 99_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(step).collect()
}

fn gzip_of(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(1).gzip(plain, &mut out);
    out
}

/// Gives the bytes in pieces of odd sizes, so that every border is crossed somewhere.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 5 + 1;
        let length = self.1.min(out.len()).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        out[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

fn streamed(input: impl Read, limit: usize, step: usize) -> Result<Vec<u8>, InflateError> {
    drained(StreamInflater::new(input, limit as u64), StreamInflater::fault, step)
}

fn drained<R: Read>(
    mut reader: R,
    fault_of: impl Fn(&R) -> Option<InflateError>,
    step: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    let mut space = vec![0; step];
    loop {
        match reader.read(&mut space) {
            Ok(0) => return Ok(out),
            Ok(read) => out.extend_from_slice(&space[..read]),
            Err(error) => {
                let fault = InflateError::within(&error).unwrap();
                assert_eq!(fault_of(&reader).as_ref(), Some(fault), "the fault can be asked for");
                assert!(reader.read(&mut space).is_err(), "a failed reader stays failed");
                return Err(fault.clone());
            }
        }
    }
}

/// All readers must say the same; returns what they say.
#[track_caller]
fn read_all(input: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut inflater = Inflater::new();
    let mut out = b"stale".to_vec();
    let once = inflater.gunzip(input, &mut out, limit).map(|()| out.clone());
    if once.is_err() {
        assert!(out.is_empty(), "nothing is left of a body that failed");
    }
    // Again with a buffer that is larger than needed: its stale bytes must not show.
    let mut large = vec![b'x'; 3 * out.len() + 1000];
    let again = inflater.gunzip(input, &mut large, limit).map(|()| large);
    assert_eq!(once, again, "a reused inflater and buffer agree with new ones");
    assert_eq!(once, streamed(input, limit, 1 << 16), "one-shot and streaming agree");
    assert_eq!(once, streamed(Dribble(input, 0), limit, 7), "small pieces change nothing");
    for step in [7, 1 << 20] {
        let reader = inflater.reader(input, limit as u64);
        assert_eq!(once, drained(reader, SliceInflater::fault, step), "a window changes nothing");
    }
    once
}

/// *Scenario:* bodies of many sizes, text and noise, at every level, with one deflater.
/// *Guarantees:* what was compressed comes back, by three readers, and flate2 reads it too.
#[test]
fn round_trip() {
    for level in [1, 2, 6, 9] {
        let mut deflater = Deflater::new(level);
        for plain in [vec![], b"a".to_vec(), lines(1), lines(3000), noise(70_000), vec![0; 400_000]]
        {
            let mut out = b"before".to_vec();
            deflater.gzip(&plain, &mut out);
            let body = out.strip_prefix(b"before").unwrap();
            assert!(is_gzip(body));
            assert_eq!(read_all(body, plain.len()).as_ref(), Ok(&plain));
            let mut peer = flate2::write::GzDecoder::new(Vec::new());
            peer.write_all(body).unwrap();
            assert_eq!(peer.finish().unwrap(), plain);
        }
    }
}

/// *Scenario:* incompressible and compressible bodies at every level of zlib-rs.
/// *Guarantees:* one call is always enough, so the state is kept and nothing is stored by fallback.
#[test]
fn the_bound_is_enough() {
    for level in 1..=9 {
        let mut zlib = Zlib::new(level);
        for plain in [noise(0), noise(1), noise(100), noise(65_536), noise(1_000_003), lines(9999)]
        {
            let mut out = Vec::new();
            zlib.deflate(&plain, &mut out);
            assert!(zlib.state.is_some(), "level {level}, {} bytes", plain.len());
        }
    }
}

/// *Scenario:* the space for a level-1 call is too short, as zlib-rs 0.6.8 can't bear when reset.
/// *Guarantees:* the state is dropped, not reset; the body is whole all the same, and the next too.
#[test]
fn a_short_output_drops_the_state() {
    for space in [0, 1, 2, 10, 100, 1000, 5000, 20_000] {
        let plain = [lines(2000), noise(50_000)].concat();
        let mut zlib = Zlib::new(1);
        let mut short = Vec::with_capacity(space);
        assert!(!zlib.deflate_at_once(&plain, &mut short), "{space} bytes can't be enough");
        assert!(zlib.state.is_none());
        let mut out = super::deflate::HEADER.to_vec();
        zlib.deflate(&plain, &mut out);
        out.extend_from_slice(&libdeflater::crc32(&plain).to_le_bytes());
        out.extend_from_slice(&(plain.len() as u32).to_le_bytes());
        assert_eq!(read_all(&out, plain.len()), Ok(plain));
    }
}

/// *Scenario:* the fallback of a deflater, for sizes around the border of a stored block.
/// *Guarantees:* stored blocks are good deflate data.
#[test]
fn stored_blocks_are_read() {
    for length in [0, 1, 65_534, 65_535, 65_536, 200_000] {
        let plain = noise(length);
        let mut body = super::deflate::HEADER.to_vec();
        super::deflate::store(&plain, &mut body);
        body.extend_from_slice(&libdeflater::crc32(&plain).to_le_bytes());
        body.extend_from_slice(&(plain.len() as u32).to_le_bytes());
        assert_eq!(read_all(&body, plain.len()), Ok(plain));
    }
}

/// *Scenario:* several members back to back: equal ones, empty ones, a small one after a large one.
/// *Guarantees:* all are read. Equal members are the hard case: the first one's trailer is also the
/// last bytes of the body.
#[test]
fn every_member_is_read() {
    let (big, small) = (lines(5000), lines(2));
    let cases: [&[&[u8]]; 6] = [
        &[&small, &small],
        &[&big, &big, &big],
        &[&big, &small],
        &[&small, &big],
        &[b"", b"", &small, b""],
        &[b"", b""],
    ];
    for members in cases {
        let body: Vec<u8> = members.iter().flat_map(|plain| gzip_of(plain)).collect();
        assert_eq!(read_all(&body, 10_000_000), Ok(members.concat()));
    }
}

/// *Scenario:* a header with every optional part.
/// *Guarantees:* they are skipped; reserved flags are refused.
#[test]
fn optional_header_parts_are_skipped() {
    let plain = lines(10);
    let simple = gzip_of(&plain);
    let mut body = vec![0x1f, 0x8b, 8, 0x1f, 1, 2, 3, 4, 5, 6];
    body.extend_from_slice(b"\x03\x00abcname\0comment\0\x12\x34");
    body.extend_from_slice(&simple[10..]);
    assert_eq!(read_all(&body, 10_000), Ok(plain));
    body[3] |= 0x20;
    assert!(matches!(read_all(&body, 10_000), Err(InflateError::Corrupt(_))));
}

/// *Scenario:* bodies whose length is the limit, one below it, one above it; in one member or two.
/// *Guarantees:* at the limit is taken, above is refused with the limit, whatever the trailer says.
#[test]
fn the_limit_is_exact() {
    let plain = lines(3000);
    let n = plain.len();
    let two = [gzip_of(&plain[..n / 2]), gzip_of(&plain[n / 2..])].concat();
    let mut lying = gzip_of(&plain);
    let at = lying.len() - 4;
    lying[at..].copy_from_slice(&7_u32.to_le_bytes());
    for body in [gzip_of(&plain), two] {
        assert_eq!(read_all(&body, n), Ok(plain.clone()));
        assert_eq!(read_all(&body, n + 1), Ok(plain.clone()));
        assert_eq!(read_all(&body, n - 1), Err(InflateError::TooLarge { limit: n - 1 }));
        assert_eq!(read_all(&body, 0), Err(InflateError::TooLarge { limit: 0 }));
    }
    assert_eq!(read_all(&lying, n - 1), Err(InflateError::TooLarge { limit: n - 1 }));
    assert_eq!(read_all(&lying, n), Err(InflateError::Corrupt("the length differs")));
    assert_eq!(read_all(&gzip_of(b""), 0), Ok(vec![]));
}

/// *Scenario:* a gzip bomb of 64 MiB of zeros with a trailer that tells the truth or lies.
/// *Guarantees:* refused at the limit, and the buffer never grows beyond limit or ratio.
#[test]
fn a_bomb_is_refused_at_the_limit() {
    let limit = 1 << 20;
    let mut bomb = gzip_of(&vec![0; 64 << 20]);
    for claim in [None, Some(5_u32), Some(u32::MAX)] {
        if let Some(claim) = claim {
            let at = bomb.len() - 4;
            bomb[at..].copy_from_slice(&claim.to_le_bytes());
        }
        let mut out = Vec::new();
        let result = Inflater::new().gunzip(&bomb, &mut out, limit);
        assert_eq!(result, Err(InflateError::TooLarge { limit }));
        assert!(out.capacity() <= limit + 1, "{} bytes were reserved", out.capacity());
    }
    let mut small = gzip_of(b"abc");
    let at = small.len() - 4;
    small[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut out = Vec::new();
    assert!(Inflater::new().gunzip(&small, &mut out, usize::MAX).is_err());
    assert!(out.capacity() <= small.len() * 1032, "a lying trailer costs {}", out.capacity());
}

/// *Scenario:* a body cut after every one of its bytes.
/// *Guarantees:* each is told to be cut short (an empty one: not to be gzip).
#[test]
fn a_cut_body_is_truncated() {
    let body = [gzip_of(&lines(20)), gzip_of(b"")].concat();
    let first = gzip_of(&lines(20)).len();
    assert_eq!(read_all(b"", 100_000), Err(InflateError::NotGzip));
    for length in (1..body.len()).filter(|&length| length != first) {
        assert_eq!(read_all(&body[..length], 100_000), Err(InflateError::Truncated), "{length}");
    }
}

/// *Scenario:* bytes that are not gzip, and good gzip followed by zeros, text or half a header.
/// *Guarantees:* not gzip is told apart from corrupt; trailing bytes never pass.
#[test]
fn foreign_bytes_are_refused() {
    for bytes in [&b"{\"requestId\""[..], b"\x1f\x8c\x08", b"\x1f\x8b\x07aaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        assert_eq!(read_all(bytes, 1000), Err(InflateError::NotGzip));
    }
    let body = gzip_of(&lines(5));
    let follow = InflateError::Corrupt("bytes follow the last member");
    for tail in [&b"\0"[..], b"\0\0\0\0\0\0\0\0", b"x", &body[body.len() - 8..]] {
        assert_eq!(read_all(&[&body, tail].concat(), 100_000), Err(follow.clone()));
    }
    assert_eq!(read_all(&[&body[..], b"\x1f\x8b"].concat(), 9999), Err(InflateError::Truncated));
}

/// *Scenario:* members whose own trailer comes again right behind them, whole or overlapping: empty
/// ones followed by zeros, others by their trailer cut and shifted.
/// *Guarantees:* the trailing bytes are seen, though the last bytes look like the trailer.
#[test]
fn a_trailer_that_repeats_does_not_hide_bytes() {
    let follow = Err(InflateError::Corrupt("bytes follow the last member"));
    for zeros in 1..30 {
        assert_eq!(read_all(&[gzip_of(b""), vec![0; zeros]].concat(), 100), follow, "{zeros}");
        let stored = [&gzip_of(b"")[..10], &[1, 0, 0, 0xff, 0xff], &[0; 8]].concat();
        assert_eq!(read_all(&stored, 100), Ok(vec![]));
        assert_eq!(read_all(&[stored, vec![0; zeros]].concat(), 100), follow, "{zeros}");
    }
    let body = gzip_of(&lines(5));
    for from in body.len() - 8..body.len() {
        let tail = [&body[from..], &body[body.len() - 8..]].concat();
        assert_eq!(read_all(&[&body[..], &tail].concat(), 100_000), follow, "{from}");
    }
}

/// *Scenario:* every bit of a body flipped, one at a time.
/// *Guarantees:* no reader panics, both agree, and no changed content passes.
#[test]
fn a_flipped_bit_never_changes_content() {
    let plain = lines(12);
    let body = gzip_of(&plain);
    for bit in 0..body.len() * 8 {
        let mut bad = body.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(content) = read_all(&bad, 100_000) {
            assert_eq!(content, plain, "bit {bit} says nothing of the content");
        }
    }
}

/// *Scenario:* a literal, and behind it a code that means nothing; both in one byte's reach.
/// *Guarantees:* a body that is too large is told as such, whatever is wrong behind the limit.
#[test]
fn what_is_wrong_behind_the_limit_is_not_told() {
    // The last block, with the fixed codes; the literal 97; the symbol 286.
    let body = [&super::deflate::HEADER[..], &[0x4b, 0x1c, 0x03], &[0; 20]].concat();
    assert_eq!(read_all(&body, 0), Err(InflateError::TooLarge { limit: 0 }));
    for limit in [1, 2, 1000] {
        assert_eq!(read_all(&body, limit), Err(InflateError::Corrupt("a block is malformed")));
    }
}

/// *Scenario:* the layer below a stream fails in the middle.
/// *Guarantees:* its own error comes out, and is no fault of the bytes.
#[test]
fn an_error_below_is_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        }
    }
    let body = gzip_of(&noise(1000));
    let mut reader = StreamInflater::new(body[..500].chain(Broken), 10_000);
    let error = std::io::copy(&mut reader, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(reader.fault(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// *Scenario:* any bytes as members, at any level and limit.
    /// *Guarantees:* all of them or `TooLarge`.
    #[test]
    fn members_come_back(
        members in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
        level in 1_u32..=9,
        slack in 0_usize..3,
    ) {
        let mut deflater = Deflater::new(level);
        let mut body = Vec::new();
        for member in &members {
            deflater.gzip(member, &mut body);
        }
        let plain = members.concat();
        prop_assert_eq!(read_all(&body, plain.len() + slack), Ok(plain.clone()));
        if let Some(limit) = plain.len().checked_sub(slack + 1) {
            prop_assert_eq!(read_all(&body, limit), Err(InflateError::TooLarge { limit }));
        }
    }

    /// *Scenario:* any bytes behind a gzip header.
    /// *Guarantees:* no panic, no endless loop, both readers agree.
    #[test]
    fn any_bytes_are_judged_alike(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read_all(&[&super::deflate::HEADER[..], &tail].concat(), 5000));
    }
}
