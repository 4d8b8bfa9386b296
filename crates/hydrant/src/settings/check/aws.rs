//! What every AWS client of Hydrant is told: as whom, which region, which endpoint.

use std::time::Duration;

use ::aws::firehose::prefix::{Prefix, Use, Zone, check_extension};
use remote::aws::{AssumeRole, IdentityConfig};

use super::destination::client;
use super::place::url;
use crate::settings::read::{At, Found, Report, Section};

/// AWS's own limits of a bucket's name.
const BUCKET_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=63;
/// An answer of S3 or SQS may take its time; half a minute without a byte is a lost connection.
const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// `region`, `profile`, `endpoint_url`, `assume_role` and the keys of every HTTP client.
pub(super) fn identity(report: &Report, section: &Section<'_>) -> Option<IdentityConfig> {
    let region = section.text("region").map(|found| found.value);
    let profile = section.text("profile").map(|found| found.value);
    let endpoint = match section.get("endpoint_url") {
        None => Some(None),
        Some(at) => url(report, &at).map(|found| Some(found.value)),
    };
    let role = match section.get("assume_role") {
        None => Some(None),
        Some(at) => at.section().and_then(|section| assume_role(report, section)).map(Some),
    };
    let client = client(section, REQUEST_TIMEOUT_DEFAULT);
    Some(IdentityConfig {
        region,
        profile,
        endpoint_url: endpoint?,
        assume_role: role?,
        client: client?,
    })
}

fn assume_role(report: &Report, section: Section<'_>) -> Option<AssumeRole> {
    let hint = "for instance role_arn: arn:aws:iam::111122223333:role/hydrant-reader";
    let role = section.need_text("role_arn", hint).filter(|found| is_role(report, found));
    let external_id = match section.get("external_id") {
        None => Some(None),
        Some(at) => at.secret().map(|found| Some(found.value)),
    };
    let session_name = section.text("session_name").map(|found| found.value);
    section.finish();
    Some(AssumeRole { role_arn: role?.value, external_id: external_id?, session_name })
}

fn is_role(report: &Report, found: &Found<String>) -> bool {
    let parts: Vec<&str> = found.value.splitn(6, ':').collect();
    let good = match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource.starts_with("role/")
        }
        _ => false,
    };
    if !good {
        let hint = "for instance arn:aws:iam::111122223333:role/hydrant-reader".to_owned();
        report.error(&found.spot, "must be the ARN of a role", Some(hint));
    }
    good
}

/// The name of a bucket.
pub(super) fn bucket(at: &At<'_>) -> Option<String> {
    let found = at.text()?;
    let text = &found.value;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let good = BUCKET_CHARACTERS.contains(&text.chars().count()) && text.chars().all(allowed);
    if good {
        return Some(found.value);
    }
    let hint = match text.strip_prefix("s3://") {
        Some(_) => "write the name only; what follows it is the prefix",
        None => "3 to 63 of the characters a-z 0-9 . -",
    };
    at.note("must be the name of a bucket", &found, hint);
    None
}

/// A prefix of keys, perhaps with expressions.
pub(super) fn prefix(at: &At<'_>, purpose: Use) -> Option<String> {
    let found = at.text()?;
    match Prefix::parse(&found.value, purpose) {
        Ok(_) => Some(found.value),
        Err(why) => {
            let hint = "for instance cloudwatch/!{timestamp:yyyy/MM/dd/HH/}, with \
                        !{firehose:error-output-type}/ for failed data";
            at.note(&why, &found, hint);
            None
        }
    }
}

/// The name of a time zone.
pub(super) fn zone(report: &Report, at: &At<'_>) -> Option<String> {
    let found = at.text()?;
    match Zone::named(&found.value) {
        Ok(_) => Some(found.value),
        Err(why) => {
            report.error(&found.spot, why, None);
            None
        }
    }
}

/// What ends the keys instead of the compression's own extension.
pub(super) fn extension(at: &At<'_>) -> Option<String> {
    let found = at.text()?;
    match check_extension(&found.value) {
        Ok(()) => Some(found.value),
        Err(why) => {
            at.note(&why, &found, "for instance .ndjson.gz");
            None
        }
    }
}
