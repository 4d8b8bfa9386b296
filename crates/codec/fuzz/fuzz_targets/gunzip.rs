//! Any bytes as deflate data, in a member whose header and trailer are right for it: whole and
//! through a window they are read as another implementation does, or refused where it refuses.
#![no_main]

use std::io::{Read, Write};

use codec::gzip::Inflater;
use flate2::{Crc, Decompress, FlushDecompress, Status};

const LIMIT: usize = 1 << 18;
const HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";

/// The content of deflate data, as another implementation reads it, and how much of it that takes.
/// None when it is malformed, cut, or has more content than the limit.
fn others(deflate: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut content = Vec::with_capacity(LIMIT + 1);
    let mut state = Decompress::new(false);
    let status = state.decompress_vec(deflate, &mut content, FlushDecompress::Finish).ok()?;
    let taken = usize::try_from(state.total_in()).expect("it is small");
    (status == Status::StreamEnd && content.len() <= LIMIT).then_some((content, taken))
}

fn member(deflate: &[u8], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let mut member = HEADER.to_vec();
    member.extend_from_slice(deflate);
    member.write_all(&crc.sum().to_le_bytes()).expect("a vector takes all");
    member.write_all(&crc.amount().to_le_bytes()).expect("a vector takes all");
    member
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let known = others(bytes);
    let input = match &known {
        Some((content, taken)) => member(&bytes[..*taken], content),
        None => member(bytes, b""),
    };
    let mut inflater = Inflater::new();
    let mut whole = vec![0x55; bytes.len() % 1000];
    let read = inflater.gunzip(&input, &mut whole, LIMIT);
    let mut windowed = Vec::new();
    let streamed = inflater.reader(&input, LIMIT as u64).read_to_end(&mut windowed);
    assert_eq!(read.is_ok(), streamed.is_ok(), "{read:?} {streamed:?}");
    match known {
        Some((content, _)) => {
            read.expect("another reads it");
            assert!(whole == content && windowed == content);
        }
        None => drop(read.expect_err("another refuses it")),
    }
});
