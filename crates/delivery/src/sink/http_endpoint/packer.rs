//! The packing half: points become records, and records what follows the head of a delivery.
//!
//! The head holds the request id and the time of sending, which are known to the wire only; the
//! body made here begins inside the list of records. In steady state nothing is allocated per point.

use codec::gzip::Deflater;
use metric::Point;

use super::losses::Losses;
use super::record::Record;
use super::{Config, RECORD_BYTES_MAX, RECORDS_MAX};
use crate::sink::shelf::Shelf;
use crate::sink::{Offer, Payload};

/// Room kept for the next point: the largest real ones have a few kilobytes.
const RESERVE: usize = 64 * 1024;
/// Level 1: a higher one costs three times the time for a tenth less on the wire.
const GZIP_LEVEL: u32 = 1;

/// The packing half.
pub struct Packer {
    record_bytes: usize,
    bytes_max: usize,
    record: Record,
    /// Records are taken as they are, and this follows each.
    delimiter: Option<Vec<u8>>,
    /// The record being closed.
    raw: Vec<u8>,
    /// `{"data":"..."},{"data":"..."}`, then `]}`.
    list: Vec<u8>,
    /// Bytes of the closed records, before base64.
    bytes: usize,
    records: u32,
    points: u32,
    deflater: Option<Deflater>,
    shelf: Shelf,
    losses: Losses,
}

impl Packer {
    /// A packer for these settings.
    pub fn new(config: &Config) -> Packer {
        let record_bytes = config.record_bytes.min(RECORD_BYTES_MAX);
        Packer {
            record_bytes,
            bytes_max: config.bytes_max,
            record: Record::new(config.content.format(), record_bytes),
            delimiter: config.content.delimiter(),
            raw: Vec::new(),
            list: Vec::new(),
            bytes: 0,
            records: 0,
            points: 0,
            deflater: config.gzip.then(|| Deflater::new(GZIP_LEVEL)),
            shelf: Shelf::default(),
            losses: Losses::default(),
        }
    }

    /// Offers a point.
    pub(crate) fn offer(&mut self, point: &Point<'_>) -> Offer {
        let size = match self.record.measure(point, &mut self.losses) {
            Ok(size) => size,
            Err(reason) => return Offer::Refused(reason),
        };
        if size > RECORD_BYTES_MAX.min(self.bytes_max) {
            return Offer::Refused("too_large");
        }
        // A point larger than `record_bytes` gets a record of its own, which the protocol allows.
        let over = self.record.bytes() + size > self.record_bytes || self.record.is_crowded();
        if over && self.record.points() > 0 {
            // What was measured stays at hand.
            self.close_record();
        }
        self.record.push(point, size);
        self.points += 1;
        Offer::Taken
    }

    pub(crate) fn takes_records(&self) -> bool {
        self.delimiter.is_some()
    }

    /// Whether a record fits into the open delivery.
    pub(crate) fn has_room_for(&self, record: &[u8]) -> bool {
        let size = record.len() + self.delimiter.as_ref().map_or(0, Vec::len);
        self.records == 0 || self.records < RECORDS_MAX && self.bytes + size <= self.bytes_max
    }

    /// Takes a record as it is.
    pub(crate) fn offer_record(&mut self, record: &[u8]) -> Result<(), &'static str> {
        if record.len() > RECORD_BYTES_MAX {
            return Err("too_large");
        }
        self.raw.clear();
        self.raw.extend_from_slice(record);
        self.raw.extend_from_slice(self.delimiter.as_deref().unwrap_or_default());
        self.push_raw();
        self.points += 1;
        Ok(())
    }

    fn close_record(&mut self) {
        self.raw.clear();
        self.record.finish(&mut self.raw);
        self.push_raw();
    }

    fn push_raw(&mut self) {
        if self.records > 0 {
            self.list.push(b',');
        }
        self.list.extend_from_slice(b"{\"data\":\"");
        codec::base64::encode_into(&self.raw, &mut self.list);
        self.list.extend_from_slice(b"\"}");
        self.bytes += self.raw.len();
        self.records += 1;
    }

    /// Must be closed first.
    pub(crate) fn full(&self) -> bool {
        let reserve = RESERVE.min(self.bytes_max / 8);
        self.points > 0
            && (self.bytes + self.record.bytes() + reserve > self.bytes_max
                || self.records + 1 >= RECORDS_MAX)
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        debug_assert!(self.points > 0, "an empty parcel is not sent");
        if self.record.points() > 0 {
            self.close_record();
        }
        self.list.extend_from_slice(b"]}");
        let plain_bytes = self.list.len();
        let mut buffer = self.shelf.take();
        buffer.clear();
        match &mut self.deflater {
            None => std::mem::swap(&mut self.list, &mut buffer),
            Some(deflater) => deflater.gzip(&self.list, &mut buffer),
        }
        let body = self.shelf.body(buffer);
        let payload = Payload { body, points: self.points, plain_bytes, ..Payload::default() };
        self.discard();
        payload
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        self.record.clear();
        self.list.clear();
        self.bytes = 0;
        self.records = 0;
        self.points = 0;
    }

    /// What records could not carry, by name, since the start.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        self.losses.list()
    }
}
