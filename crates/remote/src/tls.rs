//! TLS for clients: verified always, by the system's roots, an own CA file, or (drop-in mode with
//! `require-valid-certificate: false`, nowhere else) not at all.

use std::path::PathBuf;

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
