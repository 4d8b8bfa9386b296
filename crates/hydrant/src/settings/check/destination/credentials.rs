//! As whom a destination over HTTP is asked: headers, basic, bearer, OAuth2.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use remote::{OAuth2Config, Secret};

use super::super::optional;
use super::super::place::{header_secret, url};
use crate::settings::read::{At, Report, Section};

/// Tokens live minutes to hours; a minute covers a slow request and two clocks that differ.
const TOKEN_RENEW_BEFORE: Duration = Duration::from_secs(60);

/// Headers that say what the body is: they are ours.
const OWN_HEADERS: [&str; 5] =
    ["content-type", "content-encoding", "content-length", "transfer-encoding", "host"];

/// `headers`: what a client may add to every request.
fn headers(report: &Report, at: &At<'_>) -> Option<Vec<(String, Secret)>> {
    at.each_named(|(name, at)| {
        let value = at.secret();
        let lower = name.value.to_ascii_lowercase();
        if HeaderName::from_bytes(lower.as_bytes()).is_err() {
            report.error(&name.spot, "is not a header name", None);
            return None;
        }
        if OWN_HEADERS.contains(&lower.as_str()) {
            let hint = "compression and protocol decide it".to_owned();
            report.error(&name.spot, "is set by Hydrant itself", Some(hint));
            return None;
        }
        let value = value?;
        if HeaderValue::from_str(value.value.expose()).is_err() {
            report.error(&value.spot, "holds a character that an HTTP header cannot carry", None);
            return None;
        }
        Some((name.value, value.value))
    })
}

/// As whom, and what else every request carries.
pub(super) struct Credentials {
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) bearer_token: Option<Secret>,
    pub(super) oauth2: Option<OAuth2Config>,
    pub(super) basic_auth: Option<(String, Secret)>,
}

/// `headers`, and at most one of `bearer_token`, `oauth2`, an `Authorization` header and, where the
/// destination has it, `basic_auth`.
pub(super) fn credentials(
    report: &Report,
    section: &Section<'_>,
    basic: Option<At<'_>>,
) -> Option<Credentials> {
    let headers = optional(section.get("headers"), Vec::new(), |at| headers(report, at));
    let (bearer, oauth2) = (section.get("bearer_token"), section.get("oauth2"));
    let names = headers.as_deref().unwrap_or_default();
    let by_header = names.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let ways = [
        ("basic_auth", basic.is_some()),
        ("bearer_token", bearer.is_some()),
        ("oauth2", oauth2.is_some()),
        ("headers", by_header),
    ];
    let mut given = ways.iter().filter(|(_, given)| *given).map(|(key, _)| *key);
    if let (Some(one), Some(two)) = (given.next(), given.next()) {
        let rule = format!("cannot be given together with {two}");
        let hint = "each would set the Authorization header; keep one".to_owned();
        report.error(&section.spot_of(one), rule, Some(hint));
    }
    let bearer_token = match bearer {
        None => Some(None),
        Some(at) => header_secret(report, &at).map(Some),
    };
    let oauth2 = match oauth2 {
        None => Some(None),
        Some(at) => at.section().and_then(|section| oauth2_config(report, section)).map(Some),
    };
    let basic_auth = match basic {
        None => Some(None),
        Some(at) => at.section().and_then(basic_auth).map(Some),
    };
    Some(Credentials {
        headers: headers?,
        bearer_token: bearer_token?,
        oauth2: oauth2?,
        basic_auth: basic_auth?,
    })
}

fn basic_auth(section: Section<'_>) -> Option<(String, Secret)> {
    let user = section.need_text("username", "the user the receiver knows");
    let hint = "for instance password: ${REMOTE_WRITE_PASSWORD}";
    let password = section.need("password", hint).and_then(|at| at.secret());
    section.finish();
    Some((user?.value, password?.value))
}

fn oauth2_config(report: &Report, section: Section<'_>) -> Option<OAuth2Config> {
    let hint = "for instance token_url: https://login.example.com/oauth2/token";
    let token_url = section.need("token_url", hint).and_then(|at| url(report, &at));
    let client_id = section.need_text("client_id", "the id the provider gave to this client");
    let hint = "the secret the provider gave to this client, for instance ${CLIENT_SECRET}";
    let client_secret = section.need("client_secret", hint).and_then(|at| at.secret());
    let audience = section.text("audience");
    let scope = section.text("scope");
    section.finish();
    Some(OAuth2Config {
        token_url: token_url?.value,
        client_id: client_id?.value,
        client_secret: client_secret?.value,
        audience: audience.map(|found| found.value),
        scope: scope.map(|found| found.value),
        renew_before: TOKEN_RENEW_BEFORE,
    })
}
