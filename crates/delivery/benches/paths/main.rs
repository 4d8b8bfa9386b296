//! What a delivery costs from body to request, in units of one gunzip of the same body (1 G).
//!
//! Everything runs in one process on one thread. A round times the anchor and every stage of a path, a
//! stage in laps of a record or a body; a path's figure is the sum of the shortest time of each lap in
//! any round, by that of the anchor. The clock of a shared machine drifts, the ratio does not; a
//! neighbour's burst spoils laps, and each has sixty chances. (Medians of whole rounds, path and anchor
//! in pairs, were tried: they moved by a fifth on a busy machine.)
//!
//! `cargo bench -p delivery --bench paths` measures; without `--bench` (as `cargo test --benches` calls
//! it) one small round shows that every path works. A word measures the paths whose name holds it.
//! `-- --check` fails when a path is more than 15 % above what recorded.tsv has for this class of
//! processor, or a tenth above its ceiling; `-- --record` rewrites the file's rows of this class.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(clippy::print_stderr, reason = "and warnings are not figures")]

mod measure;
mod recorded;
mod steps;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use measure::{Input, Measured, Path, measure, paths};
use metric::Format;
use recorded::Row;
use steps::breakdown;

/// Rounds of a measurement: enough that every lap is undisturbed once.
const ROUNDS: usize = 60;

/// Measurements before a path counts as above its limit: a neighbour's burst is no regression.
const ATTEMPTS: usize = 5;

/// Between two of them, so that the burst can end.
const PAUSE: Duration = Duration::from_secs(2);

/// Measurements of a path whose median is recorded.
const RECORDINGS: usize = 5;

/// A machine with more to do than this, by its load of the last minute, is not quiet.
const QUIET_LOAD: f64 = 0.5;

fn main() -> ExitCode {
    let given = |flag: &str| std::env::args().any(|arg| arg == flag);
    let measuring = given("--bench");
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let (metrics, rounds) = if measuring { (10_000, ROUNDS) } else { (500, 1) };
    let outcome = match (given("--record"), given("--check")) {
        (true, _) => record(metrics, rounds),
        (false, true) => check(metrics, rounds, &only),
        (false, false) => show(metrics, rounds, &only),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Every path whose name holds `only`, with its delivery.
fn each(
    metrics: usize,
    only: &str,
    mut act: impl FnMut(&Path, &Input) -> Result<(), String>,
) -> Result<(), String> {
    for format in [Format::Otel10, Format::Otel07, Format::Json] {
        let input = Input::new(format, metrics);
        let paths = paths();
        for path in paths.iter().filter(|path| path.format == format && path.name.contains(only)) {
            act(path, &input)?;
        }
    }
    Ok(())
}

/// Measures and prints.
fn show(metrics: usize, rounds: usize, only: &str) -> Result<(), String> {
    let rows = recorded()?;
    head(metrics, rounds);
    if only.is_empty() {
        for format in [Format::Otel10, Format::Json] {
            breakdown(&Input::new(format, metrics), rounds, metrics);
        }
    }
    each(metrics, only, |path, input| {
        report(path, &rows, &measure(path, input, rounds), metrics);
        Ok(())
    })
}

/// Compares with what was recorded.
fn check(metrics: usize, rounds: usize, only: &str) -> Result<(), String> {
    let (rows, class) = (recorded()?, recorded::class());
    if !rows.iter().any(|row| row.class == class) {
        eprintln!(
            "warning: recorded.tsv has no figures of {class}: only the ceilings are checked. On a quiet \
             machine `cargo bench -p delivery --bench paths -- --record` adds them"
        );
    }
    head(metrics, rounds);
    let mut above = Vec::new();
    each(metrics, only, |path, input| {
        let known = recorded::find(&rows, class, path.name);
        if known.is_none() && rows.iter().any(|row| row.class == class) {
            return Err(format!("{class} has no figure for {}: record it", path.name));
        }
        let limit = recorded::limit(known.map(|row| row.ratio), path.ceiling);
        let mut best = f64::INFINITY;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                eprintln!("{}: {best:.2} G is above {limit:.2}, measured again", path.name);
                std::thread::sleep(PAUSE);
            }
            best = best.min(report(path, &rows, &measure(path, input, rounds), metrics));
            if best <= limit {
                return Ok(());
            }
        }
        above.push(format!("{}: {best:.2} G, at most {limit:.2}", path.name));
        Ok(())
    })?;
    if above.is_empty() { Ok(()) } else { Err(format!("slower than recorded: {above:?}")) }
}

