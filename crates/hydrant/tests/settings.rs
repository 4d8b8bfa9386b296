//! Settings from the outside: every message, every default, and what is never shown.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use delivery::sink::{Config, otlp};
use delivery::{BackupMode, Destination, StartFrom};
use hydrant::settings::{self, Environment, Problem, Problems, Settings, report};
use hydrant::terminal::Paint;
use proptest::prelude::*;

/// A certificate and its key, as files that outlive every test here.
fn certificate() -> &'static (String, String) {
    static FILES: OnceLock<(String, String)> = OnceLock::new();
    FILES.get_or_init(|| {
        let identity = testkit::Authority::new().sign("localhost");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let write = |name: &str, pem: &str| {
            let file = folder.join(name);
            std::fs::write(&file, pem).expect("the target folder can be written");
            file.to_str().expect("its path is text").to_owned()
        };
        (
            write("settings-cert.pem", &identity.cert_pem),
            write("settings-key.pem", &identity.key_pem),
        )
    })
}

fn environment() -> Environment {
    let (cert, key) = certificate();
    Environment::of(&[
        ("CERT", cert),
        ("CERT_KEY", key),
        ("TOKEN", "dt0c01.SECRETTOKEN"),
        ("KEY", "SECRETKEY"),
        ("PORT", "4433"),
        ("EMPTY", ""),
        ("WRONG", "fast-SECRETVALUE"),
        // Those of the examples.
        ("FIREHOSE_ACCESS_KEY", "key"),
        ("ACCESS_KEY", "key"),
        ("SECRET", "secret"),
        ("DT_TOKEN", "token"),
    ])
}

fn check(text: &str) -> Result<Settings, Problems> {
    settings::check(text, Path::new("hydrant.yaml"), &environment())
}

#[track_caller]
fn good(text: &str) -> Settings {
    check(text).unwrap_or_else(|problems| panic!("{}", report::text(&problems, Paint::PLAIN)))
}

#[track_caller]
fn bad(text: &str) -> Problems {
    match check(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => problems,
    }
}

fn one_line(problem: &Problem) -> String {
    let place = problem.place.map(|place| format!("{}:{} ", place.line, place.column));
    let hint = problem.hint.as_deref().unwrap_or("-");
    let first = hint.lines().next().unwrap_or("");
    format!("{}{} | {first}", place.unwrap_or_default(), problem.sentence())
}

/// Sources and streams that are right, for what is around them.
const REST: &str = "
sources: { aws: { type: firehose, listen: 127.0.0.1:4433 } }
streams: { s: { source: aws, destination: { type: blackhole } } }
";

/// A source's body, with a stream behind it.
fn source(body: &str) -> String {
    format!(
        "sources:\n  aws:\n{body}streams:\n  s: {{ source: aws, destination: {{ type: blackhole }} }}\n"
    )
}

/// A stream's body, with a source before it; it begins in line 4.
fn stream(body: &str) -> String {
    format!(
        "sources: {{ aws: {{ type: firehose, listen: 127.0.0.1:4433 }} }}\nstreams:\n  s:\n{body}"
    )
}

/// A destination's body; it begins in line 6.
fn destination(body: &str) -> String {
    stream(&format!("    source: aws\n    destination:\n{body}"))
}

/// A stream in one line; it stands in line 3.
fn one_stream(body: &str) -> String {
    format!(
        "sources: {{ a: {{ type: firehose, listen: 127.0.0.1:1 }} }}\nstreams:\n  s: {{ source: a, {body} }}\n"
    )
}

#[track_caller]
fn says(text: &str, expected: &[&str]) {
    let problems = bad(text);
    let said: Vec<String> = problems.list.iter().map(one_line).collect();
    assert_eq!(said, expected, "\n{text}");
}

/// *Scenario:* three mistakes in one file: a size without unit, a misspelt key, a source that is none.
/// *Guarantees:* all three are shown, each once, with its own line, a mark under it, and a hint.
#[test]
fn three_mistakes_are_three_problems() {
    let text = "disk_budget: 20\nsources:\n  aws:\n    type: firehose\n    listen: 127.0.0.1:4433\n\
                streams:\n  ecs:\n    source: awz\n    destination:\n      type: dynatrace\n      \
                url: https://abc12345.live.dynatrace.com\n      api_tokn: SECRETLITERAL # of prod\n";
    let expected = "\
error: disk_budget: must be a size, but has no unit
 --> hydrant.yaml:1:14
  |
1 | disk_budget: 20
  |              ^^
  = hint: write 20B for bytes, or 20MiB for mebibytes

error: streams.ecs.source: names a source that does not exist
 --> hydrant.yaml:8:13
  |
8 |     source: awz
  |             ^^^
  = hint: did you mean \"aws\"?

error: unknown key \"api_tokn\"
  --> hydrant.yaml:12:7
   |
12 |       api_tokn: ***
   |       ^^^^^^^^
   = hint: did you mean \"api_token\"?

3 errors in hydrant.yaml
";
    assert_eq!(report::text(&bad(text), Paint::PLAIN), expected);
}

/// *Scenario:* files that are no YAML, or more of it than is wanted.
/// *Guarantees:* one problem with place and, where the cause is known, what to do.
#[test]
fn yaml_itself() {
    says("", &["holds no settings | a minimal one is"]);
    says("# only words\n", &["holds no settings | a minimal one is"]);
    says("- 1\n", &["1:1 must be a map of keys and values, not a list | -"]);
    says(
        "a: 1\na: 2\n",
        &[
            "1:1 unknown key \"a\" | known here: data_dir, disk_budget, admin, log, sources, streams",
            "1:1 sources: is missing | name at least one: where deliveries come in",
            "1:1 streams: is missing | name at least one: what goes where",
            "2:1 a: duplicate key \"a\" | it is given first in line 1; keep one of them",
        ],
    );
    says(
        &format!("{REST}---\na: 1\n"),
        &[
            "4:1 a second YAML document | keep all settings in one document, without \"---\" between",
        ],
    );
    says(
        &format!("data_dir: !mine x{REST}"),
        &[
            "1:17 data_dir: a YAML tag, which means nothing here | remove it; ${NAME} and ${file:PATH} bring in values from outside",
        ],
    );
    let tab = bad("sources:\n\taws: 1\n");
    assert_eq!(tab.list.len(), 1);
    assert!(one_line(&tab.list[0]).ends_with("| indent with spaces; YAML takes no tabs"));
    let reference = bad("log: { level: ${LEVEL} }\n");
    assert!(one_line(&reference.list[0]).contains("put quotes around a value with"));
    let star = bad("a: [ *.live.dynatrace.com ]\n");
    assert!(one_line(&star.list[0]).contains("put quotes around a value that begins with"));
}

