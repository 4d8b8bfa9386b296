use super::*;

/// *Scenario:* an environment's address in every form people write it.
/// *Guarantees:* one base, to which the API's path is added once.
#[test]
fn addresses_are_normalised() {
    let table = [
        ("https://abc12345.live.dynatrace.com", "https://abc12345.live.dynatrace.com"),
        ("  https://abc12345.live.dynatrace.com// ", "https://abc12345.live.dynatrace.com"),
        ("HTTPS://ABC12345.Live.Dynatrace.com:443/", "https://abc12345.live.dynatrace.com"),
        ("https://abc.live.dynatrace.com/api", "https://abc.live.dynatrace.com"),
        ("https://abc.live.dynatrace.com/api/v2", "https://abc.live.dynatrace.com"),
        ("https://abc.live.dynatrace.com/api/v2/metrics/ingest/", "https://abc.live.dynatrace.com"),
        ("https://abc.apps.dynatrace.com", "https://abc.live.dynatrace.com"),
        ("https://dt.example.org/e/1234-5678/", "https://dt.example.org/e/1234-5678"),
        ("https://ag.example.org:9999/e/id/api/", "https://ag.example.org:9999/e/id"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[::1]:9999/e/x", "https://[::1]:9999/e/x"),
    ];
    for (raw, expected) in table {
        let base = normalise_url(raw).unwrap();
        assert_eq!(base, expected, "{raw}");
        assert_eq!(ingest_url(&base), format!("{expected}/api/v2/metrics/ingest"));
        assert_eq!(normalise_url(&base).unwrap(), base, "twice is once");
    }
    let local = normalise_url("http://localhost:14499/metrics/ingest").unwrap();
    assert_eq!(ingest_url(&local), "http://localhost:14499/metrics/ingest");
}

/// *Scenario:* what is no address, holds credentials, or hides another host.
/// *Guarantees:* refused, and a password is not repeated in the message.
#[test]
fn unusable_addresses_are_refused() {
    for raw in [
        "",
        "abc.live.dynatrace.com",
        "ftp://abc.live.dynatrace.com",
        "https://",
        "https:///api",
        "https://abc.live.dynatrace.com:0",
        "https://abc.live.dynatrace.com:99999",
        "https://abc.live.dynatrace.com:x",
        "https://abc.live.dynatrace.com?x=1",
        "https://abc.live.dynatrace.com/#a",
        "https://abc .live.dynatrace.com",
        "https://abc.live.dynatrace.com\\@evil.example",
        "https://2130706433",
        "https://0x7f.1",
        "https://127.1",
        "https://127.0.0.1.",
        "https://abc.live.dynatrace.com.",
        "https://[::1",
        "https://\u{ff41}bc.live.dynatrace.com",
    ] {
        assert!(normalise_url(raw).is_err(), "{raw:?}");
    }
    let error = normalise_url("https://user:hunter2@abc.live.dynatrace.com").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

/// *Scenario:* hosts against allow-lists, with the tricks that look like an allowed host.
/// *Guarantees:* exact or below the suffix, whatever the case; nothing else.
#[test]
fn only_listed_hosts_are_allowed() {
    let list = |entries: &[&str]| entries.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>();
    let is_allowed =
        |host: &str, allowed: &[String]| url_allowed(&format!("https://{host}"), allowed);
    let dynatrace = list(&["*.live.dynatrace.com", "dt.example.org", "ag.example.org:9999"]);
    for host in [
        "abc.live.dynatrace.com",
        "ABC.LIVE.dynatrace.com",
        "dt.example.org",
        "dt.example.org:8443",
        "ag.example.org:9999",
        "abc.live.dynatrace.com:443",
    ] {
        assert!(is_allowed(host, &dynatrace), "{host}");
    }
    for host in [
        "live.dynatrace.com",
        "evil-live.dynatrace.com",
        "abc.live.dynatrace.com.evil.example",
        "abc.live.dynatrace.com:8443",
        "ag.example.org",
        "xdt.example.org",
        "",
        ".live.dynatrace.com",
        "user@abc.live.dynatrace.com",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        assert!(!is_allowed(host, &dynatrace), "{host}");
    }
    assert!(!is_allowed("abc.example.org", &list(&["*", "*.", ""])));
    assert!(is_allowed("10.0.0.1", &list(&["10.0.0.1"])));
    assert!(!is_allowed("10.0.0.1", &list(&["*.0.0.1"])));
}

/// *Scenario:* plain http, with and without an entry that says so, and on this machine.
/// *Guarantees:* a token goes unencrypted only where the operator wrote it, or nowhere to be read.
#[test]
fn plain_http_needs_an_entry_that_says_so() {
    let list = |entry: &str| vec![entry.to_owned()];
    assert!(!url_allowed("http://dt.example.org", &list("dt.example.org")));
    assert!(url_allowed("http://dt.example.org", &list("http://dt.example.org")));
    assert!(!url_allowed("https://dt.example.org", &list("http://dt.example.org")));
    assert!(url_allowed("https://dt.example.org/e/x", &list("https://dt.example.org/")));
    assert!(url_allowed("http://127.0.0.1:8080", &list("127.0.0.1")));
    assert!(url_allowed("http://localhost:8080", &list("localhost:8080")));
    assert!(!url_allowed("http://localhost:8081", &list("localhost:8080")));
}

/// *Scenario:* common attributes as the CloudFormation template sends them, and with parts missing.
/// *Guarantees:* the target and whether its certificate matters; an error that says what to set.
#[test]
fn the_target_is_read_from_common_attributes() {
    let allowed = vec!["*.live.dynatrace.com".to_owned()];
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
    };
    let url = "https://abc.live.dynatrace.com/";
    let read = |attributes: &[(&str, &str)]| target(&pairs(attributes), &allowed);
    let found = read(&[("dt-url", url), ("require-valid-certificate", "true")]).unwrap();
    assert_eq!(
        (found.url.as_str(), found.accept_invalid),
        ("https://abc.live.dynatrace.com", false)
    );
    assert!(
        read(&[("dt-url", url), ("require-valid-certificate", "FALSE")]).unwrap().accept_invalid
    );
    assert!(!read(&[("dt-url", url), ("require-valid-certificate", "no")]).unwrap().accept_invalid);
    assert!(!read(&[("dt-url", url)]).unwrap().accept_invalid);
    for missing in [&[][..], &[("dt-url", " ")]] {
        assert!(read(missing).unwrap_err().contains("dt-url is missing"));
    }
    assert!(read(&[("dt-url", "https://evil.example")]).unwrap_err().contains("allowed_hosts"));
    assert!(read(&[("dt-url", "nonsense")]).unwrap_err().contains("must begin with https://"));
}
