//! Marks that particular tools leave.

use memchr::memmem;

use super::Mark;
use super::blocks::may_have_stretch;

/// Unpackers of the "packer" family name their parameters so, whatever they hold.
pub(super) fn packer(text: &[u8]) -> Option<Mark> {
    let finder = memmem::Finder::new(b"function(p,a,c,k,e,");
    let spaced = memmem::Finder::new(b"p, a, c, k, e, ");
    let at = finder.find(text).or_else(|| spaced.find(text))?;
    let before = text.get(at.saturating_sub(40)..at).unwrap_or_default();
    let behind = text.get(at..).unwrap_or_default();
    let call = memmem::rfind(before, b"eval").or_else(|| memmem::rfind(before, b"Function"));
    // In quotes it is what a tool for unpacking tests itself with.
    let runs = call.is_some_and(|call| {
        let quote = call.checked_sub(1).and_then(|at| before.get(at));
        !matches!(quote, Some(b'"' | b'\'' | b'`'))
    });
    let splits = memmem::find(behind, b"split('|')").is_some()
        || memmem::find(behind, b"split(\"|\")").is_some();
    (runs && splits).then(|| Mark {
        offset: at,
        enough: true,
        words: "a packer: text that is unpacked with a word list and evaluated".to_owned(),
    })
}

/// Shortest stretch of nothing but brackets and operators that is a program. Closing brackets of
/// deeply nested bundles come to a few dozen.
const SIX: usize = 512;

/// Programs written with `[]()!+` (and `{}$_~"` in some dialects) alone.
pub(super) fn six_characters(text: &[u8]) -> Option<Mark> {
    let is_one = |byte: &u8| matches!(byte, b'[' | b']' | b'(' | b')' | b'!' | b'+' | b'{' | b'}');
    let dialect = |byte: &u8| {
        is_one(byte)
            || matches!(
                byte,
                b'$' | b'_' | b'~' | b'"' | b'.' | b'\\' | b':' | b',' | b';' | b'='
            )
    };
    // The dialects have all characters of the original and more.
    if !may_have_stretch(text, SIX, |byte| dialect(&byte)) {
        return None;
    }
    stretch(text, &is_one, b"[]!+")
        .or_else(|| stretch(text, &dialect, b"$_"))
        .map(|(at, length)| Mark {
            offset: at,
            enough: true,
            words: format!("{length} characters of code without a letter or digit"),
        })
}

/// A stretch of at least [`SIX`] bytes that all pass, one in four of them of the `core`. Tested at
/// every `SIX / 2`nd byte first.
fn stretch(text: &[u8], passes: &dyn Fn(&u8) -> bool, core: &[u8]) -> Option<(usize, usize)> {
    let step = SIX / 2;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if !passes(byte) {
            at += step;
            continue;
        }
        let back = text
            .get(..at)?
            .iter()
            .rev()
            .take_while(|byte| passes(byte))
            .count();
        let ahead = text
            .get(at..)?
            .iter()
            .take_while(|byte| passes(byte))
            .count();
        let run = text.get(at - back..at + ahead)?;
        let count = |wanted: u8| run.iter().filter(|byte| **byte == wanted).count();
        let kinds = [b'[', b'+', b'(', b'!', b'$', b'_', b'.', b'~', b'"']
            .iter()
            .filter(|byte| count(**byte) * 50 >= run.len())
            .count();
        // A line of dashes or a table of brackets has one or two kinds of them.
        let of_core: usize = core.iter().map(|byte| count(*byte)).sum();
        if run.len() >= SIX && kinds >= 4 && of_core * 4 >= run.len() {
            return Some((at - back, run.len()));
        }
        at += ahead.max(step);
    }
    None
}

/// Programs spelled with Japanese faces, whose first name is always this one.
pub(super) fn faces(text: &[u8]) -> Option<Mark> {
    let face = "ﾟωﾟ".as_bytes();
    let at = memmem::find(text, face)?;
    let count = memmem::find_iter(text, face).take(1_000).count();
    (count >= 8).then(|| Mark {
        offset: at,
        enough: true,
        words: format!("{count} names made of faces, as one encoder writes them"),
    })
}

