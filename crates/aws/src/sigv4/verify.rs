//! Verifies: a request as it came, against the secret of the key it names.
//!
//! In two steps, since the secret is looked up between them: [`Presented::read`] says who claims to
//! have signed what and when, [`Presented::verify`] whether it is so. Always: the caller's own list
//! of signed headers is honoured and must cover what could be misused; the body's hash is computed,
//! never believed; signatures are compared in constant time; nothing of a secret is in a refusal.

use std::borrow::Cow;

use super::encode::decode;
use super::{ALGORITHM, KeyCache, Paths, Request, Scope, canonical_request, hash, string_to_sign};

/// How far a caller's clock may be off. AWS's own window for these services.
pub const WINDOW_SECONDS: i64 = 5 * 60;
/// Longest time for which a presigned URL may be good.
const EXPIRES_MAX_SECONDS: i64 = 7 * 24 * 3600;

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, percent-encoded.
    pub path: &'a str,
    /// Query without `?`.
    pub query: &'a str,
    /// All headers, as sent.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, as sent: compressed if it was.
    pub body: &'a [u8],
}

/// Who claims to have signed, and what.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Access key id.
    pub access_key_id: String,
    /// `20261120` of the scope.
    pub day: String,
    /// Region of the scope.
    pub region: String,
    /// Service of the scope.
    pub service: String,
    /// `X-Amz-Date`, `20261120T120000Z`.
    pub date: String,
    /// Token of temporary credentials.
    pub session_token: Option<String>,
    signed: Vec<String>,
    signature: [u8; 32],
    /// Seconds for which a presigned URL is good.
    expires: Option<i64>,
    presigned: bool,
}

