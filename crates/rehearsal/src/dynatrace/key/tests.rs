//! The keys, against those seen in the field.

use super::*;

/// Namespace, metric, dimension names, and the key after `cloud.aws.`.
const SEEN: &[(&str, &str, &[&str], &str)] = &[
    (
        "AWS/ECS",
        "CPUUtilization",
        &["ClusterName"],
        "ecs.cpuUtilizationByAccountIdClusterNameRegion",
    ),
    (
        "AWS/NetworkELB",
        "TCP_Client_Reset_Count",
        &["AvailabilityZone", "LoadBalancer"],
        "networkelb.tcP_Client_Reset_CountByAccountIdAvailabilityZoneLoadBalancerRegion",
    ),
    ("AWS/ApiGateway", "4XXError", &["ApiName"], "apigateway.4xxErrorByAccountIdApiNameRegion"),
    (
        "AWS/ApiGateway",
        "Count",
        &["ApiName", "Method", "Resource", "Stage"],
        "apigateway.countByAccountIdApiNameMethodRegionResourceStage",
    ),
    (
        "AWS/CloudFront",
        "4xxErrorRate",
        &["DistributionId", "Region"],
        "cloudfront.4xxErrorRateByAccountIdDistributionIdRegion",
    ),
    (
        "AWS/Robomaker",
        "vCPU",
        &["SimulationJobId"],
        "robomaker.vCPUByAccountIdRegionSimulationJobId",
    ),
    (
        "AWS/ElastiCache",
        "DB0AverageTTL",
        &["CacheClusterId"],
        "elasticache.db0AverageTTLByAccountIdCacheClusterIdRegion",
    ),
    (
        "AWS/Kafka",
        "MaxOffsetLag",
        &["Cluster Name", "Consumer Group", "Topic"],
        "kafka.maxOffsetLagByAccountIdClusterNameConsumerGroupRegionTopic",
    ),
    (
        "/aws/sagemaker/Endpoints",
        "GPUMemoryUtilization",
        &["EndpointName", "VariantName"],
        "sagemaker.endpoints.gpuMemoryUtilizationByAccountIdEndpointNameRegionVariantName",
    ),
    (
        "AWS/States",
        "ThrottledEvents",
        &["APIName"],
        "states.throttledEventsByAPINameAccountIdRegion",
    ),
    (
        "AWS/Kinesis",
        "GetRecords.IteratorAgeMilliseconds",
        &["StreamName"],
        "kinesis.getRecordsIteratorAgeMillisecondsByAccountIdRegionStreamName",
    ),
    (
        "Account Interventions Service",
        "DB_QUERY_ERROR",
        &["service"],
        "accountinterventionsservice.dB_QUERY_ERRORByAccountIdRegionservice",
    ),
    ("prod-hub", "prod-hub-errors", &[], "prod-hub.prodhuberrorsByAccountIdRegion"),
];

/// *Scenario:* pairs from Dynatrace's own dashboards that show the odd corners of the rule.
/// *Guarantees:* the ledger looks for a point under the key that Dynatrace's endpoint makes.
#[test]
fn keys_are_those_seen_in_the_field() {
    for (namespace, metric, dimensions, key) in SEEN {
        assert_eq!(metric_key(namespace, metric, dimensions), format!("cloud.aws.{key}"));
    }
}

/// *Scenario:* all keys of the test data, where the folder is there.
/// *Guarantees:* 599 of 599 are reproduced.
#[test]
fn every_key_of_the_test_data_is_reproduced() {
    let Some(bytes) = testkit::testdata("dynatrace-keys.tsv") else {
        return;
    };
    let text = String::from_utf8(bytes).unwrap();
    let mut rows = 0;
    for row in text.lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
        let columns: Vec<_> = row.split('\t').collect();
        let names = columns.get(3).copied().unwrap_or("");
        let names: Vec<_> = names.split(',').filter(|name| !name.is_empty()).collect();
        assert_eq!(metric_key(columns[1], columns[2], &names), columns[0]);
        rows += 1;
    }
    assert_eq!(rows, 599);
}
