use proptest::prelude::*;

use super::*;

fn key_of(namespace: &str, name: &str, dimensions: &[&str]) -> String {
    metric_key(namespace, name, dimensions.iter().copied(), DigitSection::AsIs).text
}

/// Namespace, metric, dimensions, and the key after `cloud.aws.`.
const EDGES: &str = "
AWS/ECS | CPUUtilization | ClusterName | ecs.cpuUtilizationByAccountIdClusterNameRegion
AWS/ECS | CPUUtilization | ServiceName, ClusterName | ecs.cpuUtilizationByAccountIdClusterNameRegionServiceName
ECS/ContainerInsights | RunningTaskCount | ClusterName, ServiceName | ecs.containerinsights.runningTaskCountByAccountIdClusterNameRegionServiceName
ContainerInsights | node_cpu_utilization | ClusterName, InstanceId, NodeName | containerinsights.node_cpu_utilizationByAccountIdClusterNameInstanceIdNodeNameRegion
AWS/ApplicationELB | HTTPCode_ELB_502_Count | AvailabilityZone, LoadBalancer | applicationelb.httpCode_ELB_502_CountByAccountIdAvailabilityZoneLoadBalancerRegion
AWS/NetworkELB | TCP_Client_Reset_Count | AvailabilityZone, LoadBalancer | networkelb.tcP_Client_Reset_CountByAccountIdAvailabilityZoneLoadBalancerRegion
AWS/ELB | EstimatedALBActiveConnectionCount | LoadBalancerName | elb.estimatedALBActiveConnectionCountByAccountIdLoadBalancerNameRegion
AWS/ApiGateway | 4XXError | ApiName | apigateway.4xxErrorByAccountIdApiNameRegion
AWS/ApiGateway | Count | ApiName, Method, Resource, Stage | apigateway.countByAccountIdApiNameMethodRegionResourceStage
AWS/CloudFront | 4xxErrorRate | DistributionId, Region | cloudfront.4xxErrorRateByAccountIdDistributionIdRegion
AWS/Polly | 2XXCount | Operation | polly.2xxCountByAccountIdOperationRegion
AWS/MediaConvert | 8KOutputDuration | Queue | mediaconvert.8kOutputDurationByAccountIdQueueRegion
AWS/Robomaker | vCPU | SimulationJobId | robomaker.vCPUByAccountIdRegionSimulationJobId
AWS/DMS | CDCIncomingChanges | ReplicationInstanceIdentifier, ReplicationTaskIdentifier | dms.cdcIncomingChangesByAccountIdRegionReplicationInstanceIdentifierReplicationTaskIdentifier
AWS/Route53 | DNSQueries | HostedZoneId | route53.dnsQueriesByAccountIdHostedZoneIdRegion
AWS/ElastiCache | DB0AverageTTL | CacheClusterId | elasticache.db0AverageTTLByAccountIdCacheClusterIdRegion
AWS/ES | ClusterStatus.green | ClientId, DomainName | es.clusterStatusgreenByAccountIdClientIdDomainNameRegion
Glue | glue.ALL.jvm.heap.usage | JobName, JobRunId, Type | glue.glueALLjvmheapusageByAccountIdJobNameJobRunIdRegionType
AWS/Kafka | MaxOffsetLag | Cluster Name, Consumer Group, Topic | kafka.maxOffsetLagByAccountIdClusterNameConsumerGroupRegionTopic
AWS/Connect | ToInstancePacketLossRate | Instance ID, Participant, Stream Type, Type of Connection | connect.toInstancePacketLossRateByAccountIdInstanceIDParticipantRegionStreamTypeTypeofConnection
AWS/EC2/API | ClientErrors | Action | ec2.api.clientErrorsByAccountIdActionRegion
/aws/sagemaker/Endpoints | GPUMemoryUtilization | EndpointName, VariantName | sagemaker.endpoints.gpuMemoryUtilizationByAccountIdEndpointNameRegionVariantName
AWS/SSM-RunCommand | CommandsFailed |  | ssm-runcommand.commandsFailedByAccountIdRegion
AWS/RDS | ReadIOPS | DBInstanceIdentifier | rds.readIOPSByAccountIdDBInstanceIdentifierRegion
Account Interventions Service | ACCOUNT_IS_MARKED_AS_DELETED | service | accountinterventionsservice.accounT_IS_MARKED_AS_DELETEDByAccountIdRegionservice
AWS/States | ThrottledEvents | APIName | states.throttledEventsByAPINameAccountIdRegion
vcstorage | UNOBTAINABLE_RETENTION_TTL | service | vcstorage.unobtainablE_RETENTION_TTLByAccountIdRegionservice
custom | x | service, eventName | custom.xByAccountIdRegioneventNameservice
custom | x | AMCJourneyType, Environment, LogGroup | custom.xByAMCJourneyTypeAccountIdEnvironmentLogGroupRegion
custom | x | Client, Account | custom.xByAccountAccountIdClientRegion
prod-hub-send-requests | prod-hub-send-requests-errors |  | prod-hub-send-requests.prodhubsendrequestserrorsByAccountIdRegion
AWS/FSx | IOPS |  | fsx.iopSByAccountIdRegion
";

