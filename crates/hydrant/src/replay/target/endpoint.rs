//! Any receiver of Firehose deliveries: the records as they are, and the missing half of a record
//! alone written anew in its format.
//!
//! Always: the request id follows from the records in the delivery, so that a receiver that knows
//! ids recognises one that a crash has hidden.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::firehose::request;
use bytes::Bytes;
use codec::checksum::Hasher128;
use http::{HeaderName, HeaderValue, Method};
use remote::{Answer, Client, Secret, TlsConfig, Why};
use tokio::runtime::Runtime;

use super::{Ready, Taker};
use crate::exit::Exit;
use crate::replay::stop::Stop;
use crate::replay::watch::Watch;
use crate::simulate::{firehose_client, is_yes};

/// Records of a delivery (Firehose sends at most 10,000) and bytes of them at most: what the smallest
/// of known receivers takes.
const DELIVERY_BYTES: usize = 1024 * 1024;
const DELIVERY_RECORDS: usize = 500;
/// Between attempts: doubled from the first to the second, as Firehose does.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));
/// A receiver that takes nothing for this long ends the run; the next one goes on.
const RETRY: Duration = Duration::from_secs(300);
/// Bytes of an answer that are shown.
const SHOWN: usize = 300;

/// The receiver.
#[derive(Clone, Debug)]
pub(in crate::replay) struct EndpointConfig {
    pub url: String,
    pub access_key: Option<Secret>,
    pub tls: TlsConfig,
    /// For records that don't tell theirs.
    pub source_arn: String,
}

/// A client of it.
pub(in crate::replay) struct Endpoint {
    config: EndpointConfig,
    client: Client,
    runtime: Arc<Runtime>,
}

impl Endpoint {
    pub(in crate::replay) fn new(
        config: EndpointConfig,
        runtime: Arc<Runtime>,
    ) -> Result<Endpoint, Stop> {
        let client = firehose_client(config.tls.clone());
        let client = client.map_err(|why| Stop::failed(Exit::Failed, &why, None))?;
        Ok(Endpoint { config, client, runtime })
    }

    pub(super) fn put(
        &self,
        records: &[Ready],
        watch: &mut Watch,
        taken: Taker<'_>,
    ) -> Result<(), Stop> {
        let mut from = 0;
        while let Some(first) = records.get(from) {
            let mut bytes = 0;
            let rest = records.get(from..).unwrap_or_default();
            // Attributes and ARN are headers of the whole delivery.
            let together = rest.iter().take(DELIVERY_RECORDS).take_while(|ready| {
                bytes += ready.returned.data.len();
                (bytes <= DELIVERY_BYTES || bytes == ready.returned.data.len())
                    && ready.returned.attributes == first.returned.attributes
                    && ready.returned.source_arn == first.returned.source_arn
            });
            let count = together.count().max(1);
            self.deliver(rest.get(..count).unwrap_or_default(), watch)?;
            let durable: Vec<usize> = (from..from + count).collect();
            taken(&durable)?;
            from += count;
        }
        Ok(())
    }

    fn deliver(&self, records: &[Ready], watch: &mut Watch) -> Result<(), Stop> {
        let request_id = request_id(records);
        let request = self.request(&request_id, records)?;
        let (begun, mut pause) = (Instant::now(), PAUSES.0);
        loop {
            let sent = self.runtime.block_on(self.client.send(request.clone()));
            let (why, wait) = match sent {
                Ok(answer) if is_yes(&answer, &request_id) => return Ok(()),
                Ok(answer) => (said(&answer), judge(&answer)?),
                Err(error) if matches!(error.why, Why::Tls | Why::Request) => {
                    return Err(Stop::failed(Exit::Unreachable, &error.to_string(), None));
                }
                Err(error) => (error.to_string(), None),
            };
            if begun.elapsed() >= RETRY {
                let what = format!("the endpoint takes nothing since {RETRY:?}: {why}");
                let hint =
                    "run the same command again when it is well: it goes on where it stopped";
                return Err(Stop::failed(Exit::Unreachable, &what, Some(hint)));
            }
            watch.waits(&why, wait.unwrap_or(pause).min(PAUSES.1))?;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    fn request(&self, request_id: &str, records: &[Ready]) -> Result<remote::Request, Stop> {
        let data: Vec<&Bytes> = records.iter().map(|ready| &ready.returned.data).collect();
        let mut body = Vec::new();
        let now_ms = crate::run::wall_clock()();
        request::body(request_id, now_ms, &data, &mut body);
        let first = records.first().map(|ready| &ready.returned);
        let arn = first.map(|first| first.source_arn.as_str()).filter(|arn| !arn.is_empty());
        let delivery = request::Delivery {
            request_id,
            source_arn: arn.unwrap_or(&self.config.source_arn),
            access_key: self.config.access_key.as_ref().map(Secret::expose),
            attributes: first.map_or(&[], |first| &first.attributes),
            content_encoding: None,
        };
        let mut headers = Vec::new();
        for (name, value) in delivery.headers() {
            let value = HeaderValue::from_str(&value).map_err(|_| {
                let what = format!("{name} cannot be sent: it holds a control character");
                Stop::failed(Exit::Failed, &what, None)
            })?;
            headers.push((HeaderName::from_static(name), value));
        }
        let url = self.config.url.clone();
        Ok(remote::Request { method: Method::POST, url, headers, body: body.into() })
    }
}

/// How long to wait before the next attempt, as far as the receiver says; or why there is none.
fn judge(answer: &Answer) -> Result<Option<Duration>, Stop> {
    let said = said(answer);
    match answer.status {
        401 | 403 => {
            let hint = "--access-key, or the variable HYDRANT_ACCESS_KEY, names the key";
            Err(Stop::failed(Exit::Denied, &said, Some(hint)))
        }
        408 | 429 | 500.. => Ok(answer.retry_after),
        // Firehose would try again for hours; a person wants to know now.
        400..=499 => Err(Stop::failed(Exit::Failed, &format!("refused: {said}"), None)),
        _ => {
            let what = format!("the endpoint does not speak the Firehose protocol: {said}");
            Err(Stop::failed(Exit::Failed, &what, None))
        }
    }
}

fn said(answer: &Answer) -> String {
    let body = answer.body.get(..SHOWN).unwrap_or(&answer.body);
    format!("{}: {}", answer.status, String::from_utf8_lossy(body).trim())
}

/// In the form of Firehose's.
fn request_id(records: &[Ready]) -> String {
    let mut hasher = Hasher128::new();
    for ready in records {
        hasher.update(&ready.id.to_le_bytes());
        hasher.update(&ready.returned.data);
    }
    let hex = format!("{:032x}", hasher.digest());
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| hex.get(part).unwrap_or_default().to_owned()).join("-")
}
