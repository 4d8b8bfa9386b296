use super::*;

fn kind(event: &str) -> String {
    match tell(event.as_bytes()) {
        Ok(Event::Transform) => "transform".to_owned(),
        Ok(Event::Queue(messages)) => {
            messages.iter().map(|m| format!("{}={} ", m.id, m.body)).collect()
        }
        Ok(Event::Notifications(texts)) => texts.join("|"),
        Ok(Event::Backfill(asked)) => format!("{asked:?}"),
        Err(fault) => fault.message,
    }
}

/// *Scenario:* one event of each shape.
/// *Guarantees:* each is told from the others; texts that tell of objects come out as they are.
#[test]
fn events_are_told_apart() {
    assert_eq!(kind(r#"{"records":[],"deliveryStreamArn":"a"}"#), "transform");
    let s3 = r#"{"Records":[{"eventSource":"aws:s3","s3":{}}]}"#;
    assert_eq!(kind(s3), s3);
    let by_hand = r#"{"Records":[{"s3":{}}]}"#;
    assert_eq!(kind(by_hand), by_hand);
    let sqs = r#"{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"a"},
        {"eventSource":"aws:sqs","messageId":"2","body":"\u00e4"}]}"#;
    assert_eq!(kind(sqs), "1=a 2=\u{e4} ");
    let sns = r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"x"}},
        {"EventSource":"aws:sns","Sns":{"Message":"y"}}]}"#;
    assert_eq!(kind(sns), "x|y");
    let bridge = r#"{"detail-type":"Object Created","source":"aws.s3","detail":{}}"#;
    assert_eq!(kind(bridge), bridge);
    assert!(kind(r#"{"prefix":"p","start_after":"k"}"#).contains(r#"prefix: Some("p")"#));
    assert_eq!(kind(" { } "), format!("{:?}", Backfill::default()));
    assert!(kind("{\"a\":1}").contains("its members are a"));
    assert!(kind("7").contains("invalid type"));
}
