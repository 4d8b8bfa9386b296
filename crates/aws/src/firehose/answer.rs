//! The body of an answer: exactly `requestId`, `timestamp`, and on failure `errorMessage`.

/// Most characters Firehose takes in `errorMessage`.
pub const ERROR_MESSAGE_MAX: usize = 8192;

/// The JSON of an answer. `error` is cut to [`ERROR_MESSAGE_MAX`].
pub fn body(_request_id: &str, _timestamp_ms: i64, _error: Option<&str>) -> Vec<u8> {
    unimplemented!()
}
