//! Strings that were words, and members named by strings.

use memchr::memmem;

use super::Mark;
use super::blocks::{WINDOW, repeats_soon};

/// Fewest strings of an array that is looked at.
const STRINGS: usize = 24;

/// Longest string that counts as a word.
const WORD: usize = 120;

/// Most strings that are looked at per array.
const LOOKED_AT: usize = 4_096;

/// Ways in which a file turns encoded strings back.
const DECODERS: &[&[u8]] = &[
    b"fromCharCode",
    b"charCodeAt",
    b"atob",
    b"decodeURIComponent",
    b"base64",
    b"unescape",
];

/// One array of many short strings most of which look encoded, in a file that decodes.
pub(super) fn encoded_array(text: &[u8]) -> Option<Mark> {
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr(b'[', rest)) {
        at += next + 1;
        let rest = text.get(at..).unwrap_or_default();
        if !matches!(rest.first(), Some(b'"' | b'\'' | b' ' | b'\n')) {
            continue;
        }
        let array = Strings::read(rest);
        if array.count >= STRINGS && array.encoded * 10 >= array.count * 6 {
            let decodes = DECODERS
                .iter()
                .any(|name| memmem::find(text, name).is_some());
            return decodes.then(|| Mark {
                offset: at - 1,
                enough: array.escaped * 2 >= array.count || array.mixed * 10 >= array.count * 6,
                words: format!(
                    "an array of {} strings, {} of which look encoded",
                    array.count, array.encoded
                ),
            });
        }
        at += array.bytes;
    }
    None
}

/// What an array of strings holds, as far as it holds nothing else.
#[derive(Debug, Default)]
struct Strings {
    count: usize,
    encoded: usize,
    /// Those with letters and digits in no order that words have.
    mixed: usize,
    /// Those that are escapes for the most part.
    escaped: usize,
    bytes: usize,
}

impl Strings {
    fn read(rest: &[u8]) -> Self {
        let mut strings = Self::default();
        let mut at = 0;
        while strings.count < LOOKED_AT {
            at += rest
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let Some(quote @ (b'"' | b'\'')) = rest.get(at).copied() else {
                break;
            };
            let inside = rest.get(at + 1..).unwrap_or_default();
            let inside = inside.get(..WORD).unwrap_or(inside);
            let Some(length) = memchr::memchr(quote, inside) else {
                break;
            };
            let word = inside.get(..length).unwrap_or_default();
            strings.add(word);
            at += length + 2;
            at += rest
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            if rest.get(at) != Some(&b',') {
                break;
            }
            at += 1;
        }
        strings.bytes = at;
        strings
    }

    fn add(&mut self, word: &[u8]) {
        self.count += 1;
        let escapes = escapes(word);
        if escapes >= 3 && escapes * 6 >= word.len() {
            self.escaped += 1;
            self.encoded += 1;
        } else if is_mixed(word) {
            self.mixed += 1;
            self.encoded += 1;
        }
    }
}

/// How many escapes a string has that anybody would write as what they stand for. Bundlers spell letters beyond ASCII
/// out, in word lists of other languages all of them: these do not count.
fn escapes(word: &[u8]) -> usize {
    let is_escape = |at: &usize| {
        let behind = word.get(at + 1..).unwrap_or_default();
        let row = behind
            .strip_prefix(b"u")
            .and_then(|digits| std::str::from_utf8(digits.get(..2)?).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        !row.is_some_and(is_row_of_letters)
    };
    memchr::memchr_iter(b'\\', word).filter(is_escape).count()
}

/// Whether of the 256 characters that begin with this byte in UTF-16, most are letters of a living language, or the
/// marks on them: Latin beyond ASCII to Arabic, Thai, Hangul, kana and Han.
const fn is_row_of_letters(row: u8) -> bool {
    matches!(row, 0x01..=0x06 | 0x0e | 0x11 | 0x30 | 0x31 | 0x4e..=0x9f | 0xac..=0xd7)
}

/// Whether it could be base64 of a word: only its characters, and letters of both sizes and digits
/// in an order that names do not have. `camelCase`, `CONSTANT_CASE` and numbers change between
/// kinds seldom; digests in hexadecimal have letters of one size only.
fn is_mixed(word: &[u8]) -> bool {
    if word.len() < 6
        || !word
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    // From a capital to small letters is how a word begins, so only other changes count.
    let changes = word
        .windows(2)
        .filter(|pair| match pair {
            [a, b] => {
                let (a, b) = (kind(a), kind(b));
                a != b && (a, b) != (1, 0) && b != 3
            }
            _ => false,
        })
        .count();
    let both = word.iter().any(u8::is_ascii_lowercase) && word.iter().any(u8::is_ascii_uppercase);
    both && changes * 5 >= word.len()
}

/// Fewest members by string that count, and their share in percent. Compilers that rename members
/// keep some names in strings; hardly any keeps all.
const COMPUTED: usize = 8;
const COMPUTED_SHARE: usize = 75;

/// Members named by a string where a dot would do, nearly everywhere: `a["b"]` for `a.b`.
pub(super) fn computed_members(text: &[u8]) -> Option<Mark> {
    let sample = text.get(..1 << 20).unwrap_or(text);
    let (mut computed, mut plain, mut first) = (0_usize, 0_usize, None);
    for at in memchr::memchr2_iter(b'[', b'.', sample) {
        let before = at
            .checked_sub(1)
            .and_then(|at| sample.get(at))
            .copied()
            .unwrap_or(b' ');
        let behind = sample.get(at + 1..).unwrap_or_default();
        let follows_value =
            before.is_ascii_alphanumeric() || matches!(before, b')' | b']' | b'_' | b'$');
        if !follows_value {
            continue;
        }
        match (sample.get(at), behind) {
            (Some(b'['), [b'"' | b'\'', letter, ..]) if letter.is_ascii_alphabetic() => {
                computed += 1;
                first.get_or_insert(at);
            }
            (Some(b'.'), [letter, ..]) if letter.is_ascii_alphabetic() || *letter == b'_' => {
                plain += 1;
            }
            _ => {}
        }
    }
    let all = computed + plain;
    (computed >= COMPUTED && computed * 100 >= all * COMPUTED_SHARE).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: false,
        words: format!("{computed} of {all} members named by a string"),
    })
}

