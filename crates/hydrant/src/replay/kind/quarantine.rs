//! Lines of our quarantine: points a destination refused, pieces that could not be decoded, and what a
//! source set aside, whose lines hold no data: it lies in files beside them.
//!
//! A point is kept as its line of CloudWatch JSON and can be put back. A piece may have become
//! decodable with a newer release; whether it is, the decoder says. Words of a destination and whole
//! requests are kept for people: they are in a destination's form, which no stream reads.

use std::io::Read;

use aws::firehose::failed::{Object, Objects};
use metric::{Decoder, Point, Reject, Visit};
use serde::Deserialize;

use super::{Scene, Stop};
use crate::replay::kept::{Found, Kept, Kind, Place};

#[derive(Deserialize)]
struct Line {
    time: String,
    #[serde(default)]
    stream: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    topic: String,
    /// A source's line has none.
    #[serde(default)]
    sequence: u64,
    #[serde(default)]
    record: u32,
    #[serde(default)]
    item: u32,
    reason: String,
    text: Option<String>,
    data: Option<String>,
}

pub(super) fn read(plain: impl Read, scene: &mut Scene<'_, '_>) -> Result<(), Stop> {
    let mut lines = Objects::new(plain);
    let mut decoder = Decoder::new();
    while let Some(Object { offset, line, value }) =
        lines.read_next::<Line>().map_err(Stop::Object)?
    {
        let place = scene.place(line, offset);
        let found = match value {
            Ok(line) => found(line, place, scene.time_ms, &mut decoder),
            Err(why) => {
                Found::Broken { place, why: format!("the quarantine line is unreadable: {why}") }
            }
        };
        scene.give(found)?;
    }
    Ok(())
}

fn found(line: Line, place: Place, time_ms: i64, decoder: &mut Decoder) -> Found {
    let mut data = Vec::new();
    match (&line.text, &line.data) {
        (Some(text), _) => {
            data.extend_from_slice(text.as_bytes());
            data.push(b'\n');
        }
        (None, Some(base64)) => {
            if let Err(error) = codec::base64::decode_into(base64.as_bytes(), &mut data) {
                return Found::Broken { place, why: format!("`data` of the line: {error}") };
            }
        }
        (None, None) => return Found::LeftOut("no_data_kept"),
    }
    if data.len() > super::failed::RECORD_BYTES_MAX || !holds_points(decoder, &data) {
        let is_text = line.text.is_some() || line.reason == "refused_request";
        return Found::LeftOut(if is_text { "text_of_a_request" } else { "not_decodable" });
    }
    let arrival_ms = line.time.parse::<jiff::Timestamp>();
    Found::Kept(Box::new(Kept {
        kind: Kind::Quarantine,
        data,
        code: line.reason,
        arrival_ms: arrival_ms.map_or(time_ms, jiff::Timestamp::as_millisecond),
        stream: line.stream,
        data_id: format!("{}-{:016}-{:05}-{}", line.topic, line.sequence, line.record, line.item),
        undelivered: Vec::new(),
        source: line.source,
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
    }))
}

fn holds_points(decoder: &mut Decoder, data: &[u8]) -> bool {
    struct Any(bool);
    impl Visit for Any {
        fn point(&mut self, _: &Point<'_>) {
            self.0 = true;
        }
        fn reject(&mut self, _: &Reject<'_>) {}
    }
    let mut any = Any(false);
    decoder.decode(data, &mut any);
    any.0
}
