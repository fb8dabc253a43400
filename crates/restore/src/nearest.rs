//! Which known word somebody probably meant.

/// Returns the candidate with the smallest edit distance, the first of equals. A word that a
/// candidate begins with is near to it however much is missing.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates.min_by_key(|candidate| match candidate.to_lowercase() {
        candidate if !word.is_empty() && candidate.starts_with(&word) => 1,
        candidate => distance(&word, &candidate),
    })
}

/// Levenshtein's distance: how many characters must be added, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_case_of_a_key_does_not_mislead() {
        assert_eq!(
            nearest("KEEPORIGNAL", ["task", "keepOriginal"].into_iter()),
            Some("keepOriginal")
        );
        assert_eq!(nearest("anything", std::iter::empty()), None);
    }
}
