//! `hydrant conform`: grades a receiver of Firehose deliveries.
//!
//! Always: one case after the other, each on connections of its own, each sent once. What is sent and
//! what an answer means is in `rehearsal::conform`.

mod report;
mod send;
mod table;

use rehearsal::conform::{CASES, Case, Demand, NAMESPACE, Needs, Outcome, Setup, Silence, judge};
use remote::{TlsConfig, Why};

use crate::access_key;
use crate::cli::{ConformArgs, StatusOutput};
use crate::exit::Exit;
use crate::run::{runtime, wall_clock};
use crate::terminal::{self, Paint, fail};
use report::{Report, Row};
use send::Sent;

/// A receiver that answers nothing is not asked three dozen times, three minutes each.
const SILENT_MAX: usize = 3;

/// Runs the command.
pub fn command(args: &ConformArgs) -> Exit {
    let cases = match pick(&args.cases) {
        Ok(cases) => cases,
        Err(unknown) => {
            let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
            let hint = format!("the cases are {}", known.join(", "));
            return fail(Exit::Usage, &format!("no case is called {unknown}"), Some(&hint));
        }
    };
    match runtime() {
        Ok(runtime) => runtime.block_on(grade(args, &cases)).unwrap_or_else(|exit| exit),
        Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
    }
}

/// The cases of these names, in their own order; all without any.
fn pick(names: &[String]) -> Result<Vec<&'static Case>, &str> {
    let is_known = |name: &String| CASES.iter().any(|case| case.name == name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        return Err(unknown);
    }
    let wanted = |case: &&Case| names.is_empty() || names.iter().any(|name| name == case.name);
    Ok(CASES.iter().filter(wanted).collect())
}

fn setup(args: &ConformArgs) -> Result<Setup, Exit> {
    let now_ms = wall_clock()();
    Ok(Setup {
        now_ms,
        run: u64::try_from(now_ms).unwrap_or(0),
        access_key: access_key::of(args.access_key.as_ref())
            .map_err(|why| fail(Exit::Usage, &why, Some(access_key::HINT)))?,
        attributes: args.attributes.clone(),
    })
}

async fn grade(args: &ConformArgs, cases: &[&'static Case]) -> Result<Exit, Exit> {
    let setup = setup(args)?;
    let mut report = Report::new(&args.url);
    terminal::say(&format!(
        "{} cases to {}, points in namespace {NAMESPACE}",
        cases.len(),
        report.url
    ));
    let page = (args.output == StatusOutput::Table).then(|| table::Page::new(Paint::for_stdout()));
    if let Some(page) = &page {
        put(&page.head())?;
    }
    let mut silent = 0;
    for case in cases {
        let row = match reason_to_skip(args, &setup, case, silent) {
            Some(why) => Row::skipped(case, why),
            None => {
                let row = try_case(args, &setup, case, report.tried() == 0).await?;
                silent = if row.is_silent { silent + 1 } else { 0 };
                row
            }
        };
        if let Some(page) = &page {
            put(&page.row(&row))?;
        }
        report.rows.push(row);
    }
    match &page {
        Some(page) => put(&page.summary(&report))?,
        None => put(&report.json())?,
    }
    Ok(if report.is_conformant() { Exit::Done } else { Exit::Failed })
}

fn put(text: &str) -> Result<(), Exit> {
    terminal::print(text.as_bytes()).map_err(|error| terminal::unwritten(&error))
}

fn reason_to_skip(
    args: &ConformArgs,
    setup: &Setup,
    case: &Case,
    silent: usize,
) -> Option<&'static str> {
    if silent >= SILENT_MAX {
        return Some("the cases before had no answer");
    }
    match case.needs {
        Needs::Key if setup.access_key.is_none() => Some("needs --access-key"),
        Needs::Time if args.skip_slow => Some("--skip-slow"),
        Needs::Room if args.skip_large => Some("--skip-large"),
        _ => None,
    }
}

/// Sends the deliveries of a case. When the first shows that there is nobody to grade, or that our key
/// is not the receiver's, that is the end.
async fn try_case(
    args: &ConformArgs,
    setup: &Setup,
    case: &'static Case,
    is_first: bool,
) -> Result<Row, Exit> {
    let tls = TlsConfig { ca_file: args.ca_file.clone(), accept_invalid: args.insecure };
    let limits = send::Limits { tls, answer_time: args.timeout };
    let sent = send::all(&args.url, &limits, case, case.deliveries(setup)).await;
    let sent = sent.map_err(|(exit, error)| fail(exit, &error, None))?;
    if is_first && let Some(first) = sent.first() {
        refuse_to_go_on(case, first, setup)?;
    }
    let is_silent = sent.iter().any(|s| matches!(s.outcome, Outcome::Silence(Silence::Timeout)));
    let answers = sent.iter().map(report::Answered::of).collect();
    let exchanges: Vec<_> = sent.into_iter().map(|s| (s.delivery, s.outcome)).collect();
    let finding = judge(case, &exchanges);
    Ok(Row { case, finding: Some(finding), skipped: None, answers, is_silent })
}

fn refuse_to_go_on(case: &Case, first: &Sent, setup: &Setup) -> Result<(), Exit> {
    if let Some(failure) = &first.failure
        && (matches!(failure.why, Why::Dns | Why::Connect | Why::Tls | Why::Request)
            || first.is_connect_timeout)
    {
        return Err(fail(Exit::Unreachable, &failure.to_string(), None));
    }
    if let Outcome::Answer(answer) = &first.outcome
        && matches!(answer.status, 401 | 403)
        && case.demand == Demand::Yes
    {
        let what = format!("{}: the receiver refuses the access key", answer.status);
        let hint = match setup.access_key {
            Some(_) => "is it the key of this receiver?",
            None => "give its key with --access-key or HYDRANT_ACCESS_KEY",
        };
        return Err(fail(Exit::Denied, &what, Some(hint)));
    }
    Ok(())
}
