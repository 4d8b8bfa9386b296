//! All pages of one region, with patience for what passes.

use std::collections::BTreeMap;
use std::time::Duration;

use remote::aws::tagging::Page;
use remote::aws::{Fault, Kind};

use super::document::Resources;
use crate::patience::patiently;

/// As many as a snapshot may hold.
const RESOURCES_MAX: usize = 1_000_000;

/// Everything of a region, as `ask` gives it page by page; only these keys, or all when none is
/// named. `pause` is the first one after a failure that may pass; it doubles from there.
pub async fn fetch_region(
    ask: impl AsyncFn(Option<&str>) -> Result<Page, Fault>,
    keys: &[String],
    pause: Duration,
) -> Result<Resources, Fault> {
    let mut resources = Resources::new();
    let mut next: Option<String> = None;
    loop {
        let page = patiently(pause, async || ask(next.as_deref()).await).await?;
        for resource in page.resources {
            let wanted = |key: &String| keys.is_empty() || keys.contains(key);
            let tags: BTreeMap<String, String> =
                resource.tags.into_iter().filter(|(key, _)| wanted(key)).collect();
            resources.insert(resource.arn, tags);
        }
        if resources.len() > RESOURCES_MAX {
            return Err(too_many());
        }
        // A token that comes again would never end.
        match page.next.filter(|token| !token.is_empty()) {
            Some(token) if next.as_ref() == Some(&token) => return Err(circle()),
            Some(token) => next = Some(token),
            None => return Ok(resources),
        }
    }
}

fn too_many() -> Fault {
    Fault {
        kind: Kind::Refused,
        doing: "GetResources".to_owned(),
        code: "TooManyResources".to_owned(),
        message: format!("more than {RESOURCES_MAX} resources in one region"),
        remedy: Some("ask for fewer types: --types ec2:instance,rds:db".to_owned()),
        status: 0,
        retry_after: None,
    }
}

fn circle() -> Fault {
    Fault {
        kind: Kind::Refused,
        doing: "GetResources".to_owned(),
        code: "RepeatedPage".to_owned(),
        message: "the answer names the page before as the next one".to_owned(),
        remedy: None,
        status: 0,
        retry_after: None,
    }
}
