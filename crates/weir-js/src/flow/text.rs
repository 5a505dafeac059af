//! Folding of strings.

use super::UNKNOWN;
use super::graph::{LONG_TEXT, TEXT_BYTES};

/// Joins pieces, `None` for unknown ones. `None` when nothing of it is known.
pub(crate) fn concat(pieces: &[Option<&str>]) -> Option<String> {
    // What is known whole may be code.
    let is_whole = pieces.iter().all(Option::is_some);
    let limit = if is_whole { LONG_TEXT } else { TEXT_BYTES };
    let length = pieces
        .iter()
        .flatten()
        .map(|text| text.len())
        .sum::<usize>();
    let mut joined = String::with_capacity(length.min(limit) + UNKNOWN.len_utf8());
    for piece in pieces {
        match piece {
            Some(text) => joined.push_str(text),
            None if joined.ends_with(UNKNOWN) => {}
            None => joined.push(UNKNOWN),
        }
        if joined.len() > limit {
            return None;
        }
    }
    let known = joined.chars().filter(|c| *c != UNKNOWN).count();
    (is_whole || known >= 3).then_some(joined)
}

/// Fewest invisible characters that hide something: emoji and scripts use one or two at a time.
const HIDDEN: usize = 24;

/// Whether a text holds more variation selectors than writing has use for. Each stands for a byte
/// in what is hidden that way.
pub(crate) fn is_hidden(text: &str) -> bool {
    let is_selector = |c: &char| matches!(*c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    text.len() >= 3 * HIDDEN
        && memchr::memchr2(0xef, 0xf3, text.as_bytes()).is_some()
        && text.chars().filter(is_selector).take(HIDDEN).count() == HIDDEN
}

/// `path.join` of pieces: separators between, `.` and `..` resolved where they can be.
pub(crate) fn join_path(pieces: &[&str]) -> String {
    let joined = pieces.join("/").replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| {
                !last.is_empty() && *last != ".." && *last != crate::ability::OWN
            }) =>
            {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Decodes what `Buffer.from(text, encoding)` would hold, where that is text.
pub(crate) fn decode(text: &str, encoding: &str) -> Option<String> {
    if text.contains(UNKNOWN) {
        return None;
    }
    let bytes = match encoding {
        "hex" => hex(text)?,
        "base64" | "base64url" => base64(text)?,
        _ => return Some(text.to_owned()),
    };
    String::from_utf8(bytes).ok()
}

/// The code in an address that holds it: `data:text/javascript;base64,...`. What is folded may be there in
/// plain, as encoders are taken for what they encode.
pub(crate) fn data_url(text: &str) -> Option<String> {
    let (kind, body) = text.strip_prefix("data:")?.split_once(',')?;
    let is_code = kind.contains("javascript") || kind.contains("ecmascript");
    let plain = || unescape(body).unwrap_or_else(|| body.to_owned());
    is_code.then(|| match kind.ends_with(";base64") {
        true => decode(body, "base64").unwrap_or_else(plain),
        false => plain(),
    })
}

/// Bytes of hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |value, digit| value * 16 + digit))
            .collect(),
    )
}

/// Bytes of base64 text, either alphabet, with or without padding.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = 0_u32;
    let mut bits = 0_u32;
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b'\n' | b'\r' | b' ' => continue,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or_default());
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// Base64 of bytes, padded.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |value, &byte| (value << 8) | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let sextet = (group >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if at <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

/// What `buffer.toString(encoding)` gives.
pub(crate) fn bytes_text(bytes: &[u8], encoding: &str) -> Option<String> {
    match encoding {
        "utf8" | "utf-8" | "ascii" => Some(String::from_utf8_lossy(bytes).into_owned()),
        "hex" => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        "base64" => Some(encode_base64(bytes)),
        _ => None,
    }
}

/// `%xx` decoded, as `unescape` and `decodeURIComponent` do for plain text.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let pair = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match (
            first,
            pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()),
        ) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A whole number in a base from 2 to 36, as `toString(base)` writes it.
