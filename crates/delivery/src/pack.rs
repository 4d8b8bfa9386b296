//! Packing: the items of a record become the open parcel, one after the other, and a parcel closes
//! when its request is full. Each parcel covers a contiguous range of positions.

use std::sync::Arc;

use journal::Position;
use metric::{Decoder, Dimension, Point, Reject, Shapes, Visit};
use rules::{Decision, Enricher, Selection};

use crate::parcel::{Aside, Parcel, Tally};
use crate::pieces::{Broken, Piece};
use crate::place::{Failure, Place, count_items};
use crate::ranges::{Range, covering};
use crate::sink::{Label, Moment, Offer, Packer, Payload};
use crate::tags::{TagFile, TagState};
use crate::tap;
use crate::verdict::Why;

/// A parcel is closed when this much must go to quarantine or backup with it: keeps memory flat
/// when a destination refuses everything.
const ASIDE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The open parcel and all that is needed to fill it.
pub(crate) struct Packing {
    packer: Packer,
    selection: Selection,
    enriching: Enriching,
    shapes: Shapes,
    /// Somebody asks for the shape of each point: rules, what is added, or the destination.
    is_shaped: bool,
    feed: usize,
    next_id: u64,
    begin: Position,
    tally: Tally,
    aside: Aside,
    arrival_ms: i64,
    oldest_ms: i64,
    newest_instant_ms: i64,
    origin: Arc<str>,
    stream: Arc<str>,
    topic: Arc<str>,
    ready: Vec<Parcel>,
    /// Who looks on, while new entries are claimed.
    taps: Vec<Arc<tap::Open>>,
}

/// What is added to points, and where tags come from.
pub(crate) struct Enriching {
    enricher: Enricher,
    tags: Option<Arc<TagFile>>,
    /// Which snapshot of the file the enricher has.
    generation: u64,
    /// Attributes of the point that is packed; kept for its memory.
    added: Vec<Dimension<'static>>,
}

impl Enriching {
    pub(crate) fn new(enricher: Enricher, tags: Option<Arc<TagFile>>) -> Self {
        Self { enricher, tags, generation: 0, added: Vec::new() }
    }

    /// Takes the newest snapshot, when there is another.
    #[inline]
    fn refresh(&mut self) {
        if let Some(file) = &self.tags
            && file.generation() != self.generation
        {
            self.generation = file.generation();
            self.enricher.set_snapshot(file.snapshot());
        }
    }

    /// Offers a point with what is added to it.
    fn offer(
        &mut self,
        packer: &mut Packer,
        point: &Point<'_>,
        shape: Option<metric::ShapeId>,
        moment: Moment,
        taps: &[Arc<tap::Open>],
    ) -> Offer {
        let mut offered = |point: &Point<'_>| {
            let offer = packer.offer(point, shape, moment);
            if matches!(offer, Offer::Taken) {
                taps.iter().for_each(|tap| tap.show(point, moment.now_ms));
            }
            offer
        };
        if self.enricher.is_empty() {
            return offered(point);
        }
        let mut added = emptied(std::mem::take(&mut self.added));
        self.enricher.enrich(point, shape, &mut added);
        let offer = offered(&Point { attributes: &added, ..*point });
        self.added = emptied(added);
        offer
    }
}

/// An empty vector in the memory of `used`. Collecting in place keeps the allocation, since both
/// element types have the same layout; should the library ever stop doing so, this merely allocates.
fn emptied<From, To>(mut used: Vec<From>) -> Vec<To> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

/// Which items of an entry are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Items covered by these are passed over.
    pub skips: &'a [Range],
    /// Items at or after this are passed over.
    pub until: Position,
    /// A parcel is closed at this many points, though the request had room.
    pub points_max: u32,
    /// Now.
    pub now_ms: i64,
}

impl Packing {
    pub(crate) fn new(
        origin: Arc<str>,
        stream: &str,
        packer: Packer,
        selection: Selection,
        enriching: Enriching,
    ) -> Self {
        let nowhere = Position { sequence: 0, ordinal: 0 };
        let is_shaped =
            packer.asks_for_shapes() || !selection.keeps_all() || !enriching.enricher.is_empty();
        Self {
            is_shaped,
            packer,
            selection,
            enriching,
            shapes: Shapes::new(),
            feed: 0,
            next_id: 0,
            begin: nowhere,
            tally: Tally::default(),
            aside: Aside::default(),
            arrival_ms: 0,
            oldest_ms: i64::MAX,
            newest_instant_ms: 0,
            origin,
            stream: stream.into(),
            topic: Arc::default(),
            ready: Vec::new(),
            taps: Vec::new(),
        }
    }

    /// Points that are taken from now on are shown to these.
    pub(crate) fn tap(&mut self, taps: Vec<Arc<tap::Open>>) {
        self.taps = taps;
    }

    /// Begins a run of parcels at a position of a feed; what was open is forgotten.
    pub(crate) fn start(&mut self, feed: usize, begin: Position) {
        self.packer.discard();
        self.tally = Tally::default();
        self.aside = Aside::default();
        self.feed = feed;
        self.begin = begin;
    }

