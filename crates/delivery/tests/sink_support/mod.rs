//! What the tests of sinks share: a point, settings, captured data.

pub(crate) mod mint;

use std::time::Duration;

use delivery::sink::{self, Moment, Packer, Payload, Wire, dynatrace, otlp, prometheus};
use delivery::{Verdict, Why};
use metric::{Decoder, Point, Reject, Visit};
use remote::{ClientConfig, Secret, TlsConfig};

/// Arrival of everything offered with [`NOW`].
pub(crate) const ARRIVAL_MS: i64 = 1_795_176_180_000;

/// Three minutes after the instant of [`point`].
pub(crate) const NOW: Moment = Moment { now_ms: ARRIVAL_MS, arrival_ms: ARRIVAL_MS };

/// The point of the documentation's example.
pub(crate) fn point() -> Point<'static> {
    Point {
        stream: b"demo",
        exporter_arn: b"arn:aws:cloudwatch:eu-west-1:123456789012:metric-stream/demo",
        account: b"123456789012",
        region: b"eu-west-1",
        dimensions: &[(b"ClusterName", b"prod")],
        start_ns: 1_795_176_000_000_000_000,
        end_ns: Some(1_795_176_060_000_000_000),
        min: Some(10.0),
        max: Some(20.0),
        sum: Some(45.5),
        count: 3.0,
        ..Point::of(b"AWS/ECS", b"CPUUtilization")
    }
}

pub(crate) fn client() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        answer_bytes: 65_536,
    }
}

pub(crate) fn dynatrace_config(url: &str) -> dynatrace::Config {
    dynatrace::Config {
        url: url.to_owned(),
        api_token: Secret::new("dt0c01.PUBLIC.SECRET"),
        too_old: dynatrace::TooOld::Quarantine,
        percentiles: false,
        metadata: false,
        digit_section: dynatrace::DigitSection::AsIs,
        compression: true,
        client: client(),
    }
}

pub(crate) fn otlp_config(endpoint: &str) -> otlp::Config {
    otlp::Config {
        endpoint: endpoint.to_owned(),
        protocol: otlp::Protocol::HttpProtobuf,
        compression: otlp::Compression::None,
        headers: Vec::new(),
        bearer_token: None,
        oauth2: None,
        resource_attributes: Vec::new(),
        points: otlp::Points::Summary,
        dimensions: otlp::Dimensions::List,
        points_max: 1_000,
        bytes_max: 1 << 20,
        client: client(),
    }
}

pub(crate) fn prometheus_config(url: &str) -> prometheus::Config {
    prometheus::Config {
        url: url.to_owned(),
        naming: prometheus::Naming::Yace,
        headers: Vec::new(),
        basic_auth: None,
        bearer_token: None,
        oauth2: None,
        external_labels: Vec::new(),
        metadata: false,
        samples_max: 2_000,
        bytes_max: 1 << 20,
        client: client(),
    }
}

pub(crate) fn build(config: &sink::Config) -> (Packer, Wire) {
    remote::install_provider();
    sink::build(config).expect("settings are right")
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap().block_on(future)
}

/// A request of two points.
pub(crate) fn payload(packer: &mut Packer) -> Payload {
    packer.offer(&point(), None, NOW);
    packer.offer(&point(), None, NOW);
    packer.close()
}

/// What a verdict of `Later` says; it tells no secret.
#[track_caller]
pub(crate) fn later(verdict: &Verdict) -> (Option<Duration>, bool, &Why) {
    match verdict {
        Verdict::Later { after, loud, why } => {
            assert!(!why.message.contains("SECRET"), "{}", why.message);
            (*after, *loud, why)
        }
        other => panic!("{other:?}"),
    }
}

/// A Dynatrace packer with changed settings.
pub(crate) fn dynatrace(change: impl FnOnce(&mut dynatrace::Config)) -> Packer {
    let mut config = dynatrace_config("http://127.0.0.1:9");
    change(&mut config);
    build(&sink::Config::Dynatrace(config)).0
}

/// An OTLP packer with changed settings.
pub(crate) fn otlp(change: impl FnOnce(&mut otlp::Config)) -> Packer {
    let mut config = otlp_config("http://127.0.0.1:9");
    change(&mut config);
    build(&sink::Config::Otlp(config)).0
}

/// A remote write packer with changed settings.
pub(crate) fn prometheus(change: impl FnOnce(&mut prometheus::Config)) -> Packer {
    let mut config = prometheus_config("http://127.0.0.1:9/api/v1/write");
    change(&mut config);
    build(&sink::Config::Prometheus(config)).0
}

/// A body as it was before gzip, if it was.
pub(crate) fn inflate(body: &[u8]) -> Vec<u8> {
    if !codec::gzip::is_gzip(body) {
        return body.to_vec();
    }
    let mut out = Vec::new();
    codec::gzip::Inflater::new().gunzip(body, &mut out, 16 << 20).expect("gzip");
    out
}

/// The records of the real capture, where it is at hand.
pub(crate) fn captured() -> Option<Vec<Vec<u8>>> {
    let body = testkit::testdata("telegraf-firehose-json.json")?;
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let records = json["records"].as_array().unwrap().iter();
    Some(
        records
            .map(|record| {
                let mut out = Vec::new();
                let text = record["data"].as_str().unwrap().as_bytes();
                codec::base64::decode_into(text, &mut out).unwrap();
                out
            })
            .collect(),
    )
}

/// Calls `visit` for every point of the records; all of them must decode.
pub(crate) fn each_point(records: &[Vec<u8>], visit: impl FnMut(&Point<'_>)) {
    struct All<F>(F);
    impl<F: FnMut(&Point<'_>)> Visit for All<F> {
        fn point(&mut self, point: &Point<'_>) {
            (self.0)(point);
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{reject:?}");
        }
    }
    let mut all = All(visit);
    let mut decoder = Decoder::new();
    records.iter().for_each(|record| decoder.decode(record, &mut all));
}
