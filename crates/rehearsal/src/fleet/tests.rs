//! Tests of the resources.

use std::collections::HashSet;

use super::*;

/// *Scenario:* the names of twenty thousand resources are made.
/// *Guarantees:* no two resources share account, region, namespace and dimension values, and every
/// dimension of the catalogue has a name of its own making.
#[test]
fn resources_never_share_their_names() {
    let mut seen = HashSet::new();
    for index in 0..20_000 {
        let resource = Resource::nth(index);
        let dimensions = resource.dimensions();
        for (name, value) in &dimensions {
            assert!(!value.is_empty() && !value.starts_with(&format!("{name}-")), "{name}");
        }
        assert!(seen.insert((resource.namespace, dimensions)), "resource {index} twice");
    }
}
