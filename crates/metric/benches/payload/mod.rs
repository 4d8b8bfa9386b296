//! Made-up metrics with the bulk and the variety of real ones. The same seed gives the same bytes.

use metric::{Dimension, Encoder, Format, Point, Unit};

/// Namespace, dimension names of its metrics, metric names.
const FLEET: [(&str, &[&str], &[&str]); 20] = [
    (
        "AWS/EC2",
        &["InstanceId"],
        &[
            "CPUUtilization",
            "NetworkIn",
            "NetworkOut",
            "NetworkPacketsIn",
            "NetworkPacketsOut",
            "DiskReadBytes",
            "DiskWriteBytes",
            "StatusCheckFailed",
            "CPUCreditBalance",
        ],
    ),
    (
        "AWS/EBS",
        &["VolumeId"],
        &[
            "VolumeReadBytes",
            "VolumeWriteBytes",
            "VolumeReadOps",
            "VolumeWriteOps",
            "VolumeTotalReadTime",
            "VolumeTotalWriteTime",
            "VolumeIdleTime",
            "BurstBalance",
        ],
    ),
    (
        "AWS/ECS",
        &["ClusterName", "ServiceName"],
        &["CPUUtilization", "MemoryUtilization", "EphemeralStorageUtilized"],
    ),
    (
        "ECS/ContainerInsights",
        &["ClusterName", "ServiceName", "TaskDefinitionFamily"],
        &[
            "CpuUtilized",
            "CpuReserved",
            "MemoryUtilized",
            "MemoryReserved",
            "NetworkRxBytes",
            "NetworkTxBytes",
            "StorageReadBytes",
            "StorageWriteBytes",
            "RunningTaskCount",
        ],
    ),
    (
        "AWS/Lambda",
        &["FunctionName", "Resource"],
        &[
            "Invocations",
            "Errors",
            "Duration",
            "Throttles",
            "ConcurrentExecutions",
            "IteratorAge",
            "DeadLetterErrors",
            "UnreservedConcurrentExecutions",
        ],
    ),
    (
        "AWS/ApplicationELB",
        &["LoadBalancer", "TargetGroup", "AvailabilityZone"],
        &[
            "RequestCount",
            "TargetResponseTime",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_4XX_Count",
            "HTTPCode_Target_5XX_Count",
            "HTTPCode_ELB_5XX_Count",
            "ActiveConnectionCount",
            "NewConnectionCount",
            "ProcessedBytes",
            "HealthyHostCount",
            "UnHealthyHostCount",
            "ConsumedLCUs",
        ],
    ),
    (
        "AWS/NetworkELB",
        &["LoadBalancer", "TargetGroup"],
        &["ActiveFlowCount", "NewFlowCount", "ProcessedBytes", "TCP_Client_Reset_Count"],
    ),
    (
        "AWS/RDS",
        &["DBInstanceIdentifier"],
        &[
            "CPUUtilization",
            "DatabaseConnections",
            "FreeStorageSpace",
            "FreeableMemory",
            "ReadIOPS",
            "WriteIOPS",
            "ReadLatency",
            "WriteLatency",
            "DiskQueueDepth",
            "SwapUsage",
        ],
    ),
    (
        "AWS/DynamoDB",
        &["TableName", "Operation"],
        &[
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
            "SuccessfulRequestLatency",
            "ThrottledRequests",
            "ReturnedItemCount",
            "UserErrors",
            "SystemErrors",
        ],
    ),
    (
        "AWS/SQS",
        &["QueueName"],
        &[
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
            "NumberOfMessagesDeleted",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateAgeOfOldestMessage",
            "SentMessageSize",
        ],
    ),
    (
        "AWS/SNS",
        &["TopicName"],
        &["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "PublishSize"],
    ),
    (
        "AWS/Kinesis",
        &["StreamName", "ShardId"],
        &[
            "IncomingBytes",
            "IncomingRecords",
            "OutgoingBytes",
            "GetRecords.IteratorAgeMilliseconds",
            "PutRecord.Success",
            "WriteProvisionedThroughputExceeded",
        ],
    ),
    (
        "AWS/Firehose",
        &["DeliveryStreamName"],
        &[
            "IncomingBytes",
            "IncomingRecords",
            "DeliveryToHttpEndpoint.Bytes",
            "DeliveryToHttpEndpoint.DataFreshness",
            "DeliveryToHttpEndpoint.Success",
        ],
    ),
    (
        "AWS/S3",
        &["BucketName", "FilterId"],
        &[
            "AllRequests",
            "GetRequests",
            "PutRequests",
            "4xxErrors",
            "FirstByteLatency",
            "BytesDownloaded",
        ],
    ),
    (
        "AWS/ApiGateway",
        &["ApiName", "Stage", "Resource", "Method"],
        &["Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"],
    ),
    (
        "AWS/ElastiCache",
        &["CacheClusterId", "CacheNodeId"],
        &[
            "CPUUtilization",
            "CurrConnections",
            "CacheHits",
            "CacheMisses",
            "Evictions",
            "BytesUsedForCache",
        ],
    ),
    (
        "AWS/States",
        &["StateMachineArn"],
        &["ExecutionsStarted", "ExecutionsFailed", "ExecutionTime"],
    ),
    ("AWS/Logs", &["LogGroupName"], &["IncomingBytes", "IncomingLogEvents"]),
    (
        "CWAgent",
        &["InstanceId", "ImageId", "InstanceType", "device"],
        &[
            "mem_used_percent",
            "disk_used_percent",
            "swap_used_percent",
            "cpu_usage_idle",
            "diskio_io_time",
        ],
    ),
    (
        "Shop/Checkout",
        &["Service", "Environment"],
        &[
            "BasketTotal",
            "OrdersPlaced",
            "PaymentFailures",
            "CheckoutLatency",
            "Retries",
            "SessionsOpen",
            "CouponsUsed",
            "RefundsIssued",
            "StockMisses",
            "LoginFailures",
            "PageViews",
            "SearchLatency",
            "QueueDepth",
            "CacheHitRatio",
        ],
    ),
];

/// Units by turn; a metric's unit is fixed by its place in the fleet.
const UNITS: [&str; 8] = [
    "Count",
    "Bytes",
    "Percent",
    "None",
    "Seconds",
    "Milliseconds",
    "Bytes/Second",
    "Count/Second",
];

const PLACES: [(&str, &str); 3] = [
    ("111122223333", "eu-west-1"),
    ("222233334444", "us-east-1"),
    ("333344445555", "ap-southeast-2"),
];

/// Messages of one record.
const MESSAGES: usize = 5;

/// A stream of numbers that a seed fixes (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Records of `format` that hold `metrics` metrics together.
pub(crate) fn records(seed: u64, metrics: usize, format: Format) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut encoder = Encoder::new(format);
    let (mut records, mut left) = (Vec::new(), metrics);
    while left > 0 {
        let mut record = Vec::new();
        for _ in 0..MESSAGES {
            let count = (50 + random.below(101)).min(left);
            let place = PLACES[random.below(PLACES.len())];
            for _ in 0..count {
                push_metric(&mut random, place, &mut encoder);
            }
            left -= count;
            encoder.finish(&mut record);
        }
        records.push(record);
    }
    records
}

