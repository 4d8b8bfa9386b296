//! ListObjectsV2: a page at a time.

use aws::sigv4::encode_query;
use jiff::Timestamp;

use super::super::call::at_most;
use super::super::xml::{self, Element};
use super::{About, Fault, Listed, S3, verdict};
use bytes::Bytes;
use http::Method;

/// Most bytes of a page: 1,000 keys of 1,024 bytes, each written as `%XX`, and what stands beside.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys' bytes.
    pub objects: Vec<Listed>,
    /// For the next page; `None` after the last.
    pub next: Option<String>,
}

/// Where a listing begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct From<'a> {
    /// Only keys after this one.
    pub start_after: Option<&'a str>,
    /// [`Page::next`] of the page before.
    pub token: Option<&'a str>,
}

pub(super) async fn list(
    s3: &S3,
    bucket: &str,
    prefix: &str,
    from: From<'_>,
) -> Result<Page, Fault> {
    let mut query = format!("list-type=2&encoding-type=url&prefix={}", encode_query(prefix));
    // S3 takes no notice of start-after beside a token.
    match (from.token, from.start_after) {
        (Some(token), _) => query.push_str(&format!("&continuation-token={}", encode_query(token))),
        (None, Some(key)) => query.push_str(&format!("&start-after={}", encode_query(key))),
        (None, None) => {}
    }
    let about = About {
        bucket,
        key: None,
        method: Method::GET,
        query,
        headers: Vec::new(),
        body: Bytes::new(),
        limits: at_most(s3.identity.patience()),
        operation: "ListObjectsV2",
        action: "s3:ListBucket",
    };
    let (mut ask, answer) = s3.call(&about, PAGE_BYTES).await.map_err(|failed| failed.fault)?;
    ask.doing.text.push_str(prefix);
    let page = xml::parse(&answer.body).and_then(|root| page(&root));
    // A token that leads back to the same page would be followed for ever.
    let page = page.filter(|page| page.next.is_none() || page.next.as_deref() != from.token);
    page.ok_or_else(|| verdict::not_aws(&ask.doing, &answer))
}

fn page(root: &Element) -> Option<Page> {
    (root.name == "ListBucketResult").then_some(())?;
    let said = root.text_of("EncodingType") == Some("url");
    let keys = root.children.iter().filter(|child| child.name == "Contents");
    let mut keys = keys.filter_map(|child| child.text_of("Key"));
    // Some servers say that they encode, and do not: what encoding never leaves tells them.
    let encoded = said && keys.all(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    let contents = root.children.iter().filter(|child| child.name == "Contents");
    let objects = contents.map(|element| object(element, encoded)).collect::<Option<Vec<_>>>()?;
    let more = root.text_of("IsTruncated") == Some("true");
    let token = root.text_of("NextContinuationToken").filter(|token| !token.is_empty());
    (!more || token.is_some()).then_some(())?;
    Some(Page { objects, next: token.filter(|_| more).map(str::to_owned) })
}

fn object(element: &Element, encoded: bool) -> Option<Listed> {
    let key = element.text_of("Key")?;
    let modified = element.text_of("LastModified").and_then(|at| at.parse::<Timestamp>().ok());
    Some(Listed {
        key: if encoded { decode(key)? } else { key.to_owned() },
        length: element.text_of("Size")?.parse().ok()?,
        etag: element.text_of("ETag").unwrap_or_default().to_owned(),
        modified_ms: modified.map_or(0, |at| at.as_millisecond()),
    })
}

/// S3 encodes keys as forms do: a space is a `+`, and a `+` is `%2B`.
fn decode(key: &str) -> Option<String> {
    String::from_utf8(aws::sigv4::decode_form(key)).ok()
}
