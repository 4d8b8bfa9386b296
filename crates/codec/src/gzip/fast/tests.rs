//! The encoder against two inflaters that are not ours, on every kind of input it could trip over.

use std::io::Read;

use proptest::prelude::*;

use super::matches::{AHEAD, SYMBOLS};
use super::{FastEncoder, huffman};
use crate::gzip::rfc1951::WINDOW;

/// Deflates, inflates by libdeflate and by zlib-rs, compares; returns the compressed length.
#[track_caller]
fn round_trip(encoder: &mut FastEncoder, plain: &[u8]) -> usize {
    let mut out = b"before".to_vec();
    encoder.deflate(plain, &mut out);
    let stream = out.strip_prefix(b"before").unwrap();
    let mut back = vec![0; plain.len()];
    let length = libdeflater::Decompressor::new().deflate_decompress(stream, &mut back);
    assert_eq!(length, Ok(plain.len()));
    assert!(back == plain, "libdeflate reads other bytes");
    back.clear();
    flate2::read::DeflateDecoder::new(stream).read_to_end(&mut back).unwrap();
    assert!(back == plain, "zlib-rs reads other bytes");
    stream.len()
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = Random(88_172_645_463_325_252);
    (0..length).map(|_| random.below(256) as u8).collect()
}

/// Lines that repeat in part.
fn text(length: usize) -> Vec<u8> {
    let mut random = Random(12_345);
    let mut out = Vec::new();
    while out.len() < length {
        let (a, b, c) = (random.below(9), random.below(400), random.below(100_000));
        out.extend_from_slice(
            format!("service.metric{a},dimension=\"i-{b}\" gauge,{c}\n").as_bytes(),
        );
    }
    out.truncate(length);
    out
}

/// *Scenario:* every length up to 400, and lengths around the window, where the encoder passes
/// from copies of the edges to the input itself; text, noise and zeros.
/// *Guarantees:* all come back.
#[test]
fn every_length_comes_back() {
    let mut encoder = FastEncoder::new();
    let inputs = [text(140_000), noise(140_000), vec![0; 140_000]];
    let near = |middle: usize| middle - 4..middle + 5;
    let lengths = (0..400)
        .chain(near(WINDOW))
        .chain(near(WINDOW + AHEAD))
        .chain(near(2 * WINDOW))
        .chain(near(2 * WINDOW + AHEAD))
        .chain([100_000, 140_000]);
    for length in lengths {
        for input in &inputs {
            round_trip(&mut encoder, &input[..length]);
        }
    }
}

/// *Scenario:* the longest matches around the last place where whole windows lie in the input.
/// *Guarantees:* all come back: nothing is read behind the input.
#[test]
fn the_longest_match_at_the_last_place_comes_back() {
    let noise = noise(2 * WINDOW + 1000);
    let mut encoder = FastEncoder::new();
    for length in [noise.len(), noise.len() - 1] {
        for repeated in 256..AHEAD + 12 {
            let mut plain = noise[noise.len() - length..].to_vec();
            let at = length - repeated;
            plain.copy_within(at - 5000..at - 5000 + repeated, at);
            round_trip(&mut encoder, &plain);
        }
    }
}

/// *Scenario:* a piece that comes again at each distance around the ends of the window and of the
/// distance codes, at each length around the ends of the length codes.
/// *Guarantees:* it comes back.
#[test]
fn every_distance_and_length_comes_back() {
    let mut encoder = FastEncoder::new();
    let piece = noise(300);
    let filler = noise(70_000);
    let powers = (0..16).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
    for distance in powers.chain([WINDOW - 5, WINDOW + 5, 40_000]) {
        for length in [3, 4, 5, 6, 10, 11, 18, 19, 66, 67, 130, 131, 256, 257, 258, 259, 300] {
            let mut plain = filler[..35_000].to_vec();
            plain.extend_from_slice(&piece[..length.min(distance)]);
            plain.extend_from_slice(&filler[..distance.saturating_sub(length)]);
            plain.extend_from_slice(&piece[..length]);
            plain.extend_from_slice(b"the end of it");
            round_trip(&mut encoder, &plain);
        }
    }
}

/// *Scenario:* inputs of several blocks, of text that changes its nature, and of exactly as many
/// symbols as a block holds.
/// *Guarantees:* they come back, and text gets smaller.
#[test]
fn several_blocks_come_back() {
    let mut encoder = FastEncoder::new();
    let plain = [text(900_000), noise(300_000), vec![b'a'; 300_000], text(100_000)].concat();
    let length = round_trip(&mut encoder, &plain);
    assert!(length < 300_000 + 1_000_000 / 3, "{length}");
    for length in [SYMBOLS - 1, SYMBOLS, SYMBOLS + 1, 2 * SYMBOLS, 3 * SYMBOLS] {
        round_trip(&mut encoder, &noise(length));
    }
}

/// *Scenario:* nothing, a few bytes, noise, zeros.
/// *Guarantees:* the shortest kind of block is chosen: a fixed one for little, stored for noise; no
/// input grows by more than five bytes in 64 KiB.
#[test]
fn the_shortest_block_is_chosen() {
    let mut encoder = FastEncoder::new();
    assert_eq!(round_trip(&mut encoder, b""), 2);
    assert_eq!(round_trip(&mut encoder, b"a"), 3);
    assert!(round_trip(&mut encoder, b"hello hello hello hello") < 14);
    for length in [1000, 32_768, 65_535, 65_536, 500_000] {
        let grown = round_trip(&mut encoder, &noise(length)) - length;
        assert!(grown <= 5 + 5 * (length / SYMBOLS + 1), "{length} grew by {grown}");
    }
    assert!(round_trip(&mut encoder, &vec![0; 1_000_000]) < 1500);
}

