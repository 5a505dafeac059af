//! Large pieces of text that are no code, in files that turn text into code.

use memchr::memmem;

use super::Mark;
use super::blocks::may_have_stretch;

/// Shortest stretch that counts. Keys, certificates and small pictures are shorter or wrapped.
const BLOB: usize = 2_048;

/// One in so many bytes of the file has to belong to the stretch, and no more than so many may
/// stand beside it: a loader is little else than what it loads, a bundle has its tables.
const SHARE: usize = 3;
const BESIDE: usize = 32 << 10;

/// Whether a stretch of that length is most of the file.
const fn is_most(length: usize, text: &[u8]) -> bool {
    length.saturating_mul(SHARE) >= text.len() && text.len() - length <= BESIDE
}

/// Bytes at the beginning that say what base64 holds: WebAssembly, pictures, fonts, sound. They
/// are data whatever else the file does.
const DATA: &[&[u8]] = &[
    b"AGFzbQ",
    b"iVBOR",
    b"/9j/",
    b"R0lGOD",
    b"d09GM",
    b"AAEAAA",
    b"T1RUT",
    b"UklGR",
    b"PHN2Zy",
    b"SUQz",
    b"AAAAIGZ0",
    b"JVBER",
];

/// Ways to turn text into code.
const RUNS: &[&[u8]] = &[
    b"eval(",
    b"eval)(",
    b"Function(",
    b"_compile(",
    b"runInThisContext",
    b"runInNewContext",
    b"new vm.Script",
    b"[\"constructor\"]",
    b"['constructor']",
    b"execSync(",
    b"['eval']",
    b"[\"eval\"]",
];

/// Ways to read such a stretch.
const DECODES: &[&[u8]] = &[
    b"atob(",
    b"base64",
    b"'hex'",
    b"\"hex\"",
    b"fromCharCode",
    b"createDecipher",
    b"inflate",
    b"gunzip",
    b"brotliDecompress",
];

fn any(text: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|name| memmem::find(text, name).is_some())
}

/// A large stretch of base64 or hexadecimal that the file decodes and could run.
pub(super) fn decoded_blob(text: &[u8]) -> Option<Mark> {
    let encoded =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let (at, length) = longest(text, encoded)?;
    let blob = text.get(at..at + length)?;
    let before = text.get(at.saturating_sub(80)..at).unwrap_or_default();
    let is_address = memmem::find(before, b"base64,").is_some()
        && memmem::find(before, b"data:").is_some()
        && memmem::find(before, b"data:text/javascript").is_none();
    let is_data = DATA.iter().any(|magic| blob.starts_with(magic));
    let quoted = matches!(before.last(), Some(b'"' | b'\'' | b'`'));
    if is_address || is_data || !quoted || !is_most(length, text) || entropy(blob) < 3.0 {
        return None;
    }
    let rest = (text.get(..at)?, text.get(at + length..)?);
    let has = |names| any(rest.0, names) || any(rest.1, names);
    (has(DECODES) && has(RUNS)).then(|| Mark {
        offset: at,
        enough: true,
        words: format!("{length} characters of encoded text, decoded and run"),
    })
}

/// A large list of small numbers that becomes text.
pub(super) fn character_codes(text: &[u8]) -> Option<Mark> {
    let listed = |byte: u8| byte.is_ascii_digit() || matches!(byte, b',' | b' ' | b'x' | b'\n');
    let (at, length) = longest(text, listed)?;
    let numbers = memchr::memchr_iter(b',', text.get(at..at + length)?).count();
    if !is_most(length, text) || numbers * 6 < length {
        return None;
    }
    let rest = (text.get(..at)?, text.get(at + length..)?);
    let has = |names| any(rest.0, names) || any(rest.1, names);
    (has(&[b"fromCharCode"]) && has(RUNS)).then(|| Mark {
        offset: at,
        enough: true,
        words: format!("{numbers} numbers that become text and are run"),
    })
}

/// The longest stretch of at least [`BLOB`] bytes that all pass, tested at every `BLOB / 2`nd byte.
fn longest(text: &[u8], passes: impl Fn(u8) -> bool) -> Option<(usize, usize)> {
    if !may_have_stretch(text, BLOB, &passes) {
        return None;
    }
    let mut best: Option<(usize, usize)> = None;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if !passes(*byte) {
            at += BLOB / 2;
            continue;
        }
        let back = trailing(text.get(..at)?, &passes);
        let ahead = leading(text.get(at..)?, &passes);
        let length = back + ahead;
        if length >= BLOB && best.is_none_or(|(_, longest)| length > longest) {
            best = Some((at - back, length));
        }
        at += ahead.max(BLOB / 2);
    }
    best
}

/// Bytes of a stretch that are tested at once.
const PIECE: usize = 32;

/// How many bytes pass at the beginning. Stretches are long, so whole pieces are tested first, without a
/// branch for every byte.
fn leading(text: &[u8], passes: impl Fn(u8) -> bool) -> usize {
    let (pieces, _) = text.as_chunks::<PIECE>();
    let whole = PIECE
        * pieces
            .iter()
            .take_while(|piece| all(piece, &passes))
            .count();
    let rest = text.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| passes(**byte)).count()
}

/// How many bytes pass at the end.
fn trailing(text: &[u8], passes: impl Fn(u8) -> bool) -> usize {
    let (_, pieces) = text.as_rchunks::<PIECE>();
    let whole = PIECE
        * pieces
            .iter()
            .rev()
            .take_while(|piece| all(piece, &passes))
            .count();
    let rest = text.get(..text.len() - whole).unwrap_or_default();
    whole + rest.iter().rev().take_while(|byte| passes(**byte)).count()
}

fn all(piece: &[u8; PIECE], passes: impl Fn(u8) -> bool) -> bool {
    piece.iter().fold(true, |all, byte| all & passes(*byte))
}

/// Bits per byte: three and more for anything that is not the same few characters.
fn entropy(blob: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in blob {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total = blob.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stretches_are_as_long_as_byte_by_byte(text in "a{0,99}[ab]{0,9}a{0,99}") {
            let text = text.as_bytes();
            let is_a = |byte| byte == b'a';
            let ahead = text.iter().take_while(|byte| is_a(**byte)).count();
            let back = text.iter().rev().take_while(|byte| is_a(**byte)).count();
            prop_assert_eq!((leading(text, is_a), trailing(text, is_a)), (ahead, back));
        }
    }
}
