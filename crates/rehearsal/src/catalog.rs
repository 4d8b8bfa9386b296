//! What AWS services publish: 20 namespaces with 131 metrics, their units, dimensions and manner.
//!
//! The names are those of AWS. The table is constant and shared by the payload generator, which
//! draws from it evenly, and by the simulated services, which let it live through a day.

/// How a metric behaves over time; the number is its usual size in the unit of the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// A level that moves slowly, one sample a minute.
    Level(f64),
    /// A share of 100 that follows the traffic.
    Percent(f64),
    /// Events: many samples of 1, their number follows the traffic.
    Events(f64),
    /// A duration or size per event: many samples, widely spread, a long tail.
    Spread(f64),
    /// Nearly always nothing.
    Rare,
}

/// One metric of a namespace.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// CloudWatch metric name.
    pub name: &'static str,
    /// CloudWatch unit.
    pub unit: &'static str,
    /// How it behaves.
    pub manner: Manner,
}

/// One namespace: every resource of it publishes every metric.
#[derive(Clone, Copy, Debug)]
pub struct Namespace {
    /// CloudWatch namespace.
    pub name: &'static str,
    /// Dimension names, in the order AWS sends them (sorted).
    pub dimensions: &'static [&'static str],
    /// What is published.
    pub metrics: &'static [Metric],
}

const fn metric(name: &'static str, unit: &'static str, manner: Manner) -> Metric {
    Metric { name, unit, manner }
}

use Manner::{Events, Level, Percent, Rare, Spread};

