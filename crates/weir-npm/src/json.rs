//! Small helpers for reading JSON without building a tree.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) mod walk;

use walk::{Flaw, Walker};

/// Deepest nesting of a value inside a document: the limit of serde_json, 128, which it does not apply to
/// what it skips, less what lies around the value.
pub(crate) const MAX_DEPTH: u32 = 120;

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
    if let Ok(members) = walked_members(text) {
        return Ok(members);
    }
    // What is wrong is told in serde's words, and what nests deeper than the walker goes is read by serde.
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(MembersVisitor)?;
    deserializer.end()?;
    Ok(members)
}

fn walked_members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Flaw> {
    let mut walker = Walker::new(text);
    let mut members = Vec::new();
    let mut more = walker.enter()?;
    while more {
        let key = walker.key()?;
        members.push((key.text(), walker.raw_value()?));
        more = walker.next()?;
    }
    walker.finish()?;
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
    fn keys_are_unescaped() {
        assert_eq!(key_text("\"vers\\u0069ons\""), "versions");
        assert_eq!(key_text("\"\\ud800\""), "\\ud800");
        assert_eq!(string("\"a\\nb\"").as_deref(), Some("a\nb"));
        assert_eq!(string("1"), None);
        assert_eq!(string("\"\\ud800\""), None);
    }
}
