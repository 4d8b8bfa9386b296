//! OTLP over gRPC against a scripted peer: what goes over the wire, and what each way of failing means.

use std::time::Duration;

use delivery::Verdict;
use delivery::sink::{self, Packer, Wire, otlp};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use prost::Message;
use remote::{OAuth2Config, Secret};
use testkit::{Authority, GrpcPeer, GrpcReply, Peer, Reply, TempDir, closed_port};

use crate::sink_support::{self, build, inflate, later, otlp_config, payload, run};

const PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

fn sink(endpoint: &str, change: impl FnOnce(&mut otlp::Config)) -> (Packer, Wire) {
    let mut config = otlp_config(endpoint);
    config.protocol = otlp::Protocol::Grpc;
    change(&mut config);
    build(&sink::Config::Otlp(config))
}

fn send(endpoint: &str) -> Verdict {
    let token = |config: &mut otlp::Config| config.bearer_token = Some(Secret::new("b-SECRET"));
    let (mut packer, wire) = sink(endpoint, token);
    run(wire.send(&payload(&mut packer)))
}

/// *Scenario:* a receiver, with headers and a token, plain and with gzip.
/// *Guarantees:* the method of the metrics service, metadata in lower case, the prefix of the
/// message, and the same message as over HTTP; delivered.
#[test]
fn a_receiver_gets_its_call() {
    let peer = GrpcPeer::start(GrpcReply::status(0, ""));
    let mut http = sink_support::otlp(|_| {});
    let expected = payload(&mut http).body;
    for (compression, flag) in [(otlp::Compression::None, 0), (otlp::Compression::Gzip, 1)] {
        let (mut packer, wire) = sink(&peer.url(), |config| {
            config.compression = compression;
            config.headers = vec![("X-Tenant".to_owned(), Secret::new("blue"))];
            config.bearer_token = Some(Secret::new("b-SECRET"));
        });
        assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
        let seen = peer.requests().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", PATH));
        assert_eq!(seen.header("authorization"), Some("Bearer b-SECRET"));
        assert!(seen.headers.contains(&("x-tenant".to_owned(), "blue".to_owned())));
        assert_eq!(seen.header("grpc-encoding"), (flag == 1).then_some("gzip"));
        assert_eq!(seen.header("content-encoding"), None);
        assert_eq!(seen.body[0], flag);
        let message = inflate(&seen.body[5..]);
        assert_eq!(message, expected);
        let request = ExportMetricsServiceRequest::decode(&message[..]).unwrap();
        assert_eq!(request.resource_metrics[0].scope_metrics[0].metrics.len(), 2);
        assert_eq!(wire.describe(), format!("otlp grpc {}", peer.url().replace("http://", "")));
    }
}

/// *Scenario:* a receiver that refuses one of two points.
/// *Guarantees:* one refused with its words, the other delivered.
#[test]
fn a_partial_success_is_read() {
    let partial = ExportMetricsPartialSuccess {
        rejected_data_points: 1,
        error_message: "no summaries".to_owned(),
    };
    let answer = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let verdict = send(&GrpcPeer::start(GrpcReply::message(&answer)).url());
    let Verdict::Partly { refused: 1, why, .. } = verdict else { panic!("{verdict:?}") };
    assert!(why.message.contains("no summaries"), "{}", why.message);
}

