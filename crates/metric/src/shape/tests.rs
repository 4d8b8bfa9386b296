use std::collections::HashMap;

use super::{PROBES_MAX, ShapeId, Shapes, hash};
use crate::{Dimension, Point};

fn point<'a>(namespace: &'a str, name: &'a str, dimensions: &'a [Dimension<'a>]) -> Point<'a> {
    Point { dimensions, count: 0.0, ..Point::of(namespace.as_bytes(), name.as_bytes()) }
}

/// *Scenario:* shapes that read the same when their names are joined, and values that differ.
/// *Guarantees:* each shape has its own number, dense from 0, whatever the values are.
#[test]
fn shapes_are_told_apart() {
    let mut shapes = Shapes::new();
    let numbers = [
        shapes.intern(&point("AB", "C", &[])),
        shapes.intern(&point("A", "BC", &[])),
        shapes.intern(&point("A", "B", &[(b"C", b"")])),
        shapes.intern(&point("A", "B", &[(b"C", b""), (b"", b"")])),
        shapes.intern(&point("A", "B", &[(b"C", b""), (b"D", b"")])),
        shapes.intern(&point("A", "B", &[(b"D", b""), (b"C", b"")])),
        shapes.intern(&point("A", "B", &[(b"CD", b"")])),
        shapes.intern(&point("A", "B", &[])),
    ];
    assert_eq!(numbers, std::array::from_fn(|at| Some(ShapeId(at as u32))));
    assert_eq!(shapes.intern(&point("A", "B", &[(b"CD", b"other value")])), Some(ShapeId(6)));
    assert_eq!(shapes.len(), 8);
}

/// *Scenario:* more shapes than the table takes, with names of many lengths.
/// *Guarantees:* the table fills up to its capacity, known shapes keep their numbers, others have none.
#[test]
fn the_table_is_bounded() {
    let mut shapes = Shapes::new();
    let mut numbers = HashMap::new();
    for round in 0..2 {
        for at in 0..Shapes::CAPACITY + 500 {
            let name = format!("{}{at}", "n".repeat(at % 40));
            let id = shapes.intern(&point("N", &name, &[(b"D", b"v")]));
            if round == 0 {
                assert_eq!(id.is_some(), at < Shapes::CAPACITY, "{at}");
                numbers.insert(name, id);
            } else {
                assert_eq!(numbers.get(&name), Some(&id));
            }
        }
    }
    assert_eq!(shapes.len(), Shapes::CAPACITY);
}

/// *Scenario:* a few shapes with names of half a megabyte each.
/// *Guarantees:* the bytes of all names are bounded; what has no room has no number.
#[test]
fn long_names_do_not_fill_memory() {
    let mut shapes = Shapes::new();
    let ids: Vec<_> = (0..20)
        .map(|at| {
            let name = format!("{at}{}", "x".repeat(500_000));
            shapes.intern(&point("N", &name, &[])).is_some()
        })
        .collect();
    assert_eq!(ids.iter().filter(|has| **has).count(), 8);
}

/// *Scenario:* names of all lengths from 0 to 40 that differ in one byte.
/// *Guarantees:* the hash looks at every byte: no two share a value.
#[test]
fn every_byte_counts_in_the_hash() {
    let mut seen = HashMap::new();
    for length in 0..=40 {
        for at in 0..length {
            let mut name = vec![b'a'; length];
            name[at] = b'b';
            let name = String::from_utf8(name).expect("ASCII");
            let before = seen.insert(hash(&point("N", &name, &[])), name.clone());
            assert_eq!(before, None, "{name}");
        }
    }
    const { assert!(PROBES_MAX < Shapes::CAPACITY) };
}
