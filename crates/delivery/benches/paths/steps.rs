//! What the steps before packing cost.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws::firehose::envelope::{EnvelopeReader, Limits};
use metric::{Decoder, Point, Reject, Shapes, Visit};
use rules::Selection;

use crate::measure::Input;

/// How far a visit goes.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Envelope,
    Decode,
    Shape,
    Select,
}

/// A visit that stops early, to tell what each step adds.
struct Shallow {
    depth: Depth,
    shapes: Shapes,
    selection: Selection,
    seen: usize,
}

impl Visit for Shallow {
    fn point(&mut self, point: &Point<'_>) {
        self.seen += 1;
        if self.depth == Depth::Decode {
            black_box(point);
            return;
        }
        let shape = self.shapes.intern(point);
        if self.depth == Depth::Select {
            black_box(self.selection.decide(point, shape));
        }
        black_box(shape);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

/// What the steps before packing cost.
pub(crate) fn breakdown(input: &Input, rounds: usize, metrics: usize) {
    for depth in [Depth::Envelope, Depth::Decode, Depth::Shape, Depth::Select] {
        let selection = Selection::compile(Vec::new(), Vec::new()).expect("no filters");
        let mut shallow = Shallow { depth, shapes: Shapes::new(), selection, seen: 0 };
        let mut decoder = Decoder::new();
        let mut record = Vec::new();
        let mut best = Duration::MAX;
        for _ in 0..=rounds {
            let limits = Limits { records: 10_000, record_text: 8 << 20 };
            let time = timed(|| {
                let mut envelope = EnvelopeReader::whole(&input.plain, limits);
                while let Some(text) = envelope.next().expect("the body is well-formed") {
                    codec::base64::decode_into(text, &mut record).expect("base64");
                    if depth != Depth::Envelope {
                        decoder.decode(&record, &mut shallow);
                    }
                }
            });
            best = best.min(time);
        }
        let step = match depth {
            Depth::Envelope => "envelope and base64",
            Depth::Decode => "+ decode",
            Depth::Shape => "+ shape",
            Depth::Select => "+ select",
        };
        println!("  {step:<20} {:.0} ns/metric", best.as_nanos() as f64 / metrics as f64);
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
