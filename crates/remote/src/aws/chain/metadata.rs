//! Credentials that the place we run in hands out: ECS and EKS Pod Identity, EC2.
//!
//! Always: asked without any proxy, with short patience, since off AWS nobody answers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;

use super::super::credentials::Credentials;
use super::super::fault::Kind;
use super::super::profiles;
use super::super::told::short;
use super::{Chain, ClientConfig, Fault, Secret, Variables, broken, from_json, nothing};
use crate::{Answer, Client, Request, Unreachable};

/// The address is on this machine or the next hop; where nobody listens, packets often vanish.
const CONNECT: Duration = Duration::from_secs(1);
/// The agents answer in milliseconds, and in seconds while they start.
const ANSWER: Duration = Duration::from_secs(5);
/// Asked again after a failure: the first packet of a fresh task or instance may be lost.
const ATTEMPTS: u32 = 2;
/// Far above what the agents answer.
const ANSWER_BYTES: usize = 64 * 1024;
/// Seconds a token of the instance's metadata is asked for; it is used at once.
const TOKEN_SECONDS: &str = "300";

const ECS: &str = "http://169.254.170.2";
const IMDS: &str = "http://169.254.169.254";
const IMDS_V6: &str = "http://[fd00:ec2::254]";

/// The agent of a container.
#[derive(Debug)]
pub(super) struct Container {
    url: String,
    token: Option<Secret>,
    /// Read each time: EKS renews it.
    token_file: Option<PathBuf>,
}

impl Container {
    /// As the variables name it, if they do.
    pub(super) fn of(variables: &Variables) -> Result<Option<Container>, Fault> {
        let relative = variables.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let full = variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let url = match (relative, full) {
            (Some(path), _) => format!("{ECS}/{}", path.trim_start_matches('/')),
            (None, Some(url)) if allowed(url) => url.to_owned(),
            (None, Some(_)) => {
                let what = "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of \
                            this machine, of ECS or of EKS";
                return Err(broken("container", what, "set it as ECS and EKS do"));
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Container {
            url,
            token: variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new),
            token_file: variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from),
        }))
    }

    fn token(&self) -> Result<Option<Secret>, Fault> {
        let Some(file) = &self.token_file else { return Ok(self.token.clone()) };
        let text = profiles::read(file).map_err(|error| {
            let what = format!("{}: {error}", file.display());
            broken("container", &what, "check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        })?;
        Ok(Some(Secret::new(text.trim())))
    }
}

/// Credentials go over plain http only to this machine and to the agents' own addresses.
fn allowed(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    if url.scheme() == "https" {
        return url.has_host();
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let agents = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"];
    let here = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "http" && (here || agents.contains(&host))
}

/// Where the metadata of the instance is.
pub(super) fn instance_endpoint(variables: &Variables) -> String {
    let six = variables
        .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let default = if six { IMDS_V6 } else { IMDS };
    let given = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    given.unwrap_or(default).trim_end_matches('/').to_owned()
}

/// A client that passes every proxy by.
pub(super) fn client(config: &ClientConfig) -> Result<Client, Fault> {
    let config = ClientConfig {
        connect_timeout: CONNECT,
        request_timeout: ANSWER,
        answer_bytes: ANSWER_BYTES,
        ..config.clone()
    };
    Client::shaped(&config, reqwest::ClientBuilder::no_proxy).map_err(|error| {
        Fault::ours(Kind::Refused, "set up TLS for AWS", "Tls", &error.to_string(), "")
    })
}

impl Chain {
    /// Asks the container's agent.
    pub(super) async fn container(&self, container: &Container) -> Result<Credentials, Fault> {
        let mut headers = Vec::new();
        if let Some(token) = container.token()? {
            headers.push(("authorization", token.expose().to_owned()));
        }
        let answer = self.get(Method::GET, &container.url, &headers).await;
        let answer = answer.map_err(|error| unwell("container", &error.to_string()))?;
        let read = from_json(&answer.body, "Token", "container");
        read.filter(|_| answer.status == 200).ok_or_else(|| refused("container", &answer))
    }

    /// Asks the instance, by version 2 of its metadata service.
    pub(super) async fn instance(
        &self,
        endpoint: &str,
        tried: &[String],
    ) -> Result<Credentials, Fault> {
        let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS.to_owned())];
        let url = format!("{endpoint}/latest/api/token");
        let token = self.get(Method::PUT, &url, &ttl).await.map_err(|error| {
            let mut tried = tried.to_vec();
            tried.push(format!(
                "instance metadata ({}; in a container on EC2 the instance's hop limit must be 2)",
                error.detail
            ));
            nothing(&tried)
        })?;
        if token.status != 200 {
            return Err(refused("instance metadata", &token));
        }
        let token = String::from_utf8_lossy(&token.body).trim().to_owned();
        let with = [("x-aws-ec2-metadata-token", token)];
        let base = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
        let roles = self.instance_get(&base, &with).await?;
        let roles = String::from_utf8_lossy(&roles.body).into_owned();
        let role = roles.lines().next().map(str::trim).unwrap_or_default().to_owned();
        let path = aws::sigv4::encode_query(&role);
        let answer = self.instance_get(&format!("{base}{path}"), &with).await?;
        let from = format!("instance role {role}");
        from_json(&answer.body, "Token", &from).ok_or_else(|| refused("instance metadata", &answer))
    }

    async fn instance_get(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, Fault> {
        let answer = self.get(Method::GET, url, headers).await;
        let answer = answer.map_err(|error| unwell("instance metadata", &error.to_string()))?;
        match answer.status {
            200 => Ok(answer),
            404 => Err(broken(
                "instance metadata",
                "the instance has no role",
                "give it an instance profile, or credentials in another way",
            )),
            _ => Err(refused("instance metadata", &answer)),
        }
    }

    async fn get(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, Unreachable> {
        let wrong =
            |detail: &str| Unreachable { why: crate::Why::Request, detail: detail.to_owned() };
        let client = self.direct().map_err(|fault| wrong(&fault.message))?;
        let mut request =
            Request { method, url: url.to_owned(), headers: Vec::new(), body: Bytes::new() };
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| wrong("the token cannot be sent in a header"))?;
            value.set_sensitive(true);
            request.headers.push((HeaderName::from_static(name), value));
        }
        let mut attempt = 1;
        loop {
            match client.send(request.clone()).await {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }
}

fn unwell(source: &str, what: &str) -> Fault {
    let doing = format!("find credentials in {source}");
    Fault::ours(Kind::Unwell, &doing, "Unreachable", what, "is its agent running?")
}

/// It answered, but not with credentials.
fn refused(source: &str, answer: &Answer) -> Fault {
    // A successful body may hold a secret; of a refusal it is the reason.
    let said = if answer.status == 200 { "no credentials" } else { "" };
    let text = String::from_utf8_lossy(&answer.body);
    let said = if said.is_empty() { short(&text) } else { said.to_owned() };
    let doing = format!("find credentials in {source}");
    let kind = match answer.status {
        429 => Kind::Throttled,
        500.. => Kind::Unwell,
        _ => Kind::NoCredentials,
    };
    let message = format!("it answered {}: {said}", answer.status);
    let mut fault = Fault::ours(kind, &doing, "NoCredentials", &message, "");
    fault.status = answer.status;
    fault.retry_after = answer.retry_after;
    fault
}
