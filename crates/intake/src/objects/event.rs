//! What a message of the queue tells: objects that were written.
//!
//! Owns the three ways S3 tells a queue (directly, through SNS, through EventBridge) and the spelling
//! of keys in each: an event of S3 has its keys encoded as in a form (`+` and `%XX`), one of
//! EventBridge has them as they are. Pure. Not here: what is done about it.

use serde_json::Value;

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Version, in a bucket with versions.
    pub version: Option<String>,
    /// Entity tag, without quotes.
    pub etag: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Orders events of one key; see [`is_newer`].
    pub sequencer: Option<String>,
}

impl Created {
    /// What the console makes for a folder: a name, and nothing in it.
    pub fn is_folder(&self) -> bool {
        self.key.ends_with('/') && self.size == Some(0)
    }
}

/// What a message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Objects, perhaps none.
    Objects {
        /// Those that were written.
        created: Vec<Created>,
        /// How many other things it tells of: removals, restores.
        ignored: u64,
    },
    /// `s3:TestEvent`, which S3 sends when a notification is set up.
    Test,
    /// None of this; why, for a person.
    Unknown(String),
}

/// Begins the names of events that tell of an object that was written.
const CREATED: &str = "ObjectCreated:";
/// Envelopes within each other: an SNS notification of an EventBridge event is two.
const DEPTH_MAX: usize = 4;

/// Reads the body of a message.
pub fn parse(body: &str) -> Notice {
    parse_at(body, 0)
}

/// True when `one` is of a later event than `other`: hexadecimal numbers of any length (AWS: pad
/// the shorter with zeros on the left and compare).
pub fn is_newer(one: &str, other: &str) -> bool {
    order_of(one) > order_of(other)
}

/// What sequencers are ordered by.
pub(crate) fn order_of(sequencer: &str) -> (usize, String) {
    let plain = sequencer.trim_start_matches('0').to_ascii_uppercase();
    (plain.len(), plain)
}

fn parse_at(body: &str, depth: usize) -> Notice {
    let value = match serde_json::from_str::<Value>(body.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(error) => return Notice::Unknown(format!("not JSON: {error}")),
    };
    if value.get("Type").and_then(Value::as_str) == Some("Notification")
        && let Some(message) = value.get("Message").and_then(Value::as_str)
    {
        if depth == DEPTH_MAX {
            return Notice::Unknown("too many SNS envelopes within each other".to_owned());
        }
        return parse_at(message, depth + 1);
    }
    notice(&value)
}

fn notice(value: &Value) -> Notice {
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Notice::Test;
    }
    if let Some(records) = value.get("Records").and_then(Value::as_array) {
        return s3_records(records);
    }
    if value.get("source").and_then(Value::as_str) == Some("aws.s3") {
        return event_bridge(value);
    }
    let keys = value.as_object().map(|object| {
        let keys: Vec<&str> = object.keys().map(String::as_str).take(8).collect();
        format!("a JSON object with the keys {}", keys.join(", "))
    });
    Notice::Unknown(keys.unwrap_or_else(|| "JSON, but no object".to_owned()))
}

/// `Records` of an S3 event, any of its versions.
fn s3_records(records: &[Value]) -> Notice {
    let (mut created, mut ignored) = (Vec::new(), 0);
    for record in records {
        // What people write by hand names an object and nothing else; S3 itself always says more.
        let source = record.get("eventSource").and_then(Value::as_str);
        let source = source.or_else(|| record.get("s3").map(|_| "aws:s3")).unwrap_or_default();
        if !source.ends_with(":s3") {
            return Notice::Unknown(format!("records of {source:?}, not of aws:s3"));
        }
        let name = record.get("eventName").and_then(Value::as_str).unwrap_or(CREATED);
        if !name.strip_prefix("s3:").unwrap_or(name).starts_with(CREATED) {
            ignored += 1;
            continue;
        }
        let object = record.pointer("/s3/object").unwrap_or(&Value::Null);
        let bucket = record.pointer("/s3/bucket/name").and_then(Value::as_str);
        let key = object.get("key").and_then(Value::as_str);
        let (Some(bucket), Some(key)) = (bucket, key) else {
            return Notice::Unknown("an S3 record without a bucket name or a key".to_owned());
        };
        let Some(key) = decode(key) else {
            return Notice::Unknown(format!("the key {key:?} is not URL-encoded UTF-8"));
        };
        created.push(described(bucket, key, object, "versionId", "eTag"));
    }
    Notice::Objects { created, ignored }
}

fn event_bridge(value: &Value) -> Notice {
    let kind = value.get("detail-type").and_then(Value::as_str).unwrap_or_default();
    if kind != "Object Created" {
        return Notice::Objects { created: Vec::new(), ignored: 1 };
    }
    let object = value.pointer("/detail/object").unwrap_or(&Value::Null);
    let bucket = value.pointer("/detail/bucket/name").and_then(Value::as_str);
    let key = object.get("key").and_then(Value::as_str);
    let (Some(bucket), Some(key)) = (bucket, key) else {
        return Notice::Unknown("an EventBridge event without a bucket name or a key".to_owned());
    };
    let created = vec![described(bucket, key.to_owned(), object, "version-id", "etag")];
    Notice::Objects { created, ignored: 0 }
}

fn described(bucket: &str, key: String, object: &Value, version: &str, etag: &str) -> Created {
    let text = |name: &str| {
        let text = object.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Created {
        bucket: bucket.to_owned(),
        key,
        // "null" is the version of objects from before a bucket had versions; it may be asked for.
        version: text(version),
        etag: text(etag).map(|etag| etag.trim_matches('"').to_owned()),
        size: object.get("size").and_then(Value::as_u64),
        sequencer: text("sequencer"),
    }
}

/// Undoes the encoding of a form; `None` when the result is not UTF-8 or an escape is cut.
fn decode(key: &str) -> Option<String> {
    let mut out = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>()?;
                let digits = std::str::from_utf8(digits).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = tail;
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests;
