//! `hydrant replay`: put back what was kept: backups, Firehose's error objects, archives, quarantine.
//!
//! Owns the way from a kept record to the stream or endpoint it is put back through, and the list of
//! what was put back. Always: a record is noted only when its target has it on disk, nothing is put
//! back twice, and a run that ends early is gone on with by the next. Not here: delivery; records go
//! through the same rooms as everything else.

mod ages;
mod count;
mod goal;
mod kept;
mod kind;
mod ledger;
mod pass;
mod pick;
mod source;
mod stop;
mod table;
mod target;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use remote::aws::{AssumeRole, IdentityConfig};
use remote::{ClientConfig, Secret, TlsConfig};

use crate::cli::{ReplayArgs, StatusOutput, TooOldPolicy};
use crate::exit::Exit;
use crate::run::{runtime, wall_clock};
use crate::terminal::{self, Paint, fail};
use count::Account;
use goal::Goal;
use ledger::Ledger;
use pass::{Pass, Put};
use pick::{Ages, Wish};
use source::{Extent, Sources};
use stop::Stop;
use table::{Delivered, Facts};
use target::Target;
use watch::Watch;

/// An answer of S3 may take its time; half a minute without a byte is a lost connection.
const S3_REQUEST_TIME: Duration = Duration::from_secs(30);
const S3_CONNECT_TIME: Duration = Duration::from_secs(10);
/// A page of a listing has a thousand keys of at most a kilobyte.
const S3_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// How often it is looked whether the stream has delivered all.
const DRAIN_LOOK: Duration = Duration::from_millis(200);

/// Runs the command.
pub fn command(args: &ReplayArgs) -> Exit {
    match run(args) {
        Ok(exit) => exit,
        Err(Stop::Interrupted) => {
            terminal::say("interrupted: run the same command again, it goes on where it stopped");
            Exit::Interrupted
        }
        Err(Stop::Told(exit)) => exit,
        Err(Stop::Failed { exit, what, hint }) => fail(exit, &what, hint.as_deref()),
    }
}

fn run(args: &ReplayArgs) -> Result<Exit, Stop> {
    let runtime = runtime().map(Arc::new);
    let runtime = runtime
        .map_err(|error| Stop::failed(Exit::Failed, &format!("starting threads: {error}"), None))?;
    let now_ms = wall_clock()();
    let goal = Goal::of(args)?;
    let sources = Sources::new(&args.sources, identity(args), runtime.handle(), now_ms)?;
    let mut watch = Watch::new(&runtime, args.rate);
    let extent = sources.extent(&|| watch.is_stopped())?;
    if extent.objects == 0 {
        return Err(nothing(&args.sources, extent));
    }
    let mut replay = Replay {
        args,
        wish: wish(args, &goal),
        ages: Ages { limit_ms: goal.rule().limit_ms, now_ms },
        sources,
        extent,
        goal,
        begun: Instant::now(),
    };
    if args.dry_run {
        return replay.survey_only(&mut watch);
    }
    replay.refuse_old(&mut watch)?;
    // Kept to the end: S3 and the signals live in it.
    replay.put(&mut watch, &runtime)
}

/// There is nothing to read.
fn nothing(sources: &[String], extent: Extent) -> Stop {
    let what = format!("{} holds no file", sources.join(", "));
    let hint = match extent.newer {
        0 => {
            "backups lie in data_dir/backup/<stream> unless backup.directory says otherwise; \
              Firehose's in the bucket of its S3 backup, below http-endpoint-failed/"
        }
        _ => "files written this very second are left for the next run: try again",
    };
    Stop::failed(Exit::Failed, &what, Some(hint))
}

fn identity(args: &ReplayArgs) -> IdentityConfig {
    let assume_role = args.role_arn.clone().map(|role_arn| AssumeRole {
        role_arn,
        external_id: args.external_id.clone().map(Secret::new),
        session_name: None,
    });
    IdentityConfig {
        region: args.region.clone(),
        profile: args.profile.clone(),
        endpoint_url: args.endpoint_url.clone(),
        assume_role,
        client: ClientConfig {
            tls: TlsConfig { ca_file: args.ca_file.clone(), accept_invalid: args.insecure },
            connect_timeout: S3_CONNECT_TIME,
            request_timeout: S3_REQUEST_TIME,
            answer_bytes: S3_ANSWER_BYTES,
        },
    }
}

fn wish(args: &ReplayArgs, goal: &Goal) -> Wish {
    let skips = args.too_old == Some(TooOldPolicy::Skip);
    Wish {
        from_ms: args.from.map(jiff::Timestamp::as_millisecond),
        until_ms: args.until.map(jiff::Timestamp::as_millisecond),
        codes: args.codes.clone(),
        namespaces: args.namespaces.clone(),
        streams: args.source_streams.clone(),
        skip_older_ms: goal.rule().limit_ms.filter(|_| skips),
        again: args.again,
    }
}

/// One run of the command.
struct Replay<'a> {
    args: &'a ReplayArgs,
    wish: Wish,
    ages: Ages,
    sources: Sources,
    extent: Extent,
    goal: Goal,
    begun: Instant,
}

