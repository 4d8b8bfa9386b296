//! Failed-record lines: what Firehose writes to S3 under `http-endpoint-failed/`, and so do we.

use serde::{Deserialize, Serialize};

/// One line. Unknown members are ignored when read; `hydrant` is ours and ignored by others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRecord {
    /// Attempts made in all.
    pub attempts_made: u32,
    /// When the record arrived, ms.
    pub arrival_timestamp: i64,
    /// For instance `HttpEndpoint.DestinationException` or `Dynatrace.TooOld`.
    pub error_code: String,
    /// What the destination said last.
    pub error_message: String,
    /// When the last attempt ended, ms.
    pub attempt_ending_timestamp: i64,
    /// base64 of the record as it came.
    pub raw_data: String,
    /// 0 unless a record was split.
    #[serde(default)]
    pub subsequence_number: u32,
    /// Stable identity: `<sequence>.<sub>`.
    #[serde(default)]
    pub data_id: String,
    /// What our replay needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hydrant: Option<Origin>,
}

/// Where a failed record came from and which of its points were not delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Version of this member, 1.
    pub version: u32,
    /// The delivery stream that could not deliver it.
    pub stream: String,
    /// The source it came through.
    pub source: String,
    /// Journal topic and sequence.
    pub topic: String,
    /// Sequence in the topic.
    pub sequence: u64,
    /// Index of the record in its delivery.
    pub record: u32,
    /// Request id of the delivery.
    pub request_id: String,
    /// Source ARN of the delivery.
    pub source_arn: String,
    /// Common attributes of the delivery.
    pub attributes: std::collections::BTreeMap<String, String>,
    /// Items (points and undecodable pieces) in the record.
    pub points: u32,
    /// Half-open ranges of item numbers within the record that were not delivered.
    pub undelivered: Vec<(u32, u32)>,
}