/// `parseInt` calls with a division behind them, close together.
const DIVIDED: usize = 4;

/// Bytes within which they stand.
const NEAR: usize = 1_500;

/// The loop that turns a shuffled array of strings until an equation of `parseInt`s holds. The
/// equation stays whatever names, numbers and minifiers make of the rest.
pub(super) fn shuffled_array(text: &[u8]) -> Option<Mark> {
    let mut recent: Vec<usize> = Vec::new();
    for at in memmem::find_iter(text, b"parseInt(") {
        if !is_divided(text, at) {
            continue;
        }
        recent.push(at);
        let first = recent.iter().rev().nth(DIVIDED - 1).copied();
        if let Some(first) = first
            && at - first <= NEAR
            && turns(text, first, at)
        {
            return Some(Mark {
                offset: first,
                enough: true,
                words: "an array of strings that is turned until an equation of parseInt holds"
                    .to_owned(),
            });
        }
    }
    None
}

/// Whether the argument of a `parseInt(` is a call and the result is divided: `parseInt(f(419))/1`.
pub(super) fn is_divided(text: &[u8], at: usize) -> bool {
    let rest = text.get(at + b"parseInt(".len()..).unwrap_or_default();
    let rest = rest.get(..120).unwrap_or(rest);
    let (mut depth, mut calls) = (1_usize, false);
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'(' => {
                depth += 1;
                calls = true;
            }
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let behind = rest.get(at + 1..).unwrap_or_default().trim_ascii_start();
            return calls && behind.first() == Some(&b'/');
        }
    }
    false
}

/// Whether something is pushed that was shifted, near the equation.
fn turns(text: &[u8], from: usize, to: usize) -> bool {
    let around = text
        .get(from.saturating_sub(NEAR)..text.len().min(to + NEAR))
        .unwrap_or_default();
    memmem::find(around, b"push").is_some() && memmem::find(around, b"shift").is_some()
}

/// A loop over a switch whose order is a list of numbers in a string: `"3|1|0|2".split("|")`.
pub(super) fn flattened(text: &[u8]) -> Option<Mark> {
    let mut count = 0_usize;
    let mut first = None;
    for at in memmem::find_iter(text, b"split") {
        if is_order(text, at) {
            first.get_or_insert(at);
            count += 1;
        }
    }
    (count > 0).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: count >= 2,
        words: format!("{count} loops over a switch in an order that a string holds"),
    })
}

/// Whether a `split` is that of such an order.
pub(super) fn is_order(text: &[u8], split: usize) -> bool {
    let before = text
        .get(split.saturating_sub(400)..split)
        .unwrap_or_default();
    // Either `.split` or `["split"]` behind the literal.
    let literal = before
        .trim_ascii_end()
        .strip_suffix(b".")
        .or_else(|| before.strip_suffix(b"['"))
        .or_else(|| before.strip_suffix(b"[\""))
        .unwrap_or_default()
        .trim_ascii_end();
    let Some(inner) = literal
        .strip_suffix(b"'")
        .or_else(|| literal.strip_suffix(b"\""))
    else {
        return false;
    };
    let order = inner
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'|')
        .count();
    let bars = inner
        .iter()
        .rev()
        .take(order)
        .filter(|byte| **byte == b'|')
        .count();
    let behind = text
        .get(split..text.len().min(split + 300))
        .unwrap_or_default();
    bars >= 2
        && memmem::find(behind, b"switch").is_some()
        && (memmem::find(behind, b"while").is_some() || memmem::find(behind, b"for").is_some())
}

/// Names such as `_0x3fa2b1`, and how many there have to be.
const HEXADECIMAL: usize = 12;

/// One in so many bytes has to belong to such a name: a bundle may quote one.
const HEXADECIMAL_SHARE: usize = 200;

