//! A folder, an uploader and a scripted S3: down, denied, slow, lying; killed at the worst instant.

use std::sync::mpsc::sync_channel;
use std::time::Instant;

use codec::container::{Container, decompress};
use journal::Position;
use remote::aws::{IdentityConfig, Variables};
use remote::{ClientConfig, TlsConfig};
use testkit::{Peer, Received, Reply, TempDir};

use super::*;
use crate::backup::Backup;
use crate::config::Buffering;

/// 2026-11-20 12:34:56 UTC.
const ARRIVAL_MS: i64 = 1_795_178_096_000;

struct World {
    dir: TempDir,
    peer: Peer,
    runtime: tokio::runtime::Runtime,
    share: Arc<Share>,
    stats: Arc<Stats>,
    outbox: Arc<Outbox>,
}

/// What S3 answers to a put it took.
fn taken() -> Reply {
    Reply::status(200).with("ETag", "\"0123\"")
}

fn fault(status: u16, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    Reply::body(status, "application/xml", body)
}

fn settings(peer: &Peer) -> S3Backup {
    S3Backup {
        bucket: "backups".to_owned(),
        prefix: "all/".to_owned(),
        error_output_prefix: "e/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}"
            .to_owned(),
        compression: Container::Gzip,
        kms_key_id: Some("alias/backup".to_owned()),
        version: 1,
        all_data: Buffering::ALL_DATA,
        identity: IdentityConfig {
            region: Some("eu-west-1".to_owned()),
            profile: None,
            endpoint_url: Some(peer.url("")),
            assume_role: None,
            client: ClientConfig {
                tls: TlsConfig::default(),
                connect_timeout: Duration::from_secs(2),
                request_timeout: Duration::from_secs(5),
                answer_bytes: 1 << 16,
            },
        },
    }
}

impl World {
    fn new(name: &str, share: u64) -> World {
        remote::install_provider();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let stats = Arc::<Stats>::default();
        World {
            dir: TempDir::new(name),
            peer: Peer::start(taken()),
            runtime: runtime.unwrap(),
            share: Arc::new(Share::new("backup", share)),
            outbox: Arc::new(Outbox::new(Arc::clone(&stats))),
            stats,
        }
    }

    fn backup(&self) -> Backup {
        let outbox = Some(Arc::clone(&self.outbox));
        Backup::new(self.dir.join("s"), "s", Arc::clone(&self.share), outbox)
    }

