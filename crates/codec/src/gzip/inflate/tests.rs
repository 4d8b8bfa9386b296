//! The one-shot inflater alone, without the streaming reader that would hide its faults.

mod made;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::blocks::{Blocks, Stop};
use super::data_begin;
use super::symbols::ROOM;
use super::tables::Tables;
use crate::gzip::rfc1951::WINDOW;

/// What a reader of deflate data came to: the content and how much of the input it took.
type Read = Option<(Vec<u8>, usize)>;

/// Reads into exactly `space` bytes, in the midst of others that must not change.
fn inflate(tables: &mut Tables, input: &[u8], space: usize) -> Result<(Vec<u8>, usize), Stop> {
    let mut out = vec![0x55; space];
    let mut blocks = Blocks::new(input);
    let whole = blocks.read(&mut out, usize::MAX, tables);
    if whole != Err(Stop::Space) {
        // One byte at a time moves the window for each.
        let least = if blocks.at < WINDOW + 1000 { 1 } else { 300 };
        for fresh in [least, 20_000] {
            let (windowed, crc) = windowed(tables, input, fresh);
            assert_eq!(windowed.is_ok(), whole.is_ok(), "{fresh} at a time");
            if let Ok(content) = windowed {
                assert!(content == out[..blocks.at]);
                assert_eq!(crc, libdeflater::crc32(&content));
            }
        }
    }
    whole?;
    let (crc, taken) = blocks.end();
    out.truncate(blocks.at);
    assert_eq!(crc, libdeflater::crc32(&out));
    Ok((out, taken))
}

/// The same through a window that takes in `fresh` bytes at a time, or a few more.
fn windowed(tables: &mut Tables, input: &[u8], fresh: usize) -> (Result<Vec<u8>, Stop>, u32) {
    let mut window = vec![0x55; WINDOW + fresh + ROOM];
    let (mut blocks, mut out) = (Blocks::new(input), Vec::new());
    loop {
        blocks.slide(&mut window);
        let begin = blocks.at;
        let read = blocks.read(&mut window, WINDOW + fresh, tables);
        out.extend_from_slice(&window[begin..blocks.at]);
        match read {
            Ok(false) => {}
            Ok(true) => return (Ok(out), blocks.end().0),
            Err(stop) => return (Err(stop), 0),
        }
    }
}

/// The same by zlib-rs.
fn zlib(input: &[u8], space: usize) -> Read {
    let mut out = Vec::with_capacity(space);
    let mut state = Decompress::new(false);
    let status = state.decompress_vec(input, &mut out, FlushDecompress::Finish);
    matches!(status, Ok(Status::StreamEnd)).then(|| (out, state.total_in() as usize))
}

fn deflate(plain: &[u8], level: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + plain.len() / 8 + 1000);
    let mut state = Compress::new(Compression::new(level), false);
    let status = state.compress_vec(plain, &mut out, FlushCompress::Finish);
    assert!(matches!(status, Ok(Status::StreamEnd)));
    out
}

/// Both must read the same from `input`, in all the space they need, in less, and with more behind.
#[track_caller]
fn check_content(input: &[u8], plain: &[u8]) {
    let mut tables = Tables::new();
    for behind in [0, 1, 7, 8, 9, 100] {
        let input = [input, &vec![0xff; behind]].concat();
        for room in [0, 1, 65, 1000] {
            let read = inflate(&mut tables, &input, plain.len() + room);
            let (content, taken) = read.expect("the data are good");
            assert!(content == plain, "{behind} bytes behind, {room} bytes of room");
            assert_eq!(taken, input.len() - behind);
        }
    }
    for short in [1, 2, 64, 65, plain.len()] {
        if let Some(space) = plain.len().checked_sub(short).filter(|_| short > 0) {
            assert_eq!(inflate(&mut tables, input, space), Err(Stop::Space), "{space} bytes");
        }
    }
}

/// Both must come to the same, whatever the bytes.
#[track_caller]
fn check_alike(tables: &mut Tables, input: &[u8]) {
    let space = 100_000;
    let ours = inflate(tables, input, space).ok();
    assert_eq!(ours, zlib(input, space), "{input:02x?}");
}

/// Numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % end.max(1)
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Text with few letters, many repeats from near and far, of all lengths.
fn mixture(chance: &mut Chance, length: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let letters = 1 + chance.below(200);
    while out.len() < length {
        for _ in 0..chance.below(12) {
            out.push(chance.below(letters) as u8);
        }
        let reach = [4, 40, 300, 5000, 32_768][chance.below(5)].min(out.len());
        if reach > 0 {
            let start = out.len() - 1 - chance.below(reach);
            let times = [4, 20, 70, 300][chance.below(4)];
            for at in start..start + chance.below(times) {
                out.push(out[at]);
            }
        }
    }
    out.truncate(length);
    out
}

