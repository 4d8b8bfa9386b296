//! Any bytes as gzip: both inflaters agree. Any bytes as content: the encoder's work comes back.
#![no_main]

use std::io::Read;

use codec::gzip::{Deflater, Inflater, StreamInflater};

const LIMIT: usize = 1 << 20;

fn both(body: &[u8]) -> Option<Vec<u8>> {
    let mut once = Vec::new();
    let result = Inflater::new().gunzip(body, &mut once, LIMIT);
    let mut reader = StreamInflater::new(body, LIMIT as u64);
    let mut streamed = Vec::new();
    let read = reader.read_to_end(&mut streamed);
    assert_eq!(result.clone().err(), reader.fault());
    assert_eq!(result.is_ok(), read.is_ok());
    result.ok().map(|()| {
        assert_eq!(once, streamed);
        once
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    both(bytes);
    let mut body = Vec::new();
    Deflater::new(1).gzip(bytes, &mut body);
    assert_eq!(both(&body).as_deref(), Some(bytes));
});
