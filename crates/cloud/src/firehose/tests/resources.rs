//! Streams created, described, updated, deleted, as Terraform does it.

use super::*;
use crate::firehose::{Destination, access_key};

const ID: &str = "destinationId-000000000001";

fn update(name: &str, version: &str, kind: &str, change: Json) -> Json {
    let member = format!("/{kind}DestinationUpdate");
    let input = json!({
        "DeliveryStreamName": name,
        "CurrentDeliveryStreamVersionId": version,
        "DestinationId": ID,
    });
    with(input, &member, change)
}

fn logging_off() -> Json {
    json!({"Enabled": false})
}

/// The bucket as it is told when nothing but the least was given.
fn plain_bucket() -> Json {
    json!({
        "RoleARN": ROLE,
        "BucketARN": BUCKET,
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": logging_off(),
    })
}

/// *Scenario:* streams created with the least they need.
/// *Guarantees:* every default is told, the bucket of an extended one twice, the key never.
#[test]
fn defaults_are_told() {
    let folder = testkit::TempDir::new("firehose-defaults");
    let desk = Desk::open(folder.path());
    let told = desk.done("CreateDeliveryStream", &to_endpoint("h"));
    let arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/h";
    assert_eq!(told, json!({"DeliveryStreamARN": arn}));
    assert_eq!(
        desk.describe("h"),
        json!({
            "DeliveryStreamName": "h",
            "DeliveryStreamARN": arn,
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "CreateTimestamp": 1_795_176_000.0,
            "Destinations": [{
                "DestinationId": ID,
                "HttpEndpointDestinationDescription": {
                    "EndpointConfiguration": {"Url": "https://example.com/x"},
                    "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
                    "CloudWatchLoggingOptions": logging_off(),
                    "RequestConfiguration": {"ContentEncoding": "NONE", "CommonAttributes": []},
                    "RetryOptions": {"DurationInSeconds": 300},
                    "S3BackupMode": "FailedDataOnly",
                    "S3DestinationDescription": plain_bucket(),
                    "SecretsManagerConfiguration": {"Enabled": false},
                },
            }],
            "HasMoreDestinations": false,
        })
    );
    desk.done("CreateDeliveryStream", &to_bucket("x"));
    let mut extended = plain_bucket();
    for (name, value) in [
        ("S3BackupMode", json!("Disabled")),
        ("DataFormatConversionConfiguration", logging_off()),
        ("CustomTimeZone", json!("UTC")),
    ] {
        extended[name] = value;
    }
    assert_eq!(
        desk.destination("x"),
        json!({
            "DestinationId": ID,
            "S3DestinationDescription": plain_bucket(),
            "ExtendedS3DestinationDescription": extended,
        })
    );
    let plain = json!({
        "DeliveryStreamName": "p",
        "DeliveryStreamType": "DirectPut",
        "DirectPutSourceConfiguration": {"ThroughputHintInMBs": 7},
        "S3DestinationConfiguration": bucket(),
    });
    desk.done("CreateDeliveryStream", &plain);
    let told = desk.describe("p");
    assert_eq!(
        told["Destinations"],
        json!([{"DestinationId": ID, "S3DestinationDescription": plain_bucket()}])
    );
    let hint = json!({"DirectPutSourceDescription": {"ThroughputHintInMBs": 7}});
    assert_eq!(told["Source"], hint);
    let past = json!({"DeliveryStreamName": "p", "Limit": 1, "ExclusiveStartDestinationId": ID});
    let told = desk.done("DescribeDeliveryStream", &past);
    assert_eq!(told["DeliveryStreamDescription"]["Destinations"], json!([]));
}

