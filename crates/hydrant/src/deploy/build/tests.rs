//! Settings and flags, and the plan they give or the words that refuse them.

use std::path::Path;

use clap::Parser;

use super::plan;
use crate::cli::{Cli, Command, DeployCommand, DeployOptions};
use crate::deploy::plan::{AccessKey, AttributeValue, Delivery, Http, Plan, Topology};
use crate::deploy::policy::{Target, Trust};
use crate::deploy::{Refusal, cloudformation, terraform};
use crate::exit::Exit;
use crate::settings::{self, Elsewhere, Environment};

const DOOR: &str = "aws: { type: firehose, listen: '0.0.0.0:443', access_keys: ['${KEY}'] }";
const ARCHIVE: &str = "archive: { type: s3, bucket: metrics, prefix: cw, visibility: 3m, sqs_queue_url: \
                       'https://sqs.eu-west-1.amazonaws.com/111122223333/told' }";
const TO_DYNATRACE: &str = "{ type: dynatrace, url: 'https://abc12345.live.dynatrace.com', api_token: \
                            '${DT_TOKEN}' }";

fn settings_of(sources: &str, streams: &[(&str, &str, &str)]) -> String {
    let mut text = format!("sources:\n  {}\nstreams:\n", sources.replace('\n', "\n  "));
    for (name, source, destination) in streams {
        text.push_str(&format!("  {name}: {{ source: {source}, destination: {destination} }}\n"));
    }
    text
}

fn options(flags: &str) -> DeployOptions {
    let words = ["hydrant", "deploy", "terraform"].into_iter().chain(flags.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{flags}: {error}"));
    let Command::Deploy(args) = cli.command else { panic!("another command") };
    match args.command {
        DeployCommand::Terraform(options) | DeployCommand::CloudFormation(options) => options,
    }
}

fn try_plan(text: &str, flags: &str) -> Result<Plan, Refusal> {
    // Nothing that the settings refer to is here.
    let environment = Environment::default().elsewhere();
    let settings = settings::check(text, Path::new("hydrant.yaml"), &environment);
    let settings = settings.unwrap_or_else(|problems| panic!("{text}{:?}", problems.list));
    let elsewhere = Elsewhere { text: text.to_owned(), settings, missing: Vec::new() };
    plan(&elsewhere, &options(flags))
}

#[track_caller]
fn good(text: &str, flags: &str) -> Plan {
    try_plan(text, flags).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

#[track_caller]
fn refused(text: &str, flags: &str, exit: Exit, words: &str) {
    match try_plan(text, flags) {
        Ok(_) => panic!("planned: {flags}"),
        Err(refusal) => {
            assert_eq!(refusal.exit, exit, "{refusal:?}");
            let said = format!("{} / {}", refusal.what, refusal.remedy);
            assert!(said.contains(words), "{said}");
            assert!(!refusal.remedy.is_empty());
        }
    }
}

fn http(plan: &Plan) -> &Http {
    let Delivery::Http(http) = &plan.delivery else { panic!("no HTTP") };
    http
}

fn default_of<'a>(plan: &'a Plan, name: &str) -> Option<&'a str> {
    let found = plan.parameters.iter().find(|parameter| parameter.name == name);
    found.unwrap_or_else(|| panic!("no parameter {name}")).default.as_deref()
}

fn everything(plan: &Plan) -> String {
    let files = terraform::files(plan).into_iter().chain(cloudformation::files(plan));
    files.map(|(name, text)| format!("{name}\n{text}")).collect()
}

/// *Scenario:* a source that listens, behind a name given by a flag.
/// *Guarantees:* Firehose delivers there with a key from a secret, and roles trust only this account.
#[test]
fn over_http() {
    let text = settings_of(DOOR, &[("s", "aws", TO_DYNATRACE)]);
    let plan = good(&text, "--endpoint-url https://metrics.example.com/ --attribute team=shop");
    assert_eq!(plan.topology, Topology::Http);
    assert_eq!(default_of(&plan, "endpoint_url"), Some("https://metrics.example.com/"));
    assert_eq!(http(&plan).access_key, AccessKey::Secret("access_key_secret_arn"));
    let team = ("team".to_owned(), AttributeValue::Literal("shop".to_owned()));
    assert_eq!(http(&plan).attributes, [team]);
    let trusts: Vec<Trust> = plan.roles.iter().map(|role| role.trust).collect();
    assert!(trusts.iter().all(|trust| matches!(trust, Trust::ServiceWithAccount(_))));
    let secret = Target::Secret("access_key_secret_arn");
    assert!(
        plan.roles
            .iter()
            .any(|role| role.statements.iter().any(|s| s.resources == [secret.clone()]))
    );
    // The source says nothing of tls: somebody must end it.
    assert!(plan.notes.iter().any(|note| note.contains("has no tls")), "{:?}", plan.notes);
    assert!(plan.queue.is_none() && plan.reader.is_none() && plan.function.is_none());
}

