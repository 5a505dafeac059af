//! Walking through a JSON text: where its values are, without making anything of them.
//!
//! A packument has a few hundred members per kilobyte that matters. serde_json skips a value as fast, but hands out
//! keys and values one visitor at a time and says neither where they are nor how deep they nest. What is accepted is
//! the same to the byte; a property test holds the two together.

use std::borrow::Cow;
use std::ops::Range;

use super::MAX_DEPTH;

/// Why a text cannot be walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is no JSON.
    NotJson,
    /// A value is nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// A position in a text. Every step begins where the last one ended.
#[derive(Debug)]
pub(crate) struct Walker<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Walker<'t> {
    /// Before the first value of a text.
    pub(crate) fn new(text: &'t str) -> Self {
        let mut walker = Self { text, at: 0 };
        walker.skip_blanks();
        walker
    }

    /// How many bytes are behind it.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// Whether an object begins here.
    pub(crate) fn is_at_object(&self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Enters an object. Whether it has members: then the walker is before the first key, else behind the object.
    pub(crate) fn enter(&mut self) -> Result<bool, Flaw> {
        self.expect(b'{')?;
        self.skip_blanks();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Reads a key and stops before its value.
    pub(crate) fn key(&mut self) -> Result<Key<'t>, Flaw> {
        let start = self.at;
        let is_plain = self.skip_string()?;
        let span = start..self.at;
        self.skip_blanks();
        self.expect(b':')?;
        self.skip_blanks();
        let raw = self.slice(&span);
        Ok(Key {
            raw,
            span,
            is_plain,
        })
    }

    /// After a value in an object: whether another member follows. If none does, the walker is behind the object.
    pub(crate) fn next(&mut self) -> Result<bool, Flaw> {
        self.skip_blanks();
        match self.take()? {
            b',' => {
                self.skip_blanks();
                Ok(true)
            }
            b'}' => Ok(false),
            _ => Err(Flaw::NotJson),
        }
    }

    /// Skips a value, and says where it was.
    pub(crate) fn value(&mut self) -> Result<Range<usize>, Flaw> {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') => self.skip_container()?,
            _ => self.skip_scalar()?,
        }
        Ok(start..self.at)
    }

    /// The same, as it is written.
    pub(crate) fn raw_value(&mut self) -> Result<&'t str, Flaw> {
        let span = self.value()?;
        Ok(self.slice(&span))
    }

    /// Checks that nothing follows but blanks.
    pub(crate) fn finish(&mut self) -> Result<(), Flaw> {
        self.skip_blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Flaw::NotJson),
        }
    }

    /// A part of the text. Walkers stop only before and behind ASCII, so that every part they name is one.
    pub(crate) fn slice(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self) -> Result<u8, Flaw> {
        let byte = self.peek().ok_or(Flaw::NotJson)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Flaw> {
        match self.take()? == byte {
            true => Ok(()),
            false => Err(Flaw::NotJson),
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Flaw> {
        match self.peek() {
            Some(b'"') => self.skip_string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b't') => self.skip_word(b"true"),
            Some(b'f') => self.skip_word(b"false"),
            Some(b'n') => self.skip_word(b"null"),
            _ => Err(Flaw::NotJson),
        }
    }

    fn skip_word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        match rest.starts_with(word) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => Err(Flaw::NotJson),
        }
    }

    fn skip_number(&mut self) -> Result<(), Flaw> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.take()? {
            b'0' if matches!(self.peek(), Some(b'0'..=b'9')) => return Err(Flaw::NotJson),
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(Flaw::NotJson),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        self.skip_digits();
        match self.at > start {
            true => Ok(()),
            false => Err(Flaw::NotJson),
        }
    }

    fn skip_digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips an object or a list, whatever is in it. Without recursion: how deep the text nests is up to whoever wrote
    /// it.
    fn skip_container(&mut self) -> Result<(), Flaw> {
        // One bit for each that is open: whether it is an object. The innermost is the lowest.
        let (mut open, mut depth) = (0_u128, 0_u32);
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if depth == MAX_DEPTH {
                        return Err(Flaw::TooDeep);
                    }
                    depth += 1;
                    open = open << 1 | u128::from(bracket == b'{');
                    self.at += 1;
                    self.skip_blanks();
                    let is_empty = match self.peek() {
                        Some(b'}') => open & 1 == 1,
                        Some(b']') => open & 1 == 0,
                        _ => false,
                    };
                    if !is_empty {
                        self.before_value(open & 1 == 1)?;
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            // Behind a value, or before the bracket that closes an empty container.
            loop {
                self.skip_blanks();
                match (self.take()?, open & 1 == 1) {
                    (b',', is_object) => {
                        self.skip_blanks();
                        self.before_value(is_object)?;
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        open >>= 1;
                        depth -= 1;
                        if depth == 0 {
                            return Ok(());
                        }
                    }
                    _ => return Err(Flaw::NotJson),
                }
            }
        }
    }

    /// From before a member of a container to before its value.
    fn before_value(&mut self, is_object: bool) -> Result<(), Flaw> {
        if is_object {
            self.skip_string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
        }
        Ok(())
    }

    /// Skips a string. Whether it stands for itself, without escapes.
    fn skip_string(&mut self) -> Result<bool, Flaw> {
        self.expect(b'"')?;
        let mut is_plain = true;
        loop {
            self.skip_plain();
            match self.take()? {
                b'"' => return Ok(is_plain),
                b'\\' => {
                    is_plain = false;
                    self.skip_escape()?;
                }
                // A control character.
                _ => return Err(Flaw::NotJson),
            }
        }
    }

    /// What follows a backslash.
    fn skip_escape(&mut self) -> Result<(), Flaw> {
        match self.take()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    if !self.take()?.is_ascii_hexdigit() {
                        return Err(Flaw::NotJson);
                    }
                }
                Ok(())
            }
            _ => Err(Flaw::NotJson),
        }
    }

    /// Skips what stands for itself in a string, eight bytes at a time.
    fn skip_plain(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = ends(u64::from_le_bytes(*chunk));
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += chunk.len();
        }
        while let Some(byte) = self.peek() {
            if matches!(byte, b'"' | b'\\' | 0..0x20) {
                return;
            }
            self.at += 1;
        }
    }
}

