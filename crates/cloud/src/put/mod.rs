//! `PutMetricData`: read in any protocol, checked as CloudWatch checks it.
//!
//! Owns the form of a datum as it came and every rule about it, with CloudWatch's own texts. Always
//! holds: a call is good as a whole or refused as a whole; nothing is read twice; on the way of JSON
//! and CBOR texts are borrowed from the body. Deliberately not here: what becomes of a datum.

mod cbor;
mod check;
mod entity;
mod json;
mod tree;
pub mod wire;

use std::borrow::Cow;

use aws::api::{Call, Fault, Protocol, Seen};

pub use check::{Checked, Entry, Pair, Samples, check};

/// A call as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PutMetricData<'a> {
    /// Namespace, when it was given.
    pub namespace: Option<Cow<'a, str>>,
    /// Data.
    pub data: Vec<Datum<'a>>,
    /// `EntityMetricData`.
    pub entities: Vec<EntityData<'a>>,
    /// `StrictEntityValidation`.
    pub strict: Option<bool>,
}

/// A member of `EntityMetricData` as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityData<'a> {
    /// `Entity`.
    pub entity: Option<Entity<'a>>,
    /// `MetricData`.
    pub data: Vec<Datum<'a>>,
}

/// An entity as it came. It is checked and not kept: no format of metric streams carries one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity<'a> {
    /// `KeyAttributes`.
    pub key_attributes: Vec<Attribute<'a>>,
    /// `Attributes`.
    pub attributes: Vec<Attribute<'a>>,
}

/// Key and value of an entity's attribute.
pub type Attribute<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Name and value of a dimension as they came, if they came.
pub type Dimension<'a> = (Option<Cow<'a, str>>, Option<Cow<'a, str>>);

/// One datum as it came: which of its parts may be there together is a rule, not a form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Datum<'a> {
    /// `MetricName`.
    pub name: Option<Cow<'a, str>>,
    /// `Dimensions`: name and value, either of which may be missing.
    pub dimensions: Vec<Dimension<'a>>,
    /// `Timestamp`, seconds since the epoch.
    pub timestamp: Option<f64>,
    /// `Value`.
    pub value: Option<f64>,
    /// `Values`.
    pub values: Vec<f64>,
    /// `Counts`.
    pub counts: Vec<f64>,
    /// `StatisticValues`: count, sum, minimum, maximum, each of which may be missing.
    pub set: Option<[Option<f64>; 4]>,
    /// `Unit`.
    pub unit: Option<Cow<'a, str>>,
    /// `StorageResolution`.
    pub resolution: Option<i64>,
}

/// Reads a call. `body` is inflated already.
pub fn read<'a>(
    call: &Call<'_>,
    seen: &Seen<'a>,
    body: &'a [u8],
) -> Result<PutMetricData<'a>, Fault> {
    match call.protocol {
        Protocol::Json10 | Protocol::Json11 => json::read(body),
        Protocol::Cbor => cbor::read(body).map_err(Fault::serialization),
        Protocol::Query => tree::read(&call.input(seen, body)?),
    }
}

#[cfg(test)]
mod tests;
