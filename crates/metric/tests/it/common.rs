//! What these tests share: an owned copy of a point, a visitor that collects, and the
//! one metric of the golden frames.

use metric::{
    Decoder, Dimension, Encoder, Extra, Format, Point, Reason, Reject, Source, Statistic, Unit,
    Visit,
};

/// A point that owns its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) stream: String,
    pub(crate) exporter_arn: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) unit: String,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: Option<u64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) sum: Option<f64>,
    pub(crate) count: f64,
    /// By name, so that `p99` of JSON and the quantile 0.99 of OTel compare equal.
    pub(crate) extra: Vec<(String, f64)>,
}

fn owned(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).expect("text of a point is UTF-8").to_owned()
}

impl Sample {
    pub(crate) fn of(point: &Point<'_>) -> Self {
        let statistic = |extra: &Extra<'_>| {
            let mut name = Vec::new();
            extra.statistic.write_name(&mut name);
            (owned(&name), extra.value)
        };
        Self {
            stream: owned(point.stream),
            exporter_arn: owned(point.exporter_arn),
            account: owned(point.account),
            region: owned(point.region),
            namespace: owned(point.namespace),
            name: owned(point.name),
            dimensions: point.dimensions.iter().map(|(n, v)| (owned(n), owned(v))).collect(),
            unit: owned(point.unit.cloudwatch()),
            start_ns: point.start_ns,
            end_ns: point.end_ns,
            min: point.min,
            max: point.max,
            sum: point.sum,
            count: point.count,
            extra: point.extra.iter().map(statistic).collect(),
        }
    }

    /// Shows the sample as a borrowed point.
    pub(crate) fn with<R>(&self, take: impl FnOnce(&Point<'_>) -> R) -> R {
        let dimensions: Vec<Dimension<'_>> =
            self.dimensions.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let named = |(name, value): &(String, f64)| (name.clone().into_bytes(), *value);
        let names: Vec<(Vec<u8>, f64)> = self.extra.iter().map(named).collect();
        let extra: Vec<Extra<'_>> = names
            .iter()
            .map(|(name, value)| Extra { statistic: Statistic::Named(name), value: *value })
            .collect();
        take(&Point {
            stream: self.stream.as_bytes(),
            exporter_arn: self.exporter_arn.as_bytes(),
            account: self.account.as_bytes(),
            region: self.region.as_bytes(),
            namespace: self.namespace.as_bytes(),
            name: self.name.as_bytes(),
            dimensions: &dimensions,
            attributes: &[],
            unit: Unit::parse(self.unit.as_bytes()),
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            min: self.min,
            max: self.max,
            sum: self.sum,
            count: self.count,
            extra: &extra,
            source: Source::Json,
        })
    }
}

/// An item of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Point(Box<Sample>),
    Reject { offset: usize, bytes: Vec<u8>, reason: Reason, detail: String },
}

/// Collects all items, and the copies that points offer of their metric.
#[derive(Default)]
pub(crate) struct Collect {
    pub(crate) items: Vec<Item>,
    pub(crate) copies: Vec<Option<Vec<u8>>>,
}

impl Visit for Collect {
    fn point(&mut self, point: &Point<'_>) {
        self.items.push(Item::Point(Box::new(Sample::of(point))));
        self.copies.push(match point.source {
            Source::Otel10 { metric } => metric.map(<[u8]>::to_vec),
            _ => None,
        });
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        self.items.push(Item::Reject {
            offset: reject.offset,
            bytes: reject.bytes.to_vec(),
            reason: reject.reason,
            detail: reject.detail.clone(),
        });
    }
}

/// All items of a record.
pub(crate) fn items(record: &[u8]) -> Vec<Item> {
    let mut collect = Collect::default();
    Decoder::new().decode(record, &mut collect);
    collect.items
}

/// The points of a record that holds nothing else.
#[track_caller]
pub(crate) fn points(record: &[u8]) -> Vec<Sample> {
    items(record)
        .into_iter()
        .map(|item| match item {
            Item::Point(sample) => *sample,
            reject => panic!("{reject:?}"),
        })
        .collect()
}

/// Points and rejects of a record, apart; a reject as offset, length and reason.
pub(crate) fn split(record: &[u8]) -> (Vec<Sample>, Vec<(usize, usize, Reason)>) {
    let (mut samples, mut rejects) = (Vec::new(), Vec::new());
    for item in items(record) {
        match item {
            Item::Point(sample) => samples.push(*sample),
            Item::Reject { offset, bytes, reason, .. } => {
                rejects.push((offset, bytes.len(), reason));
            }
        }
    }
    (samples, rejects)
}

