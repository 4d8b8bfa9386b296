//! What depends on the shape of a metric alone, worked out once: its key, and which dimension goes
//! where under which name.
//!
//! Account and region are not part of a shape and are written from the point.

use metric::Point;

use super::dimension::{DIMENSIONS_MAX, normalise_name};
use super::key::{Key, metric_key};
use super::{DigitSection, Losses};

/// Names this sink writes itself: `aws.account.id`, `aws.region` and `dt.source` (in sorted order).
pub(crate) const OWN_NAMES: [&str; 3] = ["aws.account.id", "aws.region", "dt.source"];

/// A dimension of the shape.
#[derive(Debug)]
pub(crate) struct PreparedDimension {
    /// Where it stands in the point.
    pub(crate) position: usize,
    /// `",clustername="`: closes the dimension before it and opens this one.
    pub(crate) opening: Box<[u8]>,
}

/// The finished parts of a line.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The metric key.
    pub(crate) key: Key,
    /// Dimensions in the order they are written.
    pub(crate) dimensions: Box<[PreparedDimension]>,
    /// What the shape costs each of its points, if anything.
    pub(crate) losses: Option<Box<Losses>>,
    /// The unit of this key has been announced.
    pub(crate) announced: bool,
}

impl Prepared {
    /// Works out the parts for the shape of `point`.
    pub(crate) fn of(point: &Point<'_>, digits: DigitSection) -> Prepared {
        let names = point.dimensions.iter().map(|(name, _)| metric::text(name));
        let key = metric_key(
            metric::text(point.namespace),
            metric::text(point.name),
            names.clone(),
            digits,
        );
        let mut losses = Losses { keys_cut: u64::from(key.cut), ..Losses::default() };
        let mut named: Vec<(String, usize)> = Vec::with_capacity(point.dimensions.len());
        for (position, name) in names.enumerate() {
            match normalise_name(name) {
                Some(name) => named.push((name, position)),
                None => losses.dimensions_unnamed += 1,
            }
        }
        // Stable, so that of equal names the first that came stays.
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let before = named.len();
        named.retain(|(name, _)| !OWN_NAMES.contains(&name.as_str()));
        named.dedup_by(|later, first| later.0 == first.0);
        losses.dimensions_repeated += (before - named.len()) as u64;
        let most = DIMENSIONS_MAX - OWN_NAMES.len();
        losses.dimensions_over += named.len().saturating_sub(most) as u64;
        named.truncate(most);
        let dimensions = named
            .into_iter()
            .map(|(name, position)| PreparedDimension {
                position,
                opening: format!("\",{name}=\"").into_bytes().into(),
            })
            .collect();
        let losses = (losses != Losses::default()).then(|| Box::new(losses));
        Prepared { key, dimensions, losses, announced: false }
    }
}