/// The high bit of each byte that ends a run of plain text: a quote, a backslash, a control character. Beyond the
/// lowest of them other bits may be wrong.
fn ends(chunk: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES * 0x80;
    // Subtracting borrows into a byte's high bit if it is below, and from the next one, which is above it.
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word & HIGH;
    let is = |byte: u8| below(chunk ^ (ONES * u64::from(byte)), 1);
    is(b'"') | is(b'\\') | below(chunk, 0x20)
}

/// A key of an object.
#[derive(Debug)]
pub(crate) struct Key<'t> {
    /// As it is written, with its quotes.
    raw: &'t str,
    /// Where that is.
    pub(crate) span: Range<usize>,
    is_plain: bool,
}

impl<'t> Key<'t> {
    /// Its text, see [`super::key_text`].
    pub(crate) fn text(&self) -> Cow<'t, str> {
        match self.is_plain {
            true => Cow::Borrowed(self.raw.get(1..self.raw.len() - 1).unwrap_or_default()),
            false => super::key_text(self.raw),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// Walks over a text of one value.
    fn walk(text: &str) -> Result<Range<usize>, Flaw> {
        let mut walker = Walker::new(text);
        let span = walker.value()?;
        walker.finish().map(|()| span)
    }

    /// Whether both readers say the same of a text.
    fn agrees(text: &str) {
        let (ours, theirs) = (walk(text), serde_json::from_str::<IgnoredAny>(text));
        match ours {
            Err(Flaw::TooDeep) => assert!(text.len() > MAX_DEPTH as usize, "{text}"),
            _ => assert_eq!(
                ours.is_ok(),
                theirs.is_ok(),
                "{text:?}: {ours:?} {theirs:?}"
            ),
        }
    }

    #[test]
    fn it_takes_for_json_what_serde_takes() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[]",
            "{}",
            " [ ] ",
            "[1,]",
            "[,]",
            "{,}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\" : 1 }",
            "{\"a\":1]",
            "[1}",
            "[[]",
            "[{}]",
            "{\"a\":[]}",
            "{a:1}",
            "[1 2]",
            "[1]x",
            "[\"a\":1]",
            "{\"a\"}",
            "{1:2}",
            "\"\"",
            "\"a",
            "\"\\\"",
            "\"\\\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\u12é\"",
            "\"tab\there\"",
            "\"\u{1f}\"",
            "\"\u{7f}\u{80}é\u{2028}😀\"",
            "\"seven77\"",
            "\"eight888\"",
            "\"nine99999\"",
            "\"1234567\\n\"",
            "\"12345678\\n\"",
            "\"1234567\u{1}\"",
            "0",
            "-0",
            "00",
            "01",
            "-",
            "-a",
            "1.",
            "1.5",
            ".5",
            "1e",
            "1e5",
            "1E+5",
            "1e-",
            "1.0e10",
            "+1",
            "1x",
            "NaN",
            "true",
            "truex",
            "tru",
            "false",
            "null",
            "nul",
            "\u{feff}1",
            "\u{a0}1",
            "[1,\u{b}2]",
            "{\"a\":1}}",
            "{\"a\":{\"b\":[true,false,null,\"x\",1.5e3]}}",
        ] {
            agrees(text);
            agrees(&format!("[{text}]"));
            agrees(&format!("{{\"k\": {text} }}"));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(walk(&nested(120)), Ok(0..241));
        assert_eq!(walk(&nested(121)), Err(Flaw::TooDeep));
        let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(walk(&objects(120)).is_ok());
        assert_eq!(walk(&objects(121)), Err(Flaw::TooDeep));
        // What it would be is not looked at, nor how much of it there is.
        assert_eq!(walk(&"[".repeat(1 << 20)), Err(Flaw::TooDeep));
        // Side by side is not deep, and brackets in strings are text.
        assert!(walk(&format!("[{}[]]", "[[]],".repeat(500))).is_ok());
        assert!(walk(&format!("[\"{}\"]", "[{".repeat(500))).is_ok());
    }