/// The metric of the golden frames and of the first line of JSON.
pub(crate) fn lambda_duration() -> Sample {
    Sample {
        stream: "demo".to_owned(),
        exporter_arn: "arn:aws:cloudwatch:eu-west-1:111122223333:metric-stream/demo".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        namespace: "AWS/Lambda".to_owned(),
        name: "Duration".to_owned(),
        dimensions: vec![("FunctionName".to_owned(), "f1".to_owned())],
        unit: "Milliseconds".to_owned(),
        start_ns: 1_795_178_040_000_000_000,
        end_ns: Some(1_795_178_100_000_000_000),
        min: Some(0.0),
        max: Some(10.0),
        sum: Some(12.5),
        count: 3.0,
        extra: vec![("p99".to_owned(), 9.5)],
    }
}

/// Bytes from hexadecimal digits, with text in quotes.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, piece) in text.split('"').enumerate() {
        if index % 2 == 1 {
            out.extend_from_slice(piece.as_bytes());
            continue;
        }
        let digits: Vec<u8> = piece.bytes().filter(u8::is_ascii_hexdigit).collect();
        for pair in digits.chunks(2) {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            out.push(u8::from_str_radix(pair, 16).expect("hexadecimal"));
        }
    }
    out
}

/// The frame of format 0.7, byte by byte.
pub(crate) fn golden07() -> Vec<u8> {
    bytes(&format!(
        r#"fa02 0af702 {GOLDEN_RESOURCE}
        12c301 12c001
        0a21 "amazonaws.com/AWS/Lambda/Duration" 1a02 "ms"
        5a9601 0a9301
        0a17 0a09 "Namespace" 120a "AWS/Lambda"
        0a16 0a0a "MetricName" 1208 "Duration"
        0a12 0a0c "FunctionName" 1202 "f1"
        {GOLDEN_NUMBERS}"#
    ))
}

/// The frame of format 1.0, byte by byte.
pub(crate) fn golden10() -> Vec<u8> {
    bytes(&format!(
        r#"9203 0a8f03 {GOLDEN_RESOURCE}
        12db01 12d801
        0a21 "amazonaws.com/AWS/Lambda/Duration" 1a02 "ms"
        5aae01 0aab01
        {GOLDEN_NUMBERS}
        3a19 0a09 "Namespace" 120c 0a0a "AWS/Lambda"
        3a18 0a0a "MetricName" 120a 0a08 "Duration"
        3a26 0a0a "Dimensions" 1218 3216 0a14 0a0c "FunctionName" 1204 0a02 "f1""#
    ))
}

const GOLDEN_RESOURCE: &str = r#"0aae01
    0a17 0a0e "cloud.provider" 1205 0a03 "aws"
    0a22 0a10 "cloud.account.id" 120e 0a0c "111122223333"
    0a1b 0a0c "cloud.region" 120b 0a09 "eu-west-1"
    0a52 0a10 "aws.exporter.arn" 123e 0a3c
    "arn:aws:cloudwatch:eu-west-1:111122223333:metric-stream/demo""#;

const GOLDEN_NUMBERS: &str = "11 0030c886eac0e918 19 00880f7ff8c0e918
    21 0300000000000000 29 0000000000002940 3200
    3212 09 ae47e17a14aeef3f 11 0000000000002340
    3212 09 000000000000f03f 11 0000000000002440";

/// The same metric as a line of JSON.
pub(crate) const GOLDEN_JSON: &str = concat!(
    r#"{"metric_stream_name":"demo","account_id":"111122223333","region":"eu-west-1","#,
    r#""namespace":"AWS/Lambda","metric_name":"Duration","dimensions":{"FunctionName":"f1"},"#,
    r#""timestamp":1795178040000,"value":{"max":10.0,"min":0.0,"sum":12.5,"count":3.0,"p99":9.5},"#,
    r#""unit":"Milliseconds"}"#,
    "\n"
);

/// A record of one format that holds `samples`.
pub(crate) fn encode(format: Format, samples: &[Sample]) -> Vec<u8> {
    let mut encoder = Encoder::new(format);
    for sample in samples {
        sample.with(|point| encoder.push(point));
    }
    let mut out = Vec::new();
    encoder.finish(&mut out);
    out
}
