//! Forms as SDKs send them.

use super::*;

/// *Scenario:* the request of an SDK with lists in lists, a gap, an empty list, a map, blanks.
/// *Guarantees:* the tree that the other protocols would have sent.
#[test]
fn a_form_is_a_tree() {
    let form = "Action=PutMetricData&Version=2010-08-01&Namespace=Demo%2FApp\
        &MetricData.member.2.MetricName=Second\
        &MetricData.member.1.MetricName=Late+ncy&MetricData.member.1.Dimensions.member.1.Name=Svc\
        &MetricData.member.1.Dimensions.member.1.Value=a%2Bb&MetricData.member.1.Values.member.10=2\
        &MetricData.member.1.Values.member.9=1.5&IncludeFilters=\
        &Attributes.entry.1.key=k&Attributes.entry.1.value=v";
    let value = read(form).unwrap();
    assert_eq!(value.text_of("Namespace"), Ok(Some("Demo/App")));
    let data = value.list_of("MetricData").unwrap();
    assert_eq!(data.len(), 2);
    assert_eq!(data[0].text_of("MetricName"), Ok(Some("Late ncy")));
    assert_eq!(data[1].text_of("MetricName"), Ok(Some("Second")));
    let dimensions = data[0].list_of("Dimensions").unwrap();
    assert_eq!(dimensions[0].text_of("Value"), Ok(Some("a+b")));
    let numbers: Vec<_> =
        data[0].list_of("Values").unwrap().iter().map(|v| v.as_number().unwrap()).collect();
    assert_eq!(numbers, [1.5, 2.0]);
    assert_eq!(value.list_of("IncludeFilters"), Ok(&[][..]));
    assert_eq!(value.get("Attributes").unwrap().text_of("k"), Ok(Some("v")));
}

/// *Scenario:* names without end, empty parts, bad percent-encoding, bytes that are no text.
/// *Guarantees:* a fault that names what is wrong.
#[test]
fn bad_forms() {
    let deep = format!("{}=1", vec!["a"; 1000].join("."));
    for form in [deep.as_str(), "a..b=1", "a=%4", "a=%zz", "a=%ff"] {
        assert!(read(form).is_err(), "{form}");
    }
}
