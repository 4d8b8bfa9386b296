//! Settings from environment variables alone.
//!
//! A variable for each key of a stream (`HYDRANT_STREAM__DESTINATION__URL`), or the body of a stream
//! as YAML (`HYDRANT_STREAM`), or the names of the Python recipes; and one for each key of the source
//! of objects (`HYDRANT_SOURCE__REGION`). All become the text of a settings
//! file that refers to the variables (`"${NAME}"`) and goes through the same check: same keys, same
//! rules, same defaults, and no value ever stands in a text that could be shown. Deliberately not
//! here: what the keys mean.

mod recipe;
mod tree;

use std::path::Path;
use std::time::Duration;

use delivery::{BackupMode, Buffering, Destination, StartFrom, StreamConfig, sink};
use intake::objects::s3;

use crate::settings::{self, Environment, ObjectSource, Severity, quantity};
use tree::Tree;

/// Name of source and stream, in logs and in the names of backup objects.
pub(super) const NAME: &str = "lambda";
/// The body of a stream, and the prefix of its keys.
const STREAM: &str = "HYDRANT_STREAM";
const KEY_PREFIX: &str = "HYDRANT_STREAM__";
/// The prefix of the keys of a source of type `s3`: as whom objects are read, and where S3 is.
const SOURCE_PREFIX: &str = "HYDRANT_SOURCE__";
/// Keys of a source of type `s3` that say which objects are read: here the events say it.
const OBJECTS_KEYS: [&str; 6] =
    ["bucket", "prefix", "sqs_queue_url", "interval", "start_after", "visibility"];
/// The check wants a bucket; which one is read, the events say.
const ANY_BUCKET: &str = "named-by-events";
/// Posting the answer takes milliseconds; the rest is for a machine that is just being slowed down.
const MARGIN_DEFAULT: Duration = Duration::from_secs(1);
/// Lambda's smallest function; outside Lambda nothing says more.
const MEMORY_DEFAULT: u64 = 128 << 20;

/// What becomes of an invocation with points that were refused for good, or that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnRefused {
    /// An object of which nothing could be used fails; single points and pieces are logged.
    FailObject,
    /// Any fails.
    Fail,
    /// All are logged.
    Log,
}

/// Said of a stream that names its source.
const OWN_SOURCE: &str =
    "a function is its own source, it reads what the events name: leave this out";

/// Everything the environment says, checked.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    /// The stream.
    pub stream: StreamConfig,
    /// False when no destination was named: then only transformation events can be served.
    pub delivers: bool,
    /// Refused points go to a bucket.
    pub has_bucket: bool,
    /// `S3_BUCKET_NAME`, for a manual invocation.
    pub bucket: Option<String>,
    /// `S3_PREFIX`, for a manual invocation.
    pub prefix: Option<String>,
    /// `HYDRANT_ON_REFUSED`.
    pub on_refused: OnRefused,
    /// `HYDRANT_DEADLINE_MARGIN`.
    pub margin: Duration,
    /// As whom objects are read, and within which limits.
    pub source: s3::Config,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in bytes.
    pub memory_bytes: u64,
    /// What is allowed, but worth a word at start.
    pub warnings: Vec<String>,
}

/// Reads and checks them all. The error says everything that is wrong, a line each.
pub(super) fn read(environment: &Environment, folder: &Path) -> Result<Variables, String> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let source = Source::of(environment, &mut problems, &mut warnings);
    let mut reading = Tree::of_variables(environment, SOURCE_PREFIX, &mut problems);
    warnings.extend(
        reading
            .variables_of(&OBJECTS_KEYS)
            .map(|name| format!("{name} is not used: the events say which objects are read")),
    );
    unread(environment, &mut problems, &mut warnings);
    reading.put(&["type"], "s3", "");
    reading.put(&["bucket"], ANY_BUCKET, "");
    let text = source.text(folder, &reading);
    let checked = match settings::check(&text, Path::new("environment"), environment) {
        Ok(checked) => Some(checked),
        Err(found) => {
            let errors = found.list.iter().filter(|one| one.severity == Severity::Error);
            problems.extend(errors.map(|one| source.sentence(one, &reading)));
            None
        }
    };
    let on_refused = on_refused(environment, &mut problems);
    let margin = margin(environment, &mut problems);
    let read = checked.and_then(|settings| {
        warnings.extend(settings.warnings.iter().map(|one| source.sentence(one, &reading)));
        let ObjectSource::S3(from) = settings.objects.into_iter().next()? else { return None };
        Some((from, settings.streams.into_iter().next()?))
    });
    let read = read.map(|(from, stream)| (from, source.adapt(stream, &mut problems)));
    if let Some((_, stream)) = &read
        && matches!(stream.destination, Destination::Fixed(sink::Config::File(_)))
    {
        warnings.push(
            "destination.type: file: what is written to the disk of a function is lost with it: \
             take s3"
                .to_owned(),
        );
    }
    match read {
        Some((from, stream)) if problems.is_empty() => Ok(Variables {
            source: *from,
            delivers: source.delivers(),
            has_bucket: stream.backup.s3.is_some(),
            stream,
            bucket: given(environment, "S3_BUCKET_NAME").map(str::to_owned),
            prefix: given(environment, "S3_PREFIX").map(str::to_owned),
            on_refused,
            margin,
            memory_bytes: memory_bytes(environment),
            warnings,
        }),
        _ => {
            problems.dedup();
            Err(problems.join("\n"))
        }
    }
}