/// Measures all paths and writes the rows of this class.
fn record(metrics: usize, rounds: usize) -> Result<(), String> {
    if metrics < 10_000 {
        return Err("figures are recorded by cargo bench, not by cargo test".to_owned());
    }
    let commit = clean_commit()?;
    if let Some(load) = load().filter(|load| *load > QUIET_LOAD) {
        eprintln!("warning: the load is {load}; record again when it is below {QUIET_LOAD}");
    }
    let rows = recorded()?;
    head(metrics, rounds);
    let mut figures = Vec::new();
    each(metrics, "", |path, input| {
        let mut ratios: Vec<f64> = (0..RECORDINGS)
            .map(|_| report(path, &rows, &measure(path, input, rounds), metrics))
            .collect();
        figures.push((path.name, recorded::median(&mut ratios)));
        Ok(())
    })?;
    let text = recorded::replaced(&rows, recorded::class(), &commit, &figures);
    std::fs::write(file(), text).map_err(|error| format!("{}: {error}", file().display()))?;
    println!("{} figures of {} recorded at {commit}", figures.len(), recorded::class());
    Ok(())
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/paths/recorded.tsv")
}

fn recorded() -> Result<Vec<Row>, String> {
    let text = std::fs::read_to_string(file()).map_err(|error| format!("recorded.tsv: {error}"))?;
    recorded::parse(&text).map_err(|why| format!("recorded.tsv: {why}"))
}

/// The commit of the tree that is measured: changes that are in no commit would be recorded under the
/// name of one that does not have them.
fn clean_commit() -> Result<String, String> {
    let git = |arguments: &[&str]| {
        let run = Command::new("git")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| format!("git: {error}"))?;
        if !run.status.success() {
            return Err(format!("git: {}", String::from_utf8_lossy(&run.stderr).trim()));
        }
        Ok(String::from_utf8_lossy(&run.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no", ":/*.rs", ":/*.toml"])?;
    if !changed.is_empty() {
        return Err(format!("commit these first, then record:\n{changed}"));
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// The load of the last minute, where the system tells.
fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn head(metrics: usize, rounds: usize) {
    let class = recorded::class();
    println!(
        "{metrics} metrics, {rounds} rounds, {class}; G = one libdeflate gunzip of the same body"
    );
    println!(
        "path | G | recorded | goal | ns/metric | gunzip | walk | compress | bytes/metric out"
    );
}

/// Prints a row; gives the figure.
fn report(path: &Path, rows: &[Row], measured: &Measured, metrics: usize) -> f64 {
    let per_metric = |time: Duration| time.as_nanos() as f64 / metrics as f64;
    let sum = measured.gunzip + measured.walk + measured.compress;
    let ratio = sum.as_secs_f64() / measured.anchor.as_secs_f64();
    let known = recorded::find(rows, recorded::class(), path.name);
    let figure = |known: Option<f64>| known.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    println!(
        "{:<23} | {:.2} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1}",
        path.name,
        ratio,
        figure(known.map(|row| row.ratio)),
        figure((!path.ceiling.is_nan()).then_some(path.ceiling)),
        per_metric(sum),
        per_metric(measured.gunzip),
        per_metric(measured.walk),
        per_metric(measured.compress),
        measured.out_bytes as f64 / metrics as f64,
    );
    ratio
}
