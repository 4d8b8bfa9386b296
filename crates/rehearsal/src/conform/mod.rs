//! What Firehose may send to an HTTP endpoint, and what each answer means to it: the cases of
//! `hydrant conform`.
//!
//! Pure: cases make deliveries, and answers are judged. Sending is the caller's business. A case is
//! one row of [`CASES`] and one function that makes its deliveries; where each rule comes from is in
//! docs/conform.md.

mod answer;
mod cases;
mod draft;
mod judge;
mod make;
mod members;
mod spoil;

pub use answer::{Answer, BODY_BYTES_MAX, Outcome, Silence};
pub use cases::CASES;
pub use draft::{Delivery, NAMESPACE, Setup, Slow};
pub use judge::{Finding, judge};

use draft::Draft;

/// One thing that a receiver must deal with.
pub struct Case {
    /// How it is called, in lower case with hyphens.
    pub name: &'static str,
    /// What is sent, in a few words.
    pub sends: &'static str,
    /// What the receiver must do.
    pub demand: Demand,
    /// What even a right answer does not show; empty when there is nothing to say.
    pub unseen: &'static str,
    /// What it takes to try it.
    pub needs: Needs,
    /// How its deliveries follow each other.
    pub order: Order,
    make: fn(&Draft<'_>) -> Vec<Delivery>,
}

/// What the protocol demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Exactly 200 with a valid answer: Firehose sends this, and forgets it after a yes.
    Yes,
    /// Anything that makes Firehose keep the delivery.
    No {
        /// The statuses that tell the operator what is wrong; empty when any 4xx or 5xx does.
        best: &'static [u16],
        /// What a yes is.
        yes: Verdict,
        /// Why.
        because: &'static str,
    },
    /// Yes and no are both within the protocol.
    Either,
    /// Not a delivery; any answer below 500.
    Answer,
}

/// What a case needs beside a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The receiver's access key, or it cannot be left out.
    Key,
    /// Seconds.
    Time,
    /// Room for the largest delivery there is.
    Room,
}

/// How the deliveries of a case follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each after the answer to the one before.
    InTurn,
    /// All at once.
    AtOnce,
}

/// What a receiver's conduct means, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As demanded.
    Ok,
    /// Outside the written contract, but nothing is lost or held up.
    Cosmetic,
    /// Firehose delivers again and again until its retry duration is over, then writes to its backup.
    Stall,
    /// It takes deliveries from anybody.
    Open,
    /// Firehose counts as delivered, or gives up, what the receiver does not have.
    Loss,
}

impl Verdict {
    /// All of them, from best to worst.
    pub const ALL: [Verdict; 5] =
        [Verdict::Ok, Verdict::Cosmetic, Verdict::Stall, Verdict::Open, Verdict::Loss];

    /// For people and for scripts.
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Cosmetic => "cosmetic",
            Verdict::Stall => "would stall",
            Verdict::Open => "takes anyone",
            Verdict::Loss => "would lose data",
        }
    }

    /// True when a receiver may behave like this behind Firehose.
    pub fn is_conformant(self) -> bool {
        matches!(self, Verdict::Ok | Verdict::Cosmetic)
    }
}

impl Demand {
    /// In a few characters: the column of a table.
    pub fn text(&self) -> String {
        match self {
            Demand::Yes => "200".to_owned(),
            Demand::No { best: [], .. } => "4xx or 5xx".to_owned(),
            Demand::No { best, .. } => {
                best.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
            }
            Demand::Either => "200, 4xx or 5xx".to_owned(),
            Demand::Answer => "below 500".to_owned(),
        }
    }
}

impl Case {
    /// The deliveries of this case: the same for the same setup.
    pub fn deliveries(&self, setup: &Setup) -> Vec<Delivery> {
        (self.make)(&Draft::new(setup, self.name))
    }
}

#[cfg(test)]
mod tests;
