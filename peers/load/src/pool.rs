//! A pool of deliveries on disk: what one is made of, and how it is read back.

use std::fmt::Display;
use std::path::Path;

use libdeflater::{DecompressionError, Decompressor};
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

/// The content encoding of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    None,
}

impl Pool {
    pub fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("pool.json");
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// What follows the head in the body of every delivery, in `encoding`.
    pub fn bodies(&self, directory: &Path, encoding: Encoding) -> Result<Vec<Vec<u8>>, String> {
        let read = |delivery: &Delivery| {
            let path = directory.join(format!("{}.rest.gz", delivery.file));
            let named = |error: &dyn Display| format!("{}: {error}", path.display());
            let bytes = std::fs::read(&path).map_err(|e| named(&e))?;
            match encoding {
                Encoding::Gzip => Ok(bytes),
                Encoding::None => inflated(&bytes).map_err(|e| named(&e)),
            }
        };
        self.deliveries.iter().map(read).collect()
    }
}

fn inflated(bytes: &[u8]) -> Result<Vec<u8>, DecompressionError> {
    let end = bytes.last_chunk().ok_or(DecompressionError::BadData)?;
    let mut plain = vec![0; u32::from_le_bytes(*end) as usize];
    Decompressor::new().gzip_decompress(bytes, &mut plain)?;
    Ok(plain)
}

/// What stands before the records in the body of a delivery.
pub fn head(request_id: &str, now_ms: u128) -> String {
    format!("{{\"requestId\":\"{request_id}\",\"timestamp\":{now_ms},\"records\":[")
}
