//! A plan: everything about the series of a point that does not depend on its values.
//!
//! Owns which labels there are, in which order, and who wins where two have one name. Made once for
//! each shape, unit and set of attribute names, and kept in a bounded table. Always holds: slots
//! are sorted by label name and no two have the same. Not here: how names are made (`name`).

use metric::{Point, ShapeId, Shapes, text};

use super::label::put_label;
use super::name::{self, NAME, QUANTILE};
use super::parts::{Parts, Request, Spoken};
use super::{Config, Naming};
use crate::sink::text::{Text, same};

/// Plans of one shape: a metric comes in one unit and one set of attributes, rarely in a few. What
/// comes in more is planned anew for each point.
const PER_SHAPE_MAX: usize = 4;

/// Where the value of a label comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The settings.
    Fixed(Box<[u8]>),
    /// Account of the point.
    Account,
    /// Region of the point.
    Region,
    /// Namespace of the point.
    Namespace,
    /// CloudWatch's name of the metric.
    Metric,
    /// One of its dimensions.
    Dimension(usize),
    /// One of its attributes.
    Attribute(usize),
    /// Several of them, whose names became one.
    Joined(Box<[Value]>),
}

impl Value {
    /// The value at a point; empty for a joined one.
    #[inline]
    pub(crate) fn of<'a>(&'a self, point: &Point<'a>) -> &'a [u8] {
        match self {
            Value::Fixed(value) => value,
            Value::Account => point.account,
            Value::Region => point.region,
            Value::Namespace => point.namespace,
            Value::Metric => point.name,
            Value::Dimension(index) => point.dimensions.get(*index).map_or(b"", |(_, value)| value),
            Value::Attribute(index) => point.attributes.get(*index).map_or(b"", |(_, value)| value),
            Value::Joined(_) => b"",
        }
    }

    /// Appends the value at a point.
    pub(crate) fn push(&self, point: &Point<'_>, out: &mut Vec<u8>) {
        let Value::Joined(parts) = self else {
            return out.extend_from_slice(self.of(point));
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.push(b';');
            }
            part.push(point, out);
        }
    }
}

/// A label of every series of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Its name.
    pub(crate) name: Box<[u8]>,
    /// Where its value comes from.
    pub(crate) value: Value,
}

/// Appends the labels of slots, none of which is joined.
pub(super) fn put_labels(out: &mut Text, slots: &[Slot], point: &Point<'_>) {
    for slot in slots {
        put_label(out, &slot.name, slot.value.of(point));
    }
}

/// What the series of a point have in common.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    unit: Box<[u8]>,
    attributes: Box<[Box<[u8]>]>,
    /// Whether account and region are known: what is not takes no other label's place.
    owned: (bool, bool),
    /// Name of the metric without its statistic.
    pub(crate) base: Box<[u8]>,
    /// Sorted by name.
    pub(crate) slots: Box<[Slot]>,
    /// The same, as the phrases of a request.
    parts: Parts,
    /// Labels of each point that are left out.
    pub(crate) overridden: u64,
    /// Labels of each point that stand in another.
    pub(crate) joined: u64,
    /// When its metadata is due again.
    pub(crate) metadata_due_ms: i64,
}

impl Plan {
    /// The plan of a point.
    pub(crate) fn new(naming: Naming, external: &[(String, String)], point: &Point<'_>) -> Plan {
        let mut candidates = candidates(naming, external, point);
        candidates.sort_by(|a, b| {
            let key = |c: &Candidate| (c.rank, c.original.clone(), c.index);
            a.name.cmp(&b.name).then_with(|| key(a).cmp(&key(b)))
        });
        let (mut slots, mut overridden, mut joined) = (Vec::<Slot>::new(), 0, 0);
        for group in candidates.chunk_by(|a, b| a.name == b.name) {
            let Some((winner, _)) = group.split_first() else { continue };
            let equals = group.iter().filter(|c| c.rank == winner.rank);
            let values: Vec<Value> = equals.map(|c| c.value.clone()).collect();
            // What the settings override is wanted so, and a hint's words stand in the name as well.
            let lost = |c: &&Candidate| c.rank > winner.rank && c.rank != Rank::Hint;
            if winner.rank != Rank::External {
                overridden += group.iter().filter(lost).count() as u64;
                joined += values.len() as u64 - 1;
            }
            if winner.rank == Rank::Reserved {
                continue;
            }
            let value = match values.len() {
                1 => winner.value.clone(),
                _ => Value::Joined(values.into()),
            };
            slots.push(Slot { name: winner.name.clone().into_bytes().into(), value });
        }
        let before = |name: &str| slots.partition_point(|slot| &*slot.name < name.as_bytes());
        let base = name::metric(naming, text(point.namespace), text(point.name), &point.unit);
        Plan {
            unit: point.unit.cloudwatch().into(),
            attributes: point.attributes.iter().map(|(name, _)| (*name).into()).collect(),
            owned: owned(point),
            base: base.into_bytes().into(),
            parts: Parts::new(&slots, before(NAME), before(QUANTILE)),
            slots: slots.into(),
            overridden,
            joined,
            metadata_due_ms: i64::MIN,
        }
    }

