//! Huffman codes of limited length.
//!
//! Always: a complete code whenever two symbols or more are used.

/// The most symbols of any deflate code (RFC 1951 3.2.7).
pub(super) const SYMBOLS_MAX: usize = 288;

/// The longest code there is.
const LENGTH_MAX: usize = 15;

/// A used symbol: how often, which.
type Leaf = (u32, u16);

/// Writes a code length for each symbol that is used, at most `length_max` (15 or less), into
/// `lengths`; 0 for the others.
pub(super) fn lengths(frequencies: &[u32], length_max: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    let mut leaves = [(0, 0); SYMBOLS_MAX];
    let mut used = 0;
    for ((symbol, frequency), leaf) in
        (0_u16..).zip(frequencies).filter(|(_, frequency)| **frequency > 0).zip(&mut leaves)
    {
        *leaf = (*frequency, symbol);
        used += 1;
    }
    let leaves = leaves.get_mut(..used).unwrap_or_default();
    leaves.sort_unstable();
    let mut counts = depths(leaves);
    limit(&mut counts, length_max);

    // The rarest symbols come first and get the longest codes.
    let mut rarest_first = leaves.iter();
    for (length, count) in counts.iter().enumerate().rev() {
        for (_, symbol) in rarest_first.by_ref().take(*count as usize) {
            if let Some(slot) = lengths.get_mut(usize::from(*symbol)) {
                *slot = length as u8;
            }
        }
    }
}

/// How many codes there are of each length. Longer than any limit: a length is at most the number
/// of symbols, and with 32-bit counts below 48.
type Counts = [u32; 64];

/// The lengths of the best code for leaves sorted by frequency, by the method of two queues.
fn depths(leaves: &[Leaf]) -> Counts {
    let mut counts = [0; 64];
    let nodes = leaves.len().saturating_sub(1);
    if nodes == 0 {
        counts[1] = leaves.len() as u32;
        return counts;
    }
    let mut weights = [0_u64; SYMBOLS_MAX];
    // Parents of leaves, then of nodes.
    let mut parents = [0_u16; 2 * SYMBOLS_MAX];
    let (mut leaf, mut node) = (0, 0);
    for made in 0..nodes {
        let mut weight = 0;
        for _ in 0..2 {
            let next_leaf = leaves.get(leaf).map(|(frequency, _)| u64::from(*frequency));
            let next_node = weights.get(node).copied().filter(|_| node < made);
            let (lighter, child) = match (next_leaf, next_node) {
                (Some(of_leaf), Some(of_node)) if of_node < of_leaf => (of_node, None),
                (Some(of_leaf), _) => (of_leaf, Some(leaf)),
                (None, of_node) => (of_node.unwrap_or_default(), None),
            };
            weight += lighter;
            let child = match child {
                Some(at) => {
                    leaf += 1;
                    at
                }
                None => {
                    node += 1;
                    leaves.len() + node - 1
                }
            };
            if let Some(parent) = parents.get_mut(child) {
                *parent = made as u16;
            }
        }
        if let Some(slot) = weights.get_mut(made) {
            *slot = weight;
        }
    }
    count_depths(leaves.len(), &parents, &mut counts);
    counts
}

/// Counts the leaves at each depth below the last node, the root.
fn count_depths(leaves: usize, parents: &[u16; 2 * SYMBOLS_MAX], counts: &mut Counts) {
    let mut node_depths = [0_u8; SYMBOLS_MAX];
    let depth_below = |depths: &[u8; SYMBOLS_MAX], child: usize| {
        let parent = parents.get(child).copied().unwrap_or_default();
        depths.get(usize::from(parent)).copied().unwrap_or_default() + 1
    };
    for node in (0..leaves.saturating_sub(2)).rev() {
        let depth = depth_below(&node_depths, leaves + node);
        if let Some(slot) = node_depths.get_mut(node) {
            *slot = depth;
        }
    }
    for leaf in 0..leaves {
        let depth = usize::from(depth_below(&node_depths, leaf));
        if let Some(count) = counts.get_mut(depth) {
            *count += 1;
        }
    }
}

/// Brings codes that are too long to the limit, then makes room for them: a code one shorter than
/// the limit or less becomes the parent of itself and of one that was too long.
fn limit(counts: &mut Counts, length_max: usize) {
    let (allowed, too_long) = counts.split_at_mut(length_max + 1);
    let moved: u32 = too_long.iter().sum();
    too_long.fill(0);
    let Some((longest, shorter)) = allowed.split_last_mut() else { return };
    *longest += moved;
    if moved == 0 {
        return;
    }
    let room = 1_u64 << length_max;
    let share = |(length, count): (usize, &u32)| u64::from(*count) << (length_max - length);
    let mut taken: u64 = shorter.iter().enumerate().map(share).sum::<u64>() + u64::from(*longest);
    while taken > room {
        let Some(length) = shorter.iter().rposition(|count| *count > 0) else { return };
        if let Some(count) = shorter.get_mut(length) {
            *count -= 1;
        }
        match shorter.get_mut(length + 1) {
            Some(count) => *count += 2,
            None => *longest += 2,
        }
        *longest -= 1;
        taken -= 1;
    }
}

/// Writes the code of each symbol, its bits in the order in which they are sent.
pub(super) fn codes(lengths: &[u8], codes: &mut [u16]) {
    let mut counts = [0_u16; LENGTH_MAX + 1];
    for length in lengths.iter().filter(|length| **length > 0) {
        if let Some(count) = counts.get_mut(usize::from(*length)) {
            *count += 1;
        }
    }
    let mut next = [0_u16; LENGTH_MAX + 1];
    let mut code = 0_u16;
    for (first, count) in next.iter_mut().skip(1).zip(counts) {
        code = (code + count) << 1;
        *first = code;
    }
    for (length, slot) in lengths.iter().zip(codes).filter(|(length, _)| **length > 0) {
        if let Some(code) = next.get_mut(usize::from(*length)) {
            *slot = code.reverse_bits() >> (16 - u32::from(*length));
            *code = code.wrapping_add(1);
        }
    }
}
