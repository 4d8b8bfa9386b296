//! Records put: their limits at the edges, what is kept of them, a journal that is full.

use journal::{EntryBody, Start};
use proptest::prelude::*;

use super::*;
use crate::api::Caller;
use crate::firehose::{put, topic};

/// Bytes of a record at most.
const RECORD_MAX: usize = 1_024_000;

fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    codec::base64::encode_into(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

fn batch(records: &[Vec<u8>]) -> Json {
    let records: Vec<Json> = records.iter().map(|one| json!({"Data": base64(one)})).collect();
    json!({"DeliveryStreamName": "s", "Records": records})
}

/// All records of a topic, with how many entries they came in and the head of the last.
fn kept(desk: &Desk, account: &str, name: &str) -> (Vec<Vec<u8>>, usize, Option<entry::Header>) {
    let topic = desk.context.journal.topic(&topic(&desk.context, account, name).unwrap()).unwrap();
    let mut cursor = topic.cursor("test", Start::Oldest).unwrap();
    let (mut records, mut entries, mut last) = (Vec::new(), 0, None);
    let mut at = cursor.low().sequence;
    while let Some(found) = cursor.read(at).unwrap() {
        let EntryBody::Bytes(bytes) = found.body else { panic!("a small body") };
        records.extend(entry::records::each(&bytes).map(|one| one.unwrap().to_vec()));
        last = Some(entry::Header::decode(&found.head).unwrap());
        assert_eq!(last.as_ref().unwrap().plain_bytes, bytes.len() as u64);
        entries += 1;
        at = found.sequence + 1;
    }
    cursor.sync().unwrap();
    (records, entries, last)
}

/// *Scenario:* one record, an empty one, a batch, escapes in base64, members nobody knows, to
/// streams of the API and of the settings, and the same name in two accounts.
/// *Guarantees:* the bytes are in the topic of that stream and account, in order, with their head.
#[test]
fn what_is_kept() {
    let folder = testkit::TempDir::new("firehose-kept");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_endpoint("s"));
    let one = json!({"DeliveryStreamName": "s", "Record": {"Data": base64(b"one")}});
    let told = desk.done("PutRecord", &one);
    assert_eq!(told["RecordId"].as_str().unwrap().len(), 216);
    assert_eq!(told["Encrypted"], json!(false));
    let told = desk.done("PutRecordBatch", &batch(&[b"two".to_vec(), Vec::new()]));
    assert_eq!(told["FailedPutCount"], json!(0));
    let ids = told["RequestResponses"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0]["RecordId"], ids[1]["RecordId"]);
    let escaped =
        r#"{"X":[{}],"Records":[{"Data":"\/\u002f\/\/","Y":null}],"DeliveryStreamName":"s"}"#;
    assert_eq!(desk.ask_text("PutRecordBatch", escaped).0, 200);
    let (records, entries, header) = kept(&desk, ACCOUNT, "s");
    assert_eq!(records, [b"one".to_vec(), b"two".to_vec(), Vec::new(), vec![0xff; 3]]);
    assert_eq!(entries, 3);
    let header = header.unwrap();
    assert_eq!((header.kind, header.records, header.arrival_ms), (entry::Kind::Records, 1, NOW));
    assert_eq!(header.source_arn, "arn:aws:firehose:us-east-1:111122223333:deliverystream/s");
    assert_eq!(header.source, "cloud");
    let one = with(one, "/DeliveryStreamName", json!("of-settings"));
    desk.done("PutRecord", &one);
    let topic = |account, name| topic(&desk.context, account, name);
    let of_settings = Some("cloud.of-settings".to_owned());
    assert_eq!(topic(ACCOUNT, "of-settings"), of_settings);
    assert_eq!(kept(&desk, ACCOUNT, "of-settings").0, [b"one"]);
    assert_eq!(topic(ACCOUNT, "s"), Some("cloud.111122223333~s".to_owned()));
    assert_eq!(topic("2", "of-settings"), of_settings);
    assert_eq!(topic("2", "s"), None);
    let first = || desk.context.registry.now().delivery_streams["111122223333/s"].first;
    assert_eq!(first(), 0);
    desk.done("DeleteDeliveryStream", &json!({"DeliveryStreamName": "s"}));
    desk.done("CreateDeliveryStream", &to_bucket("s"));
    assert_eq!(first(), 3, "what was put before is not its own");
}