impl Replay<'_> {
    fn pass(&self) -> Pass<'_> {
        Pass { sources: &self.sources, wish: &self.wish, ages: self.ages, extent: self.extent }
    }

    /// Reads everything and sends nothing.
    fn survey(&self, watch: &mut Watch, doing: &'static str) -> Result<Account, Stop> {
        let ledger = Ledger::look(&self.goal.ledger()).map_err(|e| goal::of_ledger(&e))?;
        self.pass().survey(watch, doing, &ledger)
    }

    fn survey_only(&mut self, watch: &mut Watch) -> Result<Exit, Stop> {
        let account = self.survey(watch, "reading")?;
        watch.end();
        let facts = self.facts(true, None);
        let text = match self.args.output {
            StatusOutput::Table => table::table(&account, &facts, Paint::for_stdout()),
            StatusOutput::Json => table::json(&account, &facts),
        };
        print(&text)?;
        Ok(exit_of(&account))
    }

    /// Tells that points are too old before any is sent, unless it was said what to do with them.
    fn refuse_old(&self, watch: &mut Watch) -> Result<(), Stop> {
        if !self.goal.rule().refuses || self.args.too_old.is_some() {
            return Ok(());
        }
        let account = self.survey(watch, "checking ages")?;
        watch.end();
        let (old, all) = (account.all.too_old_points, account.all.points);
        if old == 0 {
            return Ok(());
        }
        let what = format!("{old} of {all} points are {}; nothing was sent", self.goal.rule().text);
        let hint = "--too-old skip leaves them out and puts the others back; --too-old send sends \
                    all, and they end in quarantine; destination.too_old: restamp in the settings \
                    gives them the time of now";
        Err(Stop::failed(Exit::Failed, &what, Some(hint)))
    }

    fn put(
        &mut self,
        watch: &mut Watch,
        runtime: &Arc<tokio::runtime::Runtime>,
    ) -> Result<Exit, Stop> {
        let mut ledger = Ledger::open(&self.goal.ledger()).map_err(|e| goal::of_ledger(&e))?;
        let mut target = self.goal.open(self.args, Arc::clone(runtime))?;
        let mut account = Account::default();
        let put = Put { ledger: &mut ledger, target: &mut target, rate: self.args.rate };
        let mut result = self.pass().put(watch, put, &mut account);
        let complete = result.is_ok();
        let mut stream = None;
        if let Target::Alone(alone) = target {
            // What is in the journal is delivered, or stays there: both are told.
            let drained = if complete { drain(&alone, watch) } else { Ok(()) };
            let (well, told) = alone.close();
            if !well && result.is_ok() {
                result = Err(Stop::failed(Exit::Bug, "the stream ended by a panic", None));
            }
            result = result.and(drained);
            stream = Some(told);
        }
        watch.end();
        self.tell(&account, complete, stream)?;
        result?;
        let again = stream.is_some_and(|stream| stream.backed_up > 0);
        Ok(if again { Exit::Failed } else { exit_of(&account) })
    }

    fn tell(
        &self,
        account: &Account,
        complete: bool,
        stream: Option<Delivered>,
    ) -> Result<(), Stop> {
        let facts = self.facts(complete, stream);
        if self.args.output == StatusOutput::Json {
            print(&table::json(account, &facts))?;
        }
        for line in table::lines(account, &facts, Paint::for_stderr()) {
            terminal::say(&line);
        }
        let records = account.all.records;
        if let Some(last) = self.goal.last_words(complete, records, stream.as_ref()) {
            terminal::say(&last);
        }
        Ok(())
    }

    fn facts(&self, complete: bool, stream: Option<Delivered>) -> Facts<'_> {
        Facts {
            dry_run: self.args.dry_run,
            complete,
            target: self.goal.name(),
            seconds: self.begun.elapsed().as_secs_f64(),
            rule: self.goal.rule(),
            stream,
        }
    }
}

/// Waits until the stream has delivered what was put back for it.
fn drain(alone: &target::Alone, watch: &mut Watch) -> Result<(), Stop> {
    watch.begin("delivering", 0);
    loop {
        let (report, entries) = alone.report();
        if entries == 0 {
            return Ok(());
        }
        if alone.is_dead() {
            return Err(Stop::failed(Exit::Bug, "the stream has ended by itself", None));
        }
        let mut how = format!("{} points delivered, {entries} records to go", report.delivered);
        if let Some(why) = report.waits.first() {
            how.push_str("; ");
            how.push_str(why);
        }
        watch.waits(&how, DRAIN_LOOK)?;
    }
}

fn print(text: &str) -> Result<(), Stop> {
    terminal::print(text.as_bytes()).map_err(|error| {
        Stop::failed(Exit::Disk, &format!("cannot write to stdout: {error}"), None)
    })
}

fn exit_of(account: &Account) -> Exit {
    match (account.unreadable_objects, account.broken) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::BadData,
        _ => Exit::Failed,
    }
}
