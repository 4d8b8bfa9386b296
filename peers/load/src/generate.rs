//! `load generate`: a pool of deliveries of the rehearsal's payload.
//!
//! Every delivery has the same series and an instant of its own, so that a sink can tell which
//! deliveries its points came from.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use metric::Format;
use rehearsal::payload;

use crate::arguments::Arguments;
use crate::expected::Expected;
use crate::pool::{Delivery, Pool};

pub fn run(arguments: &Arguments) -> Result<(), String> {
    let directory = arguments.directory()?;
    let format = match arguments.needed("format")? {
        "otel10" => Format::Otel10,
        "otel07" => Format::Otel07,
        "json" => Format::Json,
        other => return Err(format!("--format {other}: otel10, otel07 or json")),
    };
    let count: u64 = arguments.number("deliveries")?.unwrap_or(16);
    let metrics: usize = arguments.number("metrics")?.unwrap_or(13_000);
    let seed = arguments.number("seed")?.unwrap_or(1);
    std::fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_secs();
    let mut deliveries = Vec::new();
    let mut expected = Expected::default();
    let mut series = BTreeSet::new();
    for n in 0..count {
        // The youngest period has just ended.
        let second = now - 60 - n;
        let options = payload::Options {
            seed,
            metrics,
            series: metrics,
            start_ms: second * 1000,
            ..Default::default()
        };
        payload::points(&options, |point| {
            expected.add(point);
            if n == 0 {
                series.insert(expected_name(point));
            }
        });
        deliveries.push(write(&directory, n, second, &options, format)?);
    }
    expected.write(&directory)?;
    let bytes: u64 = deliveries.iter().map(|d| d.bytes).sum::<u64>() / count.max(1);
    let pool = Pool { format: arguments.needed("format")?.to_owned(), deliveries };
    let text = serde_json::to_vec(&pool).map_err(|e| e.to_string())?;
    std::fs::write(directory.join("pool.json"), text).map_err(|e| e.to_string())?;
    println!(
        "{{\"deliveries\":{count},\"metrics\":{},\"series\":{},\"bytes_per_delivery\":{bytes}}}",
        count * metrics as u64,
        series.len()
    );
    Ok(())
}

fn expected_name(point: &metric::Point<'_>) -> u64 {
    let mut bytes = [point.account, point.region, point.namespace, point.name].join(&b'\n');
    for (name, value) in point.dimensions {
        bytes.extend_from_slice(name);
        bytes.push(b'=');
        bytes.extend_from_slice(value);
    }
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

fn write(
    directory: &Path,
    n: u64,
    second: u64,
    options: &payload::Options,
    format: Format,
) -> Result<Delivery, String> {
    let file = format!("{n:04}");
    let records = payload::records(options, format);
    let body = payload::body(&records, "-");
    let start = memchr::memmem::find(&body, b"\"records\":[").ok_or("a body has records")?;
    // The head with the request id goes before this when it is sent.
    let rest = payload::gzip(body.get(start + 11..).unwrap_or_default());
    let put = |end: &str, bytes: &[u8]| {
        let path = directory.join(format!("{file}.{end}"));
        std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))
    };
    put("rest.gz", &rest)?;
    put("records", &records.concat())?;
    Ok(Delivery { file, metrics: options.metrics as u64, second, bytes: rest.len() as u64 + 80 })
}
