//! Destinations as a caller configures them, whole or as a change of what is there.
//!
//! Owns their limits and defaults. Always holds: what is read is complete, so that a description needs
//! no guess; a member that is not given keeps what was there (each as a whole, `S3Update` member by
//! member); what would be accepted and not done is refused.

use aws::firehose::prefix::{Prefixes, Zone};
use entry::seal::SealKey;

use super::check::{At, Checks, Rule};
use super::pattern::Pattern;
use super::{HttpEndpoint, Processing, S3, Secrets, endpoint, seal_context};

/// `SizeInMBs` and `IntervalInSeconds` when they are not given.
const BUFFERING: (u32, u32) = (5, 300);
/// `SizeInMBs` at most.
const HTTP_SIZE_MAX: i64 = 64;
/// The same for a bucket.
const S3_SIZE_MAX: i64 = 128;
/// `IntervalInSeconds` at most.
const INTERVAL_MAX: i64 = 900;
/// `RetryOptions` when it is not given, and at most.
const RETRY_SECONDS: u32 = 300;
/// See [`RETRY_SECONDS`].
const RETRY_MAX: i64 = 7_200;
/// Common attributes at most.
const ATTRIBUTES_MAX: usize = 50;
/// Characters of an access key at most.
const ACCESS_KEY_MAX: usize = 4_096;

/// In the order in which AWS prints them.
const COMPRESSIONS: [&str; 5] = ["ZIP", "HADOOP_SNAPPY", "Snappy", "GZIP", "UNCOMPRESSED"];
const PROCESSORS: [&str; 6] = [
    "RecordDeAggregation",
    "Decompression",
    "CloudWatchLogProcessing",
    "Lambda",
    "MetadataExtraction",
    "AppendDelimiterToRecord",
];
const PARAMETERS: [&str; 11] = [
    "LambdaArn",
    "NumberOfRetries",
    "MetadataExtractionQuery",
    "JsonParsingEngine",
    "RoleArn",
    "BufferSizeInMBs",
    "BufferIntervalInSeconds",
    "SubRecordType",
    "Delimiter",
    "CompressionFormat",
    "DataMessageExtraction",
];
const APPEND_DELIMITER: &str = "AppendDelimiterToRecord";

const ROLE: Rule = Rule::of(1, 512, Pattern::Role);

/// What reading needs besides the request.
pub(super) struct Reading<'a> {
    /// `http://` is taken.
    pub(super) allow_http: bool,
    /// Seals the access key.
    pub(super) seal: &'a SealKey,
    /// ARN of the stream.
    pub(super) arn: &'a str,
}

impl Reading<'_> {
    /// `HttpEndpointDestinationConfiguration`, or `HttpEndpointDestinationUpdate` of what is there.
    pub(super) fn http(
        &self,
        at: &At<'_>,
        checks: &mut Checks,
        there: Option<&HttpEndpoint>,
    ) -> HttpEndpoint {
        let mut http = there.cloned().unwrap_or_else(|| HttpEndpoint {
            buffering: BUFFERING,
            retry_seconds: RETRY_SECONDS,
            ..HttpEndpoint::default()
        });
        match at.part(checks, "EndpointConfiguration") {
            Some(endpoint) => self.endpoint(&endpoint, checks, &mut http),
            None if there.is_none() => checks.missing(&at.path("EndpointConfiguration")),
            None => {}
        }
        buffering(at, checks, HTTP_SIZE_MAX, &mut http.buffering);
        logging(at, checks, &mut http.logging);
        request(at, checks, &mut http);
        if let Some(given) = processing(at, checks) {
            if enabled(&given, checks).is_some() {
                checks.refuse(format!(
                    "The processor {APPEND_DELIMITER} is supported for S3 destinations only"
                ));
            }
            http.processing = Some(given);
        }
        if let Some(role) = at.text(checks, "RoleARN", &ROLE) {
            http.role_arn = Some(role);
        }
        if let Some(retry) = at.part(checks, "RetryOptions") {
            http.retry_seconds = retry_seconds(&retry, checks);
        }
        let modes = ["FailedDataOnly", "AllData"];
        if let Some(mode) = at.word(checks, "S3BackupMode", &modes) {
            http.all_data = mode == "AllData";
        }
        if let Some(off) = secrets(at, checks) {
            http.secrets_off = off;
        }
        let member = if there.is_none() { "S3Configuration" } else { "S3Update" };
        match at.part(checks, member) {
            Some(part) => http.backup = s3(&part, checks, there.map(|http| &http.backup), false),
            None if there.is_none() => checks.missing(&at.path(member)),
            None => {}
        }
        http
    }

    /// `EndpointConfiguration`, which replaces what was there as a whole: a key must not go on to
    /// another URL by itself.
    fn endpoint(&self, at: &At<'_>, checks: &mut Checks, http: &mut HttpEndpoint) {
        let pattern = if self.allow_http { Pattern::Http } else { Pattern::Https };
        http.url = at.must(checks, "Url", &Rule::of(1, 1_000, pattern));
        endpoint::url(&http.url, checks);
        http.name = at.text(checks, "Name", &Rule::of(1, 256, Pattern::Visible));
        let key = at.text(checks, "AccessKey", &Rule::length(0, ACCESS_KEY_MAX));
        let key = key.filter(|key| !key.is_empty());
        key.iter().for_each(|key| endpoint::access_key(key, checks));
        http.sealed_access_key = key.map(|key| {
            let sealed = self.seal.seal(key.as_bytes(), &seal_context(self.arn));
            let mut text = Vec::new();
            codec::base64::encode_into(&sealed, &mut text);
            String::from_utf8(text).expect("base64 is ASCII")
        });
    }
}

