//! What is wrong with a configuration, by name and text.

use super::*;

const HTTP: &str = "/HttpEndpointDestinationConfiguration";
const S3: &str = "/ExtendedS3DestinationConfiguration";

#[track_caller]
fn constraint(desk: &Desk, input: &Json, path: &str, constraint: &str) {
    let (name, text) = desk.refused("CreateDeliveryStream", input);
    assert_eq!(name, "ValidationException", "{text}");
    assert_eq!(
        text,
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}"
        )
    );
}

#[track_caller]
fn argument(desk: &Desk, input: &Json, said: &str) {
    let (name, text) = desk.refused("CreateDeliveryStream", input);
    assert_eq!(name, "InvalidArgumentException", "{text}");
    assert!(text.contains(said), "{text}");
}

/// *Scenario:* constraints of a bucket's members broken, each by itself.
/// *Guarantees:* AWS's text with the path of the member.
#[test]
fn constraints_of_a_bucket() {
    let folder = testkit::TempDir::new("firehose-constraints-s3");
    let desk = Desk::open(folder.path());
    let s3 = |member: &str, value: Json| with(to_bucket("s"), &format!("{S3}/{member}"), value);
    let enum_of = |set: &str| format!("Member must satisfy enum value set: [{set}]");
    let pattern = |told: &str| format!("Member must satisfy regular expression pattern: {told}");
    for wrong in ["SNAPPY", "gzip"] {
        let set = enum_of("ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED");
        let path = "extendedS3DestinationConfiguration.compressionFormat";
        constraint(&desk, &s3("CompressionFormat", json!(wrong)), path, &set);
    }
    let extension = r"^(|\.[0-9a-z!\-_.*'()]+)$";
    let cases = [
        (s3("RoleARN", json!(null)), "roleARN", "Member must not be null".to_owned()),
        (s3("BucketARN", json!(null)), "bucketARN", "Member must not be null".to_owned()),
        (s3("FileExtension", json!("gz")), "fileExtension", pattern(extension)),
        (
            s3("FileExtension", json!(format!(".{}", "a".repeat(128)))),
            "fileExtension",
            "Member must have length less than or equal to 128".to_owned(),
        ),
        (
            s3("BufferingHints", json!({"SizeInMBs": 129, "IntervalInSeconds": 0})),
            "bufferingHints.sizeInMBs",
            "Member must have value less than or equal to 128".to_owned(),
        ),
        (
            s3("BufferingHints", json!({"SizeInMBs": 1, "IntervalInSeconds": -1})),
            "bufferingHints.intervalInSeconds",
            "Member must have value greater than or equal to 0".to_owned(),
        ),
        (
            s3("Prefix", json!("a".repeat(1025))),
            "prefix",
            "Member must have length less than or equal to 1024".to_owned(),
        ),
        (s3("S3BackupMode", json!("enabled")), "s3BackupMode", enum_of("Disabled, Enabled")),
    ];
    for (input, path, told) in cases {
        let path = format!("extendedS3DestinationConfiguration.{path}");
        constraint(&desk, &input, &path, &told);
    }
}