/// An HTTP endpoint with everything Terraform writes for one.
fn full_endpoint() -> Json {
    json!({
        "EndpointConfiguration": {"Url": "https://e.com/x?y=1", "Name": "n", "AccessKey": "top-secret"},
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
        "CloudWatchLoggingOptions":
            {"Enabled": true, "LogGroupName": "/aws/kinesisfirehose/h", "LogStreamName": "D"},
        "RequestConfiguration": {
            "ContentEncoding": "GZIP",
            "CommonAttributes": [
                {"AttributeName": "b", "AttributeValue": "1"},
                {"AttributeName": "a", "AttributeValue": ""},
            ],
        },
        "ProcessingConfiguration": {"Enabled": false, "Processors": []},
        "RoleARN": ROLE,
        "RetryOptions": {"DurationInSeconds": 0},
        "S3BackupMode": "AllData",
        "SecretsManagerConfiguration": {"Enabled": false},
        "S3Configuration": {
            "RoleARN": ROLE,
            "BucketARN": BUCKET,
            "Prefix": "",
            "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 10, "IntervalInSeconds": 400},
            "CompressionFormat": "GZIP",
            "EncryptionConfiguration": {"KMSEncryptionConfig":
                {"AWSKMSKeyARN": "arn:aws:kms:us-east-1:111122223333:key/k"}},
            "CloudWatchLoggingOptions": {"Enabled": false},
        },
    })
}

/// What was given, as it is told: without the key, and the bucket under its other name.
fn as_told(mut given: Json) -> Json {
    let members = given.as_object_mut().unwrap();
    for name in ["S3Configuration", "S3Update"] {
        if let Some(bucket) = members.remove(name) {
            members.insert("S3DestinationDescription".to_owned(), bucket);
        }
    }
    members["EndpointConfiguration"].as_object_mut().unwrap().remove("AccessKey");
    given
}

/// *Scenario:* a `SecretsManagerConfiguration` that is turned off and names a secret; an update without
/// one, and with another.
/// *Guarantees:* it is told as it was given last, so that a plan shows no difference; it is checked.
#[test]
fn a_secret_that_is_not_used() {
    let folder = testkit::TempDir::new("firehose-secret");
    let desk = Desk::open(folder.path());
    let off = |name: &str| {
        let arn = format!("arn:aws:secretsmanager:us-east-1:111122223333:{name}");
        json!({"Enabled": false, "SecretARN": arn, "RoleARN": ROLE})
    };
    let with = |secret: Json| {
        let mut create = to_endpoint("h");
        create["HttpEndpointDestinationConfiguration"]["SecretsManagerConfiguration"] = secret;
        create
    };
    let told = || {
        let destination = desk.destination("h");
        destination["HttpEndpointDestinationDescription"]["SecretsManagerConfiguration"].clone()
    };
    desk.done("CreateDeliveryStream", &with(off("secret:key-aBcDeF")));
    assert_eq!(told(), off("secret:key-aBcDeF"));
    desk.done("UpdateDestination", &update("h", "1", "HttpEndpoint", json!({})));
    assert_eq!(told(), off("secret:key-aBcDeF"));
    let other = json!({"SecretsManagerConfiguration": {"Enabled": false}});
    desk.done("UpdateDestination", &update("h", "2", "HttpEndpoint", other));
    assert_eq!(told(), json!({"Enabled": false}));
    let (_, wrong) = desk.refused("CreateDeliveryStream", &with(off("key")));
    let path = "httpEndpointDestinationConfiguration.secretsManagerConfiguration.secretARN";
    assert!(wrong.contains(path), "{wrong}");
}

