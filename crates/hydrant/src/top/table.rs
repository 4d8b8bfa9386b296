//! The table: two reports in, text out. Pure, so that tests need no terminal.

use crate::run::{Report, SourceReport, StreamReport};
use crate::settings::quantity;
use crate::status::age;
use crate::terminal::Paint;

/// Widest name column; longer names are cut.
const NAME_MAX: usize = 40;
/// Columns besides the name, with the blanks between them.
const STREAM_COLUMNS: usize = 62;
const SOURCE_COLUMNS: usize = 50;

/// The whole page, at most `lines` long and `columns` wide.
pub(super) fn text(
    before: &Report,
    now: &Report,
    (lines, columns): (usize, usize),
    paint: Paint,
) -> String {
    let rates = Rates::between(before, now);
    let mut page = Page { columns, paint, lines: Vec::new() };
    head(&mut page, now);
    sources(&mut page, before, now, &rates);
    streams(&mut page, before, now, &rates);
    for gone in &now.forgotten {
        let bytes = quantity::size_about(gone.bytes);
        let what = match gone.left {
            true => format!("{} reads {} no more and holds {bytes} there", gone.name, gone.topic),
            false => format!("{} is no stream any more and holds {bytes}", gone.name),
        };
        page.warn(&what);
    }
    let mut all = page.lines;
    if all.len() > lines {
        let cut = all.len() - lines + 1;
        all.truncate(lines.saturating_sub(1));
        all.push(self::cut(&format!("{cut} more lines: a higher window shows them"), columns));
    }
    all.join("\n") + "\n"
}

/// How counters grew a second.
struct Rates {
    /// `None` when the two reports cannot be compared: the first one, or another process.
    seconds: Option<f64>,
}

impl Rates {
    fn between(before: &Report, now: &Report) -> Rates {
        let same = before.pid == now.pid && before.started_ms == now.started_ms;
        let passed = (now.now_ms - before.now_ms) as f64 / 1000.0;
        Rates { seconds: (same && passed > 0.0).then_some(passed) }
    }

    fn a_second(&self, before: Option<u64>, now: u64) -> Option<f64> {
        // A counter that is new, or smaller than it was, has begun again.
        let grown = now.checked_sub(before?)?;
        self.seconds.map(|seconds| grown as f64 / seconds)
    }
}

struct Page {
    columns: usize,
    paint: Paint,
    lines: Vec<String>,
}

impl Page {
    /// A line of plain text, cut to the width.
    fn put(&mut self, text: &str) {
        self.lines.push(cut(text, self.columns));
    }

    fn head(&mut self, text: &str) {
        let text = cut(text, self.columns);
        self.lines.push(self.paint.strong(&text));
    }

    fn warn(&mut self, text: &str) {
        match self.columns.checked_sub(4) {
            Some(room) => {
                let text = cut(text, room);
                self.lines.push(format!("  {} {text}", self.paint.warning("!")));
            }
            None => self.put(&format!("  ! {text}")),
        }
    }

    /// A row whose last cell is painted.
    fn row(&mut self, cells: &str, last: &str, paint: impl FnOnce(Paint, &str) -> String) {
        let room = self.columns.saturating_sub(cells.chars().count());
        if room == 0 {
            // Cut here, the last cell would leave no sign of itself.
            return self.put(&format!("{cells}{last}"));
        }
        let last = cut(last, room);
        self.lines.push(format!("{cells}{}", paint(self.paint, &last)));
    }
}

fn head(page: &mut Page, now: &Report) {
    let up = age(now.now_ms - now.started_ms);
    let clock = jiff::Timestamp::from_millisecond(now.now_ms);
    let clock = clock.map_or_else(|_| String::new(), |at| at.strftime("%H:%M:%SZ").to_string());
    let journal = quantity::size_about(now.journal.bytes);
    let limit = quantity::size_about(now.journal.limit_bytes);
    let text = format!("hydrant {}  up {up}  journal {journal} of {limit}  {clock}  ", now.version);
    if now.ready {
        page.row(&text, "ready", Paint::good);
    } else {
        page.row(&text, "not ready", Paint::error);
    }
    for reason in &now.reasons {
        page.warn(reason);
    }
    if let Some(failure) = &now.reload_failure {
        let first = failure.lines().next().unwrap_or_default();
        page.warn(&format!("last reload refused: {first}"));
    }
    page.put("");
}