fn request(at: &At<'_>, checks: &mut Checks, http: &mut HttpEndpoint) {
    let Some(at) = at.part(checks, "RequestConfiguration") else { return };
    let encoding = at.word(checks, "ContentEncoding", &["NONE", "GZIP"]);
    http.gzip = encoding.as_deref() == Some("GZIP");
    let listed = at.list(checks, "CommonAttributes", 0, ATTRIBUTES_MAX).unwrap_or_default();
    let name = Rule::of(1, 256, Pattern::Visible);
    let pairs = listed.iter().map(|one| {
        let value = Rule::length(0, 1_024);
        let name = one.must(checks, "AttributeName", &name);
        (name, one.must(checks, "AttributeValue", &value))
    });
    http.common_attributes = pairs.collect();
}

/// `SecretsManagerConfiguration`: there is no Secrets Manager here. Turned off it is told back.
fn secrets(at: &At<'_>, checks: &mut Checks) -> Option<Secrets> {
    let at = at.part(checks, "SecretsManagerConfiguration")?;
    if !at.has("Enabled") {
        checks.missing(&at.path("Enabled"));
    }
    if at.flag(checks, "Enabled") == Some(true) {
        checks.refuse(
            "SecretsManagerConfiguration is not supported here: give the key as AccessKey of \
             EndpointConfiguration",
        );
    }
    let secret = at.text(checks, "SecretARN", &Rule::of(1, 2_048, Pattern::Secret));
    Some((secret, at.text(checks, "RoleARN", &ROLE)))
}

fn retry_seconds(at: &At<'_>, checks: &mut Checks) -> u32 {
    let given = at.number(checks, "DurationInSeconds", 0, RETRY_MAX);
    given.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(RETRY_SECONDS)
}

fn buffering(at: &At<'_>, checks: &mut Checks, size_max: i64, there: &mut (u32, u32)) {
    let Some(at) = at.part(checks, "BufferingHints") else { return };
    let size = at.number(checks, "SizeInMBs", 1, size_max);
    let interval = at.number(checks, "IntervalInSeconds", 0, INTERVAL_MAX);
    if size.is_some() != interval.is_some() {
        checks.refuse("BufferingHints: SizeInMBs and IntervalInSeconds must be specified together");
    }
    let whole = |number: Option<i64>, default| {
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    };
    *there = (whole(size, BUFFERING.0), whole(interval, BUFFERING.1));
}

/// `CloudWatchLoggingOptions`.
type Logging = (bool, Option<String>, Option<String>);

fn logging(at: &At<'_>, checks: &mut Checks, there: &mut Logging) {
    let Some(at) = at.part(checks, "CloudWatchLoggingOptions") else { return };
    let enabled = at.flag(checks, "Enabled").unwrap_or(false);
    let group = at.text(checks, "LogGroupName", &Rule::of(0, 512, Pattern::LogGroup));
    let stream = at.text(checks, "LogStreamName", &Rule::of(0, 512, Pattern::LogStream));
    *there = (enabled, group, stream);
}

fn processing(at: &At<'_>, checks: &mut Checks) -> Option<Processing> {
    let at = at.part(checks, "ProcessingConfiguration")?;
    let enabled = at.flag(checks, "Enabled").unwrap_or(false);
    let mut processors = Vec::new();
    for one in at.list(checks, "Processors", 0, usize::MAX).unwrap_or_default() {
        if !one.has("Type") {
            checks.missing(&one.path("Type"));
        }
        let kind = one.word(checks, "Type", &PROCESSORS).unwrap_or_default();
        let mut parameters = Vec::new();
        for pair in one.list(checks, "Parameters", 0, usize::MAX).unwrap_or_default() {
            if !pair.has("ParameterName") {
                checks.missing(&pair.path("ParameterName"));
            }
            let name = pair.word(checks, "ParameterName", &PARAMETERS).unwrap_or_default();
            // A delimiter may be a line end, which the pattern of the model would refuse.
            let value = if name == "Delimiter" {
                Rule::length(1, 5_120)
            } else {
                Rule::of(1, 5_120, Pattern::Visible)
            };
            parameters.push((name, pair.must(checks, "ParameterValue", &value)));
        }
        processors.push((kind, parameters));
    }
    Some(Processing { enabled, processors })
}

