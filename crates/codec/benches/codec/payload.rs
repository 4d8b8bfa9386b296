//! A deterministic fleet, written as metric lines and as protobuf-like records, in shuffled order.
//!
//! Sizes are near those of real traffic: lines of about 205 bytes, records of about 258 bytes a
//! metric, three quarters of the values whole, two fifths of the points with one sample.

use codec::base64::encode_into;

/// Metrics in a record: five messages of a hundred.
const RECORD_METRICS: usize = 500;

const SERVICES: [(&str, &str, [&str; 3]); 8] = [
    ("ECS", "ecs", ["ClusterName", "ServiceName", ""]),
    ("EC2", "ec2", ["InstanceId", "", ""]),
    ("ApplicationELB", "applicationelb", ["AvailabilityZone", "LoadBalancer", "TargetGroup"]),
    ("RDS", "rds", ["DBInstanceIdentifier", "", ""]),
    ("Lambda", "lambda", ["FunctionName", "Resource", ""]),
    ("SQS", "sqs", ["QueueName", "", ""]),
    ("DynamoDB", "dynamodb", ["Operation", "TableName", ""]),
    ("EBS", "ebs", ["VolumeId", "", ""]),
];

const METRICS: [&str; 16] = [
    "CPUUtilization",
    "MemoryUtilization",
    "NetworkIn",
    "NetworkOut",
    "DiskReadBytes",
    "RequestCount",
    "TargetResponseTime",
    "ReadLatency",
    "WriteLatency",
    "Invocations",
    "Duration",
    "Errors",
    "Throttles",
    "ApproximateAgeOfOldestMessage",
    "VolumeQueueLength",
    "ConsumedReadCapacityUnits",
];

/// SplitMix64: the same seed gives the same bytes everywhere.
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// One data point of the fleet.
struct Point {
    service: (&'static str, &'static str, [&'static str; 3]),
    metric: &'static str,
    entity: u64,
    account: u64,
    values: [f64; 4],
}

fn point(random: &mut Random) -> Point {
    let pick = |bound: usize, random: &mut Random| random.below(bound as u64) as usize;
    let service = SERVICES.get(pick(SERVICES.len(), random)).copied().unwrap_or(SERVICES[0]);
    let metric = METRICS.get(pick(METRICS.len(), random)).copied().unwrap_or(METRICS[0]);
    let count = if random.below(5) < 2 { 1 } else { 1 + random.below(60) };
    let whole = random.below(100) < 76;
    let mut value = || {
        let base = random.below(1_000_000);
        if whole { (base % 5000) as f64 } else { base as f64 / 997.0 }
    };
    let (a, b) = (value(), value());
    let (min, max) = if count == 1 { (a, a) } else { (a.min(b), a.max(b)) };
    let sum = if count == 1 { a } else { (min + max) / 2.0 * count as f64 };
    let (entity, account) = (random.below(3000), random.below(3));
    Point { service, metric, entity, account, values: [min, max, sum, count as f64] }
}

fn dimensions(point: &Point) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let entity = point.entity;
    point.service.2.into_iter().filter(|name| !name.is_empty()).enumerate().map(move |(n, name)| {
        let value = match n {
            0 => format!("i-0{:016x}", Random::new(entity).next()),
            _ => format!("prod-{:x}-{}", Random::new(entity / 8).below(1 << 24), entity % 37),
        };
        (name, value)
    })
}

/// `count` lines of the metric ingestion protocol.
pub(crate) fn lines(count: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    let mut out = Vec::new();
    for _ in 0..count {
        let point = point(&mut random);
        let names: String = dimensions(&point).map(|(name, _)| name).collect();
        let (_, service, _) = point.service;
        let mut metric = point.metric.to_owned();
        metric.make_ascii_lowercase();
        let mut line = format!(
            "cloud.aws.{service}.{metric}By{names},aws.account.id=11112222333{},aws.region=eu-west-{}",
            point.account, point.account
        );
        for (name, value) in dimensions(&point) {
            line += &format!(",{}=\"{value}\"", name.to_lowercase());
        }
        let [min, max, sum, samples] = point.values;
        line += &format!(" gauge,min={min},max={max},sum={sum},count={samples} 1795176000000\n");
        out.extend_from_slice(line.as_bytes());
    }
    out
}

fn field(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag << 3 | 2);
    out.push(bytes.len().min(127) as u8);
    out.extend_from_slice(bytes);
}

/// Records of protobuf-like points, as a metric stream writes them.
pub(crate) fn records(count: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(1);
    let mut out = Vec::new();
    let mut record = Vec::new();
    for index in 1..=count {
        let point = point(&mut random);
        let mut attributes = Vec::new();
        let mut pair = |name: &str, value: &str| {
            let mut entry = Vec::new();
            field(1, name.as_bytes(), &mut entry);
            field(2, value.as_bytes(), &mut entry);
            field(7, &entry, &mut attributes);
        };
        pair("Namespace", &format!("AWS/{}", point.service.0));
        pair("MetricName", point.metric);
        for (name, value) in dimensions(&point) {
            pair(name, &value);
        }
        let name = format!("amazonaws.com/AWS/{}/{}", point.service.0, point.metric);
        field(1, name.as_bytes(), &mut record);
        record.extend_from_slice(&attributes);
        for time in [1_795_175_940_000_000_000_u64, 1_795_176_000_000_000_000] {
            record.push(0x11);
            record.extend_from_slice(&time.to_le_bytes());
        }
        for value in point.values {
            record.extend_from_slice(&[0x32, 0x09, 0x09]);
            record.extend_from_slice(&value.to_le_bytes());
        }
        if index % RECORD_METRICS == 0 || index == count {
            out.push(std::mem::take(&mut record));
        }
    }
    out
}

/// The JSON body of a delivery of these records.
pub(crate) fn body(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = br#"{"requestId":"bench","timestamp":1795176000000,"records":["#.to_vec();
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"data\":\"");
        encode_into(record, &mut out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
    out
}
