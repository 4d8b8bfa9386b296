//! What the tests of this sink share.

use std::time::Duration;

use remote::{ClientConfig, TlsConfig};

use super::{Config, Naming};

pub(crate) fn config(url: &str) -> Config {
    Config {
        url: url.to_owned(),
        naming: Naming::Yace,
        headers: Vec::new(),
        basic_auth: None,
        bearer_token: None,
        oauth2: None,
        external_labels: Vec::new(),
        metadata: true,
        samples_max: 10_000,
        bytes_max: 4 << 20,
        client: ClientConfig {
            tls: TlsConfig::default(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            answer_bytes: 65_536,
        },
    }
}
