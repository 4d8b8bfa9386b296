//! Answers of OTLP/HTTP, in the encoding of the request.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::receiver::Encoding;
use crate::door;

/// `google.rpc.Code` INVALID_ARGUMENT.
const INVALID_ARGUMENT: u64 = 3;

/// 200: an empty response, or a partial success.
pub(super) fn exported(encoding: Encoding, rejected: u64, message: &str) -> Response<Full<Bytes>> {
    let body = match (encoding, rejected) {
        (Encoding::Protobuf, 0) => Vec::new(),
        (Encoding::Protobuf, _) => {
            let mut partial = vec![0x08];
            varint(rejected, &mut partial);
            text(2, message, &mut partial);
            let mut body = vec![0x0a];
            varint(partial.len() as u64, &mut body);
            body.extend_from_slice(&partial);
            body
        }
        (Encoding::Json, 0) => b"{}".to_vec(),
        (Encoding::Json, _) => {
            let rejected = rejected.to_string();
            let partial = json!({ "rejectedDataPoints": rejected, "errorMessage": message });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    };
    door::answer(StatusCode::OK, encoding.media(), body)
}

/// A failure, as a `google.rpc.Status`.
pub(super) fn failed(
    encoding: Encoding,
    status: StatusCode,
    message: &str,
) -> Response<Full<Bytes>> {
    let body = match encoding {
        Encoding::Protobuf => {
            let mut body = vec![0x08];
            varint(INVALID_ARGUMENT, &mut body);
            text(2, message, &mut body);
            body
        }
        Encoding::Json => {
            json!({ "code": INVALID_ARGUMENT, "message": message }).to_string().into_bytes()
        }
    };
    door::answer(status, encoding.media(), body)
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(field: u8, text: &str, out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}