/// Names that are a hexadecimal number behind an underscore.
pub(super) fn hexadecimal_names(text: &[u8]) -> Option<Mark> {
    let (mut count, mut bytes, mut first) = (0_usize, 0_usize, None);
    for at in memmem::find_iter(text, b"_0x") {
        if let Some(digits) = hexadecimal_name(text, at) {
            count += 1;
            bytes += digits + 3;
            first.get_or_insert(at);
        }
    }
    (count >= HEXADECIMAL && bytes * HEXADECIMAL_SHARE >= text.len()).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: true,
        words: format!("{count} names that are hexadecimal numbers (_0x…)"),
    })
}

/// How many digits the number behind a `_0x` has, if they are enough for a name.
pub(super) fn hexadecimal_name(text: &[u8], at: usize) -> Option<usize> {
    let digits = text
        .get(at + 3..)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    (digits >= 4).then_some(digits)
}

/// Letters and digits written as escapes, and how many there have to be.
const ESCAPED: usize = 40;

/// One in so many bytes has to belong to such an escape, unless there are very many.
const ESCAPED_SHARE: usize = 100;

/// Letters written as `\x61` or `\u0061`. Minifiers write the letter.
pub(super) fn escaped_letters(text: &[u8]) -> Option<Mark> {
    let (mut count, mut bytes, mut first, mut run, mut longest) =
        (0_usize, 0_usize, None, 0_usize, 0_usize);
    let mut end_of_last = 0;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += next;
        let Some((letter, length)) = escape(text.get(at..).unwrap_or_default()) else {
            // An escaped backslash takes the next byte with it.
            at += 2;
            continue;
        };
        if letter {
            count += 1;
            bytes += length;
            first.get_or_insert(at);
            run = if end_of_last == at { run + 1 } else { 1 };
            longest = longest.max(run);
            end_of_last = at + length;
        }
        at += length;
    }
    // Ranges in expressions are single escapes; text that is hidden stands in runs.
    let dense = bytes.saturating_mul(ESCAPED_SHARE) >= text.len();
    (count >= ESCAPED && longest >= 4 && dense).then(|| Mark {
        offset: first.unwrap_or_default(),
        enough: longest >= 6,
        words: format!("{count} letters and digits written as escapes, up to {longest} in a row"),
    })
}

/// Whether the escape at the beginning stands for an ASCII letter or digit, and its length.
fn escape(rest: &[u8]) -> Option<(bool, usize)> {
    let (digits, length) = match rest {
        [b'\\', b'x', a, b, ..] => ([b'0', b'0', *a, *b], 4),
        [b'\\', b'u', a, b, c, d, ..] => ([*a, *b, *c, *d], 6),
        _ => return None,
    };
    let mut value = 0_u32;
    for digit in digits {
        value = value * 16 + char::from(digit).to_digit(16)?;
    }
    let letter = char::from_u32(value).is_some_and(|c| c.is_ascii_alphanumeric());
    Some((letter, length))
}

/// Base64 with small letters first is nobody's base64: it keeps strings from being read with
/// ordinary tools.
pub(super) fn foreign_base64(text: &[u8]) -> Option<Mark> {
    let at = memmem::find(
        text,
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=",
    )?;
    let around = text
        .get(at.saturating_sub(200)..text.len().min(at + 800))
        .unwrap_or_default();
    let decodes = memmem::find(around, b"indexOf").is_some()
        && memmem::find(around, b"fromCharCode").is_some();
    decodes.then(|| Mark {
        offset: at,
        enough: true,
        words: "a decoder for base64 with small letters first".to_owned(),
    })
}

/// A function that replaces itself by one that returns an array, and calls itself again: how string
/// arrays are kept out of sight of whoever renames. Lazy caches return the value, not the call.
pub(super) fn self_replacing_array(text: &[u8]) -> Option<Mark> {
    memmem::find_iter(text, REPLACES)
        .find(|at| replaces_itself(text, *at))
        .map(|at| Mark {
            offset: at,
            enough: true,
            words: "a function that replaces itself by one that returns an array".to_owned(),
        })
}

