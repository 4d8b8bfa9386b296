//! The files a stream was built from, as one number: a reload leaves a stream alone when its settings
//! and this number are the same. Kept in memory only, never written.

use codec::checksum::Hasher128;
use delivery::{Destination, StreamConfig, sink};
use remote::ClientConfig;

/// The number of the files these settings name, as they are now.
pub(super) fn of_files(config: &StreamConfig) -> u128 {
    let client = match &config.destination {
        Destination::Fixed(sink::Config::Dynatrace(config)) => Some(&config.client),
        Destination::Fixed(sink::Config::Otlp(config)) => Some(&config.client),
        Destination::Fixed(sink::Config::Prometheus(config)) => Some(&config.client),
        Destination::Fixed(sink::Config::HttpEndpoint(config)) => Some(&config.client),
        Destination::Fixed(sink::Config::S3(config)) => Some(&config.identity.client),
        Destination::Fixed(sink::Config::File(_) | sink::Config::Blackhole) => None,
        Destination::FromRequest(from) => Some(&from.dynatrace.client),
    };
    let mut hasher = Hasher128::new();
    hasher.update(&client.map(authorities).unwrap_or_default());
    hasher.digest()
}

/// A file that cannot be read is refused where the destination is built.
fn authorities(client: &ClientConfig) -> Vec<u8> {
    let file = client.tls.ca_file.as_deref();
    file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default()
}
