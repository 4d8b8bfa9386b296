//! What decodes is encoded in each format: as many points come back, nothing is rejected, and from
//! the second passage on not a byte changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metric::{Decoder, Encoder, Format, Point, Reject, Visit};

struct Encode {
    encoder: Encoder,
    points: usize,
    rejects: usize,
}

impl Visit for Encode {
    fn point(&mut self, point: &Point<'_>) {
        self.encoder.push(point);
        self.points += 1;
    }
    fn reject(&mut self, _: &Reject<'_>) {
        self.rejects += 1;
    }
}

/// The points of `record` in `format`, and how many points and rejects there were.
fn passage(record: &[u8], format: Format) -> (Vec<u8>, usize, usize) {
    let mut visit = Encode { encoder: Encoder::new(format), points: 0, rejects: 0 };
    Decoder::new().decode(record, &mut visit);
    let mut out = Vec::new();
    visit.encoder.finish(&mut out);
    (out, visit.points, visit.rejects)
}

fuzz_target!(|record: &[u8]| {
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        let (once, points, _) = passage(record, format);
        let (twice, again, rejects) = passage(&once, format);
        assert_eq!((again, rejects), (points, 0));
        assert_eq!(passage(&twice, format).0, twice);
    }
});