/// All namespaces.
pub const NAMESPACES: &[Namespace] = &[
    Namespace {
        name: "AWS/EC2",
        dimensions: &["InstanceId"],
        metrics: &[
            metric("CPUUtilization", "Percent", Percent(35.0)),
            metric("NetworkIn", "Bytes", Spread(4.0e6)),
            metric("NetworkOut", "Bytes", Spread(6.0e6)),
            metric("NetworkPacketsIn", "Count", Spread(9.0e3)),
            metric("NetworkPacketsOut", "Count", Spread(8.0e3)),
            metric("StatusCheckFailed", "Count", Rare),
            metric("EBSReadOps", "Count", Spread(300.0)),
            metric("MetadataNoToken", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/EBS",
        dimensions: &["VolumeId"],
        metrics: &[
            metric("VolumeReadOps", "Count", Spread(200.0)),
            metric("VolumeWriteOps", "Count", Spread(900.0)),
            metric("VolumeReadBytes", "Bytes", Spread(3.0e6)),
            metric("VolumeWriteBytes", "Bytes", Spread(1.2e7)),
            metric("VolumeTotalReadTime", "Seconds", Level(0.4)),
            metric("VolumeTotalWriteTime", "Seconds", Level(1.3)),
            metric("VolumeQueueLength", "Count", Level(0.6)),
            metric("BurstBalance", "Percent", Level(97.0)),
        ],
    },
    Namespace {
        name: "AWS/ApplicationELB",
        dimensions: &["AvailabilityZone", "LoadBalancer", "TargetGroup"],
        metrics: &[
            metric("RequestCount", "Count", Events(1800.0)),
            metric("TargetResponseTime", "Seconds", Spread(0.08)),
            metric("HTTPCode_Target_2XX_Count", "Count", Events(1750.0)),
            metric("HTTPCode_Target_4XX_Count", "Count", Events(40.0)),
            metric("HTTPCode_Target_5XX_Count", "Count", Rare),
            metric("HealthyHostCount", "Count", Level(6.0)),
            metric("UnHealthyHostCount", "Count", Rare),
            metric("TargetConnectionErrorCount", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/NetworkELB",
        dimensions: &["AvailabilityZone", "LoadBalancer"],
        metrics: &[
            metric("ActiveFlowCount", "Count", Spread(450.0)),
            metric("NewFlowCount", "Count", Spread(90.0)),
            metric("ProcessedBytes", "Bytes", Spread(8.0e6)),
            metric("TCP_Client_Reset_Count", "Count", Events(5.0)),
            metric("TCP_Target_Reset_Count", "Count", Events(3.0)),
            metric("TCP_ELB_Reset_Count", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/Lambda",
        dimensions: &["FunctionName", "Resource"],
        metrics: &[
            metric("Invocations", "Count", Events(240.0)),
            metric("Errors", "Count", Rare),
            metric("Throttles", "Count", Rare),
            metric("Duration", "Milliseconds", Spread(120.0)),
            metric("ConcurrentExecutions", "Count", Level(12.0)),
            metric("AsyncEventAge", "Milliseconds", Spread(60.0)),
            metric("DeadLetterErrors", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/RDS",
        dimensions: &["DBInstanceIdentifier"],
        metrics: &[
            metric("CPUUtilization", "Percent", Percent(42.0)),
            metric("DatabaseConnections", "Count", Level(85.0)),
            metric("FreeableMemory", "Bytes", Level(5.2e9)),
            metric("FreeStorageSpace", "Bytes", Level(1.6e11)),
            metric("ReadLatency", "Seconds", Spread(0.0011)),
            metric("WriteLatency", "Seconds", Spread(0.0023)),
            metric("ReadIOPS", "Count/Second", Spread(220.0)),
            metric("WriteIOPS", "Count/Second", Spread(410.0)),
            metric("DiskQueueDepth", "Count", Level(0.7)),
            metric("DBLoad", "None", Level(1.4)),
        ],
    },
    Namespace {
        name: "AWS/DynamoDB",
        dimensions: &["Operation", "TableName"],
        metrics: &[
            metric("ConsumedReadCapacityUnits", "Count", Spread(4.5)),
            metric("ConsumedWriteCapacityUnits", "Count", Spread(2.0)),
            metric("ReadThrottleEvents", "Count", Rare),
            metric("WriteThrottleEvents", "Count", Rare),
            metric("ThrottledRequests", "Count", Rare),
            metric("SuccessfulRequestLatency", "Milliseconds", Spread(3.8)),
            metric("SystemErrors", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/SQS",
        dimensions: &["QueueName"],
        metrics: &[
            metric("ApproximateNumberOfMessagesVisible", "Count", Level(30.0)),
            metric("ApproximateNumberOfMessagesNotVisible", "Count", Level(9.0)),
            metric("ApproximateNumberOfMessagesDelayed", "Count", Rare),
            metric("ApproximateAgeOfOldestMessage", "Seconds", Level(4.0)),
            metric("NumberOfMessagesSent", "Count", Events(600.0)),
            metric("NumberOfMessagesReceived", "Count", Events(590.0)),
            metric("NumberOfMessagesDeleted", "Count", Events(585.0)),
            metric("NumberOfEmptyReceives", "Count", Events(20.0)),
            metric("SentMessageSize", "Bytes", Spread(2100.0)),
        ],
    },
    Namespace {
        name: "AWS/S3",
        dimensions: &["BucketName", "FilterId"],
        metrics: &[
            metric("AllRequests", "Count", Events(320.0)),
            metric("4xxErrors", "Count", Events(4.0)),
            metric("5xxErrors", "Count", Rare),
            metric("FirstByteLatency", "Milliseconds", Spread(26.0)),
            metric("TotalRequestLatency", "Milliseconds", Spread(48.0)),
            metric("BytesDownloaded", "Bytes", Spread(3.4e5)),
            metric("BytesUploaded", "Bytes", Spread(9.0e4)),
        ],
    },
    Namespace {
        name: "AWS/ApiGateway",
        dimensions: &["ApiName", "Method", "Resource", "Stage"],
        metrics: &[
            metric("Count", "Count", Events(420.0)),
            metric("4XXError", "Count", Events(9.0)),
            metric("5XXError", "Count", Rare),
            metric("Latency", "Milliseconds", Spread(75.0)),
            metric("IntegrationLatency", "Milliseconds", Spread(61.0)),
        ],
    },
    Namespace {
        name: "AWS/ECS",
        dimensions: &["ClusterName", "ServiceName"],
        metrics: &[
            metric("CPUUtilization", "Percent", Percent(48.0)),
            metric("MemoryUtilization", "Percent", Percent(61.0)),
        ],
    },
    Namespace {
        name: "ECS/ContainerInsights",
        dimensions: &["ClusterName", "ServiceName"],
        metrics: &[
            metric("RunningTaskCount", "Count", Level(8.0)),
            metric("PendingTaskCount", "Count", Rare),
            metric("DesiredTaskCount", "Count", Level(8.0)),
            metric("CpuUtilized", "None", Spread(410.0)),
            metric("CpuReserved", "None", Level(1024.0)),
            metric("MemoryUtilized", "Megabytes", Spread(1300.0)),
            metric("NetworkRxBytes", "Bytes/Second", Spread(5.0e4)),
            metric("NetworkTxBytes", "Bytes/Second", Spread(7.0e4)),
        ],
    },
    // A dimension called Namespace: in format 0.7 its label has the name of CloudWatch's own.
    Namespace {
        name: "ContainerInsights",
        dimensions: &["ClusterName", "Namespace", "PodName"],
        metrics: &[
            metric("pod_cpu_utilization", "Percent", Percent(22.0)),
            metric("pod_memory_utilization", "Percent", Percent(44.0)),
            metric("pod_cpu_utilization_over_pod_limit", "Percent", Percent(31.0)),
            metric("pod_number_of_container_restarts", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/ElastiCache",
        dimensions: &["CacheClusterId", "CacheNodeId"],
        metrics: &[
            metric("CPUUtilization", "Percent", Percent(12.0)),
            metric("EngineCPUUtilization", "Percent", Percent(17.0)),
            metric("DatabaseMemoryUsagePercentage", "Percent", Percent(58.0)),
            metric("FreeableMemory", "Bytes", Level(2.1e9)),
            metric("SwapUsage", "Bytes", Level(1.3e6)),
            metric("CurrConnections", "Count", Level(140.0)),
            metric("Evictions", "Count", Rare),
            metric("CacheHits", "Count", Level(9.0e4)),
            metric("CacheMisses", "Count", Level(4.0e3)),
            metric("CacheHitRate", "Percent", Percent(95.0)),
        ],
    },
    Namespace {
        name: "AWS/Kinesis",
        dimensions: &["StreamName"],
        metrics: &[
            metric("IncomingRecords", "Count", Spread(150.0)),
            metric("IncomingBytes", "Bytes", Spread(2.4e5)),
            metric("GetRecords.IteratorAgeMilliseconds", "Milliseconds", Spread(310.0)),
            metric("GetRecords.Latency", "Milliseconds", Spread(14.0)),
            metric("ReadProvisionedThroughputExceeded", "Count", Rare),
            metric("WriteProvisionedThroughputExceeded", "Count", Rare),
        ],
    },
    Namespace {
        name: "AWS/CloudFront",
        dimensions: &["DistributionId", "Region"],
        metrics: &[
            metric("Requests", "None", Events(5200.0)),
            metric("4xxErrorRate", "Percent", Percent(1.4)),
            metric("5xxErrorRate", "Percent", Percent(0.1)),
            metric("BytesDownloaded", "None", Spread(6.0e7)),
            metric("OriginLatency", "Milliseconds", Spread(95.0)),
        ],
    },
    Namespace {
        name: "AWS/NATGateway",
        dimensions: &["NatGatewayId"],
        metrics: &[
            metric("ErrorPortAllocation", "Count", Rare),
            metric("PacketsDropCount", "Count", Rare),
            metric("BytesOutToDestination", "Bytes", Spread(2.0e7)),
            metric("ActiveConnectionCount", "Count", Level(330.0)),
        ],
    },
    Namespace {
        name: "AWS/States",
        dimensions: &["StateMachineArn"],
        metrics: &[
            metric("ExecutionsStarted", "Count", Events(30.0)),
            metric("ExecutionsSucceeded", "Count", Events(29.0)),
            metric("ExecutionsFailed", "Count", Rare),
            metric("ExecutionTime", "Milliseconds", Spread(5400.0)),
        ],
    },
    // Dimension names with blanks.
    Namespace {
        name: "AWS/Kafka",
        dimensions: &["Cluster Name", "Consumer Group", "Topic"],
        metrics: &[
            metric("MaxOffsetLag", "Count", Level(55.0)),
            metric("EstimatedMaxTimeLag", "Seconds", Level(2.2)),
            metric("SumOffsetLag", "Count", Level(210.0)),
        ],
    },
    Namespace {
        name: "AWS/Firehose",
        dimensions: &["DeliveryStreamName"],
        metrics: &[
            metric("DeliveryToHttpEndpoint.Success", "Count", Level(1.0)),
            metric("DeliveryToHttpEndpoint.DataFreshness", "Seconds", Level(61.0)),
            metric("DeliveryToHttpEndpoint.Records", "Count", Events(44.0)),
            metric("DeliveryToHttpEndpoint.Bytes", "Bytes", Spread(8.0e5)),
            metric("DeliveryToHttpEndpoint.ProcessedBytes", "Bytes", Spread(7.9e5)),
            metric("BackupToS3.Success", "Count", Rare),
            metric("ThrottledRecords", "Count", Rare),
            metric("IncomingBytes", "Bytes", Spread(8.1e5)),
            metric("IncomingRecords", "Count", Events(46.0)),
            metric("IncomingPutRequests", "Count", Events(12.0)),
        ],
    },
];

/// Accounts and regions that publish. The third account begins with a zero, as real ones do.
pub const OWNERS: [(&str, &str); 3] = [
    ("111122223333", "eu-west-1"),
    ("444455556666", "us-east-1"),
    ("012345678901", "ap-southeast-2"),
];

#[cfg(test)]
mod tests;
