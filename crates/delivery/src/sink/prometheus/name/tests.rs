//! Names, in both namings.

use metric::{Statistic, Unit};

use super::super::Naming::{Otel, Yace};
use super::*;

fn yace(namespace: &str, name: &str) -> String {
    metric(Yace, namespace, name, &Unit::NONE)
}

fn otel(namespace: &str, name: &str, unit: &str) -> String {
    metric(Otel, namespace, name, &Unit::parse(unit.as_bytes()))
}

/// *Scenario:* names as dashboards for YACE ask for them.
/// *Guarantees:* the namespace is one word in lower case, the metric's name is in snake case, a digit
/// before a capital splits, and what repeats the namespace is left out.
#[test]
fn yace_names() {
    for (namespace, name, expect) in [
        ("AWS/ECS", "CPUUtilization", "aws_ecs_cpuutilization"),
        ("AWS/EC2", "NetworkIn", "aws_ec2_network_in"),
        ("AWS/EC2", "EBSReadOps", "aws_ec2_ebsread_ops"),
        ("AWS/ApplicationELB", "RequestCount", "aws_applicationelb_request_count"),
        (
            "AWS/ApplicationELB",
            "HTTPCode_Target_2XX_Count",
            "aws_applicationelb_httpcode_target_2_xx_count",
        ),
        ("AWS/S3", "4xxErrors", "aws_s3_4xx_errors"),
        (
            "AWS/Kinesis",
            "GetRecords.IteratorAgeMilliseconds",
            "aws_kinesis_get_records_iterator_age_milliseconds",
        ),
        ("Glue", "glue.driver.jvm.heap.used", "aws_glue_driver_jvm_heap_used"),
        (
            "/aws/sagemaker/TrainingJobs",
            "GPUUtilization",
            "aws_sagemaker_trainingjobs_gpuutilization",
        ),
        ("ContainerInsights", "pod_cpu_utilization", "aws_containerinsights_pod_cpu_utilization"),
        ("ECS/ContainerInsights", "CpuUtilized", "aws_ecs_containerinsights_cpu_utilized"),
        ("CWAgent", "LogicalDisk % Free Space", "aws_cwagent_logical_disk__percent_free_space"),
        ("My Shop/Checkout", "basket value (EUR)", "aws_my_shop_checkout_basket_value__eur_"),
        ("Caf\u{e9}", "\u{b5}s+1", "aws_caf__s_1"),
    ] {
        assert_eq!(yace(namespace, name), expect, "{namespace} {name}");
    }
}

/// *Scenario:* names as the OpenTelemetry Collector writes them.
/// *Guarantees:* words as they are, the unit in words behind them unless it is there; a remark in
/// braces is no unit.
#[test]
fn otel_names() {
    for (namespace, name, unit, expect) in [
        ("AWS/EC2", "CPUUtilization", "%", "amazonaws_com_AWS_EC2_CPUUtilization_percent"),
        ("AWS/EC2", "NetworkIn", "Bytes", "amazonaws_com_AWS_EC2_NetworkIn_bytes"),
        ("AWS/EBS", "Throughput", "kBy/s", "amazonaws_com_AWS_EBS_Throughput_kilobytes_per_second"),
        ("AWS/EBS", "Ops", "Count/Second", "amazonaws_com_AWS_EBS_Ops_per_second"),
        (
            "AWS/ApplicationELB",
            "RequestCount",
            "Count",
            "amazonaws_com_AWS_ApplicationELB_RequestCount",
        ),
        (
            "AWS/Lambda",
            "Duration",
            "Milliseconds",
            "amazonaws_com_AWS_Lambda_Duration_milliseconds",
        ),
        ("AWS/X", "free percent", "Percent", "amazonaws_com_AWS_X_free_percent"),
        ("AWS/X", "Megabits", "Megabits", "amazonaws_com_AWS_X_Megabits_MBit"),
        ("AWS/X", "a__b//c", "None", "amazonaws_com_AWS_X_a_b_c"),
        ("AWS/X", "m", "odd unit/w", "amazonaws_com_AWS_X_m_odd_unit_per_w"),
    ] {
        assert_eq!(otel(namespace, name, unit), expect, "{namespace} {name} {unit}");
    }
}

/// *Scenario:* dimensions and attributes with names that no label can have.
/// *Guarantees:* valid label names that do not begin with `__`.
#[test]
fn label_names() {
    assert_eq!(dimension(Yace, "ClusterName"), "dimension_ClusterName");
    assert_eq!(dimension(Yace, "Cluster Name"), "dimension_Cluster_Name");
    assert_eq!(dimension(Yace, "a%b\u{e9}"), "dimension_a_percentb_");
    assert_eq!(dimension(Otel, "Cluster Name"), "Cluster_Name");
    assert_eq!(dimension(Otel, "2nd"), "key_2nd");
    assert_eq!(dimension(Otel, "__name__"), "key__name__");
    assert_eq!(dimension(Otel, ""), "key_");
    assert_eq!(attribute(Yace, "tag.Name"), "tag_Name");
    assert_eq!(
        attribute(Yace, "tag.aws:cloudformation:stack-name"),
        "tag_aws_cloudformation_stack_name"
    );
    assert_eq!(attribute(Otel, "_x"), "key_x");
}

/// *Scenario:* additional statistics by name and by quantile.
/// *Guarantees:* YACE's suffix, or the quantile's shortest decimal; other statistics are no quantile.
#[test]
fn statistics() {
    let named = |naming, statistic| {
        let mut out = Vec::new();
        push_statistic(naming, &statistic, &mut Vec::new(), &mut out)
            .then(|| String::from_utf8(out).unwrap())
    };
    let check = |statistic, yace: &str, otel: Option<&str>| {
        assert_eq!(named(Yace, statistic).as_deref(), Some(yace));
        assert_eq!(named(Otel, statistic).as_deref(), otel);
    };
    check(Statistic::Named(b"p99.9"), "_p99_9", Some("0.999"));
    check(Statistic::Quantile(0.95), "_p95", Some("0.95"));
    check(Statistic::Named(b"TM(25%:75%)"), "_tm_25_percent_75_percent_", None);
    check(Statistic::Named(b"p100"), "_p100", None);
    check(Statistic::Named(b"IQM"), "_iqm", None);
}
