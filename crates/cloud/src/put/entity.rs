//! The rules of entities: what a call says its metrics are about.
//!
//! An entity that is wrong refuses the call only when it is strict; otherwise its data is kept, and a
//! header names what was wrong. Which `Type` needs which key attributes is told in no model, so only
//! `Type` itself is asked for.

use super::{Attribute, Entity, EntityData};

/// Members of `EntityMetricData`.
const ENTITIES_MAX: usize = 2;
/// Key attributes of an entity, at least and at most.
const KEY_ATTRIBUTES: (usize, usize) = (2, 4);
/// Their names.
const KEYS: [&str; 5] = ["Type", "ResourceType", "Identifier", "Name", "Environment"];
/// Further attributes.
const ATTRIBUTES_MAX: usize = 10;
/// Characters of the name of one of these.
const NAME_MAX: usize = 256;
/// Characters of a value.
const VALUE_MAX: usize = 2_048;

/// What is wrong with an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The word of `X-Amzn-Failure-Message`.
    pub(super) word: &'static str,
    /// Where, and what.
    pub(super) text: String,
}

impl Wrong {
    fn new(word: &'static str, text: String) -> Option<Wrong> {
        Some(Wrong { word, text })
    }
}

/// The first entity that is wrong; `None` when all are sound.
pub(super) fn wrong(entities: &[EntityData<'_>]) -> Option<Wrong> {
    if entities.len() > ENTITIES_MAX {
        let text = format!(
            "The collection EntityMetricData must not have a size greater than {ENTITIES_MAX}."
        );
        return Wrong::new("EntitySizeTooLarge", text);
    }
    entities.iter().enumerate().find_map(|(index, given)| {
        let place = format!("EntityMetricData.member.{}.Entity", index + 1);
        match &given.entity {
            None => Wrong::new("InvalidEntity", format!("The parameter {place} is required.")),
            Some(entity) => keys(entity, &place).or_else(|| attributes(entity, &place)),
        }
    })
}

fn keys(entity: &Entity<'_>, place: &str) -> Option<Wrong> {
    let (given, (least, most)) = (&entity.key_attributes, KEY_ATTRIBUTES);
    let invalid =
        |why: String| Wrong::new("InvalidKeyAttributes", format!("{place}.KeyAttributes {why}."));
    if given.len() < least || given.len() > most {
        return invalid(format!(
            "must have from {least} to {most} entries, it has {}",
            given.len()
        ));
    }
    if let Some((key, _)) = given.iter().find(|(key, _)| !KEYS.contains(&&**key)) {
        return invalid(format!("must not have the key {key}: there are {}", KEYS.join(", ")));
    }
    if let Some(key) = unfit(given) {
        return invalid(format!("must have a value of 1 to {VALUE_MAX} characters for {key}"));
    }
    let typed = given.iter().any(|(key, _)| key == "Type");
    let text = || format!("The parameter {place}.KeyAttributes.Type is required.");
    if typed { None } else { Wrong::new("MissingRequiredFields", text()) }
}

fn attributes(entity: &Entity<'_>, place: &str) -> Option<Wrong> {
    let given = &entity.attributes;
    let invalid =
        |why: String| Wrong::new("InvalidAttributes", format!("{place}.Attributes {why}."));
    if given.len() > ATTRIBUTES_MAX {
        return invalid(format!("must have at most {ATTRIBUTES_MAX} entries"));
    }
    let fits = |key: &str| (1..=NAME_MAX).contains(&key.chars().count());
    if given.iter().any(|(key, _)| !fits(key)) {
        return invalid(format!("must have keys of 1 to {NAME_MAX} characters"));
    }
    let key = unfit(given)?;
    invalid(format!("must have a value of 1 to {VALUE_MAX} characters for {key}"))
}

/// The key of a value that is empty or too long.
fn unfit<'e>(given: &'e [Attribute<'_>]) -> Option<&'e str> {
    let fits = |value: &str| (1..=VALUE_MAX).contains(&value.chars().count());
    given.iter().find(|(_, value)| !fits(value)).map(|(key, _)| &**key)
}
