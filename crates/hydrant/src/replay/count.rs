//! What was found, put back and left out, as numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::kept::Kept;
use super::pick::Weighed;

/// Groups of the table at most; a backup of a month has 720 hours and a handful of codes in each.
const GROUPS_MAX: usize = 20_000;

/// What a row of the table is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Group {
    /// Hour of arrival: `2026-11-20T12`.
    pub hour: String,
    /// The stream they were kept for; empty when unknown.
    pub stream: String,
    /// Error code, or reason for quarantine; empty for records kept without one.
    pub code: String,
    /// What they were kept as.
    pub kind: &'static str,
    /// Format of the records: `json`, `opentelemetry0.7`, `opentelemetry1.0`; empty without a point.
    pub format: &'static str,
}

/// Numbers of a row, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Numbers {
    /// Records that are to be put back, or were.
    pub records: u64,
    /// Their points.
    pub points: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that an earlier run had put back.
    pub already_records: u64,
    /// Points of records that an earlier run had put back in part.
    pub already_points: u64,
    /// Points older than the destination takes.
    pub too_old_points: u64,
}

/// The account of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Account {
    pub groups: BTreeMap<Group, Numbers>,
    pub all: Numbers,
    /// Files or objects read.
    pub objects: u64,
    /// Files or objects that could not be read.
    pub unreadable_objects: u64,
    /// Written after the replay began.
    pub newer_objects: u64,
    /// Records that no filter took.
    pub filtered_records: u64,
    /// Points of other namespaces in records that were taken.
    pub filtered_points: u64,
    /// Points left out because they are too old.
    pub skipped_points: u64,
    /// Pieces in records put back that are no metrics.
    pub undecodable_pieces: u64,
    /// Points older than CloudWatch takes.
    pub weeks_old_points: u64,
    /// Lines and pieces that could not be read.
    pub broken: u64,
    /// Well-formed lines that can't be put back, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
}

/// As what a record was counted that is put back, in case it does not arrive.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    group: Group,
    numbers: Numbers,
}

impl Account {
    /// A record that an earlier run had put back whole.
    pub(super) fn already(&mut self, kept: &Kept) {
        let numbers = Numbers { already_records: 1, ..Numbers::default() };
        self.add(group(kept, ""), numbers);
    }

    /// A record that was looked into.
    pub(super) fn weighed(&mut self, kept: &Kept, weighed: &Weighed) -> Counted {
        self.filtered_points += u64::from(weighed.filtered);
        self.skipped_points += u64::from(weighed.skipped);
        self.undecodable_pieces += u64::from(weighed.rejects);
        self.weeks_old_points += u64::from(weighed.weeks_old);
        let taken = !weighed.is_empty();
        let numbers = Numbers {
            records: u64::from(taken),
            points: u64::from(weighed.points),
            bytes: if taken { kept.data.len() as u64 } else { 0 },
            already_records: u64::from(!taken && weighed.already > 0),
            already_points: u64::from(weighed.already),
            too_old_points: u64::from(weighed.too_old),
        };
        let group = group(kept, weighed.format.map_or("", metric::Format::name));
        if numbers == Numbers::default() && weighed.whole {
            *self.left_out.entry("empty").or_default() += 1;
        } else if numbers == Numbers::default() {
            self.filtered_records += 1;
        } else {
            self.add(group.clone(), numbers);
        }
        let Numbers { records, points, bytes, .. } = numbers;
        Counted { group, numbers: Numbers { records, points, bytes, ..Numbers::default() } }
    }

    /// A record that was to be put back, and was not.
    pub(super) fn did_not_arrive(&mut self, counted: Counted) {
        let group = self.row(counted.group);
        self.groups.entry(group).or_default().take_off(counted.numbers);
        self.all.take_off(counted.numbers);
    }

    fn add(&mut self, group: Group, numbers: Numbers) {
        let group = self.row(group);
        self.groups.entry(group).or_default().add(numbers);
        self.all.add(numbers);
    }

    /// The row that a group is counted in.
    fn row(&self, group: Group) -> Group {
        if self.groups.len() < GROUPS_MAX || self.groups.contains_key(&group) {
            return group;
        }
        let (stream, code) = ("(others)".to_owned(), "(others)".to_owned());
        Group { stream, code, kind: "", format: "", hour: String::new() }
    }
}

impl Numbers {
    fn add(&mut self, other: Numbers) {
        self.records += other.records;
        self.points += other.points;
        self.bytes += other.bytes;
        self.already_records += other.already_records;
        self.already_points += other.already_points;
        self.too_old_points += other.too_old_points;
    }

    fn take_off(&mut self, other: Numbers) {
        self.records = self.records.saturating_sub(other.records);
        self.points = self.points.saturating_sub(other.points);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

fn group(kept: &Kept, format: &'static str) -> Group {
    let hour = jiff::Timestamp::from_millisecond(kept.arrival_ms);
    Group {
        hour: hour.map_or_else(|_| String::new(), |t| t.strftime("%Y-%m-%dT%H").to_string()),
        stream: kept.stream.clone(),
        // A code is a word; what is longer is not shown whole, nor kept.
        code: kept.code.chars().take(100).collect(),
        kind: kept.kind.name(),
        format,
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kind;
    use super::*;

    /// *Scenario:* a record with nothing in it, which Firehose may write, and one of which a filter
    /// left nothing.
    /// *Guarantees:* only of the second it is said that it was not asked for.
    #[test]
    fn nothing_is_not_what_was_not_asked_for() {
        let kept = Kept {
            kind: Kind::Firehose,
            data: Vec::new(),
            code: String::new(),
            arrival_ms: 0,
            stream: String::new(),
            data_id: String::new(),
            undelivered: Vec::new(),
            source: String::new(),
            source_arn: String::new(),
            request_id: String::new(),
            attributes: Vec::new(),
        };
        let mut account = Account::default();
        account.weighed(&kept, &Weighed { whole: true, ..Weighed::default() });
        assert_eq!((account.left_out.get("empty"), account.filtered_records), (Some(&1), 0));
        account.weighed(&kept, &Weighed { filtered: 3, ..Weighed::default() });
        assert_eq!((account.filtered_points, account.filtered_records), (3, 1));
    }
}