/// Small numbers written in hexadecimal, where nearly all are: people write them for masks and
/// tables, which have more digits or stand in long lists.
pub(super) fn hexadecimal_numbers(text: &[u8]) -> Option<Mark> {
    let (mut count, mut bytes, mut first) = (0_usize, 0_usize, None);
    for at in memmem::find_iter(text, b"0x") {
        if let Some(digits) = small_number(text, at) {
            count += 1;
            bytes += digits + 2;
            first.get_or_insert(at);
        }
    }
    (count >= 1 && bytes * 250 >= text.len()).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: false,
        words: format!("{count} small numbers written in hexadecimal"),
    })
}

/// How many digits the number behind a `0x` has, if it is a small one in a call or an index, not in a table.
pub(super) fn small_number(text: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|at| text.get(at))?;
    let behind = text.get(at + 2..).unwrap_or_default();
    // One more than there may be tells whether there are too many.
    let digits = behind
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    (matches!(before, b'(' | b'[' | b':' | b'=') && (1..=3).contains(&digits)).then_some(digits)
}

/// Fewest words that are put together from parts.
const SPLIT: usize = 10;

/// Longest part of such a word.
const PART: usize = 12;

/// Words put together from short parts: `"chi" + "ld_pro" + "cess"`. People break long lines, not
/// words.
pub(super) fn split_words(text: &[u8]) -> Option<Mark> {
    let (mut count, mut first) = (0_usize, None);
    for quote in [b'\'', b'"'] {
        for between in [
            &[quote, b'+', quote][..],
            &[quote, b' ', b'+', b' ', quote][..],
        ] {
            for at in memmem::find_iter(text, between) {
                if joins_parts(text, at, between) {
                    count += 1;
                    first.get_or_insert(at);
                }
            }
        }
    }
    (count >= SPLIT && count * 1_000 >= text.len()).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: count * 300 >= text.len(),
        words: format!("{count} words put together from short parts"),
    })
}

/// Whether what stands at `at`, with a quote at its beginning and end, joins two such parts.
pub(super) fn joins_parts(text: &[u8], at: usize, between: &[u8]) -> bool {
    let Some(quote) = between.first().copied() else {
        return false;
    };
    let before = text
        .get(at.saturating_sub(PART + 1)..at)
        .unwrap_or_default();
    let behind = text.get(at + between.len()..).unwrap_or_default();
    part(before.iter().rev(), quote) && part(behind.iter(), quote)
}

/// Whether two to twelve characters of a word follow, and then the quote.
fn part<'a>(bytes: impl Iterator<Item = &'a u8>, quote: u8) -> bool {
    for (length, byte) in bytes.enumerate() {
        if *byte == quote {
            return length >= 1;
        }
        let of_word =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':');
        if !of_word || length >= PART {
            return false;
        }
    }
    false
}

/// Fewest different characters of an alphabet for encoding beyond base64, and most there are.
const ALPHABET: usize = 80;
const PRINTABLE: usize = 95;