/// Variables that look like ours and that nobody reads. A misspelt filter would let everything through.
fn unread(environment: &Environment, problems: &mut Vec<String>, warnings: &mut Vec<String>) {
    let known = [STREAM, "HYDRANT_ON_REFUSED", "HYDRANT_DEADLINE_MARGIN"];
    let ours: Vec<&str> = environment.names().filter(|n| n.starts_with("HYDRANT_")).collect();
    // A value may refer to a variable of any name.
    let is_referred_to = |name: &str| {
        let reference = format!("${{{name}");
        ours.iter().any(|one| environment.text(one).is_some_and(|text| text.contains(&reference)))
    };
    for name in ours.iter().filter(|name| given(environment, name).is_some()) {
        let is_key = name.starts_with(KEY_PREFIX) || name.starts_with(SOURCE_PREFIX);
        if is_key || known.contains(name) || is_referred_to(name) {
            continue;
        }
        if name.starts_with("HYDRANT_STREAM_") || name.starts_with("HYDRANT_SOURCE_") {
            problems.push(format!("{name}: nobody reads it: two underscores stand between keys"));
        } else {
            warnings.push(format!("{name} is not used"));
        }
    }
}

/// The text of a variable; one set to nothing counts as not set.
fn given<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.text(name).filter(|text| !text.is_empty())
}

/// Where the stream is described.
enum Source<'a> {
    /// `HYDRANT_STREAM`.
    Body(&'a str),
    /// One variable a key, over those of a recipe.
    Keys { tree: Tree, recipe: bool, delivers: bool },
}

