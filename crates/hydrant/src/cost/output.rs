//! The estimate in columns for a person, and as one JSON object.

use super::estimate::{Estimate, Line, Quote, Sum};
use crate::inspect::account::clean;
use crate::settings::quantity::duration_text;
use crate::terminal::Paint;

/// A name grows up to this many characters; longer ones push their row to the right.
const WIDTH_MAX: usize = 56;

/// One JSON object.
pub(super) fn json(estimate: &Estimate) -> String {
    // Only numbers and text: nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(estimate).unwrap_or_default();
    text.push('\n');
    text
}

/// Columns and the sums below; `top` metrics of each namespace.
pub(super) fn table(estimate: &Estimate, top: usize, paint: Paint) -> String {
    let mut text = head(estimate);
    let period = format!("BILLED IN {}", estimate.period.to_uppercase());
    let heads = ["METRIC", "UPDATES", "BILLED", "SHARE", &period, "USD"].map(str::to_owned);
    let mut rows = vec![heads];
    for namespace in &estimate.namespaces {
        rows.push(row(clean(&namespace.name), &namespace.line));
        for metric in namespace.metrics.iter().take(top) {
            rows.push(row(format!("  {}", clean(&metric.name)), &metric.line));
        }
        let more = namespace.metrics.len().saturating_sub(top);
        if more > 0 {
            let mut rest = row(format!("  ({more} more)"), &Line::default());
            rest.iter_mut().skip(1).for_each(String::clear);
            rows.push(rest);
        }
    }
    rows.push(row("total".to_owned(), &estimate.total));
    write_rows(&rows, paint, &mut text);
    text.push('\n');
    sums(estimate, paint, &mut text);
    text
}

fn head(estimate: &Estimate) -> String {
    let capture = &estimate.capture;
    let (Some(from), Some(to)) = (&capture.from, &capture.to) else {
        return "no points were read\n\n".to_owned();
    };
    let span = capture.span_seconds.map_or_else(String::new, |seconds| {
        let span = std::time::Duration::from_secs_f64(seconds);
        format!(", taken as {}", duration_text(span))
    });
    format!("points of {from} to {to}{span}\n\n")
}

type Row = [String; 6];

fn row(name: String, line: &Line) -> Row {
    let none = || "-".to_owned();
    [
        name,
        grouped(line.updates as f64),
        grouped(line.billed_updates as f64),
        format!("{:.1}%", line.share * 100.0),
        line.estimate.map_or_else(none, |sum| grouped(sum.billed_updates)),
        line.estimate.and_then(|sum| sum.usd).map_or_else(none, money),
    ]
}

fn write_rows(rows: &[Row], paint: Paint, text: &mut String) {
    let mut widths = [0_usize; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(WIDTH_MAX));
        }
    }
    for (index, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let padded =
                if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            line.push_str(&padded);
        }
        let is_strong = index == 0 || index + 1 == rows.len() || !line.starts_with(' ');
        let line = line.trim_end();
        text.push_str(&if is_strong { paint.strong(line) } else { line.to_owned() });
        text.push('\n');
    }
}

fn sums(estimate: &Estimate, paint: Paint, text: &mut String) {
    let Some(sum) = estimate.total.estimate else { return };
    let period = &estimate.period;
    let updates = format!("{} in {period}", grouped(sum.billed_updates));
    let gigabytes = format!("{:.3} GB in {period}", sum.firehose_gb);
    let quote = |item: &str| quoted(estimate, item);
    let mut lines = vec![
        ("metric updates", usd(sum.updates_usd), updates, quote("metric_update")),
        ("Firehose", usd(sum.firehose_usd), gigabytes, quote("firehose_gb")),
        ("together", usd(sum.usd), String::new(), String::new()),
    ];
    if let Some(filter) = &estimate.filter {
        let said = |line: &Line| {
            let billed = line.estimate.map_or(0.0, |sum: Sum| sum.billed_updates);
            format!("{} metric updates, {:.1}%", grouped(billed), line.share * 100.0)
        };
        let money = |line: &Line| usd(line.estimate.and_then(|sum| sum.usd));
        lines.push(("the filter saves", money(&filter.saved), said(&filter.saved), String::new()));
        lines.push(("and leaves", money(&filter.kept), said(&filter.kept), String::new()));
    }
    let width = lines.iter().map(|line| line.1.len()).max().unwrap_or(0);
    for (name, usd, what, quote) in lines {
        let line = format!("{name:<16}  {usd:>width$}  {what}{quote}");
        text.push_str(&paint.strong(line.trim_end()));
        text.push('\n');
    }
}

fn quoted(estimate: &Estimate, item: &str) -> String {
    let one = |quote: &Quote| {
        let up_to = quote.up_to.map_or_else(String::new, |end| format!(" up to {}", grouped(end)));
        let per = match (quote.item, quote.per == 1.0) {
            ("firehose_gb", true) => " per GB".to_owned(),
            _ => format!(" per {}", grouped(quote.per)),
        };
        format!("{} USD{per}{up_to} ({}, {})", quote.usd, quote.region, quote.date)
    };
    let quotes: Vec<String> =
        estimate.prices.iter().filter(|quote| quote.item == item).map(one).collect();
    if quotes.is_empty() {
        ", no price known".to_owned()
    } else {
        format!(", {}", quotes.join(", "))
    }
}

fn usd(amount: Option<f64>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| format!("{} USD", money(amount)))
}

/// Cents; what is less than one is shown as that, not as nothing.
fn money(usd: f64) -> String {
    if usd > 0.0 && usd < 0.005 {
        return "<0.01".to_owned();
    }
    let text = format!("{usd:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{}.{cents}", with_commas(whole))
}

/// A whole number with commas.
pub(super) fn grouped(number: f64) -> String {
    with_commas(&format!("{number:.0}"))
}

fn with_commas(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
