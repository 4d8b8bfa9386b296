//! The admin port: `/healthz`, `/readyz`, `/metrics`. It tells; it changes nothing.

mod metrics;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use listen::{Limits, Listener};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use metrics::{METRICS, MetricKind, text as metrics_text};

use crate::run::SharedHouse;

/// A page is small and its readers are few: tight limits hurt nobody.
const LIMITS: Limits = Limits {
    header_bytes: 16 * 1024,
    header_time: Duration::from_secs(5),
    connections: 64,
    idle_time: Duration::from_secs(60),
    drain_time: Duration::from_secs(2),
};

/// The running admin port.
pub struct Admin {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Admin {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes it.
    pub async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the admin port ended by a panic");
        }
    }
}

/// Binds and serves.
pub async fn open(address: &str, house: SharedHouse) -> std::io::Result<Admin> {
    let listener = Listener::bind(address).await?;
    let address = listener.address();
    let (stop, stopped) = watch::channel(false);
    let serving = listen::serve(listener, None, LIMITS, stopped, move |request, _peer| {
        let house = house.clone();
        async move { answer(request.method(), request.uri().path(), &house).await }
    });
    Ok(Admin { address, stop, task: tokio::spawn(serving) })
}

async fn answer(method: &Method, path: &str, house: &SharedHouse) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n".into());
    }
    match path {
        "/healthz" => page(StatusCode::OK, "text/plain", "ok\n".into()),
        "/readyz" => {
            let report = house.lock().await.report();
            if report.ready {
                page(StatusCode::OK, "text/plain", "ready\n".into())
            } else {
                let reasons = report.reasons.join("\n") + "\n";
                page(StatusCode::SERVICE_UNAVAILABLE, "text/plain", reasons)
            }
        }
        "/metrics" => {
            let report = house.lock().await.report();
            page(StatusCode::OK, "text/plain; version=0.0.4", metrics_text(&report))
        }
        "/status" => {
            let report = house.lock().await.report();
            let json = serde_json::to_string(&report).unwrap_or_default();
            page(StatusCode::OK, "application/json", json)
        }
        _ => {
            page(StatusCode::NOT_FOUND, "text/plain", "/healthz /readyz /metrics /status\n".into())
        }
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
