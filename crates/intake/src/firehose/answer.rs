//! Answers, to the letter of Firehose's contract: JSON of at most three members, one Content-Type, a
//! Content-Length (hyper writes it for a body whose size is known), no encoding.

use aws::firehose::{answer, headers};
use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::refusal::{Reason, Refusal};

const METHODS: HeaderValue = HeaderValue::from_static("POST, GET, HEAD, OPTIONS");

fn json(status: u16, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(headers::JSON));
    response
}

pub(crate) fn accepted(request_id: &str, now_ms: i64) -> Response<Full<Bytes>> {
    json(200, answer::body(request_id, now_ms, None))
}

/// `body_unread`: the client still has something to send that nobody will read.
pub(crate) fn refused(
    request_id: &str,
    now_ms: i64,
    refusal: &Refusal,
    body_unread: bool,
) -> Response<Full<Bytes>> {
    let body = answer::body(request_id, now_ms, Some(&refusal.message));
    let mut response = json(refusal.status, body);
    if body_unread {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if refusal.reason == Reason::Method {
        response.headers_mut().insert(ALLOW, METHODS);
    }
    response
}

pub(crate) fn healthy() -> Response<Full<Bytes>> {
    let mut response = json(200, b"{\"status\":\"ok\"}".to_vec());
    response.headers_mut().insert(ALLOW, METHODS);
    response
}
