//! The one-shot inflater alone, without the streaming reader that would hide its faults.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::blocks::{Blocks, Stop};
use super::tables::Tables;

/// What a reader of deflate data came to: the content and how much of the input it took.
type Read = Option<(Vec<u8>, usize)>;

/// Reads into exactly `space` bytes, in the midst of others that must not change.
fn inflate(tables: &mut Tables, input: &[u8], space: usize) -> Result<(Vec<u8>, usize), Stop> {
    let mut out = vec![0x55; space];
    let (length, crc, taken) = Blocks::new(input, &mut out).read(tables)?;
    out.truncate(length);
    assert_eq!(crc, libdeflater::crc32(&out));
    Ok((out, taken))
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

/// Writes bits, lowest first.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    count: usize,
}

impl Writer {
    fn put(&mut self, bits: usize, count: usize) {
        for bit in 0..count {
            if self.count.is_multiple_of(8) {
                self.out.push(0);
            }
            *self.out.last_mut().unwrap() |= ((bits >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }

    /// Codes are sent from their highest bit on.
    fn put_code(&mut self, code: &[(usize, usize)], symbol: usize) {
        let (bits, length) = code[symbol];
        assert!(length > 0, "symbol {symbol} has no code");
        for bit in (0..length).rev() {
            self.put(bits >> bit & 1, 1);
        }
    }

    /// The head of the last block, with codes of these lengths, each sent in four bits.
    fn put_head(&mut self, literals: &[u8], distances: &[u8]) {
        self.put(0b101, 3);
        self.put(literals.len() - 257, 5);
        self.put(distances.len() - 1, 5);
        self.put(15, 4);
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] {
            self.put(if symbol < 16 { 4 } else { 0 }, 3);
        }
        let lengths = canonical(&[4; 16]);
        for length in literals.iter().chain(distances) {
            self.put_code(&lengths, usize::from(*length));
        }
    }
}

/// Code and length of each symbol (RFC 1951 3.2.2).
fn canonical(lengths: &[u8]) -> Vec<(usize, usize)> {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut code = 0;
    for length in 1..=15 {
        code <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == length) {
            codes[symbol] = (code, usize::from(length));
            code += 1;
        }
    }
    codes
}

/// Lengths of a complete code for `used` symbols of `all`, `must` among them; deep if `deep`.
fn random_lengths(
    chance: &mut Chance,
    all: usize,
    used: usize,
    must: usize,
    deep: bool,
) -> Vec<u8> {
    let mut leaves = vec![1_u8, 1];
    while leaves.len() < used {
        let at = if deep { leaves.len() - 1 } else { 0 };
        let at = if chance.one_in(3) { chance.below(leaves.len()) } else { at };
        if leaves[at] < 15 {
            leaves[at] += 1;
            leaves.push(leaves[at]);
        } else {
            leaves.rotate_right(1 + at % 3);
        }
    }
    let mut symbols: Vec<usize> = (0..all).filter(|symbol| *symbol != must).collect();
    for at in 0..symbols.len() {
        let other = chance.below(symbols.len());
        symbols.swap(at, other);
    }
    symbols.insert(chance.below(leaves.len()), must);
    let mut lengths = vec![0; all];
    for (symbol, length) in symbols.into_iter().zip(leaves) {
        lengths[symbol] = length;
    }
    lengths
}

/// First length and extra bits of a length code; the same of a distance code.
fn length_code(code: usize) -> (usize, usize) {
    match code {
        0..8 => (3 + code, 0),
        28 => (258, 0),
        _ => (3 + ((4 + code % 4) << (code / 4 - 1)), code / 4 - 1),
    }
}

fn distance_code(code: usize) -> (usize, usize) {
    match code {
        0..4 => (1 + code, 0),
        _ => (1 + ((2 + code % 2) << (code / 2 - 1)), code / 2 - 1),
    }
}

/// A block with these codes, filled by chance up to `length`, and its content.
fn random_block(
    chance: &mut Chance,
    literals: &[u8],
    distances: &[u8],
    length: usize,
) -> (Vec<u8>, Vec<u8>) {
    let mut writer = Writer::default();
    writer.put_head(literals, distances);
    let (codes, distance_codes) = (canonical(literals), canonical(distances));
    let known = |codes: &[(usize, usize)]| -> Vec<usize> {
        (0..codes.len()).filter(|symbol| codes[*symbol].1 > 0).collect()
    };
    let (symbols, far) = (known(&codes), known(&distance_codes));
    let mut plain: Vec<u8> = Vec::new();
    for _ in 0..length {
        let symbol = symbols[chance.below(symbols.len())];
        if symbol < 256 {
            writer.put_code(&codes, symbol);
            plain.push(symbol as u8);
        } else if symbol > 256 {
            let code = far.get(chance.below(far.len())).copied().unwrap_or(99);
            if code == 99 || distance_code(code).0 > plain.len() {
                continue;
            }
            writer.put_code(&codes, symbol);
            let (first, bits) = length_code(symbol - 257);
            let extra = chance.below(1 << bits);
            writer.put(extra, bits);
            let length = first + extra;
            writer.put_code(&distance_codes, code);
            let (first, bits) = distance_code(code);
            let extra = chance.below(1 << bits).min(plain.len() - first);
            writer.put(extra, bits);
            for at in plain.len() - first - extra..plain.len() - first - extra + length {
                plain.push(plain[at]);
            }
        }
    }
    writer.put_code(&codes, 256);
    (writer.out, plain)
}

/// *Scenario:* blocks with any complete codes, flat or as deep as they may be, of few or all
/// symbols, short ones and some in which literals are joined.
/// *Guarantees:* every symbol means what it should, next to every other; zlib-rs reads the same.
#[test]
fn any_codes_are_read() {
    let mut chance = Chance(3);
    for round in 0..400 {
        let used = [2, 3, 20, 70, 150, 286][chance.below(6)];
        let deep = chance.one_in(2);
        let literals = random_lengths(&mut chance, 286, used, 256, deep);
        let used = [2, 5, 30][chance.below(3)];
        let deep = chance.one_in(2);
        let must = chance.below(30);
        let distances = random_lengths(&mut chance, 30, used, must, deep);
        let length = [10, 500, 20_000][chance.below(3)];
        let (body, plain) = random_block(&mut chance, &literals, &distances, length);
        assert_eq!(zlib(&body, plain.len() + 1), Some((plain.clone(), body.len())), "{round}");
        check_content(&body, &plain);
    }
}

/// *Scenario:* no distance code, one of one bit, one of two; used and not; both bits of the first.
/// *Guarantees:* the two that the format allows are read, and only their one code.
#[test]
fn odd_distance_codes() {
    let mut tables = Tables::new();
    let mut literals = vec![0; 258];
    (literals[97], literals[256], literals[257]) = (1, 2, 2);
    for (distances, first_bit, good) in
        [(vec![0], None, true), (vec![1], None, true), (vec![1], Some(0), true)]
            .into_iter()
            .chain([(vec![0], Some(0), false), (vec![1], Some(1), false)])
            .chain([(vec![2], None, false), (vec![0, 0, 0, 1], None, true)])
            .chain([(vec![1, 1], Some(1), true), (vec![1, 1, 1], None, false)])
            .chain([(vec![1, 2], None, false), (vec![2, 2, 2], None, false)])
    {
        let codes = canonical(&literals);
        let mut writer = Writer::default();
        writer.put_head(&literals, &distances);
        writer.put_code(&codes, 97);
        writer.put_code(&codes, 97);
        if let Some(bit) = first_bit {
            writer.put_code(&codes, 257);
            writer.put(bit, 1);
        }
        writer.put_code(&codes, 256);
        for behind in [0, 100] {
            let body = [&writer.out[..], &vec![0; behind]].concat();
            let read = inflate(&mut tables, &body, 1000);
            assert_eq!(read.is_ok(), good, "{distances:?}, {first_bit:?}");
            check_alike(&mut tables, &body);
        }
    }
}

/// *Scenario:* literal codes that are over-subscribed, incomplete or without an end of the block.
/// *Guarantees:* refused, as by zlib-rs; a code of one bit for the end alone is left to it.
#[test]
fn odd_literal_codes() {
    let mut tables = Tables::new();
    for set in [
        &[(97, 1), (98, 1)][..],
        &[(97, 1), (98, 1), (256, 1)],
        &[(97, 1), (256, 2)],
        &[(97, 2), (98, 2), (256, 2)],
        &[(97, 15), (256, 1)],
        &[(97, 0), (256, 0)],
    ] {
        let mut literals = vec![0; 257];
        for (symbol, length) in set {
            literals[*symbol] = *length;
        }
        let mut writer = Writer::default();
        writer.put_head(&literals, &[1]);
        writer.out.extend_from_slice(&[0; 25]);
        check_alike(&mut tables, &writer.out);
        assert_eq!(inflate(&mut tables, &writer.out, 1000), Err(Stop::Bad), "{set:?}");
    }
    let mut literals = vec![0; 257];
    literals[256] = 1;
    let mut writer = Writer::default();
    writer.put_head(&literals, &[1]);
    writer.out.extend_from_slice(&[0; 25]);
    assert_eq!(inflate(&mut tables, &writer.out, 1000), Err(Stop::Bad));
    assert!(zlib(&writer.out, 1000).is_some(), "or else this needs no exception");
}

/// *Scenario:* a match that begins one byte before the content, at its start and far behind it.
/// *Guarantees:* refused in the hot loop and out of it; from the first byte on, it is read.
#[test]
fn no_match_begins_before_the_content() {
    let mut tables = Tables::new();
    for count in [1_usize, 2, 3, 4, 100, 1000, 5000, 24_576, 32_768] {
        for too_far in [0, 1] {
            let mut codes = [8; 288];
            codes[144..256].fill(9);
            codes[256..280].fill(7);
            let codes = canonical(&codes);
            let mut writer = Writer::default();
            writer.put(0b011, 3);
            (0..count).for_each(|at| writer.put_code(&codes, at % 200));
            writer.put_code(&codes, 285);
            let distance = (count + too_far).min(32_768);
            let code = (0..30).rfind(|code| distance_code(*code).0 <= distance).unwrap();
            (0..5).rev().for_each(|bit| writer.put(code >> bit & 1, 1));
            writer.put(distance - distance_code(code).0, distance_code(code).1);
            writer.put_code(&codes, 256);
            writer.out.extend_from_slice(&[0; 100]);
            let good = distance <= count;
            assert_eq!(inflate(&mut tables, &writer.out, 100_000).is_ok(), good, "{count}");
            check_alike(&mut tables, &writer.out);
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
