//! Blocks made by hand or by chance: codes that no usual deflater makes.

use super::{Chance, Stop, Tables, check_alike, check_content, inflate, zlib};

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

/// *Scenario:* a code of literals and a length of three bits each.
/// *Guarantees:* once joined, one look finds two of them; the end of the block stays alone.
#[test]
fn short_codes_are_joined() {
    let mut lengths = vec![0; 258];
    lengths[97..103].fill(3);
    lengths[256..].fill(3);
    let mut tables = Tables::new();
    assert!(tables.make(&lengths, &[1]));
    let look = |tables: &Tables, bits: u64| {
        let entry = tables.first(0, bits);
        (entry.literal_count(), entry.bits(), entry.next() != 0)
    };
    // Codes 000 (97), 100 (101, first bit lowest), 111 (257) and 110 (256).
    let (two, with_length, with_end) = (0b001_000, 0b111_000, 0b011_000);
    for bits in [two, with_length, with_end] {
        assert_eq!(look(&tables, bits), (1, 3, false));
    }
    tables.join();
    assert_eq!(look(&tables, two), (2, 6, false));
    assert_eq!(tables.first(0, two).literals(), *b"ae");
    assert_eq!(look(&tables, with_length), (1, 6, true));
    assert_eq!(look(&tables, with_end), (1, 3, false));
    assert_eq!(look(&tables, 0b111), (0, 3, true));
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
        // It is the code that is wrong, not the space.
        assert_eq!(inflate(&mut tables, &writer.out, 10), Err(Stop::Bad), "{set:?}");
    }
    let mut literals = vec![0; 257];
    literals[256] = 1;
    let mut writer = Writer::default();
    writer.put_head(&literals, &[1]);
    writer.out.extend_from_slice(&[0; 25]);
    assert_eq!(inflate(&mut tables, &writer.out, 1000), Err(Stop::Bad));
    assert!(zlib(&writer.out, 1000).is_some(), "or else this needs no exception");
}

/// *Scenario:* more symbols than mean anything, and a run of lengths that goes on behind the last one.
/// *Guarantees:* refused, as by zlib-rs; the greatest number is read.
#[test]
fn as_many_symbols_as_there_are() {
    let mut tables = Tables::new();
    for (literals, distances, good) in
        [(286, 30, true), (287, 30, false), (288, 1, false), (286, 31, false), (257, 32, false)]
    {
        let mut lengths = vec![0; literals];
        (lengths[97], lengths[256]) = (1, 1);
        let mut far = vec![0; distances];
        far[0] = 1;
        let mut writer = Writer::default();
        writer.put_head(&lengths, &far);
        writer.put_code(&canonical(&lengths), 256);
        assert_eq!(inflate(&mut tables, &writer.out, 10).is_ok(), good, "{literals}, {distances}");
        check_alike(&mut tables, &writer.out);
    }
    for (last_run, good) in [(29, true), (30, false)] {
        // Lengths 1 and 18 in one bit each: 97 zeros, a one, zeros up to 256, a one, a one, and zeros.
        let mut writer = Writer::default();
        writer.put(0b101, 3);
        writer.put(0, 5);
        writer.put(29, 5);
        writer.put(14, 4);
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            writer.put(usize::from(symbol == 18 || symbol == 1), 3);
        }
        let zeros = |writer: &mut Writer, count: usize| {
            writer.put(1, 1);
            writer.put(count - 11, 7);
        };
        zeros(&mut writer, 97);
        writer.put(0, 1);
        zeros(&mut writer, 138);
        zeros(&mut writer, 20);
        writer.put(0, 1);
        writer.put(0, 1);
        zeros(&mut writer, last_run);
        writer.put(1, 1);
        assert_eq!(inflate(&mut tables, &writer.out, 10).is_ok(), good, "a run of {last_run}");
        check_alike(&mut tables, &writer.out);
    }
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
