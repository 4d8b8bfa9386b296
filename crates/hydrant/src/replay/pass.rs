//! A pass over the sources: to look, or to put back.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use codec::checksum::Hasher128;
use codec::container::Fault;

use super::count::{Account, Counted};
use super::goal::of_ledger;
use super::kept::{Found, Kept, Place, item_id};
use super::kind::{self, Opened};
use super::ledger::{LEDGER_ENTRIES_MAX, Ledger};
use super::pick::{Ages, Scales, Weighed, Wish};
use super::source::{Extent, Listed, NotOpened, Sources, s3_stop};
use super::stop::Stop;
use super::target::{Ready, Target};
use super::watch::Watch;
use crate::control::replay::Returned;

/// A batch: what one request to the process holds, and one sync of the list of what was put back.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const BATCH_RECORDS: usize = 500;
/// Bytes that a range of items costs on its way.
const RANGE_BYTES: usize = 32;
/// Broken pieces said one by one; of the others only the number is said.
const BROKEN_SAID_MAX: u64 = 20;

/// What a pass does with each record.
type Use<'a> = &'a mut dyn FnMut(&mut Watch, &mut Account, Box<Kept>) -> Result<(), Stop>;

/// What every pass works with.
pub(super) struct Pass<'a> {
    pub sources: &'a Sources,
    pub wish: &'a Wish,
    pub ages: Ages,
    pub extent: Extent,
}

/// Where to, for a pass that puts back.
pub(super) struct Put<'a> {
    pub ledger: &'a mut Ledger,
    pub target: &'a mut Target,
    pub rate: Option<u32>,
}