/// *Scenario:* Terraform's calls for an HTTP endpoint: create with tags, read, update with version,
/// read twice, a restart, tags, delete, read.
/// *Guarantees:* each read tells exactly what was given; the second shows no difference; the key is
/// in no answer and not in the file, and opens for delivery; deleted is gone.
#[test]
fn an_endpoint_as_terraform_does() {
    let folder = testkit::TempDir::new("firehose-terraform");
    let desk = Desk::open(folder.path());
    let create = json!({
        "DeliveryStreamName": "h",
        "DeliveryStreamType": "DirectPut",
        "HttpEndpointDestinationConfiguration": full_endpoint(),
        "Tags": [{"Key": "a", "Value": "b"}],
    });
    desk.done("CreateDeliveryStream", &create);
    let http = "HttpEndpointDestinationDescription";
    assert_eq!(desk.destination("h")[http], as_told(full_endpoint()));
    let mut changed = full_endpoint();
    let bucket = changed.as_object_mut().unwrap().remove("S3Configuration").unwrap();
    changed["S3Update"] = bucket;
    changed["EndpointConfiguration"]["AccessKey"] = json!("other-secret");
    changed["EndpointConfiguration"]["Url"] = json!("https://f.com");
    changed["BufferingHints"] = json!({"SizeInMBs": 64, "IntervalInSeconds": 0});
    changed["RetryOptions"] = json!({"DurationInSeconds": 7200});
    desk.now.store(NOW + 1_500, Ordering::Relaxed);
    desk.done("UpdateDestination", &update("h", "1", "HttpEndpoint", changed.clone()));
    let first = desk.describe("h");
    assert_eq!(first["VersionId"], "2");
    assert_eq!(first["LastUpdateTimestamp"], 1_795_176_001.5);
    assert_eq!(first["Destinations"][0][http], as_told(changed));
    assert_eq!(desk.describe("h"), first);
    let file = std::fs::read_to_string(folder.join("resources.json")).unwrap();
    assert!(!file.contains("-secret") && !first.to_string().contains("-secret"));
    let now = desk.context.registry.now();
    let stream = &now.delivery_streams["111122223333/h"];
    let key = access_key(stream, &desk.context.seal).unwrap().unwrap();
    assert_eq!(key.expose(), "other-secret");
    assert!(!format!("{key:?}").contains("secret"));
    let mut elsewhere = stream.clone();
    elsewhere.arn.push('x');
    assert!(access_key(&elsewhere, &desk.context.seal).is_err(), "it opens nowhere else");
    drop(desk);
    let desk = Desk::open(folder.path());
    assert_eq!(desk.describe("h"), first);
    let name = json!({"DeliveryStreamName": "h"});
    let told = desk.done("ListTagsForDeliveryStream", &name);
    assert_eq!(told, json!({"Tags": [{"Key": "a", "Value": "b"}], "HasMoreTags": false}));
    let force = json!({"DeliveryStreamName": "h", "AllowForceDelete": false});
    assert_eq!(desk.done("DeleteDeliveryStream", &force), json!({}));
    assert_eq!(desk.refused("DescribeDeliveryStream", &name).0, "ResourceNotFoundException");
    drop(desk);
    let desk = Desk::open(folder.path());
    assert_eq!(desk.refused("DescribeDeliveryStream", &name).0, "ResourceNotFoundException");
}

