//! What the SDK makes of refusals: the variant of each operation's error, or the code of one that has
//! none.

use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::types as cw;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types as fh;
use serde_json::Value;

use crate::{Clients, clients, endpoint, list, text};

pub async fn check(owner: &Clients, plan: &Value) {
    of_cloudwatch(owner, plan).await;
    of_firehose(owner, plan).await;
    let wrong = clients(plan, "wrong_secret");
    let fault = wrong.cloudwatch.list_metrics().send().await.expect_err("a wrong secret");
    assert_eq!(fault.code(), Some("SignatureDoesNotMatch"), "{fault:?}");
    let fault = wrong.firehose.list_delivery_streams().send().await.expect_err("a wrong secret");
    assert_eq!(fault.code(), Some("InvalidSignatureException"), "{fault:?}");
    let guest = clients(plan, "guest");
    let put = guest.cloudwatch.put_metric_data().namespace("Shop").metric_data(datum(1.0));
    let fault = put.send().await.expect_err("not allowed");
    assert_eq!(fault.code(), Some("AccessDenied"), "{fault:?}");
    let name = text(&list(&plan["streams"])[0]["name"]);
    let record = fh::Record::builder().data(Blob::new("x")).build().expect("a record");
    let put = guest.firehose.put_record().delivery_stream_name(name).record(record);
    let fault = put.send().await.expect_err("not allowed");
    assert_eq!(fault.code(), Some("AccessDeniedException"), "{fault:?}");
    assert!(fault.message().is_some_and(|text| text.contains("firehose:PutRecord")), "{fault:?}");
}

fn datum(value: f64) -> cw::MetricDatum {
    cw::MetricDatum::builder().metric_name("m").value(value).build()
}

async fn of_cloudwatch(owner: &Clients, plan: &Value) {
    let cloudwatch = &owner.cloudwatch;
    let fault = cloudwatch.get_metric_stream().name("none").send().await.expect_err("none");
    let fault = fault.into_service_error();
    assert!(fault.is_resource_not_found_exception(), "{fault:?}");
    let put = cloudwatch.put_metric_data().namespace("Shop").metric_data(datum(f64::NAN));
    let fault = put.send().await.expect_err("NaN").into_service_error();
    assert!(fault.is_invalid_parameter_value_exception(), "{fault:?}");
    let put = cloudwatch.put_metric_data().namespace("Shop");
    let put = put.set_metric_data(Some(vec![datum(1.0); 1001]));
    let fault = put.send().await.expect_err("1,001 metrics").into_service_error();
    assert!(fault.is_invalid_parameter_value_exception(), "{fault:?}");
    let filter = |name: &str| cw::MetricStreamFilter::builder().namespace(name).build();
    let arn = text(&list(&plan["streams"])[0]["arn"]);
    let stream = || {
        let put = cloudwatch.put_metric_stream().name("refused").firehose_arn(arn);
        put.role_arn(text(&plan["role"])).output_format(cw::MetricStreamOutputFormat::Json)
    };
    let both = stream().include_filters(filter("a")).exclude_filters(filter("b"));
    let fault = both.send().await.expect_err("both filters").into_service_error();
    assert!(fault.is_invalid_parameter_combination_exception(), "{fault:?}");
    let fault = stream().output_format("JSON".into()).send().await.expect_err("a wrong case");
    assert_eq!(fault.code(), Some("ValidationError"), "{fault:?}");
    let fault = cloudwatch.put_metric_stream().name("refused").send().await.expect_err("no ARN");
    let fault = fault.into_service_error();
    assert!(fault.is_missing_required_parameter_exception(), "{fault:?}");
    let fault = cloudwatch.list_metric_streams().next_token("x").send().await.expect_err("token");
    let fault = fault.into_service_error();
    assert!(fault.is_invalid_next_token(), "{fault:?}");
}

async fn of_firehose(owner: &Clients, plan: &Value) {
    let firehose = &owner.firehose;
    let stream = &list(&plan["streams"])[0];
    let name = text(&stream["name"]);
    let told = firehose.describe_delivery_stream().delivery_stream_name("none");
    let fault = told.send().await.expect_err("none").into_service_error();
    assert!(fault.is_resource_not_found_exception(), "{fault:?}");
    let create = |name: &str| {
        let create = firehose.create_delivery_stream().delivery_stream_name(name);
        create.http_endpoint_destination_configuration(endpoint(&stream["destination"]))
    };
    let fault = create(name).send().await.expect_err("the name is taken").into_service_error();
    assert!(fault.is_resource_in_use_exception(), "{fault:?}");
    let source = fh::DeliveryStreamType::KinesisStreamAsSource;
    let create_other = create("refused").delivery_stream_type(source);
    let fault = create_other.send().await.expect_err("not built").into_service_error();
    assert!(fault.is_invalid_argument_exception(), "{fault:?}");
    let update = firehose.update_destination().delivery_stream_name(name);
    let update = update.current_delivery_stream_version_id("7");
    let update = update.destination_id("destinationId-000000000001");
    let change = fh::HttpEndpointDestinationUpdate::builder().build();
    let update = update.http_endpoint_destination_update(change);
    let fault = update.send().await.expect_err("another version").into_service_error();
    assert!(fault.is_concurrent_modification_exception(), "{fault:?}");
    let tag = |n: usize| fh::Tag::builder().key(format!("k{n}")).value("v").build().expect("a tag");
    for from in [0, 26] {
        let tags = (from..from + 26).map(tag).collect();
        let put = firehose.tag_delivery_stream().delivery_stream_name(name).set_tags(Some(tags));
        let answer = put.send().await;
        if from == 0 {
            answer.expect("26 tags are taken");
            continue;
        }
        let fault = answer.expect_err("52 tags").into_service_error();
        assert!(fault.is_limit_exceeded_exception(), "{fault:?}");
    }
    let record = fh::Record::builder().data(Blob::new(vec![b'x'; 1_024_001])).build();
    let put = firehose.put_record().delivery_stream_name(name).record(record.expect("a record"));
    let fault = put.send().await.expect_err("too large");
    assert_eq!(fault.code(), Some("ValidationException"), "{fault:?}");
}