/// *Scenario:* anchors, merge keys and a bomb of aliases.
/// *Guarantees:* the first two work; the bomb is refused at a bound, not at the end of memory.
#[test]
fn anchors_and_bombs() {
    let merged = good(
        "sources:\n  a: &door { type: firehose, listen: 127.0.0.1:1, lenient: true }\n  b:\n    \
         <<: *door\n    listen: 127.0.0.1:2\nstreams: { s: { source: [a, b], destination: { type: \
         blackhole } } }\n",
    );
    assert_eq!(merged.sources[1].listen, "127.0.0.1:2");
    assert!(merged.sources[1].access.lenient);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let repeated = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{repeated}]\n"));
    }
    let problems = bad(&bomb);
    assert_eq!(problems.list.len(), 1);
    assert!(problems.list[0].rule.contains("more than 50000 values"), "{:?}", problems.list);
    let own = bad("a: &a [*a]\n");
    assert!(own.list[0].rule.contains("alias"), "{:?}", own.list);
}

/// *Scenario:* references to the environment and to files, in plain and quoted scalars.
/// *Guarantees:* each is replaced, `$${` stands for itself, and each mistake has its own message.
#[test]
fn references() {
    let folder = testkit::TempDir::new("settings");
    let file = folder.write("key", "from-a-file\n");
    let settings = good(&format!(
        "data_dir: ${{DIR:-./else}}\n{}",
        source(&format!(
            "    type: firehose\n    listen: '127.0.0.1:${{PORT}}'\n    access_keys: [\"${{KEY}}\", \
             'a$${{b}}', \"x-${{EMPTY:-y}}-${{EMPTY}}z\", \"${{file:{}}}\"]\n",
            file.display()
        ))
    ));
    assert_eq!(settings.data_dir, Path::new("./else"));
    assert_eq!(settings.sources[0].listen, "127.0.0.1:4433");
    let keys: Vec<&str> =
        settings.sources[0].access.keys.iter().map(remote::Secret::expose).collect();
    assert_eq!(keys, ["SECRETKEY", "a${b}", "x-y-z", "from-a-file"]);

    for (value, said) in [
        ("${NONE}", "environment variable NONE is not set | set NONE, or write ${NONE:-default}"),
        ("'${NONE}'", "environment variable NONE is not set | set NONE, or write ${NONE:-default}"),
        ("\"a ${b\"", "\"${\" is not closed by \"}\" | write \"$${\" for a literal \"${\""),
        (
            "\"${env:A}\"",
            "\"${env:A}\" is no reference | write ${A}; the forms are ${NAME}, ${NAME:-default} and ${file:PATH}",
        ),
        (
            "\"${A:-${B}}\"",
            "the default of A holds another reference | references do not nest; set the variable before Hydrant starts",
        ),
        (
            "\"${file:/does/not/exist}\"",
            "cannot read the file /does/not/exist: No such file or directory (os error 2) | the path is relative to the current directory; check name and permissions",
        ),
    ] {
        let expected = format!("1:11 data_dir: {said}");
        says(&format!("data_dir: {value}\n{REST}"), &[&expected]);
    }
}

/// *Scenario:* the top of the file.
/// *Guarantees:* each rule has its message.
#[test]
fn top_messages() {
    for (line, said) in [
        (
            "data_dir:",
            "1:1 data_dir: has no value | give it a value, or remove the line for the default",
        ),
        ("data_dir: ''", "1:11 data_dir: is empty | -"),
        ("data_dir: [a]", "1:11 data_dir: must be text, not a list | -"),
        ("disk_budget: 100MiB", "1:14 disk_budget: must be from 256MiB to 1024TiB | -"),
        (
            "disk_budget: 20gb",
            "1:14 disk_budget: must be a size, but has the unknown unit \"gb\" | sizes are written 512KiB, 3MiB, 20GiB or 1MB",
        ),
        (
            "admin: { listen: 8686 }",
            "1:18 admin.listen: must be an address host:port | write 127.0.0.1:4433 for this machine only, or 0.0.0.0:4433 for all",
        ),
        (
            "admin: { listen: http://localhost:1 }",
            "1:18 admin.listen: must be an address host:port | write host and port only; TLS is turned on by tls:",
        ),
        ("admin: 127.0.0.1:1", "1:8 admin: must be a map of keys and values, not text | -"),
        (
            "log: { level: warning }",
            "1:15 log.level: must be error, warn, info, debug or trace | -",
        ),
        (
            "log: { format: jsn }",
            "1:16 log.format: must be auto, text or json | did you mean \"json\"?",
        ),
        ("logs: {}", "1:1 unknown key \"logs\" | did you mean \"log\"?"),
    ] {
        says(&format!("{line}\n{REST}"), &[said]);
    }
}

/// *Scenario:* one source with a mistake.
/// *Guarantees:* each rule has its message.
#[test]
fn source_messages() {
    let typed = "    type: firehose\n    listen: 127.0.0.1:4433\n";
    for (body, said) in [
        (
            "    listen: 127.0.0.1:1\n",
            "2:3 sources.aws.type: is missing | one of firehose, aws_api, s3, file or stdin",
        ),
        ("    typ: firehose\n", "3:5 unknown key \"typ\" | did you mean \"type\"?"),
        (
            "    type: firehos\n",
            "3:11 sources.aws.type: must be firehose, aws_api, s3, file or stdin | did you mean \"firehose\"?",
        ),
        (
            "    type: firehose\n",
            "2:3 sources.aws.listen: is missing | for instance: listen: 127.0.0.1:4433",
        ),
        (
            "    type: firehose\n    listen: 127.0.0.1:99999\n",
            "4:13 sources.aws.listen: must be an address host:port | for instance 127.0.0.1:4433, or [::1]:4433",
        ),
        ("+    lenient: yes\n", "5:14 sources.aws.lenient: must be true or false | write true"),
        ("+    access_keys: ['']\n", "5:19 sources.aws.access_keys[0]: is empty | -"),
        (
            "+    limits: { in_flight: 5GiB }\n",
            "5:26 sources.aws.limits.in_flight: must be from 1MiB to below 4GiB | -",
        ),
        (
            "+    access_keys: [\"a\\nb\"]\n",
            "5:19 sources.aws.access_keys[0]: holds a character that an HTTP header cannot carry | take one of visible ASCII characters",
        ),
        (
            "+    tls: { cert_file: /no/such/file, key_file: Cargo.toml }\n",
            "5:23 sources.aws.tls.cert_file: cannot be read: No such file or directory (os error 2) | the path is relative to the current directory; check name and permissions",
        ),
        (
            "+    tls: { cert_file: Cargo.toml, key_file: Cargo.toml }\n",
            "5:23 sources.aws.tls.cert_file: cannot be used: cert_file Cargo.toml: no certificate found; it must hold '-----BEGIN CERTIFICATE-----', the server's own certificate first | both are PEM: the chain, the server's own first, and its private key",
        ),
        (
            "+    limits: { records: 0 }\n",
            "5:24 sources.aws.limits.records: must be a whole number from 1 to 100000 | -",
        ),
        (
            "+    limits: { header_time: 10 }\n",
            "5:28 sources.aws.limits.header_time: must be a duration, but has no unit | write 10s for seconds, or 10ms for milliseconds",
        ),
        (
            "+    limits: { wait: 3m }\n",
            "5:21 sources.aws.limits.wait: must be from 0s to 2m50s | -",
        ),
        ("+    limits: { bodi: 1MiB }\n", "5:15 unknown key \"bodi\" | did you mean \"body\"?"),
    ] {
        let body = match body.strip_prefix('+') {
            Some(more) => format!("{typed}{more}"),
            None => body.to_owned(),
        };
        let problems = bad(&source(&body));
        assert_eq!(one_line(&problems.list[0]), said, "\n{body}");
    }
    let long = format!("{typed}    access_keys: [{}]\n", "k".repeat(4097));
    says(
        &source(&long),
        &[
            "5:19 sources.aws.access_keys[0]: an access key has at most 4096 bytes | take one of visible ASCII characters",
        ],
    );
}

