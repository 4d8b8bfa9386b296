//! What a source says of itself.

use intake::objects::State;

use super::door::Door;
use super::reader::Reader;
use super::report::{ObjectsReport, SourceReport};

/// Counters of a source, as numbers.
pub(super) fn source_report(door: &Door) -> SourceReport {
    let told = door.stats().snapshot();
    SourceReport {
        name: door.name().to_owned(),
        listen: door.address().to_string(),
        tls: door.is_tls(),
        certificate_ends_s: door.certificate_ends_s(),
        // All that came, less those refused: what was answered with yes.
        requests: told.requests.saturating_sub(told.rejected.iter().map(|(_, n)| n).sum()),
        records: told.records,
        bytes: told.bytes,
        repeats: told.repeats,
        health_checks: told.health_checks,
        rejected: told.rejected.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect(),
        objects: None,
        api: None,
    }
}

/// Counters of a source that reads objects.
pub(super) fn reader_report(reader: &Reader, now_ms: i64) -> SourceReport {
    let told = reader.stats().snapshot();
    let refused = match &told.state {
        State::Refused(trouble) => Some(trouble),
        _ => None,
    };
    let (failure, remedy) = (
        refused.map(|trouble| trouble.text.clone()),
        refused.and_then(|trouble| trouble.remedy.clone()),
    );
    let age = |sent_ms: i64| (now_ms - sent_ms).max(0) as f64 / 1000.0;
    let messages = [
        ("received", told.messages_received),
        ("deleted", told.messages_deleted),
        ("left", told.messages_left),
        ("extended", told.messages_extended),
        ("unknown", told.messages_unknown),
        ("test", told.messages_test),
    ];
    let objects = [
        ("read", told.objects),
        ("known", told.known),
        ("put_off", told.put_off),
        ("ignored", told.ignored),
        ("foreign", told.foreign),
    ];
    let named = |counts: &[(&str, u64)]| {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    SourceReport {
        name: reader.settings().name().to_owned(),
        records: told.records,
        bytes: told.bytes,
        repeats: told.repeats,
        rejected: told.rejected.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect(),
        objects: Some(ObjectsReport {
            place: reader.settings().place(),
            state: told.state.code().to_owned(),
            failure,
            remedy,
            last_failure: told.last_failure.map(|trouble| trouble.text),
            in_flight: told.in_flight,
            objects: named(&objects),
            messages: named(&messages),
            oldest_message_seconds: told.oldest_message_ms.map(age),
        }),
        ..SourceReport::default()
    }
}
