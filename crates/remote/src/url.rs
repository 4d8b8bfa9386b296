//! Which URLs a client can use: one check for what is asked of a peer, for settings and for commands.
//!
//! Never shows the URL: it may hold a password.

use reqwest::Url;

/// What keeps a client from using this URL, told before anything is sent.
pub fn check_url(text: &str) -> Result<(), String> {
    parse(text).map(drop)
}

/// Strict where browsers guess: they take `http:host`, and leave out a line break in the middle.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
        return Err("it begins with neither http:// nor https://".to_owned());
    }
    if rest.starts_with('/') {
        return Err("empty host".to_owned());
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it holds a blank or a control character".to_owned());
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if url.has_host() { Ok(url) } else { Err("empty host".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* URLs that a client can use, in odd forms too.
    /// *Guarantees:* each is taken, and the scheme has no case.
    #[test]
    fn usable() {
        for text in [
            "http://127.0.0.1:4433",
            "HTTP://host",
            "Https://[::1]:8443/a?b=c d".replace(' ', "%20").as_str(),
            "https://user:secret@in.example.com/path",
            "http://b\u{fc}cher.example/",
        ] {
            assert_eq!(check_url(text), Ok(()), "{text}");
        }
        assert_eq!(parse("HTTP://host").unwrap().scheme(), "http");
    }

    /// *Scenario:* what people mistype.
    /// *Guarantees:* each is refused with its fault, and nothing of it is shown.
    #[test]
    fn unusable() {
        for (text, why) in [
            ("", "neither http:// nor https://"),
            ("host:4433", "neither"),
            ("ftp://host", "neither"),
            ("http:host", "neither"),
            ("http://", "empty host"),
            ("http:///host", "empty host"),
            ("http://:80/", "empty host"),
            ("http://127.0.0.1:99999/", "invalid port number"),
            ("http://u:secret@host:port/", "invalid port number"),
            ("http://[::1/", "invalid IPv6 address"),
            ("http://a b/", "a blank"),
            ("http://host/\n", "a control character"),
            ("http://ho|st/", "domain"),
        ] {
            let told = check_url(text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
