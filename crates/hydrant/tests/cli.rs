//! The command line from the outside: help, exit codes, where words go.

use std::process::{Command, Output};

use clap::CommandFactory;
use hydrant::cli::Cli;
use hydrant::exit::Exit;

fn hydrant(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .args(arguments)
        .env_remove("HYDRANT_CONFIG")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the binary was built for this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("words are UTF-8")
}

/// Every command by its words, `stream forget` among them.
fn commands() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    for command in Cli::command().get_subcommands() {
        found.push((command.get_name().to_owned(), command.clone()));
        for below in command.get_subcommands() {
            found.push((format!("{} {}", command.get_name(), below.get_name()), below.clone()));
        }
    }
    found
}

/// *Scenario:* the definitions of all commands, and their help.
/// *Guarantees:* clap finds them sound, each help ends with examples, each example parses, and no line
/// is so long that it is broken where nobody meant it.
#[test]
fn every_help_shows_examples_that_parse() {
    Cli::command().debug_assert();
    let root = ("hydrant".to_owned(), Cli::command());
    for (name, mut command) in commands().into_iter().chain([root]) {
        let help = command.render_long_help().to_string();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{name}"));
        let mut shown = 0;
        for line in examples.lines() {
            let Some(start) = line.trim_start().strip_prefix("hydrant ") else { continue };
            // Two blanks begin the remark behind an example; the rest is the shell's.
            let mut words = start;
            for end in ["  ", " | ", " > "] {
                words = words.split(end).next().unwrap_or("");
            }
            let words = words.split_whitespace().map(|word| word.trim_matches('\''));
            let parsed = Cli::command().try_get_matches_from(["hydrant"].into_iter().chain(words));
            assert!(parsed.is_ok(), "{name}: {line}: {:?}", parsed.err());
            shown += 1;
        }
        assert!(shown > 0, "{name} shows no example");
        let written = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in written.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

/// *Scenario:* docs/cli.md beside the definitions.
/// *Guarantees:* every command has its section with an example, every exit code its row.
#[test]
fn commands_and_exit_codes_are_documented() {
    let page = include_str!("../../../docs/cli.md");
    for (name, _) in commands() {
        let heading = format!("## `hydrant {name}`\n");
        let (_, section) = page.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
        assert!(section.contains(&format!("\nhydrant {name}")), "no example of {name}");
    }
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(page.contains(&row), "{row}");
    }
    let help = Cli::command().render_long_help().to_string();
    for exit in Exit::ALL {
        assert!(help.contains(&exit.code().to_string()), "{exit:?} is not in the help");
    }
}

/// *Scenario:* help, version, no command, a misspelt one.
/// *Guarantees:* the first two go to stdout with 0; the others to stderr with 2 and a suggestion.
#[test]
fn usage() {
    let version = hydrant(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(text(&version.stdout), format!("hydrant {}\n", env!("CARGO_PKG_VERSION")));
    let help = hydrant(&["inspect", "--help"]);
    assert_eq!((help.status.code(), help.stderr.len()), (Some(0), 0));
    assert!(text(&help.stdout).contains("Examples:"));
    let bare = hydrant(&[]);
    assert_eq!((bare.status.code(), bare.stdout.len()), (Some(2), 0));
    let wrong = hydrant(&["validat"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(text(&wrong.stderr).contains("validate"), "{}", text(&wrong.stderr));
    let value = hydrant(&["demo", "--for", "30"]);
    assert_eq!(value.status.code(), Some(2));
    let said = text(&value.stderr);
    assert!(said.contains("has no unit: expected a duration like 30s"), "{said}");
    let size = hydrant(&["simulate", "--directory", "x", "--delivery-size", "5"]);
    let said = text(&size.stderr);
    assert!(said.contains("has no unit: expected a size like 512KiB"), "{said}");
    let nowhere = hydrant(&["simulate"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let ways = "\n  <--to <URL>|--put-metric-data|--directory <DIR>>\n";
    assert!(text(&nowhere.stderr).contains(ways), "{}", text(&nowhere.stderr));
}

/// *Scenario:* `validate` without a file, with a wrong one, and with a right one.
/// *Guarantees:* 78 with words on stderr and none on stdout; 0 with what would run on stdout.
#[test]
fn validate() {
    let folder = testkit::TempDir::new("validate");
    let none = hydrant(&["validate"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(78), 0));
    assert!(text(&none.stderr).contains("hint: write hydrant.yaml"), "{}", text(&none.stderr));
    let replay = hydrant(&["replay", "backup", "--to", "x"]);
    assert_eq!((replay.status.code(), replay.stderr), (Some(78), none.stderr), "said once");
    let endpoint = hydrant(&["replay", "backup", "--to-endpoint", "http://localhost:1"]);
    let said = text(&endpoint.stderr);
    assert_eq!((endpoint.status.code(), said.matches("error:").count()), (Some(78), 1), "{said}");
    assert!(said.contains("hint: --data-dir"), "{said}");

    let file = folder.write("hydrant.yaml", "sources: {}\nstream: {}\n");
    let file = file.to_str().expect("a temporary path is text");
    let wrong = hydrant(&["validate", "-c", file]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(78), 0));
    let said = text(&wrong.stderr);
    assert!(said.contains(&format!("{file}:2:1")), "{said}");
    assert!(said.ends_with(&format!("2 errors in {file}\n")), "{said}");
    assert!(!said.contains('\u{1b}'), "colours without a terminal");
    let json = hydrant(&["validate", "-c", file, "--output", "json"]);
    assert_eq!((json.status.code(), json.stderr.len()), (Some(78), 0));
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["problems"][0]["line"], 1);

    let file = folder.write("good.yaml", hydrant::settings::EXAMPLE);
    let file = file.to_str().expect("a temporary path is text");
    let right = hydrant(&["validate", "-c", file]);
    assert_eq!(right.status.code(), Some(0), "{}", text(&right.stderr));
    let said = text(&right.stdout);
    assert!(said.contains("aws: firehose on http://127.0.0.1:4433, 1 access key"), "{said}");
    assert!(said.contains("to-file: aws -> file ./metrics.ndjson"), "{said}");
    let absent = hydrant(&["validate", "-c", "/no/such/file.yaml"]);
    assert_eq!(absent.status.code(), Some(78));
    assert!(text(&absent.stderr).contains("cannot be read"), "{}", text(&absent.stderr));
}

/// *Scenario:* `validate --online` against a port where nobody listens, and a server that says 401.
/// *Guarantees:* 69 and 77, naming stream and destination.
#[test]
fn validate_online() {
    let folder = testkit::TempDir::new("online");
    let ask = |url: &str| {
        let settings = format!(
            "sources: {{ a: {{ type: firehose, listen: 127.0.0.1:4433 }} }}\nstreams: {{ s: {{ source: \
             a, destination: {{ type: dynatrace, url: '{url}', api_token: SECRET }} }} }}\n"
        );
        let file = folder.write("hydrant.yaml", settings);
        hydrant(&["validate", "--online", "-c", file.to_str().expect("text")])
    };
    let nobody = ask(&format!("http://127.0.0.1:{}", testkit::closed_port()));
    assert_eq!(nobody.status.code(), Some(69), "{}", text(&nobody.stdout));
    assert!(text(&nobody.stdout).contains("s: dynatrace http://127.0.0.1"));
    let peer = testkit::Peer::start(testkit::Reply::status(401));
    let refused = ask(&format!("http://{}", peer.address()));
    assert_eq!(refused.status.code(), Some(77), "{}", text(&refused.stdout));
    assert!(!text(&refused.stdout).contains("SECRET"));
}

/// *Scenario:* `hydrant status` with a settings file that is broken everywhere but for its data folder.
/// *Guarantees:* the folder is what it asks about; only when the folder cannot be told, the file's
/// problems are.
#[test]
fn status_needs_only_the_data_folder() {
    let dir = testkit::TempDir::new("status");
    let file =
        dir.write("broken.yaml", "data_dir: ./nowhere\nsources: { a: { type: '${MISSING}' } }\n");
    let answer = hydrant(&["status", "-c", file.to_str().expect("a plain path")]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(text(&answer.stderr).contains("./nowhere is not there"), "{}", text(&answer.stderr));

    let file = dir.write("worse.yaml", "data_dir: '${MISSING}'\n");
    let answer = hydrant(&["status", "-c", file.to_str().expect("a plain path")]);
    assert_eq!(answer.status.code(), Some(78));
    assert!(text(&answer.stderr).contains("MISSING"), "{}", text(&answer.stderr));
}

/// *Scenario:* completions for each shell, the manual page, and the pages of all commands.
/// *Guarantees:* each names every command; a page says what the help says; Bash takes its script.
#[test]
fn completions_and_manual() {
    for shell in ["bash", "zsh", "fish"] {
        let script = hydrant(&["completions", shell]);
        assert_eq!((script.status.code(), script.stderr.len()), (Some(0), 0));
        let script = text(&script.stdout);
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
    let asked = "source <(\"$1\" completions bash); COMP_WORDS=(hydrant val) COMP_CWORD=1; \
                 _hydrant hydrant val hydrant; echo \"${COMPREPLY[@]}\"";
    let arguments = ["-ec", asked, "bash", env!("CARGO_BIN_EXE_hydrant")];
    let bash = Command::new("bash").args(arguments).output();
    let completed = bash.expect("bash is there");
    assert_eq!(text(&completed.stdout), "validate\n", "{}", text(&completed.stderr));

    let page = hydrant(&["man"]);
    assert_eq!(page.status.code(), Some(0));
    let page = text(&page.stdout);
    assert!(page.contains(".TH hydrant 1") && page.contains("hydrant\\-replay(1)"), "{page}");
    let folder = testkit::TempDir::new("man");
    let into = folder.path().to_str().expect("a temporary path is text");
    assert_eq!(hydrant(&["man", "--directory", into]).status.code(), Some(0));
    for (name, _) in commands() {
        let file = folder.join(&format!("hydrant-{}.1", name.replace(' ', "-")));
        let page = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        let (_, kept) = page.split_once(".SH EXAMPLES\n.nf\n  hydrant ").expect(&name);
        let kept = kept.split_once("\n.fi\n").map_or(kept, |(kept, _)| kept);
        assert!(!kept.contains("\n\n"), "words are filled: {name}: {kept}");
    }
}

/// *Scenario:* commands that print data, with a stdout that takes none.
/// *Guarantees:* 74 and one line that says so, in each.
#[test]
fn a_full_stdout_is_one_failure() {
    let folder = testkit::TempDir::new("full");
    let settings = "sources: { a: { type: aws_api, listen: '127.0.0.1:1', region: r-1, unsigned_account: '111122223333' } }";
    folder.write("hydrant.yaml", settings);
    folder.write("board.json", "{}");
    folder.write("point.json", r#"{"metric_stream_name":"m","account_id":"1","region":"r","namespace":"N","metric_name":"M","dimensions":{},"timestamp":1795178040000,"value":{"max":1.0,"min":1.0,"sum":1.0,"count":1.0},"unit":"None"}"#);
    for words in [
        &["--help"][..],
        &["--version"],
        &["status", "--help"],
        &["validate"],
        &["validate", "--output", "json"],
        &["doctor", "413"],
        &["doctor"],
        &["completions", "bash"],
        &["man"],
        &["inspect", "point.json"],
        &["migrate", "dynatrace", "board.json"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hydrant"))
            .args(words)
            .env_remove("HYDRANT_CONFIG")
            .current_dir(folder.path())
            .stdout(std::fs::File::create("/dev/full").expect("Linux has it"))
            .output()
            .expect("the binary was built for this test");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{words:?}: {said}");
        assert!(said.contains("cannot write to stdout: No space left"), "{words:?}: {said}");
    }
}

/// *Scenario:* `simulate`, with deliveries and with calls, at a port where nobody listens.
/// *Guarantees:* 69 soon, with what was met.
#[test]
fn nobody_listens_is_said_soon() {
    let begun = std::time::Instant::now();
    for how in ["--gzip", "--put-metric-data"] {
        let output = Command::new(env!("CARGO_BIN_EXE_hydrant"))
            .args(["simulate", how, "--to", "http://127.0.0.1:1"])
            .envs([
                ("AWS_ACCESS_KEY_ID", "a"),
                ("AWS_SECRET_ACCESS_KEY", "b"),
                ("AWS_REGION", "r-1"),
            ])
            .output()
            .expect("the binary was built for this test");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(69), "{how}: {said}");
        assert!(said.contains("Connection refused"), "{how}: {said}");
    }
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

/// *Scenario:* a bucket and a queue to read and a bucket for backups, where nobody listens.
/// *Guarantees:* `validate --online` asks each, and says which cannot be reached: 69.
#[test]
fn sources_and_backups_are_asked_too() {
    let folder = testkit::TempDir::new("online");
    let nobody = "region: eu-west-1, endpoint_url: 'http://127.0.0.1:1'";
    let settings = format!(
        "sources:\n  listed: {{ type: s3, bucket: objects, {nobody} }}\n  told: {{ type: s3, sqs_queue_url: 'http://127.0.0.1:1/1/q', {nobody} }}\n\
         streams:\n  s: {{ source: [listed, told], destination: {{ type: blackhole }}, backup: {{ s3: {{ bucket: kept, {nobody} }} }} }}\n"
    );
    folder.write("hydrant.yaml", settings);
    let output = Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .args(["validate", "--online", "--output", "json"])
        .env_remove("HYDRANT_CONFIG")
        .envs([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")])
        .current_dir(folder.path())
        .output()
        .expect("the binary was built for this test");
    assert_eq!(output.status.code(), Some(69), "{}", text(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for (found, name) in [
        (&answer["asked_sources"][0], "listed"),
        (&answer["asked_sources"][1], "told"),
        (&answer["backups"][0], "s"),
    ] {
        let owner = found.get("source").or(found.get("stream"));
        assert_eq!((owner, &found["ok"]), (Some(&name.into()), &false.into()), "{answer:#}");
        assert!(found["message"].as_str().is_some_and(|said| said.contains("refused")), "{found}");
    }
    assert_eq!(answer["destinations"][0]["ok"], true);
}

/// *Scenario:* `status --ready` where no process runs.
/// *Guarantees:* exit 1, the reason on stderr, nothing on stdout.
#[test]
fn ready_needs_a_process() {
    let folder = testkit::TempDir::new("ready");
    let data = folder.path().to_str().expect("a temporary path is text");
    let answer = hydrant(&["status", "--ready", "--data-dir", data]);
    assert_eq!((answer.status.code(), answer.stdout.len()), (Some(1), 0));
    assert!(text(&answer.stderr).contains("no process is running"), "{}", text(&answer.stderr));
}

/// *Scenario:* `hydrant doctor` with codes as arguments and on stdin, with a failed record, an unknown
/// code, and text without any.
/// *Guarantees:* cause and remedy on stdout; the status of a refused delivery is explained; 1 for an
/// unknown code, 65 without any.
#[test]
fn doctor_explains_codes() {
    let known = hydrant(&["doctor", "HttpEndpoint.InvalidResponseFromDestination"]);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known.stderr));
    let said = text(&known.stdout);
    assert!(said.contains("cause   ") && said.contains("remedy  "), "{said}");
    let record = r#"{"errorCode":"HttpEndpoint.DestinationException","errorMessage":"The following response was received from the endpoint destination. 401: {}","rawData":"QQ=="}"#;
    let folder = testkit::TempDir::new("doctor");
    let file = folder.write("failed", format!("{record}\n{record}\n"));
    let output = Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .args(["doctor", "-"])
        .stdin(std::fs::File::open(file).expect("it was written"))
        .output()
        .expect("the binary was built for this test");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("2 times") && said.contains("  401     no access key"), "{said}");
    let unknown = hydrant(&["doctor", "HttpEndpoint.Nonsense"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stdout).contains("not known"));
    let none = hydrant(&["doctor", "no code at all"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(65), 0));
    let json = hydrant(&["doctor", "S3.SlowDown", "--output", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(answer["codes"][0]["code"], "S3.SlowDown");
}
