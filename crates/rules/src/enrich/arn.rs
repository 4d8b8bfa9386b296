//! ARN rules: which AWS resource a point is about, by namespace and dimensions. Given as data.
//!
//! Owns the grammar of the rules (`arn_rules.txt` explains it) and the making of ARNs from points.
//! Always holds: no ARN is made of an empty part, so a point without account or region never meets
//! the resource of another. Deliberately not here: which resources there are.

use std::sync::Arc;

use metric::Point;

/// The rules this release knows.
pub(super) const BUILT_IN: &str = include_str!("arn_rules.txt");

/// Most rules of a file: every AWS service several times over.
const RULES_MAX: usize = 2_000;

/// Most dimensions in a pattern; no ARN has more than a few.
const HOLES_MAX: usize = 8;

/// Rules in the order in which they are tried. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnRules {
    rules: Arc<[Rule]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    namespace: Box<[u8]>,
    pieces: Box<[Piece]>,
}

/// A part of an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// As it is.
    Text(Box<[u8]>),
    Partition,
    Region,
    Account,
    /// The value of a dimension.
    Dimension(Box<[u8]>),
    /// The same in lower case.
    Lowered(Box<[u8]>),
}

/// A rule whose dimensions a shape has.
#[derive(Debug)]
pub(super) struct Candidate {
    rule: usize,
    /// Where the dimensions of its pattern stand in the point, in the order of the pattern.
    positions: Box<[usize]>,
}

#[cfg(test)]
impl Candidate {
    /// Which rule.
    pub(super) fn rule(&self) -> usize {
        self.rule
    }
}

impl Default for ArnRules {
    fn default() -> Self {
        Self::built_in()
    }
}

impl ArnRules {
    /// The rules this release knows.
    pub fn built_in() -> ArnRules {
        Self::parse(BUILT_IN).unwrap_or(ArnRules { rules: Arc::default() })
    }

