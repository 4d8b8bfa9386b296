//! What a source says of itself.

use super::door::Door;
use super::report::SourceReport;

/// Counters of a source, as numbers.
pub(super) fn source_report(door: &Door) -> SourceReport {
    let told = door.stats().snapshot();
    SourceReport {
        name: door.name().to_owned(),
        listen: door.address().to_string(),
        tls: door.is_tls(),
        // All that came, less those refused: what was answered with yes.
        requests: told.requests.saturating_sub(told.rejected.iter().map(|(_, n)| n).sum()),
        records: told.records,
        bytes: told.bytes,
        repeats: told.repeats,
        health_checks: told.health_checks,
        rejected: told.rejected.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect(),
    }
}
