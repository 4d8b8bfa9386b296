//! `hydrant tags fetch` from the outside: a scripted tagging API, the file, and exit codes.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{Peer, Process, Received, Reply, TempDir, exchange};

/// Someone whom the peer knows, whoever runs this test.
const WHO: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Runs the binary.
fn fetch(peer: &Peer, output: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.env_clear().envs(WHO);
    command.args(["tags", "fetch", "--endpoint-url", &peer.url(""), "--output"]);
    command.arg(output).args(arguments).output().expect("the binary was built for this test")
}

fn words(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("words are UTF-8");
    assert!(output.stdout.is_empty() && !text.contains("SECRETEXAMPLE"), "{text}");
    text
}

/// The region a request is signed for.
fn region_of(request: &Received) -> String {
    let signed = request.header("authorization").unwrap_or_default();
    signed.split('/').nth(2).unwrap_or_default().to_owned()
}

fn page(region: &str, numbers: std::ops::Range<u32>, next: &str) -> Reply {
    let resource = |n: u32| {
        format!(
            r#"{{"ResourceARN":"arn:aws:sqs:{region}:111122223333:q-{n}","Tags":[{{"Key":"Name","Value":"n{n}"}},{{"Key":"team","Value":"shop"}}]}}"#
        )
    };
    let list: Vec<String> = numbers.map(resource).collect();
    let list = list.join(",");
    Reply::json(
        200,
        &format!(r#"{{"PaginationToken":"{next}","ResourceTagMappingList":[{list}]}}"#),
    )
}

/// Two regions, the first with two pages.
fn api(request: &Received) -> Reply {
    let second = String::from_utf8_lossy(&request.body).contains("\"token\"");
    match (region_of(request).as_str(), second) {
        ("eu-west-1", false) => page("eu-west-1", 0..2, "token"),
        ("eu-west-1", true) => page("eu-west-1", 2..3, ""),
        (region, _) => page(region, 0..1, ""),
    }
}

fn denied() -> Reply {
    let body = r#"{"__type":"AccessDeniedException","Message":"User is not authorized to perform: tag:GetResources"}"#;
    Reply::json(400, body)
}

fn arns(file: &Path) -> Vec<String> {
    let text = std::fs::read(file).expect("the file was written");
    let json: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    let regions = json["regions"].as_array().expect("a list").iter();
    regions
        .flat_map(|region| region["resources"].as_object().expect("an object").keys())
        .map(|arn| arn.trim_start_matches("arn:aws:sqs:").replace(":111122223333:", " "))
        .collect()
}

/// *Scenario:* two regions are fetched; then one of them is denied, then both; then the API is away.
/// *Guarantees:* all pages of both, chosen keys only; what fails keeps what the file had and says so;
/// 77 when refused, 69 when not reached, and the file is never worse than before.
#[test]
fn regions_are_fetched_and_kept() {
    let folder = TempDir::new("tags-fetch");
    let file = folder.join("tags.json");
    let peer = Peer::scripted(api);
    let both = ["--region", "eu-west-1,us-east-1", "--keys", "team", "--types", "sqs:queue"];
    let first = fetch(&peer, &file, &both);
    let said = words(&first);
    assert_eq!(first.status.code(), Some(0), "{said}");
    assert!(said.contains("wrote") && said.contains("4 resources of 2 regions"), "{said}");
    let all = ["eu-west-1 q-0", "eu-west-1 q-1", "eu-west-1 q-2", "us-east-1 q-0"];
    assert_eq!(arns(&file), all);
    let text = std::fs::read_to_string(&file).expect("written");
    assert!(text.contains("shop") && !text.contains("Name"), "{text}");
    let asked = peer.requests();
    assert!(String::from_utf8_lossy(&asked[0].body).contains("sqs:queue"));
    assert_eq!(asked.len(), 3);

    peer.set_script(|request| {
        if region_of(request) == "us-east-1" { denied() } else { page("eu-west-1", 7..8, "") }
    });
    let partly = fetch(&peer, &file, &both);
    let said = words(&partly);
    assert_eq!(partly.status.code(), Some(77), "{said}");
    assert!(said.contains("us-east-1: keeps its 1 resources of 20"), "{said}");
    assert!(said.contains("tag:GetResources"), "{said}");
    assert_eq!(arns(&file), ["eu-west-1 q-7", "us-east-1 q-0"]);

    let before = std::fs::read(&file).expect("written");
    peer.set(denied());
    let none = fetch(&peer, &file, &both);
    assert_eq!(none.status.code(), Some(77));
    assert!(words(&none).contains("the file stays as it was"));
    assert_eq!(std::fs::read(&file).expect("still there"), before);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

/// *Scenario:* an API that throttles twice and then answers; no region; a file that is none of ours.
/// *Guarantees:* patience; exit 2 with a hint; exit 1 and the file untouched.
#[test]
fn trouble_is_named() {
    let folder = TempDir::new("tags-trouble");
    let file = folder.join("tags.json");
    let left = Arc::new(Mutex::new(2));
    let peer = Peer::scripted(move |request| {
        let mut left = left.lock().expect("no panic");
        if *left == 0 {
            return api(request);
        }
        *left -= 1;
        Reply::json(400, r#"{"__type":"ThrottledException","Message":"Rate exceeded"}"#)
    });
    let patient = fetch(&peer, &file, &["--region", "us-east-1"]);
    assert_eq!((patient.status.code(), arns(&file)), (Some(0), vec!["us-east-1 q-0".to_owned()]));

    let nowhere = fetch(&peer, &file, &[]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(words(&nowhere).contains("AWS_REGION"));
    let often = fetch(&peer, &file, &["--region", "us-east-1", "--every", "1s"]);
    assert_eq!(often.status.code(), Some(2));

    let diary = folder.write("diary.txt", "dear diary");
    let refused = fetch(&peer, &diary, &["--region", "us-east-1"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(words(&refused).contains("diary.txt"));
    assert_eq!(std::fs::read(&diary).expect("there"), b"dear diary");
}

/// *Scenario:* `hydrant run` with a stream that refreshes its own snapshot, which is not there yet.
/// *Guarantees:* it is fetched with the keys of the stream, read, and its age and size are metrics;
/// the secret is nowhere in the log.
#[test]
fn a_running_process_fetches_its_own() {
    let folder = TempDir::new("tags-run");
    let peer = Peer::scripted(api);
    let settings = format!(
        "data_dir: data\nadmin: {{ listen: 127.0.0.1:0 }}\n\
         sources: {{ aws: {{ type: firehose, listen: 127.0.0.1:0, access_keys: [k] }} }}\n\
         streams:\n  s:\n    source: aws\n    destination: {{ type: blackhole }}\n    enrich:\n      \
         tags:\n        file: tags.json\n        keys: [team]\n        \
         refresh: {{ every: 5m, regions: [eu-west-1], endpoint_url: \"{}\" }}\n",
        peer.url("")
    );
    folder.write("hydrant.yaml", settings);
    let binary = env!("CARGO_BIN_EXE_hydrant");
    let mut process = Process::start_with(binary, ["run"], folder.path(), &WHO);
    let within = Duration::from_secs(30);
    process.wait_for_line("tag snapshot read", within);
    let line = process.wait_for_line("hydrant runs", within);
    let (_, admin) = line.split_once("admin").expect("the line names the admin port");
    let admin: String = admin
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| matches!(c, '0'..='9' | '.' | ':'))
        .collect();
    let admin = admin.trim_end_matches(':').parse().expect("an address");
    let metric = |name: &str| {
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let page = exchange(admin, request).expect("the admin port answers").text();
        let line = page.lines().find(|line| line.starts_with(&format!("{name}{{stream=\"s\"}}")));
        line.and_then(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
    };
    let begun = std::time::Instant::now();
    while metric("hydrant_tags_snapshot_resources") != Some(3.0) {
        assert!(begun.elapsed() < within, "the metrics do not tell of the snapshot");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(metric("hydrant_tags_snapshot_failed"), Some(0.0));
    assert!(metric("hydrant_tags_snapshot_age_seconds").is_some_and(|age| age < 30.0));
    let text = std::fs::read_to_string(folder.join("tags.json")).expect("it was written");
    assert!(text.contains("shop") && !text.contains("Name"), "{text}");
    assert_eq!(peer.count(), 2, "asked once, two pages");
}