    /// Reads rules. The error names the line.
    pub fn parse(text: &str) -> Result<ArnRules, String> {
        let mut rules = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let rule = rule(line).map_err(|problem| format!("line {}: {problem}", number + 1))?;
            if rules.len() == RULES_MAX {
                return Err(format!("more than {RULES_MAX} rules"));
            }
            rules.push(rule);
        }
        Ok(ArnRules { rules: rules.into() })
    }

    /// These rules, and those of `base` for the namespaces that these say nothing about.
    pub fn over(self, base: &ArnRules) -> ArnRules {
        let is_ours = |rule: &&Rule| self.rules.iter().any(|own| own.namespace == rule.namespace);
        let rest = base.rules.iter().filter(|rule| !is_ours(rule));
        ArnRules { rules: self.rules.iter().chain(rest).cloned().collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Services (`wafv2`) whose ARNs end in something no dimension tells.
    pub(super) fn open_ended_services(&self) -> Vec<Box<[u8]>> {
        let mut services: Vec<Box<[u8]>> = Vec::new();
        for rule in self.rules.iter() {
            let Some(Piece::Text(last)) = rule.pieces.last() else { continue };
            let Some(service) = rule.service().filter(|_| last.ends_with(b"/*")) else { continue };
            if !services.contains(&service) {
                services.push(service);
            }
        }
        services
    }

    /// The rules for the shape of `point`, in order.
    pub(super) fn candidates(&self, point: &Point<'_>) -> Box<[Candidate]> {
        let numbered = self.rules.iter().enumerate();
        let ours = numbered.filter(|(_, rule)| *rule.namespace == *point.namespace);
        let candidate = |(rule, each): (usize, &Rule)| {
            let position =
                |name: &[u8]| point.dimensions.iter().position(|(dimension, _)| *dimension == name);
            let holes = each.pieces.iter().filter_map(|piece| match piece {
                Piece::Dimension(name) | Piece::Lowered(name) => Some(position(name)),
                _ => None,
            });
            let positions: Option<Box<[usize]>> = holes.collect();
            positions.map(|positions| Candidate { rule, positions })
        };
        ours.filter_map(candidate).collect()
    }

    /// Makes the ARN of a candidate; false when a part of it is not known.
    pub(super) fn make(&self, candidate: &Candidate, point: &Point<'_>, arn: &mut Vec<u8>) -> bool {
        arn.clear();
        let Some(rule) = self.rules.get(candidate.rule) else { return false };
        let mut positions = candidate.positions.iter();
        let mut next_value = || {
            let at = positions.next()?;
            point.dimensions.get(*at).map(|(_, value)| *value)
        };
        for piece in &rule.pieces {
            let part = match piece {
                Piece::Text(text) => text,
                Piece::Partition => metric::partition(point.region).as_bytes(),
                Piece::Region => point.region,
                Piece::Account => point.account,
                Piece::Dimension(_) | Piece::Lowered(_) => next_value().unwrap_or_default(),
            };
            if part.is_empty() {
                return false;
            }
            let from = arn.len();
            arn.extend_from_slice(part);
            if matches!(piece, Piece::Lowered(_))
                && let Some(added) = arn.get_mut(from..)
            {
                added.make_ascii_lowercase();
            }
        }
        true
    }
}

impl Rule {
    /// The third field of its ARN, where it is plain text.
    fn service(&self) -> Option<Box<[u8]>> {
        let text = self.pieces.iter().find_map(|piece| match piece {
            // What follows the partition.
            Piece::Text(text) if text.starts_with(b":") => Some(text),
            _ => None,
        })?;
        text.split(|byte| *byte == b':').nth(1).map(Into::into)
    }
}

/// A namespace and a pattern. Namespaces may hold blanks, so the pattern is what begins as one.
fn rule(line: &str) -> Result<Rule, String> {
    let begins = |pattern: &str| pattern.starts_with("arn:") || pattern.starts_with('{');
    let split = line.match_indices(char::is_whitespace).find_map(|(at, _)| {
        let (namespace, pattern) = line.split_at_checked(at)?;
        begins(pattern.trim_start()).then_some((namespace.trim_end(), pattern.trim_start()))
    });
    let Some((namespace, pattern)) = split.filter(|(namespace, _)| !namespace.is_empty()) else {
        return Err(format!("{line:?} is not a namespace and an ARN pattern behind it"));
    };
    Ok(Rule { namespace: namespace.as_bytes().into(), pieces: pieces(pattern)? })
}

fn pieces(pattern: &str) -> Result<Box<[Piece]>, String> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let (text, behind) = rest.split_once('{').unwrap_or((rest, ""));
        if text.contains('}') {
            return Err("a } without its {".to_owned());
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.as_bytes().into()));
        }
        if text.len() == rest.len() {
            break;
        }
        let Some((name, behind)) = behind.split_once('}') else {
            return Err("a { without its }".to_owned());
        };
        pieces.push(hole(name)?);
        rest = behind;
    }
    let is_dimension = |piece: &&Piece| matches!(piece, Piece::Dimension(_) | Piece::Lowered(_));
    match pieces.iter().filter(is_dimension).count() {
        0 => return Err("the pattern names no dimension".to_owned()),
        1..=HOLES_MAX => {}
        _ => return Err(format!("the pattern names more than {HOLES_MAX} dimensions")),
    }
    check_star(pattern)?;
    Ok(pieces.into())
}

/// `*` stands for the last part behind a `/` and nowhere else: only that is indexed.
fn check_star(pattern: &str) -> Result<(), String> {
    let allowed = pattern.strip_suffix("/*").unwrap_or(pattern);
    if allowed.contains('*') {
        return Err("* may only stand at the end, behind a /".to_owned());
    }
    if allowed.len() < pattern.len() && !pattern.starts_with("arn:{partition}:") {
        return Err("a pattern with * begins with arn:{partition}:".to_owned());
    }
    Ok(())
}

fn hole(name: &str) -> Result<Piece, String> {
    let dimension = |name: &str| Box::<[u8]>::from(name.as_bytes());
    Ok(match name {
        "" => return Err("a hole {} without a name".to_owned()),
        "partition" => Piece::Partition,
        "region" => Piece::Region,
        "account" => Piece::Account,
        _ => match name.strip_suffix("|lower") {
            Some(name) => Piece::Lowered(dimension(name)),
            None if name.contains('|') => {
                return Err(format!("{{{name}}}: only |lower can stand behind a name"));
            }
            None => Piece::Dimension(dimension(name)),
        },
    })
}
