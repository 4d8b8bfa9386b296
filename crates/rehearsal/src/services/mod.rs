//! Simulated services in several accounts and regions, and the deliveries that carry their metrics.
//!
//! A service lives through its day: traffic follows a wave by the hour, with noise of its own, and
//! latencies, levels and errors follow the traffic. Everything follows from the seed and the minute
//! asked for; nothing here reads a clock.

mod deliver;
mod life;
mod put;

pub use deliver::{Deliveries, Delivery, Plan};
pub use put::{Put, Puts, Putter};

use metric::{Dimension, Point, Unit};

use crate::fleet::Resource;
use crate::payload::STREAM;
use life::Sample;

/// Milliseconds of a minute and of a day.
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

const NS_PER_MS: u64 = 1_000_000;

/// How late a late resource publishes: a day and two hours, as storage metrics do. Beyond what
/// Dynatrace takes (an hour), within what CloudWatch streams (two days).
const LATE_MS: u64 = DAY_MS + 120 * MINUTE_MS;

/// Which additional statistics the metric stream has configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Additional {
    /// None.
    None,
    /// p50, p90 and p99 of everything that is measured per event.
    Percentiles,
}

/// Which services there are.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Same seed, same lives.
    pub seed: u64,
    /// Series, which is points a minute.
    pub series: usize,
    /// Additional statistics.
    pub additional: Additional,
    /// Share of resources whose points come a day late.
    pub late: f64,
}

impl Options {
    /// `series` services of `seed`, on time and without additional statistics.
    pub fn new(seed: u64, series: usize) -> Self {
        Self { seed, series, additional: Additional::None, late: 0.0 }
    }
}

/// Whether a point is of the minute at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// It is.
    OnTime,
    /// It is of the day before, too old for some destinations.
    Late,
}

/// One resource with its names worked out.
struct Service {
    index: u64,
    resource: Resource,
    dimensions: Vec<(&'static str, String)>,
    metrics: usize,
    lateness: Lateness,
}

/// All services.
pub struct Services {
    options: Options,
    services: Vec<Service>,
}

impl Services {
    /// As many resources as it takes for `options.series` series.
    pub fn new(options: Options) -> Self {
        let mut left = options.series;
        let mut services = Vec::new();
        for index in 0.. {
            if left == 0 {
                break;
            }
            let resource = Resource::nth(index);
            let metrics = resource.namespace().metrics.len().min(left);
            let mut chance = life::chance_of(options.seed, index);
            let late = chance.chance(options.late);
            let lateness = if late { Lateness::Late } else { Lateness::OnTime };
            let dimensions = resource.dimensions();
            services.push(Service { index, resource, dimensions, metrics, lateness });
            left -= metrics;
        }
        Self { options, services }
    }

    /// Calls `visit` for every point of the minute that begins at `start_ms`.
    pub fn minute(&self, start_ms: u64, mut visit: impl FnMut(&Point<'_>, Lateness)) {
        for service in &self.services {
            let start_ms = match service.lateness {
                Lateness::OnTime => start_ms,
                Lateness::Late => start_ms.saturating_sub(LATE_MS),
            };
            self.publish(service, start_ms, &mut visit);
        }
    }

    fn publish(
        &self,
        service: &Service,
        start_ms: u64,
        visit: &mut impl FnMut(&Point<'_>, Lateness),
    ) {
        let pairs = service.dimensions.iter();
        let dimensions: Vec<Dimension<'_>> =
            pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let (account, region) = service.resource.owner();
        let namespace = service.resource.namespace();
        for (n, metric) in namespace.metrics.iter().take(service.metrics).enumerate() {
            let place = life::Place { seed: self.options.seed, service: service.index, metric: n };
            let sample = Sample::of(metric, place, start_ms);
            let extra = match self.options.additional {
                Additional::None => &[][..],
                Additional::Percentiles => sample.percentiles(),
            };
            let point = Point {
                stream: STREAM.as_bytes(),
                account: account.as_bytes(),
                region: region.as_bytes(),
                dimensions: &dimensions,
                unit: Unit::parse(metric.unit.as_bytes()),
                start_ns: start_ms * NS_PER_MS,
                end_ns: Some((start_ms + MINUTE_MS) * NS_PER_MS),
                min: Some(sample.min),
                max: Some(sample.max),
                sum: Some(sample.sum),
                count: sample.count,
                extra,
                ..Point::of(namespace.name.as_bytes(), metric.name.as_bytes())
            };
            visit(&point, service.lateness);
        }
    }
}

#[cfg(test)]
mod tests;
