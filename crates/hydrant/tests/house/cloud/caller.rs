//! A small client: calls as the SDKs make them, signed as they sign.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;

use aws::sigv4::{KeyCache, Paths, Signer, hash};
use serde_json::Value;
use testkit::RawAnswer;

use super::REGION;
use crate::points::now_ms;

/// A call before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) service: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn new(service: &'static str, content_type: &str, body: Vec<u8>) -> Request {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Request { service, path: "/".to_owned(), headers, body }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Firehose, JSON 1.1.
    pub(crate) fn firehose(operation: &str, input: &Value) -> Request {
        let body = input.to_string().into_bytes();
        Request::new("firehose", "application/x-amz-json-1.1", body)
            .with("x-amz-target", &format!("Firehose_20150804.{operation}"))
    }

    /// CloudWatch, JSON 1.0.
    pub(crate) fn metrics(operation: &str, input: &Value) -> Request {
        let body = input.to_string().into_bytes();
        Request::new("monitoring", "application/x-amz-json-1.0", body)
            .with("x-amz-target", &format!("GraniteServiceVersion20100801.{operation}"))
    }

    /// CloudWatch, smithy RPC v2 CBOR.
    pub(crate) fn metrics_cbor(operation: &str, input: &Value) -> Request {
        let mut body = Vec::new();
        cbor(input, "", &mut body);
        let mut request = Request::new("monitoring", "application/cbor", body)
            .with("smithy-protocol", "rpc-v2-cbor");
        request.path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        request
    }

    /// CloudWatch, query: `pairs` besides `Action` and `Version`.
    pub(crate) fn metrics_query(operation: &str, pairs: &[(&str, &str)]) -> Request {
        let mut body = format!("Action={operation}&Version=2010-08-01");
        for (name, value) in pairs {
            write!(body, "&{name}={}", aws::sigv4::encode_query(value)).unwrap();
        }
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        Request::new("monitoring", form, body.into_bytes())
    }

    /// The same with its body as gzip.
    pub(crate) fn gzip(mut self) -> Request {
        let plain = std::mem::take(&mut self.body);
        codec::gzip::Deflater::new(6).gzip(&plain, &mut self.body);
        self.with("content-encoding", "gzip")
    }
}

/// Who calls.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) region: String,
    /// Its clock is wrong by so much.
    pub(crate) skew_ms: i64,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, id: &str, secret: &str) -> Caller {
        let (id, secret, region) = (id.to_owned(), secret.to_owned(), REGION.to_owned());
        Caller { address, id, secret, token: None, region, skew_ms: 0 }
    }

    /// The headers of a call, `authorization` among them; but for those of the body's length.
    pub(crate) fn signed(&self, request: &Request) -> Vec<(String, String)> {
        let at = jiff::Timestamp::from_millisecond(now_ms() + self.skew_ms).unwrap();
        let date = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = request.headers.clone();
        headers.push(("host".to_owned(), self.address.to_string()));
        headers.push(("x-amz-date".to_owned(), date.clone()));
        if let Some(token) = &self.token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let signed: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let keys = KeyCache::default();
        let signer = Signer {
            keys: &keys,
            access_key_id: &self.id,
            region: &self.region,
            service: request.service,
            paths: Paths::Normal,
        };
        let canonical = aws::sigv4::Request {
            method: "POST",
            path: &request.path,
            query: "",
            headers: &signed,
            payload_hash: &hash(&request.body),
        };
        let authorization = signer.authorization(&self.secret, &date, &canonical);
        headers.push(("authorization".to_owned(), authorization));
        headers
    }

    /// Head and body on the wire.
    pub(crate) fn bytes(&self, request: &Request) -> Vec<u8> {
        bytes(&request.path, &self.signed(request), &request.body)
    }

    pub(crate) fn send(&self, request: &Request) -> io::Result<RawAnswer> {
        testkit::exchange(self.address, &self.bytes(request))
    }

    /// What a call of Firehose answers; it must be done.
    #[track_caller]
    pub(crate) fn firehose(&self, operation: &str, input: &Value) -> Value {
        self.done(&Request::firehose(operation, input))
    }

    /// What a call of CloudWatch answers, by JSON; it must be done.
    #[track_caller]
    pub(crate) fn metrics(&self, operation: &str, input: &Value) -> Value {
        self.done(&Request::metrics(operation, input))
    }

    #[track_caller]
    fn done(&self, request: &Request) -> Value {
        let answer = self.send(request).expect("a call is answered");
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// Status, error and text of a call that must be refused.
    #[track_caller]
    pub(crate) fn refused(&self, request: &Request) -> (u16, String, String) {
        let answer = self.send(request).expect("a call is answered");
        told(&answer)
    }
}

/// Status, error and text of an error in JSON.
#[track_caller]
pub(crate) fn told(answer: &RawAnswer) -> (u16, String, String) {
    assert_ne!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36), "{:?}", answer.headers);
    let told: Value = serde_json::from_slice(&answer.body).expect("an error is JSON");
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let message = if told["message"].is_string() { text("message") } else { text("Message") };
    (answer.status, text("__type").rsplit('#').next().unwrap().to_owned(), message)
}

/// A request on the wire.
pub(crate) fn bytes(path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut bytes = head(path, headers).into_bytes();
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Its head up to the header that tells the length.
pub(crate) fn head(path: &str, headers: &[(String, String)]) -> String {
    let mut head = format!("POST {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head
}

/// JSON as CBOR; what is called `Timestamp` as a time, every number as a double but for those that
/// are integers in the model.
fn cbor(value: &Value, name: &str, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
        Value::Number(number) => {
            if name == "Timestamp" {
                out.push(0xc1);
            }
            match number.as_u64().filter(|_| name == "StorageResolution") {
                Some(whole) => head_of(0, whole, out),
                None => {
                    out.push(0xfb);
                    out.extend_from_slice(&number.as_f64().unwrap().to_be_bytes());
                }
            }
        }
        Value::String(text) => {
            head_of(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            head_of(4, items.len() as u64, out);
            items.iter().for_each(|item| cbor(item, name, out));
        }
        Value::Object(members) => {
            head_of(5, members.len() as u64, out);
            for (name, value) in members {
                cbor(&Value::String(name.clone()), "", out);
                cbor(value, name, out);
            }
        }
    }
}

/// Major type and length (RFC 8949 3), always with a length of four bytes, which decoders take.
fn head_of(major: u8, length: u64, out: &mut Vec<u8>) {
    out.push(major << 5 | 26);
    out.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
}