/// *Scenario:* constraints of an endpoint's members broken, each by itself.
/// *Guarantees:* AWS's text with the path of the member.
#[test]
fn constraints_of_an_endpoint() {
    let folder = testkit::TempDir::new("firehose-constraints-http");
    let desk = Desk::open(folder.path());
    let http =
        |member: &str, value: Json| with(to_endpoint("s"), &format!("{HTTP}{member}"), value);
    let key = "a".repeat(4097);
    let many: Vec<Json> =
        (0..51).map(|n| json!({"AttributeName": format!("{n}"), "AttributeValue": ""})).collect();
    let cases = [
        ("/EndpointConfiguration", json!(null), "endpointConfiguration", "Member must not be null"),
        ("/S3Configuration", json!(null), "s3Configuration", "Member must not be null"),
        (
            "/EndpointConfiguration/Url",
            json!(null),
            "endpointConfiguration.url",
            "Member must not be null",
        ),
        (
            "/EndpointConfiguration/Url",
            json!("http://example.com"),
            "endpointConfiguration.url",
            "Member must satisfy regular expression pattern: https://.*",
        ),
        (
            "/EndpointConfiguration/AccessKey",
            json!(key),
            "endpointConfiguration.accessKey",
            "Member must have length less than or equal to 4096",
        ),
        (
            "/RetryOptions",
            json!({"DurationInSeconds": 7201}),
            "retryOptions.durationInSeconds",
            "Member must have value less than or equal to 7200",
        ),
        (
            "/S3BackupMode",
            json!("Enabled"),
            "s3BackupMode",
            "Member must satisfy enum value set: [FailedDataOnly, AllData]",
        ),
        (
            "/RequestConfiguration",
            json!({"ContentEncoding": "gzip"}),
            "requestConfiguration.contentEncoding",
            "Member must satisfy enum value set: [NONE, GZIP]",
        ),
        (
            "/RequestConfiguration",
            json!({"CommonAttributes": many}),
            "requestConfiguration.commonAttributes",
            "Member must have length less than or equal to 50",
        ),
        (
            "/RequestConfiguration",
            json!({"CommonAttributes": [{"AttributeName": " ", "AttributeValue": ""}]}),
            "requestConfiguration.commonAttributes.1.member.attributeName",
            r"Member must satisfy regular expression pattern: ^(?!\s*$).+",
        ),
        (
            "/BufferingHints",
            json!({"SizeInMBs": 65, "IntervalInSeconds": 900}),
            "bufferingHints.sizeInMBs",
            "Member must have value less than or equal to 64",
        ),
    ];
    for (member, value, path, told) in cases {
        let path = format!("httpEndpointDestinationConfiguration.{path}");
        constraint(&desk, &http(member, value), &path, told);
    }
}

