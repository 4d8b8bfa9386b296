//! `ListMetrics`: the metrics that kept windows have, page by page in the order of their names.
//!
//! A page is found anew each time, so that a metric that comes or goes meanwhile moves no other to
//! or from a page. Windows are looked at newest first, and no more of them than can be read soon.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use aws::api::{Fault, Shape, Value};

use super::form::{Constraints, DIMENSION_VALUE_MAX, NAME_MAX, required_at};
use super::refusal::{too_many, value};
use super::{read, token};
use crate::api::{Caller, Context};
use crate::fold::{Metric, Windows};

/// Metrics of a page.
const PAGE: usize = 500;
/// Dimensions of a filter.
const DIMENSIONS_MAX: usize = 10;
/// Bytes of windows looked at for a page: a few seconds of reading. The newest counts always.
const BYTES_MAX: u64 = 256 << 20;
/// `RecentlyActive` of `PT3H`.
const RECENTLY_MS: i64 = 3 * 3_600_000;

/// What names a metric, in the order of pages.
type Key = (String, String, String, Vec<(String, String)>);

/// What is asked for.
struct Filter {
    account: Option<String>,
    linked: bool,
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Vec<(String, Option<String>)>,
    since_ms: i64,
    /// Metrics after this one.
    after: Option<Key>,
}

/// `ListMetrics`.
pub(super) async fn list(
    context: &Context,
    caller: &Caller,
    input: &Value<'_>,
) -> Result<Shape<'static>, Fault> {
    let digest = token::digest(&caller.account, input);
    let mut filter = filter(context, caller, input)?;
    if let Some(place) = token::read(&digest, input, invalid_token)? {
        filter.after = Some(serde_json::from_str(&place).map_err(|_| invalid_token())?);
    }
    let linked = filter.linked;
    let windows = Arc::clone(&context.windows);
    let mut page = read(move || filter.page(&windows)).await?;
    let more = page.len() > PAGE;
    if more {
        page.pop_last();
    }
    let last = page.last().filter(|_| more);
    let place = last.and_then(|last| serde_json::to_string(last).ok());
    let next = place.map(|place| token::write(&digest, &place));
    let owners = page.iter().map(|(account, ..)| Value::text(account.clone())).collect();
    let metrics = page.into_iter().map(told).collect();
    Ok(Shape::Members(Value::map([
        ("Metrics", Some(Value::List(metrics))),
        ("NextToken", next),
        ("OwningAccounts", linked.then_some(Value::List(owners))),
    ])))
}

/// This operation has no error of its own for tokens.
fn invalid_token() -> Fault {
    value("The value for parameter NextToken is invalid.")
}

fn told((_, namespace, name, dimensions): Key) -> Value<'static> {
    let dimensions = dimensions.into_iter().map(|(name, text)| {
        Value::map([("Name", Some(Value::text(name))), ("Value", Some(Value::text(text)))])
    });
    Value::map([
        ("Dimensions", Some(Value::List(dimensions.collect()))),
        ("MetricName", Some(Value::text(name))),
        ("Namespace", Some(Value::text(namespace))),
    ])
}

fn filter(context: &Context, caller: &Caller, input: &Value<'_>) -> Result<Filter, Fault> {
    let mut model = Constraints::default();
    let namespace = input.text_of("Namespace")?;
    namespace.inspect(|namespace| model.namespace("namespace", namespace));
    let name = input.text_of("MetricName")?;
    name.inspect(|name| model.length("metricName", name, 1, NAME_MAX));
    let recently = input.text_of("RecentlyActive")?;
    recently.inspect(|recently| model.among("recentlyActive", recently, &["PT3H"]));
    let given = input.structures_of("Dimensions")?;
    if given.len() > DIMENSIONS_MAX {
        return Err(value(too_many("Dimensions", DIMENSIONS_MAX)));
    }
    let mut dimensions = Vec::new();
    for (index, one) in given.iter().enumerate() {
        let place = format!("Dimensions.member.{}.Name", index + 1);
        let name = required_at(one, "Name", &place)?;
        let text = one.text_of("Value")?;
        let at = format!("dimensions.{}.member", index + 1);
        model.length(&format!("{at}.name"), name, 1, NAME_MAX);
        text.inspect(|text| model.length(&format!("{at}.value"), text, 1, DIMENSION_VALUE_MAX));
        dimensions.push((name.to_owned(), text.map(str::to_owned)));
    }
    let owner = input.text_of("OwningAccount")?;
    owner.inspect(|owner| model.length("owningAccount", owner, 1, NAME_MAX));
    model.hold()?;
    let linked = input.bool_of("IncludeLinkedAccounts")?.unwrap_or(false);
    let account = match (linked, owner) {
        (true, owner) => owner.map(str::to_owned),
        (false, None) => Some(caller.account.clone()),
        (false, Some(owner)) if owner == caller.account => Some(owner.to_owned()),
        (false, Some(_)) => {
            let text = "The parameter OwningAccount needs IncludeLinkedAccounts to be true.";
            return Err(value(text));
        }
    };
    let since_ms = if recently.is_some() { (context.clock)() - RECENTLY_MS } else { i64::MIN };
    Ok(Filter {
        account,
        linked,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        dimensions,
        since_ms,
        after: None,
    })
}

impl Filter {
    fn takes(&self, metric: &Metric<'_>) -> bool {
        let has = |(name, text): &(String, Option<String>)| {
            metric.dimensions.iter().any(|(its_name, its_text)| {
                its_name == name && text.as_ref().is_none_or(|text| text == its_text)
            })
        };
        self.namespace.as_ref().is_none_or(|namespace| namespace == metric.namespace)
            && self.name.as_ref().is_none_or(|name| name == metric.name)
            && self.dimensions.iter().all(has)
    }

    /// The first metrics after the place of the page, one more than a page has.
    fn page(&self, windows: &Windows) -> io::Result<BTreeSet<Key>> {
        let mut page = BTreeSet::new();
        let since_ms = self.since_ms.max(since(windows));
        windows.metrics(self.account.as_deref(), since_ms, |metric| {
            if self.takes(metric) {
                self.put(&mut page, metric);
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    fn put(&self, page: &mut BTreeSet<Key>, metric: &Metric<'_>) {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let key = (
            metric.account.to_owned(),
            metric.namespace.to_owned(),
            metric.name.to_owned(),
            metric.dimensions.iter().map(owned).collect(),
        );
        if self.after.as_ref().is_some_and(|after| key <= *after) {
            return;
        }
        page.insert(key);
        if page.len() > PAGE + 1 {
            page.pop_last();
        }
    }
}

/// The minute from which on there is not too much to read.
fn since(windows: &Windows) -> i64 {
    let mut bytes = 0;
    let mut since_ms = None;
    for minute_ms in windows.minutes().into_iter().rev() {
        bytes += windows.get(minute_ms).map_or(0, |kept| kept.bytes);
        if let Some(since_ms) = since_ms.filter(|_| bytes > BYTES_MAX) {
            return since_ms;
        }
        since_ms = Some(minute_ms);
    }
    i64::MIN
}