    /// An uploader as after a start of the process.
    fn upload(&self) -> Upload {
        let s3 = settings(&self.peer);
        let prefixes = Prefixes::parse(&s3.prefix, &s3.error_output_prefix).unwrap();
        let variables: Variables =
            [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")]
                .into_iter()
                .collect();
        let load = Identity::load_with(s3.identity.clone(), variables);
        let identity = self.runtime.block_on(load).unwrap();
        Upload {
            stream: "s".to_owned(),
            folder: self.dir.join("s"),
            origin: "0123456789abcdef".into(),
            failed: naming(&prefixes.error, &s3),
            all: naming(&prefixes.delivery, &s3),
            s3,
            client: Some(S3::new(identity)),
            outbox: Arc::clone(&self.outbox),
            share: Arc::clone(&self.share),
            clock: Arc::new(|| ARRIVAL_MS),
            runtime: self.runtime.handle().clone(),
            queue: VecDeque::new(),
            step: 0,
            random: Random::new(1),
        }
    }

    fn failed(&self, sequence: u64, lines: &[u8]) -> PathBuf {
        let at = Position { sequence, ordinal: 0 };
        let arrival_ms = ARRIVAL_MS + i64::try_from(sequence).unwrap() * 1000;
        self.backup().write_failed("aws", at, arrival_ms, "failed", lines).unwrap()
    }

    fn files(&self) -> u64 {
        scan(&self.dir.join("s"), "s").files
    }

    fn uploads(&self) -> (u64, u64) {
        let count = |n: usize| self.stats.uploads[n].load(Ordering::Relaxed);
        (count(0), count(1))
    }

    fn pending(&self) -> (u64, u64) {
        let stats = &self.stats;
        let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        (count(&stats.pending_files), count(&stats.pending_bytes))
    }
}

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn plain(request: &Received) -> Vec<u8> {
    let mut out = Vec::new();
    decompress(&request.body, &mut out, 1 << 30).unwrap();
    out
}

/// *Scenario:* a failed file and one of all data lie there when the uploader starts, another comes
/// later.
/// *Guarantees:* each is an object under its prefix by its hour, compressed, with type, encoding and
/// KMS key; the files, their folders and their part of the share are gone.
#[test]
fn files_become_objects() {
    let world = World::new("upload", 1000);
    let backup = world.backup();
    world.failed(1, b"{\"rawData\":\"eA==\"}\n");
    let at = Position { sequence: 7, ordinal: 0 };
    backup.write_source("aws", at, ARRIVAL_MS, b"records as they came").unwrap();
    assert_eq!((world.share.used(), world.pending()), (39, (2, 39)));
    let uploader = world.upload().spawn().unwrap();
    let requests = world.peer.wait_for(2, Duration::from_secs(10));
    world.failed(2, b"later");
    let later = world.peer.wait_for(3, Duration::from_secs(10)).pop().unwrap();
    wait_until("all are removed", || world.files() == 0);
    assert!(uploader.lives() && uploader.join());

    let all = &requests[0];
    assert_eq!((all.method.as_str(), plain(all)), ("PUT", b"records as they came".to_vec()));
    assert!(
        all.target.starts_with("/backups/all/2026/11/20/12/s-1-2026-11-20-12-34-56-"),
        "{all:?}"
    );
    assert!(all.target.ends_with(".gz"), "{all:?}");
    assert_eq!(all.header("content-encoding"), Some("gzip"));
    assert_eq!(all.header("content-type"), Some("application/octet-stream"));
    let kms = "x-amz-server-side-encryption-aws-kms-key-id";
    assert_eq!(all.header(kms), Some("alias/backup"));
    let failed = "/backups/e/http-endpoint-failed/2026/11/20/12/s-1-2026-11-20-12-34-57-";
    assert!(requests[1].target.starts_with(failed), "{:?}", requests[1]);
    assert_eq!(plain(&later), b"later");
    assert_eq!((world.share.used(), world.pending(), world.uploads()), (0, (0, 0), (3, 0)));
    assert_eq!(std::fs::read_dir(world.dir.join("s")).unwrap().count(), 0, "empty folders stay");
}

/// *Scenario:* S3 is down, denies, has no such bucket, asks to slow down, answers a success that is
/// an error, or closes; then it takes everything.
/// *Guarantees:* the file stays and its state is told, loudly where a person must act; nothing is
/// removed before the yes; then it is uploaded and the state is clear.
#[test]
fn nothing_is_removed_before_the_yes() {
    let lie = Reply::body(200, "application/xml", "<Error><Code>InternalError</Code></Error>");
    let table = [
        (fault(503, "SlowDown"), "S3.SlowDown", false),
        (fault(500, "InternalError"), "S3.ServiceUnavailable", false),
        (fault(403, "AccessDenied"), "S3.AccessDenied", true),
        (fault(404, "NoSuchBucket"), "S3.NoSuchBucket", true),
        (fault(400, "KMS.DisabledException"), "S3.KMS", true),
        (fault(400, "ExpiredToken"), "S3.InvalidToken", true),
        (lie, "S3.ServiceUnavailable", false),
        (Reply::body(200, "text/html", "<html>log in</html>"), "S3.ServiceUnavailable", false),
        (Reply::Close, "S3.Unreachable", false),
        (Reply::Half, "S3.ServiceUnavailable", false),
    ];
    // At the same time: each waits for a second.
    std::thread::scope(|scope| {
        for (reply, code, loud) in table {
            scope.spawn(move || is_kept_and_told(reply, code, loud));
        }
    });
}

fn is_kept_and_told(reply: Reply, code: &str, loud: bool) {
    let world = World::new("upload-no", 1000);
    world.peer.set(reply);
    let path = world.failed(1, b"kept");
    let uploader = world.upload().spawn().unwrap();
    wait_until(code, || world.stats.state().upload_failure.is_some());
    let state = world.stats.state();
    let why = state.upload_failure.unwrap();
    assert!(why.starts_with(code), "{code}: {why}");
    assert!(why.contains("PutObject s3://backups/e/http-endpoint-failed/"), "{why}");
    assert_eq!(state.upload_loud, loud, "{code}");
    assert!(state.upload_retry_ms > Some(ARRIVAL_MS), "{code}");
    assert_eq!((std::fs::read(&path).unwrap(), world.share.used()), (b"kept".to_vec(), 4));
    assert_eq!(world.pending(), (1, 4), "{code}");
    world.peer.set(taken());
    wait_until("it is uploaded", || world.files() == 0);
    assert!(uploader.join());
    let state = world.stats.state();
    assert_eq!((state.upload_failure, state.upload_retry_ms), (None, None), "{code}");
    assert!(world.uploads().1 >= 1 && world.uploads().0 == 1, "{:?}", world.uploads());
    let keys: Vec<String> = world.peer.requests().into_iter().map(|r| r.target).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

/// *Scenario:* the process is killed after S3 has taken an object and before its file is removed.
/// *Guarantees:* after the restart the same object is put under the same key, and then the file goes.
#[test]
fn killed_between_put_and_removal() {
    let world = World::new("upload-kill", 1000);
    world.failed(1, b"once or twice, never not at all");
    let mut killed = world.upload();
    killed.look();
    let waiting = killed.queue.pop_front().unwrap();
    let key = killed.key(&waiting);
    assert!(killed.put(&key, b"taken".to_vec()).is_ok());
    drop(killed);
    assert_eq!(world.files(), 1);
    let uploader = world.upload().spawn().unwrap();
    wait_until("it is removed", || world.files() == 0);
    assert!(uploader.join());
    let keys: Vec<String> = world.peer.requests().into_iter().map(|r| r.target).collect();
    assert_eq!(keys, [keys[0].clone(), keys[0].clone()]);
}

/// *Scenario:* the stream writes a file again (after a crash of its own) while that file is on its way.
/// *Guarantees:* what took its place is not removed unseen: it is put too, under the same key, last.
#[test]
fn a_file_replaced_on_its_way_is_uploaded_again() {
    let world = World::new("upload-replace", 1000);
    world.failed(1, b"first");
    let (asked, heard) = sync_channel(1);
    let (go, gone) = sync_channel(1);
    let mut first = true;
    world.peer.set_script(move |_| {
        if std::mem::take(&mut first) {
            asked.send(()).unwrap();
            gone.recv().unwrap();
        }
        taken()
    });
    let uploader = world.upload().spawn().unwrap();
    heard.recv().unwrap();
    world.failed(1, b"second, and longer");
    assert_eq!((world.share.used(), world.pending()), (18, (1, 18)));
    go.send(()).unwrap();
    wait_until("both are uploaded", || world.files() == 0);
    assert!(uploader.join());
    let requests = world.peer.requests();
    let bodies: Vec<Vec<u8>> = requests.iter().map(plain).collect();
    assert_eq!(bodies, [b"first".to_vec(), b"second, and longer".to_vec()]);
    assert_eq!(requests[0].target, requests[1].target);
    assert_eq!((world.share.used(), world.pending()), (0, (0, 0)));
}

/// *Scenario:* three files, written in another order than they arrived, and S3 fails once.
/// *Guarantees:* the oldest goes first, and again first after the failure.
#[test]
fn the_oldest_goes_first() {
    let world = World::new("upload-order", 1000);
    for sequence in [3, 1, 2] {
        world.failed(sequence, sequence.to_string().as_bytes());
    }
    let mut answers = vec![taken(), taken(), taken(), fault(503, "SlowDown")];
    world.peer.set_script(move |_| answers.pop().unwrap_or_else(taken));
    let uploader = world.upload().spawn().unwrap();
    wait_until("all are uploaded", || world.files() == 0);
    assert!(uploader.join());
    let bodies: Vec<Vec<u8>> = world.peer.requests().iter().map(plain).collect();
    assert_eq!(bodies, [b"1", b"1", b"2", b"3"]);
}

/// *Scenario:* S3 refuses the oldest file for itself, for ever.
/// *Guarantees:* the others are uploaded all the same; it stays, and is told.
#[test]
fn a_refused_file_makes_way() {
    let world = World::new("upload-refused", 1000);
    (1..=3).for_each(|n| drop(world.failed(n, n.to_string().as_bytes())));
    world.peer.set_script(|request| match plain(request).as_slice() {
        b"1" => fault(400, "InvalidArgument"),
        _ => taken(),
    });
    let uploader = world.upload().spawn().unwrap();
    wait_until("the others are uploaded", || world.files() == 1);
    wait_until("it is told", || world.stats.state().upload_failure.is_some());
    assert!(uploader.join());
    assert!(world.stats.state().upload_loud);
    assert_eq!(world.uploads().0, 2);
}

/// *Scenario:* the local share is full while S3 is down; then S3 is back.
/// *Guarantees:* the backup says so, as it does without S3, and takes data again by itself.
#[test]
fn a_full_share_is_given_back() {
    let world = World::new("upload-share", 10);
    world.peer.set(fault(503, "SlowDown"));
    world.failed(1, b"12345678");
    let uploader = world.upload().spawn().unwrap();
    let at = Position { sequence: 2, ordinal: 0 };
    let write = || world.backup().write_failed("aws", at, ARRIVAL_MS, "failed", b"12345678");
    assert!(write().unwrap_err().contains("backup holds 8 of 10 bytes"));
    world.peer.set(taken());
    wait_until("there is room", || write().is_ok());
    wait_until("all are uploaded", || world.files() == 0);
    assert!(uploader.join());
    assert_eq!(world.share.used(), 0);
}

/// *Scenario:* beside the stream's files lie parts, files of another stream, of a person, links.
/// *Guarantees:* none of them is uploaded or removed.
#[test]
fn only_its_own_whole_files_are_taken() {
    let world = World::new("upload-foreign", 1000);
    let own = world.failed(1, b"own");
    let folder = own.parent().unwrap().to_owned();
    let name = |text: &str| folder.join(text);
    let own_name = own.file_name().unwrap().to_str().unwrap();
    std::fs::write(name(&own_name.replace(".json", ".part")), "half").unwrap();
    std::fs::write(name(&own_name.replacen("s-1-", "t-1-", 1)), "other stream").unwrap();
    std::fs::write(name("s-1-notes-of-a-person-here.json"), "mine").unwrap();
    std::fs::write(world.dir.join("s").join("config.json"), "mine").unwrap();
    std::os::unix::fs::symlink(&own, name(&own_name.replacen("-57-", "-58-", 1))).unwrap();
    let holiday = world.dir.join("s").join("holiday");
    std::fs::create_dir(&holiday).unwrap();
    std::fs::copy(&own, holiday.join(own_name)).unwrap();
    let found = scan(&world.dir.join("s"), "s");
    assert_eq!((found.files, found.bytes), (1, 3));
    let uploader = world.upload().spawn().unwrap();
    wait_until("its own is uploaded", || !own.exists());
    assert!(uploader.join());
    assert_eq!(world.peer.count(), 1);
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 4, "the others stay");
}

/// *Scenario:* more files wait than are listed at a time, in several hours.
/// *Guarantees:* all are counted, the oldest are listed, in order.
#[test]
fn a_long_queue_is_listed_in_parts() {
    let world = World::new("upload-many", 1 << 20);
    let folder = world.dir.join("s").join(FAILED).join("2026").join("11").join("20").join("12");
    std::fs::create_dir_all(&folder).unwrap();
    for n in 0..1500 {
        let (minute, second) = (n / 60, n % 60);
        let name = format!("s-1-2026-11-20-12-{minute:02}-{second:02}-aws-1-1-failed.json");
        std::fs::write(folder.join(name), "x").unwrap();
    }
    let found = scan(&world.dir.join("s"), "s");
    assert_eq!((found.files, found.bytes, found.oldest.len()), (1500, 1500, 1000));
    assert!(found.oldest.is_sorted_by(|a, b| a.instant_ms < b.instant_ms));
    assert_eq!(found.oldest[0].instant_ms, 1_795_176_000_000);
    assert_eq!(found.oldest[999].instant_ms, 1_795_176_999_000);
}

/// *Scenario:* told to stop while S3 does not answer.
/// *Guarantees:* it stops within the grace, and the file stays.
#[test]
fn a_stop_does_not_wait_for_s3() {
    let world = World::new("upload-stop", 1000);
    world.peer.set(Reply::Hang);
    world.failed(1, b"kept");
    let uploader = world.upload().spawn().unwrap();
    world.peer.wait_for(0, Duration::ZERO);
    wait_until("it is on its way", || world.peer.connections() > 0);
    let begun = Instant::now();
    assert!(uploader.join());
    assert!(begun.elapsed() < STOP_GRACE + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(world.files(), 1);
}