/// *Scenario:* hosts and ports that Firehose cannot deliver to, and URLs given by a flag.
/// *Guarantees:* each is refused with `--endpoint-url` as the remedy; a public name on 443 needs none.
#[test]
fn endpoints() {
    let at = |listen: &str| {
        let door = format!("aws: {{ type: firehose, listen: '{listen}', access_keys: [k] }}");
        settings_of(&door, &[("s", "aws", "{ type: blackhole }")])
    };
    let named = good(&at("metrics.example.com:443"), "");
    assert_eq!(default_of(&named, "endpoint_url"), Some("https://metrics.example.com/"));
    refused(&at("0.0.0.0:443"), "", Exit::Usage, "--endpoint-url");
    refused(&at("metrics.example.com:8443"), "", Exit::Usage, "port 443 only");
    for wrong in [
        "http://a.example.com/",
        "https://a.example.com:8443/",
        "https://1.2.3.4/",
        "https://user:pw@a.example.com/",
        "https://localhost/",
        "nonsense",
    ] {
        refused(
            &at("0.0.0.0:443"),
            &format!("--endpoint-url {wrong}"),
            Exit::Usage,
            "port 443 only",
        );
    }
}

/// *Scenario:* a source in drop-in mode, and Dynatrace's own endpoint.
/// *Guarantees:* both take the parameters that people's scripts for Dynatrace's client have.
#[test]
fn as_dynatrace() {
    let drop_in = "{ type: dynatrace, from_request: { allowed_hosts: ['*.live.dynatrace.com'], \
                   token_key: '${file:/nowhere}' } }";
    let door = "aws: { type: firehose, listen: '0.0.0.0:443' }";
    let text = settings_of(door, &[("s", "aws", drop_in)]);
    let plan = good(&text, "--endpoint-url https://metrics.example.com/");
    let own = good(&settings_of(DOOR, &[("s", "aws", TO_DYNATRACE)]), "--topology dynatrace");
    for plan in [&plan, &own] {
        let names: Vec<String> = plan.parameters.iter().map(|one| one.camel()).collect();
        for name in [
            "DynatraceEnvironmentUrl",
            "DynatraceApiKey",
            "RequireValidCertificate",
            "IncludeLinkedAccountsMetrics",
        ] {
            assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
        }
        assert_eq!(http(plan).access_key, AccessKey::Variable("dynatrace_api_key"));
        assert_eq!(default_of(plan, "buffering_size"), Some("3"));
    }
    assert_eq!(default_of(&own, "retry_duration"), Some("900"));
    let known = default_of(&own, "dynatrace_environment_url");
    assert_eq!(known, Some("https://abc12345.live.dynatrace.com"));
    assert_eq!(default_of(&plan, "dynatrace_environment_url"), None);
    assert_eq!(default_of(&own, "name"), Some("dynatrace-aws-metric-streams-client"));
    let text = settings_of(DOOR, &[("s", "aws", "{ type: blackhole }")]);
    refused(&text, "--topology dynatrace", Exit::BadSettings, "type dynatrace");
}

/// *Scenario:* a URL of Dynatrace that comes from the environment.
/// *Guarantees:* it is not written: what comes from outside stays outside.
#[test]
fn nothing_from_outside_is_written() {
    let to = "{ type: dynatrace, url: '${DT_URL}', api_token: 'dt0c01.LITERAL' }";
    let text = settings_of(DOOR, &[("s", "aws", to)]);
    for flags in ["--topology dynatrace", "--topology lambda"] {
        let plan = good(&text, flags);
        let written = everything(&plan);
        assert!(!written.contains("not-set.invalid"), "{written}");
        assert!(!written.contains("LITERAL"), "{written}");
    }
}