/// *Scenario:* an extended bucket with all that is built, then changes of single members, of the
/// plain kind too.
/// *Guarantees:* what is not in a change stays; a delimiter is what delivery will append.
#[test]
fn a_bucket_changed_member_by_member() {
    let folder = testkit::TempDir::new("firehose-bucket");
    let desk = Desk::open(folder.path());
    let given = json!({
        "RoleARN": ROLE,
        "BucketARN": BUCKET,
        "Prefix": "p/!{timestamp:yyyy}/",
        "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 900},
        "CompressionFormat": "HADOOP_SNAPPY",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": false},
        "ProcessingConfiguration": {"Enabled": true, "Processors": [{
            "Type": "AppendDelimiterToRecord",
            "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}],
        }]},
        "S3BackupMode": "Disabled",
        "DataFormatConversionConfiguration": {
            "Enabled": false,
            "InputFormatConfiguration":
                {"Deserializer": {"OpenXJsonSerDe": {"CaseInsensitive": true}}},
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"BlockSizeBytes": 7}}},
            "SchemaConfiguration": {"RoleARN": ROLE, "TableName": "t"},
        },
        "DynamicPartitioningConfiguration":
            {"Enabled": false, "RetryOptions": {"DurationInSeconds": 300}},
        "FileExtension": ".log",
        "CustomTimeZone": "Europe/Berlin",
    });
    let create = json!({"DeliveryStreamName": "x", "ExtendedS3DestinationConfiguration": given});
    desk.done("CreateDeliveryStream", &create);
    let extended = || desk.destination("x")["ExtendedS3DestinationDescription"].clone();
    assert_eq!(extended(), given);
    let delimiter =
        || match &desk.context.registry.now().delivery_streams["111122223333/x"].destination {
            Destination::S3(bucket) => bucket.delimiter.clone(),
            Destination::HttpEndpoint(_) => panic!("a bucket"),
        };
    assert_eq!(delimiter().as_deref(), Some("\n"));
    let change = json!({"CompressionFormat": "ZIP", "FileExtension": ""});
    desk.done("UpdateDestination", &update("x", "1", "ExtendedS3", change));
    let mut expected = with(given, "/CompressionFormat", json!("ZIP"));
    expected = with(expected, "/FileExtension", json!(null));
    assert_eq!(extended(), expected);
    desk.done("UpdateDestination", &update("x", "2", "S3", json!({"Prefix": "q/"})));
    expected = with(expected, "/Prefix", json!("q/"));
    assert_eq!(extended(), expected);
    assert_eq!(desk.destination("x")["S3DestinationDescription"]["Prefix"], "q/");
    let off = json!({"ProcessingConfiguration": {"Enabled": false, "Processors": []}});
    desk.done("UpdateDestination", &update("x", "3", "ExtendedS3", off));
    assert_eq!(delimiter(), None);
    // Without a key the endpoint has none: it must not follow to another URL by itself.
    desk.done("CreateDeliveryStream", &to_endpoint("h"));
    let endpoint = json!({"EndpointConfiguration": {"Url": "https://other.com"}});
    desk.done("UpdateDestination", &update("h", "1", "HttpEndpoint", endpoint));
    let now = desk.context.registry.now();
    let stream = &now.delivery_streams["111122223333/h"];
    assert_eq!(access_key(stream, &desk.context.seal), Ok(None));
    assert_eq!(
        desk.destination("h")["HttpEndpointDestinationDescription"]["S3DestinationDescription"],
        plain_bucket()
    );
}

/// *Scenario:* updates with a stale version, another destination, another kind, no kind, a wrong form.
/// *Guarantees:* AWS's names and texts, the version as it was, and nothing changed.
#[test]
fn updates_that_are_refused() {
    let folder = testkit::TempDir::new("firehose-conflicts");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_endpoint("h"));
    let before = desk.describe("h");
    let good = || json!({"RetryOptions": {"DurationInSeconds": 1}});
    let refused = |input: Json| desk.refused("UpdateDestination", &input);
    let (kind, text) = refused(update("h", "2", "HttpEndpoint", good()));
    assert_eq!(kind, "ConcurrentModificationException");
    assert_eq!(
        text,
        "Cannot update firehose: h since the current version id: 1 and specified version id: 2 do \
         not match"
    );
    let other = update("h", "1", "HttpEndpoint", good());
    let (kind, text) = refused(with(other, "/DestinationId", json!("destinationId-2")));
    assert_eq!(kind, "InvalidArgumentException");
    assert_eq!(text, "Destination Id destinationId-2 not found");
    let (kind, text) = refused(update("h", "1", "ExtendedS3", bucket()));
    assert_eq!(kind, "InvalidArgumentException");
    assert_eq!(
        text,
        "Changing the destination type to or from HttpEndpoint is not supported at this time."
    );
    let (kind, text) = refused(update("h", "1", "HttpEndpoint", json!(null)));
    assert_eq!(kind, "InvalidArgumentException");
    assert!(text.starts_with("Exactly one destination"), "{text}");
    let wrong = json!({"S3Update": {"CompressionFormat": "SNAPPY"}});
    let (kind, text) = refused(update("h", "1", "HttpEndpoint", wrong));
    assert_eq!(kind, "ValidationException");
    assert!(
        text.contains("'httpEndpointDestinationUpdate.s3Update.compressionFormat' failed"),
        "{text}"
    );
    let (kind, _) = refused(update("h", "x", "HttpEndpoint", good()));
    assert_eq!(kind, "ValidationException");
    assert_eq!(desk.describe("h"), before);
    desk.done("UpdateDestination", &update("h", "1", "HttpEndpoint", good()));
    assert_eq!(
        refused(update("h", "1", "HttpEndpoint", good())).0,
        "ConcurrentModificationException"
    );
}

