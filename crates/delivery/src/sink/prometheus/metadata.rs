//! Metadata: type, help and unit of a metric, sent with its samples, first and then now and then.
//!
//! Owns when it is due. Always holds: bounded by [`NAMES_MAX`] names and [`PER_REQUEST_MAX`] of them
//! in a request. Receivers may ignore it; Mimir and Cortex show it where a metric is looked up.

use std::collections::HashMap;

use metric::wire::{close, open, put_bytes, put_uint};
use metric::{Point, text};

use super::plan::Plan;
use super::{Naming, name, series};

/// Sent again after this: Mimir forgets what it has not seen for ten minutes.
pub(crate) const PERIOD_MS: i64 = 5 * 60_000;
/// Names without statistic that are remembered: as many as shapes.
const NAMES_MAX: usize = metric::Shapes::CAPACITY;
/// Names of one request: a start must not make requests many times their size.
const PER_REQUEST_MAX: usize = 200;

/// `prometheus.WriteRequest.metadata`.
const REQUEST_METADATA: u32 = 3;
/// `MetricMetadata.MetricType`.
const GAUGE: u64 = 2;
const SUMMARY: u64 = 5;

/// What is due, and what has been sent when.
#[derive(Default)]
pub(crate) struct Metadata {
    sent_ms: HashMap<Box<[u8]>, i64>,
    /// Encoded for the open request.
    encoded: Vec<u8>,
    names: usize,
}

impl Metadata {
    /// Puts the metadata of a point's metric into the open request, if it is due.
    pub(crate) fn offer(
        &mut self,
        naming: Naming,
        plan: &mut Plan,
        point: &Point<'_>,
        now_ms: i64,
    ) {
        // A clock that was set back must not silence it.
        let wait = plan.metadata_due_ms.saturating_sub(now_ms);
        if wait > 0 && wait <= PERIOD_MS || self.names >= PER_REQUEST_MAX {
            return;
        }
        plan.metadata_due_ms = now_ms.saturating_add(PERIOD_MS);
        let full = self.sent_ms.len() >= NAMES_MAX;
        match self.sent_ms.get_mut(&plan.base) {
            // Another shape of the same metric has brought it.
            Some(sent) if (0..PERIOD_MS).contains(&now_ms.saturating_sub(*sent)) => return,
            Some(sent) => *sent = now_ms,
            None if full => return,
            None => drop(self.sent_ms.insert(plan.base.clone(), now_ms)),
        }
        self.names += 1;
        match naming {
            Naming::Yace => {
                for (suffix, _) in series::suffixes(naming) {
                    self.push((GAUGE, &plan.base, suffix), point, point.unit.cloudwatch());
                }
            }
            Naming::Otel => {
                let (main, per) = name::unit_words(text(point.unit.otel()));
                let both = !main.is_empty() && !per.is_empty();
                let unit = format!("{main}{}{per}", if both { "_" } else { "" });
                self.push((SUMMARY, &plan.base, b""), point, unit.as_bytes());
            }
        }
    }

    fn push(&mut self, (kind, base, suffix): (u64, &[u8], &[u8]), point: &Point<'_>, unit: &[u8]) {
        let out = &mut self.encoded;
        let opened = open(REQUEST_METADATA, out);
        put_uint(1, kind, out);
        put_bytes(2, &[base, suffix].concat(), out);
        let statistic = text(suffix).replace('_', " ");
        let (namespace, name) = (text(point.namespace), text(point.name));
        put_bytes(4, format!("CloudWatch {namespace} {name}{statistic}").as_bytes(), out);
        if !matches!(unit, b"" | b"None") {
            put_bytes(5, unit, out);
        }
        let closed = close(opened, out);
        debug_assert!(closed, "two names and a unit are far below 256 MiB");
    }

    /// What goes into the open request.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The open request is gone.
    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.names = 0;
    }
}
