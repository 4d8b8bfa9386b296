//! The packing half: points become series of the open request, Snappy when it is closed.

use metric::{Point, ShapeId};

use super::encode::Encoder;
use super::metadata::Metadata;
use super::plan::Plans;
use super::series::{EXTRAS_MAX, FIXED_MAX, Open};
use super::{Config, Losses, name};
use crate::sink::shelf::Shelf;
use crate::sink::{Moment, Offer, Payload};

/// Room kept for the next point: the largest real ones have thirty dimensions of 255 characters,
/// five statistics and a few percentiles.
const RESERVE: usize = 128 * 1024;

/// The packing half.
pub struct Packer {
    config: Config,
    plans: Plans,
    open: Open,
    metadata: Metadata,
    losses: Losses,
    /// Most samples a point has had.
    series_max: usize,
    scratch: Vec<u8>,
    encoder: Encoder,
    snappy: snap::raw::Encoder,
    shelf: Shelf,
}

impl Packer {
    /// A packer for these settings.
    pub fn new(config: &Config) -> Packer {
        Packer {
            plans: Plans::new(config),
            open: Open::new(config.naming),
            config: config.clone(),
            metadata: Metadata::default(),
            losses: Losses::default(),
            series_max: FIXED_MAX,
            scratch: Vec::new(),
            encoder: Encoder::new(),
            snappy: snap::raw::Encoder::new(),
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
        let Packer { config, open, scratch, .. } = self;
        for extra in point.extra {
            let name = |out: &mut Vec<u8>| {
                name::push_statistic(config.naming, &extra.statistic, scratch, out)
            };
            if !open.extra(extra.value, name) {
                self.losses.statistics_left_out += 1;
            }
        }
        let series = FIXED_MAX + point.extra.len().min(EXTRAS_MAX);
        self.series_max = self.series_max.max(series);
        let (plan, is_kept) = self.plans.of(point, shape);
        if !open.take(plan, point, config.bytes_max) {
            return Offer::Refused("too_large");
        }
        self.losses.labels_overridden += plan.overridden;
        self.losses.labels_joined += plan.joined;
        if config.metadata && is_kept {
            self.metadata.offer(config.naming, plan, point, moment.now_ms);
        }
        Offer::Taken
    }

    /// Must be closed first.
    pub(crate) fn full(&self) -> bool {
        let Packer { config, open, .. } = self;
        let bytes = open.bytes() + self.metadata.encoded().len();
        let reserve = RESERVE.min(config.bytes_max / 8);
        open.points() > 0
            && (open.samples() + self.series_max > config.samples_max as usize
                || bytes + reserve > config.bytes_max)
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        u32::try_from(self.open.points()).unwrap_or(u32::MAX)
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        debug_assert!(self.points() > 0, "an empty parcel is not sent");
        self.losses.superseded += self.open.write(&mut self.encoder);
        let text = self.encoder.text();
        text.put_unknown(self.metadata.encoded(), &mut self.snappy);
        let mut buffer = self.shelf.take();
        buffer.clear();
        let plain_bytes = text.finish(&mut buffer);
        let points = self.points();
        // One point with many statistics must not make small requests of all that follow.
        self.series_max = FIXED_MAX;
        let body = self.shelf.body(buffer);
        self.discard();
        Payload { body, points, plain_bytes, ..Payload::default() }
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        self.open.clear();
        self.metadata.clear();
    }

    /// What was lost of points taken, by kind.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        self.losses.list()
    }
}
