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
        "EntityMetricData":[{"Entity":{"KeyAttributes":{"Type":"Service"},"Attributes":{}},
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
        &EntityMetricData.member.1.Entity.Attributes=\
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
        ("\"Infinity\"", "Infinity"),
        ("\"-Infinity\"", "-Infinity"),
        ("2.4e108", "2.4E108"),
        ("-3e108", "-3.0E108"),
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
            let place = format!("parameter MetricData.member.1.{member}");
            let wanted = format!("InvalidParameterValue: The value {told} for {place} is invalid.");
            assert_eq!(text, wanted);
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

/// *Scenario:* times at the last instants of a minute, as a float can tell them, and on milliseconds.
/// *Guarantees:* a sample is never of the minute after its own.
#[test]
fn the_last_instant_of_a_minute() {
    let minute = NOW / 1_000 - 60;
    for (fraction, ms) in [
        ("59.9994", 59_999),
        ("59.9996", 59_999),
        ("59.999999", 59_999),
        ("0.001", 1),
        ("0.999", 999),
        ("58.789", 58_789),
        ("60", 60_000),
    ] {
        let seconds: f64 = fraction.parse().unwrap();
        let at = format!("{:.6}", minute as f64 + seconds);
        let body = datum(&format!("\"Value\":1,\"Timestamp\":{at}"));
        let checked = from_json(&body).unwrap();
        assert_eq!(checked.entries[0].timestamp_ms, minute * 1_000 + ms, "{fraction}");
    }
}

/// *Scenario:* lists where structures are meant, in each place that has one; a number with a fraction
/// as the resolution, and one with a fraction of zero.
/// *Guarantees:* what is no structure is refused in words of the API; the fraction of zero is a whole.
#[test]
fn structures_are_not_lists() {
    let whole = |member: &str| format!(r#"{{"Namespace":"d",{member}}}"#);
    for body in [
        r#"["d",[],[],false]"#.to_owned(),
        whole(r#""MetricData":[["m",null,null,1,null,null,null,null,null]]"#),
        whole(r#""MetricData":[5]"#),
        whole(r#""EntityMetricData":[[null,[{"MetricName":"m","Value":1}]]]"#),
        datum(r#""StatisticValues":[1,1,1,1]"#),
        datum(r#""Value":1,"Dimensions":[["a","b"]]"#),
    ] {
        let text = said(&body);
        let told = text.starts_with("MalformedInput: ") && text.contains("expected a structure");
        assert!(told, "{body}: {text}");
    }
    assert!(said(&datum(r#""Value":1,"StorageResolution":1.5"#)).contains("a whole number"));
    let checked = from_json(
        r#"{"Namespace":"d","MetricData":[{"MetricName":"m","Value":1,"StorageResolution":1.0}]}"#,
    );
    assert!(checked.unwrap().entries[0].high_resolution);
}

/// *Scenario:* a form with a member that is no number, in the second datum and in that of an entity.
/// *Guarantees:* the refusal says where.
#[test]
fn a_form_says_where() {
    let seen = Seen::default();
    for (given, told) in [
        ("MetricData.member.1.MetricName=m&MetricData.member.2.Value", "MetricData.member.2.Value"),
        ("MetricData.member.1.StatisticValues.Sum", "MetricData.member.1.StatisticValues.Sum"),
        (
            "EntityMetricData.member.1.MetricData.member.1.Timestamp",
            "EntityMetricData.member.1.MetricData.member.1.Timestamp",
        ),
    ] {
        let form = format!("Action=PutMetricData&Version=2010-08-01&{given}=x");
        let read = read(&call(&seen, form.as_bytes()).unwrap(), &seen, form.as_bytes());
        let fault = read.expect_err(given);
        assert!(fault.message.starts_with(&format!("{told}: expected a ")), "{}", fault.message);
    }
}

/// *Scenario:* entities that are wrong, each in one way, in calls that are strict and not.
/// *Guarantees:* strict, nothing is kept and the error says what and where; otherwise the data is kept,
/// and AWS's word for it goes back. A wrong datum of an entity is named by both places.
#[test]
fn entities() {
    let call = |entities: &str, strict: &str| {
        format!(
            r#"{{"Namespace":"d","EntityMetricData":[{entities}],"StrictEntityValidation":{strict}}}"#
        )
    };
    let of = |entity: &str| {
        format!(r#"{{"Entity":{entity},"MetricData":[{{"MetricName":"m","Value":1}}]}}"#)
    };
    let keys = r#"{"Type":"Service","Name":"checkout"}"#;
    let with = |more: &str| of(&format!(r#"{{"KeyAttributes":{keys},"Attributes":{{{more}}}}}"#));
    let keyed = |keys: &str| of(&format!(r#"{{"KeyAttributes":{{{keys}}}}}"#));
    let attributes =
        |count: usize| (0..count).map(|n| format!(r#""a{n}":"v""#)).collect::<Vec<_>>().join(",");
    let of_length = |length| "v".repeat(length);
    let valued = |length| with(&format!(r#""a":"{}""#, of_length(length)));
    for sound in [with(""), with(&attributes(10)), valued(2_048)] {
        let (sound, checked) = (call(&sound, "true"), |body: &str| from_json(body).map(drop));
        assert_eq!(checked(&sound), Ok(()), "{sound}");
    }
    for (wrong, word, text) in [
        (of("null"), "InvalidEntity", "Entity is required"),
        (of("{}"), "InvalidKeyAttributes", "from 2 to 4 entries, it has 0"),
        (keyed(r#""Type":"Service""#), "InvalidKeyAttributes", "it has 1"),
        (keyed(r#""Type":"Service","Colour":"blue""#), "InvalidKeyAttributes", "the key Colour"),
        (
            keyed(r#""Type":"Service","Name":"""#),
            "InvalidKeyAttributes",
            "2048 characters for Name",
        ),
        (keyed(r#""Name":"a","Environment":"b""#), "MissingRequiredFields", "Type is required"),
        (with(&attributes(11)), "InvalidAttributes", "at most 10 entries"),
        (valued(2_049), "InvalidAttributes", "2048 characters for a"),
        (with(&format!(r#""{}":"v""#, of_length(257))), "InvalidAttributes", "1 to 256 characters"),
        (vec![with(""); 3].join(","), "EntitySizeTooLarge", "a size greater than 2"),
    ] {
        let said = said(&call(&wrong, "true"));
        let told = said.starts_with(&format!("InvalidParameterValue: {word}: "));
        assert!(told && said.contains(text) && said.contains("EntityMetricData"), "{said}");
        let kept = call(&wrong, "false");
        let kept = from_json(&kept).unwrap();
        assert_eq!(kept.wrong_entity, Some(word));
        assert!(!kept.entries.is_empty());
    }
    let bad = call(&with("").replace("1}", "\"NaN\"}"), "false");
    let place = "EntityMetricData.member.1.MetricData.member.1.Value";
    let text = format!("InvalidParameterValue: The value NaN for parameter {place} is invalid.");
    assert_eq!(said(&bad), text);
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
