//! Server certificates, replaced while running.

use std::path::Path;

/// A certificate and key that can be replaced; clones share it.
#[derive(Clone)]
pub struct ServerTls {}

/// The files could not be used. The text names file and cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

impl ServerTls {
    /// Loads PEM files: certificate chain and private key (PKCS#8, PKCS#1 or SEC1).
    pub fn load(_cert_file: &Path, _key_file: &Path) -> Result<ServerTls, TlsError> {
        unimplemented!()
    }
    /// Loads anew; new connections use it. On error the old one stays.
    pub fn reload(&self, _cert_file: &Path, _key_file: &Path) -> Result<(), TlsError> {
        unimplemented!()
    }
}
