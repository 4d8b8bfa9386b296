//! Every container both ways, cut, damaged, bombed and nested.

use super::*;

fn packed(container: Container, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(container).compress("entry", plain, &mut out).unwrap();
    out
}

fn lines(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|n| format!("{{\"metric\":{n},\"value\":{}}}\n", n * n).into_bytes())
        .collect()
}

/// *Scenario:* objects of several sizes in every container, on borders of blocks and windows.
/// *Guarantees:* the container is told by content and the same bytes come back.
#[test]
fn every_container_comes_back() {
    for container in CONTAINERS {
        for length in [1, 100, 32_767, 32_768, 32_769, 65_536, 200_000] {
            let plain = &lines(10_000)[..length];
            let object = packed(container, plain);
            let mut out = Vec::new();
            assert_eq!(sniff(&object), container);
            let found = decompress(&object, &mut out, length as u64);
            assert_eq!(found, Ok([container, Container::Plain]), "{container} {length}");
            assert!(out == plain, "{container} {length}");
        }
    }
}
