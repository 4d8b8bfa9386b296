//! `hydrant tags fetch`: write the snapshot of resource tags that `enrich.tags` of a stream reads.
//!
//! Asks the Resource Groups Tagging API region after region. Always holds: the file is replaced whole
//! or not at all, and what could not be fetched this time stays as the file had it.

mod document;
mod fetch;
mod refresh;
mod table;

use std::time::Duration;

use jiff::Timestamp;
use remote::aws::tagging::Tagging;
use remote::aws::{AssumeRole, Fault, Identity, IdentityConfig, Kind};
use remote::{ClientConfig, TlsConfig};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{TagsArgs, TagsCommand, TagsFetchArgs};
use crate::exit::Exit;
use crate::patience::PAUSE;
use crate::run::runtime;
use crate::terminal::{self, Paint, fail};

pub use document::{Document, Region, Resources};
pub use fetch::fetch_region;
pub use refresh::keep_fresh;

/// A page has at most 100 resources with 50 tags of 384 characters; their JSON stays below this.
const ANSWER_BYTES: usize = 16 << 20;
/// Below this the API would be asked without a pause in a large account.
const EVERY_MIN: Duration = Duration::from_secs(60);

/// Runs the commands under `hydrant tags`.
pub fn command(args: &TagsArgs) -> Exit {
    let TagsCommand::Fetch(args) = &args.command;
    if args.every.is_some_and(|every| every < EVERY_MIN) {
        return fail(Exit::Usage, "--every: at least 1m", Some("tags change by the hour"));
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(until_told(args)),
        Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
    }
}

/// Fetches once, or again and again until a signal.
async fn until_told(args: &TagsFetchArgs) -> Exit {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        return fail(Exit::Failed, "signals cannot be listened for", None);
    };
    let work = async {
        loop {
            let exit = fetch_all(args, &say).await;
            let Some(every) = args.every else { return exit };
            tokio::time::sleep(every).await;
        }
    };
    tokio::select! {
        exit = work => exit,
        _ = interrupt.recv() => stopped(args),
        _ = terminate.recv() => stopped(args),
    }
}

/// A signal ends `--every` as it should end; a single fetch is not done.
fn stopped(args: &TagsFetchArgs) -> Exit {
    if args.every.is_some() { Exit::Done } else { Exit::Interrupted }
}

/// One line to stderr, its first word painted.
fn say(line: &str) {
    let paint = Paint::for_stderr();
    match line.split_once(": ") {
        Some(("error", rest)) => terminal::say(&format!("{} {rest}", paint.error("error:"))),
        Some(("hint", rest)) => terminal::say(&format!("{} {rest}", paint.hint("hint:"))),
        _ => terminal::say(line),
    }
}

/// One region as one identity sees it.
struct Part {
    role_arn: Option<String>,
    region: String,
}

/// Where words go: stderr, or the log of a running process.
type Tell<'a> = dyn Fn(&str) + Sync + 'a;

/// Fetches all that is asked for and writes the file.
async fn fetch_all(args: &TagsFetchArgs, tell: &Tell<'_>) -> Exit {
    let parts = match parts(args, tell).await {
        Ok(parts) => parts,
        Err(exit) => return exit,
    };
    let old = match Document::read(&args.output) {
        Ok(old) => old,
        Err(why) => {
            let file = args.output.display();
            tell(&format!("error: {file}: {why}; move it away, or name another output"));
            return Exit::Failed;
        }
    };
    let (mut regions, mut exit, mut fetched) = (Vec::new(), Exit::Done, 0);
    for part in parts {
        match fetch_part(args, &part).await {
            Ok(region) => {
                fetched += 1;
                regions.push(region);
            }
            Err(fault) => {
                exit = worse(exit, &fault);
                regions.extend(keep(old.as_ref(), &part, &fault, tell));
            }
        }
    }
    if fetched == 0 {
        tell("nothing was fetched: the file stays as it was");
        return exit;
    }
    let document = Document::new(Timestamp::now(), regions);
    tell(table::text(&document).trim_end());
    match document.write(&args.output) {
        Ok(bytes) => {
            let (resources, file) = (document.resources(), args.output.display());
            let regions = document.regions.len();
            tell(&format!(
                "wrote {file}: {resources} resources of {regions} regions, {bytes} bytes"
            ));
            exit
        }
        Err(error) => {
            tell(&format!("error: {}: {error}", args.output.display()));
            Exit::Disk
        }
    }
}