fn sources(page: &mut Page, before: &Report, now: &Report, rates: &Rates) {
    let width = name_width(page.columns, SOURCE_COLUMNS, now.sources.iter().map(|s| &*s.name));
    page.head(&format!(
        "{:width$}  {:>9} {:>9} {:>10} {:>8} {:>8}",
        "SOURCE", "REQ/S", "RECORDS/S", "BYTES/S", "REPEATS", "REFUSED"
    ));
    for source in &now.sources {
        let old = before.sources.iter().find(|old| old.name == source.name);
        let of = |value: fn(&SourceReport) -> u64| rates.a_second(old.map(value), value(source));
        let refused: u64 = source.rejected.values().sum();
        page.put(&format!(
            "{:width$}  {:>9} {:>9} {:>10} {:>8} {:>8}",
            cut(&source.name, width),
            rate(of(|s| s.requests)),
            rate(of(|s| s.records)),
            of(|s| s.bytes).map_or_else(|| "-".to_owned(), bytes),
            count(source.repeats),
            count(refused),
        ));
        if let Some(failure) = source.objects.as_ref().and_then(|o| o.failure.as_ref()) {
            page.warn(failure);
        }
        let api = source.api.as_ref();
        for (stream, _) in api.iter().flat_map(|a| &a.metric_streams).filter(|(_, runs)| !**runs) {
            page.warn(&format!("metric stream {stream} is stopped"));
        }
    }
    page.put("");
}

fn streams(page: &mut Page, before: &Report, now: &Report, rates: &Rates) {
    let width = name_width(page.columns, STREAM_COLUMNS, now.streams.iter().map(|s| &*s.name));
    page.head(&format!(
        "{:width$}  {:>9} {:>6} {:>9} {:>4} {:>8} {:>8}  {}",
        "STREAM", "POINTS/S", "LAG", "BACKLOG", "HELD", "BACKUP", "QUARANT.", "STATE"
    ));
    for stream in &now.streams {
        let old = before.streams.iter().find(|old| old.name == stream.name);
        let delivered = rates.a_second(old.map(|old| old.delivered), stream.delivered);
        let cells = format!(
            "{:width$}  {:>9} {:>6} {:>9} {:>4} {:>8} {:>8}  ",
            cut(&stream.name, width),
            rate(delivered),
            lag(stream.lag_seconds),
            bytes(stream.backlog_bytes as f64),
            count(stream.parcels as u64),
            bytes(stream.backup.bytes as f64),
            bytes(stream.quarantine.bytes as f64),
        );
        state(page, &cells, now, stream);
        for wait in &stream.waits {
            page.warn(wait);
        }
        if let Some(failure) = stream.uploads.as_ref().and_then(|u| u.failure.as_ref()) {
            page.warn(&format!("backup waits for S3: {failure}"));
        }
    }
}

fn state(page: &mut Page, cells: &str, now: &Report, stream: &StreamReport) {
    match stream.outage_since_ms {
        Some(since) => {
            let down = format!("down {}", short_age((now.now_ms - since) / 1000));
            page.row(cells, &down, Paint::error);
        }
        None => page.row(cells, "up", Paint::good),
    }
}

fn name_width<'a>(columns: usize, others: usize, names: impl Iterator<Item = &'a str>) -> usize {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let room = columns.saturating_sub(others).clamp(6, NAME_MAX);
    longest.clamp(6, room)
}

/// Cut to a width, the last character telling so. Names come from people: nothing steers a terminal.
fn cut(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    if text.chars().count() <= width {
        return clean.collect();
    }
    let mut short: String = clean.take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('~');
    }
    short
}

/// Six characters at most: `12.3`, `123`, `12,345`, `1.2M`.
fn rate(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value < 100.0 => format!("{value:.1}"),
        Some(value) => count(value.round() as u64),
    }
}

fn count(value: u64) -> String {
    match value {
        0..=999 => value.to_string(),
        1_000..=999_999 => format!("{},{:03}", value / 1000, value % 1000),
        1_000_000..=999_999_999 => format!("{:.1}M", value as f64 / 1e6),
        _ => format!("{:.1}G", value as f64 / 1e9),
    }
}

