//! Enrich: fixed attributes by account, region or namespace, and resource tags. Pure.
//!
//! Owns which names and values a stream adds to a point. Always holds: a dimension of CloudWatch is
//! never replaced; the same point, rules and snapshot give the same attributes, remembered or not;
//! nothing is allocated for a point whose shape is known. Deliberately not here: reading the
//! snapshot's file and its age (`delivery`), and how a destination writes attributes (its sink).

mod arn;
mod plan;
mod snapshot;

use std::path::PathBuf;
use std::sync::Arc;

use metric::{Dimension, Point, ShapeId, Shapes};

use crate::Filter;
use crate::filter::Matcher;
pub use arn::ArnRules;
use plan::Plan;
pub use snapshot::{SNAPSHOT_VERSION, TagSnapshot};

/// Most different attribute names of a stream: as many as an AWS resource may have tags, and as
/// many dimensions as the narrowest destination takes.
pub const ATTRIBUTES_MAX: usize = 50;

/// Names that OTLP data points of CloudWatch have already, beside which attributes stand.
const RESERVED: [&str; 3] = ["Namespace", "MetricName", "Dimensions"];

/// What a stream adds to its points. The default adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enrichment {
    /// Fixed attributes, in order; a later one wins over an earlier one of the same name.
    pub fixed: Vec<Fixed>,
    /// Resource tags; a tag wins over a fixed attribute of the same name.
    pub tags: Option<Tags>,
}

/// Attributes for the points that a filter matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// Which points; the default matches all.
    pub when: Filter,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
}

/// Where tags come from, and which are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The snapshot that `hydrant tags fetch` writes.
    pub file: PathBuf,
    /// Keys of the tags to add; empty adds none.
    pub keys: Vec<String>,
    /// Before each name: `tag.`.
    pub prefix: String,
    /// Which resource a point is about.
    pub rules: ArnRules,
}

/// What was found, counted since the enricher was compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Points whose resource is in the snapshot.
    pub matched: u64,
    /// Points whose resource is known by a rule, and not in the snapshot.
    pub unmatched: u64,
    /// Points for whose namespace and dimensions there is no rule.
    pub no_rule: u64,
    /// Attributes left out since the point has a dimension of that name.
    pub shadowed: u64,
}

/// Compiled attributes of one stream.
#[derive(Debug)]
pub struct Enricher {
    /// Names of attributes, in the order they are added.
    names: Vec<Box<[u8]>>,
    fixed: Vec<FixedRule>,
    tags: Option<TagRules>,
    /// By shape; grows to the highest number seen.
    plans: Vec<Option<Plan>>,
    /// The plan of a shape without a number.
    unnumbered: Plan,
    /// By name, while a point is looked at.
    chosen: Vec<Chosen>,
    /// An ARN, while it is made.
    arn: Vec<u8>,
    counts: Counts,
}

/// A filter, and what it sets: number of the name, and value.
#[derive(Debug)]
struct FixedRule {
    matcher: Matcher,
    values: Vec<(usize, Box<[u8]>)>,
}

/// Resource tags.
#[derive(Debug)]
struct TagRules {
    rules: ArnRules,
    keys: Vec<String>,
    /// By key of `keys`: number of the name.
    names: Vec<usize>,
    /// By key of the snapshot: number of the name.
    names_of_snapshot: Vec<Option<usize>>,
    snapshot: Arc<TagSnapshot>,
}

/// Whose value an attribute has.
#[derive(Clone, Copy, Debug)]
enum Chosen {
    Nobody,
    /// Rule, and value of it.
    Fixed(usize, usize),
    /// Value of the snapshot.
    Tag(u32),
}

