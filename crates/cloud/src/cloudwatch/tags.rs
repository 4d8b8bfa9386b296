//! Tags of metric streams, the only resources of CloudWatch here that have any.

use aws::api::{Fault, Shape, Value};

use super::form::{ARN_MAX, Constraints, required, required_at};
use super::refusal::{missing, not_found, value};
use super::{change, nothing};
use crate::api::{Caller, Context};
use crate::registry::{MetricStream, Resources, key};

/// Tags of a resource.
const TAGS_MAX: usize = 50;
/// Characters of a key.
const KEY_MAX: usize = 128;
/// Characters of a value.
const VALUE_MAX: usize = 256;

/// `Tags` of a request, in order.
pub(super) fn read(
    input: &Value<'_>,
    model: &mut Constraints,
) -> Result<Vec<(String, String)>, Fault> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for (index, tag) in input.structures_of("Tags")?.iter().enumerate() {
        let number = index + 1;
        let tag_key = required_at(tag, "Key", &format!("Tags.member.{number}.Key"))?;
        let text = required_at(tag, "Value", &format!("Tags.member.{number}.Value"))?;
        model.length(&format!("tags.{number}.member.key"), tag_key, 1, KEY_MAX);
        model.length(&format!("tags.{number}.member.value"), text, 0, VALUE_MAX);
        if tag_key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(value("Tag keys that begin with aws: are reserved for AWS."));
        }
        if tags.iter().take(TAGS_MAX).any(|(known, _)| known == tag_key) {
            return Err(value(format!("The tag key {tag_key} is given twice.")));
        }
        tags.push((tag_key.to_owned(), text.to_owned()));
    }
    within_limit(tags.len())?;
    Ok(tags)
}

/// No resource has more than fifty.
pub(super) fn within_limit(count: usize) -> Result<(), Fault> {
    if count <= TAGS_MAX {
        return Ok(());
    }
    Err(value(format!("A resource must not have more than {TAGS_MAX} tags.")))
}

/// The stream that an ARN names, as it is kept; no other resource has tags here.
fn place(context: &Context, caller: &Caller, input: &Value<'_>) -> Result<(String, String), Fault> {
    let arn = required(input, "ResourceARN")?;
    let mut model = Constraints::default();
    model.length("resourceARN", arn, 1, ARN_MAX);
    model.hold()?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "cloudwatch", _, _, resource] = parts.as_slice() else {
        return Err(value("The parameter ResourceARN must be the ARN of a CloudWatch resource."));
    };
    let name = resource.strip_prefix("metric-stream/");
    // Word for word the ARN that policies are asked about: another partition is another resource.
    let own = aws::arn::of("cloudwatch", &context.config.region, &caller.account, resource);
    match name.filter(|_| arn == own) {
        Some(name) => Ok((key(&caller.account, name), arn.to_owned())),
        None => Err(not_found("CloudWatch resource", arn)),
    }
}

fn stream<'a>(
    all: &'a mut Resources,
    (place, arn): &(String, String),
) -> Result<&'a mut MetricStream, Fault> {
    all.metric_streams.get_mut(place).ok_or_else(|| not_found("MetricStream", arn))
}

/// `TagResource`: keys that are there get the new value.
pub(super) async fn tag(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let place = place(context, caller, input)?;
    if input.get("Tags").is_none() {
        return Err(missing("Tags"));
    }
    let mut model = Constraints::default();
    let tags = read(input, &mut model)?;
    model.hold()?;
    change(context, move |all| {
        let stream = stream(all, &place)?;
        stream.tags.extend(tags);
        within_limit(stream.tags.len())
    })
    .await?;
    Ok(nothing())
}

/// `UntagResource`: keys that are not there are no fault.
pub(super) async fn untag(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let place = place(context, caller, input)?;
    if input.get("TagKeys").is_none() {
        return Err(missing("TagKeys"));
    }
    let mut model = Constraints::default();
    let mut keys = Vec::new();
    for (index, tag_key) in input.list_of("TagKeys")?.iter().enumerate() {
        let at = format!("TagKeys.member.{}", index + 1);
        let tag_key = tag_key.as_text().ok_or_else(|| missing(&at))?;
        model.length(&format!("tagKeys.{}.member", index + 1), tag_key, 1, KEY_MAX);
        keys.push(tag_key.to_owned());
    }
    model.hold()?;
    change(context, move |all| {
        let stream = stream(all, &place)?;
        for tag_key in &keys {
            stream.tags.remove(tag_key);
        }
        Ok(())
    })
    .await?;
    Ok(nothing())
}

/// `ListTagsForResource`: an empty list where there are none, as recorded from the service.
pub(super) fn list(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let (place, arn) = place(context, caller, input)?;
    let all = context.registry.now();
    let stream = all.metric_streams.get(&place).ok_or_else(|| not_found("MetricStream", &arn))?;
    let told = stream.tags.iter().map(|(tag_key, text)| {
        let owned = |text: &str| Some(Value::text(text.to_owned()));
        Value::map([("Key", owned(tag_key)), ("Value", owned(text))])
    });
    Ok(Shape::Members(Value::map([("Tags", Some(Value::List(told.collect())))])))
}
