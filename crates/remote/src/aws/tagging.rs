//! The Resource Groups Tagging API: tags of resources, page by page.

use super::s3::not_yet;
use super::{Fault, Identity};

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
    pub async fn resources(&self, _types: &[String], _next: Option<&str>) -> Result<Page, Fault> {
        Err(not_yet(&self.identity, "GetResources"))
    }
}