impl<'a> Source<'a> {
    fn of(
        environment: &'a Environment,
        problems: &mut Vec<String>,
        warnings: &mut Vec<String>,
    ) -> Source<'a> {
        let keys = Tree::of_variables(environment, KEY_PREFIX, problems);
        let recipes = recipe::found(environment);
        if let Some(body) = given(environment, STREAM) {
            if let Some(name) = keys.first_variable() {
                problems.push(format!("{STREAM} and {name} are both set: keep one way"));
            }
            warnings.extend(recipes.iter().map(|one| one.unused(STREAM)));
            return Source::Body(body);
        }
        if keys.holds(&["destination", "type"]) {
            let by = "HYDRANT_STREAM__DESTINATION__TYPE";
            warnings.extend(recipes.iter().map(|one| one.unused(by)));
            return Source::Keys { tree: keys, recipe: false, delivers: true };
        }
        if let [one, other, ..] = recipes.as_slice() {
            let (one, other) = (one.variable(), other.variable());
            problems.push(format!(
                "{one} and {other} are both set: each says where to deliver; keep one"
            ));
        }
        if let Some(recipe) = recipes.first() {
            let mut tree = recipe.tree(environment);
            tree.lay_over(keys);
            return Source::Keys { tree, recipe: true, delivers: true };
        }
        let mut tree = keys;
        let delivers = tree.holds(&["destination"]);
        if !delivers {
            // A function that only transforms needs no destination, but the check does.
            tree.put(&["destination", "type"], "blackhole", "");
        }
        Source::Keys { tree, recipe: false, delivers }
    }

    fn delivers(&self) -> bool {
        match self {
            Source::Body(_) => true,
            Source::Keys { delivers, .. } => *delivers,
        }
    }

    /// As a settings file.
    fn text(&self, folder: &Path, reading: &Tree) -> String {
        let folder = serde_json::Value::from(folder.display().to_string().replace("${", "$${"));
        let mut text = format!("data_dir: {folder}\nsources:\n  {NAME}:\n");
        reading.write(&mut text);
        text.push_str("streams:\n");
        match self {
            Source::Keys { tree, .. } => {
                text.push_str(&format!("  {NAME}:\n    source: {NAME}\n"));
                tree.write(&mut text);
            }
            Source::Body(body) => match body.trim().strip_prefix('{') {
                Some(rest) => {
                    let rest = rest.replace('\n', "\n    ");
                    text.push_str(&format!("  {NAME}: {{source: {NAME}, {rest}\n"));
                }
                None => {
                    text.push_str(&format!("  {NAME}:\n    source: {NAME}\n"));
                    for line in body.lines() {
                        text.push_str(&format!("    {line}\n"));
                    }
                }
            },
        }
        text
    }

    /// A problem in the words of whoever set the variables.
    fn sentence<'s>(&'s self, problem: &'s settings::Problem, reading: &'s Tree) -> String {
        let (section, path) = problem.path.split_once('.').unwrap_or(("", &problem.path));
        let path = path.strip_prefix(NAME).unwrap_or(path).trim_start_matches('.');
        let is_unknown = problem.rule.starts_with("unknown key");
        // A misspelt key may have keys below it.
        let find = |tree: &'s Tree| {
            tree.variable_of(path).or_else(|| tree.variable_below(path).filter(|_| is_unknown))
        };
        let variable = match self {
            _ if section == "sources" => find(reading),
            Source::Body(_) => Some(STREAM),
            Source::Keys { tree, .. } => find(tree),
        };
        let named = variable.filter(|name| !name.is_empty()).map(str::to_owned);
        let missing = matches!(self, Source::Keys { .. }) && problem.rule.starts_with("is missing");
        // The one that would say it.
        let named = named.or_else(|| {
            let keys = path.to_ascii_uppercase().replace('.', "__");
            missing.then(|| format!("{KEY_PREFIX}{keys}"))
        });
        let (rule, hint) = match problem.rule.starts_with("duplicate key") {
            true if path == "source" => (OWN_SOURCE, None),
            // The hint counts the lines of a text that nobody wrote.
            true => (problem.rule.as_str(), Some("keep one of them")),
            false => (problem.rule.as_str(), problem.hint.as_deref()),
        };
        let path = (!path.is_empty() && !is_unknown).then(|| path.to_owned());
        let words: Vec<String> = named.into_iter().chain(path).chain([rule.to_owned()]).collect();
        let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{}{hint}", words.join(": "))
    }

    /// What is different where nothing is kept for the next day.
    fn adapt(&self, mut stream: StreamConfig, problems: &mut Vec<String>) -> StreamConfig {
        if matches!(stream.destination, Destination::FromRequest(_)) {
            problems.push(
                "destination.from_request: there is no request to take it from (give url and \
                 api_token)"
                    .to_owned(),
            );
        }
        if stream.backup.mode == BackupMode::AllData && stream.backup.s3.is_none() {
            problems.push(
                "backup.mode: all_data needs backup.s3: a function keeps no files".to_owned(),
            );
        }
        if let (Source::Keys { recipe: true, .. }, Destination::Fixed(sink::Config::Otlp(otlp))) =
            (self, &mut stream.destination)
        {
            otlp.endpoint = recipe::as_given(&otlp.endpoint);
        }
        // Every object is delivered before the answer: waiting for more would only cost time.
        stream.buffering = Buffering { size_bytes: 1, interval: Duration::ZERO };
        if let Some(s3) = &mut stream.backup.s3 {
            s3.all_data.interval = Duration::ZERO;
        }
        stream.start_from = StartFrom::Oldest;
        stream.max_backlog_bytes = u64::MAX;
        stream
    }
}

fn on_refused(environment: &Environment, problems: &mut Vec<String>) -> OnRefused {
    match given(environment, "HYDRANT_ON_REFUSED") {
        None | Some("fail_object") => OnRefused::FailObject,
        Some("fail") => OnRefused::Fail,
        Some("log") => OnRefused::Log,
        Some(_) => {
            problems.push("HYDRANT_ON_REFUSED: must be fail_object, fail or log".to_owned());
            OnRefused::FailObject
        }
    }
}

fn margin(environment: &Environment, problems: &mut Vec<String>) -> Duration {
    let Some(text) = given(environment, "HYDRANT_DEADLINE_MARGIN") else { return MARGIN_DEFAULT };
    quantity::duration(text).unwrap_or_else(|fault| {
        problems.push(format!("HYDRANT_DEADLINE_MARGIN: {fault}"));
        MARGIN_DEFAULT
    })
}

fn memory_bytes(environment: &Environment) -> u64 {
    let megabytes = given(environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
    let megabytes = megabytes.and_then(|text| text.parse::<u64>().ok());
    megabytes.map_or(MEMORY_DEFAULT, |megabytes| (megabytes << 20).max(MEMORY_DEFAULT))
}

#[cfg(test)]
mod tests;
