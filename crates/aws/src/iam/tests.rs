//! Verdicts, wildcards, and what is refused at reading.

use super::*;

const STREAM: &str = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a";

fn judge(policy: &str, action: &str, resource: &str) -> Verdict {
    Policy::read(policy).unwrap().judge(action, resource)
}

/// *Scenario:* allow with wildcards, deny besides, other cases of letters.
/// *Guarantees:* deny wins, silence denies, actions are compared without case, resources with.
#[test]
fn verdicts() {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["firehose:Put*","cloudwatch:*"],"Resource":"*"},
        {"Sid":"no","Effect":"Deny","Action":"firehose:PutRecordBatch",
         "Resource":["arn:aws:firehose:*:*:deliverystream/?"]}]}"#;
    assert_eq!(judge(policy, "firehose:PutRecord", STREAM), Verdict::Allowed);
    assert_eq!(judge(policy, "FIREHOSE:putrecord", STREAM), Verdict::Allowed);
    assert_eq!(judge(policy, "firehose:PutRecordBatch", STREAM), Verdict::Denied);
    let longer = format!("{STREAM}b");
    assert_eq!(judge(policy, "firehose:PutRecordBatch", &longer), Verdict::Allowed);
    assert_eq!(judge(policy, "firehose:DeleteDeliveryStream", STREAM), Verdict::NotAllowed);
    assert_eq!(judge(policy, "cloudwatch:ListMetrics", "*"), Verdict::Allowed);
    let one = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:firehose:*"}}"#;
    assert_eq!(judge(one, "firehose:PutRecord", STREAM), Verdict::Allowed);
    assert_eq!(judge(one, "firehose:PutRecord", &STREAM.to_uppercase()), Verdict::NotAllowed);
}

/// *Scenario:* what IAM knows and this reader does not, and what nobody knows.
/// *Guarantees:* refused, with the statement and the member.
#[test]
fn what_is_refused() {
    let with = |member: &str| {
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"{member}}}]}}"#)
    };
    for (policy, said) in [
        (with(r#","Condition":{}"#), "Statement[0] has Condition"),
        (with(r#","Principal":"*""#), "Statement[0] has Principal"),
        (
            r#"{"Statement":[{"Effect":"Allow","NotAction":"*","Resource":"*"}]}"#.into(),
            "NotAction",
        ),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#.into(), "lacks Resource"),
        (r#"{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}"#.into(), "Effect must"),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"Put","Resource":"*"}]}"#.into(),
            "Action \"Put\"",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"a"}]}"#.into(),
            "Resource \"a\"",
        ),
        (r#"{"Version":"2008-10-17","Statement":[]}"#.into(), "Version must"),
        ("{".into(), "EOF"),
    ] {
        let refused = Policy::read(&policy).unwrap_err();
        assert!(refused.contains(said), "{policy}: {refused}");
    }
}

/// *Scenario:* wildcards that could be tried in many ways.
/// *Guarantees:* the answer of a plain definition, at worst in time of pattern times text.
#[test]
fn wildcards() {
    for (pattern, text, fits_it) in [
        ("*", "", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*a", "ba", true),
        ("**", "x", true),
        ("", "x", false),
    ] {
        assert_eq!(fits(pattern, text), fits_it, "{pattern} {text}");
    }
    let pattern = "*a".repeat(50) + "b";
    assert!(!fits(&pattern, &"a".repeat(20_000)));
}
