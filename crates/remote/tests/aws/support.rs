//! What the tests share: identities of given variables, a verifier of signatures, a runtime.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::future::Future;
use std::time::Duration;

use aws::sigv4::{Paths, Request, Scope, SigningKey, canonical_request, hash, string_to_sign};
use remote::aws::{Fault, Identity, IdentityConfig, Variables};
use remote::{ClientConfig, TlsConfig};
use testkit::{Peer, Received};

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const LIST_EMPTY: &str =
    "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

pub(crate) fn config() -> IdentityConfig {
    IdentityConfig {
        region: None,
        profile: None,
        endpoint_url: None,
        assume_role: None,
        client: ClientConfig {
            tls: TlsConfig::default(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            answer_bytes: 1000,
        },
    }
}

/// Keys and a region, as Lambda sets them; the instance's metadata is never asked for real.
pub(crate) fn keys() -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ACCESS_KEY_ID", ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

pub(crate) async fn load(
    config: IdentityConfig,
    variables: Vec<(&'static str, String)>,
) -> Result<Identity, Fault> {
    Identity::load_with(config, variables.into_iter().collect::<Variables>()).await
}

/// An identity whose endpoint is this peer, with keys in the environment.
pub(crate) async fn at(peer: &Peer) -> Identity {
    load(IdentityConfig { endpoint_url: Some(peer.url("")), ..config() }, keys()).await.unwrap()
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The access key id and scope of a signed request.
pub(crate) fn credential(request: &Received) -> String {
    part(request, "Credential=")
}

fn part(request: &Received, name: &str) -> String {
    let header = request.header("authorization").unwrap_or_default();
    let header = header.trim_start_matches("AWS4-HMAC-SHA256").trim();
    let found = header.split(", ").find_map(|part| part.strip_prefix(name));
    found.unwrap_or_default().to_owned()
}

/// Is the request signed with this secret, as a server would check it? All that a server demands to
/// be signed must be.
pub(crate) fn is_signed(request: &Received, secret: &str) -> bool {
    let credential = credential(request);
    let mut words = credential.split('/').skip(1);
    let (date, region, service) =
        (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next());
    let service = service.unwrap_or_default();
    let names = part(request, "SignedHeaders=");
    let names: Vec<&str> = names.split(';').collect();
    let must = |name: &str| name == "host" || name == "content-type" || name.starts_with("x-amz-");
    let missing = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    if missing.filter(|name| must(name)).any(|name| !names.contains(&name.as_str())) {
        return false;
    }
    let headers: Vec<(&str, &str)> =
        names.iter().map(|name| (*name, request.header(name).unwrap_or_default())).collect();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let payload = hash(&request.body);
    if request.header("x-amz-content-sha256") != Some(payload.as_str()) {
        return false;
    }
    let canonical =
        Request { method: &request.method, path, query, headers: &headers, payload_hash: &payload };
    let paths = if service == "s3" { Paths::AsTheyAre } else { Paths::Normal };
    let scope = Scope { date, region, service };
    let stamp = request.header("x-amz-date").unwrap_or_default();
    let text = string_to_sign(stamp, &scope, &canonical_request(&canonical, paths));
    SigningKey::derive(secret, &scope).sign(&text) == part(request, "Signature=")
}