/// *Scenario:* the edge cases of real metrics: capitals, digits, underscores,
/// dots, blanks, nested namespaces, dimensions called like the owner, lower case after upper case.
/// *Guarantees:* the keys that Dynatrace's own endpoint has made for them, to the byte.
#[test]
fn real_metrics_have_their_real_keys() {
    for row in EDGES.trim().lines() {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [namespace, name, dimensions, expected] = columns[..] else { panic!("{row}") };
        let dimensions: Vec<&str> = dimensions.split(", ").filter(|d| !d.is_empty()).collect();
        assert_eq!(key_of(namespace, name, &dimensions), format!("cloud.aws.{expected}"));
    }
}

/// *Scenario:* every row of the collected keys, where the test data is at hand.
/// *Guarantees:* all of them are reproduced.
#[test]
fn collected_keys_are_reproduced() {
    let Some(table) = testkit::testdata("dynatrace-keys.tsv") else {
        return;
    };
    let table = String::from_utf8(table).unwrap();
    let mut rows = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [key, namespace, name, dimensions] = columns[..] else { panic!("{row}") };
        let dimensions: Vec<&str> = dimensions.split(',').filter(|d| !d.is_empty()).collect();
        assert_eq!(key_of(namespace, name, &dimensions), key);
        rows += 1;
    }
    assert_eq!(rows, 599);
}

/// *Scenario:* namespaces nobody has seen: no name after the prefix, doubled slashes, dots, signs,
/// letters of other scripts, a metric name without any usable letter.
/// *Guarantees:* a key of the grammar all the same.
#[test]
fn odd_names_still_make_a_key() {
    assert_eq!(key_of("AWS/", "X", &[]), "cloud.aws.xByAccountIdRegion");
    assert_eq!(key_of("AWS//X", "X", &[]), "cloud.aws.x.xByAccountIdRegion");
    assert_eq!(key_of("AWS/AWS/X", "X", &[]), "cloud.aws.aws.x.xByAccountIdRegion");
    assert_eq!(key_of("Shop.Web", "X", &[]), "cloud.aws.shop.web.xByAccountIdRegion");
    assert_eq!(key_of("a#b:c", "X", &[]), "cloud.aws.a_b_c.xByAccountIdRegion");
    assert_eq!(key_of("-a", "X", &[]), "cloud.aws._a.xByAccountIdRegion");
    assert_eq!(
        key_of("Gr\u{f6}\u{df}e", "\u{e4}X", &["\u{fc}D"]),
        "cloud.aws.gr_e.xByAccountIdDRegion"
    );
    assert_eq!(key_of("N", "\u{65e5}\u{672c}", &[]), "cloud.aws.n.ByAccountIdRegion");
    assert_eq!(key_of("a b\u{2003}c", "X", &[]), "cloud.aws.abc.xByAccountIdRegion");
    assert_eq!(key_of("N", "X", &["D", "D", "d d"]), "cloud.aws.n.xByAccountIdDRegiondd");
}

