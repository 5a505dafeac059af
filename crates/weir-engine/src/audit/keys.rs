//! Keys that are given twice. A parser keeps the last of them, and what the others asked or told is lost.

use std::borrow::Cow;
use std::collections::HashSet;

/// Deepest nesting looked into: the parser refuses what nests as deep as this.
const MOST_OPEN: usize = 128;

/// The first key that one object has twice, as it reads once its escapes are resolved. Meant to come before
/// the parser, which refuses text that is no JSON; for such text the answer is harmless.
#[must_use]
pub fn given_twice(text: &[u8]) -> Option<String> {
    let mut open: Vec<HashSet<Cow<'_, [u8]>>> = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'{' | b'[' if open.len() >= MOST_OPEN => return None,
            b'{' | b'[' => open.push(HashSet::new()),
            b'}' | b']' => {
                open.pop();
            }
            b'"' => {
                let (quoted, after) = string(rest)?;
                rest = after;
                // Only a key has a colon after it.
                if after.trim_ascii_start().first() == Some(&b':')
                    && let Some(keys) = open.last_mut()
                    && let Some(twice) = keys.replace(unescaped(quoted))
                {
                    return Some(String::from_utf8_lossy(&twice).into_owned());
                }
                continue;
            }
            _ => {}
        }
        rest = after;
    }
    None
}

/// Splits off the string that the text begins with, quotes included; nothing where it does not end.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return text.split_at_checked(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// What a quoted string says. One without escapes says what is written.
fn unescaped(quoted: &[u8]) -> Cow<'_, [u8]> {
    if quoted.contains(&b'\\')
        && let Ok(text) = serde_json::from_slice::<String>(quoted)
    {
        return Cow::Owned(text.into_bytes());
    }
    let inner = quoted.strip_prefix(b"\"");
    Cow::Borrowed(
        inner
            .and_then(|it| it.strip_suffix(b"\""))
            .unwrap_or(quoted),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_given_twice_only_within_one_object() {
        for (text, twice) in [
            (r#"{"ee": ["1.0.0"], "ee": ["2.0.0"]}"#, Some("ee")),
            (r#"{"ee":1,"\u0065e":2}"#, Some("ee")),
            (
                r#"{"a": {"x": 1}, "b": {"x": 1, "y": [{}], "x" : 2}}"#,
                Some("x"),
            ),
            (r#"[{"a": 1}, {"a": {"a": 1}}]"#, None),
            (r#"{"a": "a", "b": ["a", "a"], "c": "{\"b\": 1"}"#, None),
            (r#"{"a\"": 1, "a": 2, "a\\": 3}"#, None),
            (r#"{"": 1, "b": 2, "": 3}"#, Some("")),
            ("", None),
            (r#"{"a": 1, "a"#, None),
            (r#"}"a": 1"#, None),
        ] {
            assert_eq!(given_twice(text.as_bytes()).as_deref(), twice, "{text}");
        }
    }

    /// What is not looked into has to be refused by the parser.
    #[test]
    fn what_nests_too_deep_to_be_looked_into_is_refused_by_the_parser() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!("{open}{{\"a\": 1, \"a\": 2}}{close}")
        };
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
        let fine = nested(MOST_OPEN - 2);
        assert!(parsed(&fine) && given_twice(fine.as_bytes()).is_some());
        let deep = nested(MOST_OPEN);
        assert!(!parsed(&deep) && given_twice(deep.as_bytes()).is_none());
    }
}