fn push_metric(random: &mut Random, (account, region): (&str, &str), encoder: &mut Encoder) {
    let kind = random.below(FLEET.len());
    let (namespace, dimension_names, metric_names) = FLEET[kind];
    let metric = random.below(metric_names.len());
    let values: Vec<String> =
        dimension_names.iter().map(|name| dimension_value(random, name)).collect();
    let dimensions: Vec<Dimension<'_>> =
        dimension_names.iter().zip(&values).map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
    let integers = random.below(100) < 76;
    let number = |random: &mut Random| {
        let size = 10_f64.powi(random.below(8) as i32);
        let value = random.fraction() * size;
        if integers { value.floor() } else { value }
    };
    let count = if random.below(100) < 40 { 1.0 } else { (2 + random.below(59)) as f64 };
    let (first, second) = (number(random), number(random));
    let (min, max) =
        if count == 1.0 { (first, first) } else { (first.min(second), first.max(second)) };
    let start_ns = (1_795_178_040 + 60 * random.below(4) as u64) * 1_000_000_000;
    encoder.push(&Point {
        stream: b"all-metrics",
        account: account.as_bytes(),
        region: region.as_bytes(),
        dimensions: &dimensions,
        unit: Unit::parse(UNITS[(kind + metric) % UNITS.len()].as_bytes()),
        start_ns,
        end_ns: Some(start_ns + 60_000_000_000),
        min: Some(min),
        max: Some(max),
        sum: Some(if count == 1.0 { first } else { min + max * (count - 1.0) }),
        count,
        ..Point::of(namespace.as_bytes(), metric_names[metric].as_bytes())
    });
}

fn dimension_value(random: &mut Random, name: &str) -> String {
    match name {
        "InstanceId" | "VolumeId" | "ImageId" => {
            format!("{}-0{:016x}", &name[..1].to_lowercase(), random.next() % 4096 * 0x9_1234_5678)
        }
        "LoadBalancer" => format!("app/edge-{}/50dc6c495c0c9188", random.below(40)),
        "TargetGroup" => format!("targetgroup/service-{}/73e2d6bc24d8a067", random.below(40)),
        "StateMachineArn" => {
            format!("arn:aws:states:eu-west-1:111122223333:stateMachine:flow-{}", random.below(40))
        }
        "AvailabilityZone" => format!("eu-west-1{}", ["a", "b", "c"][random.below(3)]),
        _ => format!("{}-{:03}", name.to_lowercase(), random.below(200)),
    }
}