/// *Scenario:* a source of objects with a queue.
/// *Guarantees:* bucket, prefix, queue and region are those of the settings; only its own objects are
/// read and told.
#[test]
fn over_objects() {
    let text = settings_of(ARCHIVE, &[("s", "archive", "{ type: blackhole }")]);
    let plan = good(&text, "--reader arn:aws:iam::111122223333:role/hydrant");
    assert_eq!(plan.topology, Topology::Sqs);
    assert_eq!(plan.regions, ["eu-west-1"]);
    assert_eq!(plan.bucket.name.as_deref(), Some("metrics"));
    let queue = plan.queue.as_ref().expect("a queue");
    assert_eq!((queue.name.as_deref(), queue.prefix.as_str()), (Some("told"), "cw/"));
    assert_eq!(queue.visibility_seconds, 180);
    let reader = plan.reader.as_ref().expect("a reader");
    assert!(reader.role);
    let read = &reader.statements;
    assert!(read.iter().any(|s| s.resources == [Target::Objects("cw/".to_owned())]));
    assert!(default_of(&plan, "reader_external_id").is_none());
    let listed = "archive: { type: s3, bucket: metrics }";
    let plan = good(&settings_of(listed, &[("s", "archive", "{ type: blackhole }")]), "");
    assert_eq!(plan.topology, Topology::S3);
    assert!(plan.queue.is_none());
    assert!(plan.notes.iter().any(|note| note.contains("metrics/")), "{:?}", plan.notes);
}

