//! A metric stream made ready: what it selects, and what it adds to a set.
//!
//! Names match exactly, as in CloudWatch. An entry without names is the whole namespace; entries of
//! one namespace add up. Not here: whether a configuration is allowed (`cloudwatch`).

use std::collections::{HashMap, HashSet};

use metric::Format;

use super::gathered::Set;
use super::series::RawWanted;
use crate::registry::{MetricStream, Resources};
use crate::statistic::{Distribution, Statistic};

/// Names of a namespace; `None` is all.
type Names = HashMap<String, Option<HashSet<String>>>;

/// Name and meaning of additional statistics.
pub(crate) type Extras = Vec<(String, Statistic)>;

/// A statistic keeps the name it was asked for by, which readers look for, up to this length: a
/// record has room for so much. Only leading zeros make a name as long.
const NAME_MAX: usize = 255;

/// A running metric stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) firehose_arn: String,
    pub(crate) format: Format,
    pub(crate) updated_ms: i64,
    linked_accounts: bool,
    include: Names,
    exclude: Names,
    /// By namespace, then by name.
    extras: HashMap<String, HashMap<String, Extras>>,
}

impl Stream {
    /// The running streams.
    pub(crate) fn running(resources: &Resources) -> Vec<Stream> {
        let running = resources.metric_streams.iter().filter(|(_, stream)| stream.running);
        running.map(|(key, stream)| Stream::new(key, stream)).collect()
    }

    fn new(key: &str, stream: &MetricStream) -> Stream {
        let format = [Format::Otel07, Format::Otel10];
        let known = format.into_iter().find(|format| format.name() == stream.output_format);
        let format = known.unwrap_or(Format::Json);
        let account = key.split_once('/').map_or("", |(account, _)| account);
        Stream {
            arn: stream.arn.clone(),
            name: stream.name.clone(),
            account: account.to_owned(),
            firehose_arn: stream.firehose_arn.clone(),
            format,
            updated_ms: stream.updated_ms,
            linked_accounts: stream.linked_accounts,
            include: names(&stream.include),
            exclude: names(&stream.exclude),
            extras: extras(stream, format),
        }
    }

    /// Name of the delivery stream in its ARN.
    pub(crate) fn delivery_stream(&self) -> Option<&str> {
        let (_, name) = self.firehose_arn.rsplit_once(":deliverystream/")?;
        (!name.is_empty()).then_some(name)
    }

    /// Whether it sends this metric.
    pub(crate) fn selects(&self, account: &str, namespace: &str, name: &str) -> bool {
        let has = |names: &Names| match names.get(namespace) {
            None => false,
            Some(None) => true,
            Some(Some(some)) => some.contains(name),
        };
        (self.linked_accounts || account == self.account)
            && (self.include.is_empty() || has(&self.include))
            && !has(&self.exclude)
    }

    /// The additional statistics of a metric.
    pub(crate) fn extras(&self, namespace: &str, name: &str) -> &[(String, Statistic)] {
        let found = self.extras.get(namespace).and_then(|names| names.get(name));
        found.map_or(&[], Vec::as_slice)
    }
}

fn names(filters: &[(String, Vec<String>)]) -> Names {
    let mut names = Names::new();
    for (namespace, some) in filters {
        let known = names.entry(namespace.clone()).or_insert_with(|| Some(HashSet::new()));
        match known {
            Some(known) if !some.is_empty() => known.extend(some.iter().cloned()),
            _ => *known = None,
        }
    }
    names
}

/// JSON has each statistic under the name it was configured by. A summary has quantiles: each once, in
/// ascending order.
fn extras(stream: &MetricStream, format: Format) -> HashMap<String, HashMap<String, Extras>> {
    let mut extras: HashMap<String, HashMap<String, Extras>> = HashMap::new();
    for additional in &stream.statistics {
        let given = additional.statistics.iter();
        let known = given.filter_map(|name| Some((name, Statistic::parse(name)?)));
        let fits: Extras = match format {
            Format::Json => {
                known.map(|(name, statistic)| (named(name, statistic), statistic)).collect()
            }
            _ => known.filter_map(|(_, statistic)| quantile(statistic)).collect(),
        };
        for (namespace, name) in &additional.metrics {
            let known =
                extras.entry(namespace.clone()).or_default().entry(name.clone()).or_default();
            for one in &fits {
                if known.iter().all(|(other, _)| *other != one.0) {
                    known.push(one.clone());
                }
            }
        }
    }
    if format != Format::Json {
        let all = extras.values_mut().flat_map(HashMap::values_mut);
        all.for_each(|extras| extras.sort_by(|(_, a), (_, b)| share(a).total_cmp(&share(b))));
    }
    extras
}

/// The name of a statistic as it was configured, unless a record has no room for it.
fn named(name: &str, statistic: Statistic) -> String {
    if name.len() <= NAME_MAX { name.to_owned() } else { statistic.to_string() }
}

/// OpenTelemetry has percentiles only, and those of 0 and 100 are there as minimum and maximum.
fn quantile(statistic: Statistic) -> Option<(String, Statistic)> {
    let share = share(&statistic);
    (share > 0.0 && share < 100.0).then(|| (statistic.to_string(), statistic))
}

/// The share of a percentile; 0 for what is none.
fn share(statistic: &Statistic) -> f64 {
    match statistic {
        Statistic::Percentile(share) => *share,
        _ => 0.0,
    }
}

/// The metrics that some stream, running or not, has additional statistics for: a stopped one may
/// be started within a minute.
pub(crate) fn raw_wanted(resources: &Resources) -> RawWanted {
    let additional = resources.metric_streams.values().flat_map(|stream| &stream.statistics);
    additional.flat_map(|additional| additional.metrics.iter().cloned()).collect()
}

/// The values of additional statistics; what the set cannot have is left out.
pub(crate) fn compute<'a>(
    extras: &'a [(String, Statistic)],
    set: Set,
    raw: Vec<(f64, f64)>,
) -> Vec<metric::Extra<'a>> {
    let [_, _, min, _] = set;
    if min < 0.0 {
        return Vec::new();
    }
    let Some(distribution) = Distribution::new(raw) else { return Vec::new() };
    let value = |(name, statistic): &'a (String, Statistic)| {
        let value = distribution.compute(statistic).filter(|value| value.is_finite())?;
        Some(metric::Extra { statistic: metric::Statistic::Named(name.as_bytes()), value })
    };
    extras.iter().filter_map(value).collect()
}
