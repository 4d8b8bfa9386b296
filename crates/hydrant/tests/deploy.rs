//! `hydrant deploy` from the outside: files, streams, exit codes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const SETTINGS: &str = "\
sources:
  aws:
    type: firehose
    listen: 0.0.0.0:443
    access_keys: ['${NOT_HERE}']
    tls: { cert_file: not-here.crt, key_file: not-here.key }
streams:
  s:
    source: aws
    include: [ { namespace: AWS/EC2, dimensions: { InstanceId: i-1 } } ]
    destination: { type: dynatrace, url: 'https://abc12345.live.dynatrace.com', api_token: dt0c01.LITERAL }
";
const URL: [&str; 2] = ["--endpoint-url", "https://metrics.example.com/"];

fn deploy(folder: &testkit::TempDir, arguments: &[&str]) -> Output {
    let file = folder.write("hydrant.yaml", SETTINGS);
    Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .arg("deploy")
        .args(arguments)
        .args([Path::new("-c"), &file])
        .env_remove("NOT_HERE")
        .output()
        .expect("the binary was built for this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("words are UTF-8")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).expect("the folder was made");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        path.is_file().then(|| (name, std::fs::read_to_string(&path).expect("text")))
    };
    entries.filter_map(read).collect()
}

/// *Scenario:* settings whose secrets and certificates are on another machine, to stdout and twice to
/// a folder.
/// *Guarantees:* the names people expect; the same text each time; notes on stderr; no secret anywhere.
#[test]
fn files_are_the_same_each_time() {
    let folder = testkit::TempDir::new("deploy");
    for (tool, expected) in [
        ("terraform", vec!["main.tf", "outputs.tf", "variables.tf", "versions.tf"]),
        ("cloudformation", vec!["template.yaml"]),
    ] {
        let written = |name: &str| {
            let out = folder.path().join(name);
            let out_text = out.to_str().expect("a plain path");
            let done = deploy(&folder, &[&[tool, "--output", out_text], URL.as_slice()].concat());
            assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
            assert!(done.stdout.is_empty());
            assert!(text(&done.stderr).contains("note: streams.s.include[0]: CloudWatch cannot"));
            files(&out)
        };
        let one = written(&format!("{tool}-1"));
        assert_eq!(one.keys().collect::<Vec<_>>(), expected);
        assert_eq!(one, written(&format!("{tool}-2")));
        let printed = deploy(&folder, &[&[tool], URL.as_slice()].concat());
        let printed = text(&printed.stdout);
        for content in one.values() {
            assert!(printed.contains(content), "{printed}");
            assert!(!content.contains("LITERAL") && !content.contains("not-set"), "{content}");
        }
    }
}

/// *Scenario:* a flag is missing; the settings lack a source; two regions without a folder.
/// *Guarantees:* exit 2, 78, 2; each says what to do, and nothing goes to stdout.
#[test]
fn refusals_name_the_remedy() {
    let folder = testkit::TempDir::new("deploy-refused");
    let cases: [(&[&str], i32, &str); 4] = [
        (&["terraform"], 2, "hint: say where Firehose finds it"),
        (&["terraform", "--topology", "sqs"], 78, "hint: add one under sources"),
        (&["terraform", URL[0], URL[1], "--region", "eu-west-1,us-east-1"], 2, "--output DIR"),
        (
            &["cloudformation", "--topology", "dynatrace", "--reader", "x"],
            2,
            "--reader means nothing",
        ),
    ];
    for (arguments, exit, words) in cases {
        let done = deploy(&folder, arguments);
        let said = text(&done.stderr);
        assert_eq!(
            (done.status.code(), done.stdout.len()),
            (Some(exit), 0),
            "{arguments:?}: {said}"
        );
        assert!(said.contains(words), "{said}");
    }
}

/// *Scenario:* a plan for two regions, then one for a single region, into the same folder.
/// *Guarantees:* what the first left and the second does not write is named; a third says nothing.
#[test]
fn what_an_earlier_plan_left_is_named() {
    let folder = testkit::TempDir::new("deploy-left");
    let out = folder.path().join("out");
    let out = out.to_str().expect("a plain path");
    let run = |regions: &str| {
        let arguments = ["terraform", URL[0], URL[1], "--output", out, "--region", regions];
        let done = deploy(&folder, &arguments);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{said}");
        said
    };
    assert!(!run("eu-west-1,us-east-1").contains("earlier plan"));
    let said = run("eu-west-1");
    assert!(said.contains("client/main.tf is of an earlier plan: remove it"), "{said}");
    std::fs::remove_dir_all(Path::new(out).join("client")).expect("it is there");
    assert!(!run("eu-west-1").contains("earlier plan"));
}

/// *Scenario:* a filter whose namespace is a variable that is not here; and settings with a mistake, a
/// secret that is not here, and a number that is not here.
/// *Guarantees:* nothing is written with something made up in it; the mistake and the number are told,
/// and the secret, which need not be here, is not.
#[test]
fn what_is_not_here_is_neither_made_up_nor_blamed() {
    let folder = testkit::TempDir::new("deploy-missing");
    let run = |settings: &str| {
        let file = folder.write("hydrant.yaml", settings);
        let out = folder.path().join("out");
        let done = Command::new(env!("CARGO_BIN_EXE_hydrant"))
            .args(["deploy", "terraform", "--output"])
            .arg(&out)
            .args(URL)
            .args([Path::new("-c"), &file])
            .env_remove("NOT_HERE")
            .output()
            .expect("the binary was built for this test");
        assert!(!out.exists(), "nothing is written");
        assert_eq!(done.status.code(), Some(78));
        text(&done.stderr)
    };
    let said = run(&SETTINGS.replace("namespace: AWS/EC2", "namespace: '${NOT_HERE}'"));
    let expected =
        "not here: streams.s.include[0].namespace: environment variable NOT_HERE is not set";
    assert!(said.contains(expected), "{said}");

    let wrong =
        SETTINGS.replace("source: aws", "source: aws\n    concurrency: ${NOT_HERE}\n    typo: 1");
    let said = run(&wrong);
    assert!(said.contains("unknown key \"typo\""), "{said}");
    assert!(said.contains("streams.s.concurrency: environment variable NOT_HERE"), "{said}");
    assert!(said.contains("2 errors"), "{said}");
}
