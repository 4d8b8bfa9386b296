//! One attempt against scripted peers: what goes over the wire, and what each way of failing means.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;
use remote::{OAuth2Config, Secret};
use testkit::{Authority, Peer, Reply, TempDir, closed_port};

use delivery::Verdict;
use delivery::sink::{self, Packer, Wire, file, otlp};

use crate::sink_support::{
    NOW, build, dynatrace_config, inflate, later, otlp_config, payload, point, run,
};

const OK: &str = r#"{"linesOk":2,"linesInvalid":0,"error":null,"warnings":null}"#;

fn dynatrace(url: &str) -> (Packer, Wire) {
    build(&sink::Config::Dynatrace(dynatrace_config(url)))
}

fn otlp(url: &str, change: impl FnOnce(&mut otlp::Config)) -> (Packer, Wire) {
    let mut config = otlp_config(url);
    change(&mut config);
    build(&sink::Config::Otlp(config))
}

/// Sends a payload of two points by both destinations that speak HTTP.
fn send_by_both(url: &str) -> [Verdict; 2] {
    let (mut packer, wire) = dynatrace(url);
    let (mut other_packer, other_wire) =
        otlp(url, |config| config.bearer_token = Some(Secret::new("dt0c01.PUBLIC.SECRET")));
    run(async {
        [wire.send(&payload(&mut packer)).await, other_wire.send(&payload(&mut other_packer)).await]
    })
}

/// *Scenario:* a Dynatrace that takes the lines.
/// *Guarantees:* one POST to the ingest path with token, type and gzip; delivered.
#[test]
fn dynatrace_gets_its_request() {
    let peer = Peer::start(Reply::json(202, OK));
    let (mut packer, wire) = dynatrace(&peer.url("/e/id/api/"));
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
    let request = &peer.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/e/id/api/v2/metrics/ingest")
    );
    assert_eq!(request.header("authorization"), Some("Api-Token dt0c01.PUBLIC.SECRET"));
    assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    let text = inflate(&request.body);
    assert_eq!(text.split(|b| *b == b'\n').count(), 2);
    assert!(
        !wire.describe().contains("SECRET") && wire.describe().starts_with("dynatrace http://")
    );
}

/// *Scenario:* a Dynatrace that refuses the second of two lines.
/// *Guarantees:* the text of that very line is in the verdict.
#[test]
fn dynatrace_names_a_refused_line() {
    let body = r#"{"linesOk":1,"linesInvalid":1,"error":{"code":400,"message":"1 invalid lines","invalidLines":[{"line":2,"error":"too old"}]}}"#;
    let peer = Peer::start(Reply::json(400, body));
    let (mut packer, wire) = dynatrace(&peer.url(""));
    packer.offer(&point(), None, NOW);
    packer.offer(&metric::Point { name: b"Other", ..point() }, None, NOW);
    let verdict = run(wire.send(&packer.close()));
    let Verdict::Partly { refused: 1, lines, .. } = verdict else { panic!("{verdict:?}") };
    assert!(lines[0].text.starts_with(b"cloud.aws.ecs.otherBy"));
    assert_eq!(lines[0].why, "too old");
}

/// *Scenario:* redirects to another server.
/// *Guarantees:* never followed; the token goes nowhere else; said loudly with the target's host and
/// without its path, which may hold a key of ours.
#[test]
fn redirects_are_not_followed() {
    let elsewhere = Peer::start(Reply::status(202));
    let peer = Peer::start(Reply::redirect(&elsewhere.url("/login")));
    for verdict in send_by_both(&peer.url("")) {
        let (_, loud, why) = later(&verdict);
        let host = elsewhere.url("");
        let host = host.trim_start_matches("http://").trim_end_matches('/');
        assert!(loud && why.message.contains(host), "{}", why.message);
        assert!(!why.message.contains("/login"), "{}", why.message);
    }
    assert_eq!(elsewhere.count(), 0);
}