/// *Scenario:* twelve streams and one of the settings, listed in pages, by type, after a name.
/// *Guarantees:* by name, ten unless asked otherwise, and the flag tells whether more follow.
#[test]
fn lists() {
    let folder = testkit::TempDir::new("firehose-lists");
    let desk = Desk::open(folder.path());
    for n in 0..12 {
        desk.done("CreateDeliveryStream", &to_bucket(&format!("s{n:02}")));
    }
    let list = |input: Json| {
        let told = desk.done("ListDeliveryStreams", &input);
        let names = told["DeliveryStreamNames"].as_array().unwrap().clone();
        (names, told["HasMoreDeliveryStreams"] == json!(true))
    };
    let (names, more) = list(json!({}));
    assert_eq!((names.len(), more), (10, true));
    assert_eq!((&names[0], &names[1]), (&json!("of-settings"), &json!("s00")));
    let (names, more) = list(json!({"ExclusiveStartDeliveryStreamName": "s08"}));
    assert_eq!((names, more), (vec![json!("s09"), json!("s10"), json!("s11")], false));
    let (names, more) = list(json!({"Limit": 13, "DeliveryStreamType": "DirectPut"}));
    assert_eq!((names.len(), more), (13, false));
    assert_eq!(list(json!({"DeliveryStreamType": "MSKAsSource"})), (Vec::new(), false));
    for wrong in [json!({"Limit": 0}), json!({"Limit": 10001}), json!({"DeliveryStreamType": "x"})]
    {
        assert_eq!(desk.refused("ListDeliveryStreams", &wrong).0, "ValidationException");
    }
    assert_eq!(desk.refused("DescribeDeliveryStreams", &json!({})).0, "UnknownOperationException");
}

/// *Scenario:* tags set, set again, listed in pages, taken away, one more than fifty.
/// *Guarantees:* a key has its last value; pages are complete; the limit holds and changes nothing.
#[test]
fn tags() {
    let folder = testkit::TempDir::new("firehose-tags");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_bucket("s"));
    let name = || json!({"DeliveryStreamName": "s"});
    let tags: Vec<Json> =
        (0..50).map(|n| json!({"Key": format!("k{n:02}"), "Value": "1"})).collect();
    let tag = |tags: Json| with(name(), "/Tags", tags);
    desk.done("TagDeliveryStream", &tag(json!(tags)));
    desk.done("TagDeliveryStream", &tag(json!([{"Key": "k00", "Value": "2"}, {"Key": "k01"}])));
    assert_eq!(
        desk.refused("TagDeliveryStream", &tag(json!([{"Key": "more"}]))).0,
        "LimitExceededException"
    );
    let list = |more: Json| desk.done("ListTagsForDeliveryStream", &more);
    let told = list(with(name(), "/Limit", json!(2)));
    assert_eq!(
        told,
        json!({"Tags": [{"Key": "k00", "Value": "2"}, {"Key": "k01", "Value": ""}], "HasMoreTags": true})
    );
    let told = list(with(name(), "/ExclusiveStartTagKey", json!("k01")));
    assert_eq!((told["Tags"].as_array().unwrap().len(), &told["HasMoreTags"]), (48, &json!(false)));
    let keys: Vec<String> = (0..49).map(|n| format!("k{n:02}")).collect();
    desk.done("UntagDeliveryStream", &with(name(), "/TagKeys", json!(keys)));
    desk.done("UntagDeliveryStream", &with(name(), "/TagKeys", json!(["k00"])));
    assert_eq!(list(name())["Tags"], json!([{"Key": "k49", "Value": "1"}]));
    for (operation, input) in [
        ("TagDeliveryStream", tag(json!([]))),
        ("TagDeliveryStream", tag(json!(null))),
        ("UntagDeliveryStream", with(name(), "/TagKeys", json!(vec!["k"; 51]))),
        ("ListTagsForDeliveryStream", with(name(), "/Limit", json!(51))),
    ] {
        assert_eq!(desk.refused(operation, &input).0, "ValidationException", "{operation}");
    }
    assert_eq!(desk.describe("s")["VersionId"], "1");
}

