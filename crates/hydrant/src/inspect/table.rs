//! Points in columns, for a person; on a terminal that is too narrow for them, each as a paragraph.

use metric::{Point, Statistic};

use super::account::clean;
use super::output::{instant_text, number_text};

/// Rows that are held back to find the widths; the rest is written with the widths so found.
const ROWS_HELD_MAX: usize = 500;
/// A column grows up to this many characters; longer texts push their row to the right.
const WIDTH_MAX: usize = 48;
/// Between columns.
const GAP: &str = "  ";

/// In front of the lines of a paragraph but for its first.
const INDENT: &str = "  ";

const HEADS: [&str; 13] = [
    "TIME",
    "NAMESPACE",
    "METRIC",
    "DIMENSIONS",
    "MIN",
    "MAX",
    "SUM",
    "COUNT",
    "AVG",
    "UNIT",
    "ACCOUNT",
    "REGION",
    "EXTRA",
];
/// Columns of numbers stand to the right.
const NUMBERS: std::ops::Range<usize> = 4..9;

type Row = [String; HEADS.len()];

/// How all rows are written.
enum Layout {
    Columns([usize; HEADS.len()]),
    /// Within so many characters.
    Paragraphs(usize),
}

impl Layout {
    fn write(&self, row: &Row, out: &mut Vec<u8>) {
        match self {
            Layout::Columns(widths) => write_row(row, widths, out),
            Layout::Paragraphs(columns) => write_paragraph(row, *columns, out),
        }
    }
}

/// Aligns rows.
#[derive(Default)]
pub(super) struct Table {
    held: Vec<Row>,
    layout: Option<Layout>,
    /// Columns of the terminal; none for a file or a program, which get whole rows.
    terminal: Option<usize>,
}

impl Table {
    /// For this terminal, if it is one.
    pub(super) fn new(terminal: Option<usize>) -> Table {
        Table { terminal, ..Table::default() }
    }

    /// Takes a point.
    pub(super) fn row(&mut self, point: &Point<'_>, out: &mut Vec<u8>) {
        let row = cells(point);
        if let Some(layout) = &self.layout {
            return layout.write(&row, out);
        }
        self.held.push(row);
        if self.held.len() >= ROWS_HELD_MAX {
            self.release(out);
        }
    }

    /// Writes what is held back.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.layout.is_none() && !self.held.is_empty() {
            self.release(out);
        }
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        let heads = HEADS.map(str::to_owned);
        let mut widths = heads.each_ref().map(|head| head.chars().count());
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count().min(WIDTH_MAX));
            }
        }
        let whole = widths.iter().sum::<usize>() + GAP.len() * (HEADS.len() - 1);
        let layout = match self.terminal {
            Some(columns) if columns < whole => Layout::Paragraphs(columns),
            _ => {
                write_row(&heads, &widths, out);
                Layout::Columns(widths)
            }
        };
        for row in self.held.drain(..) {
            layout.write(&row, out);
        }
        self.layout = Some(layout);
    }
}

/// What the metric is, then where and when, its dimensions, and its values by name.
fn write_paragraph(row: &Row, columns: usize, out: &mut Vec<u8>) {
    let [time, namespace, name, dimensions, values @ .., unit, account, region, extra] = row;
    let named = HEADS[NUMBERS].iter().zip(values);
    let values = named.map(|(head, value)| format!("{} {value}", head.to_lowercase()));
    let values = values.chain(extra.split(',').map(str::to_owned));
    out.extend_from_slice(format!("{namespace} {name}{GAP}{unit}").trim_end().as_bytes());
    out.push(b'\n');
    flow([time, account, region].into_iter().cloned(), columns, out);
    flow(std::iter::once(dimensions.clone()), columns, out);
    flow(values, columns, out);
}

/// Texts side by side, as many as a line has room for.
fn flow(texts: impl Iterator<Item = String>, columns: usize, out: &mut Vec<u8>) {
    let mut used = 0;
    for text in texts.filter(|text| !text.is_empty()) {
        let length = text.chars().count();
        let fits = used > 0 && used + GAP.len() + length <= columns;
        if used > 0 && !fits {
            out.push(b'\n');
            used = 0;
        }
        let before = if fits { GAP } else { INDENT };
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(text.as_bytes());
        used += before.len() + length;
    }
    if used > 0 {
        out.push(b'\n');
    }
}

fn write_row(row: &Row, widths: &[usize; HEADS.len()], out: &mut Vec<u8>) {
    let mut line = String::new();
    for (column, (cell, &width)) in row.iter().zip(widths).enumerate() {
        let padded = if NUMBERS.contains(&column) {
            format!("{cell:>width$}{GAP}")
        } else {
            format!("{cell:<width$}{GAP}")
        };
        line.push_str(&padded);
    }
    out.extend_from_slice(line.trim_end().as_bytes());
    out.push(b'\n');
}

fn cells(point: &Point<'_>) -> Row {
    let text = |bytes: &[u8]| clean(metric::text(bytes));
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number_text);
    let dimensions: Vec<String> = point
        .dimensions
        .iter()
        .map(|(name, value)| format!("{}={}", text(name), text(value)))
        .collect();
    [
        instant_text(point.instant_ms()),
        text(point.namespace),
        text(point.name),
        dimensions.join(","),
        number(point.min),
        number(point.max),
        number(point.sum),
        number_text(point.count),
        number(average(point)),
        text(point.unit.cloudwatch()),
        text(point.account),
        text(point.region),
        extras(point),
    ]
}

/// Sum by count, when there is one.
pub(super) fn average(point: &Point<'_>) -> Option<f64> {
    point.sum.map(|sum| sum / point.count).filter(|average| average.is_finite())
}

fn extras(point: &Point<'_>) -> String {
    let one = |extra: &metric::Extra<'_>| {
        format!("{}={}", statistic_text(extra.statistic), number_text(extra.value))
    };
    point.extra.iter().map(one).collect::<Vec<_>>().join(",")
}

/// `p99.9` for the quantile 0.999, made by moving the point in its shortest decimal text, so that
/// no float arithmetic makes it 99.89999.
pub(super) fn statistic_text(statistic: Statistic<'_>) -> String {
    let quantile = match statistic {
        Statistic::Named(name) => return clean(metric::text(name)),
        Statistic::Quantile(quantile) => quantile,
    };
    let text = format!("{quantile}");
    let Some(digits) = text.strip_prefix("0.") else { return format!("q{text}") };
    let padded = format!("{digits:0<2}");
    let (whole, rest) = padded.split_at_checked(2).unwrap_or((&padded, ""));
    let whole = whole.strip_prefix('0').unwrap_or(whole);
    if rest.is_empty() { format!("p{whole}") } else { format!("p{whole}.{rest}") }
}
