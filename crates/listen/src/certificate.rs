//! What a client such as Firehose will think of a certificate file, before it calls.
//!
//! Judged as a client does: a path to the authorities this machine trusts, the host name, the time.
//! Nothing is decided by it; a listener serves whatever it is given.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::tls::{TlsError, read_chain, read_pair};
use crate::validity;

/// What is known of a certificate file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Host names it is for.
    pub names: Vec<String>,
    /// Certificates in the file.
    pub chain: usize,
    /// It is signed by itself.
    pub self_signed: bool,
    /// When it ends, seconds since the epoch; `None` when that cannot be read.
    pub ends_s: Option<i64>,
    /// Why a client refuses it; `None` when it does not.
    pub fault: Option<Fault>,
}

/// Why a client refuses a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This machine trusts no authority, so nothing could be checked.
    NoAuthorities,
    /// No path to an authority.
    UnknownIssuer,
    /// It says of itself that it is an authority, which no server may be.
    Authority,
    /// Its time is over, or has not come.
    OutOfTime,
    /// It is not for this host.
    OtherName(String),
    /// Something else, in words.
    Other(String),
}

/// Looks at a certificate and its key. `host` is the name a client calls; without it, the first of
/// the certificate's own.
pub fn look(
    cert_file: &Path,
    key_file: &Path,
    host: Option<&str>,
    now_s: u64,
) -> Result<Certificate, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = read_chain(cert_file)?;
    read_pair(cert_file, key_file, &provider)?;
    let Some((first, intermediates)) = chain.split_first() else {
        return Err(TlsError(format!("cert_file {}: no certificate in it", cert_file.display())));
    };
    let parsed = webpki::EndEntityCert::try_from(first).map_err(|error| {
        TlsError(format!("cert_file {}: not a usable certificate: {error}", cert_file.display()))
    })?;
    let names: Vec<String> = parsed.valid_dns_names().map(str::to_owned).collect();
    let self_signed = parsed.issuer() == parsed.subject();
    let name = host.or(names.first().map(String::as_str)).unwrap_or_default().replace('*', "any");
    let fault = match authorities() {
        roots if roots.is_empty() => Some(Fault::NoAuthorities),
        roots => WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Fault::Other(error.to_string()))
            .and_then(|verifier| judge(&verifier, first, intermediates, &name, now_s))
            .err(),
    };
    let ends_s = validity::not_after(first);
    Ok(Certificate { names, chain: chain.len(), self_signed, ends_s, fault })
}

/// Those of the system; what of them cannot be read is passed over, as clients do.
fn authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    roots
}

fn judge(
    verifier: &WebPkiServerVerifier,
    first: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &str,
    now_s: u64,
) -> Result<(), Fault> {
    use rustls::CertificateError as E;
    let server = ServerName::try_from(name).map_err(|_| Fault::OtherName(name.to_owned()))?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now_s));
    let verified = verifier.verify_server_cert(first, intermediates, &server, &[], now);
    let Err(error) = verified else { return Ok(()) };
    Err(match error {
        // Another authority of the same name has signed it: just as unknown.
        rustls::Error::InvalidCertificate(E::UnknownIssuer | E::BadSignature) => {
            Fault::UnknownIssuer
        }
        rustls::Error::InvalidCertificate(
            E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. },
        ) => Fault::OutOfTime,
        rustls::Error::InvalidCertificate(
            E::NotValidForName | E::NotValidForNameContext { .. },
        ) => Fault::OtherName(name.to_owned()),
        // What rustls has no name of its own for is told by that of its verifier.
        rustls::Error::InvalidCertificate(E::Other(other)) => match other.0.to_string() {
            name if name == "CaUsedAsEndEntity" => Fault::Authority,
            name => Fault::Other(name),
        },
        other => Fault::Other(other.to_string()),
    })
}
