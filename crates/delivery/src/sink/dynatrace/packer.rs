//! The packing half: points become lines of the open parcel.
//!
//! Always holds: a parcel has at most 1,000 lines and 900,000 bytes before compression, metadata
//! lines counted; each of its lines satisfies the grammar; a unit counts as announced only once its
//! line is in a closed parcel. In steady state nothing is allocated per point.

use codec::gzip::Deflater;
use metric::{Point, ShapeId};

use super::gauge::{Gauge, NoGauge};
use super::known::Known;
use super::open::{EXTRAS_BYTES, EXTRAS_MAX, LINE_BYTES_MAX, Open};
use super::window::{Place, place};
use super::{Config, TooOld};
use crate::sink::shelf::Shelf;
use crate::sink::{Moment, Offer, Payload};

/// Lines of a request, as Dynatrace's own libraries send them; more may be throttled.
pub(crate) const LINES_MAX: usize = 1_000;

/// Bytes of a request before compression. The server takes 1 MiB.
pub(crate) const BYTES_MAX: usize = 900_000;

/// Level 1: a higher one costs three times the time for a tenth less on the wire.
const GZIP_LEVEL: u32 = 1;

/// The packing half.
pub struct Packer {
    too_old: TooOld,
    percentiles: bool,
    metadata: bool,
    known: Known,
    open: Open,
    points: u32,
    deflater: Option<Deflater>,
    shelf: Shelf,
}

impl Packer {
    /// A packer for these settings.
    pub(crate) fn new(config: &Config) -> Packer {
        Packer {
            too_old: config.too_old,
            percentiles: config.percentiles,
            metadata: config.metadata,
            known: Known::new(config.digit_section),
            open: Open::default(),
            points: 0,
            deflater: config.compression.then(|| Deflater::new(GZIP_LEVEL)),
            shelf: Shelf::default(),
        }
    }

    /// Offers a point.
    pub(crate) fn offer(
        &mut self,
        point: &Point<'_>,
        shape: Option<ShapeId>,
        moment: Moment,
    ) -> Offer {
        let (time_ms, restamped) = match place(point.instant_ms(), moment, self.too_old) {
            Place::At(time_ms) => (time_ms, false),
            Place::Restamped(time_ms) => (time_ms, true),
            Place::Out(offer) => return offer,
        };
        let gauge = match Gauge::of(point) {
            Ok(gauge) => gauge,
            Err(NoGauge::Inconsistent) => return Offer::Refused("inconsistent"),
            Err(NoGauge::Incomplete) => return Offer::Refused("incomplete"),
        };
        let losses = &mut self.open.losses;
        losses.restamped += u64::from(restamped);
        losses.extremes_repaired += u64::from(gauge.repaired);
        losses.extremes_supplied += u64::from(gauge.supplied);

        let prepared = self.known.parts(point, shape);
        if self.metadata
            && !prepared.announced
            && let Some(shape) = shape
        {
            self.open.announce(point, prepared, shape.index());
        }
        self.open.write(point, prepared, &gauge, time_ms);
        if !point.extra.is_empty() {
            self.open.write_extras(point, prepared, self.percentiles, time_ms);
        }
        self.points += 1;
        Offer::Taken
    }

    /// The next point might not fit.
    pub(crate) fn full(&self) -> bool {
        let (lines, bytes) = match (self.percentiles, self.metadata) {
            (false, false) => (1, LINE_BYTES_MAX),
            (false, true) => (2, LINE_BYTES_MAX),
            (true, _) => (2 + EXTRAS_MAX, LINE_BYTES_MAX + EXTRAS_BYTES),
        };
        let open = &self.open;
        self.points > 0 && (open.lines + lines > LINES_MAX || open.text.len() + bytes > BYTES_MAX)
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        debug_assert!(self.points > 0, "an empty parcel is not sent");
        let plain_bytes = self.open.text.len();
        debug_assert!(self.open.lines <= LINES_MAX && plain_bytes <= BYTES_MAX, "parcel limits");
        let mut buffer = self.shelf.take();
        let body = match &mut self.deflater {
            None => self.open.text.replace(buffer),
            Some(deflater) => {
                buffer.clear();
                deflater.gzip(self.open.text.as_slice(), &mut buffer);
                buffer
            }
        };
        let body = self.shelf.body(body);
        let payload = Payload { body, points: self.points, plain_bytes, ..Payload::default() };
        self.open.announcing.clear();
        self.open.clear();
        self.points = 0;
        payload
    }

    /// Forgets the open parcel, and that it announced units.
    pub(crate) fn discard(&mut self) {
        for index in self.open.announcing.drain(..) {
            self.known.take_back(index);
        }
        self.open.clear();
        self.points = 0;
    }

    /// What lines could not carry, by name, since the start.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        let mut list = self.open.losses.list();
        list.push(("keys_shared", self.known.keys_shared));
        list
    }
}