/// *Scenario:* Hydrant as a function, with secrets in the settings: by reference, from a file, literal.
/// *Guarantees:* the function is given the stream; each secret is a parameter that is never shown.
#[test]
fn as_a_function() {
    let to = "{ type: otlp, endpoint: 'https://c.example.com', headers: { x-b: plain, x-key: '${KEY}' }, \
              oauth2: { token_url: 'https://t.example.com', client_id: i, client_secret: \
              '${file:/run/secret}' } }";
    let text = settings_of(DOOR, &[("s", "aws", to)]);
    let plan = good(&text, "--topology lambda");
    let function = plan.function.as_ref().expect("a function");
    assert!(
        function.stream.contains(r#""endpoint":"https://c.example.com""#),
        "{}",
        function.stream
    );
    assert!(!function.stream.contains("plain") && !function.stream.contains("/run/secret"));
    let variables: Vec<&str> = function.variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(variables, ["DESTINATION_HEADERS_X_B", "DESTINATION_OAUTH2_CLIENT_SECRET", "KEY"]);
    // `Key` is a resource in CloudFormation, and `name` a parameter.
    assert_eq!(function.variables[2].1, "stream_key");
    for (_, parameter) in &function.variables {
        let found = plan.parameters.iter().find(|one| one.name == *parameter).expect("a parameter");
        assert!(found.sensitive && found.default.is_none(), "{found:?}");
    }
    // What Hydrant reads there is what it reads here.
    let body = format!("{{source: lambda, {}", function.stream.trim_start_matches('{'));
    let read = format!("sources: {{ lambda: {{ type: stdin }} }}\nstreams: {{ lambda: {body} }}\n");
    let environment = Environment::of(&[
        ("KEY", "k"),
        ("DESTINATION_HEADERS_X_B", "plain"),
        ("DESTINATION_OAUTH2_CLIENT_SECRET", "s"),
    ]);
    let there = settings::check(&read, Path::new("x"), &environment);
    let there = there.unwrap_or_else(|problems| panic!("{read}{:?}", problems.list));
    let here = settings::check(
        &text.replace("${file:/run/secret}", "s"),
        Path::new("x"),
        &Environment::of(&[("KEY", "k")]),
    );
    let here = here.unwrap_or_else(|problems| panic!("{:?}", problems.list));
    assert_eq!(there.streams[0].destination, here.streams[0].destination);
}

/// *Scenario:* a source that listens beside one that reads objects, and flags that only one has.
/// *Guarantees:* the flag says which is meant; `--source` has the last word.
#[test]
fn flags_tell_the_source() {
    let text = settings_of(
        &format!("{DOOR}\n{ARCHIVE}"),
        &[("s", "aws", "{ type: blackhole }"), ("t", "archive", "{ type: blackhole }")],
    );
    for flags in [
        "--endpoint-url https://a.example.com/",
        "--topology http --endpoint-url https://b.example.com/",
    ] {
        assert_eq!(good(&text, flags).topology, Topology::Http, "{flags}");
    }
    let reader = "--reader arn:aws:iam::111122223333:role/hydrant";
    assert_eq!(good(&text, reader).topology, Topology::Sqs);
    refused(&text, &format!("--source aws {reader}"), Exit::Usage, "--reader means nothing");
    for nobody in ["*", "hydrant", "111122223333", "arn:aws:s3:::bucket", "arn:aws:iam::1:role/x"] {
        refused(&text, &format!("--reader {nobody}"), Exit::Usage, "is not the ARN of a role");
    }
}

/// *Scenario:* settings and flags from which nothing can be planned.
/// *Guarantees:* each is refused with the exit code and the flag that helps.
#[test]
fn refusals() {
    let file = settings_of("f: { type: file, path: ./in }", &[("s", "f", "{ type: blackhole }")]);
    refused(&file, "", Exit::BadSettings, "no source of type firehose or s3");
    let two = format!("{DOOR}\n{ARCHIVE}");
    let two = settings_of(
        &two,
        &[("s", "aws", "{ type: blackhole }"), ("t", "archive", "{ type: blackhole }")],
    );
    refused(&two, "", Exit::Usage, "--source: aws, archive");
    refused(&two, "--source nobody", Exit::Usage, "aws, archive");
    refused(&two, "--source aws --topology sqs", Exit::Usage, "does not fit");
    refused(&two, "--topology lambda", Exit::Usage, "--stream: s, t");
    let on_disk = settings_of(DOOR, &[("s", "aws", "{ type: file, path: ./a }")]);
    refused(&on_disk, "--topology lambda", Exit::BadSettings, "take a destination of type s3");
    refused(&two, "--topology lambda --stream u", Exit::Usage, "s, t");
    refused(&two, "--source archive --region eu-west-1,us-east-1", Exit::Usage, "several regions");
    refused(&two, "--source archive --region Ireland", Exit::Usage, "--region eu-west-1");
    refused(
        &two,
        "--source archive --endpoint-url https://a.example.com",
        Exit::Usage,
        "--endpoint-url",
    );
    refused(
        &two,
        "--topology lambda --stream s --source aws",
        Exit::Usage,
        "--source means nothing",
    );
    refused(&two, "--source archive --name My_Name", Exit::Usage, "letter");
    let names: Vec<String> = (0..1000).map(|number| format!("m{number}")).collect();
    let many = format!(
        "{}    include: [ {{ namespace: A, metric_names: [{}] }} ]\n",
        settings_of(ARCHIVE, &[])
            + "  s:\n    source: archive\n    destination: { type: blackhole }\n",
        names.join(", ")
    );
    refused(&many, "", Exit::BadSettings, "1001 entries");
}

/// *Scenario:* a source without access keys.
/// *Guarantees:* Firehose is given none, and it is said.
#[test]
fn without_a_key() {
    let door = "aws: { type: firehose, listen: '127.0.0.1:443' }";
    let text = settings_of(door, &[("s", "aws", "{ type: blackhole }")]);
    let plan = good(&text, "--endpoint-url https://a.example.com");
    assert_eq!(http(&plan).access_key, AccessKey::None);
    assert!(plan.notes.iter().any(|note| note.contains("access_keys")), "{:?}", plan.notes);
}

/// *Scenario:* several regions.
/// *Guarantees:* Terraform calls one module a region, with a secret of each; CloudFormation has one
/// template for all.
#[test]
fn one_a_region() {
    let text = settings_of(DOOR, &[("s", "aws", "{ type: blackhole }")]);
    let flags = "--endpoint-url https://a.example.com --region eu-west-1,us-east-1";
    let plan = good(&text, flags);
    let files = terraform::files(&plan);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..4], ["main.tf", "variables.tf", "outputs.tf", "versions.tf"]);
    assert!(names.contains(&"client/main.tf"));
    let main = &files[0].1;
    assert!(main.contains("module \"us_east_1\""), "{main}");
    assert!(main.contains("var.access_key_secret_arn[\"eu-west-1\"]"), "{main}");
    assert_eq!(cloudformation::files(&plan).len(), 1);
    assert_eq!(everything(&plan), everything(&good(&text, flags)));
}