/// The delimiter of enabled processing; processors that are not built are refused.
fn enabled(processing: &Processing, checks: &mut Checks) -> Option<String> {
    let mut delimiter = None;
    for (kind, parameters) in processing.processors.iter().filter(|_| processing.enabled) {
        if kind != APPEND_DELIMITER {
            checks.refuse(format!(
                "The processor {kind} is not supported here; {APPEND_DELIMITER} is the one that is"
            ));
            continue;
        }
        let given = parameters.iter().find(|(name, _)| name == "Delimiter");
        delimiter = Some(given.map_or_else(|| "\n".to_owned(), |(_, text)| unescaped(text)));
    }
    delimiter
}

/// `\n` is written as two characters, since the API takes no value of white space alone.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
}

/// `S3DestinationConfiguration`, `ExtendedS3DestinationConfiguration`, or an update of what is there.
pub(super) fn s3(at: &At<'_>, checks: &mut Checks, there: Option<&S3>, extended: bool) -> S3 {
    let mut s3 = there.cloned().unwrap_or_else(|| S3 {
        buffering: BUFFERING,
        compression: "UNCOMPRESSED".to_owned(),
        ..S3::default()
    });
    s3.extended |= extended;
    let bucket = Rule::of(1, 2_048, Pattern::Bucket);
    for (name, rule, slot) in
        [("RoleARN", &ROLE, &mut s3.role_arn), ("BucketARN", &bucket, &mut s3.bucket_arn)]
    {
        if there.is_none() || at.has(name) {
            *slot = at.must(checks, name, rule);
        }
    }
    let text = Rule::length(0, 1_024);
    for (name, slot) in
        [("Prefix", &mut s3.prefix), ("ErrorOutputPrefix", &mut s3.error_output_prefix)]
    {
        if let Some(given) = at.text(checks, name, &text) {
            *slot = Some(given);
        }
    }
    buffering(at, checks, S3_SIZE_MAX, &mut s3.buffering);
    if let Some(word) = at.word(checks, "CompressionFormat", &COMPRESSIONS) {
        s3.compression = word;
    }
    encryption(at, checks, &mut s3);
    logging(at, checks, &mut s3.logging);
    if extended {
        more(at, checks, &mut s3);
    }
    let prefix = s3.prefix.as_deref().unwrap_or_default();
    let error_prefix = s3.error_output_prefix.as_deref().unwrap_or_default();
    if let Err(text) = Prefixes::parse(prefix, error_prefix) {
        checks.refuse(text);
    }
    s3
}

fn encryption(at: &At<'_>, checks: &mut Checks, s3: &mut S3) {
    let Some(at) = at.part(checks, "EncryptionConfiguration") else { return };
    let none = at.word(checks, "NoEncryptionConfig", &["NoEncryption"]).is_some();
    let rule = Rule::of(1, 512, Pattern::KeyOrAlias);
    let kms = at.part(checks, "KMSEncryptionConfig");
    s3.kms_key_arn = kms.map(|kms| kms.must(checks, "AWSKMSKeyARN", &rule));
    if none && s3.kms_key_arn.is_some() {
        checks.refuse(
            "EncryptionConfiguration: NoEncryptionConfig and KMSEncryptionConfig exclude each other",
        );
    }
}

/// What `ExtendedS3DestinationConfiguration` has besides.
fn more(at: &At<'_>, checks: &mut Checks, s3: &mut S3) {
    if let Some(given) = processing(at, checks) {
        s3.delimiter = enabled(&given, checks);
        s3.processing = Some(given);
    }
    let mode = at.word(checks, "S3BackupMode", &["Disabled", "Enabled"]);
    let backup = ["S3BackupConfiguration", "S3BackupUpdate"].iter().any(|name| at.has(name));
    if mode.as_deref() == Some("Enabled") || backup {
        checks.refuse(
            "S3BackupMode Enabled is not supported here: no processor changes records, so the \
             destination itself holds them as they came",
        );
    }
    if let Some(part) = at.part(checks, "DataFormatConversionConfiguration") {
        if part.flag(checks, "Enabled") != Some(false) {
            checks.refuse("DataFormatConversionConfiguration is not supported here");
        }
        s3.conversion_off = Some(part.json());
    }
    if let Some(part) = at.part(checks, "DynamicPartitioningConfiguration") {
        if part.flag(checks, "Enabled") == Some(true) {
            checks.refuse("DynamicPartitioningConfiguration is not supported here");
        }
        let retry = part.part(checks, "RetryOptions");
        let seconds = retry.map_or(RETRY_SECONDS, |retry| retry_seconds(&retry, checks));
        s3.partitioning_off = Some(seconds);
    }
    let rule = Rule::of(0, 128, Pattern::FileExtension);
    if let Some(extension) = at.text(checks, "FileExtension", &rule) {
        // Empty is the same as not given.
        s3.file_extension = Some(extension).filter(|extension| !extension.is_empty());
    }
    let rule = Rule::of(0, 50, Pattern::TimeZone);
    if let Some(zone) = at.text(checks, "CustomTimeZone", &rule) {
        if let Err(why) = Zone::named(&zone) {
            checks.refuse(format!("CustomTimeZone: {why}"));
        }
        s3.custom_time_zone = Some(zone).filter(|zone| !zone.is_empty());
    }
}
