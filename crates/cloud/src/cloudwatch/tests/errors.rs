//! Every refusal, by code, status and text.

use super::*;

/// Code, status and text of a refusal.
#[track_caller]
fn check(port: &Port, operation: &str, input: &str, code: &str, text: &str) {
    let fault = port.refused(operation, input);
    assert_eq!((fault.code, fault.message.as_str()), (code, text), "{operation} {input}");
    let shape = match code {
        "MissingParameter" => "MissingRequiredParameterException",
        "ValidationError" => "ValidationException",
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        other => other,
    };
    assert_eq!((fault.shape, fault.status), (shape, 400));
}

const VALUE: &str = "InvalidParameterValue";
const COMBINATION: &str = "InvalidParameterCombination";
const MODEL: &str = "ValidationError";

/// *Scenario:* texts, numbers and lists where a list has structures, in each operation that takes one.
/// *Guarantees:* the refusal names the element, and does not say that a member of it is missing.
#[test]
fn elements_that_are_no_structures() {
    let port = port("cloudwatch-elements");
    let put = |more: &str| stream("one", more);
    for (operation, input, place) in [
        ("PutMetricStream", put(r#","IncludeFilters":["AWS/EC2"]"#), "IncludeFilters.member.1"),
        (
            "PutMetricStream",
            put(r#","ExcludeFilters":[{"Namespace":"A"},5]"#),
            "ExcludeFilters.member.2",
        ),
        ("PutMetricStream", put(r#","Tags":[["k","v"]]"#), "Tags.member.1"),
        (
            "PutMetricStream",
            put(r#","StatisticsConfigurations":["p99"]"#),
            "StatisticsConfigurations.member.1",
        ),
        (
            "PutMetricStream",
            put(
                r#","StatisticsConfigurations":[{"IncludeMetrics":["m"],"AdditionalStatistics":["p1"]}]"#,
            ),
            "IncludeMetrics.member.1",
        ),
        ("ListMetrics", r#"{"Dimensions":["InstanceId"]}"#.to_owned(), "Dimensions.member.1"),
        (
            "GetMetricData",
            r#"{"MetricDataQueries":[true],"StartTime":1,"EndTime":2}"#.to_owned(),
            "MetricDataQueries.member.1",
        ),
    ] {
        let fault = port.refused(operation, &input);
        let text = format!("{place}: expected a structure");
        assert_eq!(
            (fault.code, fault.message.as_str()),
            ("MalformedInput", text.as_str()),
            "{input}"
        );
        assert_eq!((fault.shape, fault.status), ("SerializationException", 400));
    }
}

/// *Scenario:* PutMetricStream without each required member, and with each member wrong in each way.
/// *Guarantees:* the code and text of each, and no stream is made.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of refusals")]
fn streams_that_cannot_be() {
    let port = port("cloudwatch-put-errors");
    let whole = stream("one", "");
    for name in ["Name", "FirehoseArn", "RoleArn", "OutputFormat"] {
        let lacks = whole.replace(&format!("\"{name}\""), "\"X\"");
        let text = format!("The parameter {name} is required.");
        check(&port, "PutMetricStream", &lacks, "MissingParameter", &text);
    }
    let filter = r#"[{"Namespace":"A"}]"#;
    let both = format!(r#","IncludeFilters":{filter},"ExcludeFilters":{filter}"#);
    let names = |count: usize| vec!["\"m\""; count].join(",");
    let long = "x".repeat(256);
    let filled = |count: usize| {
        let names = names(count);
        format!(
            r#","IncludeFilters":[{{"Namespace":"A","MetricNames":[{names}]}},{{"Namespace":"B"}}]"#
        )
    };
    let statistics = |metrics: usize, statistics: &str| {
        let metrics = vec![r#"{"Namespace":"A","MetricName":"m"}"#; metrics].join(",");
        format!(
            r#","StatisticsConfigurations":[{{"IncludeMetrics":[{metrics}],"AdditionalStatistics":[{statistics}]}}]"#
        )
    };
    let one_hundred_and_one = {
        let one = r#"{"IncludeMetrics":[{"Namespace":"A","MetricName":"m"}],"AdditionalStatistics":["p1"]}"#;
        format!(r#","StatisticsConfigurations":[{}]"#, vec![one; 101].join(","))
    };
    let tags = |count: usize| {
        let all: Vec<String> =
            (0..count).map(|n| format!(r#"{{"Key":"k{n}","Value":"v"}}"#)).collect();
        format!(r#","Tags":[{}]"#, all.join(","))
    };
    let cases = [
        (
            both,
            COMBINATION,
            "The parameters IncludeFilters and ExcludeFilters are mutually exclusive and you have specified both.",
        ),
        (
            filled(999),
            VALUE,
            "The parameter IncludeFilters must not have more than 1000 namespaces and metric names in all, it has 1001.",
        ),
        (
            r#","IncludeFilters":[{"MetricNames":["a"]}]"#.to_owned(),
            "MissingParameter",
            "The parameter IncludeFilters.member.1.Namespace is required.",
        ),
        (
            r#","ExcludeFilters":[{"Namespace":":a"}]"#.to_owned(),
            MODEL,
            "1 validation error detected: Value ':a' at 'excludeFilters.1.member.namespace' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:].*",
        ),
        (
            r#","ExcludeFilters":[{"Namespace":"","MetricNames":[""]}]"#.to_owned(),
            MODEL,
            "2 validation errors detected: Value '' at 'excludeFilters.1.member.namespace' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'excludeFilters.1.member.metricNames.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            r#","IncludeFilters":[{"Namespace":"\u00e4"}]"#.to_owned(),
            VALUE,
            "The parameter IncludeFilters.member.1.Namespace must contain printable ASCII characters only.",
        ),
        (
            r#","IncludeFilters":[{"Namespace":"A","MetricNames":[" "]}]"#.to_owned(),
            VALUE,
            "The parameter IncludeFilters.member.1.MetricNames.member.1 must contain at least one non-whitespace character.",
        ),
        (
            one_hundred_and_one,
            VALUE,
            "The collection StatisticsConfigurations must not have a size greater than 100.",
        ),
        (
            statistics(101, "\"p1\""),
            VALUE,
            "The collection StatisticsConfigurations.member.1.IncludeMetrics must not have a size greater than 100.",
        ),
        (
            statistics(1, &vec!["\"p1\""; 21].join(",")),
            VALUE,
            "The collection StatisticsConfigurations.member.1.AdditionalStatistics must not have a size greater than 20.",
        ),
        (
            statistics(0, "\"p1\""),
            "MissingParameter",
            "The parameter StatisticsConfigurations.member.1.IncludeMetrics is required.",
        ),
        (
            statistics(1, ""),
            "MissingParameter",
            "The parameter StatisticsConfigurations.member.1.AdditionalStatistics is required.",
        ),
        (
            statistics(1, "\"Average\""),
            VALUE,
            "The value Average for parameter StatisticsConfigurations.member.1.AdditionalStatistics.member.1 is not a valid statistic.",
        ),
        (
            r#","StatisticsConfigurations":[{"IncludeMetrics":[{"Namespace":"A","MetricName":"\u0000"}],"AdditionalStatistics":["p1"]}]"#.to_owned(),
            VALUE,
            "The parameter StatisticsConfigurations.member.1.IncludeMetrics.member.1.MetricName must contain printable ASCII characters only.",
        ),
        (tags(51), VALUE, "A resource must not have more than 50 tags."),
        (
            r#","Tags":[{"Key":"AWS:x","Value":"v"}]"#.to_owned(),
            VALUE,
            "Tag keys that begin with aws: are reserved for AWS.",
        ),
        (
            r#","Tags":[{"Key":"x"}]"#.to_owned(),
            "MissingParameter",
            "The parameter Tags.member.1.Value is required.",
        ),
        (
            r#","Tags":[{"Key":"x","Value":""},{"Key":"x","Value":""}]"#.to_owned(),
            VALUE,
            "The tag key x is given twice.",
        ),
    ];
    for (more, code, text) in cases {
        check(&port, "PutMetricStream", &stream("one", &more), code, text);
    }
    for format in ["opentelemetry0.7", "opentelemetry1.0"] {
        let input = stream("one", &statistics(1, "\"p50\",\"IQM\"")).replace("json", format);
        let text = format!(
            "The value IQM for parameter StatisticsConfigurations.member.1.AdditionalStatistics.member.2 is not supported by the output format {format}, which takes percentiles only."
        );
        check(&port, "PutMetricStream", &input, VALUE, &text);
    }
    let enumeration = "1 validation error detected: Value 'JSON' at 'outputFormat' failed to satisfy constraint: Member must satisfy enum value set: [json, opentelemetry0.7, opentelemetry1.0]";
    check(&port, "PutMetricStream", &whole.replace("json", "JSON"), MODEL, enumeration);
    let length = format!(
        "1 validation error detected: Value '{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 255"
    );
    check(&port, "PutMetricStream", &stream(&long, ""), MODEL, &length);
    let pattern = "The parameter Name must contain letters, digits, hyphens and underscores only: [A-Za-z0-9-_].";
    check(&port, "PutMetricStream", &stream("a b", ""), VALUE, pattern);
    assert!(port.context.registry.now().metric_streams.is_empty());
    port.ask("PutMetricStream", &stream("one", &filled(998))).unwrap();
    port.ask("PutMetricStream", &stream("two", &statistics(100, &vec!["\"p1\""; 20].join(","))))
        .unwrap();
    port.ask("PutMetricStream", &stream("three", &tags(50))).unwrap();
}

/// *Scenario:* ARNs of delivery streams and roles that are none, lie elsewhere, or name nothing.
/// *Guarantees:* each is refused with what is wrong; a delivery stream of the registry is taken.
#[test]
fn where_a_stream_cannot_deliver() {
    let port = port("cloudwatch-arns");
    let with = |from: &str, to: &str| stream("one", "").replace(from, to);
    let no_arn = "The parameter FirehoseArn must be the ARN of a delivery stream.";
    for arn in ["s", "arn:aws:firehose:us-east-1:123456789012:stream/s", "arn:aws:s3:::s"] {
        check(&port, "PutMetricStream", &with(FIREHOSE, arn), VALUE, no_arn);
    }
    let of = |region: &str, account: &str, name: &str| {
        with(FIREHOSE, &format!("arn:aws:firehose:{region}:{account}:deliverystream/{name}"))
    };
    let text = "The parameter FirehoseArn must be of the Region us-east-1 of the metric stream.";
    check(&port, "PutMetricStream", &of("eu-west-1", ACCOUNT, "s"), VALUE, text);
    let text =
        "The parameter FirehoseArn must be of the account 123456789012 of the metric stream.";
    check(&port, "PutMetricStream", &of("us-east-1", "111122223333", "s"), VALUE, text);
    let unknown = "The parameter FirehoseArn is invalid: there is no delivery stream made under account 123456789012.";
    check(&port, "PutMetricStream", &of("us-east-1", ACCOUNT, "made"), VALUE, unknown);
    let added = port.context.registry.change(|all| {
        let place = crate::registry::key(ACCOUNT, "made");
        all.delivery_streams.insert(place, Default::default());
        Ok::<_, ()>(())
    });
    added.unwrap();
    port.ask("PutMetricStream", &of("us-east-1", ACCOUNT, "made")).unwrap();
    let role = "The parameter RoleArn must be the ARN of an IAM role.";
    for arn in [
        "ms",
        "arn:aws:iam::123456789012:user/ms",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a b",
    ] {
        check(&port, "PutMetricStream", &with(ROLE, arn), VALUE, role);
    }
    let text = "The parameter RoleArn must be of the account 123456789012 of the metric stream.";
    check(&port, "PutMetricStream", &with("123456789012:role", "111122223333:role"), VALUE, text);
    port.ask("PutMetricStream", &with(":role/ms", ":role/service-role/a=b@c")).unwrap();
}

/// *Scenario:* the other operations on streams and tags, with members missing, wrong or unknown.
/// *Guarantees:* the code and text of each; a call to stop that names one unknown stops none.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of refusals")]
fn other_operations_on_streams() {
    let port = port("cloudwatch-stream-errors");
    port.ask("PutMetricStream", &stream("one", "")).unwrap();
    for (operation, name) in [
        ("GetMetricStream", "Name"),
        ("DeleteMetricStream", "Name"),
        ("StartMetricStreams", "Names"),
        ("StopMetricStreams", "Names"),
        ("TagResource", "ResourceARN"),
        ("UntagResource", "ResourceARN"),
        ("ListTagsForResource", "ResourceARN"),
    ] {
        let text = format!("The parameter {name} is required.");
        check(&port, operation, "{}", "MissingParameter", &text);
    }
    let unknown = "The metric stream two does not exist, no stream was changed.";
    check(&port, "StopMetricStreams", r#"{"Names":["one","two"]}"#, VALUE, unknown);
    assert_eq!(port.ask("GetMetricStream", r#"{"Name":"one"}"#).unwrap()["State"], "running");
    let too_many = "1 validation error detected: Value '501' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 500";
    check(&port, "ListMetricStreams", r#"{"MaxResults":501}"#, MODEL, too_many);
    check(
        &port,
        "ListMetricStreams",
        r#"{"MaxResults":0}"#,
        MODEL,
        &too_many
            .replace("501", "0")
            .replace("less than or equal to 500", "greater than or equal to 1"),
    );
    let token = "The value for parameter NextToken is invalid.";
    for bad in ["x", "", "eDp5"] {
        let input = format!(r#"{{"NextToken":"{bad}"}}"#);
        check(&port, "ListMetricStreams", &input, "InvalidNextToken", token);
        check(&port, "ListMetrics", &input, VALUE, token);
    }
    let arn = "The parameter ResourceARN must be the ARN of a CloudWatch resource.";
    check(&port, "ListTagsForResource", r#"{"ResourceARN":"x"}"#, VALUE, arn);
    for id in [
        "aws:cloudwatch:us-east-1:123456789012:alarm:x",
        "aws:cloudwatch:us-east-1:123456789012:metric-stream/x",
        "aws:cloudwatch:us-east-1:111122223333:metric-stream/one",
        "aws-cn:cloudwatch:us-east-1:123456789012:metric-stream/one",
    ] {
        let input = format!(
            r#"{{"ResourceARN":"arn:{id}","Tags":[{{"Key":"a","Value":"b"}}],"TagKeys":["a"]}}"#
        );
        for operation in ["ListTagsForResource", "TagResource", "UntagResource"] {
            let fault = port.refused(operation, &input);
            assert_eq!(
                (fault.shape, fault.code, fault.status),
                ("ResourceNotFoundException", "ResourceNotFoundException", 404)
            );
            assert_eq!(fault.message, "");
            let names: Vec<&str> = fault.members.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, ["ResourceType", "ResourceId"]);
        }
    }
    let own = r#"{"ResourceARN":"arn:aws:cloudwatch:us-east-1:123456789012:metric-stream/one""#;
    check(
        &port,
        "TagResource",
        &format!("{own}}}"),
        "MissingParameter",
        "The parameter Tags is required.",
    );
    check(
        &port,
        "UntagResource",
        &format!("{own}}}"),
        "MissingParameter",
        "The parameter TagKeys is required.",
    );
    for (first, fits) in [("a", true), ("b", false)] {
        let tags: Vec<String> =
            (0..50).map(|n| format!(r#"{{"Key":"{first}{n}","Value":"v"}}"#)).collect();
        let input = format!(r#"{own},"Tags":[{}]}}"#, tags.join(","));
        assert_eq!(port.ask("TagResource", &input).is_ok(), fits);
    }
    let told = port.ask("ListTagsForResource", &format!("{own}}}")).unwrap();
    assert_eq!(told["Tags"].as_array().unwrap().len(), 50);
}

/// *Scenario:* GetMetricStatistics and GetMetricData with each member wrong.
/// *Guarantees:* the code and text of each, as observed from the service where it was.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of refusals")]
fn queries_that_cannot_be() {
    let port = port("cloudwatch-query-errors");
    let at = |seconds: i64| NOW / 1_000 + seconds;
    let statistics = |start: i64, end: i64, period: i64, more: &str| {
        format!(
            r#"{{"Namespace":"N","MetricName":"m","StartTime":{},"EndTime":{},"Period":{period}{more}}}"#,
            at(start),
            at(end)
        )
    };
    let sum = r#","Statistics":["Sum"]"#;
    for (input, code, text) in [
        (
            statistics(0, -60, 60, sum),
            VALUE,
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            statistics(0, 0, 60, sum),
            VALUE,
            "The parameter StartTime must not equal parameter EndTime.",
        ),
        (
            statistics(-86_400 * 60, 0, 60, sum),
            COMBINATION,
            "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
        (
            statistics(-60, 0, 61, sum),
            VALUE,
            "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.",
        ),
        (statistics(-60, 0, 0, sum), VALUE, "The parameter Period must be greater than 0."),
        (
            statistics(-60, 0, 60, ""),
            COMBINATION,
            "Must specify either Statistics or ExtendedStatistics",
        ),
        (
            statistics(-60, 0, 60, r#","Statistics":["Sum"],"ExtendedStatistics":["p9"]"#),
            COMBINATION,
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        ),
        (
            statistics(-60, 0, 60, r#","Statistics":["sum"]"#),
            MODEL,
            "1 validation error detected: Value 'sum' at 'statistics.1.member' failed to satisfy constraint: Member must satisfy enum value set: [SampleCount, Average, Sum, Minimum, Maximum]",
        ),
        (
            statistics(-60, 0, 60, r#","ExtendedStatistics":["p101"]"#),
            VALUE,
            "The value p101 for parameter ExtendedStatistics.member.1 is not a valid statistic.",
        ),
        (
            statistics(-60, 0, 60, sum).replace("Namespace", "X"),
            "MissingParameter",
            "The parameter Namespace is required.",
        ),
        (
            statistics(-60, 0, 60, sum).replace("StartTime", "X"),
            "MissingParameter",
            "The parameter StartTime is required.",
        ),
        (
            statistics(-60, 0, 60, r#","Statistics":["Sum"],"Dimensions":[{"Name":"a"}]"#),
            "MissingParameter",
            "The parameter Dimensions.member.1.Value is required.",
        ),
    ] {
        check(&port, "GetMetricStatistics", &input, code, text);
    }
    let data = |queries: &str| {
        format!(
            r#"{{"StartTime":{},"EndTime":{},"MetricDataQueries":[{queries}]}}"#,
            at(-60),
            at(0)
        )
    };
    let query = |id: &str, stat: &str, period: i64| {
        format!(
            r#"{{"Id":"{id}","MetricStat":{{"Metric":{{"Namespace":"N","MetricName":"m"}},"Stat":"{stat}","Period":{period}}}}}"#
        )
    };
    let good = query("a", "Sum", 60);
    for (input, text) in [
        (
            data(&vec![good.as_str(); 501].join(",")),
            "The collection MetricDataQueries must not have a size greater than 500.",
        ),
        (
            data(&query("5xx", "Sum", 60)),
            "The value 5xx for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
        ),
        (
            data(&format!("{good},{good}")),
            "The values for parameter id in MetricDataQueries are not unique.",
        ),
        (
            data(&format!("{},{}", query("a", "None", 60), query("b", "x", 60))),
            "The value None for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.\nThe value x for parameter MetricDataQueries.member.2.MetricStat.Stat is not a valid statistic.",
        ),
        (
            data(&query("a", "Sum", 90)),
            "The parameter MetricDataQueries.member.1.MetricStat.Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.",
        ),
        (
            data(r#"{"Id":"e","Expression":"m1*2"}"#),
            "Error in expression 'e': expressions are not supported here, only MetricStat is.",
        ),
        (
            data(r#"{"Id":"e"}"#),
            "Either MetricDataQueries.member.1.MetricStat or MetricDataQueries.member.1.Expression must be specified.",
        ),
        (
            data(&good.replace(r#""Id""#, r#""Expression":"x","Id""#)),
            "The parameters MetricDataQueries.member.1.MetricStat and MetricDataQueries.member.1.Expression are mutually exclusive and you have specified both.",
        ),
        (
            data(&good).replace(r#"{"Start"#, r#"{"MaxDatapoints":100801,"Start"#),
            "The value 100801 for parameter MaxDatapoints must be between 1 and 100800.",
        ),
        (
            data(&good.replace(r#""Id""#, r#""AccountId":"","Id""#)),
            "1 validation error detected: Value '' at 'metricDataQueries.1.member.accountId' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            data(&good).replace(r#"{"Start"#, r#"{"LabelOptions":{"Timezone":"UTC"},"Start"#),
            "The value UTC for parameter LabelOptions.Timezone is not matching the expected pattern ^[+-][0-9]{4}$.",
        ),
        (
            data(&good).replace(r#"{"Start"#, r#"{"ScanBy":"Up","Start"#),
            "1 validation error detected: Value 'Up' at 'scanBy' failed to satisfy constraint: Member must satisfy enum value set: [TimestampDescending, TimestampAscending]",
        ),
    ] {
        check(&port, "GetMetricData", &input, MODEL, text);
    }
    let token = data(&good).replace(r#"{"Start"#, r#"{"NextToken":"eDp5","Start"#);
    check(
        &port,
        "GetMetricData",
        &token,
        "InvalidNextToken",
        "The value for parameter NextToken is invalid.",
    );
    check(
        &port,
        "GetMetricData",
        &data(""),
        "MissingParameter",
        "The parameter MetricDataQueries is required.",
    );
}

/// *Scenario:* an account with a thousand streams, and another one.
/// *Guarantees:* one more is refused, one that is there is changed, the other account is not held up.
#[test]
fn too_many_streams() {
    let port = port("cloudwatch-many");
    let filled = port.context.registry.change(|all| {
        for n in 0..1_000 {
            let place = crate::registry::key(ACCOUNT, &format!("s{n}"));
            all.metric_streams.insert(place, Default::default());
        }
        Ok::<_, ()>(())
    });
    filled.unwrap();
    let text = "The account 123456789012 has 1000 metric streams, which is the limit.";
    check(&port, "PutMetricStream", &stream("one", ""), "LimitExceededException", text);
    port.ask("PutMetricStream", &stream("s7", "")).unwrap();
    port.ask("DeleteMetricStream", r#"{"Name":"s8"}"#).unwrap();
    port.ask("PutMetricStream", &stream("one", "")).unwrap();
}

/// *Scenario:* a disk that takes no file while a stream is made.
/// *Guarantees:* the service says that it is its own fault, and the stream is not there.
#[test]
fn a_disk_that_fails() {
    let port = port("cloudwatch-disk");
    std::fs::create_dir(port._folder.join("resources.part")).unwrap();
    let fault = port.refused("PutMetricStream", &stream("one", ""));
    assert_eq!(
        (fault.shape, fault.code, fault.status),
        ("InternalServiceFault", "InternalServiceError", 500)
    );
    assert_eq!(port.refused("GetMetricStream", r#"{"Name":"one"}"#).status, 404);
}
