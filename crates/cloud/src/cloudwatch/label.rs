//! Labels of results that were given none: the metric's name, and what tells namesakes apart.

/// Name, statistic and period in seconds of a query.
pub(super) type Named<'a> = (&'a str, &'a str, i64);

/// The label of a query among others: statistic and period are added when queries of the same
/// metric name differ in them. Units and dimensions are not.
pub(super) fn default(one: Named<'_>, all: &[Named<'_>]) -> String {
    let (name, statistic, period) = one;
    let namesakes = || all.iter().filter(|other| other.0 == name);
    let mut label = name.to_owned();
    if namesakes().any(|other| other.1 != statistic) {
        label.push_str(&format!(" {statistic}"));
    }
    if namesakes().any(|other| other.2 != period) {
        label.push_str(&format!(" {period}"));
    }
    label
}
