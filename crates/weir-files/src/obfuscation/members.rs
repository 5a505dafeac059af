//! Constants that are undone where they are used: `fs[Buffer.from("…", "hex").toString()]`,
//! `"sptth".split('').reverse().join('')`. Decoding what comes from outside is ordinary; a constant
//! could be written as it is, and the name of a member always is.

use memchr::memmem;

use super::Mark;

/// Fewest names of members that are undone in place.
const MEMBERS: usize = 2;
/// Fewest different ways in which constants are undone.
const WAYS: usize = 3;
/// Fewest constants that are undone, in two ways.
const CONSTANTS: usize = 5;
/// Longest constant that is looked back over, in bytes.
const LOOK_BACK: usize = 256;

/// What was found, by way: decoded, codes, backwards, joined, escaped.
#[derive(Default)]
struct Undone {
    ways: [usize; 5],
    members: usize,
    first: Option<usize>,
}

impl Undone {
    /// A constant is undone by an expression that begins at `at`.
    fn note(&mut self, text: &[u8], at: usize, way: usize) {
        if let Some(count) = self.ways.get_mut(way) {
            *count += 1;
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.members += usize::from(is_member(text, at));
    }
}

/// The criteria that a file meets.
pub(super) fn marks(text: &[u8]) -> [Option<Mark>; 2] {
    let mut undone = Undone::default();
    for (call, way) in [
        (&b"atob("[..], 0),
        (b"Buffer.from(", 0),
        (b"String.fromCharCode(", 1),
    ] {
        for at in memmem::find_iter(text, call) {
            let is_constant = match way {
                0 => is_text(text, at + call.len()),
                _ => is_number(text, at + call.len()),
            };
            if is_constant {
                undone.note(text, at, way);
            }
        }
    }
    backwards(text, &mut undone);
    joined(text, &mut undone);
    escaped(text, &mut undone);
    let total: usize = undone.ways.iter().sum();
    let ways = undone.ways.iter().filter(|count| **count > 0).count();
    let offset = undone.first.unwrap_or_default();
    [
        (undone.members >= MEMBERS).then(|| Mark {
            offset,
            enough: true,
            words: format!(
                "{} names of members that are computed in place",
                undone.members
            ),
        }),
        (ways >= WAYS || (ways == 2 && total >= CONSTANTS && undone.members >= MEMBERS)).then(
            || Mark {
                offset,
                enough: false,
                words: format!(
                    "{total} constants that are undone where they are used, in {ways} ways"
                ),
            },
        ),
    ]
}

/// Whether a literal of text begins at `at`.
pub(super) fn is_text(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'"' | b'\''))
}

/// Whether a number begins at `at`.
pub(super) fn is_number(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

/// Whether an expression at `at` stands where the name of a member stands: `x[` before it.
fn is_member(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let [head @ .., b'['] = before else {
        return false;
    };
    head.last().is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b')' | b']')
    })
}

/// Where a literal begins that ends before `end`, with its quote.
fn literal_before(text: &[u8], end: usize) -> Option<usize> {
    let quote = *text.get(end.checked_sub(1)?)?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let from = end.saturating_sub(LOOK_BACK);
    let inside = text.get(from..end - 1)?;
    let begin = memchr::memrchr(quote, inside)?;
    // Nothing between, and more than a letter.
    (inside.len() - begin > 2).then_some(from + begin)
}

/// `"sptth".split('').reverse().join('')`
fn backwards(text: &[u8], undone: &mut Undone) {
    for at in memmem::find_iter(text, b".reverse().join(") {
        if let Some(begin) = turned_literal(text, at) {
            undone.note(text, begin, 2);
        }
    }
}

/// Where a literal begins that is split and then turned by what begins at `at`.
pub(super) fn turned_literal(text: &[u8], at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    [&b".split('')"[..], b".split(\"\")"]
        .iter()
        .find(|split| before.ends_with(split))
        .and_then(|split| literal_before(text, at - split.len()))
}

/// `["ht", "tps"].join('')`: a list of nothing but literals without white space.
fn joined(text: &[u8], undone: &mut Undone) {
    for end in [&b"].join('')"[..], b"].join(\"\")"] {
        for at in memmem::find_iter(text, end) {
            if let Some(begin) = list_of_literals(text, at) {
                undone.note(text, begin, 3);
            }
        }
    }
}

/// Where a list begins that ends before `end` and has nothing but such literals.
pub(super) fn list_of_literals(text: &[u8], end: usize) -> Option<usize> {
    let from = end.saturating_sub(LOOK_BACK);
    let inside = text.get(from..end).unwrap_or_default();
    let begin = memchr::memrchr(b'[', inside)?;
    let list = inside.get(begin + 1..).unwrap_or_default();
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let is_literals = list.first().is_some_and(is_quote)
        && list.last().is_some_and(is_quote)
        && list.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'"' | b'\'' | b',' | b' ' | b'_' | b'.' | b'/' | b':' | b'-'
                )
        });
    is_literals.then_some(from + begin)
}

/// `"\x65\x6e\x76"`: letters that need no escape.
fn escaped(text: &[u8], undone: &mut Undone) {
    for quote in [&b"\"\\x"[..], b"'\\x"] {
        for at in memmem::find_iter(text, quote) {
            if are_letters(text, at + 1) {
                undone.note(text, at, 4);
            }
        }
    }
}

/// Whether two such escapes begin at `at`.
pub(super) fn are_letters(text: &[u8], at: usize) -> bool {
    matches!(
        text.get(at..at + 8),
        Some([b'\\', b'x', b'6' | b'7', _, b'\\', b'x', b'6' | b'7', _])
    )
}