impl Pass<'_> {
    /// Looks at everything.
    pub(super) fn survey(
        &self,
        watch: &mut Watch,
        doing: &'static str,
        ledger: &Ledger,
    ) -> Result<Account, Stop> {
        let mut account = Account::default();
        let mut scales = Scales::new();
        let mut seen = HashSet::new();
        self.each(watch, doing, &mut account, &mut |watch, account, kept| {
            let first =
                self.wish.again || seen.len() >= LEDGER_ENTRIES_MAX || seen.insert(kept.id());
            if !first && self.wish.takes(&kept) {
                account.already(&kept);
                return Ok(());
            }
            if let Some((weighed, _)) = self.weigh(&mut scales, account, &kept, ledger) {
                watch.count(u64::from(weighed.points));
            }
            Ok(())
        })?;
        Ok(account)
    }

    /// Puts everything back that is asked for.
    pub(super) fn put(
        &self,
        watch: &mut Watch,
        put: Put<'_>,
        account: &mut Account,
    ) -> Result<(), Stop> {
        let parts_alone = matches!(put.target, Target::Endpoint(_));
        let mut scales = Scales::new();
        let mut batch = Batch { put, waiting: Vec::new(), bytes: 0, points: 0 };
        let passed = self.each(watch, "putting back", account, &mut |watch, account, kept| {
            // A copy of a record is judged when it is known what became of the first.
            if !self.wish.again && batch.holds(kept.id()) {
                batch.flush(watch, account)?;
            }
            let Some(weighed) = self.weigh(&mut scales, account, &kept, batch.put.ledger) else {
                return Ok(());
            };
            if weighed.0.is_empty() {
                return Ok(());
            }
            let parcel = self.parcel(*kept, weighed, parts_alone, &mut scales);
            batch.add(parcel, watch, account)
        });
        if passed.is_ok() {
            return batch.flush(watch, account);
        }
        // What waits was not put back, and is not noted.
        for parcel in batch.waiting {
            account.did_not_arrive(parcel.counted);
        }
        passed
    }

    /// Which items of a record are put back; `None` when it is not looked into. Counted.
    fn weigh(
        &self,
        scales: &mut Scales,
        account: &mut Account,
        kept: &Kept,
        ledger: &Ledger,
    ) -> Option<(Weighed, Counted)> {
        if !self.wish.takes(kept) {
            account.filtered_records += 1;
            return None;
        }
        if !self.wish.again && ledger.knows(kept.id()) {
            account.already(kept);
            return None;
        }
        let weighed = scales.weigh(kept, self.wish, self.ages, Some(ledger));
        let counted = account.weighed(kept, &weighed);
        Some((weighed, counted))
    }

    /// The record as it goes, and what is noted when it has arrived.
    fn parcel(
        &self,
        kept: Kept,
        (weighed, counted): (Weighed, Counted),
        parts_alone: bool,
        scales: &mut Scales,
    ) -> Parcel {
        let id = kept.id();
        // With everything else put back before, this completes the record.
        let completes = weighed.skipped == 0 && self.wish.namespaces.is_empty();
        let notes = match completes {
            true => vec![id],
            false => weighed.items().map(|item| item_id(id, item)).collect(),
        };
        let points = weighed.points;
        let key = if weighed.whole { id } else { part_id(id, &weighed.only) };
        let (whole, format) = (weighed.whole, weighed.format);
        let mut only = if whole { kept.undelivered } else { weighed.only };
        let mut data = kept.data;
        // The protocol of Firehose has no word for a part of a record.
        if let Some(format) = format.filter(|_| parts_alone && !only.is_empty()) {
            data = scales.part(&data, format, &only);
            only.clear();
        }
        let returned = Returned {
            data: Bytes::from(data),
            source: kept.source,
            source_arn: kept.source_arn,
            request_id: kept.request_id,
            attributes: kept.attributes,
            only,
            key: (!self.wish.again).then_some(key),
        };
        let ready = Ready { returned, id: key, points };
        Parcel { record: id, ready, noted: Noted { notes, in_part: !completes }, counted }
    }

    /// Every record of every object, in order.
    fn each(
        &self,
        watch: &mut Watch,
        doing: &'static str,
        account: &mut Account,
        take: Use<'_>,
    ) -> Result<(), Stop> {
        account.newer_objects = self.extent.newer;
        let read = watch.begin(doing, self.extent.bytes);
        self.sources.each(&mut |listed| {
            watch.check()?;
            self.object(&listed, &read, watch, account, take)
        })
    }

    fn object(
        &self,
        listed: &Listed,
        read: &Arc<AtomicU64>,
        watch: &mut Watch,
        account: &mut Account,
        take: Use<'_>,
    ) -> Result<(), Stop> {
        let bytes = match self.sources.open(listed, read) {
            Ok(bytes) => bytes,
            Err(NotOpened::All(stop)) => return Err(stop),
            Err(NotOpened::Object(why)) => {
                account.unreadable_objects += 1;
                watch.say(&format!("{}: {why}", listed.name));
                return Ok(());
            }
        };
        account.objects += 1;
        let (stream, time_ms) = listed.stream_and_time();
        let name: Rc<str> = listed.name.as_str().into();
        let mut stopped = Ok(());
        let ended =
            kind::read(Opened { name: Rc::clone(&name), time_ms, stream, bytes }, &mut |found| {
                stopped = match found {
                    Found::Kept(kept) => watch.check().and_then(|()| take(watch, account, kept)),
                    Found::Broken { place, why } => {
                        broken(watch, account, &place, &why);
                        watch.check()
                    }
                    Found::LeftOut(reason) => {
                        *account.left_out.entry(reason).or_default() += 1;
                        Ok(())
                    }
                };
                stopped.is_ok()
            });
        stopped?;
        match ended {
            Err(kind::Stop::Object(error)) => unfinished(watch, account, &name, &error),
            Ok(()) | Err(kind::Stop::Taker) => Ok(()),
        }
    }
}

/// Counts a broken piece, and says where it is.
fn broken(watch: &Watch, account: &mut Account, place: &Place, why: &str) {
    account.broken += 1;
    if account.broken <= BROKEN_SAID_MAX {
        watch.say(&format!("{place}: {why}"));
    }
}

