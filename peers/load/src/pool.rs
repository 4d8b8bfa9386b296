//! A pool of deliveries on disk: what one is made of, and how it is read back.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// `pool.json` of a pool.
#[derive(Serialize, Deserialize)]
pub struct Pool {
    pub format: String,
    pub deliveries: Vec<Delivery>,
}

/// One delivery; its bytes are in files of its own.
#[derive(Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub file: String,
    pub metrics: u64,
    /// Start of the period of all its points, in seconds; no other delivery of the pool has it.
    pub second: u64,
    /// Size of the body on the wire.
    pub bytes: u64,
}

/// How a sender presents a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// An HTTP delivery of Amazon Data Firehose.
    Firehose,
    /// The same metrics as one OTLP/HTTP request: no envelope, no base64, no framing.
    Otlp,
}

impl Pool {
    pub fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("pool.json");
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// The compressed bytes of every delivery, for `wire`.
    pub fn bodies(&self, directory: &Path, wire: Wire) -> Result<Vec<Vec<u8>>, String> {
        let end = if wire == Wire::Otlp { "otlp.gz" } else { "rest.gz" };
        let read = |delivery: &Delivery| {
            let path = directory.join(format!("{}.{end}", delivery.file));
            std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        self.deliveries.iter().map(read).collect()
    }
}

/// What stands before the records in the body of a delivery.
pub fn head(request_id: &str, now_ms: u128) -> String {
    format!("{{\"requestId\":\"{request_id}\",\"timestamp\":{now_ms},\"records\":[")
}
