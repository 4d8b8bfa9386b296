//! What enrichment knows of a shape: which rules are left to ask, which ARNs its points may be
//! about, and which attributes its dimensions shadow.

use metric::Point;

use super::arn::{ArnRules, Candidate};
use crate::filter::{Match, Matcher};

/// The plan of one shape.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Fixed rules that may apply, in order; true when values are to be looked at.
    pub(super) fixed: Box<[(usize, bool)]>,
    /// ARNs to look up, in order.
    pub(super) candidates: Box<[Candidate]>,
    /// Attributes with the name of a dimension.
    pub(super) shadowed: Box<[usize]>,
}

impl Plan {
    /// Works out the plan for the shape of `point`.
    pub(super) fn of<'m>(
        point: &Point<'_>,
        matchers: impl Iterator<Item = &'m Matcher>,
        rules: Option<&ArnRules>,
        names: &[Box<[u8]>],
    ) -> Plan {
        let asked = |(number, matcher): (usize, &Matcher)| match matcher.matches_shape(point) {
            Match::No => None,
            Match::Yes => Some((number, false)),
            Match::Depends => Some((number, true)),
        };
        let is_dimension =
            |name: &[u8]| point.dimensions.iter().any(|(dimension, _)| *dimension == name);
        let shadowed = names.iter().enumerate().filter(|(_, name)| is_dimension(name));
        Plan {
            fixed: matchers.enumerate().filter_map(asked).collect(),
            candidates: rules.map(|rules| rules.candidates(point)).unwrap_or_default(),
            shadowed: shadowed.map(|(at, _)| at).collect(),
        }
    }
}
