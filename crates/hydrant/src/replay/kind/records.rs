//! Records as they came, one after the other with nothing in between: AllData backups, and what
//! Firehose delivers to S3. They are cut anew, between one metric and the next.

use std::io::{self, Read};

use metric::boundary::{self, Cut, Sizes};
use metric::{Decoder, Point, Reject, Visit};

use super::{Scene, Stop};
use crate::replay::kept::{Found, Kept, Kind};

/// A piece is about as large as the largest record of Firehose; one object or message may have more.
const SIZES: Sizes = Sizes { target: 1024 * 1024, most: super::failed::RECORD_BYTES_MAX };
/// Bytes read at a time.
const READ_BYTES: usize = 1024 * 1024;

pub(super) fn read(plain: impl Read, scene: &mut Scene<'_, '_>) -> Result<(), Stop> {
    let mut window = Window { plain, bytes: Vec::new(), begin: 0, at_end: false, failure: None };
    let mut offset = 0_u64;
    loop {
        // Full enough that the last cut of the target is not before its time.
        while window.rest().len() < 2 * SIZES.target && window.fill() {}
        let rest = window.rest();
        if rest.is_empty() {
            return window.failure.map_or(Ok(()), |error| Err(Stop::Object(error)));
        }
        let passed = match boundary::cut(rest, SIZES, window.at_end) {
            Cut::More => {
                if window.fill() {
                    continue;
                }
                // What follows was not given to us: half a metric is none, but a whole one may end here.
                let rest = window.rest();
                if window.failure.is_some() && is_whole(rest) {
                    scene.give(Found::Kept(Box::new(kept(rest.to_vec(), scene))))?;
                }
                return window.failure.map_or(Ok(()), |error| Err(Stop::Object(error)));
            }
            Cut::At(length) => {
                let piece = rest.get(..length).unwrap_or_default();
                if !piece.trim_ascii().is_empty() {
                    let kept = kept(piece.to_vec(), scene);
                    scene.give(Found::Kept(Box::new(kept)))?;
                }
                length
            }
            // Nothing whole is in them; where they lie is said either way.
            Cut::Lost(length) | Cut::Damaged(length) => {
                scene.broken(0, offset, format!("{length} bytes that are no metrics"))?;
                length
            }
            Cut::TooLarge(length) => {
                let most = SIZES.most >> 20;
                scene.broken(0, offset, format!("a metric of more than {most} MiB"))?;
                length
            }
        };
        // A cut of nothing would never end.
        let passed = passed.max(1);
        window.begin += passed;
        offset += passed as u64;
    }
}

/// Metrics, and nothing but metrics.
fn is_whole(bytes: &[u8]) -> bool {
    #[derive(Default)]
    struct Seen {
        points: bool,
        rejects: bool,
    }
    impl Visit for Seen {
        fn point(&mut self, _: &Point<'_>) {
            self.points = true;
        }
        fn reject(&mut self, _: &Reject<'_>) {
            self.rejects = true;
        }
    }
    let mut seen = Seen::default();
    Decoder::new().decode(bytes, &mut seen);
    seen.points && !seen.rejects && bytes.len() <= SIZES.most
}

/// The part of the stream that is looked at.
struct Window<R> {
    plain: R,
    bytes: Vec<u8>,
    begin: usize,
    /// The stream has come to its end, and not only to a failure.
    at_end: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Window<R> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.begin..).unwrap_or_default()
    }

    /// Reads more; false when there is none.
    fn fill(&mut self) -> bool {
        if self.at_end || self.failure.is_some() {
            return false;
        }
        self.bytes.drain(..self.begin);
        self.begin = 0;
        let mut piece = self.plain.by_ref().take(READ_BYTES as u64);
        match piece.read_to_end(&mut self.bytes) {
            Ok(read) => self.at_end = read < READ_BYTES,
            Err(error) => self.failure = Some(error),
        }
        true
    }
}

fn kept(data: Vec<u8>, scene: &Scene<'_, '_>) -> Kept {
    Kept {
        kind: Kind::Records,
        data,
        code: String::new(),
        arrival_ms: scene.time_ms,
        stream: scene.stream.clone(),
        // None: the same metrics in two archives are the same metrics.
        data_id: String::new(),
        undelivered: Vec::new(),
        source: "replay".to_owned(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
    }
}
