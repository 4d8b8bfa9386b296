//! "Did you mean": the known word nearest to the one that was written.

/// The nearest of `known`, unless all are too far away to be meant.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = fold(written);
    known
        .into_iter()
        .map(|word| (distance(&plain, &fold(word)), word))
        .filter(|(distance, word)| *distance <= tolerance(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A third of a word may be wrong; of a short one, a single letter.
fn tolerance(word: &str) -> usize {
    (word.chars().count() / 3).max(1)
}

/// Case and the choice between `-`, `_` and a space are no distance.
fn fold(word: &str) -> Vec<char> {
    let same = |c: char| if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() };
    // Longer than any key: past this the distance is large anyway, and its cost stays bounded.
    word.chars().take(64).map(same).collect()
}

/// Edits from one to the other: insert, delete, replace, swap of neighbours.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, &a) in from.iter().enumerate() {
        let mut now = vec![row + 1];
        let mut left = row + 1;
        for (column, &b) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column) + usize::from(a != b);
            let mut least = replaced.min(left + 1).min(at(&last, column + 1) + 1);
            let swapped = column > 0 && previous == Some(b) && to.get(column - 1) == Some(&a);
            if swapped {
                least = least.min(at(&before, column - 1).saturating_add(1));
            }
            now.push(least);
            left = least;
        }
        previous = Some(a);
        before = std::mem::replace(&mut last, now);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    //! Near and far words.

    use super::nearest;

    /// *Scenario:* keys with one letter too many, too few, swapped, or in another spelling.
    /// *Guarantees:* the meant key is found, and nothing is offered for a word that is none.
    #[test]
    fn meant_words_are_found() {
        let keys = ["destination", "source", "retry_duration", "url"];
        for (written, meant) in [
            ("destnation", Some("destination")),
            ("soruce", Some("source")),
            ("sources", Some("source")),
            ("retry-duration", Some("retry_duration")),
            ("retryDuration", Some("retry_duration")),
            ("URL", Some("url")),
            ("ulr", Some("url")),
            ("token", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, keys), meant, "{written}");
        }
    }
}
