//! What a person sees of the demo: a live table on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rehearsal::ledger::Comparison;

use super::cloud::{KEY, REGION, STREAM};
use super::settings::{CLOUD, SOURCE, YOURS, yours};
use crate::run::Report;
use crate::settings::quantity;
use crate::terminal::{self, Paint};

/// On a terminal the table is drawn this often; elsewhere a line is written.
const LIVE: Duration = Duration::from_millis(500);
const LOG: Duration = Duration::from_secs(5);

/// Where to look.
pub(super) struct Places {
    pub api: String,
    pub admin: String,
    pub data_dir: PathBuf,
}

/// The view.
pub(super) struct View {
    places: Places,
    live: bool,
    paint: Paint,
    drawn: Option<(Instant, usize)>,
    notes: Vec<String>,
}

impl View {
    pub(super) fn new(places: Places) -> View {
        let live = stdout().is_terminal();
        View { places, live, paint: Paint::for_stdout(), drawn: None, notes: Vec::new() }
    }

    /// What runs, and where to look.
    pub(super) fn begin(&self) {
        let Places { api, admin, data_dir } = &self.places;
        let title = self.paint.strong("hydrant demo");
        let yours = yours(data_dir);
        let (yours, data_dir) = (yours.display(), data_dir.display());
        put(&format!(
            "{title}: simulated services -> CloudWatch API -> metric stream\n              \
             -> delivery stream -> Firehose source -> destinations that check\n\n  \
             AWS API            {api}  {REGION}, key {KEY}, secret {KEY}\n  \
             your own metrics   {yours}\n  \
             metrics and health {admin}/metrics and /readyz\n  \
             who holds what     hydrant status --data-dir {data_dir}\n\n\
             Ctrl-C stops it. Metrics of a minute that is over arrive within ten seconds.\n\n"
        ));
    }

    /// Something a person should know; shown with the next table.
    pub(super) fn note(&mut self, text: &str) {
        if self.notes.len() < 3 {
            self.notes.push(text.to_owned());
        }
    }

    pub(super) fn is_due(&self) -> bool {
        let every = if self.live { LIVE } else { LOG };
        self.drawn.is_none_or(|(at, _)| at.elapsed() >= every)
    }

