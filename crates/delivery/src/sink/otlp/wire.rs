//! The sending half: one POST or call with the credentials of the moment, one verdict.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, TE};
use http::{HeaderName, HeaderValue, Method};
use remote::grpc::{Call, Channel, ChannelError, Outcome};
use remote::{Client, Request, Unreachable};

use super::{Compression, Config, Protocol, answer, grpc};
use crate::Verdict;
use crate::sink::credentials::{Credentials, Given, Header};
use crate::sink::{Payload, answer as common, url};

/// Path of the metrics service, where the URL gives none.
const PATH: &str = "/v1/metrics";

/// The sending half.
pub struct Wire {
    transport: Transport,
    credentials: Credentials,
}

enum Transport {
    /// `headers` belong to the body; `empty` is the body of a request without metrics.
    Http {
        client: Client,
        url: String,
        headers: Vec<Header>,
        empty: &'static [u8],
    },
    Grpc {
        channel: Channel,
        encoding: Option<&'static str>,
    },
}

/// What an attempt came to.
enum Attempt {
    Http(remote::Answer),
    Grpc(Outcome),
}

impl Attempt {
    fn refuses_credentials(&self) -> bool {
        match self {
            Attempt::Http(answer) => answer.status == 401,
            Attempt::Grpc(outcome) => grpc::is_unauthenticated(outcome),
        }
    }
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        let client = Client::new(&config.client).map_err(|error| error.to_string())?;
        let given = Given {
            url: &config.endpoint,
            headers: &config.headers,
            basic_auth: None,
            bearer_token: config.bearer_token.as_ref(),
            oauth2: config.oauth2.as_ref(),
        };
        let credentials = Credentials::new(&given, &client)?;
        let transport = match config.protocol {
            Protocol::Grpc => grpc_transport(config, credentials.headers())?,
            Protocol::HttpProtobuf | Protocol::HttpJson => http_transport(config, client)?,
        };
        Ok(Wire { transport, credentials })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let judge = |attempt: &Attempt, secrets: &[&str]| match attempt {
            Attempt::Http(answer) => answer::verdict(answer, payload, secrets),
            Attempt::Grpc(outcome) => grpc::verdict(outcome, payload, secrets),
        };
        self.exchange(Some(payload.body.clone()), judge).await
    }

    /// Sends an empty request, which changes nothing and still asks for URL and credentials.
    pub(crate) async fn probe(&self) -> Verdict {
        let judge = |attempt: &Attempt, secrets: &[&str]| match attempt {
            Attempt::Http(answer) => answer::probe_verdict(answer, secrets),
            Attempt::Grpc(outcome) => grpc::probe_verdict(outcome, secrets),
        };
        self.exchange(None, judge).await
    }

    /// Sends a body, or an empty request that is not compressed.
    async fn exchange(
        &self,
        body: Option<Bytes>,
        judge: impl Fn(&Attempt, &[&str]) -> Verdict,
    ) -> Verdict {
        let ask = |credentials| self.ask(body, credentials);
        self.credentials.attempt(ask, Attempt::refuses_credentials, judge).await
    }

    async fn ask(
        &self,
        body: Option<Bytes>,
        credentials: Vec<Header>,
    ) -> Result<Attempt, Unreachable> {
        match &self.transport {
            Transport::Http { client, url, headers, empty } => {
                let mut headers = [headers.as_slice(), &credentials].concat();
                let body = body.unwrap_or_else(|| {
                    headers.retain(|(name, _)| name != CONTENT_ENCODING);
                    Bytes::from_static(empty)
                });
                let request = Request { method: Method::POST, url: url.clone(), headers, body };
                client.send(request).await.map(common::plain).map(Attempt::Http)
            }
            Transport::Grpc { channel, encoding } => {
                let encoding = encoding.filter(|_| body.is_some());
                let message = body.unwrap_or_default();
                let call = Call { path: grpc::PATH, metadata: credentials, encoding, message };
                channel.call(call).await.map(Attempt::Grpc)
            }
        }
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        match &self.transport {
            Transport::Http { url, .. } => format!("otlp {}", url::shown(url)),
            Transport::Grpc { channel, .. } => format!("otlp grpc {}", channel.place()),
        }
    }
}

fn http_transport(config: &Config, client: Client) -> Result<Transport, String> {
    let url = metrics_url(&config.endpoint)?;
    let (content_type, empty): (_, &[u8]) = match config.protocol {
        Protocol::HttpJson => ("application/json", b"{\"resourceMetrics\":[]}"),
        Protocol::HttpProtobuf | Protocol::Grpc => ("application/x-protobuf", b""),
    };
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
    match config.compression {
        Compression::None => {}
        Compression::Gzip => headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
        Compression::Zstd => headers.push((CONTENT_ENCODING, HeaderValue::from_static("zstd"))),
    }
    Ok(Transport::Http { client, url, headers, empty })
}

fn grpc_transport(config: &Config, headers: &[Header]) -> Result<Transport, String> {
    let encoding = match config.compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => return Err("compression: grpc takes gzip or none".to_owned()),
    };
    let own = |name: &HeaderName| {
        name.as_str().starts_with("grpc-") || [CONTENT_TYPE, TE, CONNECTION, HOST].contains(name)
    };
    if let Some((name, _)) = headers.iter().find(|(name, _)| own(name)) {
        return Err(format!("headers: {name} belongs to gRPC itself"));
    }
    let channel = Channel::new(&config.endpoint, &config.client).map_err(|error| match error {
        ChannelError::Endpoint(why) => format!("endpoint: {why}"),
        ChannelError::Tls(error) => error.to_string(),
    })?;
    if channel.place().ends_with(":4318") {
        tracing::warn!(
            endpoint = channel.place(),
            "port 4318 is that of OTLP over HTTP by custom; OTLP over gRPC has 4317"
        );
    }
    Ok(Transport::Grpc { channel, encoding })
}

/// `/v1/metrics` is appended unless the URL has a path.
fn metrics_url(endpoint: &str) -> Result<String, String> {
    let (place, rest) = url::parts("endpoint", endpoint)?;
    Ok(match rest {
        "" | "/" => format!("{place}{PATH}"),
        _ => format!("{place}{rest}"),
    })
}

#[cfg(test)]
mod tests;
