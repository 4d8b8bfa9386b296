//! What was added to points, as dimensions of their lines.
//!
//! Which attributes a point has depends on its resource, not on its shape, so only their names are
//! prepared: normalised once each. A dimension of CloudWatch, and what this sink writes itself, is
//! never repeated, and a line never has more than fifty dimensions.

use metric::Point;

use super::Losses;
use super::dimension::{DIMENSIONS_MAX, normalise_name, push_value};
use super::prepared::{OWN_NAMES, Prepared};
use crate::sink::text::Text;

/// Names that are remembered: all that one stream can add (`rules::ATTRIBUTES_MAX`), and a mask of
/// 64 bits has a place for each. Others are normalised each time.
const NAMES_MAX: usize = 64;

/// The names seen so far.
#[derive(Default)]
pub(super) struct Added {
    names: Vec<Name>,
    /// What could not be written of the point before.
    lost: Losses,
}

/// An attribute's name.
struct Name {
    raw: Box<[u8]>,
    form: Form,
    /// The first of `names` that is written the same.
    same_as: usize,
}

/// How it is written.
enum Form {
    /// No character of it may stand in a name.
    Unnamed,
    /// It is one that this sink writes itself.
    Own,
    /// `",tag.team="`: closes the dimension before it and opens this one.
    Opening(Box<[u8]>),
}

impl Added {
    /// Writes the attributes of a point. `unopened` says whether no dimension stands before them;
    /// answers the same for what follows.
    pub(super) fn write(
        &mut self,
        point: &Point<'_>,
        prepared: &Prepared,
        (out, mut unopened): (&mut Text, bool),
    ) -> bool {
        self.lost = Losses::default();
        let mut room = DIMENSIONS_MAX - OWN_NAMES.len() - prepared.dimensions.len();
        let mut written = 0_u64;
        for (name, value) in point.attributes {
            let at = self.number_of(name);
            let Some(known) = self.names.get(at) else { continue };
            let bit = 1_u64 << (known.same_as % NAMES_MAX);
            let opening = match &known.form {
                Form::Unnamed => {
                    self.lost.dimensions_unnamed += 1;
                    continue;
                }
                Form::Own => {
                    self.lost.dimensions_repeated += 1;
                    continue;
                }
                Form::Opening(opening) => opening,
            };
            let mut own = prepared.dimensions.iter().filter(|own| own.opening == *opening);
            let is_dimension = own.any(|own| !own.value(point).is_empty());
            if is_dimension || written & bit != 0 {
                self.lost.dimensions_repeated += 1;
            } else if value.is_empty() {
                self.lost.dimensions_empty += 1;
            } else if room == 0 {
                self.lost.dimensions_over += 1;
            } else {
                written |= bit;
                room -= 1;
                out.put(super::open::closing_if_opened(opening, unopened));
                unopened = false;
                push_value(out, value);
            }
        }
        unopened
    }

    /// What could not be written of the point that was written last.
    pub(super) fn lost(&self) -> &Losses {
        &self.lost
    }

    /// The number of a name, prepared when it is new. When there is no room, the last place is
    /// used for one name after the other.
    #[inline]
    fn number_of(&mut self, raw: &[u8]) -> usize {
        let known = self.names.iter().position(|name| *name.raw == *raw);
        known.unwrap_or_else(|| self.prepare(raw))
    }

    #[cold]
    fn prepare(&mut self, raw: &[u8]) -> usize {
        self.names.truncate(NAMES_MAX - 1);
        let number = self.names.len();
        let form = match normalise_name(metric::text(raw)) {
            None => Form::Unnamed,
            Some(name) if OWN_NAMES.contains(&name.as_str()) => Form::Own,
            Some(name) => Form::Opening(format!("\",{name}=\"").into_bytes().into()),
        };
        let same = self.names.iter().position(|other| match (&other.form, &form) {
            (Form::Opening(one), Form::Opening(two)) => one == two,
            _ => false,
        });
        self.names.push(Name { raw: raw.into(), form, same_as: same.unwrap_or(number) });
        number
    }
}