    /// Appends the phrases of a point to `list`, see [`Parts::speak`].
    pub(super) fn speak(
        &mut self,
        point: &Point<'_>,
        request: Request<'_>,
        value: &mut Vec<u8>,
        list: &mut Vec<u32>,
    ) -> Spoken {
        self.parts.speak((&self.base, &self.slots), point, request, value, list)
    }

    /// Is it the plan of this point, whose shape is that of the plan?
    fn fits(&self, point: &Point<'_>) -> bool {
        same(&self.unit, point.unit.cloudwatch())
            && self.owned == owned(point)
            && self.attributes.len() == point.attributes.len()
            && self.attributes.iter().zip(point.attributes).all(|(a, (b, _))| same(a, b))
    }
}

fn owned(point: &Point<'_>) -> (bool, bool) {
    (!point.account.is_empty(), !point.region.is_empty())
}

/// Who wins where two labels have one name: the first here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Names that the form itself needs.
    Reserved,
    /// From the settings.
    External,
    /// Account and region.
    Owner,
    /// Dimensions.
    Dimension,
    /// What enrichment added.
    Attribute,
    /// What the name of the metric says already.
    Hint,
}

struct Candidate {
    name: String,
    rank: Rank,
    original: String,
    index: usize,
    value: Value,
}

fn candidates(naming: Naming, external: &[(String, String)], point: &Point<'_>) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut add = |name: String, rank, original: &str, value| {
        let index = all.len();
        all.push(Candidate { name, rank, original: original.to_owned(), index, value });
    };
    for (name, value) in external {
        add(name.clone(), Rank::External, name, Value::Fixed(value.as_bytes().into()));
    }
    let nothing = || Value::Fixed(Box::default());
    let (has_account, has_region) = owned(point);
    let owner = |account, region| {
        let account = has_account.then_some((account, Value::Account));
        account.into_iter().chain(has_region.then_some((region, Value::Region)))
    };
    add(NAME.to_owned(), Rank::Reserved, "", nothing());
    match naming {
        Naming::Yace => {
            for (name, value) in owner("account_id", "region") {
                add(name.to_owned(), Rank::Owner, "", value);
            }
        }
        Naming::Otel => {
            add(QUANTILE.to_owned(), Rank::Reserved, "", nothing());
            add("cloud_provider".to_owned(), Rank::Owner, "", Value::Fixed((*b"aws").into()));
            for (name, value) in owner("cloud_account_id", "cloud_region") {
                add(name.to_owned(), Rank::Owner, "", value);
            }
            add("Namespace".to_owned(), Rank::Hint, "", Value::Namespace);
            add("MetricName".to_owned(), Rank::Hint, "", Value::Metric);
        }
    }
    for (index, (dimension, _)) in point.dimensions.iter().enumerate() {
        let original = text(dimension);
        let name = name::dimension(naming, original);
        add(name, Rank::Dimension, original, Value::Dimension(index));
    }
    for (index, (attribute, _)) in point.attributes.iter().enumerate() {
        let original = text(attribute);
        let name = name::attribute(naming, original);
        add(name, Rank::Attribute, original, Value::Attribute(index));
    }
    all
}

/// The plans made so far.
pub(crate) struct Plans {
    naming: Naming,
    external: Vec<(String, String)>,
    /// By number of the shape.
    known: Vec<Vec<Plan>>,
    /// For a point that has no place among them.
    once: Option<Plan>,
}

impl Plans {
    /// None yet.
    pub(crate) fn new(config: &Config) -> Plans {
        Plans {
            naming: config.naming,
            external: config.external_labels.clone(),
            known: Vec::new(),
            once: None,
        }
    }

    /// The plan of a point, and whether it is kept.
    pub(crate) fn of(&mut self, point: &Point<'_>, shape: Option<ShapeId>) -> (&mut Plan, bool) {
        let Plans { naming, external, known, once } = self;
        let fresh = || Plan::new(*naming, external, point);
        let index = shape.map_or(usize::MAX, ShapeId::index);
        if index >= known.len() && index < Shapes::CAPACITY {
            known.resize_with(index + 1, Vec::new);
        }
        let Some(plans) = known.get_mut(index) else { return (once.insert(fresh()), false) };
        let found = plans.iter().position(|plan| plan.fits(point));
        let at = match found {
            Some(at) => at,
            None if plans.len() < PER_SHAPE_MAX => {
                plans.push(fresh());
                plans.len() - 1
            }
            None => return (once.insert(fresh()), false),
        };
        match plans.get_mut(at) {
            Some(plan) => (plan, true),
            None => (once.insert(fresh()), false),
        }
    }
}

#[cfg(test)]
mod tests;
