//! S3 and a destination as scripted peers, and events that name objects.

use std::collections::BTreeMap;

use metric::{Decoder, Point, Reject, Visit};
use serde_json::{Value, json};
use testkit::{Peer, Received, Reply};

/// The bucket of every event.
pub(crate) const BUCKET: &str = "metrics";

/// A bucket with these objects, by key. What is not there is 404; a key that begins with `denied`, and
/// a version asked for by its id, is 403.
pub(crate) fn bucket(objects: Vec<(String, Vec<u8>)>) -> Peer {
    bucket_busy(objects, 0)
}

/// The same, but so often too busy for the second page of a listing.
pub(crate) fn bucket_busy(
    objects: impl IntoIterator<Item = (String, Vec<u8>)>,
    mut busy: u32,
) -> Peer {
    let objects: BTreeMap<String, Vec<u8>> = objects.into_iter().collect();
    Peer::scripted(move |request| {
        if request.method == "PUT" {
            let denied = request.target.starts_with("/denied");
            return if denied {
                error(403, "AccessDenied", "Access Denied")
            } else {
                Reply::status(200).with("x-amz-request-id", "R").with("ETag", "\"e\"")
            };
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let Some(key) = path.strip_prefix(&format!("/{BUCKET}")) else { return Reply::status(400) };
        let key = key.trim_start_matches('/');
        if key.is_empty() {
            if busy > 0 && query.contains("continuation-token") {
                busy -= 1;
                return error(503, "SlowDown", "Please reduce your request rate.");
            }
            return page(&objects, query);
        }
        if key.starts_with("denied") || query.contains("versionId=") {
            return error(403, "AccessDenied", "Access Denied");
        }
        match objects.get(&decoded(key)) {
            None => error(404, "NoSuchKey", "The specified key does not exist."),
            Some(bytes) => Reply::body(200, "application/octet-stream", bytes.clone())
                .with("ETag", &format!("\"{:x}\"", bytes.len())),
        }
    })
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>R</RequestId></Error>"
    );
    Reply::body(status, "application/xml", body)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A page of two keys.
fn page(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> Reply {
    let asked = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.map(decoded).unwrap_or_default()
    };
    let (prefix, token, after) =
        (asked("prefix"), asked("continuation-token"), asked("start-after"));
    let after = if token.is_empty() { after } else { token };
    let mut found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let listed: Vec<_> = found.by_ref().take(2).collect();
    let more = found.next().is_some();
    let contents: String = listed
        .iter()
        .map(|(key, bytes)| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified>\
                 <ETag>&quot;{1:x}&quot;</ETag><Size>{1}</Size></Contents>",
                key.replace(' ', "%20"),
                bytes.len()
            )
        })
        .collect();
    let next = listed.last().filter(|_| more);
    let next = next.map_or_else(String::new, |(key, _)| {
        format!("<NextContinuationToken>{key}</NextContinuationToken>")
    });
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{BUCKET}</Name>\
         <EncodingType>url</EncodingType><IsTruncated>{more}</IsTruncated>{next}{contents}\
         </ListBucketResult>"
    );
    Reply::body(200, "application/xml", body)
}

/// What S3 sends of one object that was written.
pub(crate) fn notification(key: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": BUCKET }, "object": { "key": key, "size": 1 } },
    }]})
}

/// What EventBridge sends of it.
pub(crate) fn event_bridge(key: &str) -> Value {
    json!({
        "version": "0", "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": BUCKET }, "object": { "key": key, "size": 1 } },
    })
}

/// A batch of a queue.
pub(crate) fn batch(bodies: &[(&str, String)]) -> String {
    let records: Vec<Value> = bodies
        .iter()
        .map(|(id, body)| {
            json!({
                "messageId": id, "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
                "attributes": { "ApproximateReceiveCount": "1" },
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

/// Lines of CloudWatch's JSON: points of that metric with the numbers `from..to` as dimension.
pub(crate) fn lines(metric: &str, from: u32, to: u32) -> Vec<u8> {
    let line = |number| {
        format!(
            "{{\"metric_stream_name\":\"s\",\"account_id\":\"111122223333\",\"region\":\"eu-west-1\",\
             \"namespace\":\"AWS/EC2\",\"metric_name\":\"{metric}\",\"dimensions\":\
             {{\"InstanceId\":\"i-{number}\"}},\"timestamp\":1795178040000,\"value\":{{\"max\":3.0,\
             \"min\":1.0,\"sum\":4.0,\"count\":2.0,\"p99\":2.5}},\"unit\":\"Bytes\"}}\n"
        )
    };
    (from..to).map(line).collect::<String>().into_bytes()
}

/// Metric and instance of every point in requests of OTLP in protobuf, sorted.
pub(crate) fn delivered(requests: &[Received]) -> Vec<String> {
    #[derive(Default)]
    struct Names(Vec<String>);
    impl Visit for Names {
        fn point(&mut self, point: &Point<'_>) {
            let instance = point.dimensions.first().map_or(&b""[..], |(_, value)| value);
            self.0.push(format!("{} {}", metric::text(point.name), metric::text(instance)));
        }

        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{}", reject.detail);
        }
    }
    let mut names = Names::default();
    for request in requests {
        // A request is a message of the record format without its length.
        let mut framed = Vec::new();
        metric::wire::put_varint(request.body.len() as u64, &mut framed);
        framed.extend_from_slice(&request.body);
        Decoder::new().decode(&framed, &mut names);
    }
    names.0.sort();
    names.0
}

/// What [`delivered`] says of these.
pub(crate) fn expected(points: &[(&str, u32, u32)]) -> Vec<String> {
    let each = |(metric, from, to): &(&str, u32, u32)| {
        let metric = (*metric).to_owned();
        (*from..*to).map(move |number| format!("{metric} i-{number}"))
    };
    let mut all: Vec<String> = points.iter().flat_map(each).collect();
    all.sort();
    all
}