/// *Scenario:* one input deflated by a new encoder, and after other inputs.
/// *Guarantees:* the same bytes: what an encoder did before is forgotten.
#[test]
fn output_does_not_depend_on_the_past() {
    let plain = text(200_000);
    let (mut new, mut used) = (Vec::new(), Vec::new());
    FastEncoder::new().deflate(&plain, &mut new);
    let mut encoder = FastEncoder::new();
    for other in [noise(100_000), text(90_000)] {
        encoder.deflate(&other, &mut Vec::new());
    }
    encoder.deflate(&plain, &mut used);
    assert_eq!(new, used);
}

/// *Scenario:* 500 inputs made of noise, runs, copies from near and far, and few-letter text.
/// *Guarantees:* all come back. The case is printed when one does not.
#[test]
fn random_mixtures_come_back() {
    let mut encoder = FastEncoder::new();
    let mut random = Random(1);
    for case in 0..500 {
        let mut plain: Vec<u8> = Vec::new();
        let length = 1 + random.below(if case % 10 == 0 { 90_000 } else { 3000 });
        while plain.len() < length {
            let piece = 1 + random.below(400);
            match random.below(5) {
                0 => plain.extend((0..piece).map(|_| random.below(256) as u8)),
                1 => plain.extend(std::iter::repeat_n(random.below(256) as u8, piece)),
                2 => plain.extend((0..piece).map(|_| b'a' + random.below(3) as u8)),
                _ if plain.is_empty() => {}
                kind => {
                    let reach = if kind == 3 { 50 } else { plain.len() };
                    let from = plain.len() - 1 - random.below(reach.min(plain.len()));
                    // Byte by byte, so that a copy may overlap itself.
                    for at in from..from + piece {
                        plain.push(plain[at]);
                    }
                }
            }
        }
        println!("case {case}");
        round_trip(&mut encoder, &plain);
    }
}

/// Kraft's sum in units of the longest code.
fn room_taken(lengths: &[u8]) -> u32 {
    lengths.iter().filter(|length| **length > 0).map(|length| 1 << (15 - length)).sum()
}

/// *Scenario:* frequencies that make the longest possible codes (Fibonacci), equal ones, one, none.
/// *Guarantees:* no code above the limit, and complete codes.
#[test]
fn code_lengths_are_limited_and_complete() {
    let mut fibonacci = vec![1_u32, 1];
    while fibonacci.len() < 40 {
        fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
    }
    for limit in [7, 9, 15] {
        for count in 2..40 {
            let mut lengths = vec![0; count];
            huffman::lengths(&fibonacci[..count], limit, &mut lengths);
            assert!(lengths.iter().all(|length| (1..=limit as u8).contains(length)));
            assert_eq!(room_taken(&lengths), 1 << 15, "{count} symbols, limit {limit}");
        }
    }
    let mut lengths = [0; 286];
    huffman::lengths(&[7; 286], 15, &mut lengths);
    assert_eq!(room_taken(&lengths), 1 << 15);
    let mut lengths = [9; 4];
    huffman::lengths(&[0, 5, 0, 0], 15, &mut lengths);
    assert_eq!(lengths, [0, 1, 0, 0]);
    huffman::lengths(&[0; 4], 15, &mut lengths);
    assert_eq!(lengths, [0; 4]);
}

/// *Scenario:* the example of RFC 1951 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4.
/// *Guarantees:* its codes, with their bits turned around as they are sent.
#[test]
fn codes_of_the_standard() {
    let mut codes = [0; 8];
    huffman::codes(&[3, 3, 3, 3, 3, 2, 4, 4], &mut codes);
    assert_eq!(codes, [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// *Scenario:* any frequencies.
    /// *Guarantees:* complete codes within the limit, and no rarer symbol with a shorter code.
    #[test]
    fn any_frequencies(frequencies in prop::collection::vec(0_u32..100_000, 2..286)) {
        let mut lengths = vec![0; frequencies.len()];
        huffman::lengths(&frequencies, 9, &mut lengths);
        let used = frequencies.iter().filter(|frequency| **frequency > 0).count();
        if used >= 2 {
            prop_assert_eq!(room_taken(&lengths), 1 << 15);
        }
        for (frequency, length) in frequencies.iter().zip(&lengths) {
            prop_assert_eq!(*frequency > 0, *length > 0);
            prop_assert!(*length <= 9);
            for (other, other_length) in frequencies.iter().zip(&lengths) {
                prop_assert!(!(frequency > other && *other > 0) || length <= other_length);
            }
        }
    }

    /// *Scenario:* any bytes of few kinds, which repeat often.
    /// *Guarantees:* they come back.
    #[test]
    fn any_bytes_come_back(plain in prop::collection::vec(0_u8..4, 0..3000), shift: u8) {
        let plain: Vec<u8> = plain.iter().map(|byte| byte.wrapping_add(shift)).collect();
        round_trip(&mut FastEncoder::new(), &plain);
    }
}
