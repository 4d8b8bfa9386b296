//! A Firehose data transformation: select and enrich inside a delivery stream.
//!
//! Owns the rule for each record: what is untouched is given back byte for byte; what changed is
//! written anew in the format it came in (added attributes are a member `attributes` in JSON, stand
//! beside CloudWatch's own in 1.0, and have no place in 0.7: counted); all points filtered is `Dropped`; a record with a piece
//! that cannot be decoded is `ProcessingFailed` as a whole, so that Firehose keeps its original bytes
//! where a replay finds them. Always holds: every record id exactly once, in order, and an answer
//! within Lambda's limit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use codec::base64;
use codec::gzip::{Deflater, is_gzip};
use metric::{Decoder, Encoder, Format, Point, Reject, Shapes, Source, Visit, encode};
use rules::{Decision, Enricher, Enrichment, Selection, TagSnapshot};
use serde::{Deserialize, Serialize};

use super::fault::{Fault, UNKNOWN_EVENT};

/// Lambda takes 6 MB of a synchronous answer.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Level of gzip for a record that came as gzip: the quickest.
const LEVEL: u32 = 1;
/// Characters of the first record that failed, in the log.
const SAMPLE_MAX: usize = 200;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    records: Vec<AskedRecord<'a>>,
}

#[derive(Deserialize)]
struct AskedRecord<'a> {
    #[serde(rename = "recordId", borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

#[derive(Serialize)]
struct AnsweredRecord<'a> {
    #[serde(rename = "recordId")]
    id: &'a str,
    result: &'static str,
    /// Firehose needs it with `Ok` only; of the others it keeps or drops what it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Cow<'a, str>>,
}

/// The rules of a transformation, and what it needs for the next record.
pub(super) struct Transformer {
    selection: Selection,
    enricher: Enricher,
    shapes: Shapes,
    decoder: Decoder,
    written: Written,
    deflater: Option<Deflater>,
}

/// A record while it is written anew.
struct Written {
    lines: Vec<u8>,
    otel07: Encoder,
    otel10: Encoder,
}

/// What became of the records of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub records: u64,
    pub untouched: u64,
    pub changed: u64,
    pub dropped: u64,
    pub failed: u64,
    pub points: u64,
    pub filtered: u64,
    /// Points to which something was added.
    pub enriched: u64,
    /// Of those, in a format that has no place for it.
    pub attributes_left_out: u64,
    /// Why records failed, and one of each.
    pub reasons: BTreeMap<&'static str, (u64, String)>,
}

/// What becomes of a record.
enum Outcome {
    Untouched,
    Changed(String),
    Dropped,
    Failed(&'static str, String),
}

impl Transformer {
    /// With these rules. The snapshot of tags is read once: a function's files do not change.
    pub(super) fn new(
        selection: Selection,
        enrichment: &Enrichment,
    ) -> Result<Transformer, String> {
        let mut enricher = Enricher::compile(enrichment)?;
        if let Some(tags) = &enrichment.tags {
            let bytes = std::fs::read(&tags.file).map_err(|error| error.to_string());
            let snapshot = bytes.and_then(|bytes| TagSnapshot::parse(&bytes, tags));
            let snapshot = snapshot.map_err(|e| format!("{}: {e}", tags.file.display()))?;
            enricher.set_snapshot(snapshot.into());
        }
        Ok(Transformer {
            selection,
            enricher,
            shapes: Shapes::new(),
            decoder: Decoder::new(),
            written: Written {
                lines: Vec::new(),
                otel07: Encoder::new(Format::Otel07),
                otel10: Encoder::new(Format::Otel10).with_attributes(),
            },
            deflater: None,
        })
    }

    /// The answer to an event.
    pub(super) fn answer(&mut self, event: &[u8]) -> Result<(Bytes, Tally), Fault> {
        let asked: Asked<'_> = serde_json::from_slice(event).map_err(|error| {
            Fault::new(UNKNOWN_EVENT, format!("a Firehose transformation event: {error}"))
        })?;
        let mut tally = Tally::default();
        // Room for every record without its data is set aside first: none may be missing.
        let bare = |id: &str| bare_length(id);
        let least: usize = asked.records.iter().map(|record| bare(&record.id)).sum();
        let mut room = ANSWER_BYTES_MAX.saturating_sub(least + FRAME);
        let mut answered = Vec::with_capacity(asked.records.len());
        for record in &asked.records {
            tally.records += 1;
            let outcome = self.transform(&record.data, &mut tally);
            answered.push(answer_record(record, outcome, &mut room, &mut tally));
        }
        let mut body = Vec::with_capacity(ANSWER_BYTES_MAX - room);
        body.extend_from_slice(b"{\"records\":");
        serde_json::to_writer(&mut body, &answered)
            .map_err(|error| Fault::new(super::fault::BUG, error.to_string()))?;
        body.push(b'}');
        Ok((Bytes::from(body), tally))
    }

    fn transform(&mut self, data: &str, tally: &mut Tally) -> Outcome {
        let mut record = Vec::with_capacity(data.len() / 4 * 3);
        if base64::decode_into(data.as_bytes(), &mut record).is_err() {
            return Outcome::Failed("not_base64", data.chars().take(SAMPLE_MAX).collect());
        }
        let Transformer { selection, enricher, shapes, decoder, written, .. } = self;
        let mut pass = Pass { selection, enricher, shapes, written, seen: Seen::default() };
        decoder.decode(&record, &mut pass);
        let Seen { kept, filtered, enriched, left_out, reject } = pass.seen;
        let mut out = Vec::new();
        self.written.finish(&mut out);
        if let Some((reason, detail)) = reject {
            return Outcome::Failed(reason, detail);
        }
        tally.points += kept + filtered;
        tally.filtered += filtered;
        tally.enriched += enriched;
        tally.attributes_left_out += left_out;
        match (kept, filtered, enriched) {
            (_, 0, 0) => Outcome::Untouched,
            (0, ..) => Outcome::Dropped,
            _ => Outcome::Changed(self.encoded(&record, out)),
        }
    }

    fn encoded(&mut self, record: &[u8], out: Vec<u8>) -> String {
        let mut text = Vec::new();
        if is_gzip(record) {
            let mut packed = Vec::new();
            self.deflater.get_or_insert_with(|| Deflater::new(LEVEL)).gzip(&out, &mut packed);
            base64::encode_into(&packed, &mut text);
        } else {
            base64::encode_into(&out, &mut text);
        }
        String::from_utf8(text).unwrap_or_default()
    }
}

