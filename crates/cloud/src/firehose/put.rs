//! `PutRecord` and `PutRecordBatch`: from the JSON of the call to entries of the journal.
//!
//! Owns the limits of records, and what each is told. Always holds: base64 is decoded once, straight
//! into the body of the entry; no yes before that is durable (I1); a call whose form is wrong stores
//! nothing. A batch becomes several entries when it is large, and each can be refused by itself:
//! that is what `FailedPutCount` counts. A call of which nothing was stored is refused as a whole, so
//! that an SDK repeats it by itself.

mod read;

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use aws::api::{Fault, Shape, Value};
use bytes::Bytes;
use entry::{Encoding, Header, Kind};
use journal::{Body, Item};

use super::check::Checks;
use super::{NAME, arn, invalid, not_found, of_settings, topic};
use crate::api::{Caller, Context};

/// Records of a call.
const RECORDS_MAX: usize = 500;
/// Bytes of a record: 1,000 KiB.
const RECORD_MAX: usize = 1_024_000;
/// Bytes of all records of a call.
const BATCH_MAX: usize = 4 << 20;
/// Bytes of an entry before the next one is begun: a part of a batch can be taken when the whole
/// cannot, and an ordinary batch is still one entry.
const ENTRY_BYTES: usize = 1 << 20;
/// Bytes of the length before each record.
const LENGTH: usize = 4;
/// Random bytes of a record id: 216 characters, as long as AWS's.
const ID_WORDS: usize = 20;
/// Bytes of a record's answer: its id, and what stands around it.
const ANSWER_BYTES: usize = 236;

/// What a throttled caller is told; tools look for it.
const SLOW_DOWN: &str = "Slow down.";

/// A call as it came.
#[derive(Debug, Default)]
pub struct Put<'a> {
    stream: Option<Cow<'a, str>>,
    /// It is `PutRecordBatch`.
    batch: bool,
    /// `Record` or `Records` was there.
    given: bool,
    records: Records,
}

/// Decoded records, each with its length before it.
#[derive(Debug, Default)]
struct Records {
    body: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// Places of those without `Data`.
    without: Vec<usize>,
}

/// Entries of a call: which records, and the item.
type Entries = Vec<(Range<usize>, Item)>;

impl<'a> Put<'a> {
    /// Reads a call, `PutRecord` or `PutRecordBatch`, in JSON.
    pub fn read(operation: &str, body: &'a [u8]) -> Result<Put<'a>, Fault> {
        read::json(operation == "PutRecordBatch", body)
    }

    /// The same from a tree, for callers of another protocol.
    pub fn of(operation: &str, input: &'a Value<'_>) -> Result<Put<'a>, Fault> {
        read::tree(operation == "PutRecordBatch", input)
    }

    /// Name of the stream, as it came.
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// The limits.
    pub fn check(&self) -> Result<(), Fault> {
        let mut checks = Checks::default();
        match &self.stream {
            None => checks.missing("deliveryStreamName"),
            Some(name) => checks.text("deliveryStreamName", name, &NAME),
        }
        let count = self.records.ends.len();
        match (self.given, self.batch) {
            (false, false) => checks.missing("record"),
            (false, true) => checks.missing("records"),
            (true, true) => checks.size("records", count, 1, RECORDS_MAX),
            (true, false) => {}
        }
        let path = |index: usize| match self.batch {
            true => format!("records.{}.member.data", index + 1),
            false => "record.data".to_owned(),
        };
        for index in &self.records.without {
            checks.missing(&path(*index));
        }
        let mut start = 0;
        for (index, end) in self.records.ends.iter().enumerate() {
            let size = end - start - LENGTH;
            if size > RECORD_MAX {
                checks.size(&path(index), size, 0, RECORD_MAX);
            }
            start = *end;
        }
        checks.done()?;
        if self.records.body.len() - LENGTH * count > BATCH_MAX {
            return Err(invalid("Records size exceeds 4 MB limit"));
        }
        Ok(())
    }

    /// The entries of a call that is sound.
    pub fn entries(self, source: &str, arn: &str, now_ms: i64) -> Entries {
        let body = Bytes::from(self.records.body);
        let mut entries = Vec::new();
        let (mut first, mut start) = (0, 0);
        let ends = self.records.ends;
        for (index, end) in ends.iter().enumerate() {
            let next = ends.get(index + 1);
            if next.is_some_and(|next| next - start <= ENTRY_BYTES) {
                continue;
            }
            let part = body.slice(start..*end);
            let records = first..index + 1;
            let header = Header {
                kind: Kind::Records,
                encoding: Encoding::Identity,
                arrival_ms: now_ms,
                plain_bytes: part.len() as u64,
                records: records.len() as u32,
                source: source.to_owned(),
                source_arn: arn.to_owned(),
                request_id: String::new(),
                attributes: Vec::new(),
                lane: None,
                only: Vec::new(),
            };
            let item = Item { key: None, head: header.encode(), body: Body::Bytes(part) };
            entries.push((records, item));
            (first, start) = (index + 1, *end);
        }
        entries
    }