/// A source of type `aws_api` with these keys besides its address and region; they begin in line 6.
fn api(body: &str) -> String {
    format!(
        "sources:\n  cloud:\n    type: aws_api\n    listen: 127.0.0.1:4566\n    region: eu-west-1\n{body}"
    )
}

/// *Scenario:* each mistake in a source in place of AWS.
/// *Guarantees:* its place, the rule and what to do; secrets are not shown; without streams it is right.
#[test]
fn api_source_messages() {
    let key = |more: &str| {
        format!(
            "    credentials: [ {{ access_key_id: AKIDEXAMPLE, secret_access_key: SECRETVALUE, account_id: \"111122223333\"{more} }} ]\n"
        )
    };
    good(&api(&key("")));
    good(&api("    unsigned_account: \"111122223333\"\n"));
    good(&api("    unsigned_account: 111122223333\n"));
    good(&api(&key(
        ", policy: { Version: '2012-10-17', Statement: [ { Effect: Allow, Action: 's3:*', Resource: '*' } ] }",
    )));
    for (body, said) in [
        (String::new(), "3:5 sources.cloud: lets nobody call | give credentials: [ { access_key_id, secret_access_key, account_id } ], or unsigned_account for calls without a signature"),
        ("    credentials: []\n".to_owned(), "6:18 sources.cloud.credentials: holds no credential | give at least one"),
        ("    unsigned_account: \"1234\"\n".to_owned(), "6:23 sources.cloud.unsigned_account: must be an account id of 12 digits | write it in quotes, so that YAML keeps its zeros: \"111122223333\""),
        (key("").replace("1111", "x111"), "must be an account id of 12 digits"),
        (key("").replace("AKIDEXAMPLE", "A!"), "must be an access key id"),
        (key("").replace("secret_access_key: SECRETVALUE, ", ""), "secret_access_key: is missing"),
        (key("").replace(", account_id: \"111122223333\"", ""), "account_id: is missing"),
        (key("").replace(" ]", ", { access_key_id: AKIDEXAMPLE, secret_access_key: SECRETOTHER, account_id: \"444455556666\" } ]"), "is given twice"),
        (key(", policy: { Statement: [ { Effect: Allow, Action: '*', Resource: '*', Condition: { Bool: { x: 'true' } } } ] }"), "is no policy that can be kept to: "),
        (key(", policy: { Statement: [ { Effect: Allow, NotAction: '*', Resource: '*' } ] }"), "is no policy that can be kept to: "),
        (key(", policy: { Statement: [ { Effect: allow, Action: '*', Resource: '*' } ] }"), "is no policy that can be kept to: "),
        (key("") + "    seal_key: SECRETSHORT\n", "sources.cloud.seal_key: "),
        (key("") + "    window_grace: 11m\n", "sources.cloud.window_grace: "),
        (key("") + "    windows_size: 1MiB\n", "sources.cloud.windows_size: "),
        (key("") + "    raw_values_max: 100000001\n", "sources.cloud.raw_values_max: "),
        (key("") + "    s3_endpoint_url: ftp://x\n", "sources.cloud.s3_endpoint_url: "),
        (key("") + "    allow_http_endpoints: maybe\n", "sources.cloud.allow_http_endpoints: "),
        (key("") + "    limits: { body: 65MiB }\n", "sources.cloud.limits.body: "),
        (key("") + "    limits: { wait: 56s }\n", "sources.cloud.limits.wait: "),
        (key("") + "    access_keys: [x]\n", "unknown key \"access_keys\""),
        (key("") + "    regions: x\n", "unknown key \"regions\""),
    ] {
        let text = api(&body);
        let problems = bad(&text);
        let lines: Vec<String> = problems.list.iter().map(one_line).collect();
        assert!(lines.len() == 1 && lines[0].contains(said), "{text}\nsays {lines:#?}\nnot {said}");
        let shown = report::text(&problems, Paint::PLAIN);
        // A hint may name a variable that is called so.
        let secrets = ["SECRETVALUE", "SECRETOTHER", "SECRETSHORT"];
        assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let region = api(&key("")).replace("eu-west-1", "Ireland");
    assert!(one_line(&bad(&region).list[0]).contains("must be the name of a region"));
}

/// *Scenario:* one source of objects with a mistake.
/// *Guarantees:* each rule has its message.
#[test]
fn object_source_messages() {
    for (body, said) in [
        (
            "    type: s3\n",
            "2:3 sources.aws.bucket: is missing | name the bucket to list, or give sqs_queue_url",
        ),
        (
            "    type: s3\n    bucket: s3://metrics/a\n",
            "4:13 sources.aws.bucket: must be the name of a bucket | write the name only; what follows it is the prefix",
        ),
        (
            "    type: s3\n    sqs_queue_url: https://q\n    interval: 1m\n",
            "5:5 sources.aws.interval: cannot be given with sqs_queue_url | with a queue nothing is listed; remove one of the two",
        ),
        (
            "    type: s3\n    bucket: metrics\n    visibility: 1m\n",
            "5:5 sources.aws.visibility: has no queue | it belongs to messages of a queue; give sqs_queue_url",
        ),
        (
            "    type: s3\n    bucket: metrics\n    assume_role: { role_arn: reader }\n",
            "5:30 sources.aws.assume_role.role_arn: must be the ARN of a role | for instance arn:aws:iam::111122223333:role/hydrant-reader",
        ),
        (
            "    type: file\n",
            "2:3 sources.aws.path: is missing | a file, or a folder that is read with all folders in it",
        ),
        ("    type: stdin\n    path: x\n", "4:5 unknown key \"path\" | known here: type, limits"),
    ] {
        let problems = bad(&source(body));
        assert_eq!(one_line(&problems.list[0]), said, "\n{body}");
    }
}

/// *Scenario:* one stream with a mistake.
/// *Guarantees:* each rule has its message.
#[test]
fn stream_messages() {
    let typed = "    source: aws\n    destination: { type: blackhole }\n";
    for (body, said) in [
        (
            "    destination: { type: blackhole }\n",
            "3:3 streams.s.source: is missing | name a source, or a list of them",
        ),
        (
            "    source: aws\n",
            "3:3 streams.s.destination: is missing | say where it goes, beginning with its type",
        ),
        (
            "    source: []\n    destination: { type: blackhole }\n",
            "4:13 streams.s.source: names no source | name at least one",
        ),
        (
            "    source: [aws, aws]\n    destination: { type: blackhole }\n",
            "4:19 streams.s.source[1]: names this source twice | -",
        ),
        (
            "+    include: [ {} ]\n",
            "6:16 streams.s.include[0]: a filter that selects everything | name a namespace, metric_names, dimensions, accounts or regions",
        ),
        (
            "+    include: [ { namespace: A } ]\n    exclude: [ { namespace: B } ]\n",
            "7:5 streams.s.exclude: include and exclude cannot both be given | as in CloudWatch: keep one of the two, or make two streams",
        ),
        (
            "+    include: { namespace: A }\n",
            "6:14 streams.s.include: must be a list, not a map | put it in [ ], or write one \"- item\" a line",
        ),
        (
            "+    include: [ { accounts: [12] } ]\n",
            "6:29 streams.s.include[0].accounts[0]: an account id has 12 digits | keep its leading zeros",
        ),
        (
            "+    buffering: { size: 1GiB }\n",
            "6:24 streams.s.buffering.size: must be from 1KiB to 128MiB | -",
        ),
        (
            "+    buffering: { interval: 1h }\n",
            "6:28 streams.s.buffering.interval: must be from 0s to 15m | -",
        ),
        ("+    retry_duration: 8d\n", "6:21 streams.s.retry_duration: must be from 0s to 7d | -"),
        ("+    start_from: latest\n", "6:17 streams.s.start_from: must be newest or oldest | -"),
        (
            "+    backup: { s3: { bucket: b } }\n",
            "6:29 streams.s.backup.s3.bucket: must be the name of a bucket | 3 to 63 of the characters a-z 0-9 . -",
        ),
        (
            "+    backup: { mode: AllData }\n",
            "6:21 streams.s.backup.mode: must be failed_data_only or all_data | did you mean \"all_data\"?",
        ),
        ("+    max_backlog: 1KiB\n", "6:18 streams.s.max_backlog: must be at least 16MiB | -"),
        (
            "+    max_backlog: 1TiB\n",
            "6:18 streams.s.max_backlog: is more than the journal's share of disk_budget, 12.0 GiB | raise disk_budget, or lower max_backlog",
        ),
        (
            "+    concurrency: many\n",
            "6:18 streams.s.concurrency: must be a whole number from 1 to 64 | -",
        ),
    ] {
        let body = match body.strip_prefix('+') {
            Some(more) => format!("{typed}{more}"),
            None => body.to_owned(),
        };
        let problems = bad(&stream(&body));
        assert_eq!(one_line(&problems.list[0]), said, "\n{body}");
    }
}

type DestinationCase<'a> = (&'a str, &'a str, &'a str);