/// `{"records":[` and `]}`.
const FRAME: usize = 16;

/// Length of an answer without data: the longest result, and the comma behind it.
fn bare_length(id: &str) -> usize {
    // An id is digits; should it ever hold what JSON escapes, six times its length is enough.
    let id = if id.bytes().all(|b| b.is_ascii_alphanumeric()) { id.len() } else { 6 * id.len() };
    id + r#"{"recordId":"","result":"ProcessingFailed"},"#.len()
}

fn answer_record<'a>(
    record: &'a AskedRecord<'_>,
    outcome: Outcome,
    room: &mut usize,
    tally: &mut Tally,
) -> AnsweredRecord<'a> {
    let id = record.id.as_ref();
    let data: Cow<'a, str> = match outcome {
        Outcome::Dropped => {
            tally.dropped += 1;
            return AnsweredRecord { id, result: "Dropped", data: None };
        }
        Outcome::Failed(reason, sample) => return failed(id, reason, sample, tally),
        Outcome::Untouched => Cow::Borrowed(record.data.as_ref()),
        Outcome::Changed(data) => Cow::Owned(data),
    };
    let needed = data.len() + r#","data":"""#.len();
    let Some(left) = room.checked_sub(needed) else {
        let sample = format!("{} bytes of base64 do not fit any more", data.len());
        return failed(id, "answer_too_large", sample, tally);
    };
    *room = left;
    match data {
        Cow::Borrowed(_) => tally.untouched += 1,
        Cow::Owned(_) => tally.changed += 1,
    }
    AnsweredRecord { id, result: "Ok", data: Some(data) }
}

fn failed<'a>(
    id: &'a str,
    reason: &'static str,
    sample: String,
    tally: &mut Tally,
) -> AnsweredRecord<'a> {
    tally.failed += 1;
    let known = tally.reasons.entry(reason).or_insert((0, sample));
    known.0 += 1;
    AnsweredRecord { id, result: "ProcessingFailed", data: None }
}

impl Written {
    fn push(&mut self, point: &Point<'_>) {
        match point.source {
            Source::Json => encode::ndjson_line(point, &mut self.lines),
            Source::Otel07 => self.otel07.push(point),
            Source::Otel10 { .. } => self.otel10.push(point),
        }
    }

    /// Appends all of it to `out`, and is empty again.
    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.lines);
        self.otel07.finish(out);
        self.otel10.finish(out);
    }
}

/// One pass over a record.
struct Pass<'a> {
    selection: &'a mut Selection,
    enricher: &'a mut Enricher,
    shapes: &'a mut Shapes,
    written: &'a mut Written,
    seen: Seen,
}

/// What a record holds.
#[derive(Default)]
struct Seen {
    kept: u64,
    filtered: u64,
    enriched: u64,
    left_out: u64,
    reject: Option<(&'static str, String)>,
}

impl Visit for Pass<'_> {
    fn point(&mut self, point: &Point<'_>) {
        let shape = self.shapes.intern(point);
        if self.selection.decide(point, shape) != Decision::Keep {
            self.seen.filtered += 1;
            return;
        }
        self.seen.kept += 1;
        if self.enricher.is_empty() {
            return self.written.push(point);
        }
        let mut added = Vec::new();
        self.enricher.enrich(point, shape, &mut added);
        if !added.is_empty() {
            let has_place = !matches!(point.source, Source::Otel07);
            self.seen.enriched += u64::from(has_place);
            self.seen.left_out += u64::from(!has_place);
        }
        self.written.push(&Point { attributes: &added, ..*point });
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        self.seen.reject.get_or_insert_with(|| {
            let detail: String = reject.detail.chars().take(SAMPLE_MAX).collect();
            (reject.reason.code(), format!("at byte {}: {detail}", reject.offset))
        });
    }
}
