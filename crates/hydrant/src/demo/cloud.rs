//! The AWS side of the demo, made through the API as anybody would make it.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rehearsal::services::Putter;
use remote::aws::cloud::Cloud;
use remote::aws::{Fault, Identity, IdentityConfig, Variables};
use remote::{ClientConfig, TlsConfig};
use serde_json::{Value, json};

use super::settings::{ACCESS_KEY, YOURS};

/// Key and secret: nothing to guess for a newcomer, and nothing that opens anything.
pub(super) const KEY: &str = "demo";
pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const REGION: &str = "eu-west-1";
/// Where emulators of AWS listen by custom; another port when it is taken.
const LISTEN: &str = "127.0.0.1:4566";
/// The metric stream and the delivery stream that carry the simulated services.
pub(super) const STREAM: &str = "demo";
/// The metric stream that carries whatever a person puts.
const YOUR_STREAM: &str = "yours";
/// The metric streams' own metrics: nobody in the demo waits for them.
const OWN_NAMESPACE: &str = "AWS/CloudWatch/MetricStreams";
const ROLE: &str = "arn:aws:iam::111122223333:role/demo";

/// Where the API should listen.
pub(super) fn listen() -> String {
    let free = TcpListener::bind(LISTEN).is_ok();
    if free { LISTEN.to_owned() } else { "127.0.0.1:0".to_owned() }
}

/// In whose name the simulated services put.
pub(super) fn putter() -> Putter {
    Putter { account: ACCOUNT.to_owned(), region: REGION.to_owned(), stream: STREAM.to_owned() }
}

/// A client of the API at `address`.
pub(super) async fn client(address: SocketAddr) -> Result<Cloud, String> {
    let config = IdentityConfig {
        region: Some(REGION.to_owned()),
        profile: None,
        endpoint_url: Some(format!("http://{address}")),
        assume_role: None,
        client: ClientConfig {
            tls: TlsConfig::default(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            answer_bytes: 1024 * 1024,
        },
    };
    let variables = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", KEY)];
    let identity = Identity::load_with(config, Variables::from_iter(variables)).await;
    Ok(Cloud::new(identity.map_err(|fault| fault.to_string())?))
}

/// Makes the delivery stream to the Firehose source, and both metric streams.
pub(super) async fn set_up(
    cloud: &Cloud,
    source: SocketAddr,
    namespaces: &[String],
) -> Result<(), String> {
    let told = |fault: Fault| fault.to_string();
    let create = || cloud.firehose("firehose:CreateDeliveryStream", delivery_stream(source));
    match create().await {
        // One that an earlier demo left in a folder that was kept delivers to a port that is gone.
        Err(fault) if fault.code == "ResourceInUseException" => {
            let named = json!({ "DeliveryStreamName": STREAM });
            cloud.firehose("firehose:DeleteDeliveryStream", named).await.map_err(told)?;
            create().await.map_err(told)?;
        }
        created => drop(created.map_err(told)?),
    }
    let filter = |name: &str| json!({ "Namespace": name });
    let theirs: Vec<Value> = namespaces.iter().map(|name| filter(name)).collect();
    let mut others = theirs.clone();
    others.push(filter(OWN_NAMESPACE));
    let streams = [
        (STREAM, STREAM, "opentelemetry1.0", "IncludeFilters", theirs),
        (YOUR_STREAM, YOURS, "json", "ExcludeFilters", others),
    ];
    for (name, delivery_stream, format, which, filters) in streams {
        let mut input = json!({
            "Name": name,
            "FirehoseArn": arn(delivery_stream),
            "RoleArn": ROLE,
            "OutputFormat": format,
        });
        if let Value::Object(members) = &mut input {
            members.insert(which.to_owned(), Value::Array(filters));
        }
        cloud.cloudwatch("cloudwatch:PutMetricStream", input).await.map_err(told)?;
    }
    Ok(())
}

fn delivery_stream(source: SocketAddr) -> Value {
    json!({
        "DeliveryStreamName": STREAM,
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {
                "Name": "hydrant",
                "Url": format!("http://{source}/"),
                "AccessKey": ACCESS_KEY,
            },
            "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 0 },
            "RequestConfiguration": {
                "ContentEncoding": "GZIP",
                "CommonAttributes": [{ "AttributeName": "environment", "AttributeValue": "demo" }],
            },
            "RetryOptions": { "DurationInSeconds": 300 },
            "RoleARN": ROLE,
            "S3Configuration": { "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::hydrant-demo" },
        },
    })
}

fn arn(delivery_stream: &str) -> String {
    format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{delivery_stream}")
}