/// A start that is right, what makes it wrong, and what is said first.
#[track_caller]
fn destinations(cases: &[DestinationCase<'_>]) {
    for (start, body, said) in cases {
        let problems = bad(&destination(&format!("{start}{body}")));
        let first = problems.list.first().map(one_line);
        assert_eq!(first.as_deref(), Some(*said), "\n{start}{body}");
    }
}

/// *Scenario:* one destination with a mistake in its type, or of a simple type.
/// *Guarantees:* each rule has its message; types of later releases are refused as such.
#[test]
fn destination_messages() {
    destinations(&[
        (
            "",
            "      url: x\n",
            "5:5 streams.s.destination.type: is missing | one of dynatrace, otlp, prometheus_remote_write, http_endpoint, s3, file or blackhole",
        ),
        (
            "",
            "      type: http_endpoint\n",
            "5:5 streams.s.destination.url: is missing | for instance url: https://aws-api.example.com/metrics",
        ),
        (
            "",
            "      type: http_endpoint\n      url: https://e\n      record_size: 1000KiB\n      request_size: 1KiB\n",
            "8:7 streams.s.destination.record_size: is more than request_size | a request holds at least one record; raise request_size",
        ),
        (
            "",
            "      type: prometheus_remote_write\n      url: https://p/w\n      external_labels: { __name__: x }\n",
            "8:26 streams.s.destination.external_labels.__name__: is not a label name | letters, digits and _, not a digit first, and not __ first",
        ),
        (
            "",
            "      type: prometheus_remote_write\n      url: https://p/w\n      bearer_token: t\n      basic_auth: { username: u, password: p }\n",
            "9:7 streams.s.destination.basic_auth: cannot be given together with bearer_token | each would set the Authorization header; keep one",
        ),
        (
            "",
            "      type: s3\n      bucket: metrics\n      custom_time_zone: Berlin\n",
            "8:25 streams.s.destination.custom_time_zone: `Berlin` is not the name of a time zone, such as Europe/Berlin or UTC | -",
        ),
        (
            "",
            "      type: s3\n      bucket: metrics\n      prefix: 'a/!{time:yyyy}'\n",
            "8:15 streams.s.destination.prefix: `!{time:yyyy}`: the namespaces are `timestamp` and `firehose` | for instance cloudwatch/!{timestamp:yyyy/MM/dd/HH/}, with !{firehose:error-output-type}/ for failed data",
        ),
        (
            "",
            "      type: s3\n      bucket: metrics\n      object_size: 1KiB\n",
            "8:20 streams.s.destination.object_size: must be from 1MiB to 64MiB | -",
        ),
        (
            "",
            "      type: file\n",
            "5:5 streams.s.destination.path: is missing | for instance path: ./metrics.ndjson",
        ),
        (
            "",
            "      type: file\n      path: p\n      format: raw\n",
            "8:15 streams.s.destination.format: \"raw\" is not in this release | this release knows ndjson",
        ),
        (
            "",
            "      type: blackhole\n      path: p\n",
            "7:7 unknown key \"path\" | known here: type",
        ),
    ]);
}

/// *Scenario:* a Dynatrace destination with a mistake, fixed or by request.
/// *Guarantees:* each rule has its message.
#[test]
fn dynatrace_messages() {
    let dynatrace =
        "      type: dynatrace\n      url: https://a.live.dynatrace.com\n      api_token: t\n";
    let drop_in = "      type: dynatrace\n      from_request:\n        allowed_hosts: ['*.live.dynatrace.com']\n        token_key: 0123456789abcdef0123456789abcdef\n";
    destinations(&[
        (
            "",
            "      type: dynatrace\n      api_token: t\n",
            "5:5 streams.s.destination.url: is missing | for instance url: https://abc12345.live.dynatrace.com",
        ),
        (
            "",
            "      type: dynatrace\n      api_token: t\n      url: abc.live.dynatrace.com\n",
            "8:12 streams.s.destination.url: must be a URL that begins with https:// or http:// | for instance https://host.example.com",
        ),
        (
            "",
            "      type: dynatrace\n      api_token: t\n      url: https://h:99999\n",
            "8:12 streams.s.destination.url: must be a URL that begins with https:// or http://: invalid port number | for instance https://host.example.com",
        ),
        (
            "",
            "      type: dynatrace\n      api_token: t\n      url: https://u:SECRETPASS@h\n",
            "8:12 streams.s.destination.url: must not hold a user or password | use the keys for credentials",
        ),
        (
            dynatrace,
            "      too_old: drop\n",
            "9:16 streams.s.destination.too_old: must be quarantine or restamp | -",
        ),
        (
            dynatrace,
            "      from_request: {}\n",
            "7:7 streams.s.destination.url: cannot be given together with from_request | target and token come from each request; remove one of the two",
        ),
        (
            dynatrace,
            "      ca_file: /no/such\n",
            "9:16 streams.s.destination.ca_file: cannot be read: No such file or directory (os error 2) | the path is relative to the current directory; check name and permissions",
        ),
        (
            dynatrace,
            "      connect_timeout: 1h\n",
            "9:24 streams.s.destination.connect_timeout: must be from 100ms to 5m | -",
        ),
        (
            drop_in,
            "        lanes: 65\n",
            "10:16 streams.s.destination.from_request.lanes: must be a whole number from 1 to 64 | -",
        ),
        (
            "",
            "      type: dynatrace\n      from_request: { allowed_hosts: ['*.com'], token_key: 0123456789abcdef0123456789abcdef }\n",
            "7:39 streams.s.destination.from_request.allowed_hosts[0]: must be a host, or \"*.\" and a domain | write abc12345.live.dynatrace.com, or *.live.dynatrace.com",
        ),
        (
            "",
            "      type: dynatrace\n      from_request: { allowed_hosts: [], token_key: 0123456789abcdef0123456789abcdef }\n",
            "7:38 streams.s.destination.from_request.allowed_hosts: allows no host, so nothing could be delivered | name at least one host",
        ),
        (
            "",
            "      type: dynatrace\n      from_request: { allowed_hosts: [h], token_key: short }\n",
            "7:54 streams.s.destination.from_request.token_key: must have at least 32 bytes | make one with: openssl rand -base64 32",
        ),
    ]);
}

/// *Scenario:* an OTLP destination with a mistake.
/// *Guarantees:* each rule has its message.
#[test]
fn otlp_messages() {
    let otlp = "      type: otlp\n      endpoint: https://c:4318\n";
    destinations(&[
        (
            "      type: otlp\n      endpoint: c:4317\n",
            "      protocol: grpc\n      compression: zstd\n",
            "9:7 streams.s.destination.compression: is not known to gRPC | take gzip, which every gRPC receiver knows",
        ),
        (
            "      type: otlp\n      endpoint: https://c:4317/v1/metrics\n      protocol: grpc\n",
            "",
            "7:17 streams.s.destination.endpoint: has a path, and gRPC has none | give host and port only",
        ),
        (
            "      type: otlp\n      endpoint: collector\n      protocol: grpc\n",
            "",
            "7:17 streams.s.destination.endpoint: must be host:port, or a URL | for instance collector.example.com:4317, with TLS; http://host:4317 is without",
        ),
        (
            otlp,
            "      compression: gz\n",
            "8:20 streams.s.destination.compression: must be gzip, none or zstd | -",
        ),
        (
            otlp,
            "      headers: { 'a b': c }\n",
            "8:18 streams.s.destination.headers.a b: is not a header name | -",
        ),
        (
            otlp,
            "      headers: { Content-Type: c }\n",
            "8:18 streams.s.destination.headers.Content-Type: is set by Hydrant itself | compression and protocol decide it",
        ),
        (
            otlp,
            "      bearer_token: t\n      headers: { Authorization: c }\n",
            "8:7 streams.s.destination.bearer_token: cannot be given together with headers | each would set the Authorization header; keep one",
        ),
        (
            otlp,
            "      oauth2: { token_url: https://t, client_id: i }\n",
            "8:7 streams.s.destination.oauth2.client_secret: is missing | the secret the provider gave to this client, for instance ${CLIENT_SECRET}",
        ),
        (
            otlp,
            "      points: histogram\n",
            "8:15 streams.s.destination.points: must be summary, gauges or delta_histogram | -",
        ),
        (
            otlp,
            "      bytes_max: 1KiB\n",
            "8:18 streams.s.destination.bytes_max: must be from 64KiB to 64MiB | -",
        ),
    ]);
}

/// *Scenario:* a file or a backup at the settings file, around `data_dir`, and where Hydrant keeps its own; a
/// `data_dir` too long for the socket in it.
/// *Guarantees:* each is refused, with its place.
#[test]
fn nothing_is_written_over_what_hydrant_keeps() {
    for (text, expected) in [
        (
            format!(
                "data_dir: /{}\n{}",
                "d".repeat(94),
                one_stream("destination: { type: blackhole }")
            ),
            "1:11 data_dir: is too long: the path of the socket in it would have 108 bytes, and a socket's has 107 at most | take a shorter path, or a relative one",
        ),
        (
            one_stream("destination: { type: file, path: ./x/../hydrant.yaml }"),
            "3:52 streams.s.destination.path: is this settings file: it would be written over | take another place",
        ),
        (
            one_stream("destination: { type: file, path: ./hydrant-data/journal/a.ndjson }"),
            "3:52 streams.s.destination.path: lies within data_dir where Hydrant keeps things of its own | take another place",
        ),
        (
            one_stream("destination: { type: file, path: hydrant-data }"),
            "3:52 streams.s.destination.path: holds data_dir, where Hydrant keeps what it has taken | take another place",
        ),
        (
            one_stream(
                "destination: { type: blackhole }, backup: { directory: ./hydrant-data/quarantine }",
            ),
            "3:74 streams.s.backup.directory: lies within data_dir where Hydrant keeps things of its own | take another place",
        ),
    ] {
        says(&text, &[expected]);
    }
    good(&one_stream("destination: { type: file, path: ./hydrant-data/a.ndjson }"));
}

/// *Scenario:* two settings that contradict each other.
/// *Guarantees:* each relation has its message, at the one that comes second.
#[test]
fn relation_messages() {
    let drop_in = "type: dynatrace, from_request: { allowed_hosts: [h.example], token_key: 0123456789abcdef0123456789abcdef }";
    for (text, said) in [
        (
            "sources: { a: { type: firehose, listen: 127.0.0.1:4433 }, b: { type: firehose, listen: localhost:4433 } }\nstreams: { s: { source: [a, b], destination: { type: blackhole } } }\n".to_owned(),
            "1:88 sources.b.listen: listens where sources.a does, on 127.0.0.1:4433 | take another port",
        ),
        (
            REST.replace("4433", "8686"),
            "2:43 sources.aws.listen: listens where admin does, on 127.0.0.1:8686 | take another port",
        ),
        (
            "sources: { a: { type: firehose, listen: 127.0.0.1:1 }, unread: { type: firehose, listen: 127.0.0.1:2 } }\nstreams: { s: { source: a, destination: { type: blackhole } } }\n".to_owned(),
            "1:56 sources.unread: no stream reads this source: what it takes would go nowhere | add a stream with source: unread, or remove it",
        ),
        (
            format!("sources: {{ a: {{ type: firehose, listen: 127.0.0.1:1, access_keys: [k] }} }}\nstreams: {{ s: {{ source: a, destination: {{ {drop_in} }} }} }}\n"),
            "1:54 sources.a.access_keys: stream s takes the access key as the Dynatrace token (from_request) | remove access_keys, or read another source",
        ),
        (
            format!("sources: {{ a: {{ type: firehose, listen: 127.0.0.1:1 }} }}\nstreams:\n  s: {{ source: a, destination: {{ {drop_in} }} }}\n  t: {{ source: a, destination: {{ {drop_in} }} }}\n"),
            "4:51 streams.t.destination.from_request: stream s takes source a from_request already | give each its own source",
        ),
        (
            "sources: { a: { type: firehose, listen: 127.0.0.1:1 } }\nstreams:\n  s: { source: a, destination: { type: blackhole }, backup: { directory: ./b } }\n  t: { source: a, destination: { type: blackhole }, backup: { directory: b } }\n".to_owned(),
            "4:74 streams.t.backup.directory: stream s writes to b already | give each a place of its own",
        ),
        (
            "sources: { a: { type: firehose, listen: 127.0.0.1:1 } }\nstreams:\n  s: { source: a, destination: { type: blackhole }, backup: { directory: ./b } }\n  t: { source: a, destination: { type: blackhole }, backup: { directory: b/t } }\n".to_owned(),
            "4:74 streams.t.backup.directory: lies within what stream s writes to, or around it | give each a place of its own",
        ),
        (
            "sources: { api: { type: aws_api, listen: 127.0.0.1:1, region: eu-west-1, unsigned_account: \"111122223333\" }, api.s: { type: firehose, listen: 127.0.0.1:2 } }\nstreams: { s: { source: [api, api.s], destination: { type: blackhole } } }\n".to_owned(),
            "1:110 sources.api.s: begins with \"api.\", as what delivery streams of source api keep in the journal | write it as api-s",
        ),
        (
            "sources: { a: { type: stdin }, b: { type: stdin } }\nstreams:\n  s: { source: [a, b], destination: { type: blackhole } }\n".to_owned(),
            "1:32 sources.b: reads standard input, as source a does | keep one of the two",
        ),
        (
            "sources:\n  a: { type: s3, sqs_queue_url: https://q, prefix: a }\n  b: { type: s3, sqs_queue_url: https://q, prefix: b }\nstreams:\n  s: { source: [a, b], destination: { type: blackhole } }\n".to_owned(),
            "3:3 sources.b: reads the queue of source a | each message reaches one of them only: make it one source, with several streams",
        ),
        (
            "sources: { a: { type: file, path: tests } }\nstreams:\n  s: { source: a, destination: { type: file, path: tests/out } }\n".to_owned(),
            "1:12 sources.a: reads what Hydrant writes: tests/out | read a folder in which nothing of Hydrant lies",
        ),
        (
            format!("sources: {{ a: {{ type: stdin }} }}\nstreams: {{ s: {{ source: a, destination: {{ {drop_in} }} }} }}\n"),
            "1:12 sources.a: has no request that names a target and a token (from_request) | give stream s another source",
        ),
        (
            "sources: { a/b: { type: firehose, listen: 127.0.0.1:1 } }\nstreams: { s: { source: a/b, destination: { type: blackhole } } }\n".to_owned(),
            "1:12 sources.a/b: a name takes the letters A-Z, a-z, the digits, \".\", \"_\" and \"-\" | it becomes a folder in data_dir",
        ),
        (
            REST.replace("{ s: {", "{ .s: {"),
            "3:12 streams..s: a name must not begin with \".\" | it becomes a folder in data_dir",
        ),
    ] {
        says(&text, &[said]);
    }
}

/// *Scenario:* remote write to a receiver's root, with and without a slash and a query, and to a path.
/// *Guarantees:* a warning for the root, where no receiver takes samples, and none for the path.
#[test]
fn remote_write_to_the_root() {
    let warned = |url: &str| {
        let text = format!(
            "sources: {{ a: {{ type: firehose, listen: 127.0.0.1:1 }} }}\nstreams:\n  \
             t: {{ source: a, destination: {{ type: prometheus_remote_write, url: '{url}' }} }}\n"
        );
        let said: Vec<String> = good(&text).warnings.iter().map(one_line).collect();
        said.iter().any(|line| line.contains("has no path") && line.contains("/api/v1/write"))
    };
    for root in ["http://localhost:9090", "http://localhost:9090/", "http://localhost:9090/?a=/b"] {
        assert!(warned(root), "{root}");
    }
    assert!(!warned("http://localhost:9090/api/v1/write"));
}

/// *Scenario:* a drop-in stream and a plain one behind one source, open to all without keys.
/// *Guarantees:* allowed without a warning; without the drop-in stream the open door is a warning.
#[test]
fn open_doors() {
    let open = "sources: { a: { type: firehose, listen: 0.0.0.0:1 } }\nstreams:\n  t: { source: a, destination: { type: blackhole } }\n";
    let settings = good(open);
    let said: Vec<String> = settings.warnings.iter().map(one_line).collect();
    assert_eq!(
        said,
        [
            "1:41 sources.a.listen: takes deliveries from anyone who can reach it: there are no access_keys | give access_keys, the access key set on the Firehose stream",
        ]
    );
    let drop_in = format!(
        "{open}  s: {{ source: a, destination: {{ type: dynatrace, from_request: {{ allowed_hosts: \
         ['*.live.dynatrace.com'], token_key: '${{KEY}}${{KEY}}${{KEY}}${{KEY}}${{KEY}}' }} }} }}\n"
    );
    let settings = good(&drop_in);
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let Destination::FromRequest(from) = &settings.streams[1].destination else {
        panic!("not a drop-in: {:?}", settings.streams[1].destination)
    };
    assert_eq!((from.lanes_max, from.allowed_hosts.len()), (64, 1));
}

/// *Scenario:* the smallest settings that run.
/// *Guarantees:* every default is the one that docs/settings.md names.
#[test]
fn defaults() {
    let settings = good(REST);
    assert_eq!(settings.data_dir, Path::new("./hydrant-data"));
    assert_eq!(settings.budget.total_bytes, 20 << 30);
    assert_eq!(settings.admin.listen, "127.0.0.1:8686");
    let shares = settings.budget;
    assert_eq!(shares.journal_bytes, 12 << 30);
    let sum =
        shares.journal_bytes + shares.backup_bytes + shares.quarantine_bytes + shares.state_bytes;
    assert!(sum <= shares.total_bytes);
    let stream = &settings.streams[0];
    assert_eq!(stream.retry_duration, Duration::from_secs(300));
    assert_eq!(stream.buffering.interval, Duration::ZERO);
    assert_eq!(stream.start_from, StartFrom::Newest);
    assert_eq!(stream.backup.mode, BackupMode::FailedDataOnly);
    assert_eq!(stream.backup.directory, Path::new("./hydrant-data/backup/s"));
    assert_eq!(stream.max_backlog_bytes, 10 << 30);
    assert_eq!(settings.sources[0].limits, intake::firehose::Limits::default());
    good(settings::EXAMPLE);
}

/// Every key of this release, given.
const EVERYTHING: &str = include_str!("everything.yaml");

/// *Scenario:* a file that gives every key a value that is not the default.
/// *Guarantees:* it is accepted, and the values arrive where they belong.
#[test]
fn everything_is_read() {
    let settings = good(EVERYTHING);
    let source = &settings.sources[0];
    assert_eq!(source.limits.body_bytes, 64 << 20);
    assert_eq!(source.limits.in_flight_bytes, 16 << 20);
    assert_eq!(source.limits.wait, Duration::from_secs(30));
    assert_eq!(source.access.keys.len(), 2);
    let api = &settings.apis[0];
    assert_eq!(api.credentials[0].account_id, "011122223333");
    assert!(api.credentials[0].policy.is_some() && api.credentials[0].session_token.is_some());
    assert_eq!(api.unsigned_account.as_deref(), Some("111122223333"));
    assert_eq!(api.window_grace, Duration::from_secs(2));
    assert_eq!((api.windows_bytes, api.raw_values_max), (1 << 30, 5000));
    assert_eq!(api.limits.body_bytes, 16 << 20);
    assert!(api.allow_http_endpoints && api.tls.is_some());
    let stream = &settings.streams[0];
    assert_eq!(stream.include[0].dimensions.len(), 2);
    assert_eq!(stream.include[0].accounts, ["011122223333"]);
    let Destination::Fixed(Config::Otlp(otlp)) = &settings.streams[1].destination else {
        panic!("not otlp")
    };
    assert_eq!(otlp.compression, otlp::Compression::Zstd);
    assert_eq!(otlp.points, otlp::Points::DeltaHistogram);
    assert_eq!(otlp.resource_attributes, [("service.name".to_owned(), "cloudwatch".to_owned())]);
    assert!(otlp.oauth2.as_ref().is_some_and(|oauth2| oauth2.audience.is_some()));
    let enrich = &stream.enrich;
    assert_eq!(enrich.fixed[0].when.regions, ["eu-west-1"]);
    assert_eq!(enrich.fixed[0].attributes, [("environment".to_owned(), "production".to_owned())]);
    assert_eq!((enrich.fixed.len(), &enrich.fixed[1].when), (2, &rules::Filter::default()));
    let tags = enrich.tags.as_ref().expect("tags");
    assert_eq!((tags.keys.len(), tags.prefix.as_str()), (2, ""));
    assert_eq!(tags.rules.len(), rules::ArnRules::built_in().len() + 1);
    let refresh = &settings.tag_refreshes[0];
    assert_eq!((settings.tag_refreshes.len(), refresh.region.len()), (1, 2));
    assert_eq!((refresh.every, &refresh.keys), (Some(Duration::from_secs(300)), &tags.keys));
    assert_eq!(
        (&refresh.output, refresh.types.as_slice()),
        (&tags.file, &["ec2:instance".to_owned()][..])
    );
}

/// *Scenario:* every mistake in `enrich`.
/// *Guarantees:* each is named with its place and what to do; a snapshot that is not there yet is a warning.
#[test]
fn enrichment_mistakes() {
    let with = |enrich: &str| {
        REST.replace("source: aws,", &format!("source: aws, enrich: {{ {enrich} }},"))
    };
    let at = "streams.s.enrich";
    for (enrich, said) in [
        (
            "attributes: [ { set: {} } ]",
            "attributes[0].set: adds nothing | name at least one attribute",
        ),
        (
            "attributes: [ { } ]",
            "attributes[0].set: is missing | name the attributes to add: set: { environment: production }",
        ),
        (
            "attributes: [ { when: {}, set: { a: b } } ]",
            "attributes[0].when: a filter that selects everything | name a namespace, metric_names, dimensions, accounts or regions",
        ),
        (
            "attributes: [ { set: { Namespace: b } } ]",
            ": attributes[0]: \"Namespace\" is a name that every point has already",
        ),
        (
            "tags: { file: Cargo.toml }",
            "tags.keys: is missing | the keys of the tags to add, for instance [Name, team]",
        ),
        (
            "tags: { keys: [a] }",
            "tags.file: is missing | the snapshot that hydrant tags fetch --output writes",
        ),
        (
            "tags: { file: Cargo.toml, keys: [] }",
            "tags.keys: names no tag | name the tags to add; all of them would be a dimension each",
        ),
        ("tags: { file: Cargo.toml, keys: [a, b, a] }", "tags.keys[2]: names this tag twice"),
        (
            "tags: { file: Cargo.toml, keys: [a], rules_file: Cargo.toml }",
            "tags.rules_file: line 1: \"[package]\" is not a namespace and an ARN pattern behind it | docs/enrichment.md explains the rules",
        ),
    ] {
        let problems = bad(&with(enrich));
        let all: Vec<String> = problems.list.iter().map(one_line).collect();
        let expect =
            if said.starts_with(':') { format!(" {at}{said}") } else { format!(" {at}.{said}") };
        assert!(all.len() == 1 && all[0].contains(&expect), "{enrich}: {all:?}");
    }
    let refreshed =
        "source: aws, enrich: { tags: { file: t.json, keys: [a], refresh: { every: 2m } } },";
    let reading = "source: aws, enrich: { tags: { file: t.json, keys: [b, a] } },";
    let two = format!(
        "sources: {{ aws: {{ type: firehose, listen: 127.0.0.1:4433 }} }}\nstreams:\n  \
         s: {{ {refreshed} destination: {{ type: blackhole }} }}\n  \
         t: {{ {reading} destination: {{ type: blackhole }} }}\n"
    );
    let refreshes = good(&two).tag_refreshes;
    assert_eq!((refreshes.len(), refreshes[0].keys.join(",").as_str()), (1, "a,b"));
    let lost = |to: &str| {
        let text = with("attributes: [ { set: { a: b } } ]").replace("{ type: blackhole }", to);
        let said: Vec<String> = good(&text).warnings.iter().map(one_line).collect();
        said.iter().any(|line| line.contains("have no place for them"))
    };
    assert!(lost("{ type: http_endpoint, url: 'http://localhost:1' }"));
    assert!(!lost("{ type: otlp, endpoint: 'http://localhost:1' }"));
    let settings = good(&with("tags: { file: not-there.json, keys: a }"));
    let warned =
        settings.warnings.iter().any(|warning| one_line(warning).contains("cannot be read yet"));
    assert!(warned, "{:?}", settings.warnings);
    let tags = settings.streams[0].enrich.tags.as_ref().expect("tags");
    assert_eq!((tags.keys.len(), tags.prefix.as_str()), (1, "tag."));
    assert_eq!(tags.rules, rules::ArnRules::built_in());
}

/// *Scenario:* docs/settings.md beside the keys that the readers ask for.
/// *Guarantees:* every key is documented in a row of its own, and no row is about a key that is none.
#[test]
fn every_key_is_documented() {
    let asked = settings::keys_asked(EVERYTHING, &environment());
    let page = include_str!("../../../docs/settings.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: BTreeSet<String> = rows.map(|(key, _)| key.to_owned()).collect();
    let missing: Vec<_> = asked.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&asked).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing {missing:#?}, stale {stale:#?}");
}

/// What is missing around an example of a page.
fn whole(example: &str) -> String {
    let (cert, key) = certificate();
    let example = example.replace("server.crt", cert).replace("server.key", key);
    let part = |name: &str| example.lines().any(|line| line == name);
    if part("destination:") {
        let lines = example.lines().map(|line| format!("    {line}\n"));
        return stream(&format!("    source: aws\n{}", lines.collect::<String>()));
    }
    if example.starts_with("      tags:") {
        let body =
            "    source: aws\n    destination: { type: blackhole }\n    enrich:\n".to_owned();
        return stream(&(body + &example));
    }
    if part("sources:") && part("streams:") {
        return example;
    }
    if part("streams:") {
        return format!(
            "sources: {{ aws: {{ type: firehose, listen: 127.0.0.1:4433 }} }}\n{example}"
        );
    }
    let names = example.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names: Vec<&str> = names.filter(|name| !name.starts_with(' ')).collect();
    let names = names.join(", ");
    format!(
        "{example}streams: {{ s: {{ source: [{names}], destination: {{ type: blackhole }} }} }}\n"
    )
}

/// *Scenario:* every YAML example of the README and the pages, with what is missing around it.
/// *Guarantees:* each is right as it is printed.
#[test]
fn examples_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = std::fs::read_dir(root.join("docs")).expect("the pages are there");
    let pages = pages.map(|page| page.expect("the folder can be read").path());
    let mut tried = 0;
    for page in pages.chain([root.join("README.md")]) {
        let text = std::fs::read_to_string(&page).expect("a page is text");
        for example in text.split("\n```yaml\n").skip(1) {
            let (example, _) = example.split_once("```").expect("an example ends");
            let example = whole(example);
            if let Err(problems) = check(&example) {
                let said = report::text(&problems, Paint::PLAIN);
                panic!("{}:\n{said}\n{example}", page.display());
            }
            tried += 1;
        }
    }
    assert!(tried >= 11, "the search finds {tried} examples only");
}

/// *Scenario:* secrets in every place that takes one, and mistakes all around them.
/// *Guarantees:* neither the report, nor the JSON, nor the debug form of the settings shows one.
#[test]
fn no_secret_is_shown() {
    let settings = good(EVERYTHING);
    assert!(!format!("{settings:?}").contains("SECRET"), "{settings:?}");
    for text in [
        // Each line that is shown holds a secret beside the mistake.
        "sources: { a: { type: firehose, access_keys: [SECRET1], listen: x } }\nstreams: {}\n"
            .to_owned(),
        "sources:\n  a:\n    access_key: SECRET2 # SECRET3\n".to_owned(),
        destination("      type: dynatrace\n      api_token: [SECRET4]\n      url: ${WRONG}\n"),
        destination("      type: dynatrace\n      api_token: \"SECRET5\n"),
        destination(
            "      type: otlp\n      headers: SECRET6\n      endpoint: https://u:SECRET7@h\n",
        ),
        destination("      type: otlp\n      bearer_token: |\n        SECRET8\n        SECRET9\n"),
        "- SECRET10\n".to_owned(),
        "a: SECRET11\na: SECRET12\n".to_owned(),
        format!("disk_budget: ${{WRONG}}\nlog: {{ level: '${{TOKEN}}' }}\n{REST}"),
        "a: b: SECRET13\n".to_owned(),
    ] {
        let problems = bad(&text);
        let shown = format!(
            "{}{}{:?}",
            report::text(&problems, Paint::PLAIN),
            report::json(&problems.list),
            problems.list
        );
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}

proptest! {
    /// *Scenario:* any text at all, and pieces of YAML in any order.
    /// *Guarantees:* an answer, never a panic; and each problem lies inside the text.
    #[test]
    fn any_text_gets_an_answer(
        free in ".{0,200}",
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("sources:"), Just("streams:"), Just("\n"), Just("  "), Just("a:"), Just(" - "),
                Just("&a"), Just(" *a"), Just("{"), Just("}"), Just("["), Just("]"), Just(","),
                Just("type: "), Just("firehose"), Just("dynatrace"), Just("${A}"), Just("${"),
                Just("<<: "), Just("|"), Just("\""), Just("'"), Just("#"), Just("\t"), Just("\u{e9}"),
                Just("listen: "), Just("null"), Just("destination: "), Just("---\n"), Just("? "),
            ],
            0..60,
        ),
    ) {
        for text in [free, pieces.concat()] {
            if let Err(problems) = check(&text) {
                let lines = text.chars().filter(|c| matches!(c, '\r' | '\n')).count() + 1;
                prop_assert!(!problems.list.is_empty());
                for problem in &problems.list {
                    prop_assert!(problem.place.is_none_or(|place| place.line <= lines));
                }
                report::text(&problems, Paint::PLAIN);
            }
        }
    }
}
