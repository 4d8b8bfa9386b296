//! Prometheus text exposition, with the names that YACE gives, so that its dashboards recognise them.

use std::collections::BTreeMap;

use metric::Point;

use super::output::number_text;
use super::table::{average, statistic_text};

/// Samples by metric name: the format wants all of one name together.
#[derive(Default)]
pub(super) struct Exposition {
    families: BTreeMap<String, String>,
}

impl Exposition {
    /// Takes a point: one sample for each statistic it has.
    pub(super) fn point(&mut self, point: &Point<'_>) {
        let base = base_name(metric::text(point.namespace), metric::text(point.name));
        let labels = labels(point);
        let instant = point.instant_ms();
        let statistics = [
            ("minimum", point.min),
            ("maximum", point.max),
            ("sum", point.sum),
            ("sample_count", Some(point.count)),
            ("average", average(point)),
        ];
        let mut add = |statistic: &str, value: f64| {
            let name = format!("{base}_{statistic}");
            let sample = format!("{name}{{{labels}}} {} {instant}\n", number_text(value));
            self.families.entry(name).or_default().push_str(&sample);
        };
        for (statistic, value) in statistics {
            if let Some(value) = value {
                add(statistic, value);
            }
        }
        for extra in point.extra {
            add(&snake(&statistic_text(extra.statistic)), extra.value);
        }
    }

    /// Writes all families.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        for (name, samples) in &self.families {
            out.extend_from_slice(format!("# TYPE {name} gauge\n{samples}").as_bytes());
        }
        self.families.clear();
    }
}

/// `aws_applicationelb_request_count`: the namespace in lower case first, so that only the metric's
/// name is split where a capital follows a small letter or a digit.
fn base_name(namespace: &str, metric: &str) -> String {
    let namespace = snake(&namespace.to_ascii_lowercase());
    let prefix = if namespace.starts_with("aws") { "" } else { "aws_" };
    format!("{prefix}{namespace}_{}", snake(metric))
}

fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for character in text.chars() {
        let splits = character.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if splits {
            out.push('_');
        }
        let kept = if character.is_ascii_alphanumeric() { character } else { '_' };
        out.push(kept.to_ascii_lowercase());
        before = character;
    }
    out
}

fn labels(point: &Point<'_>) -> String {
    let mut labels = vec![
        label("account_id", metric::text(point.account)),
        label("region", metric::text(point.region)),
    ];
    for (name, value) in point.dimensions {
        let name: String = metric::text(name)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        labels.push(label(&format!("dimension_{name}"), metric::text(value)));
    }
    labels.join(",")
}

fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}
