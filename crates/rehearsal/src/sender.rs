//! A Firehose delivery as AWS sends it, as headers and bytes. Sending is the caller's business.

use aws::firehose::{headers, request};
use codec::gzip::Deflater;

use crate::random::Random;

/// Level of Firehose's gzip, as far as sizes tell.
const GZIP_LEVEL: u32 = 6;

/// How a sender presents itself.
#[derive(Clone, Debug)]
pub struct Sender {
    /// ARN of the delivery stream.
    pub source_arn: String,
    /// The configured access key.
    pub access_key: Option<String>,
    /// The configured common attributes.
    pub attributes: Vec<(String, String)>,
    /// Whether `Content-Encoding` is GZIP.
    pub gzip: bool,
}

/// One HTTP request, but for what HTTP itself adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body as it goes over the wire.
    pub body: Vec<u8>,
}

/// `User-Agent` of Firehose, from a capture.
const USER_AGENT: &str = "Amazon Kinesis Data Firehose Agent/1.0";

impl Sender {
    /// The delivery of `records` under `request_id`, made at `timestamp_ms`.
    pub fn compose(
        &self,
        request_id: &str,
        timestamp_ms: i64,
        records: &[impl AsRef<[u8]>],
    ) -> Request {
        let mut plain = Vec::new();
        request::body(request_id, timestamp_ms, records, &mut plain);
        let body = if self.gzip { gzip(&plain) } else { plain };
        let delivery = request::Delivery {
            request_id,
            source_arn: &self.source_arn,
            access_key: self.access_key.as_deref(),
            attributes: &self.attributes,
            content_encoding: self.gzip.then_some(headers::GZIP),
        };
        let mut headers = delivery.headers();
        headers.push(("user-agent", USER_AGENT.to_owned()));
        Request { headers, body }
    }
}

/// `bytes` as one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(GZIP_LEVEL).gzip(bytes, &mut out);
    out
}

/// The request id of the `number`th delivery of `seed`, in the form of a GUID.
pub fn request_id(seed: u64, number: u64) -> String {
    let mut random = Random::keyed(seed, number ^ 0x1d);
    let (a, b) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0x3fff | 0x8000,
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