    /// Packs the items of one record, or a piece that is none. `ordinal` is the number of its first
    /// item, and after the call that of the first item of the next piece.
    pub(crate) fn piece(
        &mut self,
        decoder: &mut Decoder,
        place: &Place<'_>,
        (index, piece): (u32, Piece<'_>),
        ordinal: &mut u32,
        scope: &Scope<'_>,
    ) {
        self.arrival_ms = self.arrival_ms.max(place.header.arrival_ms);
        self.oldest_ms = self.oldest_ms.min(place.header.arrival_ms);
        self.enriching.refresh();
        if *self.topic != *place.topic {
            self.topic = place.topic.into();
        }
        match piece {
            Ok(record) if self.takes_records() => {
                let item = *ordinal;
                *ordinal += 1;
                self.record(place, (index, item), record, scope);
            }
            Ok(record) => {
                let first = *ordinal;
                let mut packed = Packed {
                    packing: self,
                    place,
                    index,
                    record,
                    first,
                    ordinal: first,
                    scope,
                    expired: Vec::new(),
                };
                decoder.decode(record, &mut packed);
                packed.put_expired_aside();
                *ordinal = packed.ordinal;
            }
            Err(broken) => {
                let item = *ordinal;
                *ordinal += 1;
                self.broken(place, (index, item), &broken, scope);
            }
        }
    }

    /// Records are items as they are: nothing in them is looked at.
    pub(crate) fn takes_records(&self) -> bool {
        self.packer.takes_records()
    }

    fn record(&mut self, place: &Place<'_>, item: (u32, u32), record: &[u8], scope: &Scope<'_>) {
        let at = place.at(item.1);
        if !place.is_record_asked_for(item.1) || !self.wants(at, scope) {
            return;
        }
        if self.aside.bytes() >= ASIDE_BYTES_MAX
            || self.packer.points() >= scope.points_max
            || !self.packer.has_room_for(record)
        {
            self.close(at);
            self.arrival_ms = place.header.arrival_ms;
            self.oldest_ms = place.header.arrival_ms;
        }
        match self.packer.offer_record(record) {
            Ok(()) => {
                self.newest_instant_ms = self.newest_instant_ms.max(place.header.arrival_ms);
            }
            Err(reason) => {
                let out = &mut self.aside.quarantine;
                place.raw_line(out, scope.now_ms, item, (reason, ""), record);
                self.tally.quarantine(reason, 1);
            }
        }
    }

    fn broken(
        &mut self,
        place: &Place<'_>,
        item: (u32, u32),
        broken: &Broken<'_>,
        scope: &Scope<'_>,
    ) {
        if !self.wants(place.at(item.1), scope) {
            return;
        }
        let why = (broken.reason, broken.detail.as_str());
        place.raw_line(&mut self.aside.quarantine, scope.now_ms, item, why, broken.bytes);
        self.tally.quarantine(broken.reason, 1);
    }

    /// Closes the open parcel at `at` (the first position it does not cover).
    pub(crate) fn close(&mut self, at: Position) {
        if self.begin >= at {
            return;
        }
        let mut parcel = Parcel::new(self.next_id, self.feed, self.begin, at, self.arrival_ms);
        self.next_id += 1;
        if self.packer.points() > 0 {
            let label = Label {
                origin: Arc::clone(&self.origin),
                stream: Arc::clone(&self.stream),
                topic: Arc::clone(&self.topic),
                from: self.begin,
                oldest_ms: self.oldest_ms,
            };
            parcel.payload = Some(Payload { label, ..self.packer.close() });
        }
        parcel.tally = std::mem::take(&mut self.tally);
        parcel.aside = std::mem::take(&mut self.aside);
        self.ready.push(parcel);
        self.begin = at;
        self.arrival_ms = 0;
        self.oldest_ms = i64::MAX;
    }

    /// Where the open parcel begins.
    pub(crate) fn begin(&self) -> Position {
        self.begin
    }

    /// The feed it is read from.
    pub(crate) fn feed(&self) -> usize {
        self.feed
    }

    /// The parcels closed since the last call.
    pub(crate) fn take_ready(&mut self) -> std::vec::Drain<'_, Parcel> {
        self.ready.drain(..)
    }

    pub(crate) fn rules(&self) -> &[String] {
        self.selection.rules()
    }

