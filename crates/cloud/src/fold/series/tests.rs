//! Against a plain map, over turns and forgetting.

use std::collections::BTreeMap;

use super::*;

/// A key as `put::wire` has it: a name, no dimensions, a unit.
fn key(name: &str) -> Vec<u8> {
    [&(name.len() as u16).to_le_bytes()[..], name.as_bytes(), &[0, 26]].concat()
}

/// *Scenario:* thousands of keys of two scopes, twice; then turns in which a few are seen.
/// *Guarantees:* one number each, in the order of whole keys; what is forgotten gets a new number,
/// the others keep their keys.
#[test]
fn numbers_and_turns() {
    let mut series = Series::default();
    let scopes = [series.scope(b"2\0N\0"), series.scope(b"1\0N\0")];
    let mut known = BTreeMap::new();
    let whole = |series: &Series, number| {
        let mut out = Vec::new();
        series.key(number, &mut out);
        out
    };
    for at in 0..5_000_u32 {
        let scope = scopes[(at % 2) as usize];
        let number = series.number(scope, &key(&format!("name-{}", at * 7_919 % 5_000))).unwrap();
        known.insert(whole(&series, number), number);
        if at == 3_000 {
            series.ordered();
        }
    }
    assert_eq!((series.len(), known.len()), (5_000, 5_000));
    let in_order: Vec<u32> = known.values().copied().collect();
    assert_eq!(series.ordered(), in_order);
    let mut few = in_order[..50].to_vec();
    few.reverse();
    series.sort(&mut few);
    assert_eq!(few, in_order[..50]);
    for at in 0..5_000_u32 {
        let scope = scopes[(at % 2) as usize];
        let number = series.number(scope, &key(&format!("name-{}", at * 7_919 % 5_000)));
        assert!(number.is_some_and(|number| number < 5_000));
    }
    let used = [in_order[3], in_order[4_000]];
    let mut moved = None;
    for _ in 0..=TURNS_KEPT {
        assert_eq!(moved, None);
        moved = series.turn(used.into_iter());
    }
    let moved = moved.unwrap();
    assert_eq!(series.len(), 2);
    for old in used {
        let new = moved[old as usize];
        assert_eq!(known[&whole(&series, new)], old);
    }
    assert_eq!(series.ordered().len(), 2);
    let again = series.number(scopes[0], &key("name-1")).unwrap();
    assert_eq!((again, series.ordered().len()), (2, 3));
}

/// *Scenario:* raw values wanted of one metric, before and after it is known; a key that is too
/// long.
/// *Guarantees:* they are wanted of it alone; the key has no number.
#[test]
fn raw_and_bounds() {
    let mut series = Series::default();
    let scope = series.scope(b"1\0N\0");
    let before = series.number(scope, &key("a")).unwrap();
    series.want_raw([("N".to_owned(), "a".to_owned())].into());
    let after = series.number(scope, &key("b")).unwrap();
    assert!(series.wants_raw(before) && !series.wants_raw(after));
    series.clear();
    let scope = series.scope(b"1\0N\0");
    let new = series.number(scope, &key("a")).unwrap();
    assert!(series.wants_raw(new));
    assert_eq!(series.number(scope, &vec![0; KEY_MAX]), None);
}
