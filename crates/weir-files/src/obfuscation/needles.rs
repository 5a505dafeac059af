//! Which of the words that the criteria look for stand in a text, in one pass over it: nearly all
//! files have none of them, and each search alone would read the whole text again.

use std::sync::OnceLock;

use aho_corasick::packed::Searcher;
use memchr::memmem;

/// What a word is looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// [`super::marks::packer`]
    Packer,
    /// [`super::marks::faces`]
    Faces,
    /// [`super::marks::shuffled_array`]
    ShuffledArray,
    /// [`super::marks::flattened`]
    Flattened,
    /// [`super::marks::hexadecimal_names`]
    HexadecimalNames,
    /// [`super::marks::foreign_base64`]
    ForeignBase64,
    /// [`super::marks::self_replacing_array`]
    SelfReplacingArray,
    /// [`super::marks::decoded_in_place`]
    DecodedInPlace,
    /// [`super::words::split_words`]
    SplitWords,
    /// [`super::members::marks`]
    Members,
}

/// The words. None begins with an end of another one of another criterion, so that a search for
/// matches that do not overlap misses none of them.
const NEEDLES: &[(&str, Wanted)] = &[
    ("function(p,a,c,k,e,", Wanted::Packer),
    ("p, a, c, k, e, ", Wanted::Packer),
    ("ﾟωﾟ", Wanted::Faces),
    ("parseInt(", Wanted::ShuffledArray),
    ("split", Wanted::Flattened),
    ("_0x", Wanted::HexadecimalNames),
    (
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/",
        Wanted::ForeignBase64,
    ),
    ("=function(){return ", Wanted::SelfReplacingArray),
    ("eval(", Wanted::DecodedInPlace),
    ("Function(", Wanted::DecodedInPlace),
    ("'+'", Wanted::SplitWords),
    ("\"+\"", Wanted::SplitWords),
    ("' + '", Wanted::SplitWords),
    ("\" + \"", Wanted::SplitWords),
    ("atob(", Wanted::Members),
    ("Buffer.from(", Wanted::Members),
    ("String.fromCharCode(", Wanted::Members),
    (".reverse().join(", Wanted::Members),
    ("].join('')", Wanted::Members),
    ("].join(\"\")", Wanted::Members),
    // What a quote before it would hide behind a joined word.
    ("\\x6", Wanted::Members),
    ("\\x7", Wanted::Members),
];

/// What stands in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needles(u32);

impl Needles {
    /// Looks for all of them.
    pub(super) fn of(text: &[u8]) -> Self {
        static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
        let words = || NEEDLES.iter().map(|(word, _)| word.as_bytes());
        let mut found = Self::default();
        match SEARCHER.get_or_init(|| Searcher::new(words())) {
            Some(searcher) => {
                for one in searcher.find_iter(text) {
                    if let Some((_, wanted)) = NEEDLES.get(one.pattern().as_usize()) {
                        found.0 |= 1 << (*wanted as u32);
                    }
                }
            }
            // Without vector instructions.
            None => {
                for (word, wanted) in NEEDLES {
                    if memmem::find(text, word.as_bytes()).is_some() {
                        found.0 |= 1 << (*wanted as u32);
                    }
                }
            }
        }
        found
    }

    /// Whether something of the kind stands there.
    pub(super) fn has(self, wanted: Wanted) -> bool {
        self.0 & (1 << (wanted as u32)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{NEEDLES, Needles};

    #[test]
    fn every_word_is_found_alone_and_behind_every_other() {
        for (word, wanted) in NEEDLES {
            assert!(
                Needles::of(format!("a;{word} b").as_bytes()).has(*wanted),
                "{word}"
            );
            for (before, _) in NEEDLES {
                // Overlapping by as much as they can: no word of another criterion may be hidden.
                for shared in 0..before.len().min(word.len()) {
                    let Some(rest) = word
                        .is_char_boundary(shared)
                        .then(|| word.split_at(shared))
                        .filter(|(start, _)| before.ends_with(start))
                        .map(|(_, rest)| rest)
                    else {
                        continue;
                    };
                    let text = format!("a;{before}{rest} b");
                    assert!(Needles::of(text.as_bytes()).has(*wanted), "{text}");
                }
            }
        }
    }

    #[test]
    fn plain_code_has_none() {
        assert_eq!(
            Needles::of(b"export const a = (b) => b.c + 'd';"),
            Needles::default()
        );
    }
}
