//! The sending half: one delivery, one verdict.

use std::time::{SystemTime, UNIX_EPOCH};

use aws::firehose::{attributes, headers};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use journal::Position;
use remote::{Client, ClientConfig, Request, Secret};

use super::name::request_id;
use super::{
    ACCESS_KEY_MAX, ATTRIBUTE_NAME_MAX, ATTRIBUTE_VALUE_MAX, ATTRIBUTES_MAX, BYTES_MAX, Config,
    RECORD_BYTES_MAX, answer,
};
use crate::Verdict;
use crate::sink::{Label, Payload, url};

/// The code Firehose gives for such a key or attribute.
const ILLEGAL: &str = "HttpEndpoint.MakeRequestFailure.IllegalCharacterInHeaderValue";
/// Before the name of the stream. Receivers take region and account from the ARN; no account has
/// this number.
const ARN_BEGIN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/";
/// What follows the head of a delivery without data: one empty record, since a list of none is not
/// allowed.
const EMPTY: &[u8] = b"{\"data\":\"\"}]}";
/// A value of an attribute at least this long may be a token, and is not quoted.
const SECRET_MIN: usize = 16;

/// The sending half.
pub struct Wire {
    client: Client,
    url: String,
    /// Scheme, host and port: a path or query may hold a key.
    place: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// As set; without it, that of a delivery stream with the stream's name.
    source_arn: Option<HeaderValue>,
    gzip: bool,
    /// What must never be quoted.
    secrets: Vec<Secret>,
    /// A body without data, for the probe.
    empty: Bytes,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        let (place, _) = url::parts("url", &config.url)?;
        check_sizes(config)?;
        check_attributes(&config.common_attributes)?;
        let name = |name| HeaderName::from_static(name);
        let source_arn = match config.source_arn.as_str() {
            "" => None,
            text => Some(source_arn(text)?),
        };
        let fixed = HeaderValue::from_static;
        let mut list = vec![
            (name(headers::PROTOCOL_VERSION), fixed(headers::PROTOCOL_VERSION_1_0)),
            (name(headers::CONTENT_TYPE), fixed(headers::JSON)),
        ];
        let mut secrets = url::secrets_of(&config.url);
        if let Some(key) = &config.access_key {
            list.push((name(headers::ACCESS_KEY), access_key(key)?));
            secrets.push(key.clone());
        }
        if !config.common_attributes.is_empty() {
            let text = attributes::format(&config.common_attributes);
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| format!("common_attributes: not for a header ({ILLEGAL})"))?;
            value.set_sensitive(true);
            list.push((name(headers::COMMON_ATTRIBUTES), value));
            let long = config.common_attributes.iter().filter(|(_, v)| v.len() >= SECRET_MIN);
            secrets.extend(long.map(|(_, value)| Secret::new(value.as_str())));
        }
        if config.gzip {
            list.push((name(headers::CONTENT_ENCODING), fixed(headers::GZIP)));
        }
        // One byte more than is allowed tells a long answer from one of exactly that length.
        let answer_bytes = answer::ANSWER_BYTES_MAX + 1;
        let client = ClientConfig { answer_bytes, ..config.client.clone() };
        Ok(Wire {
            client: Client::new(&client).map_err(|error| error.to_string())?,
            url: config.url.trim().to_owned(),
            place: place.to_owned(),
            headers: list,
            source_arn,
            gzip: config.gzip,
            secrets,
            empty: empty_body(config.gzip),
        })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        self.deliver(&payload.label, &payload.body).await
    }

    /// Delivers one empty record, which changes nothing and still asks for URL and key.
    pub(crate) async fn probe(&self) -> Verdict {
        // A probe is a delivery of its own every time.
        let sequence = u64::try_from(now_ms()).unwrap_or_default();
        let from = Position { sequence, ordinal: 0 };
        let label = Label { stream: "probe".into(), from, ..Label::default() };
        self.deliver(&label, &self.empty).await
    }

    async fn deliver(&self, label: &Label, rest: &Bytes) -> Verdict {
        let id = request_id(label, rest);
        let secrets: Vec<&str> = self.secrets.iter().map(Secret::expose).collect();
        let mut list = self.headers.clone();
        if let Ok(value) = HeaderValue::from_str(&id) {
            list.push((HeaderName::from_static(headers::REQUEST_ID), value));
        }
        let source_arn = match &self.source_arn {
            Some(value) => Some(value.clone()),
            None => HeaderValue::from_str(&format!("{ARN_BEGIN}{}", label.stream)).ok(),
        };
        list.extend(source_arn.map(|value| (HeaderName::from_static(headers::SOURCE_ARN), value)));
        let body = self.body(&id, now_ms(), rest);
        let request = Request { method: Method::POST, url: self.url.clone(), headers: list, body };
        match self.client.send(request).await {
            Ok(answer) => answer::verdict(&answer, &id, &secrets),
            Err(error) => answer::unreachable(&error, &secrets),
        }
    }

    /// The whole body: the head, and what the packer made.
    fn body(&self, id: &str, now_ms: i64, rest: &[u8]) -> Bytes {
        let head = format!("{{\"requestId\":\"{id}\",\"timestamp\":{now_ms},\"records\":[");
        let mut out = Vec::with_capacity(head.len() + rest.len() + 16);
        if !(self.gzip && codec::gzip::prepend(head.as_bytes(), rest, &mut out)) {
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(rest);
        }
        Bytes::from(out)
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        format!("http_endpoint {}", self.place)
    }
}

fn empty_body(gzip: bool) -> Bytes {
    if !gzip {
        return Bytes::from_static(EMPTY);
    }
    let mut out = Vec::new();
    codec::gzip::Deflater::new(1).gzip(EMPTY, &mut out);
    Bytes::from(out)
}

fn check_sizes(config: &Config) -> Result<(), String> {
    if config.record_bytes == 0 || config.record_bytes > RECORD_BYTES_MAX {
        return Err(format!("record_size: a record has 1 to {RECORD_BYTES_MAX} bytes"));
    }
    if config.bytes_max < config.record_bytes || config.bytes_max > BYTES_MAX {
        return Err(format!("request_size: from record_size to {BYTES_MAX} bytes"));
    }
    Ok(())
}

fn check_attributes(list: &[(String, String)]) -> Result<(), String> {
    if list.len() > ATTRIBUTES_MAX {
        return Err(format!("common_attributes: at most {ATTRIBUTES_MAX}"));
    }
    for (name, value) in list {
        let length = name.chars().count();
        if name.trim().is_empty() || length > ATTRIBUTE_NAME_MAX {
            return Err(format!(
                "common_attributes: a name has 1 to {ATTRIBUTE_NAME_MAX} characters"
            ));
        }
        if value.chars().count() > ATTRIBUTE_VALUE_MAX {
            return Err(format!(
                "common_attributes: the value of {name:?} has more than {ATTRIBUTE_VALUE_MAX} characters"
            ));
        }
    }
    Ok(())
}

fn source_arn(text: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    value.ok_or_else(|| "source_arn: must be printable ASCII".to_owned())
}

/// Verbatim, whatever it holds but control characters.
fn access_key(key: &Secret) -> Result<HeaderValue, String> {
    let bytes = key.expose().as_bytes();
    if bytes.is_empty() || bytes.len() > ACCESS_KEY_MAX {
        return Err(format!("access_key: has 1 to {ACCESS_KEY_MAX} bytes"));
    }
    let mut value = HeaderValue::from_bytes(bytes)
        .map_err(|_| format!("access_key: holds a control character ({ILLEGAL})"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
