//! A quick no for a name that is matched against many words: nearly every name in a program is none of them,
//! and comparing it with each takes longer than everything else that is done with it.

/// Which lengths the words have that begin with a byte.
pub(crate) struct Words {
    /// By the first byte; the last bit is for all lengths from there on.
    lengths: [u32; 256],
}

impl Words {
    #[expect(
        clippy::indexing_slicing,
        reason = "words that have a first byte, a table of 256 entries, and done at compile time"
    )]
    pub(crate) const fn of(words: &[&str]) -> Self {
        let mut lengths = [0; 256];
        let mut at = 0;
        while at < words.len() {
            let word = words[at].as_bytes();
            if !word.is_empty() {
                lengths[word[0] as usize] |= bit(word.len());
            }
            at += 1;
        }
        Self { lengths }
    }

    /// Whether `name` may be one of the words; always true where it is, unless it is empty.
    pub(crate) fn may_hold(&self, name: &str) -> bool {
        let first = name.as_bytes().first();
        let lengths = first.and_then(|&first| self.lengths.get(usize::from(first)));
        lengths.is_some_and(|lengths| lengths & bit(name.len()) != 0)
    }
}

const fn bit(length: usize) -> u32 {
    1 << if length < 31 { length } else { 31 }
}

/// A `match` of a name against words, each arm with its comma. The last arm is for all others.
macro_rules! match_word {
    ($name:expr, { $($($word:literal)|+ $(if $guard:expr)? => $then:expr,)+ _ => $other:expr $(,)? }) => {{
        static WORDS: $crate::words::Words = $crate::words::Words::of(&[$($($word,)+)+]);
        let name: &str = $name;
        match if WORDS.may_hold(name) { name } else { "" } {
            $($($word)|+ $(if $guard)? => $then,)+
            _ => $other,
        }
    }};
}

pub(crate) use match_word;

#[cfg(test)]
mod tests {
    fn number(name: &str, is_wanted: bool) -> u32 {
        match_word!(name, {
            "one" => 1,
            "two" | "zwei" => 2,
            "three" if is_wanted => 3,
            "a word that is longer than all others" => 4,
            _ => 0,
        })
    }

    #[test]
    fn words_are_found_and_all_else_is_not() {
        let cases = [
            ("one", 1),
            ("two", 2),
            ("zwei", 2),
            ("three", 3),
            ("a word that is longer than all others", 4),
            ("a word that is longer than many others", 0),
            ("ten", 0),
            ("on", 0),
            ("", 0),
            ("ünf", 0),
        ];
        for (name, expected) in cases {
            assert_eq!(number(name, true), expected, "{name}");
        }
        assert_eq!(number("three", false), 0);
    }
}
