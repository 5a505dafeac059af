//! What one look at a block of bytes rules out.

/// Whether a stretch of at least `length` bytes that all pass can stand in a text. It covers a whole
/// block of half that length, wherever it begins, and most blocks are left at their first byte.
pub(super) fn may_have_stretch(text: &[u8], length: usize, passes: impl Fn(u8) -> bool) -> bool {
    text.chunks_exact(length / 2)
        .any(|block| block.iter().all(|byte| passes(*byte)))
}

/// Bytes whose repetition is looked for, and how far behind.
const FIRST: usize = 16;
const BEHIND: usize = 8;

/// Bytes that [`repeats_soon`] looks at.
pub(super) const WINDOW: usize = FIRST + BEHIND;

/// Whether one of the first sixteen bytes comes again, no more than eight behind. In code that is so nearly
/// everywhere. All pairs are compared, without a branch, which takes a few vector instructions for each
/// distance; remembering what was seen takes longer, although it ends sooner.
pub(super) fn repeats_soon(window: &[u8; WINDOW]) -> bool {
    let first: Option<&[u8; FIRST]> = window.first_chunk();
    let mut same = [0_u8; FIRST];
    for distance in 1..=BEHIND {
        let behind = window.get(distance..);
        let behind: Option<&[u8; FIRST]> = behind.and_then(|behind| behind.first_chunk());
        if let (Some(first), Some(behind)) = (first, behind) {
            for ((same, a), b) in same.iter_mut().zip(first).zip(behind) {
                *same |= u8::from(a == b);
            }
        }
    }
    same.iter().fold(0, |any, one| any | one) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stretch_is_never_ruled_out(before in 0..300_usize, length in 128..400_usize, behind in 0..300_usize) {
            let text = [vec![b'.'; before], vec![b'a'; length], vec![b'.'; behind]].concat();
            prop_assert!(may_have_stretch(&text, 128, |byte| byte == b'a'));
            let short = [vec![b'.'; before], vec![b'a'; 63], vec![b'.'; behind]].concat();
            prop_assert!(!may_have_stretch(&short, 128, |byte| byte == b'a'));
        }

        #[test]
        fn repetitions_are_those_of_the_definition(window in prop::array::uniform24(0..40_u8)) {
            let repeats = (0..FIRST).any(|at| (1..=BEHIND).any(|behind| window[at] == window[at + behind]));
            prop_assert_eq!(repeats_soon(&window), repeats);
        }
    }
}
