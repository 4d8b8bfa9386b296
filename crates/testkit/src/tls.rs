//! Certificates for tests: an authority that lives as long as the test, and what it signs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority made for one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server certificate with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// PEM of the certificate.
    pub cert_pem: String,
    /// PEM of the key (PKCS#8).
    pub key_pem: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, trusted by nobody.
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        // A name of its own, as authorities have: two of one name would be taken for one another.
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        Authority { issuer: CertifiedIssuer::self_signed(params, key).expect("it can sign itself") }
    }
    /// PEM of its certificate: what a client is told to trust.
    pub fn ca_pem(&self) -> String {
        self.issuer.pem()
    }
    /// A certificate for `name`, valid now.
    pub fn sign(&self, name: &str) -> Identity {
        self.sign_until(name, 2999)
    }
    /// A certificate for `name` that ended years ago.
    pub fn sign_expired(&self, name: &str) -> Identity {
        self.sign_until(name, 2001)
    }
    fn sign_until(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a test's host name");
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key can be made");
        let cert = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        Identity { cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }
}

impl Identity {
    /// A certificate for `name` that is signed by itself.
    pub fn self_signed(name: &str) -> Identity {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a test's host name");
        let key = KeyPair::generate().expect("a key can be made");
        let cert = params.self_signed(&key).expect("it can sign itself");
        Identity { cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }
    /// The same as `openssl req -x509` makes it: one that says of itself that it is an authority.
    pub fn self_signed_authority(name: &str) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a test's host name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let cert = params.self_signed(&key).expect("it can sign itself");
        Identity { cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }
    /// A rustls configuration that serves it by HTTP/1.1.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let cert = CertificateDer::from_pem_slice(self.cert_pem.as_bytes()).expect("our own PEM");
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("our own PEM");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .expect("key and certificate were made together");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}
