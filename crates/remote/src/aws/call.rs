//! One call: sign, send, judge; and mend once what can be mended here.

use std::time::Duration;

use aws::sigv4::{self, KeyCache, Paths, Signer};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;

use super::Fault;
use super::clock::{Clock, stamp};
use super::credentials::{Credentials, Wallet};
use super::fault::Kind;
use super::places::Service;
use super::told::Told;
use super::verdict::{self, Doing};
use crate::client::{Incoming, Limits};
use crate::{Answer, Client, Request};

/// Bytes of an error's body that are read: AWS's are below 2 KiB.
const ERROR_BYTES: usize = 64 * 1024;

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) service: Service,
    pub(super) region: String,
    /// Scheme and authority, without a slash at its end.
    pub(super) base: String,
    pub(super) method: Method,
    /// Percent-encoded, begins with `/`.
    pub(super) path: String,
    /// Percent-encoded.
    pub(super) query: String,
    /// All are signed.
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Bytes,
    pub(super) limits: Limits,
    pub(super) doing: Doing,
}

/// A call that failed, with what AWS told beyond the fault.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) fault: Fault,
    pub(super) told: Told,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed { fault, told: Told::default() }
    }
}

/// What calls are made with.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) keys: KeyCache,
    pub(super) clock: Clock,
}

impl Caller {
    /// Sends with these credentials, once, or twice when the clock was wrong.
    pub(super) async fn send(
        &self,
        ask: &Ask,
        credentials: Option<&Credentials>,
    ) -> Result<Incoming, Failed> {
        let mut corrected = false;
        loop {
            let request = self.request(ask, credentials)?;
            let sent = self.client.open(request, ask.limits).await;
            let incoming = sent.map_err(|error| verdict::of_silence(&ask.doing, &error))?;
            if (200..300).contains(&incoming.status) {
                return Ok(incoming);
            }
            let failed = judge(ask, incoming).await;
            // A HEAD tells no code, only a status.
            let bare = ask.method == Method::HEAD && matches!(failed.fault.status, 400 | 403);
            let signed_wrong = bare || failed.fault.kind == Kind::BadCredentials;
            let theirs = failed.told.date.filter(|_| signed_wrong && !corrected);
            corrected = theirs.is_some_and(|theirs| self.clock.correct(theirs));
            if !corrected {
                return Err(failed);
            }
        }
    }

    /// As [`Caller::send`] with the wallet's credentials, renewed when they turn out to be expired.
    pub(super) async fn open(&self, ask: &Ask, wallet: &Wallet) -> Result<Incoming, Failed> {
        let credentials = wallet.credentials().await.map_err(|fault| asked_for(fault, ask))?;
        let failed = match self.send(ask, Some(&credentials)).await {
            Ok(incoming) => return Ok(incoming),
            Err(failed) => failed,
        };
        if !expired(ask, &failed, &credentials) || !wallet.refused(&credentials.id) {
            return Err(failed);
        }
        let renewed = wallet.credentials().await.map_err(|fault| asked_for(fault, ask))?;
        if renewed.id == credentials.id {
            return Err(failed);
        }
        self.send(ask, Some(&renewed)).await
    }

    /// The whole answer of a call whose body is at most `most` bytes.
    pub(super) async fn call(
        &self,
        ask: &Ask,
        wallet: &Wallet,
        most: usize,
    ) -> Result<Answer, Failed> {
        let incoming = self.open(ask, wallet).await?;
        whole(ask, incoming, most).await
    }

