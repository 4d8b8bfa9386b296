//! Looking on at a stream, by the name under which it is told.

use delivery::{NotTapped, Tap, TapFilter};

use super::house::{House, Running};

impl House {
    /// Opens a tap on a stream, a lane, or a stream made through the API.
    pub fn tap(&self, name: &str, filter: TapFilter) -> Result<Tap, String> {
        for running in self.streams.values() {
            match running {
                Running::Fixed(config, stream) if config.name == name => {
                    return opened(name, stream.stats().taps.open(filter));
                }
                Running::Lanes(_, lanes) => {
                    let lane = lanes.streams().into_iter().find(|(lane, ..)| lane == name);
                    if let Some((_, _, stats)) = lane {
                        return opened(name, stats.taps.open(filter));
                    }
                }
                Running::Fixed(..) => {}
            }
        }
        if let Some(stats) = self.made_stats(name) {
            return opened(name, stats.taps.open(filter));
        }
        Err(self.no_stream(name))
    }
}

fn opened(name: &str, tap: Result<Tap, NotTapped>) -> Result<Tap, String> {
    tap.map_err(|refusal| match refusal {
        NotTapped::Records => format!(
            "stream {name} carries records as they came and never looks into them, so it has no \
             points to show; hydrant inspect shows what is in records where it delivers them"
        ),
        NotTapped::TooMany => {
            format!("stream {name} has four taps already: close one of them first")
        }
    })
}
