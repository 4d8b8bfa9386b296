//! Tests of the table.

use std::collections::HashSet;

use super::*;

/// *Scenario:* the whole table is walked.
/// *Guarantees:* 20 namespaces, 131 different pairs, one to four sorted dimensions each.
#[test]
fn the_table_has_the_promised_size() {
    let mut pairs = HashSet::new();
    for namespace in NAMESPACES {
        assert!((1..=4).contains(&namespace.dimensions.len()), "{}", namespace.name);
        assert!(namespace.dimensions.is_sorted(), "{}", namespace.name);
        for metric in namespace.metrics {
            assert!(pairs.insert((namespace.name, metric.name)), "{} twice", metric.name);
        }
    }
    assert_eq!(NAMESPACES.len(), 20);
    assert_eq!(pairs.len(), 131);
}
