//! What a source in place of AWS says of itself.

use std::collections::BTreeMap;

use ::cloud::fold::Status;
use ::cloud::registry::MetricStream;

use super::Api;
use crate::run::report::{ApiReport, FoldReport, SourceReport};

impl Api {
    /// Counters and state, as numbers.
    pub(in crate::run) fn report(&self) -> SourceReport {
        let context = self.context.load();
        let told = context.counts.now();
        let resources = context.registry.now();
        let names = names(&resources.metric_streams);
        let streams = resources.metric_streams.values();
        let named = |arn: &str| names.get(arn).map_or(arn, |name| *name).to_owned();
        let state = streams.map(|one| (named(&one.arn), one.running)).collect();
        let status = self.fold.status();
        // One that was deleted goes on being counted, under its ARN.
        let by_name = |counts: &[(String, u64)]| {
            let mut by_name = BTreeMap::new();
            for (arn, count) in counts {
                *by_name.entry(named(arn)).or_default() += count;
            }
            by_name
        };
        SourceReport {
            name: self.settings.name.clone(),
            listen: self.address.to_string(),
            tls: self.tls.is_some(),
            certificate_ends_s: self.tls.as_ref().and_then(listen::ServerTls::ends_s),
            requests: told.accepted,
            records: told.samples + told.records,
            bytes: told.bytes,
            rejected: told.refused.into_iter().map(|(code, n)| (code.to_owned(), n)).collect(),
            api: Some(ApiReport {
                region: self.settings.region.clone(),
                samples: told.samples,
                records: told.records,
                delivery_streams: resources.delivery_streams.len() as u64,
                metric_streams: state,
                updates: by_name(&status.updates),
                unsent: by_name(&status.unsent),
                nowhere: status.nowhere.clone(),
                fold: fold_report(status),
            }),
            ..SourceReport::default()
        }
    }
}

/// Names of metric streams by ARN: `<account>/<name>`, which is their key, where two accounts have the
/// same one.
fn names(streams: &BTreeMap<String, MetricStream>) -> BTreeMap<&str, &str> {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    streams.values().for_each(|one| *owners.entry(&one.name).or_default() += 1);
    let alone = |name: &str| owners.get(name) == Some(&1);
    let shown = streams.iter().map(|(key, one)| {
        let name = if alone(&one.name) { &one.name } else { key };
        (one.arn.as_str(), name.as_str())
    });
    shown.collect()
}

fn fold_report(status: Status) -> FoldReport {
    let left_out = [
        ("too_old", status.too_old_samples),
        ("window_gone", status.gone_samples),
        ("empty", status.empty_samples),
        ("unreadable", status.unreadable),
    ];
    FoldReport {
        open_series: status.open_series,
        raw_values: status.raw_values,
        raw_refused: status.raw_refused,
        samples: status.samples,
        late_samples: status.late_samples,
        left_out: left_out.map(|(reason, n)| (reason.to_owned(), n)).into(),
        windows: status.windows,
        windows_bytes: status.windows_bytes,
        waiting_windows: status.waiting_windows,
        failures: status.failures,
        last_failure: status.last_failure,
    }
}
