//! Points in columns, for a person.

use metric::{Point, Statistic};

use super::account::clean;
use super::output::{instant_text, number_text};

/// Rows that are held back to find the widths; the rest is written with the widths so found.
const ROWS_HELD_MAX: usize = 500;
/// A column grows up to this many characters; longer texts push their row to the right.
const WIDTH_MAX: usize = 48;
/// Between columns.
const GAP: &str = "  ";

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

/// Aligns rows.
#[derive(Default)]
pub(super) struct Table {
    held: Vec<Row>,
    widths: Option<[usize; HEADS.len()]>,
}

impl Table {
    /// Takes a point.
    pub(super) fn row(&mut self, point: &Point<'_>, out: &mut Vec<u8>) {
        let row = cells(point);
        if let Some(widths) = &self.widths {
            return write_row(&row, widths, out);
        }
        self.held.push(row);
        if self.held.len() >= ROWS_HELD_MAX {
            self.release(out);
        }
    }

    /// Writes what is held back.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.widths.is_none() && !self.held.is_empty() {
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
        write_row(&heads, &widths, out);
        for row in self.held.drain(..) {
            write_row(&row, &widths, out);
        }
        self.widths = Some(widths);
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
