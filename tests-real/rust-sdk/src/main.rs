//! Drives Hydrant by the AWS SDK for Rust: `rust-sdk PHASE PLAN.json`. The plan says which streams to
//! make, what to put and what must be found; a wrong answer is a panic that says which.

mod refusals;

use std::collections::BTreeMap;

use aws_sdk_cloudwatch as cloudwatch;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types as cw;
use aws_sdk_firehose as firehose;
use aws_sdk_firehose::types as fh;
use serde_json::Value;

/// The two services, as one caller.
struct Clients {
    cloudwatch: cloudwatch::Client,
    firehose: firehose::Client,
}

/// Clients that sign with the key of this name in the plan.
fn clients(plan: &Value, key: &str) -> Clients {
    let (id, secret) = (text(&plan[key][0]), text(&plan[key][1]));
    let (endpoint, region) = (text(&plan["endpoint"]), text(&plan["region"]));
    let http = || aws_smithy_http_client::Builder::new().build_http();
    // Both crates give out the same types, each under its own path.
    let credentials = cloudwatch::config::Credentials::new(id, secret, None, None, "plan");
    let of_cloudwatch = cloudwatch::Config::builder()
        .endpoint_url(endpoint)
        .region(cloudwatch::config::Region::new(region.to_owned()))
        .credentials_provider(credentials.clone())
        .retry_config(cloudwatch::config::retry::RetryConfig::disabled())
        .http_client(http())
        .behavior_version_latest();
    let of_firehose = firehose::Config::builder()
        .endpoint_url(endpoint)
        .region(firehose::config::Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .retry_config(firehose::config::retry::RetryConfig::disabled())
        .http_client(http())
        .behavior_version_latest();
    Clients {
        cloudwatch: cloudwatch::Client::from_conf(of_cloudwatch.build()),
        firehose: firehose::Client::from_conf(of_firehose.build()),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text in the plan: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number in the plan: {value}"))
}

fn whole(value: &Value) -> i32 {
    value.as_i64().and_then(|n| i32::try_from(n).ok()).expect("a small whole number")
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let phase = arguments.next().expect("usage: rust-sdk PHASE PLAN.json");
    let plan = std::fs::read(arguments.next().expect("a plan")).expect("the plan can be read");
    let plan: Value = serde_json::from_slice(&plan).expect("the plan is JSON");
    let clients = clients(&plan, "key");
    match phase.as_str() {
        "make" => make(&clients, &plan).await,
        "refusals" => refusals::check(&clients, &plan).await,
        "look" => look(&clients, &plan).await,
        "clean" => clean(&clients, &plan).await,
        other => panic!("no phase {other}"),
    }
}

/// Every stream of the plan, told back, and then the samples.
async fn make(clients: &Clients, plan: &Value) {
    for stream in list(&plan["streams"]) {
        let (name, format) = (text(&stream["name"]), text(&stream["format"]));
        let made = clients.firehose.create_delivery_stream().delivery_stream_name(name);
        let made = made.http_endpoint_destination_configuration(endpoint(&stream["destination"]));
        made.send().await.expect("a delivery stream is made");
        let told = clients.firehose.describe_delivery_stream().delivery_stream_name(name);
        let told = told.send().await.expect("it is told").delivery_stream_description;
        let told = told.expect("a description");
        assert_eq!(told.delivery_stream_status, fh::DeliveryStreamStatus::Active);
        let filter = cw::MetricStreamFilter::builder().namespace(text(&plan["namespace"])).build();
        let metric = cw::MetricStreamStatisticsMetric::builder()
            .namespace(text(&plan["namespace"]))
            .metric_name(text(&plan["percentile_of"]))
            .build();
        let statistics = cw::MetricStreamStatisticsConfiguration::builder()
            .include_metrics(metric)
            .additional_statistics("p99")
            .build();
        let put = clients.cloudwatch.put_metric_stream().name(name).include_filters(filter);
        let put = put.firehose_arn(told.delivery_stream_arn).role_arn(text(&plan["role"]));
        let put = put.output_format(format.into()).statistics_configurations(statistics);
        put.send().await.expect("a metric stream is made");
        let got = clients.cloudwatch.get_metric_stream().name(name).send().await.expect("told");
        assert_eq!(
            (got.state(), got.output_format().map(|f| f.as_str())),
            (Some("running"), Some(format))
        );
    }
    let data: Vec<_> = list(&plan["data"]).iter().map(datum).collect();
    let put = clients.cloudwatch.put_metric_data().namespace(text(&plan["namespace"]));
    put.set_metric_data(Some(data)).send().await.expect("samples are taken");
}

fn endpoint(given: &Value) -> fh::HttpEndpointDestinationConfiguration {
    let to = &given["EndpointConfiguration"];
    let to = fh::HttpEndpointConfiguration::builder()
        .url(text(&to["Url"]))
        .name(text(&to["Name"]))
        .access_key(text(&to["AccessKey"]));
    let request = &given["RequestConfiguration"];
    let attributes = list(&request["CommonAttributes"]).iter().map(|pair| {
        fh::HttpEndpointCommonAttribute::builder()
            .attribute_name(text(&pair["AttributeName"]))
            .attribute_value(text(&pair["AttributeValue"]))
            .build()
            .expect("an attribute")
    });
    let request = fh::HttpEndpointRequestConfiguration::builder()
        .content_encoding(text(&request["ContentEncoding"]).into())
        .set_common_attributes(Some(attributes.collect()));
    let hints = fh::HttpEndpointBufferingHints::builder()
        .interval_in_seconds(whole(&given["BufferingHints"]["IntervalInSeconds"]))
        .size_in_mbs(whole(&given["BufferingHints"]["SizeInMBs"]));
    let s3 = &given["S3Configuration"];
    let s3 = fh::S3DestinationConfiguration::builder()
        .bucket_arn(text(&s3["BucketARN"]))
        .role_arn(text(&s3["RoleARN"]))
        .prefix(text(&s3["Prefix"]));
    fh::HttpEndpointDestinationConfiguration::builder()
        .endpoint_configuration(to.build().expect("an endpoint"))
        .request_configuration(request.build())
        .buffering_hints(hints.build())
        .s3_configuration(s3.build().expect("a bucket"))
        .build()
}

fn datum(given: &Value) -> cw::MetricDatum {
    let dimensions = list(&given["Dimensions"]).iter().map(dimension);
    let numbers = |value: &Value| list(value).iter().map(number).collect::<Vec<_>>();
    let mut made = cw::MetricDatum::builder()
        .metric_name(text(&given["MetricName"]))
        .timestamp(DateTime::from_secs_f64(number(&given["Timestamp"])))
        .unit(text(&given["Unit"]).into())
        .set_dimensions(Some(dimensions.collect()))
        .set_value(given["Value"].as_f64());
    if given["Values"].is_array() {
        made = made.set_values(Some(numbers(&given["Values"])));
        made = made.set_counts(Some(numbers(&given["Counts"])));
    }
    let set = &given["StatisticValues"];
    if set.is_object() {
        let set = cw::StatisticSet::builder()
            .sample_count(number(&set["SampleCount"]))
            .sum(number(&set["Sum"]))
            .minimum(number(&set["Minimum"]))
            .maximum(number(&set["Maximum"]));
        made = made.statistic_values(set.build());
    }
    made.build()
}

fn dimension(pair: &Value) -> cw::Dimension {
    cw::Dimension::builder().name(text(&pair["Name"])).value(text(&pair["Value"])).build()
}

/// What was put, by all three ways to look at it.
async fn look(clients: &Clients, plan: &Value) {
    let (look, namespace) = (&plan["look"], text(&plan["namespace"]));
    let mut pages = clients.cloudwatch.list_metrics().namespace(namespace).into_paginator().send();
    let mut listed = 0;
    while let Some(page) = pages.next().await {
        listed += page.expect("metrics are listed").metrics().len();
    }
    assert_eq!(listed, list(&look["metrics"]).len(), "metrics listed");
    let (start, end) = (number(&look["start"]), number(&look["end"]));
    let span = (DateTime::from_secs_f64(start), DateTime::from_secs_f64(end));
    let wanted: BTreeMap<i64, f64> =
        list(&look["sums"]).iter().map(|row| (number(&row[0]) as i64, number(&row[1]))).collect();
    let asked = clients.cloudwatch.get_metric_statistics().namespace(namespace);
    let asked = asked.metric_name(text(&look["metric"])).period(60).statistics(cw::Statistic::Sum);
    let told = asked.start_time(span.0).end_time(span.1).send().await.expect("statistics");
    let sums = told
        .datapoints()
        .iter()
        .map(|point| (point.timestamp().expect("a time").secs(), point.sum().expect("a sum")));
    assert_eq!(sums.collect::<BTreeMap<_, _>>(), wanted, "statistics");
    let metric = cw::Metric::builder().namespace(namespace).metric_name(text(&look["metric"]));
    let stat = cw::MetricStat::builder().metric(metric.build()).period(60).stat("Sum").build();
    let query = cw::MetricDataQuery::builder().id("sums").metric_stat(stat).build();
    let asked = clients.cloudwatch.get_metric_data().metric_data_queries(query).max_datapoints(1);
    let mut pages = asked.start_time(span.0).end_time(span.1).into_paginator().send();
    let mut sums = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for result in page.expect("metric data").metric_data_results() {
            let times = result.timestamps().iter().map(DateTime::secs);
            sums.extend(times.zip(result.values().iter().copied()));
        }
    }
    assert_eq!(sums, wanted, "metric data by pages");
}

/// Takes away what `make` made; it must then be gone.
async fn clean(clients: &Clients, plan: &Value) {
    for stream in list(&plan["streams"]) {
        let name = text(&stream["name"]);
        clients.cloudwatch.delete_metric_stream().name(name).send().await.expect("deleted");
        let gone = clients.firehose.delete_delivery_stream().delivery_stream_name(name);
        gone.send().await.expect("deleted");
        let told = clients.firehose.describe_delivery_stream().delivery_stream_name(name);
        let fault = told.send().await.expect_err("it is gone").into_service_error();
        assert!(fault.is_resource_not_found_exception(), "{fault:?}");
    }
}