/// *Scenario:* a peer that resets, closes, answers half, talks no HTTP, or is not there.
/// *Guarantees:* later, quietly, with Firehose's code for it.
#[test]
fn broken_connections_are_outages() {
    let cases = [
        (Reply::Reset, "HttpEndpoint.ConnectionReset"),
        (Reply::Close, "HttpEndpoint.ConnectionReset"),
        (Reply::Half, "HttpEndpoint.ConnectionReset"),
        (Reply::garbage(), "HttpEndpoint.IllegalMessageStart"),
    ];
    for (reply, code) in cases {
        let shown = format!("{reply:?}");
        let peer = Peer::start(reply);
        for verdict in send_by_both(&peer.url("")) {
            let (after, loud, why) = later(&verdict);
            assert_eq!((after, loud, why.code), (None, false, code), "{shown}: {}", why.message);
        }
    }
    for verdict in send_by_both(&format!("http://127.0.0.1:{}", closed_port())) {
        assert_eq!(later(&verdict).2.code, "HttpEndpoint.ConnectionFailed");
    }
}

/// *Scenario:* a peer that takes the request and never answers.
/// *Guarantees:* the time limit ends it: later, quietly.
#[test]
fn a_hanging_peer_is_given_up() {
    let peer = Peer::start(Reply::Hang);
    let mut config = dynatrace_config(&peer.url(""));
    config.client.request_timeout = Duration::from_millis(200);
    let (mut packer, wire) = build(&sink::Config::Dynatrace(config));
    let verdict = run(wire.send(&payload(&mut packer)));
    let (_, loud, why) = later(&verdict);
    assert_eq!((loud, why.code), (false, "HttpEndpoint.RequestTimeout"));
}

/// *Scenario:* a certificate of an unknown authority, and one that has expired.
/// *Guarantees:* refused, said loudly; with the authority's own file a good one is taken, and in
/// drop-in mode any may be.
#[test]
fn a_bad_certificate_is_refused_loudly() {
    remote::install_provider();
    let authority = Authority::new();
    let dir = TempDir::new("sink-ca");
    let ca = dir.write("ca.pem", authority.ca_pem());
    let good = Peer::start_tls(authority.sign("127.0.0.1").server_config(), Reply::json(202, OK));
    let expired =
        Peer::start_tls(authority.sign_expired("127.0.0.1").server_config(), Reply::json(202, OK));
    let send = |peer: &Peer, change: &dyn Fn(&mut remote::TlsConfig)| {
        let mut config = dynatrace_config(&peer.url(""));
        change(&mut config.client.tls);
        let (mut packer, wire) = build(&sink::Config::Dynatrace(config));
        run(wire.send(&payload(&mut packer)))
    };
    let trusting = |tls: &mut remote::TlsConfig| tls.ca_file = Some(ca.clone());
    for verdict in [send(&good, &|_| {}), send(&expired, &trusting)] {
        let (_, loud, why) = later(&verdict);
        assert_eq!((loud, why.code), (true, "HttpEndpoint.SSLHandshakeFailure"), "{}", why.message);
    }
    assert_eq!((good.count(), expired.count()), (0, 0));
    assert_eq!(send(&good, &trusting), Verdict::Delivered);
    assert_eq!(send(&expired, &|tls| tls.accept_invalid = true), Verdict::Delivered);
}

/// *Scenario:* HTML and other garbage with status 200, as portals and proxies send it.
/// *Guarantees:* nothing counts as delivered; said loudly.
#[test]
fn garbage_with_status_200_loses_nothing() {
    for body in ["<html><body>Please sign in</body></html>", "It works!"] {
        let peer = Peer::start(Reply::body(200, "text/html", body));
        for verdict in send_by_both(&peer.url("")) {
            let (_, loud, why) = later(&verdict);
            assert_eq!((loud, why.code), (true, "HttpEndpoint.InvalidResponseFromDestination"));
        }
    }
}

