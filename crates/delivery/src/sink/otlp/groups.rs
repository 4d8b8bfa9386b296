//! The open parcel: metrics grouped by resource, one group for each account, region and exporter.
//!
//! Groups keep their buffers from parcel to parcel, within a bound.

use metric::Point;

use crate::sink::text::same;

/// Groups open at a time. A linked organisation may have hundreds of accounts; past this the parcel
/// is closed early, which costs a smaller request and loses nothing.
pub(crate) const GROUPS_MAX: usize = 256;

/// Metrics of one resource.
#[derive(Default)]
pub(crate) struct Group {
    /// Owning account.
    pub(crate) account: Vec<u8>,
    /// Region.
    pub(crate) region: Vec<u8>,
    /// ARN of the metric stream, as it came.
    came_arn: Vec<u8>,
    /// Name of the metric stream.
    stream: Vec<u8>,
    /// ARN of the metric stream; made from its name where the format carries only that (JSON).
    pub(crate) exporter_arn: Vec<u8>,
    /// The metrics so far, encoded, behind the room that was asked for.
    pub(crate) metrics: Vec<u8>,
}

impl Group {
    #[inline]
    fn is_of(&self, point: &Point<'_>) -> bool {
        same(&self.account, point.account)
            && same(&self.region, point.region)
            && same(&self.came_arn, point.exporter_arn)
            // The name is part of the ARN: only where there is none does it tell streams apart.
            && (!point.exporter_arn.is_empty() || same(&self.stream, point.stream))
    }
}

/// The groups.
#[derive(Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    open: usize,
    last: usize,
    room: usize,
}

impl Groups {
    /// Groups that keep `room` bytes before their metrics free for what a request begins with.
    pub(crate) fn with_room(room: usize) -> Groups {
        Groups { room, ..Groups::default() }
    }

    /// The group of a point. Neighbours mostly share one.
    #[inline]
    pub(crate) fn of(&mut self, point: &Point<'_>) -> &mut Group {
        let same = self.last < self.open
            && self.groups.get(self.last).is_some_and(|group| group.is_of(point));
        if !same {
            self.find(point);
        }
        if self.groups.len() <= self.last {
            self.groups.resize_with(self.last + 1, Group::default);
        }
        self.groups.get_mut(self.last).expect("grown to hold it right above")
    }

    fn find(&mut self, point: &Point<'_>) {
        let open = self.groups.iter().take(self.open);
        if let Some(found) = open.clone().position(|group| group.is_of(point)) {
            self.last = found;
            return;
        }
        self.last = self.open;
        self.open += 1;
        if self.groups.len() < self.open {
            self.groups.resize_with(self.open, Group::default);
        }
        if let Some(group) = self.groups.get_mut(self.last) {
            group.account.clear();
            group.account.extend_from_slice(point.account);
            group.region.clear();
            group.region.extend_from_slice(point.region);
            group.came_arn.clear();
            group.came_arn.extend_from_slice(point.exporter_arn);
            group.stream.clear();
            group.stream.extend_from_slice(point.stream);
            group.exporter_arn.clear();
            metric::encode::exporter_arn(point, &mut group.exporter_arn);
            group.metrics.clear();
            group.metrics.resize(self.room, 0);
        }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    /// The open groups that hold metrics, in the order they were opened.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        let room = self.room;
        self.groups.iter().take(self.open).filter(move |group| group.metrics.len() > room)
    }

    /// The only open group, if it holds metrics.
    pub(crate) fn only(&mut self) -> Option<&mut Group> {
        let group = self.groups.first_mut().filter(|group| group.metrics.len() > self.room);
        group.filter(|_| self.open == 1)
    }

    /// Forgets all metrics. Buffers are kept as long as they hold no more than `keep` bytes in all:
    /// each of them may have been the large one once.
    pub(crate) fn clear(&mut self, keep: usize) {
        let held: usize = self.groups.iter().map(|group| group.metrics.capacity()).sum();
        if held > keep {
            self.groups.clear();
        }
        self.groups.iter_mut().take(self.open).for_each(|group| group.metrics.clear());
        self.open = 0;
        self.last = 0;
    }
}

#[cfg(test)]
mod tests;
