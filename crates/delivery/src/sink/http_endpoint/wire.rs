//! The sending half.

use super::Config;
use crate::sink::Payload;
use crate::{Verdict, Why};

/// The sending half.
pub struct Wire {
    place: String,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(_config: &Config) -> Result<Wire, String> {
        Ok(Wire { place: "http_endpoint".to_owned() })
    }

    /// One attempt.
    pub(crate) async fn send(&self, _payload: &Payload) -> Verdict {
        let why = Why { code: "Hydrant.Destination", message: "not built".to_owned() };
        Verdict::Later { after: None, loud: true, why }
    }

    /// Asks without changing anything.
    pub(crate) async fn probe(&self) -> Verdict {
        self.send(&Payload::default()).await
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        self.place.clone()
    }
}
