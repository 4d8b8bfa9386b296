//! The same call in three protocols, and every rule by its text.

use aws::api::{Seen, call};
use proptest::prelude::*;

use super::*;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;

fn from_json(body: &str) -> Result<Checked<'_>, Fault> {
    check(json::read(body.as_bytes())?, NOW)
}

fn said(body: &str) -> String {
    let fault = from_json(body).expect_err(body);
    format!("{}: {}", fault.code, fault.message)
}

fn datum(members: &str) -> String {
    format!(r#"{{"Namespace":"Demo","MetricData":[{{"MetricName":"m",{members}}}]}}"#)
}

/// *Scenario:* one call with all that a datum may have, in JSON, in CBOR and as a form.
/// *Guarantees:* all three read the same.
#[test]
fn three_protocols_one_call() {
    let body = r#"{"Namespace":"Demo/App","MetricData":[
        {"MetricName":"Latency","Timestamp":1795178096.5,"Values":[1.5,2],"Counts":[3.0,1],
         "Unit":"Milliseconds","StorageResolution":1,
         "Dimensions":[{"Name":"b","Value":"x y"},{"Name":"a","Value":"1"}]},
        {"MetricName":"Set","StatisticValues":{"SampleCount":2,"Sum":3,"Minimum":1,"Maximum":2}}],
        "EntityMetricData":[{"Entity":{"KeyAttributes":{"Type":"Service"}},
          "MetricData":[{"MetricName":"Plain","Value":7,"Unknown":[1]}]}],
        "StrictEntityValidation":false}"#;
    let tree: aws::api::Value<'_> = serde_json::from_str(body).unwrap();
    let mut packed = Vec::new();
    aws::api::cbor::write(&tree, &mut packed);
    let form = "Action=PutMetricData&Version=2010-08-01&Namespace=Demo%2FApp\
        &MetricData.member.1.MetricName=Latency&MetricData.member.1.Timestamp=2026-11-20T12%3A34%3A56.5Z\
        &MetricData.member.1.Values.member.1=1.5&MetricData.member.1.Values.member.2=2\
        &MetricData.member.1.Counts.member.1=3.0&MetricData.member.1.Counts.member.2=1\
        &MetricData.member.1.Unit=Milliseconds&MetricData.member.1.StorageResolution=1\
        &MetricData.member.1.Dimensions.member.1.Name=b&MetricData.member.1.Dimensions.member.1.Value=x+y\
        &MetricData.member.1.Dimensions.member.2.Name=a&MetricData.member.1.Dimensions.member.2.Value=1\
        &MetricData.member.2.MetricName=Set&MetricData.member.2.StatisticValues.SampleCount=2\
        &MetricData.member.2.StatisticValues.Sum=3&MetricData.member.2.StatisticValues.Minimum=1\
        &MetricData.member.2.StatisticValues.Maximum=2\
        &EntityMetricData.member.1.Entity.KeyAttributes.entry.1.key=Type\
        &EntityMetricData.member.1.Entity.KeyAttributes.entry.1.value=Service\
        &EntityMetricData.member.1.MetricData.member.1.MetricName=Plain\
        &EntityMetricData.member.1.MetricData.member.1.Value=7&StrictEntityValidation=false";
    let seen = Seen::default();
    let as_form = call(&seen, form.as_bytes()).unwrap();
    let one = json::read(body.as_bytes()).unwrap();
    assert_eq!(one, super::cbor::read(&packed).unwrap());
    assert_eq!(one, read(&as_form, &seen, form.as_bytes()).unwrap());
    let checked = check(one, NOW).unwrap();
    assert_eq!(checked.entries.len(), 3);
    assert_eq!(checked.entries[0].dimensions[0].0, "a", "a series is a set of dimensions");
    assert_eq!(checked.entries[0].timestamp_ms, 1_795_178_096_500);
    assert_eq!(checked.entries[0].samples, Samples::Raw(vec![(1.5, 3.0), (2.0, 1.0)]));
    assert_eq!(checked.entries[1].samples, Samples::Set([2.0, 3.0, 1.0, 2.0]));
    assert_eq!(checked.entries[2].timestamp_ms, NOW);
}

