//! Sends the deliveries of one case, and keeps what came back.

use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};
use rehearsal::conform::{Answer, BODY_BYTES_MAX, Case, Delivery, Order, Outcome, Silence, Slow};
use remote::{Client, ClientConfig, Observed, Pace, TlsConfig, Unreachable, Why};

use crate::exit::Exit;
use crate::simulate::header;

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Time to connect, as Firehose has it for all that is known.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How to reach the receiver, and how long to wait for it.
pub(super) struct Limits {
    pub(super) tls: TlsConfig,
    /// From the last byte of a body to the answer.
    pub(super) answer_time: Duration,
}

/// One exchange.
pub(super) struct Sent {
    /// What was sent, without its body.
    pub(super) delivery: Delivery,
    pub(super) outcome: Outcome,
    /// Why there was no answer.
    pub(super) failure: Option<Unreachable>,
    /// Not even a connection in time.
    pub(super) is_connect_timeout: bool,
    pub(super) took: Duration,
}

/// Sends these as the case wants them. Connections are not kept from case to case: one that a case has
/// broken must not spoil the next.
pub(super) async fn all(
    url: &str,
    limits: &Limits,
    case: &Case,
    deliveries: Vec<Delivery>,
) -> Result<Vec<Sent>, (Exit, String)> {
    let slowest = deliveries.iter().filter_map(|delivery| delivery.slow).map(length).max();
    let request_timeout = limits.answer_time + slowest.unwrap_or_default();
    let config = ClientConfig {
        tls: limits.tls.clone(),
        connect_timeout: CONNECT_TIME.min(limits.answer_time / 2),
        request_timeout,
        answer_bytes: BODY_BYTES_MAX + 1,
    };
    let client = Client::new(&config).map_err(|error| (Exit::Failed, error.to_string()))?;
    let exchange = |(delivery, headers)| {
        one(client.clone(), url.to_owned(), delivery, headers, request_timeout)
    };
    let deliveries = deliveries.into_iter().map(with_headers).collect::<Result<Vec<_>, _>>();
    let deliveries = deliveries.map_err(|error| (Exit::Usage, error))?;
    let mut sent = Vec::new();
    match case.order {
        Order::InTurn => {
            for delivery in deliveries {
                sent.push(exchange(delivery).await);
            }
        }
        Order::AtOnce => {
            let tasks: Vec<_> = deliveries.into_iter().map(|d| tokio::spawn(exchange(d))).collect();
            for task in tasks {
                sent.push(task.await.map_err(|error| (Exit::Bug, error.to_string()))?);
            }
        }
    }
    Ok(sent)
}

/// What is left out of a head would make the receiver's answer one to something else.
fn with_headers(delivery: Delivery) -> Result<(Delivery, Headers), String> {
    let headers = delivery.headers.iter().map(|(name, value)| header(name, value));
    let headers = headers.collect::<Result<Headers, String>>()?;
    Ok((delivery, headers))
}

async fn one(
    client: Client,
    url: String,
    mut delivery: Delivery,
    headers: Headers,
    patience: Duration,
) -> Sent {
    let request = remote::Request {
        method: delivery.method.clone(),
        url,
        headers,
        body: std::mem::take(&mut delivery.body).into(),
    };
    let pace = delivery.slow.map(|slow| Pace { pieces: slow.pieces, pause: pause(slow) });
    let begun = Instant::now();
    let observed = client.observe(request, pace).await;
    let took = begun.elapsed();
    match observed {
        Ok(Observed { answer, reason }) => {
            let answer = Answer {
                status: answer.status,
                reason,
                headers: answer.headers,
                body: answer.body,
            };
            let outcome = Outcome::Answer(answer);
            Sent { delivery, outcome, failure: None, is_connect_timeout: false, took }
        }
        Err(failure) => {
            let outcome = Outcome::Silence(match failure.why {
                Why::Timeout => Silence::Timeout,
                Why::Reset => Silence::Closed,
                Why::Dns | Why::Connect => Silence::Refused,
                Why::Tls | Why::Protocol | Why::Request => Silence::Garbled,
            });
            // The time to connect is the shorter one.
            let is_connect_timeout = failure.why == Why::Timeout && took < patience;
            Sent { delivery, outcome, failure: Some(failure), is_connect_timeout, took }
        }
    }
}

fn pause(slow: Slow) -> Duration {
    Duration::from_millis(slow.pause_ms)
}

fn length(slow: Slow) -> Duration {
    pause(slow) * u32::try_from(slow.pieces).unwrap_or(u32::MAX)
}
