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
    position: usize,
    /// Where others stand that have the same name in a line.
    others: Box<[usize]>,
    /// `",clustername="`: closes the dimension before it and opens this one.
    pub(crate) opening: Box<[u8]>,
}

impl PreparedDimension {
    /// Its value: the first of its name that is not empty, if any.
    #[inline]
    pub(crate) fn value<'a>(&self, point: &Point<'a>) -> &'a [u8] {
        let at = |position: usize| point.dimensions.get(position).map_or(&b""[..], |(_, v)| *v);
        let value = at(self.position);
        if !value.is_empty() || self.others.is_empty() {
            return value;
        }
        self.others.iter().map(|other| at(*other)).find(|value| !value.is_empty()).unwrap_or(value)
    }
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
        let before = named.len();
        named.retain(|(name, _)| !OWN_NAMES.contains(&name.as_str()));
        // Of equal names the first that came counts.
        named.sort();
        let mut dimensions: Vec<_> =
            named.chunk_by(|a, b| a.0 == b.0).filter_map(prepare).collect();
        losses.dimensions_repeated += (before - dimensions.len()) as u64;
        let most = DIMENSIONS_MAX - OWN_NAMES.len();
        losses.dimensions_over += dimensions.len().saturating_sub(most) as u64;
        dimensions.truncate(most);
        let losses = (losses != Losses::default()).then(|| Box::new(losses));
        Prepared { key, dimensions: dimensions.into(), losses, announced: false }
    }
}

/// The dimension of these, which have one name.
fn prepare(same: &[(String, usize)]) -> Option<PreparedDimension> {
    let ((name, position), others) = same.split_first()?;
    Some(PreparedDimension {
        position: *position,
        others: others.iter().map(|(_, position)| *position).collect(),
        opening: format!("\",{name}=\"").into_bytes().into(),
    })
}
