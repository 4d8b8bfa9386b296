//! Other people's protobuf: `opentelemetry-proto` for 1.0, hand-made structs for 0.7.
//!
//! What we write they read alike, and what they write we read alike. The expectation is worked out
//! from their structs by the plain rules of the format, without any of our wire code.

use metric::Format;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Metric, ResourceMetrics, ScopeMetrics, Summary, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use prost::Message;

use crate::common::{Sample, encode, golden07, golden10, lambda_duration, points};
use crate::properties::{otel_sample, samples};

/// Format 0.7, as far as CloudWatch fills it.
mod v07 {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub(super) resource_metrics: Vec<ResourceMetrics>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ResourceMetrics {
        #[prost(message, optional, tag = "1")]
        pub(super) resource: Option<super::Resource>,
        #[prost(message, repeated, tag = "2")]
        pub(super) library_metrics: Vec<LibraryMetrics>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct LibraryMetrics {
        #[prost(message, repeated, tag = "2")]
        pub(super) metrics: Vec<Metric>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Metric {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) description: String,
        #[prost(string, tag = "3")]
        pub(super) unit: String,
        #[prost(message, optional, tag = "11")]
        pub(super) summary: Option<Summary>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Summary {
        #[prost(message, repeated, tag = "1")]
        pub(super) data_points: Vec<DataPoint>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct DataPoint {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(fixed64, tag = "2")]
        pub(super) start: u64,
        #[prost(fixed64, tag = "3")]
        pub(super) end: u64,
        #[prost(fixed64, tag = "4")]
        pub(super) count: u64,
        #[prost(double, tag = "5")]
        pub(super) sum: f64,
        #[prost(message, repeated, tag = "6")]
        pub(super) quantiles: Vec<super::ValueAtQuantile>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Label {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(string, tag = "2")]
        pub(super) value: String,
    }
}

fn string(text: &str) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) })
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: string(value), ..KeyValue::default() }
}

fn resource(sample: &Sample) -> Resource {
    let arn = if sample.exporter_arn.is_empty() && !sample.stream.is_empty() {
        let (region, account, stream) = (&sample.region, &sample.account, &sample.stream);
        format!("arn:aws:cloudwatch:{region}:{account}:metric-stream/{stream}")
    } else {
        sample.exporter_arn.clone()
    };
    let all = [
        ("cloud.provider", "aws"),
        ("cloud.account.id", &sample.account),
        ("cloud.region", &sample.region),
        ("aws.exporter.arn", &arn),
    ];
    let attributes =
        all.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| attribute(k, v)).collect();
    Resource { attributes, ..Resource::default() }
}

fn quantiles(sample: &Sample) -> Vec<ValueAtQuantile> {
    let min = sample.min.map(|value| ValueAtQuantile { quantile: 0.0, value });
    let max = sample.max.map(|value| ValueAtQuantile { quantile: 1.0, value });
    let between = sample.extra.iter().filter_map(|(name, value)| {
        // The decimal point two places to the left, by a decimal exponent.
        let quantile: f64 = format!("{}e-2", name.strip_prefix('p')?).parse().ok()?;
        Some(ValueAtQuantile { quantile, value: *value })
    });
    min.into_iter().chain(between).chain(max).collect()
}

fn otel_unit(sample: &Sample) -> String {
    let unit = metric::Unit::parse(sample.unit.as_bytes());
    metric::text(unit.otel()).to_owned()
}

/// The sample as their data point of 1.0.
fn data_point(sample: &Sample) -> SummaryDataPoint {
    let dimensions = sample.dimensions.iter().map(|(n, v)| attribute(n, v)).collect();
    let list = AnyValue { value: Some(Value::KvlistValue(KeyValueList { values: dimensions })) };
    SummaryDataPoint {
        attributes: vec![
            attribute("Namespace", &sample.namespace),
            attribute("MetricName", &sample.name),
            KeyValue { key: "Dimensions".to_owned(), value: Some(list), ..KeyValue::default() },
        ],
        start_time_unix_nano: sample.start_ns,
        time_unix_nano: sample.end_ns.unwrap_or(sample.start_ns + 60_000_000_000),
        count: sample.count as u64,
        sum: sample.sum.unwrap_or(0.0),
        quantile_values: quantiles(sample),
        flags: 0,
    }
}

fn metric10(sample: &Sample, points: Vec<SummaryDataPoint>) -> Metric {
    Metric {
        name: format!("amazonaws.com/{}/{}", sample.namespace, sample.name),
        unit: otel_unit(sample),
        data: Some(Data::Summary(Summary { data_points: points })),
        ..Metric::default()
    }
}

fn request10(sample: &Sample) -> ExportMetricsServiceRequest {
    let metrics = vec![metric10(sample, vec![data_point(sample)])];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource(sample)),
            scope_metrics: vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