/// *Scenario:* constraints of what every stream has broken, three at once, a member of another type.
/// *Guarantees:* all that is wrong is said at once, with AWS's texts; nothing is created.
#[test]
fn constraints_of_every_stream() {
    let folder = testkit::TempDir::new("firehose-constraints");
    let desk = Desk::open(folder.path());
    let pattern = |told: &str| format!("Member must satisfy regular expression pattern: {told}");
    let name = with(to_bucket("s"), "/DeliveryStreamName", json!("a b"));
    constraint(&desk, &name, "deliveryStreamName", &pattern("[a-zA-Z0-9_.-]+"));
    let tagged = with(to_bucket("s"), "/Tags", json!([{"Key": "aws:x"}]));
    constraint(
        &desk,
        &tagged,
        "tags.1.member.key",
        &pattern(r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$"),
    );
    let three = json!({"ExtendedS3DestinationConfiguration": {}});
    let (name, text) = desk.refused("CreateDeliveryStream", &three);
    assert_eq!(name, "ValidationException");
    assert!(
        text.starts_with("3 validation errors detected: Value at 'deliveryStreamName'"),
        "{text}"
    );
    let typed = with(to_bucket("s"), &format!("{S3}/Prefix"), json!(7));
    assert_eq!(desk.refused("CreateDeliveryStream", &typed).0, "SerializationException");
    assert!(desk.context.registry.now().delivery_streams.is_empty());
}

/// *Scenario:* sources, destinations and features that are not built, prefixes that cannot be.
/// *Guarantees:* each is refused at creation with a text that says what, and nothing is created.
#[test]
fn what_is_not_taken() {
    let folder = testkit::TempDir::new("firehose-not-taken");
    let desk = Desk::open(folder.path());
    let http =
        |member: &str, value: Json| with(to_endpoint("s"), &format!("{HTTP}/{member}"), value);
    let s3 = |member: &str, value: Json| with(to_bucket("s"), &format!("{S3}/{member}"), value);
    let one = "Exactly one destination configuration is supported for a Firehose";
    argument(&desk, &json!({"DeliveryStreamName": "s"}), one);
    argument(&desk, &with(to_bucket("s"), HTTP, json!({})), one);
    for kind in [
        "Redshift",
        "Elasticsearch",
        "Amazonopensearchservice",
        "AmazonOpenSearchServerless",
        "Splunk",
        "Snowflake",
        "Iceberg",
    ] {
        let member = format!("{kind}DestinationConfiguration");
        let input = with(json!({"DeliveryStreamName": "s"}), &format!("/{member}"), json!({}));
        argument(&desk, &input, &format!("{member} is not supported here"));
    }
    for kind in ["KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"] {
        let input = with(to_bucket("s"), "/DeliveryStreamType", json!(kind));
        argument(&desk, &input, &format!("{kind} is not supported here"));
    }
    argument(
        &desk,
        &with(to_bucket("s"), "/KinesisStreamSourceConfiguration", json!({})),
        "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type",
    );
    argument(&desk, &with(to_bucket("s"), "/MSKSourceConfiguration", json!({})), "another source");
    let lambda = json!({"Enabled": true, "Processors": [{"Type": "Lambda"}]});
    argument(&desk, &s3("ProcessingConfiguration", lambda.clone()), "The processor Lambda is not");
    argument(&desk, &http("ProcessingConfiguration", lambda), "The processor Lambda is not");
    let delimiter = json!({"Enabled": true, "Processors": [{"Type": "AppendDelimiterToRecord"}]});
    argument(&desk, &http("ProcessingConfiguration", delimiter), "for S3 destinations only");
    argument(&desk, &s3("S3BackupMode", json!("Enabled")), "S3BackupMode Enabled");
    argument(&desk, &s3("S3BackupConfiguration", bucket()), "S3BackupMode Enabled");
    let on = json!({"Enabled": true});
    for member in ["DynamicPartitioningConfiguration", "DataFormatConversionConfiguration"] {
        argument(&desk, &s3(member, on.clone()), &format!("{member} is not supported"));
    }
    argument(&desk, &http("SecretsManagerConfiguration", on), "SecretsManagerConfiguration");
    argument(&desk, &s3("BufferingHints", json!({"SizeInMBs": 5})), "specified together");
    argument(&desk, &s3("CustomTimeZone", json!("Mars/Base")), "Mars/Base");
    let begin =
        "Ths supplied prefix(es) do not satisfy the following constraint: ErrorOutputPrefix";
    let expression = json!("x/!{timestamp:yyyy}/");
    argument(&desk, &s3("Prefix", expression.clone()), &format!("{begin} cannot be null or empty"));
    argument(&desk, &s3("ErrorOutputPrefix", expression.clone()), begin);
    argument(&desk, &http("S3Configuration", with(bucket(), "/Prefix", expression)), begin);
    let key = json!({"KeyType": "CUSTOMER_MANAGED_CMK"});
    let keyed = with(to_bucket("s"), "/DeliveryStreamEncryptionConfigurationInput", key);
    argument(&desk, &keyed, "KeyARN is required");
    assert!(desk.context.registry.now().delivery_streams.is_empty());
}

/// *Scenario:* URLs and access keys that fit AWS's patterns and that no delivery can be made with, at
/// creation and as an update; and some that look odd and are sound.
/// *Guarantees:* the first are refused with what is wrong, and nothing is changed; the others are taken.
#[test]
fn endpoints_that_can_never_be() {
    let folder = testkit::TempDir::new("firehose-never");
    let desk = Desk::open(folder.path());
    let endpoint = |name: &str, url: &str, key: &str| {
        let value = json!({"Url": url, "AccessKey": key});
        with(to_endpoint(name), &format!("{HTTP}/EndpointConfiguration"), value)
    };
    let url = "https://example.com/x";
    let long = "\u{e9}".repeat(2_049);
    let wrong = [
        ("https://", "k", "Url has no host; give it as https://"),
        ("https:///x", "k", "Url has no host"),
        ("https://:443/x", "k", "Url has no host"),
        ("https://?x", "k", "Url has no host"),
        ("https://a b/", "k", "Url holds white space"),
        ("https://a/\t", "k", "Url holds white space"),
        ("https://a/#x", "k", "Url holds a fragment"),
        ("https://u:p@a/", "k", "Url holds a user name"),
        ("https://a:65536/", "k", "Url has a port that is none"),
        ("https://a:+1/", "k", "Url has a port that is none"),
        ("https://[::1/", "k", "Url has a host that is none"),
        ("https://[x]/", "k", "Url has a host that is none"),
        ("https://a|b/", "k", "Url has a host that is none"),
        (url, "a\n", "AccessKey holds a control character"),
        (url, "a\u{7f}", "AccessKey holds a control character"),
        (url, &long, "AccessKey has more than 4096 bytes"),
    ];
    desk.done("CreateDeliveryStream", &endpoint("there", url, "k"));
    let before = desk.describe("there");
    for (url, key, said) in wrong {
        let input = endpoint("s", url, key);
        argument(&desk, &input, said);
        let update = json!({
            "DeliveryStreamName": "there",
            "CurrentDeliveryStreamVersionId": "1",
            "DestinationId": "destinationId-000000000001",
            "HttpEndpointDestinationUpdate":
                {"EndpointConfiguration": {"Url": url, "AccessKey": key}},
        });
        let (kind, text) = desk.refused("UpdateDestination", &update);
        assert_eq!(kind, "InvalidArgumentException", "{url:?}");
        assert!(text.contains(said), "{text}");
        assert!(!text.contains(key) || key == "k", "a key is never told: {text}");
    }
    assert_eq!(desk.describe("there"), before);
    assert_eq!(desk.context.registry.now().delivery_streams.len(), 1);
    let sound = [
        ("https://a", "k"),
        ("https://a:/?x=[y]", "k"),
        ("https://127.0.0.1:8443/x@y", "a\tb"),
        ("https://[::1]:8443", "\u{e9}"),
        ("https://b\u{fc}cher.example/\u{fc}", ""),
    ];
    for (n, (url, key)) in sound.iter().enumerate() {
        desk.done("CreateDeliveryStream", &endpoint(&format!("s{n}"), url, key));
    }
}

/// *Scenario:* the same name twice, a name of the settings, an account with as many as it may have.
/// *Guarantees:* AWS's names and texts; another account's streams are not in the way.
#[test]
fn names_that_are_taken() {
    let folder = testkit::TempDir::new("firehose-taken");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_bucket("s"));
    for name in ["s", "of-settings"] {
        let (kind, text) = desk.refused("CreateDeliveryStream", &to_endpoint(name));
        assert_eq!(kind, "ResourceInUseException");
        assert_eq!(text, format!("Firehose {name} under accountId 111122223333 already exists"));
    }
    let filled = desk.context.registry.change(|all| {
        let one = all.delivery_streams.values().next().unwrap().clone();
        for n in 1..100 {
            let key = crate::registry::key(ACCOUNT, &format!("n{n}"));
            all.delivery_streams.insert(key, one.clone());
        }
        Ok::<(), ()>(())
    });
    assert_eq!(filled, Ok(()));
    let (kind, text) = desk.refused("CreateDeliveryStream", &to_endpoint("more"));
    assert_eq!(kind, "LimitExceededException");
    assert!(text.contains("quota of 100"), "{text}");
}