    /// What the destination's form could not carry, by kind.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        let mut losses = self.packer.losses();
        if !self.enriching.enricher.is_empty() {
            losses.push(("attributes_shadowed", self.enriching.enricher.counts().shadowed));
        }
        losses
    }

    /// Where tags come from.
    pub(crate) fn tag_file(&self) -> Option<&Arc<TagFile>> {
        self.enriching.tags.as_ref()
    }

    /// What is known of tags, and what was found; `None` when none are added.
    pub(crate) fn tags(&self) -> Option<TagState> {
        let file = self.enriching.tags.as_ref()?;
        let counts = self.enriching.enricher.counts();
        Some(TagState {
            matched: counts.matched,
            unmatched: counts.unmatched,
            no_rule: counts.no_rule,
            ..file.state()
        })
    }

    /// Instant of the newest point packed.
    pub(crate) fn newest_instant_ms(&self) -> i64 {
        self.newest_instant_ms
    }

    /// What the rules say, for points that are counted but not packed.
    pub(crate) fn decide(&mut self, point: &Point<'_>) -> Decision {
        let shape = self.shapes.intern(point);
        self.selection.decide(point, shape)
    }

    /// False for an item that is settled, in flight or beyond; closes the parcel around it.
    fn wants(&mut self, at: Position, scope: &Scope<'_>) -> bool {
        if at >= scope.until {
            return false;
        }
        let Some((from, to)) = covering(scope.skips, at) else { return true };
        if self.begin < to {
            self.close(from.max(self.begin));
            self.begin = to;
        }
        false
    }
}

/// One record on its way into the open parcel.
struct Packed<'a> {
    packing: &'a mut Packing,
    place: &'a Place<'a>,
    index: u32,
    record: &'a [u8],
    first: u32,
    ordinal: u32,
    scope: &'a Scope<'a>,
    expired: Vec<(u32, &'static str)>,
}

impl Visit for Packed<'_> {
    fn point(&mut self, point: &Point<'_>) {
        let item = self.ordinal;
        self.ordinal += 1;
        if !self.place.is_asked_for(item) || !self.wants(item) {
            return;
        }
        self.close_if_heavy(item);
        let Packing { shapes, is_shaped, .. } = &mut *self.packing;
        let shape = if *is_shaped { shapes.intern(point) } else { None };
        if let Decision::Filtered(rule) = self.packing.selection.decide(point, shape) {
            self.packing.tally.filter(rule);
            return;
        }
        if self.packing.packer.full() || self.packing.packer.points() >= self.scope.points_max {
            self.close_before(item);
        }
        let moment = Moment { now_ms: self.scope.now_ms, arrival_ms: self.place.header.arrival_ms };
        let Packing { enriching, packer, taps, .. } = &mut *self.packing;
        match enriching.offer(packer, point, shape, moment, taps) {
            Offer::Taken => {
                let newest = &mut self.packing.newest_instant_ms;
                *newest = (*newest).max(point.instant_ms());
            }
            Offer::Refused(reason) => {
                let out = &mut self.packing.aside.quarantine;
                let item = (self.index, item);
                self.place.point_line(out, self.scope.now_ms, item, point, reason);
                self.packing.tally.quarantine(reason, 1);
            }
            Offer::Expired(code) => {
                self.expired.push((item, code));
                self.packing.tally.backed_up += 1;
            }
        }
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        let item = self.ordinal;
        self.ordinal += 1;
        if !self.place.is_asked_for(item) || !self.wants(item) {
            return;
        }
        self.close_if_heavy(item);
        let out = &mut self.packing.aside.quarantine;
        self.place.reject_line(out, self.scope.now_ms, self.index, item, reject);
        self.packing.tally.quarantine(reject.reason.code(), 1);
    }
}

impl Packed<'_> {
    fn wants(&mut self, item: u32) -> bool {
        let at = self.place.at(item);
        if covering(self.scope.skips, at).is_some() {
            // The parcel may end here: what it counts as backed up must be in it.
            self.put_expired_aside();
        }
        let wanted = self.packing.wants(at, self.scope);
        // A parcel that was closed on the way goes on within this entry.
        let arrival_ms = self.place.header.arrival_ms;
        self.packing.arrival_ms = self.packing.arrival_ms.max(arrival_ms);
        self.packing.oldest_ms = self.packing.oldest_ms.min(arrival_ms);
        wanted
    }

    fn close_if_heavy(&mut self, item: u32) {
        if self.packing.aside.bytes() >= ASIDE_BYTES_MAX {
            self.close_before(item);
        }
    }

    fn close_before(&mut self, item: u32) {
        self.put_expired_aside();
        self.packing.close(self.place.at(item));
        self.packing.arrival_ms = self.place.header.arrival_ms;
        self.packing.oldest_ms = self.place.header.arrival_ms;
    }

    /// The record's backup line for the points of it that grew old while held.
    fn put_expired_aside(&mut self) {
        let Some((_, code)) = self.expired.first().copied() else { return };
        let mut undelivered: Vec<(u32, u32)> = Vec::new();
        for (item, _) in self.expired.drain(..) {
            let item = item - self.first;
            match undelivered.last_mut() {
                Some((_, end)) if *end == item => *end += 1,
                _ => undelivered.push((item, item + 1)),
            }
        }
        let items = count_items(&mut Decoder::new(), self.record);
        let failure = Failure {
            why: Why { code, message: "grew too old for the destination while held".into() },
            attempts: 0,
            ended_ms: self.scope.now_ms,
        };
        let out = &mut self.packing.aside.backup;
        self.place.failed_line(out, self.index, self.record, items, undelivered, &failure);
    }
}
