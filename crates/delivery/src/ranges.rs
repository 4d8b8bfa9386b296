//! Half-open ranges of positions: what is settled, in flight, left.

use journal::Position;

/// `from..to`.
pub(crate) type Range = (Position, Position);

/// Sorted, with overlaps merged.
pub(crate) fn normalised(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut out: Vec<Range> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some((_, end)) if *end >= from => *end = (*end).max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// The parts of `range` that no member of `taken` (normalised) covers.
pub(crate) fn without(range: Range, taken: &[Range]) -> Vec<Range> {
    let (mut from, to) = range;
    let mut left = Vec::new();
    for (start, end) in taken {
        if *end <= from || *start >= to {
            continue;
        }
        if from < *start {
            left.push((from, *start));
        }
        from = from.max(*end);
    }
    if from < to {
        left.push((from, to));
    }
    left
}

/// The member of `ranges` (normalised) that covers `at`.
pub(crate) fn covering(ranges: &[Range], at: Position) -> Option<Range> {
    // Few ranges (at most 64 and what is in flight): a scan is quicker than a search.
    ranges.iter().copied().find(|(from, to)| *from <= at && at < *to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u64) -> Position {
        Position { sequence: n / 10, ordinal: u32::try_from(n % 10).unwrap() }
    }

    fn ranges(list: &[(u64, u64)]) -> Vec<Range> {
        list.iter().map(|(a, b)| (at(*a), at(*b))).collect()
    }

    /// Scenario: every range below 12 against every pair of ranges below 12.
    /// Guarantees: `without` keeps exactly the positions that are in the range and in no other.
    #[test]
    fn subtraction_is_exact() {
        for (a, b, c, d, e, f) in all() {
            let taken = normalised(ranges(&[(c, d), (e, f)]));
            let left = without((at(a), at(b)), &taken);
            for n in 0..12 {
                let here = left.iter().any(|(x, y)| *x <= at(n) && at(n) < *y);
                let free = !((c..d).contains(&n) || (e..f).contains(&n));
                assert_eq!(here, (a..b).contains(&n) && free, "{a}..{b} {c}..{d} {e}..{f} at {n}");
                assert_eq!(covering(&taken, at(n)).is_none(), free);
            }
        }
    }

    fn all() -> impl Iterator<Item = (u64, u64, u64, u64, u64, u64)> {
        (0..11).step_by(2).flat_map(|a| {
            (a + 1..12).step_by(3).flat_map(move |b| {
                (0..11).step_by(2).flat_map(move |c| {
                    (c + 1..12)
                        .step_by(3)
                        .flat_map(move |d| (0..11).step_by(3).map(move |e| (a, b, c, d, e, e + 2)))
                })
            })
        })
    }
}
