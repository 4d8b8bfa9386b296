//! Names and fixed values of the headers of a delivery, in lower case as HTTP libraries keep them.
//!
//! Not here: reading or checking them.

/// The protocol's version, [`PROTOCOL_VERSION_1_0`].
pub const PROTOCOL_VERSION: &str = "x-amz-firehose-protocol-version";
/// Names the delivery; the same on repeats, equal to `requestId` in the body.
pub const REQUEST_ID: &str = "x-amz-firehose-request-id";
/// The delivery stream, `arn:aws:firehose:<region>:<account>:deliverystream/<name>`.
pub const SOURCE_ARN: &str = "x-amz-firehose-source-arn";
/// The configured key, verbatim; absent when none is configured.
pub const ACCESS_KEY: &str = "x-amz-firehose-access-key";
/// A JSON object; present when attributes are configured.
pub const COMMON_ATTRIBUTES: &str = "x-amz-firehose-common-attributes";
/// Always [`JSON`].
pub const CONTENT_TYPE: &str = "content-type";
/// [`GZIP`], or absent; never `identity`.
pub const CONTENT_ENCODING: &str = "content-encoding";

/// The only version there is.
pub const PROTOCOL_VERSION_1_0: &str = "1.0";
/// The only content type, of deliveries and of answers.
pub const JSON: &str = "application/json";
/// The only content encoding.
pub const GZIP: &str = "gzip";