/// *Scenario:* each rule broken once.
/// *Guarantees:* CloudWatch's code and text, with the number of the datum.
#[test]
fn rules() {
    let values = |count: usize| format!("\"Values\":[{}]", vec!["1"; count].join(","));
    for (body, text) in [
        (
            r#"{"MetricData":[]}"#.to_owned(),
            "MissingParameter: The parameter Namespace is required.",
        ),
        (
            r#"{"Namespace":"d"}"#.to_owned(),
            "MissingParameter: The parameter MetricData is required.",
        ),
        (
            datum("\"Value\":1,\"Values\":[1]"),
            "InvalidParameterCombination: The parameters MetricData.member.1.Value and \
             MetricData.member.1.Values are mutually exclusive and you have specified both.",
        ),
        (
            datum("\"Value\":1,\"StatisticValues\":{}"),
            "InvalidParameterCombination: The parameters MetricData.member.1.Value and \
             MetricData.member.1.StatisticValues are mutually exclusive and you have specified both.",
        ),
        (
            datum("\"Values\":[1,2],\"Counts\":[1]"),
            "InvalidParameterValue: The parameters MetricData.member.1.Values and \
             MetricData.member.1.Counts must be of the same size.",
        ),
        (
            datum(&values(151)),
            "InvalidParameterValue: The collection MetricData.member.1.Values must not have a size \
             greater than 150.",
        ),
        (
            datum("\"Value\":\"NaN\""),
            "InvalidParameterValue: The value NaN for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            datum("\"Value\":1,\"Timestamp\":1793361600"),
            "InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time \
             within the past two weeks.",
        ),
        (
            datum("\"Value\":1,\"Dimensions\":[{\"Name\":\"a\"}]"),
            "MissingParameter: The parameter MetricData.member.1.Dimensions.member.1.Value is required.",
        ),
        (
            datum("\"Dimensions\":[]"),
            "MissingParameter: The parameter MetricData.member.1.Value is required.",
        ),
        (
            datum("\"StatisticValues\":{\"Sum\":1}"),
            "MissingParameter: The parameter MetricData.member.1.StatisticValues.SampleCount is required.",
        ),
    ] {
        assert_eq!(said(&body), text);
    }
    assert!(
        said(&datum("\"Value\":1,\"Unit\":\"seconds\""))
            .contains("must be a value in the set [ Seconds,")
    );
    let many = format!(
        r#"{{"Namespace":"d","MetricData":[{}]}}"#,
        vec![r#"{"MetricName":"m","Value":1}"#; 1001].join(",")
    );
    assert!(said(&many).contains("must not have a size greater than 1000"));
    let edge = format!(
        r#"{{"Namespace":"d","MetricData":[{}]}}"#,
        vec![format!(r#"{{"MetricName":"m",{}}}"#, values(150)); 1000].join(",")
    );
    assert_eq!(from_json(&edge).unwrap().entries.len(), 1000);
}

/// *Scenario:* statistic sets that cannot be, among them two of one call; numbers that are none or too
/// large, in every member that holds one; sets and counts at the edge.
/// *Guarantees:* the first are refused by the name of the member, and never taken to be left out
/// later; the last are taken.
#[test]
fn sets_that_cannot_be() {
    let set = |count: &str, sum: &str, min: &str, max: &str| {
        format!(
            "\"StatisticValues\":{{\"SampleCount\":{count},\"Sum\":{sum},\"Minimum\":{min},\
             \"Maximum\":{max}}}"
        )
    };
    let place = "MetricData.member.1.StatisticValues";
    for count in ["-1", "0", "-0.0", "-1e-300"] {
        let text = format!(
            "InvalidParameterValue: The parameter {place}.SampleCount must be greater than 0."
        );
        assert_eq!(said(&datum(&set(count, "1", "1", "1"))), text, "{count}");
    }
    let reversed = set("1", "100", "2", "1");
    let two = format!(
        r#"{{"Namespace":"d","MetricData":[{{"MetricName":"a",{reversed}}},
            {{"MetricName":"b","Value":1}},{{"MetricName":"c",{reversed}}}]}}"#
    );
    assert_eq!(
        said(&two),
        "InvalidParameterValue: The parameter MetricData.member.1.StatisticValues.Maximum must be \
         greater than MetricData.member.1.StatisticValues.Minimum.\n\
         The parameter MetricData.member.3.StatisticValues.Maximum must be greater than \
         MetricData.member.3.StatisticValues.Minimum."
    );
    for (bad, told) in [
        ("\"NaN\"", "NaN"),
        ("\"Infinity\"", "inf"),
        ("\"-Infinity\"", "-inf"),
        ("2.4e108", "2400"),
        ("-2.4e108", "-2400"),
    ] {
        for (member, body) in [
            ("Value", format!("\"Value\":{bad}")),
            ("Values.member.1", format!("\"Values\":[{bad}]")),
            ("Counts.member.1", format!("\"Values\":[1],\"Counts\":[{bad}]")),
            ("StatisticValues.SampleCount", set(bad, "1", "1", "1")),
            ("StatisticValues.Sum", set("1", bad, "1", "1")),
            ("StatisticValues.Minimum", set("1", "1", bad, "1")),
            ("StatisticValues.Maximum", set("1", "1", "1", bad)),
        ] {
            let text = said(&datum(&body));
            let begin = format!("InvalidParameterValue: The value {told}");
            let end = format!(" for parameter MetricData.member.1.{member} is invalid.");
            assert!(text.starts_with(&begin) && text.ends_with(&end), "{member}: {text}");
        }
    }
    for sound in [
        set("0.5", "1", "1", "1"),
        set("2", "100", "1", "1"),
        set("1", "2.3e108", "-2.3e108", "2.3e108"),
        "\"Values\":[1,2],\"Counts\":[0,1]".to_owned(),
    ] {
        assert!(from_json(&datum(&sound)).is_ok(), "{sound}");
    }
}

