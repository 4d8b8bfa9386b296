//! The packing half: records in the form of a metric stream, one after the other, compressed whole.

use codec::container::{Compressor, Container};
use metric::{Encoder, Point};

use super::{Config, entry_name};
use crate::sink::{Offer, Payload};

/// A record is closed at this size. Those of metric streams are smaller than Firehose's 1000 KiB, and
/// readers of OpenTelemetry frames hold one at a time.
const RECORD_BYTES: usize = 512 * 1024;

/// The packing half.
pub struct Packer {
    encoder: Encoder,
    compressor: Compressor,
    container: Container,
    bytes_max: usize,
    /// Closed records.
    plain: Vec<u8>,
    points: u32,
    /// Points whose enrichment had no place in the form.
    attributes_left_out: u64,
}

impl Packer {
    /// A packer for these settings.
    pub fn new(config: &Config) -> Packer {
        Packer {
            encoder: Encoder::new(config.format),
            compressor: Compressor::new(config.compression),
            container: config.compression,
            bytes_max: config.bytes_max,
            plain: Vec::new(),
            points: 0,
            attributes_left_out: 0,
        }
    }

    /// Takes a point.
    pub(crate) fn offer(&mut self, point: &Point<'_>) -> Offer {
        self.encoder.push(point);
        self.points += 1;
        self.attributes_left_out += u64::from(!point.attributes.is_empty());
        if self.encoder.len() >= RECORD_BYTES {
            self.encoder.finish(&mut self.plain);
        }
        Offer::Taken
    }

    /// The object is large enough. It may be one point larger: the size is a wish, not a limit of S3.
    pub(crate) fn full(&self) -> bool {
        self.points > 0 && self.plain.len() + self.encoder.len() >= self.bytes_max
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        self.encoder.finish(&mut self.plain);
        let plain_bytes = self.plain.len();
        let body = self.compressed();
        // A large object was an exception: the next one need not keep its room.
        self.plain.clear();
        self.plain.shrink_to(RECORD_BYTES);
        Payload {
            body,
            points: std::mem::take(&mut self.points),
            plain_bytes,
            ..Payload::default()
        }
    }

    fn compressed(&mut self) -> bytes::Bytes {
        if self.container == Container::Plain {
            return std::mem::take(&mut self.plain).into();
        }
        let mut out = Vec::new();
        let name = entry_name(&self.plain);
        if let Err(error) = self.compressor.compress(&name, &self.plain, &mut out) {
            // Within 64 MiB no container is too small. What cannot be compressed is sent as it is:
            // readers tell by content.
            tracing::warn!(%error, "an object could not be compressed");
            return std::mem::take(&mut self.plain).into();
        }
        out.into()
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        let mut unfinished = Vec::new();
        self.encoder.finish(&mut unfinished);
        self.plain.clear();
        self.points = 0;
    }

    /// What was lost of points taken, by kind.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("statistics_left_out", self.encoder.left_out()),
            ("attributes_left_out", self.attributes_left_out),
        ]
    }
}