/// *Scenario:* statuses in trailers and in headers, with the token in their text; a pause in details.
/// *Guarantees:* the table of statuses, also over the wire; the pause is honoured.
#[test]
fn statuses_mean_what_the_table_says() {
    let answer = |reply| send(&GrpcPeer::start(reply).url());
    let verdict = answer(GrpcReply::status(14, "no%20b-SECRET"));
    assert!(!later(&verdict).1);
    let verdict = answer(GrpcReply::HeadersOnly(16, "no b-SECRET".to_owned()));
    assert!(later(&verdict).1 && later(&verdict).2.message.contains("UNAUTHENTICATED"));
    let verdict = answer(GrpcReply::HeadersOnly(12, String::new()));
    assert!(later(&verdict).2.message.contains("port of OTLP over gRPC"));
    assert!(matches!(answer(GrpcReply::status(3, "bad")), Verdict::Never { .. }));
    let large = "grpc: received message larger than max (5 vs. 4)";
    assert!(matches!(answer(GrpcReply::status(8, large)), Verdict::TooLarge { .. }));
    // A RetryInfo of seven seconds in a google.rpc.Status, unpadded as grpc-go sends it.
    let info = [b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07"];
    let status = [&[0x08, 0x08, 0x1a, info[0].len() as u8][..], info[0]].concat();
    let mut text = Vec::new();
    codec::base64::encode_into(&status, &mut text);
    let text = String::from_utf8(text).unwrap();
    let reply =
        GrpcReply::status(8, "").with("grpc-status-details-bin", text.trim_end_matches('='));
    let verdict = answer(reply);
    assert_eq!((later(&verdict).0, later(&verdict).1), (Some(Duration::from_secs(7)), false));
}

/// *Scenario:* RST_STREAM, GOAWAY, a cut, no trailers, a page, an HTTP/1.1 server, nobody, silence.
/// *Guarantees:* nothing counts as delivered; code, text and loudness tell what to do.
#[test]
fn broken_peers_are_outages() {
    const INTERNAL_ERROR: u32 = 2;
    let page = GrpcReply::Http {
        status: 200,
        headers: vec![("content-type", "text/html".to_owned())],
        body: b"<html>sign in, b-SECRET".to_vec(),
    };
    for (reply, code, loud, part) in [
        (GrpcReply::Reset(INTERNAL_ERROR), "ConnectionReset", false, "internal error"),
        (GrpcReply::GoAway(INTERNAL_ERROR), "ConnectionReset", false, ""),
        (GrpcReply::Cut, "ConnectionReset", false, ""),
        (GrpcReply::NoTrailers(vec![0; 5]), "InvalidResponseFromDestination", true, "trailers"),
        (page, "InvalidResponseFromDestination", true, "something else"),
    ] {
        let shown = format!("{reply:?}");
        let verdict = send(&GrpcPeer::start(reply).url());
        let (after, found_loud, why) = later(&verdict);
        assert_eq!((after, found_loud), (None, loud), "{shown}: {}", why.message);
        assert_eq!(why.code, format!("HttpEndpoint.{code}"), "{shown}: {}", why.message);
        assert!(why.message.contains(part), "{shown}: {}", why.message);
    }
    let verdict = send(&Peer::start(Reply::body(400, "text/html", "<html>")).url(""));
    assert!(later(&verdict).2.message.contains("gRPC needs HTTP/2"));
    let verdict = send(&format!("http://127.0.0.1:{}", closed_port()));
    assert_eq!(later(&verdict).2.code, "HttpEndpoint.ConnectionFailed");
    let peer = GrpcPeer::start(GrpcReply::Hang);
    let (mut packer, wire) = sink(&peer.url(), |config| {
        config.client.request_timeout = Duration::from_millis(200);
    });
    let verdict = run(wire.send(&payload(&mut packer)));
    assert_eq!(later(&verdict).2.code, "HttpEndpoint.RequestTimeout");
}

/// *Scenario:* TLS with an unknown authority, then with its file; `host:port` without a scheme.
/// *Guarantees:* refused loudly, then taken: without a scheme it is TLS.
#[test]
fn host_and_port_mean_tls() {
    remote::install_provider();
    let authority = Authority::new();
    let dir = TempDir::new("sink-grpc-ca");
    let ca = dir.write("ca.pem", authority.ca_pem());
    let identity = authority.sign("127.0.0.1").server_config();
    let peer = GrpcPeer::start_tls(&identity, GrpcReply::status(0, ""));
    let bare = peer.url().replace("https://", "");
    let verdict = send(&bare);
    assert!(later(&verdict).1 && later(&verdict).2.code == "HttpEndpoint.SSLHandshakeFailure");
    let (mut packer, wire) = sink(&bare, |config| config.client.tls.ca_file = Some(ca));
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
}

/// *Scenario:* a token that the receiver does not take any more, then never.
/// *Guarantees:* fetched anew and tried at once, quietly; the second refusal in a row is loud.
#[test]
fn a_refused_token_is_fetched_anew() {
    let mut count = 0;
    let provider = Peer::scripted(move |_| {
        count += 1;
        Reply::json(200, &format!(r#"{{"access_token":"t{count}-SECRET","expires_in":3600}}"#))
    });
    let peer = GrpcPeer::start(GrpcReply::HeadersOnly(16, "expired".to_owned()));
    let (mut packer, wire) = sink(&peer.url(), |config| {
        config.oauth2 = Some(OAuth2Config {
            token_url: provider.url("/token"),
            client_id: "id".to_owned(),
            client_secret: Secret::new("client-SECRET"),
            audience: None,
            scope: None,
            renew_before: Duration::from_secs(1),
        });
    });
    let payload = payload(&mut packer);
    run(async {
        let verdict = wire.send(&payload).await;
        assert_eq!((later(&verdict).0, later(&verdict).1), (Some(Duration::ZERO), false));
        let verdict = wire.send(&payload).await;
        assert!(later(&verdict).1);
        peer.set_script(|_| GrpcReply::status(0, ""));
        assert_eq!(wire.send(&payload).await, Verdict::Delivered);
    });
    let seen: Vec<String> = peer
        .requests()
        .iter()
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(seen, ["Bearer t1-SECRET", "Bearer t2-SECRET", "Bearer t3-SECRET"]);
}

/// *Scenario:* the probe with gzip set, at a receiver and at one without the service.
/// *Guarantees:* an empty message that is not compressed; reachable, or loudly not.
#[test]
fn a_probe_is_an_empty_call() {
    let peer = GrpcPeer::start(GrpcReply::status(0, ""));
    let gzip = |config: &mut otlp::Config| config.compression = otlp::Compression::Gzip;
    let (_, wire) = sink(&peer.url(), gzip);
    assert_eq!(run(wire.probe()), Verdict::Delivered);
    let seen = &peer.requests()[0];
    assert_eq!((&seen.body[..], seen.header("grpc-encoding")), (&[0; 5][..], None));
    peer.set_script(|_| GrpcReply::HeadersOnly(12, String::new()));
    assert!(later(&run(wire.probe())).1);
}

/// *Scenario:* settings that cannot work with gRPC.
/// *Guarantees:* the error names the setting.
#[test]
fn unusable_settings_are_named() {
    remote::install_provider();
    let error = |change: &dyn Fn(&mut otlp::Config)| {
        let mut config = otlp_config("collector:4317");
        config.protocol = otlp::Protocol::Grpc;
        change(&mut config);
        sink::build(&sink::Config::Otlp(config)).err().expect("it cannot work")
    };
    assert!(error(&|c| c.compression = otlp::Compression::Zstd).starts_with("compression: "));
    for endpoint in ["collector", "https://collector:4317/v1/metrics", "grpc://collector:4317"] {
        assert!(error(&|c| c.endpoint = endpoint.to_owned()).starts_with("endpoint: "));
    }
    for name in ["grpc-timeout", "Content-Type", "TE", "host"] {
        let message = error(&|c| c.headers = vec![(name.to_owned(), Secret::new("SECRET"))]);
        assert!(message.contains("belongs to gRPC") && !message.contains("SECRET"), "{message}");
    }
}
