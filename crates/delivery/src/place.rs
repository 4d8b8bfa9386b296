//! Where an item lies, and the lines that tell of it: quarantine and failed records.

use aws::firehose::failed::{FailedRecord, Origin};
use entry::{Header, Kind};
use journal::Position;
use metric::{Decoder, Point, Reject, Visit};

use crate::quarantine::{Line, rfc3339};
use crate::verdict::Why;

/// Longest text of a destination that is kept in a line.
const MESSAGE_CHARS: usize = 1024;

/// An entry of the journal, as a stream sees it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub stream: &'a str,
    pub topic: &'a str,
    pub sequence: u64,
    pub header: &'a Header,
}

impl Place<'_> {
    pub(crate) fn at(&self, ordinal: u32) -> Position {
        Position { sequence: self.sequence, ordinal }
    }

    /// False for an item of a record put back that had been delivered before.
    pub(crate) fn is_asked_for(&self, item: u32) -> bool {
        let only = &self.header.only;
        only.is_empty() || only.iter().any(|(from, to)| (*from..*to).contains(&item))
    }

    /// The same for a record that is an item as it is. Of one put back, `only` may count points of it;
    /// as it is, it is wanted whole or not at all.
    pub(crate) fn is_record_asked_for(&self, item: u32) -> bool {
        self.header.kind == Kind::Record || self.is_asked_for(item)
    }

    fn line<'b>(&'b self, time: i64, record: u32, item: u32, reason: &'b str) -> Line<'b> {
        Line {
            time: rfc3339(time),
            stream: self.stream,
            source: &self.header.source,
            topic: self.topic,
            sequence: self.sequence,
            record,
            item,
            offset: None,
            reason,
            detail: "",
            text: None,
            data: None,
        }
    }

    /// A piece that could not be decoded.
    pub(crate) fn reject_line(
        &self,
        out: &mut Vec<u8>,
        now_ms: i64,
        record: u32,
        item: u32,
        reject: &Reject<'_>,
    ) {
        let mut line = self.line(now_ms, record, item, reject.reason.code());
        line.offset = Some(reject.offset);
        line.detail = &reject.detail;
        line.data = Some(base64(reject.bytes));
        line.write(out);
    }

    /// A point this destination can never use; kept as its CloudWatch JSON line.
    pub(crate) fn point_line(
        &self,
        out: &mut Vec<u8>,
        now_ms: i64,
        (record, item): (u32, u32),
        point: &Point<'_>,
        reason: &str,
    ) {
        let mut encoder = metric::Encoder::new(metric::Format::Json);
        encoder.push(point);
        let mut text = Vec::new();
        encoder.finish(&mut text);
        let text = String::from_utf8_lossy(&text);
        let mut line = self.line(now_ms, record, item, reason);
        line.text = Some(text.trim_end());
        line.write(out);
    }

    /// Bytes kept raw, with a reason.
    pub(crate) fn raw_line(
        &self,
        out: &mut Vec<u8>,
        now_ms: i64,
        (record, item): (u32, u32),
        (reason, detail): (&str, &str),
        bytes: &[u8],
    ) {
        let mut line = self.line(now_ms, record, item, reason);
        line.detail = detail;
        line.data = Some(base64(bytes));
        line.write(out);
    }

    /// What a destination refused of a request that it otherwise took.
    pub(crate) fn refused_line(
        &self,
        out: &mut Vec<u8>,
        now_ms: i64,
        text: &[u8],
        (reason, detail): (&str, &str),
    ) {
        let text = String::from_utf8_lossy(text);
        let mut line = self.line(now_ms, 0, 0, reason);
        line.detail = detail;
        line.text = Some(&text);
        line.write(out);
    }
}

/// Why a record goes to backup.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub why: Why,
    pub attempts: u32,
    pub ended_ms: i64,
}

impl Place<'_> {
    /// Appends the failed-record line of one record.
    pub(crate) fn failed_line(
        &self,
        out: &mut Vec<u8>,
        record: u32,
        bytes: &[u8],
        items: u32,
        undelivered: Vec<(u32, u32)>,
        failure: &Failure,
    ) {
        let header = self.header;
        let line = FailedRecord {
            attempts_made: failure.attempts,
            arrival_timestamp: header.arrival_ms,
            error_code: failure.why.code.to_owned(),
            error_message: failure.why.message.chars().take(MESSAGE_CHARS).collect(),
            attempt_ending_timestamp: failure.ended_ms,
            raw_data: base64(bytes),
            subsequence_number: 0,
            data_id: format!("{}-{:016}-{record:05}.0", self.topic, self.sequence),
            hydrant: Some(Origin {
                version: 1,
                stream: self.stream.to_owned(),
                source: header.source.clone(),
                topic: self.topic.to_owned(),
                sequence: self.sequence,
                record,
                request_id: header.request_id.clone(),
                source_arn: header.source_arn.clone(),
                attributes: header.attributes.iter().cloned().collect(),
                points: items,
                undelivered,
            }),
        };
        if serde_json::to_writer(&mut *out, &line).is_ok() {
            out.push(b'\n');
        }
    }
}

/// Items of a record, by decoding it once more; only for what goes to backup.
pub(crate) fn count_items(decoder: &mut Decoder, record: &[u8]) -> u32 {
    struct Count(u32);
    impl Visit for Count {
        fn point(&mut self, _: &Point<'_>) {
            self.0 += 1;
        }
        fn reject(&mut self, _: &Reject<'_>) {
            self.0 += 1;
        }
    }
    let mut count = Count(0);
    decoder.decode(record, &mut count);
    count.0
}

fn base64(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    codec::base64::encode_into(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
