//! What a stream is built from, as one number: two settings with the same number run alike, so a
//! reload leaves the stream alone.
//!
//! Secrets and the content of CA files count as much as what is printed; the number tells nothing
//! of them. Kept in memory only, never written.

use std::path::Path;

use codec::checksum::Hasher128;
use delivery::{Destination, StreamConfig, sink};
use remote::{ClientConfig, Secret};

/// The number of these settings, with the files they name as they are now.
pub(super) fn of_stream(config: &StreamConfig) -> u128 {
    let mut hasher = Hasher128::new();
    // All but the secrets, which print as stars.
    put(&mut hasher, format!("{config:?}").as_bytes());
    match &config.destination {
        Destination::Fixed(destination) => put_destination(&mut hasher, destination),
        Destination::FromRequest(from) => {
            put_secret(&mut hasher, &from.token_key);
            put_client(&mut hasher, &from.dynatrace.client);
        }
    }
    hasher.digest()
}

fn put_destination(hasher: &mut Hasher128, destination: &sink::Config) {
    match destination {
        sink::Config::Dynatrace(config) => {
            put_secret(hasher, &config.api_token);
            put_client(hasher, &config.client);
        }
        sink::Config::Otlp(config) => {
            config.headers.iter().for_each(|(_, value)| put_secret(hasher, value));
            config.bearer_token.iter().for_each(|token| put_secret(hasher, token));
            config.oauth2.iter().for_each(|oauth2| put_secret(hasher, &oauth2.client_secret));
            put_client(hasher, &config.client);
        }
        sink::Config::File(_) | sink::Config::Blackhole => {}
    }
}

fn put_client(hasher: &mut Hasher128, client: &ClientConfig) {
    // A file that cannot be read is refused where the destination is built.
    let authorities = client.tls.ca_file.as_deref().map(read).unwrap_or_default();
    put(hasher, &authorities);
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}

fn put_secret(hasher: &mut Hasher128, secret: &Secret) {
    put(hasher, secret.expose().as_bytes());
}

/// With its length, so that two parts never look like two others.
fn put(hasher: &mut Hasher128, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