/// *Scenario:* 500 and 501 records; a record of 1,000 KiB and of a byte more; 4 MiB and a byte more;
/// no records; records and calls that lack their members.
/// *Guarantees:* the edge is taken, what is beyond it is refused with AWS's words and keeps nothing.
#[test]
fn limits_at_the_edges() {
    let folder = testkit::TempDir::new("firehose-limits");
    let options = Options { segment_bytes: 16 << 20, ..Options::default() };
    let desk = Desk::with(folder.path(), |_| {}, options);
    desk.done("CreateDeliveryStream", &to_endpoint("s"));
    let refused = |records: &[Vec<u8>]| desk.refused("PutRecordBatch", &batch(records));
    let validation = |text: &str| {
        let text = format!("1 validation error detected: Value at {text}");
        ("ValidationException".to_owned(), text)
    };
    assert_eq!(
        refused(&vec![Vec::new(); 501]),
        validation(
            "'records' failed to satisfy constraint: Member must have length less than or equal \
             to 500"
        )
    );
    assert_eq!(
        refused(&[]),
        validation(
            "'records' failed to satisfy constraint: Member must have length greater than or \
             equal to 1"
        )
    );
    assert_eq!(
        refused(&[Vec::new(), vec![7; RECORD_MAX + 1]]),
        validation(
            "'records.2.member.data' failed to satisfy constraint: Member must have length less \
             than or equal to 1024000"
        )
    );
    let whole = |last: usize| {
        let mut records = vec![vec![7; RECORD_MAX]; 4];
        records.push(vec![7; last]);
        records
    };
    let rest = (4 << 20) - 4 * RECORD_MAX;
    assert_eq!(
        refused(&whole(rest + 1)),
        ("InvalidArgumentException".to_owned(), "Records size exceeds 4 MB limit".to_owned())
    );
    assert_eq!(kept(&desk, ACCOUNT, "s").1, 0);
    desk.done("PutRecordBatch", &batch(&whole(rest)));
    desk.done("PutRecordBatch", &batch(&vec![Vec::new(); 500]));
    let (records, entries, _) = kept(&desk, ACCOUNT, "s");
    assert_eq!((records.len(), entries), (505, 6));
    assert_eq!(records[..5], whole(rest));
    for (operation, text, said) in [
        ("PutRecord", r#"{"DeliveryStreamName":"s"}"#, "'record' failed"),
        ("PutRecord", r#"{"DeliveryStreamName":"s","Record":null}"#, "'record' failed"),
        ("PutRecord", r#"{"DeliveryStreamName":"s","Record":{}}"#, "'record.data' failed"),
        ("PutRecord", r#"{"Record":{"Data":""}}"#, "'deliveryStreamName' failed"),
        ("PutRecordBatch", "", "2 validation errors detected"),
        (
            "PutRecordBatch",
            r#"{"DeliveryStreamName":"s","Records":[{"Data":""},{"Data":null}]}"#,
            "'records.2.member.data' failed",
        ),
    ] {
        let (status, told) = desk.ask_text(operation, text);
        assert_eq!((status, &told["__type"]), (400, &json!("ValidationException")), "{told}");
        assert!(told["message"].as_str().unwrap().contains(said), "{told}");
    }
}

/// *Scenario:* what is no JSON, no base64, no text; records that come twice; an unknown stream.
/// *Guarantees:* a serialization fault, or AWS's not found; never 500, and nothing is kept.
#[test]
fn what_is_no_call() {
    let folder = testkit::TempDir::new("firehose-no-call");
    let desk = Desk::open(folder.path());
    desk.done("CreateDeliveryStream", &to_endpoint("s"));
    for text in [
        "{",
        "[]",
        r#"{"DeliveryStreamName":"s","Records":[{"Data":"aGk"}]}"#,
        r#"{"DeliveryStreamName":"s","Records":[{"Data":"aGk="},{"Data":"a-_="}]}"#,
        r#"{"DeliveryStreamName":"s","Records":[{"Data":7}]}"#,
        r#"{"DeliveryStreamName":"s","Records":[{"Data":"","Data":""}]}"#,
        r#"{"DeliveryStreamName":"s","Records":[{"Data":""}],"Records":[{"Data":""}]}"#,
        r#"{"DeliveryStreamName":"s","Records":{"Data":""}}"#,
        r#"{"DeliveryStreamName":"s","Records":[{"Data":""}]} x"#,
        r#"{"DeliveryStreamName":3,"Records":[{"Data":""}]}"#,
    ] {
        let (status, told) = desk.ask_text("PutRecordBatch", text);
        assert_eq!((status, &told["__type"]), (400, &json!("SerializationException")), "{text}");
    }
    assert_eq!(kept(&desk, ACCOUNT, "s").1, 0);
    let other = json!({"DeliveryStreamName": "t", "Record": {"Data": ""}});
    assert_eq!(
        desk.refused("PutRecord", &other),
        (
            "ResourceNotFoundException".to_owned(),
            "Firehose t under account 111122223333 not found.".to_owned()
        )
    );
}

/// *Scenario:* a journal with room for a part of a batch, then for nothing.
/// *Guarantees:* the answer says which records are kept, and these are; a call of which nothing is
/// kept is refused as a whole, with the status on which SDKs try again.
#[test]
fn a_journal_that_is_full() {
    let folder = testkit::TempDir::new("firehose-full");
    let options = Options { segment_bytes: 1 << 20, topic_bytes: 5 << 19, ..Options::default() };
    let desk = Desk::with(folder.path(), |_| {}, options);
    desk.done("CreateDeliveryStream", &to_endpoint("s"));
    // Entries are freed unless a cursor wants them.
    let topic = desk.context.journal.topic(&topic(&desk.context, ACCOUNT, "s").unwrap()).unwrap();
    drop(topic.cursor("test", Start::Oldest).unwrap());
    let records: Vec<Vec<u8>> = (0..4).map(|n| vec![n; 900_000]).collect();
    let told = desk.done("PutRecordBatch", &batch(&records));
    let answers = told["RequestResponses"].as_array().unwrap();
    let failed = answers.iter().filter(|one| one.get("ErrorCode").is_some()).count();
    assert!((1..4).contains(&failed), "{failed}");
    assert_eq!(told["FailedPutCount"], json!(failed));
    let mut expected = Vec::new();
    for (answer, record) in answers.iter().zip(&records) {
        match answer.get("ErrorCode") {
            None => expected.push(record.clone()),
            Some(code) => {
                assert_eq!(code, "ServiceUnavailableException");
                assert_eq!(answer["ErrorMessage"], "Slow down.");
                assert!(answer.get("RecordId").is_none());
            }
        }
    }
    assert_eq!(kept(&desk, ACCOUNT, "s").0, expected);
    for (operation, input) in [
        ("PutRecordBatch", batch(&records[..2])),
        ("PutRecord", json!({"DeliveryStreamName": "s", "Record": {"Data": base64(&records[0])}})),
    ] {
        let (status, told) = desk.ask(operation, &input);
        assert_eq!(status, 500, "{told}");
        assert_eq!(told, json!({"__type": "ServiceUnavailableException", "message": "Slow down."}));
    }
}

/// *Scenario:* the same call read from its JSON and from a tree.
/// *Guarantees:* both give the same entries.
#[test]
fn in_another_protocol() {
    let records: Vec<Vec<u8>> = (0..9_u8).map(|n| vec![n; usize::from(n)]).collect();
    let text = batch(&records).to_string();
    let json = put::Put::read("PutRecordBatch", text.as_bytes()).unwrap();
    let tree = aws::api::Value::map([
        ("DeliveryStreamName", Some(aws::api::Value::text("s"))),
        (
            "Records",
            Some(aws::api::Value::List(
                records
                    .iter()
                    .map(|one| {
                        let data = aws::api::Value::Blob(one.as_slice().into());
                        aws::api::Value::map([("Data", Some(data))])
                    })
                    .collect(),
            )),
        ),
    ]);
    let tree = put::Put::of("PutRecordBatch", &tree).unwrap();
    assert_eq!(tree.stream(), Some("s"));
    let bytes = |put: put::Put<'_>| {
        let entries = put.entries("cloud", "arn", NOW);
        let body = |(records, item): (std::ops::Range<usize>, journal::Item)| match item.body {
            journal::Body::Bytes(bytes) => (records, item.head, bytes),
            journal::Body::Side(_) => panic!("bodies are in memory"),
        };
        entries.into_iter().map(body).collect::<Vec<_>>()
    };
    assert_eq!(bytes(json), bytes(tree));
}

/// *Scenario:* batches kept whole, and in part.
/// *Guarantees:* the answer that is written without a tree says of each record what became of it, in
/// the members that SDKs read; no id comes twice.
#[test]
fn written_where_it_goes() {
    for (kept, encrypted) in
        [(vec![true], true), (vec![true, false, true], false), (vec![false, true], true)]
    {
        let text = put::batch_json(&kept, encrypted);
        let told: Json = serde_json::from_slice(&text).unwrap();
        assert_eq!(told["FailedPutCount"], kept.iter().filter(|kept| !**kept).count());
        assert_eq!(told["Encrypted"], encrypted);
        let answers = told["RequestResponses"].as_array().unwrap();
        let mut ids: Vec<&str> = answers.iter().filter_map(|a| a["RecordId"].as_str()).collect();
        assert!(ids.iter().all(|id| id.len() == 216), "{ids:?}");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), kept.iter().filter(|kept| **kept).count());
        for (answer, kept) in answers.iter().zip(&kept) {
            let refused = serde_json::json!({
                "ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."
            });
            assert!(*kept || *answer == refused, "{answer}");
        }
        assert_eq!(answers.len(), kept.len());
    }
}

/// *Scenario:* a key whose policy allows records to one stream only.
/// *Guarantees:* records to another are refused as AWS refuses them, though no tree was built.
#[test]
fn what_a_policy_forbids() {
    let folder = testkit::TempDir::new("firehose-policy");
    let policy = r#"{"Statement":{"Effect":"Allow","Action":"firehose:Put*",
        "Resource":"arn:aws:firehose:us-east-1:111122223333:deliverystream/mine"}}"#;
    let policy = aws::iam::Policy::read(policy).unwrap();
    let options = Options { segment_bytes: 1 << 20, ..Options::default() };
    let set = |config: &mut Config| {
        config.credentials[0].access_key_id = String::new();
        config.credentials[0].policy = Some(policy);
    };
    // An unsigned caller has no key id: that key's policy is its own.
    let desk = Desk::with(folder.path(), set, options);
    let caller =
        Caller { account: ACCOUNT.to_owned(), access_key_id: String::new(), arn: String::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for name in ["mine", "other"] {
        let create = aws::api::Value::map([
            ("DeliveryStreamName", Some(aws::api::Value::text(name))),
            (
                "S3DestinationConfiguration",
                Some(aws::api::Value::map([
                    ("RoleARN", Some(aws::api::Value::text(ROLE))),
                    ("BucketARN", Some(aws::api::Value::text(BUCKET))),
                ])),
            ),
        ]);
        let made = crate::firehose::call(&desk.context, &caller, "CreateDeliveryStream", &create);
        runtime.block_on(made).unwrap().unwrap();
    }
    let put = |name: &str| {
        desk.ask("PutRecord", &json!({"DeliveryStreamName": name, "Record": {"Data": ""}}))
    };
    assert_eq!(put("mine").0, 200);
    let (_, told) = put("other");
    assert_eq!(told["__type"], "AccessDeniedException", "{told}");
    assert!(told["message"].as_str().unwrap().contains("firehose:PutRecord on resource"), "{told}");
}

proptest! {
    /// *Scenario:* any bytes as a call, and sound calls with bytes changed.
    /// *Guarantees:* a call or a fault, never a panic; what is read goes through checks and entries,
    /// and every record that counts is in one of them.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut call = batch(&[b"one".to_vec(), Vec::new(), vec![7; 50]]).to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(call.len());
            call[at] = byte;
        }
        for operation in ["PutRecord", "PutRecordBatch"] {
            for text in [&bytes, &call] {
                let Ok(put) = put::Put::read(operation, text) else { continue };
                if put.check().is_err() {
                    continue;
                }
                for (records, item) in put.entries("cloud", "arn", NOW) {
                    let journal::Body::Bytes(body) = item.body else { panic!("in memory") };
                    let found = entry::records::each(&body).filter(Result::is_ok).count();
                    prop_assert_eq!(found, records.len());
                }
            }
        }
    }
}