/// *Scenario:* a call with raw values and a set, written for the journal and read, also cut anywhere.
/// *Guarantees:* it comes back; series are told apart by name, dimensions and unit; a cut is a fault.
#[test]
fn kept_and_read() {
    let body = r#"{"Namespace":"Demo","MetricData":[
        {"MetricName":"a","Values":[1,2],"Counts":[3,4],"Unit":"Bytes","StorageResolution":1,
         "Dimensions":[{"Name":"y","Value":"2"},{"Name":"x","Value":"1"}]},
        {"MetricName":"a","Unit":"Count","Timestamp":1795176000,
         "Dimensions":[{"Name":"x","Value":"1"},{"Name":"y","Value":"2"}],
         "StatisticValues":{"SampleCount":2,"Sum":3,"Minimum":1,"Maximum":2}}]}"#;
    let checked = from_json(body).unwrap();
    let mut bytes = Vec::new();
    wire::encode("111122223333", &checked, &mut bytes);
    let call = wire::decode(&bytes).unwrap();
    assert_eq!((call.account, call.namespace), ("111122223333", "Demo"));
    let kept: Vec<_> = call.map(Result::unwrap).collect();
    assert_eq!(kept[0].samples, checked.entries[0].samples);
    assert_eq!(kept[1].samples, checked.entries[1].samples);
    assert!(kept[0].high_resolution && !kept[1].high_resolution);
    assert_ne!(kept[0].key, kept[1].key, "the units differ");
    let series = wire::series(kept[0].key).unwrap();
    assert_eq!(series.name, "a");
    assert_eq!(series.dimensions, [("x", "1"), ("y", "2")]);
    assert_eq!(series.unit.cloudwatch(), b"Bytes");
    for length in 0..bytes.len() {
        let read =
            wire::decode(&bytes[..length]).and_then(|call| call.collect::<Result<Vec<_>, _>>());
        assert!(read.is_err(), "cut at {length}");
    }
}

proptest! {
    /// *Scenario:* any bytes as JSON and as CBOR.
    /// *Guarantees:* a call or a fault, never a panic.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(json::read(&bytes));
        drop(super::cbor::read(&bytes));
    }
}