fn request07(sample: &Sample) -> v07::Request {
    let label = |(key, value): (&str, &str)| v07::Label { key: key.into(), value: value.into() };
    let names = [("Namespace", sample.namespace.as_str()), ("MetricName", &sample.name)];
    let dimensions = sample.dimensions.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let point = data_point(sample);
    let point = v07::DataPoint {
        labels: names.into_iter().chain(dimensions).map(label).collect(),
        start: point.start_time_unix_nano,
        end: point.time_unix_nano,
        count: point.count,
        sum: point.sum,
        quantiles: point.quantile_values,
    };
    let metric = v07::Metric {
        name: format!("amazonaws.com/{}/{}", sample.namespace, sample.name),
        description: String::new(),
        unit: otel_unit(sample),
        summary: Some(v07::Summary { data_points: vec![point] }),
    };
    v07::Request {
        resource_metrics: vec![v07::ResourceMetrics {
            resource: Some(resource(sample)),
            library_metrics: vec![v07::LibraryMetrics { metrics: vec![metric] }],
        }],
    }
}

/// *Scenario:* the golden frames are read by the other decoders.
/// *Guarantees:* the structs are those the expectations are built with, so the oracle is sound.
#[test]
fn the_oracle_reads_the_golden_frames() {
    let read = ExportMetricsServiceRequest::decode_length_delimited(&golden10()[..]);
    assert_eq!(read, Ok(request10(&lambda_duration())));
    let read = v07::Request::decode_length_delimited(&golden07()[..]);
    assert_eq!(read, Ok(request07(&lambda_duration())));
    assert_eq!(request10(&lambda_duration()).encode_length_delimited_to_vec(), golden10());
    assert_eq!(request07(&lambda_duration()).encode_length_delimited_to_vec(), golden07());
}

/// Many metrics, points and resources in one of their messages, in the grouping that `cuts` gives.
fn grouped10(samples: &[Sample], cuts: &[u8]) -> ExportMetricsServiceRequest {
    let mut request = ExportMetricsServiceRequest::default();
    for (at, sample) in samples.iter().enumerate() {
        let cut = cuts.get(at).copied().unwrap_or(0);
        let same_resource = at > 0 && resource(&samples[at - 1]) == resource(sample);
        let same_metric = same_resource
            && (&samples[at - 1].unit, &samples[at - 1].namespace, &samples[at - 1].name)
                == (&sample.unit, &sample.namespace, &sample.name);
        if !same_resource || cut == 3 {
            let group = ResourceMetrics { resource: Some(resource(sample)), ..Default::default() };
            request.resource_metrics.push(group);
        }
        let group = request.resource_metrics.last_mut().expect("just there");
        if group.scope_metrics.is_empty() || cut == 2 {
            group.scope_metrics.push(ScopeMetrics::default());
        }
        let metrics = &mut group.scope_metrics.last_mut().expect("just there").metrics;
        match metrics.last_mut().and_then(|metric| metric.data.as_mut()) {
            Some(Data::Summary(summary)) if same_metric && cut == 0 => {
                summary.data_points.push(data_point(sample));
            }
            _ => metrics.push(metric10(sample, vec![data_point(sample)])),
        }
    }
    request
}

proptest! {
    /// *Scenario:* any metric is written by us in 1.0 and in 0.7.
    /// *Guarantees:* the other decoders read exactly the message that was meant.
    #[test]
    fn what_we_write_others_read(sample in otel_sample()) {
        let ours = encode(Format::Otel10, std::slice::from_ref(&sample));
        let read = ExportMetricsServiceRequest::decode_length_delimited(&ours[..]);
        prop_assert_eq!(read, Ok(request10(&sample)));
        let ours = encode(Format::Otel07, std::slice::from_ref(&sample));
        let read = v07::Request::decode_length_delimited(&ours[..]);
        prop_assert_eq!(read, Ok(request07(&sample)));
    }

    /// *Scenario:* any metrics are written by the other encoders, in any grouping.
    /// *Guarantees:* we read the same metrics in the same order.
    #[test]
    fn what_others_write_we_read(
        samples in samples(),
        cuts in prop::collection::vec(0_u8..4, 0..8),
    ) {
        let record = grouped10(&samples, &cuts).encode_length_delimited_to_vec();
        let expect: Vec<Sample> = samples.iter().map(read_back).collect();
        prop_assert_eq!(&points(&record), &expect);
        let record: Vec<u8> =
            samples.iter().flat_map(|s| request07(s).encode_length_delimited_to_vec()).collect();
        prop_assert_eq!(points(&record), expect);
    }
}

/// The sample as it comes back: the ARN and the end are those that were made up.
fn read_back(sample: &Sample) -> Sample {
    let arn = resource(sample).attributes.iter().find(|a| a.key == "aws.exporter.arn").cloned();
    let arn = match arn.and_then(|attribute| attribute.value?.value) {
        Some(Value::StringValue(arn)) => arn,
        _ => String::new(),
    };
    let end_ns = sample.end_ns.or(Some(sample.start_ns + 60_000_000_000));
    let sum = sample.sum.or(Some(0.0));
    Sample { exporter_arn: arn, end_ns, sum, ..sample.clone() }
}
