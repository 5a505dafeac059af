//! Names in tar headers, read as npm's extractor reads them.

/// A text field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    /// What npm's extractor takes it for.
    pub(crate) text: String,
    /// Whether it was UTF-8; otherwise U+FFFD stands for what was not.
    pub(crate) utf8: bool,
    /// What lies behind the zero byte that ends the text.
    pub(crate) after: After,
}

/// What lies behind the zero byte that ends a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum After {
    /// More zeros, or nothing.
    #[default]
    Nothing,
    /// Bytes that every reader ignores.
    Ignored,
    /// Bytes of which npm's extractor ignores those up to the next line end, and appends the rest
    /// to the name.
    Appended,
}

impl Text {
    pub(crate) fn parse(field: &[u8]) -> Self {
        let end = field.iter().position(|byte| *byte == 0);
        let (name, rest) = match end.and_then(|end| field.split_at_checked(end)) {
            Some((name, rest)) => (name, rest),
            None => (field, <&[u8]>::default()),
        };
        let mut text = Self {
            utf8: std::str::from_utf8(name).is_ok(),
            text: String::from_utf8_lossy(name).into_owned(),
            after: After::Nothing,
        };
        if rest.iter().any(|byte| *byte != 0) {
            let rest = String::from_utf8_lossy(rest);
            text.after = After::Ignored;
            if let Some(line_end) = rest.find(['\n', '\r', '\u{2028}', '\u{2029}']) {
                text.after = After::Appended;
                text.text.push_str(rest.get(line_end..).unwrap_or_default());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{After, Text};

    #[test]
    fn names_end_at_a_zero_byte_and_npm_goes_on_behind_a_line_end() {
        for (field, name, utf8, after) in [
            (&b"a.js\0\0\0"[..], "a.js", true, After::Nothing),
            (b"a.js", "a.js", true, After::Nothing),
            (b"", "", true, After::Nothing),
            (b"a.js\0old", "a.js", true, After::Ignored),
            (b"a.js\0x\nb\0c", "a.js\nb\0c", true, After::Appended),
            (b"caf\xe9.js\0", "caf\u{fffd}.js", false, After::Nothing),
        ] {
            let expected = Text {
                text: name.to_owned(),
                utf8,
                after,
            };
            assert_eq!(Text::parse(field), expected);
        }
    }
}
