//! TLS for clients: verified always, by the system's roots, an own CA file, or (drop-in mode with
//! `require-valid-certificate: false`, nowhere else) not at all.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder};

/// Client TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsConfig {
    /// PEM file with the CA certificates to trust *in addition to* the system's.
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate. Only for drop-in mode.
    pub accept_invalid: bool,
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

/// Installs the one TLS provider of the process; safe to call more than once.
pub fn install_provider() {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Builds a client from `base` with this TLS.
pub(crate) fn build(
    base: impl Fn() -> ClientBuilder,
    config: &TlsConfig,
) -> Result<reqwest::Client, TlsError> {
    install_provider();
    let own = match &config.ca_file {
        Some(file) => read_authorities(file)?,
        None => Vec::new(),
    };
    let plain_error = |error: reqwest::Error| {
        let mut deepest: &dyn std::error::Error = &error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        TlsError(format!("tls: {deepest}"))
    };
    if config.accept_invalid {
        return base().tls_danger_accept_invalid_certs(true).build().map_err(plain_error);
    }
    let with_system = base().tls_certs_merge(own.iter().cloned()).build();
    with_system.or_else(|error| {
        // A machine without CA certificates (a bare container) must still reach http:// backends.
        let client = base().tls_certs_only(own.iter().cloned()).build().map_err(plain_error)?;
        let error = plain_error(error);
        tracing::warn!(%error, "system ca certificates not usable; https needs a ca_file");
        Ok(client)
    })
}

fn read_authorities(file: &Path) -> Result<Vec<Certificate>, TlsError> {
    let name = file.display();
    let pem = std::fs::read(file).map_err(|error| TlsError(format!("ca_file {name}: {error}")))?;
    let found = Certificate::from_pem_bundle(&pem)
        .map_err(|_| TlsError(format!("ca_file {name}: not PEM certificates")))?;
    if found.is_empty() {
        return Err(TlsError(format!("ca_file {name}: no certificate found in it")));
    }
    Ok(found)
}
