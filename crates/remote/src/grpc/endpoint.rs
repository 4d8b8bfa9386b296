//! Where a channel leads: `host:port`, by TLS unless the scheme is `http`.

use reqwest::Url;

use crate::client::place_of;

/// A parsed endpoint: scheme, host and port, nothing else.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    url: Url,
    place: String,
}

const FORMS: &str = "host:port and https://host:port are for TLS, http://host:port for plaintext";

impl Endpoint {
    /// The error says what is wrong and shows no password.
    pub(super) fn parse(text: &str) -> Result<Endpoint, String> {
        let text = text.trim();
        let full = match text.split_once("://") {
            Some(("https" | "http", _)) => text.to_owned(),
            Some((scheme, _)) => return Err(format!("the scheme {scheme:?} is unknown: {FORMS}")),
            None => format!("https://{text}"),
        };
        let url = Url::parse(&full).map_err(|error| format!("no endpoint ({error}): {FORMS}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the endpoint must not hold a user name or password".to_owned());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("gRPC has no path: give host and port only".to_owned());
        }
        let has_port =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let bare_port = text.trim_end_matches('/').rsplit_once(':').map(|(_, port)| port);
        if full != text && !bare_port.is_some_and(has_port) {
            return Err(format!("{text:?} has no port; that of OTLP over gRPC is 4317 by custom"));
        }
        Ok(Endpoint { place: place_of(&url), url })
    }

    /// No TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// `host:port`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The URL of a method.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    /// What is probably wrong when the peer does not speak HTTP/2.
    pub(super) fn not_http2(&self) -> &'static str {
        if self.is_plain() {
            "gRPC needs HTTP/2: is this the port of OTLP over HTTP, such as 4318, or one that wants TLS?"
        } else {
            "gRPC needs HTTP/2: is this the port of OTLP over HTTP, such as 4318?"
        }
    }

    /// What is probably wrong when the peer does not speak TLS.
    pub(super) fn not_tls(&self) -> &'static str {
        "does the server speak TLS here? http://host:port is for plaintext"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* endpoints by TLS and in plaintext, with and without scheme.
    /// *Guarantees:* the place and the URL of a method.
    #[test]
    fn the_forms_of_an_endpoint() {
        let table = [
            ("collector:4317", false, "collector:4317", "https://collector:4317/a.B/C"),
            (" https://collector:4317/ ", false, "collector:4317", "https://collector:4317/a.B/C"),
            ("http://127.0.0.1:4317", true, "127.0.0.1:4317", "http://127.0.0.1:4317/a.B/C"),
            ("[::1]:4317", false, "[::1]:4317", "https://[::1]:4317/a.B/C"),
            ("api.example.com:443", false, "api.example.com:443", "https://api.example.com/a.B/C"),
            (
                "https://api.example.com",
                false,
                "api.example.com:443",
                "https://api.example.com/a.B/C",
            ),
        ];
        for (text, plain, place, url) in table {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.is_plain(), endpoint.place()), (plain, place), "{text}");
            assert_eq!(endpoint.url("/a.B/C").as_str(), url);
        }
    }

    /// *Scenario:* what is no endpoint of gRPC.
    /// *Guarantees:* an error that says why and shows no password.
    #[test]
    fn what_is_no_endpoint() {
        let table = [
            ("", "no endpoint"),
            ("collector", "has no port"),
            ("[::1]", "has no port"),
            ("grpc://collector:4317", "\"grpc\""),
            ("dns:///collector:4317", "\"dns\""),
            ("https://collector:4317/v1/metrics", "no path"),
            ("http://collector:4317?x=1", "no path"),
            ("https://u:hunter2@collector:4317", "user name"),
            ("u:hunter2@collector:4317", "user name"),
            ("collector:99999", "no endpoint"),
        ];
        for (text, part) in table {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
