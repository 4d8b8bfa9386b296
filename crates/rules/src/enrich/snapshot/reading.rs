//! The JSON of a snapshot, read in one pass into the table; nothing of it is held twice.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{SNAPSHOT_VERSION, TagSnapshot};
use crate::enrich::Tags;

/// Most resources of a snapshot: ten times a large organisation, and a bound on memory.
const RESOURCES_MAX: u64 = 1_000_000;

/// Reads the whole of it.
pub(super) fn read(bytes: &[u8], tags: &Tags) -> Result<TagSnapshot, String> {
    let mut reading = Reading {
        snapshot: TagSnapshot { keys: tags.keys.clone(), ..TagSnapshot::default() },
        open_ended: tags.rules.open_ended_services(),
        numbers: HashMap::new(),
        text: String::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let version = Top(&mut reading).deserialize(&mut json).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    match version {
        Some(SNAPSHOT_VERSION) => {}
        Some(other) => {
            return Err(format!("version {other} is not one this release reads; fetch it anew"));
        }
        None => return Err("has no version: not a snapshot of hydrant tags fetch".to_owned()),
    }
    reading.snapshot.table.shrink();
    Ok(reading.snapshot)
}

/// A snapshot on its way.
struct Reading {
    snapshot: TagSnapshot,
    /// Services whose ARNs are also known without their last part.
    open_ended: Vec<Box<[u8]>>,
    /// Number of each value.
    numbers: HashMap<Box<[u8]>, u32>,
    text: String,
}

impl Reading {
    /// The resource whose tags begin at `from`.
    fn resource(&mut self, arn: &str, from: usize) -> Result<(), &'static str> {
        const FULL: &str = "more text than a snapshot may hold";
        let snapshot = &mut self.snapshot;
        let number = |at: usize| u32::try_from(at).map_err(|_| FULL);
        let range = (number(from)?, number(snapshot.tags.len())?);
        if !snapshot.table.set(arn.as_bytes(), range).ok_or(FULL)? {
            return Ok(());
        }
        snapshot.resources += 1;
        if snapshot.resources > RESOURCES_MAX {
            return Err("more than 1000000 resources; fetch fewer types");
        }
        let service = arn.split(':').nth(2).unwrap_or_default().as_bytes();
        if self.open_ended.iter().any(|open| **open == *service)
            && let Some((stem, _)) = arn.rsplit_once('/')
        {
            let pattern = format!("{stem}/*");
            snapshot.table.set_shared(pattern.as_bytes(), range).ok_or(FULL)?;
        }
        Ok(())
    }

    /// A tag whose value is `text`. One without a value says nothing.
    fn tag(&mut self, key: usize) -> Result<(), &'static str> {
        let (Ok(key), false) = (u16::try_from(key), self.text.is_empty()) else { return Ok(()) };
        let value = self.text.as_bytes();
        let number = match self.numbers.get(value) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.snapshot.values.len());
                let number = number.map_err(|_| "more values than a snapshot may hold")?;
                self.snapshot.values.push(value.into());
                self.numbers.insert(value.into(), number);
                number
            }
        };
        self.snapshot.tags.push((key, number));
        Ok(())
    }

    fn fetched(&mut self, text: &str) -> Result<(), String> {
        let instant: jiff::Timestamp = text
            .parse()
            .map_err(|_| format!("fetched_at: {text:?} is not an instant (RFC 3339)"))?;
        let oldest = &mut self.snapshot.fetched_ms;
        let fetched = instant.as_millisecond();
        *oldest = Some(oldest.map_or(fetched, |oldest| oldest.min(fetched)));
        Ok(())
    }
}

/// The file: answers its version.
struct Top<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Option<u32>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a snapshot of tags: an object with version and regions")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut version = None;
        while map.next_key_seed(Text(&mut self.0.text))?.is_some() {
            match self.0.text.as_str() {
                "version" => version = Some(map.next_value()?),
                "regions" => map.next_value_seed(Regions(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(version)
    }
}

/// The list of regions.
struct Regions<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Regions<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Regions<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of regions")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while list.next_element_seed(Region(self.0))?.is_some() {}
        Ok(())
    }
}

/// What was fetched from one region of one account.
struct Region<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Region<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Region<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a region: an object with fetched_at and resources")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while map.next_key_seed(Text(&mut self.0.text))?.is_some() {
            match self.0.text.as_str() {
                "fetched_at" => {
                    map.next_value_seed(Text(&mut self.0.text))?;
                    let text = std::mem::take(&mut self.0.text);
                    self.0.fetched(&text).map_err(M::Error::custom)?;
                }
                "resources" => map.next_value_seed(Resources(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// ARN to tags.
struct Resources<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Resources<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Resources<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("resources: an object of ARN to tags")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut arn = String::new();
        while map.next_key_seed(Text(&mut arn))?.is_some() {
            let from = self.0.snapshot.tags.len();
            map.next_value_seed(TagsOf(self.0))?;
            self.0.resource(&arn, from).map_err(M::Error::custom)?;
        }
        Ok(())
    }
}

/// The tags of one resource: key to value.
struct TagsOf<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for TagsOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TagsOf<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("tags: an object of key to value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while map.next_key_seed(Text(&mut self.0.text))?.is_some() {
            let wanted = self.0.snapshot.keys.iter().position(|key| *key == self.0.text);
            match wanted {
                Some(key) => {
                    map.next_value_seed(Text(&mut self.0.text))?;
                    self.0.tag(key).map_err(M::Error::custom)?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A text, into a buffer that is used again.
struct Text<'b>(&'b mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(text);
        Ok(())
    }
}
