//! Client credentials against a scripted token endpoint.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::time::Duration;

use remote::{
    Client, ClientConfig, OAuth2, OAuth2Config, Secret, TlsConfig, TokenError, Unreachable, Why,
};
use testkit::{Peer, Reply, closed_port};

const SECRET: &str = "s3cr:et/ +";

fn oauth2(url: &str) -> OAuth2 {
    configured(url, "me@example.com", SECRET)
}

fn configured(url: &str, client_id: &str, client_secret: &str) -> OAuth2 {
    let client = Client::new(&ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        answer_bytes: 64 * 1024,
    });
    OAuth2::new(
        client.unwrap(),
        OAuth2Config {
            token_url: url.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: Secret::new(client_secret),
            audience: Some("https://api".to_owned()),
            scope: Some("write read".to_owned()),
            renew_before: Duration::from_secs(60),
        },
    )
}

/// Answers `t1`, `t2`, ... each valid for `expires_in`.
fn numbered(expires_in: &'static str) -> Peer {
    let mut n = 0;
    Peer::scripted(move |_| {
        n += 1;
        let life = format!(r#"{{"access_token":"t{n}","token_type":"bearer"{expires_in}}}"#);
        Reply::json(200, &life)
    })
}

/// *Scenario:* a first token.
/// *Guarantees:* client credentials by HTTP Basic, form-encoded both, exactly as RFC 6749 says.
#[tokio::test]
async fn request_is_as_the_rfc_says() {
    let peer = numbered(r#","expires_in":3600"#);
    let token = oauth2(&peer.url("/token")).token().await.unwrap();
    assert_eq!(token.expose(), "t1");
    let seen = peer.requests().remove(0);
    // base64 of me%40example.com:s3cr%3Aet%2F+%2B
    assert_eq!(
        seen.header("authorization"),
        Some("Basic bWUlNDBleGFtcGxlLmNvbTpzM2NyJTNBZXQlMkYrJTJC")
    );
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        seen.text(),
        "grant_type=client_credentials&audience=https%3A%2F%2Fapi&scope=write+read"
    );
}

/// *Scenario:* twenty callers at once, then one more.
/// *Guarantees:* one fetch.
#[tokio::test]
async fn concurrent_callers_share_a_fetch() {
    let peer = numbered(r#","expires_in":"3600""#);
    let oauth2 = oauth2(&peer.url("/"));
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let oauth2 = oauth2.clone();
            tokio::spawn(async move { oauth2.token().await.unwrap().expose().to_owned() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "t1");
    }
    assert_eq!(oauth2.token().await.unwrap().expose(), "t1");
    assert_eq!(peer.count(), 1);
}

/// *Scenario:* the backend refuses a token; later an old refusal arrives again.
/// *Guarantees:* a new token is fetched once; a refusal of the old one drops nothing.
#[tokio::test]
async fn refused_token_is_replaced() {
    let peer = numbered("");
    let oauth2 = oauth2(&peer.url("/"));
    let first = oauth2.token().await.unwrap();
    oauth2.refused(&first);
    assert_eq!(oauth2.token().await.unwrap().expose(), "t2");
    oauth2.refused(&first);
    assert_eq!(oauth2.token().await.unwrap().expose(), "t2");
    assert_eq!(peer.count(), 2);
}

/// *Scenario:* a token of two seconds, renewed sixty before its end; then the endpoint fails.
/// *Guarantees:* used for the first half of its life, renewed in the second; while renewal fails the
/// old one serves to its end, and not beyond.
#[tokio::test]
async fn token_is_renewed_in_the_second_half_of_its_life() {
    let peer = numbered(r#","expires_in":2"#);
    let oauth2 = oauth2(&peer.url("/"));
    oauth2.token().await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(oauth2.token().await.unwrap().expose(), "t1");
    assert_eq!(peer.count(), 1);
    tokio::time::sleep_until(start + Duration::from_millis(1200)).await;
    assert_eq!(oauth2.token().await.unwrap().expose(), "t2");
    let second = tokio::time::Instant::now();
    peer.set(Reply::status(500));
    tokio::time::sleep_until(second + Duration::from_millis(1200)).await;
    assert_eq!(oauth2.token().await.unwrap().expose(), "t2");
    tokio::time::sleep_until(second + Duration::from_millis(2100)).await;
    assert!(oauth2.token().await.is_err());
}

/// *Scenario:* a provider that takes client id and secret joined as they are, and not as the RFC says.
/// *Guarantees:* it is asked so once the RFC's way was refused, and from then on at once; with
/// credentials that are written the same both ways nothing is asked twice.
#[tokio::test]
async fn credentials_as_they_are_are_tried_too() {
    // base64 of me@example.com:s3cr:et/ +
    let plain = "Basic bWVAZXhhbXBsZS5jb206czNjcjpldC8gKw==";
    let peer = Peer::scripted(move |request| match request.header("authorization") {
        Some(basic) if basic == plain => Reply::json(200, r#"{"access_token":"t"}"#),
        _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
    });
    let one = oauth2(&peer.url("/"));
    let token = one.token().await.unwrap();
    assert_eq!(peer.count(), 2);
    one.refused(&token);
    one.token().await.unwrap();
    assert_eq!(peer.count(), 3);

    let nobody = Peer::start(Reply::json(401, "{}"));
    let simple = configured(&nobody.url("/"), "me", "s3cret");
    assert!(simple.token().await.is_err());
    assert_eq!(nobody.count(), 1);
}

/// *Scenario:* a refusal; asked again at once, and after a second.
/// *Guarantees:* told apart from being unreachable, remembered for a second, then tried again.
#[tokio::test]
async fn failure_is_remembered_for_a_second() {
    let body = format!(r#"{{"error":"invalid_client","error_description":"not {SECRET}"}}"#);
    let peer = Peer::start(Reply::json(401, &body));
    let oauth2 = oauth2(&peer.url("/"));
    let error = oauth2.token().await.unwrap_err();
    let TokenError::Refused { status: 401, detail } = &error else { panic!("{error}") };
    assert!(detail.contains("401: invalid_client: not *** (check client id, secret"), "{detail}");
    assert!(!detail.contains(SECRET));
    assert!(oauth2.token().await.is_err());
    assert_eq!(peer.count(), 2, "both spellings of client id and secret");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert!(oauth2.token().await.is_err());
    assert_eq!(peer.count(), 4);
}

/// *Scenario:* answers that are no token, and no answer.
/// *Guarantees:* each says where, what status, and what is wrong with it.
#[tokio::test]
async fn answers_that_are_no_token_are_explained() {
    let bad = [
        (Reply::body(200, "text/html", "<html>"), "not the JSON of a token (check the token URL"),
        (Reply::json(200, "{}"), "access_token is missing"),
        (Reply::json(200, r#"{"access_token":""}"#), "access_token is missing"),
        (Reply::json(200, r#"{"access_token":"x","token_type":"mac"}"#), "not of type Bearer"),
        (Reply::body(503, "text/html", "<html>"), "answered 503 (the provider is unwell"),
        (Reply::redirect("http://elsewhere/"), "answered 302 (check the token URL)"),
    ];
    for (reply, expect) in bad {
        let peer = Peer::start(reply);
        let error = oauth2(&peer.url("/")).token().await.unwrap_err();
        assert!(matches!(error, TokenError::Unusable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(expect) && text.contains("127.0.0.1:"), "{text}");
    }
    let nobody = format!("http://127.0.0.1:{}/", closed_port());
    let error = oauth2(&nobody).token().await.unwrap_err();
    assert!(matches!(&error, TokenError::Unreachable(u) if u.why == Why::Connect), "{error}");
    assert_eq!(Unreachable::from(error).why, Why::Connect);
}