/// Why a request is not believed; texts are AWS's where they are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was presented.
    #[error("Missing Authentication Token")]
    Missing,
    /// What was presented lacks something, or is malformed.
    #[error("{0}")]
    Incomplete(String),
    /// Signed too long ago, or in the future.
    #[error("{0}")]
    Clock(String),
    /// The scope is not ours.
    #[error("{0}")]
    Scope(String),
    /// The signature, or the hash of the body, is not what it must be.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your \
         AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl Presented {
    /// Reads the `Authorization` header, or the query of a presigned URL.
    pub fn read(incoming: &Incoming<'_>) -> Result<Presented, Refusal> {
        match header(incoming, "authorization") {
            Some(value) => Presented::from_header(incoming, value),
            None if incoming.query.contains("X-Amz-Signature=") => Presented::from_query(incoming),
            None => Err(Refusal::Missing),
        }
    }

    fn from_header(incoming: &Incoming<'_>, value: &str) -> Result<Presented, Refusal> {
        let value = value.trim();
        let Some(parts) = value.strip_prefix(ALGORITHM) else {
            let asymmetric = value.starts_with("AWS4-ECDSA-P256-SHA256");
            let what =
                if asymmetric { "SigV4A is not supported here" } else { "unsupported algorithm" };
            return Err(Refusal::Incomplete(format!("{what}; sign with {ALGORITHM}")));
        };
        let part = |name: &str| {
            let mut all = parts.split(',').map(str::trim);
            all.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let need = |name: &str| {
            part(name).ok_or_else(|| {
                Refusal::Incomplete(format!("Authorization header requires '{name}' parameter."))
            })
        };
        let (credential, signed) = (need("Credential")?, need("SignedHeaders")?);
        let signature = need("Signature")?;
        let date = header(incoming, "x-amz-date").or_else(|| header(incoming, "date"));
        let date = date.ok_or_else(|| {
            let text = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
            Refusal::Incomplete(text.to_owned())
        })?;
        let token = header(incoming, "x-amz-security-token").map(str::to_owned);
        let given = Given { credential, signed, signature, date: in_basic(date.trim()) };
        Presented::build(given, token, None)
    }

    fn from_query(incoming: &Incoming<'_>) -> Result<Presented, Refusal> {
        let part = |name: &str| {
            let mut pairs = incoming.query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(key, _)| *key == name)?;
            String::from_utf8(decode(value, true).into_owned()).ok()
        };
        let need = |name: &str| {
            part(name).ok_or_else(|| {
                Refusal::Incomplete(format!("AWS query-string parameters must include '{name}'."))
            })
        };
        if need("X-Amz-Algorithm")? != ALGORITHM {
            return Err(Refusal::Incomplete(format!("sign with {ALGORITHM}")));
        }
        let expires = need("X-Amz-Expires")?.parse().ok();
        let expires = expires.filter(|seconds| (1..=EXPIRES_MAX_SECONDS).contains(seconds));
        let expires = expires.ok_or_else(|| {
            let text = "X-Amz-Expires must be a number of seconds from 1 to 604800";
            Refusal::Incomplete(text.to_owned())
        })?;
        let (credential, signed) = (need("X-Amz-Credential")?, need("X-Amz-SignedHeaders")?);
        let (signature, date) = (need("X-Amz-Signature")?, need("X-Amz-Date")?);
        let given = Given { credential: &credential, signed: &signed, signature: &signature, date };
        let token = part("X-Amz-Security-Token");
        Presented::build(given, token, Some(expires))
    }

    fn build(
        given: Given<'_>,
        session_token: Option<String>,
        expires: Option<i64>,
    ) -> Result<Presented, Refusal> {
        let parts: Vec<&str> = given.credential.split('/').collect();
        // A key id may itself hold a slash; the scope is the last four.
        let [id @ .., day, region, service, terminator] = parts.as_slice() else {
            let text = "Credential must have at least 5 elements: an access key id, date, region, \
                        service and 'aws4_request'";
            return Err(Refusal::Incomplete(text.to_owned()));
        };
        if *terminator != "aws4_request" {
            return Err(Refusal::Scope(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not \
                 '{terminator}'."
            )));
        }
        if id.is_empty() {
            return Err(Refusal::Incomplete("Credential names no access key id".to_owned()));
        }
        if given.date.get(..8) != Some(*day) {
            return Err(Refusal::Scope(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{day}' != '{}', from '{}'.",
                given.date.get(..8).unwrap_or_default(),
                given.date
            )));
        }
        let signature = bytes_of(given.signature).ok_or(Refusal::Mismatch)?;
        let signed: Vec<String> = given.signed.split(';').map(str::to_ascii_lowercase).collect();
        Ok(Presented {
            access_key_id: id.join("/"),
            day: (*day).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            date: given.date,
            session_token,
            signed,
            signature,
            expires,
            presigned: expires.is_some(),
        })
    }

    /// Whether it was signed with this secret, now, for this region and service.
    pub fn verify(
        &self,
        incoming: &Incoming<'_>,
        secret: &str,
        keys: &KeyCache,
        now_seconds: i64,
        (region, service): (&str, &str),
    ) -> Result<(), Refusal> {
        if self.region != region {
            let found = &self.region;
            return Err(Refusal::Scope(format!(
                "Credential should be scoped to a valid Region, not '{found}'."
            )));
        }
        if self.service != service {
            return Err(Refusal::Scope(format!(
                "Credential should be scoped to correct service: '{service}'."
            )));
        }
        self.check_clock(now_seconds)?;
        self.check_signed(incoming)?;
        let body_hash = self.body_hash(incoming)?;
        let mut headers = Vec::with_capacity(self.signed.len());
        for name in &self.signed {
            let values = incoming.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            headers.extend(values.copied());
        }
        let query = self.query_without_signature(incoming.query);
        let request = Request {
            method: incoming.method,
            path: incoming.path,
            query: &query,
            headers: &headers,
            payload_hash: &body_hash,
        };
        let scope = Scope { date: &self.day, region: &self.region, service: &self.service };
        let text = string_to_sign(&self.date, &scope, &canonical_request(&request, Paths::Normal));
        let good = keys.key(secret, &scope).verify(&text, &self.signature);
        good.then_some(()).ok_or(Refusal::Mismatch)
    }

    fn check_clock(&self, now: i64) -> Result<(), Refusal> {
        let signed = seconds_of(&self.date).ok_or_else(|| {
            let date = &self.date;
            Refusal::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
                 http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
        let good_for = self.expires.unwrap_or(WINDOW_SECONDS);
        let minutes = WINDOW_SECONDS / 60;
        let age = match self.expires {
            None => format!("{minutes} min."),
            Some(seconds) => format!("{seconds} s"),
        };
        let text = |seconds| basic(seconds);
        if now - signed > good_for {
            let (edge, now) = (text(now - good_for), text(now));
            let date = &self.date;
            return Err(Refusal::Clock(format!(
                "Signature expired: {date} is now earlier than {edge} ({now} - {age})"
            )));
        }
        if signed - now > WINDOW_SECONDS {
            let (edge, now) = (text(now + WINDOW_SECONDS), text(now));
            let date = &self.date;
            return Err(Refusal::Clock(format!(
                "Signature not yet current: {date} is still later than {edge} ({now} + {minutes} \
                 min.)"
            )));
        }
        Ok(())
    }

    /// Host, date and every `x-amz-` header that changes what is done must be signed.
    fn check_signed(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        let signed = |name: &str| self.signed.iter().any(|signed| signed == name);
        for (name, _) in incoming.headers {
            let name = name.to_ascii_lowercase();
            // A user agent changes nothing that is done; JavaScript in a browser cannot sign its own.
            let must = name.starts_with("x-amz-") && name != "x-amz-user-agent";
            if must && !signed(&name) {
                return Err(Refusal::Incomplete(format!(
                    "There were headers present in the request which were not signed: {name}"
                )));
            }
        }
        if !signed("host") {
            let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Refusal::Incomplete(text.to_owned()));
        }
        if !self.presigned && !signed("x-amz-date") && !signed("date") {
            let text = "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Refusal::Incomplete(text.to_owned()));
        }
        Ok(())
    }

    /// What the body hashes to; a hash that was sent must be the same.
    fn body_hash(&self, incoming: &Incoming<'_>) -> Result<String, Refusal> {
        let computed = hash(incoming.body);
        match header(incoming, "x-amz-content-sha256") {
            Some(sent) if !sent.trim().eq_ignore_ascii_case(&computed) => Err(Refusal::Mismatch),
            _ => Ok(computed),
        }
    }

    fn query_without_signature<'q>(&self, query: &'q str) -> Cow<'q, str> {
        if !self.presigned {
            return Cow::Borrowed(query);
        }
        let kept = query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature="));
        Cow::Owned(kept.collect::<Vec<_>>().join("&"))
    }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same_text(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

struct Given<'g> {
    credential: &'g str,
    signed: &'g str,
    signature: &'g str,
    date: String,
}

fn header<'a>(incoming: &Incoming<'a>, name: &str) -> Option<&'a str> {
    let found = incoming.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    let mut out = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    Some(out)
}

/// Seconds since the epoch of `20261120T120000Z`.
fn seconds_of(date: &str) -> Option<i64> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A date in the form that is signed, which an HTTP date is brought into.
fn in_basic(date: &str) -> String {
    let of_http = jiff::fmt::rfc2822::parse(date);
    of_http.map_or_else(|_| date.to_owned(), |date| basic(date.timestamp().as_second()))
}

/// `20261120T120000Z`.
fn basic(seconds: i64) -> String {
    let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests;