/// *Scenario:* encryption on with AWS's key, with another, off, and too often in a day.
/// *Guarantees:* each state is told, in answers to records too; the day's limit ends with the day.
#[test]
fn encryption() {
    let folder = testkit::TempDir::new("firehose-encryption");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_bucket("s"));
    let name = || json!({"DeliveryStreamName": "s"});
    let state = || desk.describe("s")["DeliveryStreamEncryptionConfiguration"].clone();
    let (start, stop) = ("StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption");
    desk.done(start, &name());
    assert_eq!(state(), json!({"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}));
    let put = with(name(), "/Record", json!({"Data": "AA=="}));
    assert_eq!(desk.done("PutRecord", &put)["Encrypted"], json!(true));
    let key = "arn:aws:kms:us-east-1:111122223333:key/k";
    let with_key = |key: Json| with(name(), "/DeliveryStreamEncryptionConfigurationInput", key);
    let own = json!({"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key});
    desk.done(start, &with_key(own.clone()));
    let mut told = own;
    told["Status"] = json!("ENABLED");
    assert_eq!(state(), told);
    for wrong in [
        json!({"KeyType": "CUSTOMER_MANAGED_CMK"}),
        json!({"KeyType": "AWS_OWNED_CMK", "KeyARN": key}),
    ] {
        assert_eq!(desk.refused(start, &with_key(wrong)).0, "InvalidArgumentException");
    }
    assert_eq!(desk.refused(start, &with_key(json!({}))).0, "ValidationException");
    for _ in 2..25 {
        desk.done(stop, &name());
    }
    assert_eq!(state(), json!({"Status": "DISABLED"}));
    assert_eq!(desk.refused(start, &name()).0, "LimitExceededException");
    desk.now.store(NOW + 24 * 3_600_000, Ordering::Relaxed);
    desk.done(start, &name());
    assert_eq!(desk.done("PutRecord", &put)["Encrypted"], json!(true));
}

/// *Scenario:* plain HTTP where the settings allow it.
/// *Guarantees:* it is taken there, and other schemes are not.
#[test]
fn plain_http_for_rehearsal() {
    let folder = testkit::TempDir::new("firehose-plain-http");
    let options = Options { segment_bytes: 1 << 20, ..Options::default() };
    let desk = Desk::with(folder.path(), |config| config.allow_http_endpoints = true, options);
    let url = "/HttpEndpointDestinationConfiguration/EndpointConfiguration/Url";
    let to = |text: &str| with(to_endpoint("s"), url, json!(text));
    assert_eq!(desk.refused("CreateDeliveryStream", &to("ftp://a")).0, "ValidationException");
    desk.done("CreateDeliveryStream", &to("http://127.0.0.1:1/x"));
}
