//! What each path cost when it was last recorded, and what it may cost now.
//!
//! One file for all processors: a row has class, path, G and the commit it was measured at. Pure, but
//! for the question which processor this is; where the file lies is the caller's business.

use std::fmt::Write;

/// A path may cost this much more than recorded before the gate closes.
pub(crate) const TOLERANCE: f64 = 1.15;

/// What a ceiling forgives: a shared machine is not the one the ceilings were measured on.
pub(crate) const CEILING_TOLERANCE: f64 = 1.1;

/// The first lines of the file.
const HEAD: &str = "\
# What each path costs in G, by class of processor. `cargo bench -p delivery --bench paths -- --record`
# rewrites the rows of this machine's class, on a quiet machine and a clean tree; `-- --check` fails at
# 15 % above them.
# class\tpath\tG\tcommit
";

/// One recorded figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) class: String,
    pub(crate) path: String,
    pub(crate) ratio: f64,
    pub(crate) commit: String,
}

/// The rows of the file; `Err` names the line that is none.
pub(crate) fn parse(text: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [class, path, ratio, commit] = cells.as_slice() else {
            return Err(format!("line {}: four cells with tabs between them", index + 1));
        };
        let ratio = ratio.parse::<f64>().ok().filter(|ratio| *ratio > 0.0);
        let Some(ratio) = ratio else {
            return Err(format!("line {}: G is a number above 0", index + 1));
        };
        let row = Row {
            class: (*class).to_owned(),
            path: (*path).to_owned(),
            ratio,
            commit: (*commit).to_owned(),
        };
        if find(&rows, class, path).is_some() {
            return Err(format!("line {}: {class} has {path} twice", index + 1));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The file with the rows of `class` replaced by these.
pub(crate) fn replaced(rows: &[Row], class: &str, commit: &str, figures: &[(&str, f64)]) -> String {
    let mut kept: Vec<Row> = rows.iter().filter(|row| row.class != class).cloned().collect();
    kept.extend(figures.iter().map(|(path, ratio)| Row {
        class: class.to_owned(),
        path: (*path).to_owned(),
        ratio: *ratio,
        commit: commit.to_owned(),
    }));
    kept.sort_by(|a, b| a.class.cmp(&b.class));
    let mut text = HEAD.to_owned();
    for Row { class, path, ratio, commit } in kept {
        // Writing into a String cannot fail.
        let _infallible = writeln!(text, "{class}\t{path}\t{ratio:.2}\t{commit}");
    }
    text
}

/// The figure of a path.
pub(crate) fn find<'a>(rows: &'a [Row], class: &str, path: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.class == class && row.path == path)
}

/// What a path may cost: the smaller of what was recorded and of its ceiling, each with what it
/// forgives. Infinite when neither is known.
pub(crate) fn limit(recorded: Option<f64>, ceiling: f64) -> f64 {
    let recorded = recorded.map_or(f64::INFINITY, |ratio| ratio * TOLERANCE);
    let ceiling = if ceiling.is_nan() { f64::INFINITY } else { ceiling * CEILING_TOLERANCE };
    recorded.min(ceiling)
}

/// The class of this processor: base64 and checksums take other ways on each.
pub(crate) fn class() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") { "x86_64-avx512" } else { "x86_64" }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        std::env::consts::ARCH
    }
}

/// The one in the middle.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