/// A string of nearly all printable characters, each once, in no order: the key of a base-91 decoder
/// or the like.
pub(super) fn shuffled_alphabet(text: &[u8]) -> Option<Mark> {
    if !has_alphabet(text) {
        return None;
    }
    let step = ALPHABET / 2;
    let mut at = 0;
    // A run of that length has a whole step of different characters in it, wherever it begins.
    while let Some(window) = text.get(at..at + step) {
        if distinct(window) == step {
            let from = at.saturating_sub(step);
            let longest = (from..=at)
                .filter_map(|start| {
                    let end = text.len().min(start + PRINTABLE);
                    Some((distinct(text.get(start..end)?), start))
                })
                .max();
            if let Some((run, start)) = longest.filter(|(run, _)| *run >= ALPHABET)
                && is_shuffled(text.get(start..start + run)?)
            {
                return Some(Mark {
                    offset: start,
                    enough: false,
                    words: format!("an alphabet of {run} characters in no order"),
                });
            }
        }
        at += step;
    }
    None
}

/// Whether [`ALPHABET`] different characters stand in a row anywhere. A window of that many covers one that
/// is looked at here, wherever it begins.
fn has_alphabet(text: &[u8]) -> bool {
    const STEP: usize = ALPHABET - WINDOW;
    (0..text.len()).step_by(STEP).any(|at| {
        let window = text.get(at..).and_then(|rest| rest.first_chunk());
        window.is_some_and(|window| !repeats_soon(window) && distinct(window) == WINDOW)
            && (at.saturating_sub(STEP)..=at).any(|start| {
                let run = text.get(start..start + ALPHABET);
                run.is_some_and(|run| distinct(run) == ALPHABET)
            })
    })
}

/// Whether less than a third of the characters are followed by the next or the one after it.
fn is_shuffled(run: &[u8]) -> bool {
    let rising = run
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if b > a && b - a <= 2))
        .count();
    rising * 3 < run.len()
}

/// Length of the beginning in which no character repeats.
fn distinct(bytes: &[u8]) -> usize {
    // What is not printable counts as seen from the beginning.
    let mut seen = [u64::from(u32::MAX), 1 << 63, u64::MAX, u64::MAX];
    for (at, byte) in bytes.iter().enumerate() {
        let bit = 1_u64 << (byte & 63);
        let Some(word) = seen.get_mut(usize::from(byte >> 6)) else {
            return at;
        };
        if *word & bit != 0 {
            return at;
        }
        *word |= bit;
    }
    bytes.len()
}

/// Shortest string that is looked at for noise.
const NOISE: usize = 400;

/// A long string without words: letters, digits and all kinds of punctuation mixed, no spaces.
pub(super) fn noise(text: &[u8]) -> Option<Mark> {
    let step = NOISE / 2;
    let mut at = 0;
    while let Some(piece) = text.get(at..at + step) {
        // Nearly all code has a space soon; what has none is dense. It has punctuation too, but from a
        // small set, and words between.
        let (start, rest) = piece.split_at(step / 5);
        if is_graphic(start)
            && is_graphic(rest)
            && changes_of_kind(piece) * 2 >= step
            && distinct_punctuation(piece) >= 20
        {
            return Some(Mark {
                offset: at,
                enough: false,
                words: format!("{step} characters and more without a word or a space"),
            });
        }
        at += step;
    }
    None
}

/// Whether all are printable and none is a space. All are looked at, many at a time.
fn is_graphic(piece: &[u8]) -> bool {
    piece
        .iter()
        .fold(true, |all, byte| all & byte.is_ascii_graphic())
}

/// How often letters, digits and punctuation follow each other in a piece of [`NOISE`]` / 2` bytes, the
/// first character included.
fn changes_of_kind(piece: &[u8]) -> usize {
    let kind = |byte: u8| (byte.is_ascii_alphabetic(), byte.is_ascii_digit());
    let next = piece.iter().skip(1);
    // There are fewer than 256, and sums of single bytes are made many at a time.
    let between = piece.iter().zip(next).fold(0_u8, |changes, (a, b)| {
        changes.wrapping_add(u8::from(kind(*a) != kind(*b)))
    });
    1 + usize::from(between)
}

fn distinct_punctuation(piece: &[u8]) -> u32 {
    let seen = piece
        .iter()
        .fold(0_u128, |seen, byte| seen | 1_u128 << (byte & 127));
    (seen & PUNCTUATION).count_ones()
}

/// One bit for each character that is punctuation.
const PUNCTUATION: u128 = {
    let (mut set, mut byte) = (0_u128, 0_u8);
    while byte < 128 {
        if byte.is_ascii_punctuation() {
            set |= 1 << byte;
        }
        byte += 1;
    }
    set
};

#[cfg(test)]
mod tests;