impl Enricher {
    /// Compiles. The error is a fragment for the settings check.
    pub fn compile(enrichment: &Enrichment) -> Result<Enricher, String> {
        let mut names = Vec::new();
        let mut fixed = Vec::with_capacity(enrichment.fixed.len());
        for (at, rule) in enrichment.fixed.iter().enumerate() {
            let here = |problem: String| format!("attributes[{at}]: {problem}");
            let matcher = Matcher::compile(rule.when.clone()).map_err(here)?;
            let mut values = Vec::with_capacity(rule.attributes.len());
            for (name, value) in &rule.attributes {
                if value.is_empty() {
                    return Err(here(format!("{name:?} has no value")));
                }
                values.push((number_of(&mut names, name).map_err(here)?, bytes(value)));
            }
            fixed.push(FixedRule { matcher, values });
        }
        let tags = enrichment.tags.as_ref().map(|tags| TagRules::compile(tags, &mut names));
        Ok(Enricher {
            chosen: vec![Chosen::Nobody; names.len()],
            fixed,
            tags: tags.transpose()?,
            names,
            plans: Vec::new(),
            unnumbered: Plan::default(),
            arn: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// True when no point ever gets anything.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Looks tags up in another snapshot from now on.
    pub fn set_snapshot(&mut self, snapshot: Arc<TagSnapshot>) {
        if let Some(tags) = &mut self.tags {
            let name_of = |key: &String| {
                let at = tags.keys.iter().position(|known| known == key)?;
                tags.names.get(at).copied()
            };
            tags.names_of_snapshot = snapshot.keys().iter().map(name_of).collect();
            tags.snapshot = snapshot;
        }
    }

    /// What was found so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Puts the attributes of a point into `out`, in the order of the settings; what is there is
    /// forgotten. What depends on the shape alone is remembered per `shape`; all calls must take
    /// their shapes from the same [`Shapes`].
    pub fn enrich<'e>(
        &'e mut self,
        point: &Point<'_>,
        shape: Option<ShapeId>,
        out: &mut Vec<Dimension<'e>>,
    ) {
        out.clear();
        if self.names.is_empty() {
            return;
        }
        self.prepare(point, shape);
        let Enricher { names, fixed, tags, plans, unnumbered, chosen, arn, counts } = self;
        let known = shape.and_then(|shape| plans.get(shape.index())).and_then(Option::as_ref);
        let plan = known.unwrap_or(unnumbered);
        chosen.fill(Chosen::Nobody);
        choose_fixed(plan, fixed, point, chosen);
        if let Some(tags) = tags {
            tags.choose(plan, point, (chosen, arn), counts);
        }
        for at in &plan.shadowed {
            if let Some(chosen) = chosen.get_mut(*at)
                && !matches!(chosen, Chosen::Nobody)
            {
                *chosen = Chosen::Nobody;
                counts.shadowed += 1;
            }
        }
        for (name, chosen) in names.iter().zip(chosen) {
            let value = match *chosen {
                Chosen::Nobody => None,
                Chosen::Fixed(rule, at) => {
                    fixed.get(rule).and_then(|rule| rule.values.get(at)).map(|(_, value)| &**value)
                }
                Chosen::Tag(value) => tags.as_ref().and_then(|tags| tags.snapshot.value(value)),
            };
            if let Some(value) = value {
                out.push((name, value));
            }
        }
    }

    /// Works out the plan of a shape that is seen for the first time, or has no number.
    #[inline]
    fn prepare(&mut self, point: &Point<'_>, shape: Option<ShapeId>) {
        let at = shape.map_or(usize::MAX, ShapeId::index);
        if !matches!(self.plans.get(at), Some(Some(_))) {
            self.prepare_new(point, at);
        }
    }

    #[cold]
    fn prepare_new(&mut self, point: &Point<'_>, at: usize) {
        let matchers = self.fixed.iter().map(|rule| &rule.matcher);
        let rules = self.tags.as_ref().map(|tags| &tags.rules);
        let plan = Plan::of(point, matchers, rules, &self.names);
        if at >= Shapes::CAPACITY {
            self.unnumbered = plan;
            return;
        }
        if self.plans.len() <= at {
            self.plans.resize_with(at + 1, || None);
        }
        if let Some(space) = self.plans.get_mut(at) {
            *space = Some(plan);
        }
    }
}

/// A later rule wins.
fn choose_fixed(plan: &Plan, fixed: &[FixedRule], point: &Point<'_>, chosen: &mut [Chosen]) {
    for (number, depends) in &plan.fixed {
        let Some(rule) = fixed.get(*number) else { continue };
        if *depends && !rule.matcher.matches_values(point) {
            continue;
        }
        for (at, (name, _)) in rule.values.iter().enumerate() {
            if let Some(chosen) = chosen.get_mut(*name) {
                *chosen = Chosen::Fixed(*number, at);
            }
        }
    }
}

impl TagRules {
    fn compile(tags: &Tags, names: &mut Vec<Box<[u8]>>) -> Result<TagRules, String> {
        let mut numbers = Vec::with_capacity(tags.keys.len());
        for key in &tags.keys {
            if key.is_empty() {
                return Err("tags: a key is empty".to_owned());
            }
            let name = format!("{}{key}", tags.prefix);
            numbers.push(number_of(names, &name).map_err(|problem| format!("tags: {problem}"))?);
        }
        Ok(TagRules {
            rules: tags.rules.clone(),
            keys: tags.keys.clone(),
            names: numbers,
            names_of_snapshot: Vec::new(),
            snapshot: Arc::default(),
        })
    }

    /// Takes the tags of the first resource that the snapshot holds.
    fn choose(
        &self,
        plan: &Plan,
        point: &Point<'_>,
        (chosen, arn): (&mut [Chosen], &mut Vec<u8>),
        counts: &mut Counts,
    ) {
        if plan.candidates.is_empty() {
            counts.no_rule += 1;
            return;
        }
        let found = plan.candidates.iter().find_map(|candidate| {
            let made = self.rules.make(candidate, point, arn);
            if made { self.snapshot.tags_of(arn) } else { None }
        });
        let Some(found) = found else {
            counts.unmatched += 1;
            return;
        };
        counts.matched += 1;
        for (key, value) in found {
            let name = self.names_of_snapshot.get(usize::from(*key)).copied().flatten();
            if let Some(chosen) = name.and_then(|name| chosen.get_mut(name)) {
                *chosen = Chosen::Tag(*value);
            }
        }
    }
}

/// The number of a name among `names`, where it is put when it is new.
fn number_of(names: &mut Vec<Box<[u8]>>, name: &str) -> Result<usize, String> {
    if name.is_empty() {
        return Err("an attribute has no name".to_owned());
    }
    if RESERVED.contains(&name) {
        return Err(format!("{name:?} is a name that every point has already"));
    }
    if let Some(at) = names.iter().position(|known| **known == *name.as_bytes()) {
        return Ok(at);
    }
    if names.len() == ATTRIBUTES_MAX {
        return Err(format!("more than {ATTRIBUTES_MAX} different names"));
    }
    names.push(bytes(name));
    Ok(names.len() - 1)
}

fn bytes(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

#[cfg(test)]
mod tests;
