//! Records as they came, one after the other with nothing in between: AllData backups, and what
//! Firehose delivers to S3. They are cut anew, between one metric and the next.

use std::io::Read;

use metric::boundary::{self, Cut, Sizes};

use super::{Scene, Stop};
use crate::replay::kept::{Found, Kept, Kind};

/// A piece is about as large as the largest record of Firehose; one object or message may have more.
const SIZES: Sizes = Sizes { target: 1024 * 1024, most: super::failed::RECORD_BYTES_MAX };
/// Bytes read at a time.
const READ_BYTES: usize = 1024 * 1024;

pub(super) fn read(mut plain: impl Read, scene: &mut Scene<'_, '_>) -> Result<(), Stop> {
    let mut window = Vec::new();
    let (mut begin, mut offset, mut at_end) = (0, 0_u64, false);
    loop {
        let rest = window.get(begin..).unwrap_or_default();
        // Full enough that the last cut of the target is not before its time.
        if !at_end && rest.len() < 2 * SIZES.target {
            at_end = fill(&mut plain, &mut window, &mut begin)?;
            continue;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let passed = match boundary::cut(rest, SIZES, at_end) {
            Cut::More => {
                at_end = fill(&mut plain, &mut window, &mut begin)?;
                continue;
            }
            Cut::At(length) => {
                let piece = rest.get(..length).unwrap_or_default();
                if !piece.trim_ascii().is_empty() {
                    let kept = kept(piece.to_vec(), offset, scene);
                    scene.give(Found::Kept(Box::new(kept)))?;
                }
                length
            }
            Cut::Lost(length) => {
                let why = format!("{length} bytes that are no metrics");
                scene.broken(0, offset, why)?;
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
        begin += passed;
        offset += passed as u64;
    }
}

/// Reads more; true at the end.
fn fill(plain: &mut impl Read, window: &mut Vec<u8>, begin: &mut usize) -> Result<bool, Stop> {
    window.drain(..*begin);
    *begin = 0;
    let read = plain.by_ref().take(READ_BYTES as u64).read_to_end(window).map_err(Stop::Object)?;
    Ok(read < READ_BYTES)
}

fn kept(data: Vec<u8>, offset: u64, scene: &Scene<'_, '_>) -> Kept {
    Kept {
        kind: Kind::Records,
        place: scene.place(0, offset),
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