/// *Scenario:* the roles and policies of the ways with the most of them.
/// *Guarantees:* exactly the actions that AWS's pages and docs/aws-access.md name, each with its
/// conditions: no more, and none is missing.
#[test]
fn permissions() {
    use crate::deploy::policy::Statement;
    let granted = |statements: &[Statement]| -> Vec<String> {
        let one = |statement: &Statement| {
            let keys = statement.conditions.iter().map(|one| format!(" if {}", one.key));
            format!("{}{}", statement.actions.join(" "), keys.collect::<String>())
        };
        statements.iter().map(one).collect()
    };
    let conditions = " if kms:ViaService if kms:EncryptionContext:aws:s3:arn";
    let text = settings_of(DOOR, &[("s", "aws", TO_DYNATRACE)]);
    let over_http = good(&text, "--endpoint-url https://a.example.com");
    let roles: Vec<_> =
        over_http.roles.iter().map(|role| (role.id, granted(&role.statements))).collect();
    let firehose = vec![
        "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads".to_owned(),
        "s3:AbortMultipartUpload s3:GetObject s3:PutObject".to_owned(),
        format!("kms:Decrypt kms:GenerateDataKey{conditions}"),
        "logs:PutLogEvents".to_owned(),
        "secretsmanager:GetSecretValue".to_owned(),
    ];
    let metric_stream = vec!["firehose:PutRecord firehose:PutRecordBatch".to_owned()];
    assert_eq!(roles, [("metric_stream", metric_stream), ("firehose", firehose.clone())]);

    let function = good(&text, "--topology lambda");
    let roles: Vec<_> =
        function.roles.iter().map(|role| (role.id, granted(&role.statements))).collect();
    let read =
        ["s3:ListBucket".to_owned(), "s3:GetObject".to_owned(), format!("kms:Decrypt{conditions}")];
    let own = ["sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes".to_owned()];
    let log = ["logs:CreateLogStream logs:PutLogEvents".to_owned()];
    assert_eq!(roles[1], ("firehose", firehose[..4].to_vec()));
    assert_eq!(roles[2], ("function", [&read[..], &own, &log].concat()));
    let queue = function.queue.expect("a queue");
    assert_eq!(granted(&queue.policy), ["sqs:SendMessage if aws:SourceAccount if aws:SourceArn"]);

    let told = good(&settings_of(ARCHIVE, &[("s", "archive", "{ type: blackhole }")]), "");
    let own =
        "sqs:ReceiveMessage sqs:DeleteMessage sqs:ChangeMessageVisibility sqs:GetQueueAttributes";
    let reader = told.reader.expect("a reader");
    assert_eq!(granted(&reader.statements), [&read[..], &[own.to_owned()]].concat());
}

/// *Scenario:* a prefix with what HCL, CloudFormation and IAM each take for more than text.
/// *Guarantees:* the reader may read below that prefix, and nowhere else.
#[test]
fn a_prefix_is_taken_literally() {
    let archive = ARCHIVE.replace("prefix: cw", "prefix: 'a\"b$${x}%{y}*'");
    let plan = good(&settings_of(&archive, &[("s", "archive", TO_DYNATRACE)]), "");
    let text = everything(&plan);
    for expected in [
        r#""${aws_s3_bucket.metrics.arn}/a\"b$${$}{x}%%{y}$${*}/*""#,
        r#":::metrics/a\"b${!$}{x}%{y}${!*}/*""#,
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

/// *Scenario:* a stream of a function that names variables which Lambda does not take, and one that is
/// a setting of the function itself.
/// *Guarantees:* each is refused with its key, before AWS refuses the template.
#[test]
fn names_that_no_function_can_have() {
    for name in ["B", "_TOKEN", "AWS_EXECUTION_ENV", "HYDRANT_STREAM", "HYDRANT_STREAM__X"] {
        let to =
            format!("{{ type: otlp, endpoint: 'https://c:4318', bearer_token: '${{{name}}}' }}");
        let text = settings_of(DOOR, &[("s", "aws", &to)]);
        let words = format!("streams.s.destination.bearer_token needs {name},");
        refused(&text, "--topology lambda --stream s", Exit::BadSettings, &words);
    }
}

/// *Scenario:* a common attribute twice, one that the way itself sends, and one too many.
/// *Guarantees:* refused, before Firehose does.
#[test]
fn common_attributes_are_single_and_few() {
    let text = settings_of(DOOR, &[("s", "aws", TO_DYNATRACE)]);
    let http = "--endpoint-url https://in.example.com/";
    let twice = format!("{http} --attribute a=1 --attribute a=2");
    refused(&text, &twice, Exit::Usage, "\"a\" is given already");
    refused(&text, "--topology dynatrace --attribute dt-url=x", Exit::Usage, "\"dt-url\" is given");
    let many: String = (0..51).map(|n| format!(" --attribute a{n}=1")).collect();
    refused(&text, &format!("{http}{many}"), Exit::Usage, "keep 50");
}
