//! Tags of delivery streams.

use std::collections::BTreeMap;

use aws::api::{Fault, Shape, Value};

use super::check::{At, Checks, Rule};
use super::pattern::Pattern;
use super::{Asked, NAME, exceeded};

/// Tags of a stream, and of a call.
const TAGS_MAX: usize = 50;

const KEY: Rule = Rule::of(1, 128, Pattern::TagKey);
const VALUE: Rule = Rule::of(0, 256, Pattern::TagValue);

/// `Tags`; a key that comes twice has its last value.
pub(super) fn input(at: &At<'_>, checks: &mut Checks) -> Option<BTreeMap<String, String>> {
    let listed = at.list(checks, "Tags", 1, TAGS_MAX)?;
    let pairs = listed.iter().map(|one| {
        let key = one.must(checks, "Key", &KEY);
        (key, one.text(checks, "Value", &VALUE).unwrap_or_default())
    });
    Some(pairs.collect())
}

/// `TagDeliveryStream`.
pub(super) fn tag(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    if !at.has("Tags") {
        checks.missing(&at.path("Tags"));
    }
    let tags = input(&at, &mut checks).unwrap_or_default();
    checks.done()?;
    asked.change(&name, |stream| {
        stream.tags.extend(tags);
        if stream.tags.len() > TAGS_MAX {
            let text = format!("A delivery stream cannot have more than {TAGS_MAX} tags");
            return Err(exceeded(text));
        }
        Ok(())
    })
}

/// `UntagDeliveryStream`; keys that are not there are passed over.
pub(super) fn untag(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    if !at.has("TagKeys") {
        checks.missing(&at.path("TagKeys"));
    }
    let listed = at.list(&mut checks, "TagKeys", 1, TAGS_MAX).unwrap_or_default();
    let keys: Vec<String> = listed.iter().map(|key| key.as_text(&mut checks, &KEY)).collect();
    checks.done()?;
    asked.change(&name, |stream| {
        stream.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
}

/// `ListTagsForDeliveryStream`.
pub(super) fn list(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    let after = at.text(&mut checks, "ExclusiveStartTagKey", &KEY).unwrap_or_default();
    let limit = at.number(&mut checks, "Limit", 1, TAGS_MAX as i64);
    checks.done()?;
    // Streams of the settings have none.
    let tags = asked.stream(&name)?.unwrap_or_default().tags;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(TAGS_MAX);
    let mut rest = tags.into_iter().filter(|(key, _)| *key > after);
    let told = rest.by_ref().take(limit).map(|(key, value)| {
        Value::map([("Key", Some(Value::text(key))), ("Value", Some(Value::text(value)))])
    });
    let told = told.collect();
    Ok(Shape::Members(Value::map([
        ("Tags", Some(Value::List(told))),
        ("HasMoreTags", Some(Value::Bool(rest.next().is_some()))),
    ])))
}
