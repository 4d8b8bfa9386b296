//! Server certificates, replaced while running.
//!
//! Owns the one certificate in use. A handshake takes whichever is current; a reload that fails
//! leaves the old one where it is. Every error names the file and what to look at.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::validity;

/// A certificate and key that can be replaced; clones share it.
#[derive(Clone, Debug)]
pub struct ServerTls {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// The files could not be used. The text names file and cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl ServerTls {
    /// Loads PEM files: certificate chain and private key (PKCS#8, PKCS#1 or SEC1). A certificate
    /// that has expired is used, with a warning: a delivery refused at the handshake helps nobody
    /// more than one refused by the client, who says why.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<ServerTls, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = read(cert_file, key_file, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError(format!("tls: {error}")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(ServerTls { current, config: Arc::new(config) })
    }
    /// Loads anew; new connections use it. On error the old one stays.
    pub fn reload(&self, cert_file: &Path, key_file: &Path) -> Result<(), TlsError> {
        let key = read(cert_file, key_file, self.config.crypto_provider())?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        Ok(())
    }
    /// When the certificate in use ends, seconds since the epoch; `None` when that cannot be read.
    pub fn ends_s(&self) -> Option<i64> {
        let current = self.current.0.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().and_then(|certificate| validity::not_after(certificate))
    }
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn read(
    cert_file: &Path,
    key_file: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let pair = read_pair(cert_file, key_file, provider)?;
    if let Some(first) = pair.cert.first() {
        warn_if_expired(cert_file, first);
    }
    Ok(pair)
}

/// A certificate chain and the key that belongs to it.
pub(crate) fn read_pair(
    cert_file: &Path,
    key_file: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(cert_file)?;
    let key = read_key(key_file)?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| {
        TlsError(format!("key_file {}: not a usable private key: {error}", key_file.display()))
    })?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        // A key that cannot be compared (an unusual kind) is given the benefit of the doubt.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(pair)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError(format!(
            "key_file {} does not belong to the first certificate of cert_file {}",
            key_file.display(),
            cert_file.display()
        ))),
        Err(error) => Err(TlsError(format!(
            "cert_file {}: not a usable certificate: {error}",
            cert_file.display()
        ))),
    }
}

pub(crate) fn read_chain(cert_file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = cert_file.display();
    let text =
        std::fs::read(cert_file).map_err(|error| TlsError(format!("cert_file {file}: {error}")))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| TlsError(format!("cert_file {file}: not PEM: {error}")))?;
    if !chain.is_empty() {
        return Ok(chain);
    }
    let hint = if PrivateKeyDer::from_pem_slice(&text).is_ok() {
        "it holds a private key; are cert_file and key_file swapped?"
    } else {
        "it must hold '-----BEGIN CERTIFICATE-----', the server's own certificate first"
    };
    Err(TlsError(format!("cert_file {file}: no certificate found; {hint}")))
}

fn read_key(key_file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let file = key_file.display();
    let text =
        std::fs::read(key_file).map_err(|error| TlsError(format!("key_file {file}: {error}")))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(&text, b"ENCRYPTED PRIVATE KEY") => {
            TlsError(format!("key_file {file}: the key is encrypted; give it without a passphrase"))
        }
        pem::Error::NoItemsFound => TlsError(format!(
            "key_file {file}: no private key found; it must be PEM (PKCS#8, PKCS#1 or SEC1)"
        )),
        error => TlsError(format!("key_file {file}: not PEM: {error}")),
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn warn_if_expired(cert_file: &Path, certificate: &[u8]) {
    let Some(end) = validity::not_after(certificate) else { return };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    if end < now {
        let days = (now - end) / 86_400;
        tracing::warn!(file = %cert_file.display(), days, "certificate has expired");
    }
}
