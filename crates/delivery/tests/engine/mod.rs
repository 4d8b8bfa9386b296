//! The engine of a stream under trouble: what is stored where when things fail at the worst moment.
#![expect(clippy::unwrap_used, reason = "a broken world should stop the test")]

mod clock;
mod feeds;
mod lanes;
mod ordered;
mod raw;
mod replay;
mod rot;
mod stores;
mod tags;
mod tap;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use delivery::{Parts, Stats};

use crate::world::World;

/// Records of one JSON line each: queue `q-<n>` for every number.
pub(crate) fn queues(numbers: std::ops::Range<u32>, start_ms: i64) -> Vec<Vec<u8>> {
    let line = |n: u32| {
        format!(
            r#"{{"metric_stream_name":"m","account_id":"111122223333","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"NumberOfMessagesSent","dimensions":{{"QueueName":"q-{n}"}},"timestamp":{start_ms},"value":{{"max":1.0,"min":1.0,"sum":1.0,"count":1.0}},"unit":"Count"}}
"#
        )
    };
    let numbers: Vec<u32> = numbers.collect();
    // A hundred lines a record, as Firehose batches them.
    numbers
        .chunks(100)
        .map(|chunk| chunk.iter().map(|n| line(*n)).collect::<String>().into_bytes())
        .collect()
}

/// Parts whose clock counts how often it is asked: a loop that spins asks without end.
pub(crate) fn counted_parts(world: &World, stats: &Arc<Stats>) -> (Parts, Arc<AtomicU64>) {
    let mut parts = world.parts(stats);
    let asked = Arc::new(AtomicU64::new(0));
    let (clock, counter) = (Arc::clone(&parts.clock), Arc::clone(&asked));
    parts.clock = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        clock()
    });
    (parts, asked)
}
