//! What delivery streams deliver to: an endpoint that speaks Firehose's protocol, a bucket, and the
//! sums in what metric streams send.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metric::{Decoder, Point, Reject, Visit};
use serde_json::Value;
use testkit::{Peer, Received, Reply};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver of Firehose's protocol that keeps the records it said yes to.
pub(crate) struct Endpoint {
    pub(crate) peer: Peer,
    records: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Endpoint {
    /// One that is well.
    pub(crate) fn start() -> Endpoint {
        let records: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        Endpoint { peer: Peer::scripted(well(&records)), records }
    }

    /// It answers like this from now on.
    pub(crate) fn ill(&self, reply: Reply) {
        self.peer.set(reply);
    }

    /// It is well again.
    pub(crate) fn heal(&self) {
        self.peer.set_script(well(&self.records));
    }

    pub(crate) fn url(&self) -> String {
        self.peer.url("/ingest")
    }

    /// The records so far.
    pub(crate) fn records(&self) -> Vec<Vec<u8>> {
        locked(&self.records).clone()
    }

    /// The same as texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.records().iter().map(|data| String::from_utf8_lossy(data).into_owned()).collect()
    }

    /// What metric streams sent.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.records().iter().for_each(|record| sums.enter(record));
        sums
    }

    /// Request ids in the order they came, repeated ones too.
    pub(crate) fn ids(&self) -> Vec<String> {
        let id =
            |request: &Received| request.header("x-amz-firehose-request-id").map(str::to_owned);
        self.peer.requests().iter().filter_map(id).collect()
    }
}

/// Says yes as the protocol wants it.
fn well(records: &Arc<Mutex<Vec<Vec<u8>>>>) -> impl FnMut(&Received) -> Reply + Send + 'static {
    let records = Arc::clone(records);
    move |request| {
        let (id, new) = read(request);
        locked(&records).extend(new);
        yes(&id)
    }
}

/// The yes to a request.
pub(crate) fn yes(id: &str) -> Reply {
    Reply::json(200, &format!("{{\"requestId\":\"{id}\",\"timestamp\":1795176000123}}"))
}

/// Request id and records of a delivery.
pub(crate) fn read(request: &Received) -> (String, Vec<Vec<u8>>) {
    let mut plain = Vec::new();
    let body = match request.header("content-encoding") {
        Some("gzip") => {
            codec::gzip::Inflater::new().gunzip(&request.body, &mut plain, 1 << 26).unwrap();
            &plain
        }
        _ => &request.body,
    };
    let body: Value = serde_json::from_slice(body).expect("a delivery is JSON");
    let id = body["requestId"].as_str().expect("it has an id").to_owned();
    assert_eq!(request.header("x-amz-firehose-request-id"), Some(id.as_str()));
    let data = |record: &Value| {
        let mut data = Vec::new();
        let text = record["data"].as_str().expect("a record has data");
        codec::base64::decode_into(text.as_bytes(), &mut data).expect("in base64");
        data
    };
    (id, body["records"].as_array().expect("it has records").iter().map(data).collect())
}

/// An S3 of one test: it keeps what it is given, or refuses.
pub(crate) struct Bucket {
    pub(crate) peer: Peer,
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Bucket {
    pub(crate) fn start() -> Bucket {
        let bucket = Bucket { peer: Peer::start(Reply::status(503)), objects: Arc::default() };
        bucket.heal();
        bucket
    }

    pub(crate) fn refuse(&self) {
        let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        self.peer.set(Reply::body(403, "application/xml", body));
    }

    pub(crate) fn heal(&self) {
        let objects = Arc::clone(&self.objects);
        self.peer.set_script(move |request| {
            if request.method != "PUT" {
                return Reply::status(404);
            }
            let path = request.target.split('?').next().unwrap_or_default().to_owned();
            locked(&objects).insert(path, request.body.clone());
            Reply::status(200).with("ETag", "\"0123\"")
        });
    }

    /// `/bucket/key` and content, so far.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.objects).clone()
    }

    /// The variables that make a process call it.
    pub(crate) fn environment() -> [(&'static str, &'static str); 3] {
        [
            ("AWS_ACCESS_KEY_ID", "AKIDOFTHEBUCKET"),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-the-bucket"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }
}

/// Name, all else that tells a series apart, and the start of a set.
pub(crate) type Series = (String, String, i64);

/// Count, sum, minimum and maximum of each.
pub(crate) type Sets = BTreeMap<Series, [f64; 4]>;

/// Count, sum, minimum and maximum, with what they belong to; of several the one that counts most,
/// since a correction always does.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) sets: Sets,
    /// Every set that came, in order.
    pub(crate) all: Vec<(Series, [f64; 4])>,
}

impl Sums {
    /// Reads one record, of any format.
    pub(crate) fn enter(&mut self, record: &[u8]) {
        Decoder::new().decode(record, self);
    }

    /// Reads the lines of a file destination.
    pub(crate) fn of_file(path: &Path) -> Sums {
        let mut sums = Sums::default();
        // A line that is being written is read the next time.
        let whole = std::fs::read(path).unwrap_or_default();
        let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if end > 0 {
            sums.enter(&whole[..end]);
        }
        sums
    }
}

impl Visit for Sums {
    fn point(&mut self, point: &Point<'_>) {
        let text = |bytes: &[u8]| metric::text(bytes).to_owned();
        let mut dimensions: Vec<String> = point
            .dimensions
            .iter()
            .map(|(name, value)| format!("{}={}", text(name), text(value)))
            .collect();
        dimensions.sort();
        let about = format!(
            "{} {} {} {} {}",
            text(point.account),
            text(point.region),
            text(point.namespace),
            text(point.unit.cloudwatch()),
            dimensions.join(",")
        );
        let series = (text(point.name), about, point.instant_ms());
        let set = [
            point.count,
            point.sum.unwrap_or(f64::NAN),
            point.min.unwrap_or(f64::NAN),
            point.max.unwrap_or(f64::NAN),
        ];
        self.all.push((series.clone(), set));
        let best = self.sets.entry(series).or_insert(set);
        if set[0] >= best[0] {
            *best = set;
        }
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("what is sent can be decoded: {reject:?}");
    }
}