/// *Scenario:* operations on a stream that is not there, and changes of one of the settings.
/// *Guarantees:* each says so, by AWS's name for it, and nothing is changed.
#[test]
fn streams_that_are_not_there_or_fixed() {
    let folder = testkit::TempDir::new("firehose-not-there");
    let desk = Desk::open(folder.path());
    let update = json!({
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "S3DestinationUpdate": {},
    });
    let changes = [
        ("DeleteDeliveryStream", json!({})),
        ("StartDeliveryStreamEncryption", json!({})),
        ("StopDeliveryStreamEncryption", json!({})),
        ("TagDeliveryStream", json!({"Tags": [{"Key": "a"}]})),
        ("UntagDeliveryStream", json!({"TagKeys": ["a"]})),
        ("UpdateDestination", update),
    ];
    let reads = ["DescribeDeliveryStream", "ListTagsForDeliveryStream"].map(|op| (op, json!({})));
    for (operation, input) in changes.iter().chain(&reads) {
        let input = with(input.clone(), "/DeliveryStreamName", json!("t"));
        let (kind, text) = desk.refused(operation, &input);
        assert_eq!(kind, "ResourceNotFoundException", "{operation}");
        assert_eq!(text, "Firehose t under account 111122223333 not found.");
        let nameless = with(input, "/DeliveryStreamName", json!(null));
        let (kind, text) = desk.refused(operation, &nameless);
        assert_eq!(kind, "ValidationException", "{operation}");
        assert!(text.contains("'deliveryStreamName' failed"), "{text}");
    }
    for (operation, input) in changes {
        let input = with(input, "/DeliveryStreamName", json!("of-settings"));
        let (kind, text) = desk.refused(operation, &input);
        assert_eq!(kind, "ResourceInUseException", "{operation}");
        assert!(text.contains("is a stream of this server's settings"), "{text}");
    }
    let told = desk.describe("of-settings");
    assert_eq!(told["DeliveryStreamStatus"], "ACTIVE");
    assert_eq!(
        told["DeliveryStreamARN"],
        "arn:aws:firehose:us-east-1:111122223333:deliverystream/of-settings"
    );
    assert_eq!(told["Destinations"], json!([]));
}