    pub(super) fn draw(
        &mut self,
        ran: Duration,
        sent: u64,
        report: &Report,
        compared: &[(&'static str, Comparison)],
    ) {
        let mut page = String::new();
        if self.live {
            if let Some((_, lines)) = self.drawn {
                page.push_str(&over(lines));
            }
            let table = self.table(ran, sent, report, compared);
            self.drawn = Some((Instant::now(), table.lines().count()));
            // A line that wrapped would take more rows than are counted: what does not fit is cut.
            let _infallible = write!(page, "\x1b[?7l{table}\x1b[?7h");
        } else {
            for (name, c) in compared {
                let _infallible = writeln!(
                    page,
                    "{:>6}  {name}: {} sent, {} arrived, {} on the way",
                    clock(ran),
                    grouped(sent),
                    grouped(c.arrived),
                    grouped(c.missing)
                );
            }
            self.drawn = Some((Instant::now(), 0));
        }
        put(&page);
    }

    fn table(
        &self,
        ran: Duration,
        sent: u64,
        report: &Report,
        compared: &[(&'static str, Comparison)],
    ) -> String {
        let mut page = String::new();
        let rate = sent as f64 / ran.as_secs_f64().max(0.001);
        let of = |name: &str| report.sources.iter().find(|s| s.name == name);
        let calls = of(CLOUD).map_or(0, |s| s.requests);
        let updates: u64 = of(CLOUD)
            .and_then(|s| s.api.as_ref())
            .map_or(0, |api| api.updates.get(STREAM).copied().unwrap_or(0));
        let came = of(SOURCE).map_or(0, |s| s.requests);
        let syncs: u64 = report.journal.topics.iter().map(|t| t.commits).sum();
        let _infallible = writeln!(
            page,
            "{}  {} metrics put, {rate:.0}/s, in {calls} calls   journal {}, {syncs} syncs",
            self.paint.strong(&clock(ran)),
            grouped(sent),
            quantity::size_about(report.journal.bytes),
        );
        let _infallible = writeln!(
            page,
            "      metric stream {STREAM}: {} updates -> delivery stream {STREAM}: {came} {}",
            grouped(updates),
            if came == 1 { "delivery" } else { "deliveries" },
        );
        let _infallible = writeln!(
            page,
            "\n  {:<14}{:>11}{:>12}{:>8}{:>10}{:>12}{:>9}",
            "stream", "arrived", "on the way", "lag", "requests", "duplicates", "altered"
        );
        for (name, c) in compared {
            let stream = report.streams.iter().find(|s| s.name == *name);
            let lag = stream.map_or(0.0, |s| s.lag_seconds);
            let requests: u64 = stream.map_or(0, |s| s.requests.values().sum());
            let _infallible = writeln!(
                page,
                "  {name:<14}{:>11}{:>12}{:>7.1}s{requests:>10}{:>12}{:>9}",
                grouped(c.arrived),
                grouped(c.missing),
                lag,
                grouped(c.duplicates),
                grouped(c.altered + c.unexpected),
            );
        }
        if let Some(yours) = report.streams.iter().find(|s| s.name == YOURS && s.delivered > 0) {
            let _infallible =
                writeln!(page, "  {YOURS:<14}{:>11}  put by you", grouped(yours.delivered));
        }
        for note in &self.notes {
            let _infallible = writeln!(page, "  {} {note}", self.paint.warning("!"));
        }
        page
    }

    /// The last table and the verdict.
    pub(super) fn end(
        &mut self,
        ran: Duration,
        sent: u64,
        report: &Report,
        compared: &[(&'static str, Comparison)],
        refusals: Vec<String>,
    ) {
        let mut page = String::new();
        if let Some((_, lines)) = self.drawn.filter(|_| self.live) {
            page.push_str(&over(lines));
        }
        page.push_str(&self.table(ran, sent, report, compared));
        page.push('\n');
        for (name, c) in compared {
            let verdict = if c.is_clean() && c.sent > 0 {
                self.paint.good("no point is missing")
            } else {
                self.paint.error(&format!(
                    "{} missing, {} altered, {} unexpected",
                    c.missing, c.altered, c.unexpected
                ))
            };
            let (arrived, sent) = (grouped(c.arrived), grouped(c.sent - c.unacknowledged));
            let _infallible =
                writeln!(page, "{name}: {arrived} of {sent} promised points arrived, {verdict}");
            for example in c.examples.iter().filter(|_| !c.is_clean()) {
                let _infallible = writeln!(page, "  {example}");
            }
        }
        for refusal in refusals {
            let _infallible =
                writeln!(page, "{} a destination refused: {refusal}", self.paint.warning("!"));
        }
        put(&page);
    }
}

/// Up over the last table, and clears it. From the first column: a terminal has echoed `^C`.
fn over(lines: usize) -> String {
    format!("\r\x1b[{lines}A\x1b[J")
}

fn put(text: &str) {
    // A closed pipe: whoever watched has gone, the exit code still tells.
    drop(terminal::print(text.as_bytes()));
}

fn clock(ran: Duration) -> String {
    let seconds = ran.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* the table of a demo that has run for an hour at the highest rate.
    /// *Guarantees:* it fits a terminal of 80 columns.
    #[test]
    fn the_table_fits_a_terminal() {
        let places = Places { api: String::new(), admin: String::new(), data_dir: PathBuf::new() };
        let view = View { places, live: true, paint: Paint::PLAIN, drawn: None, notes: Vec::new() };
        let some = Comparison { arrived: 7_200_000, missing: 120_000, ..Comparison::default() };
        let hour = Duration::from_secs(3600);
        let table = view.table(hour, 7_320_000, &Report::default(), &[("to-dynatrace", some)]);
        assert!(table.contains("to-dynatrace"), "{table}");
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