const REPLACES: &[u8] = b"=function(){return ";

/// Whether a function stands around such an assignment at `at`.
pub(super) fn replaces_itself(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(60)..at).unwrap_or_default();
    let name_length = before
        .iter()
        .rev()
        .take_while(|byte| is_name(**byte))
        .count();
    let (lead, name) = before.split_at(before.len() - name_length);
    let lead = lead.strip_suffix(b"return ").unwrap_or(lead);
    let ends_array = matches!(lead, [.., b']', b';' | b','] | [.., b']', b';', b' ']);
    if name.is_empty() || !ends_array {
        return false;
    }
    let behind = text.get(at + REPLACES.len()..).unwrap_or_default();
    let behind = behind.get(..80).unwrap_or(behind);
    let value = behind.iter().take_while(|byte| is_name(**byte)).count();
    let rest = behind.get(value..).unwrap_or_default();
    let rest = rest.strip_prefix(b";").unwrap_or(rest);
    let rest = rest.strip_prefix(b"}").unwrap_or_default();
    let rest = rest
        .strip_prefix(b";")
        .or_else(|| rest.strip_prefix(b","))
        .unwrap_or(rest);
    let rest = rest.strip_prefix(b"return ").unwrap_or(rest);
    value > 0
        && rest
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(b"()"))
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// Shortest program that counts as one.
const PROGRAM: usize = 1_024;

/// A file that does nothing but evaluate a string.
pub(super) fn only_evaluates(text: &[u8]) -> Option<Mark> {
    const BEGINNINGS: &[&[u8]] = &[
        b"eval(\"",
        b"eval('",
        b"eval(`",
        b"(0,eval)(",
        b"Function(\"",
        b"Function('",
        b"Function(`",
        b"new Function(\"",
        b"new Function('",
        b"new Function(`",
    ];
    let start = text.trim_ascii_start();
    let start = start.strip_prefix(b"\"use strict\";").unwrap_or(start);
    let begins = BEGINNINGS
        .iter()
        .any(|beginning| start.starts_with(beginning));
    (begins && text.len() >= PROGRAM).then(|| Mark {
        offset: text.len() - start.len(),
        enough: true,
        words: format!("{} bytes that only evaluate a string", text.len()),
    })
}

/// Shortest literal that is decoded in place.
const LITERAL: usize = 24;

/// `eval(atob("…"))` and its kind: a literal is decoded right where it is evaluated.
pub(super) fn decoded_in_place(text: &[u8]) -> Option<Mark> {
    const CALLS: &[&[u8]] = &[b"eval(", b"Function("];
    CALLS
        .iter()
        .find_map(|call| {
            memmem::find_iter(text, call).find(|at| decodes_literal(text, at + call.len()))
        })
        .map(|at| Mark {
            offset: at,
            enough: true,
            words: "a literal that is decoded where it is evaluated".to_owned(),
        })
}

/// Whether a literal is decoded by what begins at `at` or soon behind it.
pub(super) fn decodes_literal(text: &[u8], at: usize) -> bool {
    const DECODERS: &[&[u8]] = &[
        b"atob(",
        b"Buffer.from(",
        b"unescape(",
        b"decodeURIComponent(",
        b"String.fromCharCode(",
    ];
    let rest = text.get(at..).unwrap_or_default();
    let near = rest.get(..48).unwrap_or(rest);
    let decoder = DECODERS
        .iter()
        .find_map(|name| Some(memmem::find(near, name)? + name.len()));
    let Some(argument) = decoder.and_then(|from| rest.get(from..)) else {
        return false;
    };
    let argument = argument.trim_ascii_start();
    let of_literal = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'+' | b'/' | b'=' | b'%' | b',' | b' '
            )
    };
    let begins = matches!(argument.first(), Some(b'"' | b'\'' | b'`' | b'0'..=b'9'));
    begins
        && argument
            .get(..LITERAL)
            .is_some_and(|start| start.iter().all(of_literal))
}
