//! A Firehose delivery as bytes: headers and body as AWS sends them. Sending is the caller's business.

use codec::base64;

/// The body of a delivery, plain: `{"requestId","timestamp","records":[{"data"}]}`.
pub(crate) fn body<'a>(
    records: impl IntoIterator<Item = &'a [u8]>,
    request_id: &str,
    timestamp_ms: u64,
) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"requestId\":\"");
    out.extend_from_slice(request_id.as_bytes());
    out.extend_from_slice(b"\",\"timestamp\":");
    out.extend_from_slice(timestamp_ms.to_string().as_bytes());
    out.extend_from_slice(b",\"records\":[");
    for (n, record) in records.into_iter().enumerate() {
        out.extend_from_slice(if n == 0 { b"{\"data\":\"" } else { b",{\"data\":\"" });
        base64::encode_into(record, &mut out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
    out
}
