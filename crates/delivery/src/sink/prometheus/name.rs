//! Names of series and labels, in both namings. Pure.
//!
//! Owns the two translations; `docs/prometheus.md` tells where each rule comes from and how sure it
//! is. Always holds: a metric name matches `[a-zA-Z_:][a-zA-Z0-9_:]*` and a label name
//! `[a-zA-Z_][a-zA-Z0-9_]*` without `__` in front, whatever the input. Not here: which labels a
//! series has (`plan`).

use metric::{Statistic, Unit};

use super::Naming;

/// The name of the label that holds the metric's name.
pub(crate) const NAME: &str = "__name__";
/// The label of a summary's quantile.
pub(crate) const QUANTILE: &str = "quantile";

/// The name of a metric without its statistic.
pub(crate) fn metric(naming: Naming, namespace: &str, name: &str, unit: &Unit<'_>) -> String {
    match naming {
        Naming::Yace => yace_metric(namespace, name),
        Naming::Otel => otel_metric(namespace, name, metric::text(unit.otel())),
    }
}

/// `aws_applicationelb_request_count`: the namespace in lower case first, so that only the metric's
/// name is split where a capital follows a small letter or a digit. What the name repeats of the
/// namespace is left out.
fn yace_metric(namespace: &str, name: &str) -> String {
    let mut lower = String::with_capacity(namespace.len());
    push_snake(&namespace.to_lowercase(), &mut lower);
    // `/aws/sagemaker/TrainingJobs` has one.
    let lower = lower.strip_prefix('_').unwrap_or(&lower);
    let mut out = String::with_capacity(lower.len() + name.len() + 16);
    if !lower.starts_with("aws") {
        out.push_str("aws_");
    }
    out.push_str(lower);
    out.push('_');
    let mut snake = String::with_capacity(name.len() + 8);
    push_snake(name, &mut snake);
    let mut rest = snake.as_str();
    for part in lower.split('_') {
        rest = rest.strip_prefix(part).unwrap_or(rest);
    }
    out.push_str(rest.strip_prefix('_').unwrap_or(rest));
    out
}

/// Appends `text` in snake case: `HTTPCode_Target_2XX_Count` is `httpcode_target_2_xx_count`.
fn push_snake(text: &str, out: &mut String) {
    let mut before = ' ';
    for character in text.chars() {
        match character {
            '%' => out.push_str("_percent"),
            c if c.is_ascii_alphanumeric() => {
                let after_small = before.is_lowercase() || before.is_numeric();
                if c.is_ascii_uppercase() && after_small {
                    out.push('_');
                }
                out.push(c.to_ascii_lowercase());
            }
            _ => out.push('_'),
        }
        before = character;
    }
}

/// `amazonaws_com_AWS_EC2_CPUUtilization_percent`: words of the name, then the unit in words, unless
/// the name has them already.
fn otel_metric(namespace: &str, name: &str, unit: &str) -> String {
    let whole = format!("amazonaws.com/{namespace}/{name}");
    let is_separator = |c: char| !(c.is_ascii_alphanumeric() || c == ':');
    let mut words: Vec<&str> = whole.split(is_separator).filter(|word| !word.is_empty()).collect();
    let (unit, per) = unit_words(unit);
    if !unit.is_empty() && !words.contains(&unit.as_str()) {
        words.push(&unit);
    }
    if !per.is_empty() && !words.contains(&per.as_str()) {
        words.push(&per);
    }
    words.join("_")
}

/// `By/s` is `bytes` and `per_second`; a unit in braces is a remark and none.
pub(crate) fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let is_remark = |text: &str| text.contains(['{', '}']);
    let main = if is_remark(main) { "" } else { main_unit(main.trim()) };
    let per = match per.trim() {
        "" => String::new(),
        per if is_remark(per) => String::new(),
        "s" => "per_second".to_owned(),
        per => format!("per_{}", plain(per)),
    };
    (plain(main), per)
}

fn main_unit(unit: &str) -> &str {
    match unit {
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "By" => "bytes",
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "%" => "percent",
        "1" => "",
        other => other,
    }
}

/// Words of letters and digits, with one `_` between.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// `dimension_ClusterName`, or `ClusterName`.
pub(crate) fn dimension(naming: Naming, name: &str) -> String {
    match naming {
        Naming::Yace => format!("dimension_{}", clean(naming, name)),
        Naming::Otel => attribute(naming, name),
    }
}

/// The name of what enrichment added: `tag.Name` is `tag_Name`.
pub(crate) fn attribute(naming: Naming, name: &str) -> String {
    let clean = clean(naming, name);
    match clean.bytes().next() {
        None => "key_".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("key_{clean}"),
        // Names that begin with `__` belong to Prometheus; OpenTelemetry spares the others as well.
        Some(b'_') => format!("key{clean}"),
        Some(_) => clean,
    }
}

fn clean(naming: Naming, name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '%' if naming == Naming::Yace => out.push_str("_percent"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ => out.push('_'),
        }
    }
    out
}

/// Appends what stands for an additional statistic: `_p99_9` behind the metric's name, or `0.999` as
/// its quantile. False, and nothing appended, when the naming has no place for it.
pub(crate) fn push_statistic(
    naming: Naming,
    statistic: &Statistic<'_>,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> bool {
    match naming {
        Naming::Yace => {
            scratch.clear();
            statistic.write_name(scratch);
            out.push(b'_');
            push_snake_bytes(scratch, out);
            true
        }
        // The outer quantiles are minimum and maximum, which have been sent as such.
        Naming::Otel => match statistic.quantile().filter(|q| *q > 0.0 && *q < 1.0) {
            Some(quantile) => {
                out.extend_from_slice(crate::sink::number::Decimal::new().text(quantile));
                true
            }
            None => false,
        },
    }
}

/// As [`push_snake`], without a `String`: names of statistics are short and come with every point.
fn push_snake_bytes(text: &[u8], out: &mut Vec<u8>) {
    let mut before = b' ';
    for &byte in text {
        match byte {
            b'%' => out.extend_from_slice(b"_percent"),
            b if b.is_ascii_alphanumeric() => {
                let after_small = before.is_ascii_lowercase() || before.is_ascii_digit();
                if b.is_ascii_uppercase() && after_small {
                    out.push(b'_');
                }
                out.push(b.to_ascii_lowercase());
            }
            // The first byte of a character stands for it.
            b if b & 0xc0 == 0x80 => continue,
            _ => out.push(b'_'),
        }
        before = byte;
    }
}

#[cfg(test)]
mod tests;
