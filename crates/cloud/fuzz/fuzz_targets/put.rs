//! Any bytes as `PutMetricData`, in each protocol: nothing panics, what JSON says CBOR says too, and
//! what was accepted is kept as it was said.
#![no_main]

use aws::api::{Call, Protocol, Seen, Service, Value, cbor};
use cloud::put::{PutMetricData, check, read, wire};

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;

fn read_as(protocol: Protocol, body: &[u8]) -> Option<PutMetricData<'_>> {
    let operation = "PutMetricData".into();
    let call = Call { service: Service::CloudWatch, operation, protocol, query_mode: true };
    read(&call, &Seen::default(), body).ok()
}

/// What is kept of a good call says what the call said.
fn keep(put: PutMetricData<'_>) {
    let Ok(checked) = check(put, NOW) else { return };
    let mut kept = Vec::new();
    wire::encode("123456789012", &checked, &mut kept);
    let call = wire::decode(&kept).expect("what was written is read");
    assert_eq!(call.namespace, checked.namespace);
    let kept: Vec<_> = call.map(|datum| datum.expect("what was written is read")).collect();
    assert_eq!(kept.len(), checked.entries.len());
    for (kept, said) in kept.iter().zip(&checked.entries) {
        let series = wire::series(kept.key).expect("a key is read");
        assert_eq!(series.name, said.name);
        assert_eq!(series.dimensions.len(), said.dimensions.len());
        assert_eq!((kept.timestamp_ms, &kept.samples), (said.timestamp_ms, &said.samples));
    }
}

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    for protocol in [Protocol::Json10, Protocol::Cbor, Protocol::Query] {
        if let Some(put) = read_as(protocol, body) {
            keep(put);
        }
    }
    let Some(said) = read_as(Protocol::Json10, body) else { return };
    // Members that are passed over may hold what is no text.
    let Ok(tree) = serde_json::from_slice::<Value<'_>>(body) else { return };
    let mut packed = Vec::new();
    cbor::write(&tree, &mut packed);
    assert_eq!(read_as(Protocol::Cbor, &packed), Some(said));
});
