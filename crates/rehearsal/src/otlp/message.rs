//! The messages of metrics v1 that Hydrant may send, as the wire has them. Field numbers and JSON
//! names are those of opentelemetry-proto.

use serde::Deserialize;

use super::json::{bytes, fixed, fixed_list, maybe_signed, signed};

/// `ExportMetricsServiceRequest`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Request {
    /// 1.
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// `ResourceMetrics`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResourceMetrics {
    /// 1.
    pub resource: Option<Resource>,
    /// 2.
    pub scope_metrics: Vec<ScopeMetrics>,
    /// 3.
    pub schema_url: String,
}

/// `Resource`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resource {
    /// 1.
    pub attributes: Vec<Attribute>,
    /// 2.
    pub dropped_attributes_count: u32,
}

/// `ScopeMetrics`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScopeMetrics {
    /// 1.
    pub scope: Option<Scope>,
    /// 2.
    pub metrics: Vec<Metric>,
    /// 3.
    pub schema_url: String,
}

/// `InstrumentationScope`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scope {
    /// 1.
    pub name: String,
    /// 2.
    pub version: String,
    /// 3.
    pub attributes: Vec<Attribute>,
    /// 4.
    pub dropped_attributes_count: u32,
}

/// `Metric`. Exactly one of the four kinds of data is there; `rules` checks it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metric {
    /// 1.
    pub name: String,
    /// 2.
    pub description: String,
    /// 3.
    pub unit: String,
    /// 5.
    pub gauge: Option<Gauge>,
    /// 7.
    pub sum: Option<Sum>,
    /// 9.
    pub histogram: Option<Histogram>,
    /// 11.
    pub summary: Option<Summary>,
    /// 12.
    pub metadata: Vec<Attribute>,
}

/// `Gauge`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Gauge {
    /// 1.
    pub data_points: Vec<NumberPoint>,
}

/// `Sum`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sum {
    /// 1.
    pub data_points: Vec<NumberPoint>,
    /// 2: 1 is delta, 2 is cumulative.
    pub aggregation_temporality: u32,
    /// 3.
    pub is_monotonic: bool,
}

/// `Histogram`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Histogram {
    /// 1.
    pub data_points: Vec<HistogramPoint>,
    /// 2: 1 is delta, 2 is cumulative.
    pub aggregation_temporality: u32,
}

/// `Summary`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Summary {
    /// 1.
    pub data_points: Vec<SummaryPoint>,
}

/// `NumberDataPoint`. Exemplars are not known: Hydrant has none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NumberPoint {
    /// 7.
    pub attributes: Vec<Attribute>,
    /// 2.
    #[serde(deserialize_with = "fixed")]
    pub start_time_unix_nano: u64,
    /// 3.
    #[serde(deserialize_with = "fixed")]
    pub time_unix_nano: u64,
    /// 4. Exactly one of the two is there; `rules` checks it.
    pub as_double: Option<f64>,
    /// 6.
    #[serde(deserialize_with = "maybe_signed")]
    pub as_int: Option<i64>,
    /// 8.
    pub flags: u32,
}

/// `HistogramDataPoint`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HistogramPoint {
    /// 9.
    pub attributes: Vec<Attribute>,
    /// 2.
    #[serde(deserialize_with = "fixed")]
    pub start_time_unix_nano: u64,
    /// 3.
    #[serde(deserialize_with = "fixed")]
    pub time_unix_nano: u64,
    /// 4.
    #[serde(deserialize_with = "fixed")]
    pub count: u64,
    /// 5.
    pub sum: Option<f64>,
    /// 6.
    #[serde(deserialize_with = "fixed_list")]
    pub bucket_counts: Vec<u64>,
    /// 7.
    pub explicit_bounds: Vec<f64>,
    /// 10.
    pub flags: u32,
    /// 11.
    pub min: Option<f64>,
    /// 12.
    pub max: Option<f64>,
}

/// `SummaryDataPoint`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SummaryPoint {
    /// 7.
    pub attributes: Vec<Attribute>,
    /// 2.
    #[serde(deserialize_with = "fixed")]
    pub start_time_unix_nano: u64,
    /// 3.
    #[serde(deserialize_with = "fixed")]
    pub time_unix_nano: u64,
    /// 4.
    #[serde(deserialize_with = "fixed")]
    pub count: u64,
    /// 5.
    pub sum: f64,
    /// 6.
    pub quantile_values: Vec<Quantile>,
    /// 8.
    pub flags: u32,
}

/// `ValueAtQuantile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quantile {
    /// 1.
    pub quantile: f64,
    /// 2.
    pub value: f64,
}

/// `KeyValue`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Attribute {
    /// 1.
    pub key: String,
    /// 2.
    pub value: Option<AnyValue>,
}

/// `AnyValue`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AnyValue {
    /// 1.
    #[serde(rename = "stringValue")]
    String(String),
    /// 2.
    #[serde(rename = "boolValue")]
    Bool(bool),
    /// 3.
    #[serde(rename = "intValue", deserialize_with = "signed")]
    Int(i64),
    /// 4.
    #[serde(rename = "doubleValue")]
    Double(f64),
    /// 5.
    #[serde(rename = "arrayValue")]
    Array(Array),
    /// 6.
    #[serde(rename = "kvlistValue")]
    Map(Map),
    /// 7.
    #[serde(rename = "bytesValue", deserialize_with = "bytes")]
    Bytes(Vec<u8>),
}

/// `ArrayValue`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Array {
    /// 1.
    pub values: Vec<AnyValue>,
}

/// `KeyValueList`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Map {
    /// 1.
    pub values: Vec<Attribute>,
}
