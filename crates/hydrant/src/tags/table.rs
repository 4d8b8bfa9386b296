//! How many resources of which service, for a person.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Document;

/// A table of account, region, service and count; a row for each region that has none.
pub(super) fn text(document: &Document) -> String {
    let mut rows: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for region in &document.regions {
        let account = region.account.as_deref().unwrap_or("-");
        if region.resources.is_empty() {
            rows.insert((account, &region.region, "-"), 0);
        }
        for arn in region.resources.keys() {
            let service = arn.split(':').nth(2).unwrap_or("-");
            *rows.entry((account, &region.region, service)).or_default() += 1;
        }
    }
    let mut out = String::from("account       region          service                resources\n");
    for ((account, region, service), count) in rows {
        // Writing into a String cannot fail.
        let _infallible = writeln!(out, "{account:<13} {region:<15} {service:<22} {count:>9}");
    }
    out
}