    /// Checks a call, keeps its records, and says which are kept.
    pub async fn store(self, context: &Context, caller: &Caller) -> Result<Shape<'static>, Fault> {
        let batch = self.batch;
        let (kept, encrypted) = self.keep(context, caller).await?;
        Ok(Shape::Members(if batch { told_batch(&kept, encrypted) } else { told(encrypted) }))
    }

    /// The same for a caller of JSON. The ids of a batch are longer than many records: they are written
    /// where they go.
    pub async fn store_json(
        self,
        context: &Context,
        caller: &Caller,
    ) -> Result<Shape<'static>, Fault> {
        if !self.batch {
            return self.store(context, caller).await;
        }
        let (kept, encrypted) = self.keep(context, caller).await?;
        Ok(Shape::Json(batch_json(&kept, encrypted)))
    }

    /// Which records are kept, and whether they are encrypted.
    async fn keep(self, context: &Context, caller: &Caller) -> Result<(Vec<bool>, bool), Fault> {
        self.check()?;
        let name = self.stream.as_deref().unwrap_or_default().to_owned();
        let (account, count) = (&caller.account, self.records.ends.len());
        let encrypted = encrypted(context, account, &name)?;
        let topic = topic(context, account, &name).ok_or_else(|| not_found(&name, account))?;
        // Opening is a look into a table but for the first record after a start.
        let Ok(topic) = context.journal.topic(&topic) else {
            return Err(slow_down());
        };
        let arn = arn(context, account, &name);
        let entries = self.entries(&context.config.source, &arn, (context.clock)());
        let mut kept = vec![false; count];
        for (records, item) in entries {
            if crate::api::store::append(&topic, item).await.is_ok() {
                kept.iter_mut().take(records.end).skip(records.start).for_each(|one| *one = true);
            }
        }
        if !kept.contains(&true) {
            return Err(slow_down());
        }
        context.counts.records(kept.iter().filter(|kept| **kept).count());
        Ok((kept, encrypted))
    }
}

/// Whether the records of a stream that exists are encrypted.
fn encrypted(context: &Context, account: &str, name: &str) -> Result<bool, Fault> {
    let now = context.registry.now();
    match now.delivery_streams.get(&crate::registry::key(account, name)) {
        Some(stream) => Ok(stream.encryption.enabled),
        None if of_settings(context, name) => Ok(false),
        None => Err(not_found(name, account)),
    }
}

fn slow_down() -> Fault {
    Fault::new("ServiceUnavailableException", 500, SLOW_DOWN)
}

fn told(encrypted: bool) -> Value<'static> {
    Value::map([
        ("RecordId", Some(Value::text(Ids::new().next_id()))),
        ("Encrypted", Some(Value::Bool(encrypted))),
    ])
}

/// The answer of a batch, of which at least one record was kept.
pub fn told_batch(kept: &[bool], encrypted: bool) -> Value<'static> {
    let mut ids = Ids::new();
    let one = |kept: &bool| match kept {
        true => Value::map([("RecordId", Some(Value::text(ids.next_id())))]),
        false => Value::map([
            ("ErrorCode", Some(Value::text("ServiceUnavailableException"))),
            ("ErrorMessage", Some(Value::text(SLOW_DOWN))),
        ]),
    };
    let answers = kept.iter().map(one).collect();
    let failed = kept.iter().filter(|kept| !**kept).count();
    Value::map([
        ("FailedPutCount", Some(Value::Int(failed as i64))),
        ("Encrypted", Some(Value::Bool(encrypted))),
        ("RequestResponses", Some(Value::List(answers))),
    ])
}

/// The same in JSON.
pub fn batch_json(kept: &[bool], encrypted: bool) -> Vec<u8> {
    let failed = kept.iter().filter(|kept| !**kept).count();
    let mut ids = Ids::new();
    let mut out = Vec::with_capacity(96 + kept.len() * ANSWER_BYTES);
    let head =
        format!("{{\"FailedPutCount\":{failed},\"Encrypted\":{encrypted},\"RequestResponses\":[");
    out.extend_from_slice(head.as_bytes());
    for (index, kept) in kept.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if *kept {
            out.extend_from_slice(b"{\"RecordId\":\"");
            ids.append(&mut out);
            out.extend_from_slice(b"\"}");
        } else {
            let told = format!(
                "{{\"ErrorCode\":\"ServiceUnavailableException\",\"ErrorMessage\":\"{SLOW_DOWN}\"}}"
            );
            out.extend_from_slice(told.as_bytes());
        }
    }
    out.extend_from_slice(b"]}");
    out
}

/// Ids of records: long, opaque, each another one.
struct Ids(u64);

impl Ids {
    fn new() -> Ids {
        // The standard library seeds each hasher from the operating system.
        Ids(RandomState::new().build_hasher().finish())
    }

    fn next_id(&mut self) -> String {
        let mut text = Vec::with_capacity(ANSWER_BYTES);
        self.append(&mut text);
        String::from_utf8(text).expect("base64 is ASCII")
    }

    fn append(&mut self, out: &mut Vec<u8>) {
        let mut bytes = [0; ID_WORDS * 8];
        for word in bytes.as_chunks_mut::<8>().0 {
            *word = self.word().to_le_bytes();
        }
        codec::base64::encode_into(&bytes, out);
    }

    /// The generator splitmix64: one step, and its bits well mixed.
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