/// Every role in every region.
async fn parts(args: &TagsFetchArgs, tell: &Tell<'_>) -> Result<Vec<Part>, Exit> {
    let mut regions = args.region.clone();
    if regions.is_empty() {
        let identity = Identity::load(identity(args, None, None)).await;
        let identity = identity.map_err(|fault| {
            tell_fault(&fault, "credentials", tell);
            exit_of(&fault)
        })?;
        let known = identity.region().map(str::to_owned);
        regions.push(known.ok_or_else(|| {
            tell("error: no region is known: name the regions, or set AWS_REGION");
            Exit::Usage
        })?);
    }
    let roles: Vec<Option<String>> = match &args.role_arn[..] {
        [] => vec![None],
        roles => roles.iter().cloned().map(Some).collect(),
    };
    let mut parts = Vec::with_capacity(roles.len() * regions.len());
    for role_arn in roles {
        for region in &regions {
            parts.push(Part { role_arn: role_arn.clone(), region: region.clone() });
        }
    }
    Ok(parts)
}

fn identity(args: &TagsFetchArgs, region: Option<&str>, role_arn: Option<&str>) -> IdentityConfig {
    let external_id = args.external_id.clone();
    IdentityConfig {
        region: region.map(str::to_owned),
        profile: args.profile.clone(),
        endpoint_url: args.endpoint_url.clone(),
        assume_role: role_arn.map(|role_arn| AssumeRole {
            role_arn: role_arn.to_owned(),
            external_id,
            session_name: None,
        }),
        client: ClientConfig {
            tls: TlsConfig { ca_file: args.ca_file.clone(), ..TlsConfig::default() },
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            answer_bytes: ANSWER_BYTES,
        },
    }
}

async fn fetch_part(args: &TagsFetchArgs, part: &Part) -> Result<Region, Fault> {
    let config = identity(args, Some(&part.region), part.role_arn.as_deref());
    let client = Tagging::new(Identity::load(config).await?);
    let ask = async |next: Option<&str>| client.resources(&args.types, next).await;
    let mut region = Region {
        account: None,
        region: part.region.clone(),
        role_arn: part.role_arn.clone(),
        fetched_at: Timestamp::now().to_string(),
        resources: fetch_region(ask, &args.keys, PAUSE).await?,
    };
    region.account = region.account_of_resources();
    Ok(region)
}

/// What the file had of a region that could not be fetched.
fn keep(old: Option<&Document>, part: &Part, fault: &Fault, tell: &Tell<'_>) -> Option<Region> {
    let whose = part.role_arn.as_deref().map(|role| format!(" as {role}")).unwrap_or_default();
    tell_fault(fault, &format!("{}{whose}", part.region), tell);
    let same = |region: &&Region| region.region == part.region && region.role_arn == part.role_arn;
    let kept = old?.regions.iter().find(same)?;
    let (resources, since) = (kept.resources.len(), &kept.fetched_at);
    tell(&format!("{}: keeps its {resources} resources of {since}", part.region));
    Some(kept.clone())
}

fn tell_fault(fault: &Fault, place: &str, tell: &Tell<'_>) {
    tell(&format!("error: {place}: {fault}"));
    if let Some(remedy) = &fault.remedy {
        tell(&format!("hint: {remedy}"));
    }
}

pub(crate) fn exit_of(fault: &Fault) -> Exit {
    match fault.kind {
        Kind::NoCredentials | Kind::BadCredentials | Kind::Denied => Exit::Denied,
        _ => Exit::Unreachable,
    }
}

/// Refused credentials outrank what may pass by waiting.
fn worse(exit: Exit, fault: &Fault) -> Exit {
    match (exit, exit_of(fault)) {
        (Exit::Denied, _) | (_, Exit::Denied) => Exit::Denied,
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests;