/// *Scenario:* texts at the edges of each pattern.
/// *Guarantees:* what the model's expression takes is taken, what it refuses is refused.
#[test]
fn patterns() {
    use crate::firehose::pattern::Pattern;
    let cases: [(Pattern, &[&str], &[&str]); 11] = [
        (Pattern::Name, &["a", "A.b_c-9"], &["", "a b", "a/b", "\u{e4}"]),
        (
            Pattern::Role,
            &[ROLE, "arn:aws-cn:iam::123456789012:role/service-role/x+=,.@-_"],
            &[
                "",
                "arn:aws:iam::1234:role/x",
                "arn:aws:iam::123456789012:role/",
                "arn:aws:iam::123456789012:user/x",
                "arn:iam::123456789012:role/x y",
                "arn:aws:iam::12345678901x:role/x",
            ],
        ),
        (
            Pattern::Bucket,
            &[BUCKET, "arn:aws:s3:::a.b-c_D9"],
            &["arn:aws:s3:::", "arn:aws:s3:::b/x", "b", "s3:::b"],
        ),
        (
            Pattern::KeyOrAlias,
            &["arn:aws:kms:eu-west-1:123456789012:key/k", "arn:a:kms:r:123456789012:alias/a/b"],
            &["arn:aws:kms:eu-west-1:123456789012:k", "arn:aws:kms::123456789012:key/k"],
        ),
        (
            Pattern::Key,
            &["arn:aws:kms:eu-west-1:123456789012:key/k"],
            &["arn:aws:kms:eu-west-1:123456789012:alias/k"],
        ),
        (Pattern::Https, &["https://", "https://a/b?c"], &["http://a", "https:/a", "https://a\n"]),
        (Pattern::Visible, &["a", " a"], &["", "  ", "a\nb"]),
        (Pattern::LogGroup, &["", "/aws/x-y_z.1#"], &["a b", "a:b"]),
        (Pattern::FileExtension, &["", ".json.gz", ".."], &[".", "gz", ".GZ"]),
        (Pattern::TimeZone, &["", "Asia/Tokyo"], &["Etc/GMT+1"]),
        (Pattern::TagKey, &["a", "\u{e4} b:/=+-@%._1"], &["aws:a", "a&b", "a\tb"]),
    ];
    for (pattern, fits, fails) in cases {
        for text in fits {
            assert!(pattern.fits(text), "{pattern:?} {text:?}");
        }
        for text in fails {
            assert!(!pattern.fits(text), "{pattern:?} {text:?}");
        }
    }
}
