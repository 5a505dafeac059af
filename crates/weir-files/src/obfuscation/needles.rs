//! Which of the words that the criteria look for stand in a text, in one pass over it: nearly all
//! files have none of them, and each search alone would read the whole text again.
//!
//! Some of the words are ordinary (`split`), so each is also looked at where it stands: only where
//! what the criterion counts is there, the criterion is asked.

use std::sync::OnceLock;

use aho_corasick::Span;
use aho_corasick::packed::Searcher;
use memchr::memmem;

use super::{marks, members, words};

/// What a word is looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// [`marks::packer`]
    Packer,
    /// [`marks::faces`]
    Faces,
    /// [`marks::shuffled_array`]
    ShuffledArray,
    /// [`marks::flattened`]
    Flattened,
    /// [`marks::hexadecimal_names`]
    HexadecimalNames,
    /// [`marks::foreign_base64`]
    ForeignBase64,
    /// [`marks::self_replacing_array`]
    SelfReplacingArray,
    /// [`marks::decoded_in_place`]
    DecodedInPlace,
    /// [`words::split_words`]
    SplitWords,
    /// [`words::hexadecimal_numbers`]
    HexadecimalNumbers,
    /// [`members::marks`]
    Members,
}

/// A word, and what it is wanted for.
struct Needle {
    word: &'static str,
    /// The part that is searched for. Its first three letters decide how often the search stops for
    /// nothing, so they are some that are rare in code: `tob(`, not `atob(`, which every iterator has
    /// the beginning of.
    rare: &'static str,
    wanted: Wanted,
    /// Whether the word at that place can be counted. May say yes where it is not, never the reverse.
    counts: fn(&[u8], usize) -> bool,
}

const fn needle(
    word: &'static str,
    rare: &'static str,
    wanted: Wanted,
    counts: fn(&[u8], usize) -> bool,
) -> Needle {
    Needle {
        word,
        rare,
        wanted,
        counts,
    }
}

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
const PACKER: &str = "function(p,a,c,k,e,";
const SPACED: &str = "p, a, c, k, e, ";
const REPLACES: &str = "=function(){return ";
const CODES: &str = "String.fromCharCode(";
const REVERSE: &str = ".reverse().join(";

/// The search puts every eighth word into one group, and stops for nothing wherever the first three letters
/// of a group's words could be mixed into what stands there. This order was found by trying, over
/// real packages, and stops an eighth as often as one by criteria.
static NEEDLES: &[Needle] = &[
    number("=0x"),
    needle(REVERSE, ").join(", Wanted::Members, |text, at| {
        members::turned_literal(text, at).is_some()
    }),
    needle(SPACED, " k, e, ", Wanted::Packer, |_, _| true),
    needle("split", "split", Wanted::Flattened, marks::is_order),
    needle(
        "parseInt(",
        "seInt(",
        Wanted::ShuffledArray,
        marks::is_divided,
    ),
    needle("eval(", "eval(", Wanted::DecodedInPlace, |text, at| {
        marks::decodes_literal(text, at + "eval(".len())
    }),
    needle(ALPHABET, ALPHABET, Wanted::ForeignBase64, |_, _| true),
    needle(PACKER, "p,a,c,k,e,", Wanted::Packer, |_, _| true),
    // Second words of the groups.
    needle("\\x7", "\\x7", Wanted::Members, members::are_letters),
    needle(CODES, "mCharCode(", Wanted::Members, |text, at| {
        members::is_number(text, at + CODES.len())
    }),
    joint("'+'", |text, at| words::joins_parts(text, at, b"'+'")),
    number("[0x"),
    joint("' + '", |text, at| words::joins_parts(text, at, b"' + '")),
    joint("\"+\"", |text, at| words::joins_parts(text, at, b"\"+\"")),
    number(":0x"),
    needle("ﾟωﾟ", "ﾟωﾟ", Wanted::Faces, |_, _| true),
    // Third words.
    needle(
        REPLACES,
        REPLACES,
        Wanted::SelfReplacingArray,
        marks::replaces_itself,
    ),
    needle("].join(\"\")", "].join(\"\")", Wanted::Members, is_list),
    needle("atob(", "tob(", Wanted::Members, |text, at| {
        members::is_text(text, at + "atob(".len())
    }),
    needle("_0x", "_0x", Wanted::HexadecimalNames, |text, at| {
        marks::hexadecimal_name(text, at).is_some()
    }),
    joint("\" + \"", |text, at| {
        words::joins_parts(text, at, b"\" + \"")
    }),
    needle("].join('')", "].join('')", Wanted::Members, is_list),
    needle("Buffer.from(", ".from(", Wanted::Members, |text, at| {
        members::is_text(text, at + "Buffer.from(".len())
    }),
    needle(
        "Function(",
        "Function(",
        Wanted::DecodedInPlace,
        |text, at| marks::decodes_literal(text, at + "Function(".len()),
    ),
    // Fourth words.
    needle("\\x6", "\\x6", Wanted::Members, members::are_letters),
    number("(0x"),
];

const fn joint(word: &'static str, counts: fn(&[u8], usize) -> bool) -> Needle {
    needle(word, word, Wanted::SplitWords, counts)
}

/// A number in hexadecimal, with what stands before it.
const fn number(word: &'static str) -> Needle {
    needle(word, word, Wanted::HexadecimalNumbers, |text, at| {
        words::small_number(text, at + 1).is_some()
    })
}

fn is_list(text: &[u8], at: usize) -> bool {
    members::list_of_literals(text, at).is_some()
}

impl Needle {
    /// Whether the word stands around its rare part at `at`, and counts.
    fn stands_around(&self, text: &[u8], at: usize) -> bool {
        let lead = self.word.find(self.rare).unwrap_or_default();
        at.checked_sub(lead).is_some_and(|start| {
            let begins = |rest: &[u8]| rest.starts_with(self.word.as_bytes());
            text.get(start..).is_some_and(begins) && (self.counts)(text, start)
        })
    }
}

/// What stands in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needles(u32);

impl Needles {
    /// Looks for all of them.
    pub(super) fn of(text: &[u8]) -> Self {
        static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
        let parts = || NEEDLES.iter().map(|needle| needle.rare.as_bytes());
        let mut found = Self::default();
        match SEARCHER.get_or_init(|| Searcher::new(parts())) {
            Some(searcher) => {
                let mut from = 0;
                while let Some(one) = searcher.find_in(text, Span::from(from..text.len())) {
                    if let Some(needle) = NEEDLES.get(one.pattern().as_usize()) {
                        found.note(needle, text, one.start());
                    }
                    // The next may begin within this one.
                    from = one.start() + 1;
                }
            }
            // Without vector instructions.
            None => {
                for needle in NEEDLES {
                    for at in memmem::find_iter(text, needle.rare) {
                        found.note(needle, text, at);
                    }
                }
            }
        }
        found
    }

    fn note(&mut self, needle: &Needle, text: &[u8], at: usize) {
        if !self.has(needle.wanted) && needle.stands_around(text, at) {
            self.0 |= 1 << (needle.wanted as u32);
        }
    }

    /// Whether something of the kind stands there.
    pub(super) fn has(self, wanted: Wanted) -> bool {
        self.0 & (1 << (wanted as u32)) != 0
    }
}

#[cfg(test)]
mod tests;
