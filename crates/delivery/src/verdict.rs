//! What now? The answer of a destination to one attempt, cut by what the stream does next.

use std::time::Duration;

/// The verdict on one parcel.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All points are with the destination.
    Delivered,
    /// Taken, but for `refused` points that the destination will never take.
    Partly {
        /// How many points were refused.
        refused: u32,
        /// Those it named.
        lines: Vec<RefusedLine>,
        /// They are all that it refused: nothing else has to be kept.
        all_named: bool,
        /// Code and text.
        why: Why,
    },
    /// The destination is not well, or does not know us: retry as an outage.
    Later {
        /// The destination's own hint.
        after: Option<Duration>,
        /// An operator must act (401, 403, 404, 405, bad certificate): said loudly.
        loud: bool,
        /// Code and text.
        why: Why,
    },
    /// Too large as it is; smaller ones may pass.
    TooLarge {
        /// Code and text.
        why: Why,
    },
    /// Nothing of it was taken, because of some of its points: without them the others may pass.
    /// Never said of a single point.
    Divide {
        /// Code and text.
        why: Why,
    },
    /// Never, whatever we do.
    Never {
        /// Code and text.
        why: Why,
    },
}

/// The lines it named, and whether they are all that it refused.
pub(crate) type Named<'a> = (&'a [RefusedLine], bool);

/// One point the destination named as refused.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedLine {
    /// The text that was sent for it, as much as is known.
    pub text: Vec<u8>,
    /// What the destination said of it.
    pub why: String,
}

/// Code and text, as they stand in a failed record and in `hydrant status`.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// For instance `HttpEndpoint.DestinationException`.
    pub code: &'static str,
    /// What the destination said, cut to a few hundred characters; never a secret.
    pub message: String,
}
