//! Failed-record lines: our own, and Firehose's in all their variations.

use std::io::Read;

use aws::firehose::failed::{self, FailedRecord, Object};

use super::{Scene, Stop};
use crate::replay::kept::{Found, Kept, Kind, Place, normalised};

/// A record of Firehose has at most 1,000 KiB, one of ours 1 MiB; four times that is no record.
pub(super) const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) fn read(plain: impl Read, scene: &mut Scene<'_, '_>) -> Result<(), Stop> {
    let mut lines = failed::stream(plain);
    while let Some(Object { offset, line, value }) = lines.read_next().map_err(Stop::Object)? {
        let place = scene.place(line, offset);
        let found = match value {
            Ok(record) => found(record, place, scene.time_ms, &scene.stream),
            Err(why) => Found::Broken { place, why },
        };
        scene.give(found)?;
    }
    Ok(())
}

fn found(record: FailedRecord, place: Place, time_ms: i64, stream: &str) -> Found {
    let mut data = Vec::new();
    if let Err(error) = codec::base64::decode_into(record.raw_data.as_bytes(), &mut data) {
        return Found::Broken { place, why: format!("`rawData` of the failed record: {error}") };
    }
    if data.len() > RECORD_BYTES_MAX {
        let why = format!("the record has {} bytes, more than any source takes", data.len());
        return Found::Broken { place, why };
    }
    let arrival_ms = if record.arrival_timestamp > 0 { record.arrival_timestamp } else { time_ms };
    let mut kept = Kept {
        kind: Kind::Firehose,
        data,
        code: record.error_code,
        arrival_ms,
        stream: stream.to_owned(),
        data_id: record.data_id,
        undelivered: Vec::new(),
        source: "replay".to_owned(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
    };
    if let Some(origin) = record.hydrant {
        kept.kind = Kind::Hydrant;
        kept.undelivered = normalised(origin.undelivered);
        if kept.undelivered.is_empty() {
            return Found::LeftOut("nothing_undelivered");
        }
        if kept.undelivered == [(0, origin.points)] {
            // All of it: said so, it needs no decoding to be known as whole.
            kept.undelivered.clear();
        }
        kept.stream = origin.stream;
        kept.source = origin.source;
        kept.source_arn = origin.source_arn;
        kept.request_id = origin.request_id;
        kept.attributes = origin.attributes.into_iter().collect();
    }
    Found::Kept(Box::new(kept))
}
