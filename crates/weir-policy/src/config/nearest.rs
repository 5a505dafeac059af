//! The valid word that a mistyped one resembles.

/// The candidate closest to `word`, if any is close enough to have been meant: at most a third of
/// its letters differ (two neighbours swapped count once). Ties go to the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = word.chars().count().min(60).div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, replace or swap with a neighbour (optimal string alignment), spelling
/// of separators and capitals aside. Long words count as far apart: keys are short.
fn distance(left: &str, right: &str) -> usize {
    const LONGEST: usize = 80;
    let fold = |text: &str| -> Vec<char> {
        let letters = text.chars().take(LONGEST + 1);
        letters
            .map(|c| {
                if c == '-' {
                    '_'
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect()
    };
    let (left, right) = (fold(left), fold(right));
    if left.len() > LONGEST || right.len() > LONGEST {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_other = None;
        for (column, other) in right.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = at(&above, column) + usize::from(letter != other);
            best = best
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            if previous_letter == Some(other) && previous_other == Some(letter) {
                best = best.min(at(&before, column.wrapping_sub(1)) + 1);
            }
            current.push(best);
            previous_other = Some(other);
        }
        before = std::mem::replace(&mut above, current);
        previous_letter = Some(letter);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_swaps_once_and_separators_not_at_all() {
        for (left, right, expected) in [
            ("minimum", "minimum", 0),
            ("minimun", "minimum", 1),
            ("mniimum", "minimum", 1),
            ("block-groups", "block_groups", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_close_words_are_suggested() {
        let words = ["minimum", "exclude", "unknown"];
        assert_eq!(nearest("minimun", words), Some("minimum"));
        assert_eq!(nearest("excluded", words), Some("exclude"));
        assert_eq!(nearest("colour", words), None);
    }
}
