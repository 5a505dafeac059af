//! Strings that were words, and members named by strings.

use memchr::memmem;

use super::Mark;

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
            let decodes = DECODERS.iter().any(|name| memmem::find(text, name).is_some());
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
            at += rest.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
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
            at += rest.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
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
        let escapes = word.iter().filter(|byte| **byte == b'\\').count();
        if escapes >= 3 && escapes * 6 >= word.len() {
            self.escaped += 1;
            self.encoded += 1;
        } else if is_mixed(word) {
            self.mixed += 1;
            self.encoded += 1;
        }
    }
}

/// Whether it could be base64 of a word: only its characters, and letters of both sizes and digits
/// in an order that names do not have. `camelCase`, `CONSTANT_CASE` and numbers change between
/// kinds seldom; digests in hexadecimal have letters of one size only.
fn is_mixed(word: &[u8]) -> bool {
    if word.len() < 6 || !word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')) {
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

/// How members are named, in words, where nearly all are named by a string: `a["b"]` for `a.b`.
/// Says nothing alone (some compilers write it), so it only follows other criteria.
pub(super) fn computed_members(text: &[u8]) -> Option<String> {
    let sample = text.get(..1 << 20).unwrap_or(text);
    let mut computed = 0_usize;
    let mut plain = 0_usize;
    for at in memchr::memchr2_iter(b'[', b'.', sample) {
        let before = at.checked_sub(1).and_then(|at| sample.get(at)).copied().unwrap_or(b' ');
        let behind = sample.get(at + 1).copied().unwrap_or(b' ');
        let follows_value = before.is_ascii_alphanumeric() || matches!(before, b')' | b']' | b'_' | b'$');
        match sample.get(at) {
            Some(b'[') if follows_value && matches!(behind, b'"' | b'\'') => computed += 1,
            Some(b'.') if follows_value && (behind.is_ascii_alphabetic() || behind == b'_') => plain += 1,
            _ => {}
        }
    }
    (computed >= 30 && computed * 2 >= plain).then(|| {
        format!("{computed} of {} members named by a string", computed + plain)
    })
}
