//! A delivery as Firehose sends it: the body, and the headers around it.
//!
//! Always: the bytes that AWS's schema describes, keys in AWS's order, no white space.
//!
//! Not here: sending, compressing, retrying.

use super::{attributes, headers, json};

#[cfg(test)]
mod tests;

/// Appends the body of a delivery of these records to `out`.
pub fn body(request_id: &str, timestamp_ms: i64, records: &[impl AsRef<[u8]>], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"requestId\":");
    json::string(request_id, out);
    out.extend_from_slice(b",\"timestamp\":");
    out.extend_from_slice(itoa::Buffer::new().format(timestamp_ms).as_bytes());
    out.extend_from_slice(b",\"records\":[");
    for (index, record) in records.iter().enumerate() {
        let begin: &[u8] = if index == 0 { b"{\"data\":\"" } else { b",{\"data\":\"" };
        out.extend_from_slice(begin);
        codec::base64::encode_into(record.as_ref(), out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
}

/// What a delivery says in its headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery<'a> {
    /// Equal to `requestId` in the body.
    pub request_id: &'a str,
    /// The delivery stream.
    pub source_arn: &'a str,
    /// The configured key, if any.
    pub access_key: Option<&'a str>,
    /// The configured attributes; none leaves the header away.
    pub attributes: &'a [(String, String)],
    /// `Some(headers::GZIP)` when the body is compressed.
    pub content_encoding: Option<&'static str>,
}

impl Delivery<'_> {
    /// The headers, but for those that HTTP itself adds.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut list = vec![
            (headers::PROTOCOL_VERSION, headers::PROTOCOL_VERSION_1_0.to_owned()),
            (headers::REQUEST_ID, self.request_id.to_owned()),
            (headers::SOURCE_ARN, self.source_arn.to_owned()),
            (headers::CONTENT_TYPE, headers::JSON.to_owned()),
        ];
        if let Some(key) = self.access_key {
            list.push((headers::ACCESS_KEY, key.to_owned()));
        }
        if !self.attributes.is_empty() {
            list.push((headers::COMMON_ATTRIBUTES, attributes::format(self.attributes)));
        }
        if let Some(encoding) = self.content_encoding {
            list.push((headers::CONTENT_ENCODING, encoding.to_owned()));
        }
        list
    }
}
