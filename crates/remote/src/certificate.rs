//! Why TLS failed, in words for who must mend it: what is wrong with the certificate, and the remedy.
//!
//! The words stand in logs, reports and failed records. Deliberately not here: any decision.

use std::net::IpAddr;
use std::time::Duration;

use rustls::CertificateError as Fault;
use rustls::pki_types::UnixTime;

/// The failure of a handshake.
pub(crate) fn told(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(fault) => of_fault(fault),
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "the peer does not speak TLS on this port: is it http://?".to_owned()
        }
        other => other.to_string(),
    }
}

fn of_fault(fault: &Fault) -> String {
    match fault {
        Fault::UnknownIssuer => "the certificate leads to no authority that is trusted here \
             (UnknownIssuer): give its authority's certificate as ca_file (--ca-file), or have the server \
             send its whole chain"
            .to_owned(),
        Fault::ExpiredContext { not_after, .. } => {
            format!("the certificate expired{}: renew it", at(*not_after))
        }
        Fault::Expired => "the certificate has expired: renew it".to_owned(),
        Fault::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid yet, it will be{}: {CLOCK}", at(*not_before))
        }
        Fault::NotValidYet => format!("the certificate is not valid yet: {CLOCK}"),
        Fault::NotValidForNameContext { expected, presented } => {
            of_other_name(&expected.to_str(), presented)
        }
        Fault::NotValidForName => "the certificate is for another name".to_owned(),
        // What is trusted has the name of its authority, and not its key.
        Fault::BadSignature => "the certificate is signed by another authority than the one of that name \
             that is trusted here (BadSignature): give the right one's certificate as ca_file (--ca-file)"
            .to_owned(),
        Fault::Revoked => "the certificate is revoked: have a new one made".to_owned(),
        Fault::Other(other) => of_other(&other.0.to_string()),
        // Rare ones, in rustls's own words.
        other => format!("the certificate cannot be used: {other}"),
    }
}

const CLOCK: &str = "is the clock of this machine right?";

fn of_other_name(expected: &str, presented: &[String]) -> String {
    if presented.is_empty() {
        let kind = if expected.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
        return format!(
            "the certificate names no host (a common name does not count): make it with \
             subjectAltName, openssl's -addext subjectAltName={kind}:{expected}"
        );
    }
    // They come as DnsName("a.example.com") and IpAddress(127.0.0.1).
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    };
    let names: Vec<String> = presented.iter().map(bare).collect();
    format!(
        "the certificate is for {}, not for {expected}: use a name that it holds, or one with this name",
        names.join(", ")
    )
}

/// Faults that rustls passes through from its verifier, which has no more than a name for them.
fn of_other(name: &str) -> String {
    match name {
        "CaUsedAsEndEntity" => "the certificate says that it is an authority (CA:TRUE), which no server \
             may be: make it with openssl's -addext basicConstraints=critical,CA:FALSE, or sign one by it"
            .to_owned(),
        "UnsupportedCertVersion" => "the certificate is not X.509 version 3: make it anew".to_owned(),
        other => format!("the certificate cannot be used: {other}"),
    }
}

/// `at 2026-11-20T10:00:00Z`, with a blank before it; nothing for an instant out of range.
fn at(time: UnixTime) -> String {
    let since = jiff::SignedDuration::try_from(Duration::from_secs(time.as_secs()));
    let instant = since.ok().and_then(|since| jiff::Timestamp::from_duration(since).ok());
    instant.map_or_else(String::new, |instant| format!(" at {instant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* a certificate without any name, called by name and by address; one that is not valid yet.
    /// *Guarantees:* the kind of name to give it, and the instant.
    #[test]
    fn names_and_instants() {
        assert!(of_other_name("localhost", &[]).ends_with("subjectAltName=DNS:localhost"));
        assert!(of_other_name("::1", &[]).ends_with("subjectAltName=IP:::1"));
        let [time, not_before] =
            [1, 86_400].map(|s| UnixTime::since_unix_epoch(Duration::from_secs(s)));
        let early = of_fault(&Fault::NotValidYetContext { time, not_before });
        assert!(early.contains("will be at 1970-01-02T00:00:00Z: is the clock"), "{early}");
    }
}
