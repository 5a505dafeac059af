//! Small helpers for reading JSON without building a tree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting of a value inside a document: the limit of serde_json, 128, which it does not apply to
/// what it skips, less what lies around the value.
pub(crate) const MAX_DEPTH: u32 = 120;

/// Whether brackets nest at most [`MAX_DEPTH`] deep. Meant for valid JSON; for other text the answer is
/// harmless.
pub(crate) fn depth_is_fine(text: &[u8]) -> bool {
    // Most values are texts or a few words long, and what nests deeper is twice as long at least. Few
    // brackets cannot nest deeply either, and counting them is much cheaper than following them.
    let nests = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
    if !nests || text.len() <= 2 * MAX_DEPTH as usize {
        return true;
    }
    let opening = text
        .iter()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count();
    opening <= MAX_DEPTH as usize || nesting_is_fine(text)
}

fn nesting_is_fine(text: &[u8]) -> bool {
    let mut depth = 0_u32;
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                let remaining = rest.as_slice();
                match end_of_string(remaining) {
                    Some(end) => rest = remaining.get(end..).unwrap_or_default().iter(),
                    None => return true,
                }
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// The position after the quote that closes a string whose opening quote was just read.
fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

/// Where `part`, a slice of `text`, starts in it.
pub(crate) fn offset_in(text: &str, part: &str) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (offset + part.len() <= text.len()).then_some(offset)
}

/// The first position at or after `at` that holds no JSON white space.
pub(crate) fn skip_whitespace(text: &[u8], at: usize) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + text
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(blank)
        .count()
}

/// A raw key without its quotes, unescaped. An escape that is not text (half a surrogate pair) stays as
/// it is written: such a key equals none that matters.
pub(crate) fn key_text(raw: &str) -> Cow<'_, str> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// The text of a raw value that is a string.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

/// The members of an object in document order, values as they are written. Duplicates are kept.
pub(crate) fn members(text: &str) -> serde_json::Result<Vec<(Cow<'_, str>, &str)>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(MembersVisitor)?;
    deserializer.end()?;
    Ok(members)
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push((key_text(key.get()), value.get()));
        }
        Ok(members)
    }
}

/// Writes a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)])
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_serde_json_reads_them() {
        for text in [
            "",
            "plain",
            "q\"\\/",
            "\0\u{1}\n\r\t\u{1f}\u{7f}",
            "é\u{2028}😀",
        ] {
            let mut out = Vec::new();
            push_string(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(depth_is_fine(nested(120).as_bytes()));
        assert!(!depth_is_fine(nested(121).as_bytes()));
        assert!(depth_is_fine(
            format!("\"{}\\\"{}\"", nested(200), "[".repeat(200)).as_bytes()
        ));
        assert!(!depth_is_fine(
            format!("{{\"a\\\\\":{}}}", nested(120)).as_bytes()
        ));
        assert!(depth_is_fine(b"\"open") && depth_is_fine(b"\"\\") && depth_is_fine(b"]]]"));
    }

    #[test]
    fn keys_are_unescaped() {
        assert_eq!(key_text("\"vers\\u0069ons\""), "versions");
        assert_eq!(key_text("\"\\ud800\""), "\\ud800");
        assert_eq!(string("\"a\\nb\"").as_deref(), Some("a\nb"));
        assert_eq!(string("1"), None);
        assert_eq!(string("\"\\ud800\""), None);
    }
}