/// *Scenario:* mixtures of many sizes, at every level of two libraries: stored, fixed and made codes.
/// *Guarantees:* the content and its end; too little space is told as such.
#[test]
fn every_level_is_read() {
    let mut chance = Chance(1);
    for length in [0, 1, 2, 100, 3000, 9000, 40_000, 70_000, 200_000] {
        let plain = mixture(&mut chance, length);
        for level in 0..=9 {
            check_content(&deflate(&plain, level), &plain);
        }
        for level in 1..=12 {
            let level = libdeflater::CompressionLvl::new(level).unwrap();
            let mut peer = libdeflater::Compressor::new(level);
            let mut out = vec![0; peer.deflate_compress_bound(plain.len())];
            let length = peer.deflate_compress(&plain, &mut out).unwrap();
            check_content(&out[..length], &plain);
        }
    }
}

/// *Scenario:* stored blocks and such with fixed and made codes, short and long, by turns.
/// *Guarantees:* each is read with its own codes, and matches reach back over them.
#[test]
fn blocks_of_each_kind_by_turns() {
    let mut chance = Chance(4);
    let mut state = Compress::new(Compression::new(9), false);
    let (mut plain, mut body) = (Vec::new(), Vec::with_capacity(1 << 20));
    for round in 0..60 {
        let text = &mixture(&mut Chance(5), 9000)[..[3, 5, 9000, 0, 3000][chance.below(5)]];
        plain.extend_from_slice(text);
        let flush = if round == 59 { FlushCompress::Finish } else { FlushCompress::Partial };
        let flush = if chance.one_in(4) && round < 59 { FlushCompress::Sync } else { flush };
        state.compress_vec(text, &mut body, flush).unwrap();
    }
    check_content(&body, &plain);
}

/// *Scenario:* headers with each optional part and all, whole and cut.
/// *Guarantees:* the data are found behind them, without the streaming reader; or not at all.
#[test]
fn the_data_begin_behind_the_header() {
    let parts: [(u8, &[u8]); 4] =
        [(4, b"\x03\x00abc"), (8, b"name\0"), (16, b"comment\0"), (2, b"\x12\x34")];
    for set in 0..16 {
        let mut header = vec![0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6];
        for (_, (flag, part)) in parts.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1) {
            header[3] |= flag;
            header.extend_from_slice(part);
        }
        assert_eq!(data_begin(&header), Some(header.len()), "set {set}");
        header[3] |= 0x20;
        assert_eq!(data_begin(&header), None, "reserved flags");
    }
    assert_eq!(data_begin(b"\x1f\x8b\x08\x08aaaaaaname"), None, "a name without an end");
}

/// *Scenario:* small bodies of each kind of block, cut at each byte, and with each bit flipped.
/// *Guarantees:* what zlib-rs makes of them: the same content and end, or neither.
#[test]
fn damage_is_judged_alike() {
    let mut chance = Chance(2);
    let mut tables = Tables::new();
    for round in 0..24 {
        let plain = mixture(&mut chance, 20 + 40 * round);
        let body = deflate(&plain, round as u32 % 10);
        for length in 0..body.len() {
            check_alike(&mut tables, &body[..length]);
        }
        for bit in 0..body.len() * 8 {
            let mut bad = body.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            check_alike(&mut tables, &bad);
            // With bytes behind, so that the hot loop sees it too.
            bad.extend_from_slice(&[0x6d; 64]);
            check_alike(&mut tables, &bad);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// *Scenario:* any bytes, mixtures of any seed and size, at any level.
    /// *Guarantees:* they come back, in exactly their space.
    #[test]
    fn any_content_comes_back(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        seed in 1_u64..,
        length in 0_usize..60_000,
        level in 0_u32..=9,
    ) {
        let plain = [bytes, mixture(&mut Chance(seed), length)].concat();
        let body = deflate(&plain, level);
        let read = inflate(&mut Tables::new(), &body, plain.len());
        prop_assert!(read == Ok((plain, body.len())));
    }

    /// *Scenario:* any bytes as a block with fixed or made codes.
    /// *Guarantees:* no panic, and what zlib-rs makes of them.
    #[test]
    fn any_bytes_are_judged_alike(kind in 0_u8..8, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut input = bytes;
        if let Some(first) = input.first_mut() {
            *first = *first & !7 | kind;
        }
        check_alike(&mut Tables::new(), &input);
    }
}
