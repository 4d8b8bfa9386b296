//! Is this body a delivery? Read once, record by record, from memory or from a stream.
//!
//! Always: every base64 character was looked at, every gzip checksum was right, and the document was
//! read to its last byte, before `Ok`. Whether the records hold metrics is not asked here, except for
//! one mistake that is worth catching at the door: log data sent to an endpoint for metrics.

use std::io::Read;

use aws::firehose::envelope::{self, EnvelopeFault, EnvelopeReader};
use bytes::Bytes;
use codec::base64;
use codec::checksum::Hasher128;
use codec::gzip::{InflateError, StreamInflater, is_gzip};
use entry::Encoding;

use super::Limits;
use super::keep::Keep;
use super::permits::Permits;
use super::refusal::{Reason, Refusal};

/// A plain body up to this is inflated whole, in the second-level cache. Of a larger one that part
/// would be gone from there before it is read, so it is read in a window.
const PLAIN_WHOLE_MAX: usize = 256 * 1024;
/// Base64 characters of a record that are looked at to tell logs from metrics: 4,095 bytes.
const SNIFFED: usize = 5460;

/// What must agree with the head.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    pub(crate) encoding: Encoding,
    /// Of the header.
    pub(crate) request_id: Option<String>,
    pub(crate) limits: Limits,
    /// The body must name its request id when the header does not have to.
    pub(crate) lenient: bool,
}

/// A body that is a delivery.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) records: u32,
    pub(crate) plain_bytes: u64,
    /// Of the header or, in lenient mode, of the body.
    pub(crate) request_id: Option<String>,
    /// Hash of the record data.
    pub(crate) data: u128,
    /// The records for the tail, where they were to be kept.
    pub(crate) kept: Option<Vec<u8>>,
}

impl Expect {
    /// How many plain bytes `wire` bytes may become, and what is said beyond.
    pub(crate) fn plain_limit(&self, wire: u64) -> (u64, Refusal) {
        let (body, ratio) = (self.limits.body_bytes, self.limits.ratio);
        let by_ratio = wire.saturating_mul(u64::from(ratio));
        if by_ratio < body {
            let message = format!("inflates to more than {ratio} times its size (limits.ratio)");
            return (by_ratio, Refusal::new(Reason::Ratio, message));
        }
        (body, Refusal::too_large("the inflated body", body))
    }

    /// How long a plain body is by the word of its gzip trailer, as far as it is allowed to be.
    pub(crate) fn claimed_length(&self, body: &[u8]) -> usize {
        let claimed = body.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (most, _) = self.plain_limit(body.len() as u64);
        usize::try_from(most.min(u64::from(claimed))).unwrap_or(usize::MAX)
    }

    fn envelope_limits(&self) -> envelope::Limits {
        let record_text = self.limits.record_bytes.div_ceil(3).saturating_mul(4);
        envelope::Limits { records: self.limits.records, record_text }
    }
}

/// A body that is in memory as received.
pub(crate) fn whole(
    body: &Bytes,
    expect: &Expect,
    keep: Keep<'_>,
    permits: &Permits,
) -> Result<Checked, Refusal> {
    if expect.encoding == Encoding::Identity {
        let reader = EnvelopeReader::whole(body, expect.envelope_limits());
        let checked = walk(reader, expect, keep).map_err(|fault| identity_hint(body, fault))?;
        return Ok(Checked { plain_bytes: body.len() as u64, ..checked });
    }
    let (limit, _) = expect.plain_limit(body.len() as u64);
    permits.inflating(|inflater, plain| {
        if expect.claimed_length(body) <= PLAIN_WHOLE_MAX {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(PLAIN_WHOLE_MAX);
            match inflater.gunzip(body, plain, limit) {
                Ok(()) => {
                    let reader = EnvelopeReader::whole(plain, expect.envelope_limits());
                    let checked = walk(reader, expect, keep)?;
                    return Ok(Checked { plain_bytes: plain.len() as u64, ..checked });
                }
                // It is larger than its trailer says: the window will find out.
                Err(InflateError::TooLarge { .. }) => {}
                Err(error) => return Err(malformed_gzip(&error)),
            }
        }
        let mut reader = inflater.reader(body, limit);
        let checked = windowed(&mut reader, body.len() as u64, expect, keep);
        checked.map_err(|refusal| {
            // Text that makes no sense is a riddle when it is the compression that is damaged.
            std::io::copy(&mut reader, &mut std::io::sink()).ok();
            match reader.fault() {
                None | Some(InflateError::TooLarge { .. }) => refusal,
                Some(error) => malformed_gzip(&error),
            }
        })
    })
}

/// A body read from a stream of `wire_bytes` bytes (or at most that many), in a window.
pub(crate) fn stream(
    wire: &mut (dyn Read + Send),
    wire_bytes: u64,
    expect: &Expect,
) -> Result<Checked, Refusal> {
    match expect.encoding {
        Encoding::Identity => windowed(wire, wire_bytes, expect, Keep::nothing()),
        Encoding::Gzip => {
            let (limit, _) = expect.plain_limit(wire_bytes);
            let mut inflater = StreamInflater::new(wire, limit);
            windowed(&mut inflater, wire_bytes, expect, Keep::nothing())
        }
    }
}