    #[test]
    fn keys_and_values_are_where_they_are_said_to_be() {
        let text = " {\"a\" : [1, 2] , \"b\\u0063\":\"x\",\"a\":null } ";
        let mut walker = Walker::new(text);
        assert!(walker.is_at_object());
        let mut found = Vec::new();
        assert_eq!(walker.enter(), Ok(true));
        loop {
            let key = walker.key().unwrap();
            let span = walker.value().unwrap();
            assert_eq!(text.get(key.span.clone()), Some(key.raw));
            found.push((key.text().into_owned(), walker.slice(&span)));
            if !walker.next().unwrap() {
                break;
            }
        }
        let expected = [("a", "[1, 2]"), ("bc", "\"x\""), ("a", "null")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(walker.position(), text.len() - 1);
        assert_eq!(walker.finish(), Ok(()));
        assert_eq!(Walker::new("{ }").enter(), Ok(false));
        assert_eq!(Walker::new("[]").enter(), Err(Flaw::NotJson));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_agrees_with_serde_on_tokens(
            tokens in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\\\\"", "1", "-0.5e+3", "0", "true", "null", " ", "\n",
                    "{\"k\":", "\"long enough to be read in steps of eight\"", "\"", "\\", "\u{0}", "é",
                ]),
                0..14,
            )
        ) {
            agrees(&tokens.concat());
        }

        #[test]
        fn it_agrees_with_serde_on_strings(text in "\"[a-c\\\\\"\u{0}-\u{22}\u{5a}-\u{60}u0-9é]{0,24}\"") {
            agrees(&text);
        }

        #[test]
        fn it_agrees_with_serde_on_documents_with_a_fault(
            at in 0_usize..200,
            byte in prop::sample::select(b"{}[],:\"\\ 0a\n\t".to_vec()),
        ) {
            let document = serde_json::json!({
                "name": "n", "versions": {"1.0.0": {"dist": {"tarball": "https://a.invalid/n.tgz", "size": 1.5}}},
                "time": {"1.0.0": "2026-01-01T00:00:00Z"}, "list": [[], {}, [1, -2e3], "\\\"q", null, true, false],
            });
            let mut text = document.to_string().into_bytes();
            let at = at % text.len();
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            agrees(&String::from_utf8(text).unwrap());
        }
    }
}
