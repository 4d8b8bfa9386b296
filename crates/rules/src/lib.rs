//! Select: include and exclude filters with CloudWatch's meaning, and dimensions, accounts and regions. Pure.
//!
//! Owns the verdict on a point and the names of the rules that counters carry. As in CloudWatch,
//! names are compared exactly, case included, without wildcards; a filter without metric names takes
//! the whole namespace. No I/O, no clock, and no input makes it panic (I3). Deliberately not here:
//! enrichment and what becomes of a filtered point.

mod enrich;
mod filter;

pub use enrich::{
    ATTRIBUTES_MAX, ArnRules, Counts, Enricher, Enrichment, Fixed, SNAPSHOT_VERSION, TagSnapshot,
    Tags,
};
pub use filter::Filter;

use filter::{Match, Matcher};
use metric::{Point, ShapeId, Shapes};

/// The verdict on one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It passes.
    Keep,
    /// It does not, because of this rule (index into [`Selection::rules`]).
    Filtered(usize),
}

/// What a list of filters does with a point that one of them matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It is kept, and all others are not.
    Include,
    /// It is not kept, and all others are.
    Exclude,
}

/// What is remembered of a shape.
#[derive(Clone, Debug)]
enum Verdict {
    Unknown,
    /// The same for every point of the shape.
    Fixed(Decision),
    /// It depends on dimension values, account or region: these filters are left to ask, in order.
    /// The last one may be one that matches the shape whatever the values.
    Depends(Box<[u32]>),
}

/// Compiled filters of one stream.
#[derive(Clone, Debug)]
pub struct Selection {
    mode: Mode,
    matchers: Vec<Matcher>,
    rules: Vec<String>,
    /// By shape; grows to the highest number seen.
    verdicts: Vec<Verdict>,
}

impl Selection {
    /// Compiles. The error is a fragment for the settings check: both include and exclude, or a
    /// name that CloudWatch does not have. CloudWatch's own limit of 1,000 names a stream is not
    /// ours, so there is none here.
    pub fn compile(include: Vec<Filter>, exclude: Vec<Filter>) -> Result<Self, String> {
        if !include.is_empty() && !exclude.is_empty() {
            return Err("include and exclude cannot both be given".to_owned());
        }
        let (mode, part, filters) = if include.is_empty() {
            (Mode::Exclude, "exclude", exclude)
        } else {
            (Mode::Include, "include", include)
        };
        let rules = match mode {
            Mode::Include => vec!["not_included".to_owned()],
            Mode::Exclude => (0..filters.len()).map(|at| format!("exclude[{at}]")).collect(),
        };
        let matchers = filters
            .into_iter()
            .enumerate()
            .map(|(at, filter)| {
                Matcher::compile(filter).map_err(|problem| format!("{part}[{at}]: {problem}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { mode, matchers, rules, verdicts: Vec::new() })
    }

    /// Names of the rules, as they stand in counters: `not_included`, `exclude[0]` and so on.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Nothing is asked: every point passes.
    pub fn keeps_all(&self) -> bool {
        self.matchers.is_empty()
    }

    /// Decides. What depends on the shape alone is remembered per `shape`; all calls must take
    /// their shapes from the same [`Shapes`].
    #[inline]
    pub fn decide(&mut self, point: &Point<'_>, shape: Option<ShapeId>) -> Decision {
        if self.matchers.is_empty() {
            return Decision::Keep;
        }
        let remembered = shape.and_then(|shape| self.verdicts.get(shape.index()));
        match remembered {
            Some(Verdict::Fixed(decision)) => *decision,
            Some(Verdict::Depends(filters)) => self.ask(point, filters),
            Some(Verdict::Unknown) | None => self.decide_new(point, shape),
        }
    }

    /// Asks the filters whose parts beyond the shape are to be looked at.
    fn ask(&self, point: &Point<'_>, filters: &[u32]) -> Decision {
        let matching = filters
            .iter()
            .map(|at| *at as usize)
            .find(|at| self.matchers.get(*at).is_some_and(|matcher| matcher.matches_values(point)));
        self.decision(matching)
    }

    /// What follows when `matching` is the first filter that matches.
    fn decision(&self, matching: Option<usize>) -> Decision {
        match (self.mode, matching) {
            (Mode::Include, Some(_)) | (Mode::Exclude, None) => Decision::Keep,
            (Mode::Include, None) => Decision::Filtered(0),
            (Mode::Exclude, Some(at)) => Decision::Filtered(at),
        }
    }

    /// Decides about a shape that is not remembered, and remembers it when it has a number.
    #[cold]
    fn decide_new(&mut self, point: &Point<'_>, shape: Option<ShapeId>) -> Decision {
        let mut left_to_ask = Vec::new();
        let mut fixed = None;
        for (at, matcher) in self.matchers.iter().enumerate() {
            match matcher.matches_shape(point) {
                Match::No => {}
                Match::Depends => left_to_ask.push(at as u32),
                Match::Yes => {
                    fixed = Some(at);
                    break;
                }
            }
        }
        let verdict = if left_to_ask.is_empty() {
            Verdict::Fixed(self.decision(fixed))
        } else {
            left_to_ask.extend(fixed.map(|at| at as u32));
            Verdict::Depends(left_to_ask.into_boxed_slice())
        };
        let decision = match &verdict {
            Verdict::Depends(filters) => self.ask(point, filters),
            Verdict::Fixed(decision) => *decision,
            Verdict::Unknown => Decision::Keep,
        };
        self.remember(shape, verdict);
        decision
    }

    fn remember(&mut self, shape: Option<ShapeId>, verdict: Verdict) {
        let Some(at) = shape.map(ShapeId::index).filter(|at| *at < Shapes::CAPACITY) else {
            return;
        };
        if self.verdicts.len() <= at {
            self.verdicts.resize(at + 1, Verdict::Unknown);
        }
        if let Some(space) = self.verdicts.get_mut(at) {
            *space = verdict;
        }
    }
}

#[cfg(test)]
mod tests;
