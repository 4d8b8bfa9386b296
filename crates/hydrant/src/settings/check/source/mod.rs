//! `sources:`.

mod api;
mod firehose;
mod objects;

use super::place::check_name;
use crate::settings::read::{At, Found, Report, Section};
use crate::settings::types::{ApiSource, FirehoseSource, ObjectSource};

/// What was read of a source. `config` is there when all of it is right; the rest as far as it is,
/// so that relations are checked whatever else is wrong.
pub(super) struct Source {
    pub(super) name: Found<String>,
    /// It stands in place of AWS.
    pub(super) is_api: bool,
    pub(super) listen: Option<Found<String>>,
    /// How many access keys, and where they stand.
    pub(super) keys: Option<Found<usize>>,
    pub(super) config: Option<Read>,
}

/// A source, read whole.
pub(super) enum Read {
    /// It listens.
    Firehose(FirehoseSource),
    /// It stands in place of AWS.
    Api(Box<ApiSource>),
    /// It reads objects.
    Objects(ObjectSource),
}

#[derive(Clone, Copy)]
enum Type {
    Firehose,
    Api,
    S3,
    File,
    Stdin,
}

/// `sources`.
pub(super) fn sources(report: &Report, top: &Section<'_>) -> Vec<Source> {
    let hint = "name at least one: where deliveries come in";
    let Some(at) = top.need("sources", hint) else { return Vec::new() };
    let Some(named) = at.named() else { return Vec::new() };
    if named.is_empty() {
        report.error(&at.spot(), "holds no source", Some(hint.to_owned()));
    }
    let read = |(name, at): (Found<String>, At<'_>)| {
        check_name(report, &name);
        source(report, name, &at)
    };
    named.into_iter().map(read).collect()
}

fn source(report: &Report, name: Found<String>, at: &At<'_>) -> Source {
    let unread = |name| Source { name, is_api: false, listen: None, keys: None, config: None };
    let Some(section) = at.section() else { return unread(name) };
    let types = [
        ("firehose", Type::Firehose),
        ("aws_api", Type::Api),
        ("s3", Type::S3),
        ("file", Type::File),
        ("stdin", Type::Stdin),
    ];
    let kind = section.need("type", "one of firehose, aws_api, s3, file or stdin");
    // Without its type nobody can say which of the other keys are right.
    let Some(kind) = kind.and_then(|at| at.choice(&types, &[])) else {
        section.finish_untyped();
        return unread(name);
    };
    let config = match kind {
        Type::Firehose => return firehose::source(report, name, section),
        Type::Api => return api::source(report, name, section),
        Type::S3 => objects::s3(report, &name, section),
        Type::File => objects::file(report, &name, section),
        Type::Stdin => objects::stdin(&name, section),
    };
    let config = config.map(Read::Objects);
    Source { name, is_api: false, listen: None, keys: None, config }
}
