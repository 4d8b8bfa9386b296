//! Any bytes as a header of common attributes: what parses, formats and parses to the same.
#![no_main]

use aws::firehose::attributes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = attributes::parse(bytes) {
        assert_eq!(attributes::parse(attributes::format(&list).as_bytes()), Ok(list));
    }
});
