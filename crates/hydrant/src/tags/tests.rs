use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use remote::aws::tagging::{Page, Resource};
use remote::aws::{Fault, Kind};
use testkit::TempDir;

use super::{Document, Part, Region, exit_of, fetch_region, keep, table, worse};
use crate::exit::Exit;

fn fault(kind: Kind) -> Fault {
    Fault {
        kind,
        doing: "GetResources".to_owned(),
        code: "Code".to_owned(),
        message: "message".to_owned(),
        remedy: None,
        status: 400,
        retry_after: Some(Duration::ZERO),
    }
}

fn page(arns: &[&str], next: Option<&str>) -> Result<Page, Fault> {
    let tags = vec![("Name".to_owned(), "n".to_owned()), ("team".to_owned(), "t".to_owned())];
    let resource = |arn: &&str| Resource { arn: (*arn).to_owned(), tags: tags.clone() };
    Ok(Page { resources: arns.iter().map(resource).collect(), next: next.map(str::to_owned) })
}

fn fetch(
    answers: Vec<Result<Page, Fault>>,
    keys: &[&str],
) -> Result<super::document::Resources, Fault> {
    let answers = RefCell::new(VecDeque::from(answers));
    let ask = async |_: Option<&str>| answers.borrow_mut().pop_front().unwrap();
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(fetch_region(ask, &keys, Duration::ZERO))
}

fn region(name: &str, arns: &[&str]) -> Region {
    let mut region = Region {
        region: name.to_owned(),
        fetched_at: "2026-11-20T12:00:00Z".to_owned(),
        resources: fetch(vec![page(arns, None)], &["team"]).unwrap(),
        ..Region::default()
    };
    region.account = region.account_of_resources();
    region
}

/// *Scenario:* three pages, one of them throttled twice; keys are chosen or not.
/// *Guarantees:* all resources, only the chosen keys.
#[test]
fn all_pages_are_fetched() {
    let answers = || {
        vec![
            page(&["a", "b"], Some("1")),
            Err(fault(Kind::Throttled)),
            Err(fault(Kind::Unwell)),
            page(&["c"], Some("2")),
            page(&["d"], Some("")),
        ]
    };
    let all = fetch(answers(), &[]).unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(all["a"].len(), 2);
    let chosen = fetch(answers(), &["team"]).unwrap();
    assert_eq!(chosen["d"].keys().collect::<Vec<_>>(), ["team"]);
}

/// *Scenario:* refused at once; throttled for ever; a page that names itself as the next.
/// *Guarantees:* the first is told at once, the second after six attempts, the third ends too.
#[test]
fn what_does_not_pass_ends() {
    let first = fetch(vec![Err(fault(Kind::Denied)), page(&["a"], None)], &[]);
    assert_eq!(first.unwrap_err().kind, Kind::Denied);
    let mut throttled: Vec<_> = (0..6).map(|_| Err(fault(Kind::Throttled))).collect();
    throttled.push(page(&["a"], None));
    assert_eq!(fetch(throttled.clone(), &[]).unwrap_err().kind, Kind::Throttled);
    drop(throttled.remove(0));
    assert_eq!(fetch(throttled, &[]).unwrap().len(), 1);
    let circle = vec![page(&["a"], Some("x")), page(&["b"], Some("x"))];
    assert_eq!(fetch(circle, &[]).unwrap_err().code, "RepeatedPage");
}

/// *Scenario:* a document is written, read back, and read by what enriches.
/// *Guarantees:* the same document; the same resources; no other file is left beside it.
#[test]
fn the_file_is_what_enrichment_reads() {
    let folder = TempDir::new("tags-file");
    let path = folder.join("below/tags.json");
    assert_eq!(Document::read(&path), Ok(None));
    let arns = ["arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:s3:::bucket"];
    let now = "2026-11-20T13:00:00Z".parse().unwrap();
    let document = Document::new(now, vec![region("eu-west-1", &arns), region("us-east-1", &[])]);
    let bytes = document.write(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
    assert_eq!(Document::read(&path), Ok(Some(document.clone())));
    assert_eq!(std::fs::read_dir(folder.join("below")).unwrap().count(), 1);

    let tags = rules::Tags {
        file: path.clone(),
        keys: vec!["team".to_owned()],
        prefix: String::new(),
        rules: rules::ArnRules::built_in(),
    };
    let read = rules::TagSnapshot::parse(&std::fs::read(&path).unwrap(), &tags).unwrap();
    assert_eq!((read.resources(), read.fetched_ms()), (2, Some(1_795_176_000_000)));
    assert_eq!(document.regions[0].account.as_deref(), Some("111122223333"));

    let lines = table::text(&document);
    let rows: Vec<Vec<&str>> =
        lines.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            ["-", "us-east-1", "-", "0"],
            ["111122223333", "eu-west-1", "s3", "1"],
            ["111122223333", "eu-west-1", "sqs", "1"],
        ]
    );
}

/// *Scenario:* a file that is none of ours, one of a later release, and a place that cannot be written.
/// *Guarantees:* each is told, nothing is overwritten, no part is left.
#[test]
fn other_files_are_left_alone() {
    let folder = TempDir::new("tags-other");
    let path = folder.write("notes.txt", "dear diary");
    assert!(Document::read(&path).unwrap_err().contains("no snapshot of tags"));
    let path = folder.write("later.json", r#"{"version":2,"fetched_at":"x","regions":[]}"#);
    assert!(Document::read(&path).unwrap_err().contains("version 2"));
    let document = Document::new(jiff::Timestamp::UNIX_EPOCH, Vec::new());
    let taken = folder.join("taken");
    std::fs::create_dir_all(taken.join("inside")).unwrap();
    assert!(document.write(&taken).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

/// *Scenario:* one region fails, for whatever reason, beside an old file that has it.
/// *Guarantees:* it keeps what the file had of that region and role, and nothing of another; refused
/// credentials outrank the rest.
#[test]
fn a_failed_region_keeps_what_there_was() {
    let mut other_role = region("eu-west-1", &["b"]);
    other_role.role_arn = Some("arn:aws:iam::1:role/r".to_owned());
    let old = Document::new(
        jiff::Timestamp::UNIX_EPOCH,
        vec![other_role.clone(), region("eu-west-1", &["a"])],
    );
    let part = |role_arn: Option<&str>, region: &str| Part {
        role_arn: role_arn.map(str::to_owned),
        region: region.to_owned(),
    };
    let gone = fault(Kind::Unwell);
    let kept = |part: Part| keep(Some(&old), &part, &gone, &|_| {});
    assert_eq!(kept(part(None, "eu-west-1")), Some(region("eu-west-1", &["a"])));
    assert_eq!(kept(part(Some("arn:aws:iam::1:role/r"), "eu-west-1")), Some(other_role));
    assert_eq!(kept(part(None, "us-east-1")), None);
    assert_eq!(keep(None, &part(None, "eu-west-1"), &gone, &|_| {}), None);

    assert_eq!(exit_of(&fault(Kind::NoCredentials)), Exit::Denied);
    let mut exit = Exit::Done;
    for (kind, expect) in [
        (Kind::Unwell, Exit::Unreachable),
        (Kind::Denied, Exit::Denied),
        (Kind::Refused, Exit::Denied),
    ] {
        exit = worse(exit, &fault(kind));
        assert_eq!(exit, expect);
    }
}