/// *Scenario:* a section that begins with a digit, with the switch in both positions.
/// *Guarantees:* as the endpoint makes it by default, with an underscore when asked for.
#[test]
fn digit_sections_follow_the_switch() {
    let key = |digits| metric_key("2fa/3d", "4XXError", std::iter::empty(), digits).text;
    assert_eq!(key(DigitSection::AsIs), "cloud.aws.2fa.3d.4xxErrorByAccountIdRegion");
    assert_eq!(key(DigitSection::Underscore), "cloud.aws._2fa._3d._4xxErrorByAccountIdRegion");
    assert!(has_digit_section(&key(DigitSection::AsIs)));
    assert!(!has_digit_section(&key(DigitSection::Underscore)));
    assert!(!has_digit_section("cloud.aws.ecs.cpuUtilizationByRegion"));
}

/// *Scenario:* two keys of 400 characters that differ only near the end.
/// *Guarantees:* both are cut to the limit, say so, and stay different; a key of 255 is left alone.
#[test]
fn long_keys_are_cut_and_stay_apart() {
    let long = "D".repeat(350);
    let first = metric_key("N", "X", [long.as_str(), "Ea"].into_iter(), DigitSection::AsIs);
    let second = metric_key("N", "X", [long.as_str(), "Eb"].into_iter(), DigitSection::AsIs);
    assert!(first.cut && second.cut);
    assert_eq!((first.text.len(), second.text.len()), (KEY_MAX, KEY_MAX));
    assert_ne!(first.text, second.text);
    let rest = KEY_MAX - key_of("N", "X", &[]).len();
    let fits = metric_key("N", "X", ["D".repeat(rest).as_str()].into_iter(), DigitSection::AsIs);
    assert_eq!((fits.text.len(), fits.cut), (KEY_MAX, false));
}

/// *Scenario:* the published vectors of the client libraries.
/// *Guarantees:* the same normalised keys.
#[test]
fn published_vectors_hold() {
    let table = [
        ("1case", Some("_case")),
        ("000", Some("_00")),
        ("~0#key", Some("_0_key")),
        ("a..b", Some("a.b")),
        (".a", None),
        ("", None),
        ("a.", Some("a")),
        ("m\u{c4}tric", Some("m_tric")),
        ("@@@@", Some("_")),
        ("a,,,b  c=d\\e\\ =,f", Some("a_b_c_d_e_f")),
        ("metric.key-number-1.001", Some("metric.key-number-1.001")),
        ("a.0b", Some("a.0b")),
    ];
    for (raw, expected) in table {
        assert_eq!(normalise(raw).as_deref(), expected, "{raw:?}");
    }
}

proptest! {
    /// *Scenario:* any names at all.
    /// *Guarantees:* the key satisfies the grammar and the limit.
    #[test]
    fn any_names_make_a_key_of_the_grammar(
        namespace in any::<String>(),
        name in any::<String>(),
        dimensions in proptest::collection::vec(any::<String>(), 0..8),
        underscore in any::<bool>(),
    ) {
        let digits = if underscore { DigitSection::Underscore } else { DigitSection::AsIs };
        let names = dimensions.iter().map(String::as_str);
        let key = metric_key(&namespace, &name, names, digits).text;
        prop_assert!((3..=KEY_MAX).contains(&key.len()));
        for section in key.split('.') {
            prop_assert!(!section.is_empty() && !section.starts_with('-'), "{}", key);
            prop_assert!(section.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert!(!underscore || !section.as_bytes()[0].is_ascii_digit());
        }
    }
}
