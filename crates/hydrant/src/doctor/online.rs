//! What takes the network: destinations, asked as `validate --online` does, and the clock.

use std::time::Duration;

use http::{Method, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use remote::{Client, ClientConfig, Request, TlsConfig};

use super::Check;
use crate::exit::Exit;
use crate::run::wall_clock;
use crate::settings::Settings;
use crate::validate::{self, Asked};

const CLOCK: &str = "clock";
/// What every AWS partition's clock agrees with, when no destination tells the time.
const AWS: &str = "https://sts.amazonaws.com/";
/// SigV4 refuses what is signed five minutes off.
const OFF_BAD_S: i64 = 240;
const OFF_WARN_S: i64 = 20;
const TIME: Duration = Duration::from_secs(5);

pub(super) fn check(settings: &Settings, checks: &mut Vec<Check>) {
    for probe in validate::probe(settings) {
        let place = format!("{}: {}", probe.owner(), probe.place);
        let area = match probe.asked {
            Asked::Source => "source",
            Asked::Destination | Asked::Backup => "destination",
        };
        checks.push(match probe.exit {
            Exit::Done => Check::ok(area, place),
            Exit::Denied => Check::bad(
                area,
                format!("{place}: {}", probe.message),
                "renew its token or credentials; hydrant doctor explains the code",
            ),
            _ => Check::bad(
                area,
                format!("{place}: {}", probe.message),
                "check its address, the network and the firewall; hydrant doctor explains the code",
            ),
        });
    }
    clock(settings, checks);
}

fn clock(settings: &Settings, checks: &mut Vec<Check>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return checks.push(Check::warn(CLOCK, format!("no runtime: {error}"), "try again"));
        }
    };
    let streams = settings.streams.iter().map(|s| validate::destination_text(&s.destination));
    let mut places: Vec<String> = streams.filter_map(|text| origin(&text)).collect();
    places.dedup();
    places.push(AWS.to_owned());
    for place in places {
        let Some((theirs, ours)) = runtime.block_on(date_of(&place)) else { continue };
        return checks.push(judge(&place, ours - theirs));
    }
    let remedy = "let ntp or chrony keep the clock; nothing here tells whether it does";
    checks.push(Check::warn(CLOCK, "nobody who was asked told the time", remedy));
}

fn judge(place: &str, off_s: i64) -> Check {
    let what = match off_s {
        0 => format!("agrees with {place}"),
        off if off > 0 => format!("{off} s ahead of {place}"),
        off => format!("{} s behind {place}", -off),
    };
    let remedy = "let ntp or chrony keep the clock: AWS refuses signatures five minutes off, and \
                  destinations points that seem too old or too new";
    match off_s.abs() {
        0..OFF_WARN_S => Check::ok(CLOCK, what),
        OFF_WARN_S..OFF_BAD_S => Check::warn(CLOCK, what, remedy),
        _ => Check::bad(CLOCK, what, remedy),
    }
}

/// `https://host:port/` of the first URL in a text.
fn origin(text: &str) -> Option<String> {
    let url = text.split_whitespace().find(|word| word.starts_with("http"))?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', ',']).next()?;
    (!host.is_empty()).then(|| format!("{scheme}://{host}/"))
}

/// Their time and ours, in seconds. Any answer will do, whatever its status.
async fn date_of(url: &str) -> Option<(i64, i64)> {
    let config = ClientConfig {
        // Only the time is read; a certificate that is out of it is what is looked for.
        tls: TlsConfig { ca_file: None, accept_invalid: true },
        connect_timeout: TIME,
        request_timeout: TIME,
        answer_bytes: 64 * 1024,
    };
    let client = Client::new(&config).ok()?;
    let (method, url) = (Method::GET, url.to_owned());
    let request = Request { method, url, headers: Vec::new(), body: bytes::Bytes::new() };
    let answer = client.send(request).await.ok()?;
    let ours = wall_clock()() / 1000;
    let date = answer.headers.get(header::DATE)?.to_str().ok()?;
    let theirs: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some((theirs.as_second(), ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    /// *Scenario:* clocks that agree and that do not; places as destinations are told.
    /// *Guarantees:* the bounds, the direction, and the origin that is asked.
    #[test]
    fn a_clock_is_judged() {
        for (off, state) in
            [(0, State::Ok), (-19, State::Ok), (20, State::Warn), (-240, State::Bad)]
        {
            assert_eq!(judge("x", off).state, state, "{off}");
        }
        assert!(judge("x", -30).what.contains("30 s behind x"));
        let origin_of = |text| origin(text);
        assert_eq!(
            origin_of("dynatrace https://a.example.com/e/x/api").as_deref(),
            Some("https://a.example.com/")
        );
        assert_eq!(origin_of("otlp grpc collector:4317"), None);
    }
}