/// An object that could not be read to its end: damaged, or not given to us.
fn unfinished(
    watch: &Watch,
    account: &mut Account,
    name: &Rc<str>,
    error: &std::io::Error,
) -> Result<(), Stop> {
    if let Some(fault) = Fault::within(error) {
        let place = Place { object: Rc::clone(name), line: 0, offset: fault.offset };
        broken(watch, account, &place, &fault.to_string());
        return Ok(());
    }
    let below = error.get_ref().and_then(|inner| inner.downcast_ref::<remote::aws::Fault>());
    if let Some(fault) = below.filter(|fault| fault.passes()) {
        return Err(s3_stop(fault));
    }
    account.unreadable_objects += 1;
    watch.say(&format!("{name}: {error}"));
    Ok(())
}

/// The key of a part of a record.
fn part_id(id: u128, only: &[(u32, u32)]) -> u128 {
    let mut hasher = Hasher128::new();
    hasher.update(&id.to_le_bytes());
    for (from, to) in only {
        hasher.update(&from.to_le_bytes());
        hasher.update(&to.to_le_bytes());
    }
    hasher.digest()
}

/// A record on its way.
struct Parcel {
    record: u128,
    ready: Ready,
    noted: Noted,
    counted: Counted,
}

/// What is noted when it has arrived.
struct Noted {
    notes: Vec<u128>,
    in_part: bool,
}

/// Records that go together.
struct Batch<'a> {
    put: Put<'a>,
    waiting: Vec<Parcel>,
    bytes: usize,
    points: u64,
}

impl Batch<'_> {
    fn holds(&self, record: u128) -> bool {
        self.waiting.iter().any(|parcel| parcel.record == record)
    }

    fn add(
        &mut self,
        parcel: Parcel,
        watch: &mut Watch,
        account: &mut Account,
    ) -> Result<(), Stop> {
        let returned = &parcel.ready.returned;
        let bytes = returned.data.len() + RANGE_BYTES * returned.only.len();
        if self.bytes + bytes > BATCH_BYTES {
            self.flush(watch, account)?;
        }
        self.bytes += bytes;
        self.points += u64::from(parcel.ready.points);
        self.waiting.push(parcel);
        // A slow pace is kept record by record, not batch by batch.
        let enough = self.put.rate.is_some_and(|rate| self.points >= u64::from(rate / 4));
        if enough || self.waiting.len() >= BATCH_RECORDS {
            self.flush(watch, account)?;
        }
        Ok(())
    }

    fn flush(&mut self, watch: &mut Watch, account: &mut Account) -> Result<(), Stop> {
        let waiting = std::mem::take(&mut self.waiting);
        (self.bytes, self.points) = (0, 0);
        if waiting.is_empty() {
            return Ok(());
        }
        let mut ready = Vec::with_capacity(waiting.len());
        let mut open = Vec::with_capacity(waiting.len());
        for parcel in waiting {
            ready.push(parcel.ready);
            open.push(Some((parcel.noted, parcel.counted)));
        }
        let mut points = 0;
        let ledger = &mut *self.put.ledger;
        let put = self.put.target.put(&ready, watch, &mut |taken| {
            for n in taken {
                let Some((noted, _)) = open.get_mut(*n).and_then(Option::take) else { continue };
                if noted.in_part {
                    ledger.note_parts().map_err(|e| of_ledger(&e))?;
                }
                for note in noted.notes {
                    ledger.note(note).map_err(|e| of_ledger(&e))?;
                }
                points += ready.get(*n).map_or(0, |ready| u64::from(ready.points));
            }
            ledger.sync().map_err(|e| of_ledger(&e))
        });
        for (_, counted) in open.into_iter().flatten() {
            account.did_not_arrive(counted);
        }
        put?;
        watch.count(points);
        watch.pace()
    }
}
