//! The members of a JSON object in the order they were written, repeats too: a reader that keeps the last of
//! them would not see that a receiver gave two request ids.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of one object.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(String, Value)>);

/// The members of a body that is a JSON object.
pub(super) fn members(body: &[u8]) -> Option<Members> {
    serde_json::from_slice(body).ok()
}

impl Members {
    /// The last of this name: what most readers take.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first name that is there more than once.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut names = self.names().enumerate();
        names
            .find(|(at, name)| self.names().take(*at).any(|own| own == *name))
            .map(|(_, name)| name)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(member) = map.next_entry()? {
            members.0.push(member);
        }
        Ok(members)
    }
}
