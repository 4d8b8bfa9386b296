//! The Resource Groups Tagging API: tags of resources, page by page.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::Kind;
use super::json::Operation;
use super::places::Service;
use super::verdict::Doing;
use super::{Fault, Identity};

/// The API's own limit of a page.
const PAGE_MAX: u32 = 100;

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tagging {
    identity: Identity,
}

/// A resource and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN.
    pub arn: String,
    /// Its tags in the order they came.
    pub tags: Vec<(String, String)>,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Resources.
    pub resources: Vec<Resource>,
    /// For the next page; `None` after the last.
    pub next: Option<String>,
}

impl Tagging {
    /// A client.
    pub fn new(identity: Identity) -> Tagging {
        Tagging { identity }
    }

    /// One page of the resources of these types (`ec2:instance`); all types when empty.
    pub async fn resources(&self, types: &[String], next: Option<&str>) -> Result<Page, Fault> {
        let text = "GetResources of the tagging API";
        let region = self.identity.region_for(Service::Tagging, text)?;
        let mut body = json!({ "ResourcesPerPage": PAGE_MAX });
        if let Value::Object(members) = &mut body {
            if !types.is_empty() {
                members.insert("ResourceTypeFilters".to_owned(), json!(types));
            }
            if let Some(next) = next {
                members.insert("PaginationToken".to_owned(), json!(next));
            }
        }
        let operation = Operation {
            service: Service::Tagging,
            region,
            place: self.identity.place(Service::Tagging, region),
            target: "ResourceGroupsTaggingAPI_20170126.GetResources".to_owned(),
            content_type: "application/x-amz-json-1.1",
            body,
            waits: Duration::ZERO,
            doing: Doing {
                text: text.to_owned(),
                action: "tag:GetResources",
                resource: "*".to_owned(),
                besides: String::new(),
            },
        };
        let answer = self.identity.json(operation).await?;
        let page = page(&answer).filter(|page| page.next.is_none() || page.next.as_deref() != next);
        page.ok_or_else(|| {
            let what = "ResourceTagMappingList is missing or is not a list of resources";
            Fault::ours(Kind::Unwell, text, "NotAws", what, "check endpoint_url")
        })
    }
}

fn page(answer: &Value) -> Option<Page> {
    let list = answer.get("ResourceTagMappingList")?.as_array()?;
    let next = answer.get("PaginationToken").and_then(Value::as_str);
    Some(Page {
        resources: list.iter().map(resource).collect::<Option<Vec<_>>>()?,
        next: next.filter(|next| !next.is_empty()).map(str::to_owned),
    })
}

fn resource(value: &Value) -> Option<Resource> {
    let tag = |tag: &Value| {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("Key")?, text("Value").unwrap_or_default()))
    };
    let tags = value.get("Tags").and_then(Value::as_array);
    Some(Resource {
        arn: value.get("ResourceARN")?.as_str()?.to_owned(),
        tags: tags.map(Vec::as_slice).unwrap_or_default().iter().filter_map(tag).collect(),
    })
}
