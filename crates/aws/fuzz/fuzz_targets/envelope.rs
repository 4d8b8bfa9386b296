//! Any bytes as a delivery: whole and streamed in pieces of any size must agree, and nothing panics.
#![no_main]

use std::io::Read;

use aws::firehose::envelope::{EnvelopeReader, Limits};

const LIMITS: Limits = Limits { records: 100, record_text: 10_000 };

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let (now, later) = self.0.split_at(self.1.min(out.len()).min(self.0.len()));
        out[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}

fn drain(mut reader: EnvelopeReader<'_>) -> Result<Vec<Vec<u8>>, String> {
    let mut texts = Vec::new();
    while let Some(text) = reader.next().map_err(|fault| fault.to_string())? {
        texts.push(text.to_vec());
    }
    Ok(texts)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((size, body)) = bytes.split_first() else { return };
    let stream = Box::new(Pieces(body, 1 + usize::from(*size)));
    let streamed = drain(EnvelopeReader::stream(stream, LIMITS));
    assert_eq!(drain(EnvelopeReader::whole(body, LIMITS)), streamed);
});
