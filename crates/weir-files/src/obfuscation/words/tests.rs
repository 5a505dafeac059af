use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn alphabets_are_found_wherever_they_stand(
        letters in Just((b' '..=b'~').collect::<Vec<u8>>()).prop_shuffle(),
        length in 70..=95_usize,
        before in 0..200_usize,
        behind in 0..200_usize,
    ) {
        let run = letters.get(..length).unwrap();
        let text = [&vec![run[0]; before], run, &vec![run[length - 1]; behind]].concat();
        prop_assert_eq!(has_alphabet(&text), length >= ALPHABET);
    }

    #[test]
    fn an_alphabet_is_one_by_the_definition(text in prop::collection::vec(b' '..=b'~', 0..2_000)) {
        let defined = (0..text.len()).any(|at| distinct(&text[at..]) >= ALPHABET);
        prop_assert_eq!(has_alphabet(&text), defined);
    }

    #[test]
    fn kinds_change_as_often_as_pairs_differ(piece in prop::collection::vec(any::<u8>(), NOISE / 2)) {
        let kind = |byte: u8| (byte.is_ascii_alphabetic(), byte.is_ascii_digit());
        let pairs = piece.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
        prop_assert_eq!(changes_of_kind(&piece), pairs + 1);
        prop_assert_eq!(is_graphic(&piece), piece.iter().all(u8::is_ascii_graphic));
    }
}