/// *Scenario:* 413, 429 and 503 with `Retry-After`, 401 with the token in its text, 400 without lines.
/// *Guarantees:* smaller, later with the hint, loudly without the token, never.
#[test]
fn refusals_mean_what_the_table_says() {
    let answer = |reply: Reply| {
        let peer = Peer::start(reply);
        send_by_both(&peer.url(""))
    };
    assert!(answer(Reply::status(413)).iter().all(|v| matches!(v, Verdict::TooLarge { .. })));
    for status in [429, 503] {
        for verdict in answer(Reply::status(status).with("Retry-After", "7")) {
            let (after, loud, _) = later(&verdict);
            assert_eq!((after, loud), (Some(Duration::from_secs(7)), false));
        }
    }
    for status in [401, 403, 404, 405] {
        for verdict in
            answer(Reply::json(status, r#"{"error":{"message":"no dt0c01.PUBLIC.SECRET"}}"#))
        {
            assert!(later(&verdict).1);
        }
    }
    for verdict in answer(Reply::json(400, r#"{"error":{"message":"what?"}}"#)) {
        assert!(matches!(verdict, Verdict::Never { .. }), "{verdict:?}");
    }
}

/// *Scenario:* an OTLP receiver, with each protocol, compression and kind of credential.
/// *Guarantees:* the path, types and headers it expects; delivered.
#[test]
fn otlp_gets_its_request() {
    let peer = Peer::start(Reply::status(200));
    let (mut packer, wire) = otlp(&peer.url(""), |config| {
        config.compression = otlp::Compression::Gzip;
        config.headers = vec![("x-tenant".to_owned(), Secret::new("blue"))];
        config.bearer_token = Some(Secret::new("bearer-SECRET"));
    });
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
    let (mut packer, wire) = otlp(&peer.url("/custom/path"), |config| {
        config.protocol = otlp::Protocol::HttpJson;
    });
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
    let requests = peer.requests();
    assert_eq!(
        (requests[0].target.as_str(), requests[1].target.as_str()),
        ("/v1/metrics", "/custom/path")
    );
    assert_eq!(requests[0].header("content-type"), Some("application/x-protobuf"));
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    assert_eq!(requests[0].header("x-tenant"), Some("blue"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer bearer-SECRET"));
    assert_eq!(requests[1].header("content-type"), Some("application/json"));
    assert_eq!(requests[1].header("content-encoding"), None);
}

/// *Scenario:* an OTLP receiver that rejects one point of two.
/// *Guarantees:* one refused, with its words.
#[test]
fn otlp_partial_success_is_read() {
    let partial = ExportMetricsPartialSuccess {
        rejected_data_points: 1,
        error_message: "summaries are not supported".to_owned(),
    };
    let body = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let peer = Peer::start(Reply::body(200, "application/x-protobuf", body));
    let (mut packer, wire) = otlp(&peer.url(""), |_| {});
    let verdict = run(wire.send(&payload(&mut packer)));
    let Verdict::Partly { refused: 1, why, .. } = verdict else { panic!("{verdict:?}") };
    assert!(why.message.contains("summaries are not supported"));
}

/// *Scenario:* OAuth2, with a backend that refuses the first token, then every token.
/// *Guarantees:* the first refusal asks for another try at once and a new token; a second in a row
/// is an outage, loudly.
#[test]
fn a_refused_oauth2_token_is_fetched_anew_once() {
    let mut issued = 0;
    let provider = Peer::scripted(move |_| {
        issued += 1;
        let body = format!(
            r#"{{"access_token":"token-{issued}-SECRET","token_type":"Bearer","expires_in":3600}}"#
        );
        Reply::json(200, &body)
    });
    let backend = Peer::scripted(|request| {
        let fresh = request.header("authorization") == Some("Bearer token-2-SECRET");
        Reply::json(if fresh { 200 } else { 401 }, "{}")
    });
    let (mut packer, wire) = otlp(&backend.url(""), |config| {
        config.oauth2 = Some(OAuth2Config {
            token_url: provider.url("/token"),
            client_id: "id".to_owned(),
            client_secret: Secret::new("client-SECRET"),
            audience: Some("metrics".to_owned()),
            scope: None,
            renew_before: Duration::from_secs(60),
        });
    });
    let payload = payload(&mut packer);
    run(async {
        let first = wire.send(&payload).await;
        let (after, loud, _) = later(&first);
        assert_eq!((after, loud), (Some(Duration::ZERO), false));
        assert_eq!(wire.send(&payload).await, Verdict::Delivered);
        backend.set(Reply::json(401, "{}"));
        assert!(!later(&wire.send(&payload).await).1);
        assert!(later(&wire.send(&payload).await).1);
    });
}

/// *Scenario:* a token provider that refuses the client, and one that is not there.
/// *Guarantees:* no attempt at the backend; the first loudly, the second quietly.
#[test]
fn without_a_token_nothing_is_sent() {
    let backend = Peer::start(Reply::status(200));
    let refusing = Peer::start(Reply::json(401, r#"{"error":"invalid_client"}"#));
    let gone = format!("http://127.0.0.1:{}/token", closed_port());
    for (token_url, is_loud) in [(refusing.url("/token"), true), (gone, false)] {
        let (mut packer, wire) = otlp(&backend.url(""), |config| {
            config.oauth2 = Some(OAuth2Config {
                token_url,
                client_id: "id".to_owned(),
                client_secret: Secret::new("client-SECRET"),
                audience: None,
                scope: None,
                renew_before: Duration::from_secs(60),
            });
        });
        let verdict = run(wire.send(&payload(&mut packer)));
        assert_eq!(later(&verdict).1, is_loud, "{verdict:?}");
    }
    assert_eq!(backend.count(), 0);
}

/// *Scenario:* probes of each destination, known and unknown.
/// *Guarantees:* nothing is changed there; known is told from unknown.
#[test]
fn probes_change_nothing() {
    let peer = Peer::start(Reply::json(400, r#"{"error":{"code":400,"message":"empty request"}}"#));
    let (_, wire) = dynatrace(&peer.url(""));
    assert_eq!(run(wire.probe()), Verdict::Delivered);
    let (_, wire) = otlp(&peer.url(""), |config| config.compression = otlp::Compression::Gzip);
    peer.set(Reply::status(200));
    assert_eq!(run(wire.probe()), Verdict::Delivered);
    for request in peer.requests() {
        assert!(request.body.is_empty() && request.header("content-encoding").is_none());
    }
    peer.set(Reply::status(401));
    assert!(later(&run(wire.probe())).1);
    let dir = TempDir::new("sink-probe");
    let (_, wire) = file(&dir.join("not/yet/m.ndjson"));
    assert_eq!(run(wire.probe()), Verdict::Delivered);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

fn file(path: &std::path::Path) -> (Packer, Wire) {
    build(&sink::Config::File(file::Config {
        path: path.to_owned(),
        content: file::Content::Ndjson,
        rotate_bytes: 1 << 20,
        keep: 0,
    }))
}

/// *Scenario:* points into a file, and into one that cannot be.
/// *Guarantees:* one JSON object a line, there once delivered; otherwise later.
#[test]
fn files_hold_one_object_a_line() {
    let dir = TempDir::new("sink-file");
    let path = dir.join("metrics.ndjson");
    let (mut packer, wire) = file(&path);
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
    assert_eq!(run(wire.send(&payload(&mut packer))), Verdict::Delivered);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["metric_name"], "CPUUtilization");
    assert_eq!(lines[0]["value"]["sum"], 45.5);
    assert_eq!(lines[0]["timestamp"], 1_795_176_000_000u64);

    dir.write("plain", "");
    let (mut packer, wire) = file(&dir.join("plain/below.ndjson"));
    let verdict = run(wire.send(&payload(&mut packer)));
    assert_eq!(later(&verdict).2.code, "File.NotWritten");
}

/// *Scenario:* the blackhole.
/// *Guarantees:* it takes every point and says so.
#[test]
fn the_blackhole_takes_everything() {
    let (mut packer, wire) = build(&sink::Config::Blackhole);
    let payload = payload(&mut packer);
    assert_eq!((payload.points, packer.points()), (2, 0));
    assert_eq!(run(wire.send(&payload)), Verdict::Delivered);
    assert_eq!(wire.describe(), "blackhole");
}

/// *Scenario:* settings that cannot work.
/// *Guarantees:* the error names the setting and shows no secret.
#[test]
fn unusable_settings_are_named() {
    remote::install_provider();
    let error = |config: sink::Config| sink::build(&config).err().expect("it cannot work");
    let mut config = dynatrace_config("nonsense");
    assert!(error(sink::Config::Dynatrace(config.clone())).starts_with("url: "));
    config.url = "https://abc.live.dynatrace.com".to_owned();
    config.api_token = Secret::new("SECRET\nx");
    let message = error(sink::Config::Dynatrace(config));
    assert!(message.starts_with("api_token: ") && !message.contains("SECRET"), "{message}");
    let with = |change: &dyn Fn(&mut otlp::Config)| {
        let mut config = otlp_config("https://x.example");
        change(&mut config);
        error(sink::Config::Otlp(config))
    };
    assert!(with(&|c| c.endpoint = "x.example:4318".to_owned()).starts_with("endpoint: "));
    assert!(with(&|c| c.headers = vec![("a b".to_owned(), Secret::new("x"))]).contains("\"a b\""));
    let twice = with(&|c| {
        c.headers = vec![("Authorization".to_owned(), Secret::new("SECRET"))];
        c.bearer_token = Some(Secret::new("SECRET"));
    });
    assert!(twice.contains("twice") && !twice.contains("SECRET"), "{twice}");
}