/// A plain body read in a window.
fn windowed(
    plain: &mut (dyn Read + Send),
    wire_bytes: u64,
    expect: &Expect,
    keep: Keep<'_>,
) -> Result<Checked, Refusal> {
    let mut plain_bytes = 0;
    let counted = Box::new(Counted { inner: plain, bytes: &mut plain_bytes });
    let checked = walk(EnvelopeReader::stream(counted, expect.envelope_limits()), expect, keep);
    let beyond = || expect.plain_limit(wire_bytes).1;
    match checked {
        Ok(checked) => Ok(Checked { plain_bytes, ..checked }),
        Err(refusal) if refusal.reason == Reason::BodyTooLarge => Err(beyond()),
        Err(refusal) => Err(refusal),
    }
}

struct Counted<'a, R> {
    inner: R,
    bytes: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(out)?;
        *self.bytes += n as u64;
        Ok(n)
    }
}

/// What the records seem to be, until one is no log data.
#[derive(PartialEq, Eq)]
enum Suspicion {
    NothingSeen,
    OnlyLogs,
    Cleared,
}

fn walk(
    mut reader: EnvelopeReader<'_>,
    expect: &Expect,
    mut keep: Keep<'_>,
) -> Result<Checked, Refusal> {
    let mut data = Hasher128::new();
    let mut suspicion = Suspicion::NothingSeen;
    let mut start = Vec::new();
    let mut records: u32 = 0;
    while let Some(text) = reader.next().map_err(|fault| refuse(fault, expect))? {
        if keep.take(text).is_err() {
            let message = format!("record {records} is not standard base64");
            return Err(Refusal::new(Reason::MalformedBase64, message));
        }
        data.update(&(text.len() as u64).to_le_bytes());
        data.update(text);
        if suspicion != Suspicion::Cleared {
            suspicion = look(text, &mut start, suspicion);
        }
        records += 1;
    }
    let request_id = agreed_id(expect, reader.envelope().request_id.as_deref())?;
    if records == 0 {
        return Err(Refusal::new(Reason::NoRecords, "the delivery has no records"));
    }
    if suspicion == Suspicion::OnlyLogs {
        let message = "the delivery holds nothing but CloudWatch Logs data, and this endpoint takes \
                       CloudWatch metric streams: give the log subscription filter a delivery stream \
                       of its own, and point a metric stream at this one";
        return Err(Refusal::new(Reason::CloudWatchLogs, message));
    }
    Ok(Checked { records, plain_bytes: 0, request_id, data: data.digest(), kept: keep.finish() })
}

fn look(text: &[u8], start: &mut Vec<u8>, so_far: Suspicion) -> Suspicion {
    let shown = text.get(..SNIFFED).unwrap_or(text);
    if base64::decode_into(shown, start).is_err() {
        return Suspicion::Cleared;
    }
    match metric::sniff(start) {
        metric::Kind::Empty => so_far,
        metric::Kind::CloudWatchLogs => Suspicion::OnlyLogs,
        _ => Suspicion::Cleared,
    }
}

fn agreed_id(expect: &Expect, in_body: Option<&str>) -> Result<Option<String>, Refusal> {
    match (expect.request_id.as_deref(), in_body) {
        (Some(header), Some(body)) if header != body => {
            let message = "requestId of the body is not the request id of the header";
            Err(Refusal::new(Reason::RequestIdMismatch, message))
        }
        (Some(_), None) if !expect.lenient => {
            Err(Refusal::new(Reason::RequestIdMismatch, "requestId is missing in the body"))
        }
        (Some(header), _) => Ok(Some(header.to_owned())),
        (None, in_body) => Ok(in_body.filter(|id| !id.is_empty()).map(str::to_owned)),
    }
}

fn refuse(fault: EnvelopeFault, expect: &Expect) -> Refusal {
    match fault {
        EnvelopeFault::Malformed { .. } => {
            let message = format!("the body is not the JSON of a Firehose delivery: {fault}");
            Refusal::new(Reason::MalformedJson, message)
        }
        EnvelopeFault::TooManyRecords { limit } => {
            let message = format!(
                "more than {limit} records (setting limits.records); \
                 lower the buffer size of the Firehose destination or raise the limit"
            );
            Refusal::new(Reason::TooManyRecords, message)
        }
        EnvelopeFault::RecordTooLong { record, .. } => {
            let limit = expect.limits.record_bytes;
            let message = format!("record {record} is over {limit} bytes (setting limits.record)");
            Refusal::new(Reason::RecordTooLong, message)
        }
        EnvelopeFault::Read(error) => {
            let inflate = error.get_ref().and_then(|inner| inner.downcast_ref::<InflateError>());
            match inflate {
                Some(InflateError::TooLarge { limit }) => {
                    Refusal::too_large("the inflated body", *limit as u64)
                }
                Some(error) => malformed_gzip(error),
                None => {
                    Refusal::new(Reason::Disconnected, format!("the body ended early: {error}"))
                }
            }
        }
    }
}

fn malformed_gzip(error: &InflateError) -> Refusal {
    Refusal::new(Reason::MalformedGzip, format!("the body does not inflate: {error}"))
}

/// A compressed body without its header is a riddle as JSON.
fn identity_hint(body: &[u8], mut refusal: Refusal) -> Refusal {
    if refusal.reason == Reason::MalformedJson && is_gzip(body) {
        refusal.message = "the body is gzip, but content-encoding does not say so".to_owned();
    }
    refusal
}
