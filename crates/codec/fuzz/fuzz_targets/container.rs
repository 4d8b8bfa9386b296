//! Any bytes as an object: read within the limit or refused. Any bytes as content: what each
//! container writes comes back.
#![no_main]

use codec::container::{CONTAINERS, Compressor, Container, decompress, sniff};

const LIMIT: u64 = 1 << 20;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut out = Vec::new();
    let plain = decompress(bytes, &mut out, LIMIT) == Ok([Container::Plain; 2]);
    assert!(out.len() as u64 <= LIMIT);
    assert!(!plain || out == bytes);
    if sniff(bytes) != Container::Plain {
        return;
    }
    for container in CONTAINERS {
        let mut object = Vec::new();
        Compressor::new(container).compress("entry", bytes, &mut object).expect("it is small");
        decompress(&object, &mut out, LIMIT).expect("it was just written");
        assert_eq!(out, bytes);
    }
});
