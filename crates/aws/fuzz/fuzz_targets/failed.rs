//! Any bytes as a failed-record object: reading ends, and what was read can be written and read.
#![no_main]

use aws::firehose::failed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for record in failed::read(bytes).flatten() {
        let mut line = Vec::new();
        failed::write(&record, &mut line);
        let again: Vec<_> = failed::read(&line).collect();
        assert_eq!(again, [Ok(record)]);
    }
});
