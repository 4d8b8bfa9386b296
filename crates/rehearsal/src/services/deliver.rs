//! From points to deliveries: records of several messages, closed by size, some repeated, some
//! with a record that nobody can read.

use metric::{Encoder, Format, Point};

use super::{Lateness, Services};
use crate::random::Random;
use crate::sender::request_id;

/// A message is closed at this many bytes: about 100 metrics, as CloudWatch's messages have.
const MESSAGE_BYTES: usize = 24 * 1024;

/// A record is closed at this many bytes: the size of records in captures.
const RECORD_BYTES: usize = 128 * 1024;

/// How points are delivered.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Format of the records.
    pub format: Format,
    /// A delivery is closed when its records have this many bytes, before base64: the buffering
    /// size of the delivery stream.
    pub delivery_bytes: usize,
    /// Share of deliveries that are sent a second time with the same request id.
    pub repeated: f64,
    /// Share of deliveries that hold one damaged record more.
    pub damaged: f64,
    /// Points in all, repeats not counted; then there are no more deliveries.
    pub points_max: Option<u64>,
}

impl Plan {
    /// Deliveries of 1 MiB, each once and undamaged.
    pub fn new(format: Format) -> Self {
        Self { format, delivery_bytes: 1024 * 1024, repeated: 0.0, damaged: 0.0, points_max: None }
    }
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number from 0; a repeat has the number of the first.
    pub number: u64,
    /// Its request id, from seed and number.
    pub request_id: String,
    /// Its records.
    pub records: Vec<Vec<u8>>,
    /// Points in the good records.
    pub points: u64,
    /// Damaged records among `records`.
    pub damaged: u64,
    /// Whether it repeats the one before.
    pub is_repeat: bool,
}

/// Services whose points are packed into deliveries.
pub struct Deliveries {
    services: Services,
    plan: Plan,
    encoder: Encoder,
    random: Random,
    next: u64,
    made: u64,
}

impl Deliveries {
    /// Deliveries of these services; the first has the number 0.
    pub fn new(services: Services, plan: Plan) -> Self {
        let random = Random::keyed(services.options.seed, 0xde11);
        let encoder = Encoder::new(plan.format);
        Self { services, plan, encoder, random, next: 0, made: 0 }
    }

    /// The deliveries of the minute that begins at `start_ms`. `visit` sees every point with the
    /// number of the delivery that carries it, before the delivery is handed out.
    pub fn minute(
        &mut self,
        start_ms: u64,
        mut visit: impl FnMut(u64, &Point<'_>, Lateness),
    ) -> Vec<Delivery> {
        let Self { services, plan, encoder, random, next, made } = self;
        let mut packing = Packing { plan, encoder, open: Delivery::empty(), record: Vec::new() };
        let mut out = Vec::new();
        let seed = services.options.seed;
        services.minute(start_ms, |point, lateness| {
            if plan.points_max.is_some_and(|most| *made >= most) {
                return;
            }
            *made += 1;
            visit(*next, point, lateness);
            packing.push(point);
            if packing.is_full() {
                packing.close(seed, next, random, &mut out);
            }
        });
        packing.close(seed, next, random, &mut out);
        out
    }
}

impl Delivery {
    fn empty() -> Self {
        Self {
            number: 0,
            request_id: String::new(),
            records: Vec::new(),
            points: 0,
            damaged: 0,
            is_repeat: false,
        }
    }
}

/// The open delivery and its open record.
struct Packing<'a> {
    plan: &'a Plan,
    encoder: &'a mut Encoder,
    open: Delivery,
    record: Vec<u8>,
}

impl Packing<'_> {
    fn push(&mut self, point: &Point<'_>) {
        self.encoder.push(point);
        self.open.points += 1;
        if self.encoder.len() >= MESSAGE_BYTES {
            self.encoder.finish(&mut self.record);
        }
        if self.record.len() >= RECORD_BYTES.min(self.plan.delivery_bytes) {
            self.close_record();
        }
    }

    fn is_full(&self) -> bool {
        let closed: usize = self.open.records.iter().map(Vec::len).sum();
        closed + self.record.len() + self.encoder.len() >= self.plan.delivery_bytes
    }

    fn close_record(&mut self) {
        self.encoder.finish(&mut self.record);
        if !self.record.is_empty() {
            self.open.records.push(std::mem::take(&mut self.record));
        }
    }

    fn close(&mut self, seed: u64, next: &mut u64, random: &mut Random, out: &mut Vec<Delivery>) {
        self.close_record();
        let mut delivery = std::mem::replace(&mut self.open, Delivery::empty());
        if delivery.records.is_empty() {
            return;
        }
        delivery.number = *next;
        delivery.request_id = request_id(seed, *next);
        if random.chance(self.plan.damaged) {
            let at = random.below(delivery.records.len() as u64 + 1);
            let damaged = damaged(delivery.records.first(), self.plan.format, random);
            delivery.records.insert(usize::try_from(at).unwrap_or(0), damaged);
            delivery.damaged = 1;
        }
        *next += 1;
        let repeat = random.chance(self.plan.repeated);
        out.push(delivery);
        if repeat && let Some(first) = out.last() {
            out.push(Delivery { is_repeat: true, ..first.clone() });
        }
    }
}

/// A record of which no point can be read: the beginning of a good one, cut within its first
/// metric, or noise.
fn damaged(good: Option<&Vec<u8>>, format: Format, random: &mut Random) -> Vec<u8> {
    let cut = match format {
        // Within the keys that come before the value.
        Format::Json => random.between(20, 60),
        // Within the attributes of the resource.
        Format::Otel07 | Format::Otel10 => random.between(10, 100),
    };
    match good {
        Some(good) if random.chance(0.5) => {
            good.iter().take(usize::try_from(cut).unwrap_or(20)).copied().collect()
        }
        _ => {
            let mut noise = b"damaged ".to_vec();
            noise.extend((0..cut).map(|_| (random.bits() & 0xff) as u8));
            noise
        }
    }
}