pub(crate) fn in_base(mut value: u64, base: u32) -> Option<String> {
    if !(2..=36).contains(&base) {
        return None;
    }
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(value % u64::from(base)).ok()?;
        digits.push(char::from_digit(digit, base)?);
        value /= u64::from(base);
        if value == 0 {
            break;
        }
    }
    Some(digits.iter().rev().collect())
}

/// One of JavaScript's string methods on constants. `None` when it is not folded.
pub(crate) fn method(name: &str, text: &str, arguments: &[&str]) -> Option<String> {
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<i64>().ok());
    let folded = match name {
        // Digits with a base are a number: texts take no base.
        "toString" if number(0).is_some() && text.parse::<u64>().is_ok() => {
            let base = u32::try_from(number(0)?).ok()?;
            in_base(text.parse().ok()?, base)?
        }
        "toString" | "valueOf" | "normalize" | "toWellFormed" | "trim" | "trimStart"
        | "trimEnd" | "toLocaleString" => text
            .trim_matches(|c: char| name.starts_with("trim") && c.is_whitespace())
            .to_owned(),
        "toLowerCase" => text.to_lowercase(),
        "toUpperCase" => text.to_uppercase(),
        "concat" => format!("{text}{}", arguments.concat()),
        "replace" | "replaceAll" => {
            let (pattern, with) = (arguments.first()?, arguments.get(1)?);
            if name == "replace" {
                text.replacen(pattern, with, 1)
            } else {
                text.replace(pattern, with)
            }
        }
        "repeat" => {
            let count = usize::try_from(number(0)?).ok()?;
            if count.saturating_mul(text.len()) > TEXT_BYTES {
                return None;
            }
            text.repeat(count)
        }
        "charAt" | "at" => {
            let at = usize::try_from(number(0)?).ok()?;
            text.chars().nth(at)?.to_string()
        }
        "slice" | "substring" | "substr" => {
            let characters: Vec<char> = text.chars().collect();
            let length = i64::try_from(characters.len()).ok()?;
            let place = |value: i64| {
                if value < 0 {
                    (length + value).max(0)
                } else {
                    value.min(length)
                }
            };
            let start = place(number(0)?);
            let end = match number(1) {
                None if arguments.len() > 1 => return None,
                None => length,
                Some(count) if name == "substr" => place(start + count.max(0)),
                Some(end) => place(end),
            };
            let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
            characters.get(start..end.max(start))?.iter().collect()
        }
        _ => return None,
    };
    (folded.len() <= TEXT_BYTES).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::{concat, decode, in_base, join_path, method, unescape};

    #[test]
    fn strings_fold_as_javascript_folds_them() {
        assert_eq!(decode("aHR0cHM=", "base64").as_deref(), Some("https"));
        assert_eq!(decode("6874747073", "hex").as_deref(), Some("https"));
        assert_eq!(unescape("%68ttps").as_deref(), Some("https"));
        assert_eq!(method("toString", "19183", &["36"]).as_deref(), Some("esv"));
        assert_eq!(method("toString", "env", &["36"]).as_deref(), Some("env"));
        assert_eq!(method("toString", "7", &["hex"]).as_deref(), Some("7"));
        assert_eq!(in_base(0, 2).as_deref(), Some("0"));
        assert_eq!(in_base(7, 1), None);
        assert_eq!(join_path(&["~", ".ssh", "../.npmrc"]), "~/.npmrc");
        assert_eq!(
            method("slice", "https", &["0", "-1"]).as_deref(),
            Some("http")
        );
        assert_eq!(
            method("substr", "xhttps", &["1", "4"]).as_deref(),
            Some("http")
        );
        assert_eq!(
            concat(&[None, Some("/.npmrc")]).as_deref(),
            Some("\u{f8ff}/.npmrc")
        );
        assert_eq!(concat(&[None, Some("/")]), None);
    }
}
