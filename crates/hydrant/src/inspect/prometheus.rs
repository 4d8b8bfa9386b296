//! Prometheus text exposition, with the series that the destination `prometheus_remote_write` sends
//! in its default naming.

use std::collections::BTreeMap;

use delivery::sink::prometheus::{Naming, Singles};
use metric::Point;

use super::output::number_text;

/// Samples by metric name: the format wants all of one name together.
pub(super) struct Exposition {
    series: Singles,
    families: BTreeMap<String, String>,
}

impl Default for Exposition {
    fn default() -> Self {
        let series = Singles::new(Naming::Yace, Vec::new());
        Exposition { series, families: BTreeMap::new() }
    }
}

impl Exposition {
    /// Takes a point: one sample for each statistic it has.
    pub(super) fn point(&mut self, point: &Point<'_>) {
        let instant = point.instant_ms();
        let Exposition { series, families } = self;
        series.each(point, |labels, value| {
            let (mut name, mut others) = ("", Vec::new());
            for (label, value) in labels {
                if *label == "__name__" {
                    name = value;
                } else {
                    others.push(format!("{label}=\"{}\"", escaped(value)));
                }
            }
            let labels = others.join(",");
            let sample = format!("{name}{{{labels}}} {} {instant}\n", number_text(value));
            families.entry(name.to_owned()).or_default().push_str(&sample);
        });
    }

    /// Writes all families.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        for (name, samples) in &self.families {
            out.extend_from_slice(format!("# TYPE {name} gauge\n{samples}").as_bytes());
        }
        self.families.clear();
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