    fn request(&self, ask: &Ask, credentials: Option<&Credentials>) -> Result<Request, Fault> {
        let refuse = |what: &str| {
            Fault::ours(Kind::Refused, &ask.doing.text, "BadRequest", what, "check the settings")
        };
        let mut url = format!("{}{}", ask.base, ask.path);
        if !ask.query.is_empty() {
            url.push('?');
            url.push_str(&ask.query);
        }
        let parsed = Url::parse(&url).map_err(|error| refuse(&format!("no url: {error}")))?;
        if !parsed.path().ends_with(ask.path.as_str()) {
            return Err(refuse("the key cannot be written in a url"));
        }
        let mut headers = Vec::with_capacity(ask.headers.len() + 5);
        for (name, value) in &ask.headers {
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_| refuse(&format!("{name} cannot hold this value")))?;
            headers.push((name.clone(), value));
        }
        if let Some(credentials) = credentials {
            self.sign(ask, &parsed, credentials, &mut headers).ok_or_else(|| {
                refuse("the credentials hold characters that a header cannot hold")
            })?;
        }
        Ok(Request { method: ask.method.clone(), url, headers, body: ask.body.clone() })
    }

    fn sign(
        &self,
        ask: &Ask,
        url: &Url,
        credentials: &Credentials,
        headers: &mut Vec<(HeaderName, HeaderValue)>,
    ) -> Option<()> {
        let date = stamp(self.clock.now());
        let payload_hash = sigv4::hash(&ask.body);
        let mut add = |name: &'static str, value: &str, secret: bool| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(secret);
            headers.push((HeaderName::from_static(name), value));
            Some(())
        };
        add("x-amz-date", &date, false)?;
        add("x-amz-content-sha256", &payload_hash, false)?;
        if let Some(token) = &credentials.token {
            add("x-amz-security-token", token.expose(), true)?;
        }
        let host = host_of(url);
        let mut signed = vec![("host", host.as_str())];
        for (name, value) in headers.iter() {
            signed.push((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?));
        }
        let s3 = ask.service == Service::S3;
        let signer = Signer {
            keys: &self.keys,
            access_key_id: &credentials.id,
            region: &ask.region,
            service: ask.service.name(),
            paths: if s3 { Paths::AsTheyAre } else { Paths::Normal },
        };
        let request = sigv4::Request {
            method: ask.method.as_str(),
            path: url.path(),
            query: &ask.query,
            headers: &signed,
            payload_hash: &payload_hash,
        };
        let text = signer.authorization(credentials.secret.expose(), &date, &request);
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        headers.push((http::header::AUTHORIZATION, value));
        Some(())
    }
}

/// All of an answer's body, which must be shorter than `most`.
pub(super) async fn whole(ask: &Ask, incoming: Incoming, most: usize) -> Result<Answer, Failed> {
    let read = incoming.read(most).await;
    let answer = read.map_err(|error| verdict::of_silence(&ask.doing, &error))?;
    if answer.body.len() == most {
        let what = format!("the answer is longer than {most} bytes");
        let doing = &ask.doing.text;
        return Err(Fault::ours(Kind::Unwell, doing, "AnswerTooLong", &what, "").into());
    }
    Ok(answer)
}

async fn judge(ask: &Ask, incoming: Incoming) -> Failed {
    let answer = match incoming.read(ERROR_BYTES).await {
        Ok(answer) => answer,
        Err(error) => return verdict::of_silence(&ask.doing, &error).into(),
    };
    let told = Told::read(&answer, ask.method == Method::HEAD);
    Failed { fault: verdict::of_answer(&ask.doing, &answer, &told), told }
}

/// May other credentials help? A HEAD tells no code: its 400 may be an expired token.
fn expired(ask: &Ask, failed: &Failed, credentials: &Credentials) -> bool {
    let code = failed.fault.code.as_str();
    let said = matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "TokenRefreshRequired"
            | "InvalidToken"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
    );
    let bare = ask.method == Method::HEAD && code == "BadRequest" && credentials.token.is_some();
    said || bare
}

/// A fault of finding credentials, with what they were wanted for.
fn asked_for(mut fault: Fault, ask: &Ask) -> Failed {
    fault.doing = format!("{} (credentials: {})", ask.doing.text, fault.doing);
    fault.into()
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Both limits the same: a call whose answer is small.
pub(super) fn at_most(time: Duration) -> Limits {
    Limits { silence: time, whole: time }
}