/// Seven characters at most.
fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (value, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    let digits = usize::from(unit > 0 && value < 10.0);
    format!("{value:.digits$}{name}")
}

fn lag(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}s") } else { short_age(seconds as i64) }
}

/// `45s`, `12m`, `3h`, `4d`.
fn short_age(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..=119 => format!("{s}s"),
        s @ 120..=7_199 => format!("{}m", s / 60),
        s @ 7_200..=172_799 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(now_ms: i64, delivered: u64) -> Report {
        let stream = StreamReport {
            name: "everything-to-a-backend-with-a-very-long-name".to_owned(),
            delivered,
            lag_seconds: 4_000.0,
            backlog_bytes: 123_456_789_012,
            outage_since_ms: Some(now_ms - 600_000),
            waits: vec!["destination is down: ".to_owned() + &"x".repeat(200)],
            ..StreamReport::default()
        };
        let source = SourceReport {
            name: "aws".to_owned(),
            requests: delivered / 10,
            bytes: delivered * 1_000_000,
            ..SourceReport::default()
        };
        Report {
            version: "0.1.0".to_owned(),
            pid: 7,
            started_ms: 1,
            now_ms,
            sources: vec![source],
            streams: vec![stream],
            reasons: vec!["source aws does not listen".to_owned()],
            ..Report::default()
        }
    }

    /// *Scenario:* long names, long words and large numbers in windows of few columns and few lines.
    /// *Guarantees:* no line is wider, the page not longer, and what was cut is said.
    #[test]
    fn it_fits_the_window() {
        let (before, now) = (report(1_000_000, 10), report(1_002_000, u64::MAX / 2_000_000));
        for columns in [1, 3, 10, 40, 80, 132] {
            for lines in [1, 4, 100] {
                let page = text(&before, &now, (lines, columns), Paint::PLAIN);
                for line in page.lines() {
                    let wide = line.chars().count();
                    assert!(wide <= columns, "{wide} of {columns} columns: {line}");
                }
            }
        }
        let page = text(&before, &now, (4, 80), Paint::PLAIN);
        assert_eq!(page.lines().count(), 4);
        assert!(page.contains("more lines"), "{page}");
    }

    /// *Scenario:* counters that grew in two seconds, that began again, and another process.
    /// *Guarantees:* a rate by the second; a dash where there is nothing to compare.
    #[test]
    fn rates_are_by_the_second() {
        let (before, now) = (report(1_000_000, 1_000), report(1_002_000, 25_690));
        let page = text(&before, &now, (100, 80), Paint::PLAIN);
        assert!(page.contains(" 12,345 "), "{page}");
        let page = text(&now, &report(1_004_000, 3), (100, 80), Paint::PLAIN);
        assert!(page.contains("~          -"), "{page}");
        let other = Report { pid: 8, ..report(1_004_000, 99_999) };
        let page = text(&now, &other, (100, 80), Paint::PLAIN);
        assert!(page.contains("~          -"), "{page}");
    }

    /// *Scenario:* numbers of every size.
    /// *Guarantees:* they keep to their columns.
    #[test]
    fn numbers_keep_to_their_columns() {
        let told: Vec<String> =
            [0, 999, 1_000, 999_999, 1_000_000, 5_000_000_000].map(count).into();
        assert_eq!(told, ["0", "999", "1,000", "999,999", "1.0M", "5.0G"]);
        for (value, text) in [(0.0, "0B"), (1_023.0, "1.0KiB"), (1e6, "977KiB"), (1e13, "9.1TiB")] {
            assert_eq!(bytes(value), text);
        }
        for (seconds, text) in [(0.0, "0.0s"), (75.0, "75s"), (4_000.0, "66m"), (1e6, "11d")] {
            assert_eq!(lag(seconds), text);
        }
    }

    /// *Scenario:* a name with an escape sequence.
    /// *Guarantees:* it does not reach the terminal.
    #[test]
    fn names_steer_nothing() {
        assert_eq!(cut("a\x1b[2Jb", 80), "a\u{fffd}[2Jb");
    }
}
