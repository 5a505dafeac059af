//! JSON, and the JSON with trailing commas that bun writes, with lines.

use jsonc_parser::tokens::Token;
use jsonc_parser::{Scanner, ScannerOptions};

use super::error::{LockfileError, Problem, lines_in};
use super::tree::{Kind, MAX_DEPTH, Member, Value, distinct};

/// How far from JSON a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// JSON.
    Json,
    /// With comments and commas before closing brackets.
    Commas,
}

/// Reads a text.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Value<'_>, LockfileError> {
    let options = ScannerOptions {
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let mut reader = Reader {
        scanner: Scanner::new(text, &options),
        relaxed: dialect == Dialect::Commas,
        text,
        at: 0,
        line: 1,
        end: 0,
    };
    let Some(first) = reader.token()? else {
        return Err(not_json(1, "the file is empty"));
    };
    let value = reader.value(first, 0)?;
    match reader.token()? {
        None => Ok(value),
        Some(_) => Err(not_json(reader.line, "something follows its end")),
    }
}

fn not_json(line: u32, why: &str) -> LockfileError {
    Problem::Syntax(format!("not JSON: {why}")).at(line, None)
}

/// Makes values straight from tokens: a tree with positions in between would be made only to be turned into
/// this one.
struct Reader<'a> {
    scanner: Scanner<'a>,
    relaxed: bool,
    text: &'a str,
    /// How far lines are counted.
    at: usize,
    /// The line of the last token.
    line: u32,
    /// Where the last token ends.
    end: usize,
}

impl<'a> Reader<'a> {
    /// The next token that is no comment.
    fn token(&mut self) -> Result<Option<Token<'a>>, LockfileError> {
        loop {
            let scanned = self.scanner.scan().map_err(|error| {
                let line = u32::try_from(error.line_display()).unwrap_or(u32::MAX);
                not_json(line, &error.kind().to_string())
            })?;
            if !self.relaxed {
                self.check_space()?;
            }
            self.count_lines(self.scanner.token_start());
            match scanned {
                Some(Token::CommentLine(_) | Token::CommentBlock(_)) if self.relaxed => {}
                Some(Token::CommentLine(_) | Token::CommentBlock(_)) => {
                    return Err(not_json(self.line, "it holds a comment"));
                }
                Some(Token::String(_)) if !self.relaxed && self.is_broken() => {
                    return Err(not_json(
                        self.line,
                        "a text holds a bare line break or control character",
                    ));
                }
                other => return Ok(other),
            }
        }
    }

    /// Refuses what the scanner takes for white space between the last two tokens and JSON does not: npm
    /// treats a lockfile that has it as if there were none.
    fn check_space(&mut self) -> Result<(), LockfileError> {
        let start = self.scanner.token_start();
        let space = self.text.as_bytes().get(self.end..start);
        let odd = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if let Some(at) = space.unwrap_or_default().iter().position(odd) {
            self.count_lines(self.end + at);
            return Err(not_json(self.line, "white space that JSON does not have"));
        }
        self.end = self.scanner.token_end();
        Ok(())
    }

    /// Whether the text that was just read holds what has to be escaped: npm does not read such a file.
    fn is_broken(&self) -> bool {
        let read = self.scanner.token_start()..self.scanner.token_end();
        let raw = self.text.as_bytes().get(read).unwrap_or_default();
        raw.iter().any(|byte| *byte < b' ')
    }

    /// The next token of what began at a line.
    fn inside(&mut self, began: u32) -> Result<Token<'a>, LockfileError> {
        self.token()?
            .ok_or_else(|| not_json(began, "what begins here does not end"))
    }

    /// Counts lines up to a position. Positions come in order.
    fn count_lines(&mut self, position: usize) {
        let passed = self.text.as_bytes().get(self.at..position);
        let lines = lines_in(passed.unwrap_or_default());
        self.line = self.line.saturating_add(lines);
        self.at = self.at.max(position);
    }

    /// A value whose first token was just read.
    fn value(&mut self, first: Token<'a>, depth: usize) -> Result<Value<'a>, LockfileError> {
        let line = self.line;
        let kind = match first {
            Token::Null => Kind::Null,
            Token::Boolean(it) => Kind::Bool(it),
            Token::Number(it) => Kind::Number(it.into()),
            Token::String(it) => Kind::Text(it),
            Token::OpenBracket => Kind::List(self.list(line, depth)?),
            Token::OpenBrace => Kind::Map(self.map(line, depth)?),
            _ => return Err(not_json(line, "a value is missing")),
        };
        Ok(Value { line, kind })
    }

    fn list(&mut self, began: u32, depth: usize) -> Result<Vec<Value<'a>>, LockfileError> {
        let mut list = Vec::new();
        loop {
            let token = self.inside(began)?;
            if token == Token::CloseBracket {
                return self.ends_at(list.is_empty()).map(|()| list);
            }
            list.push(self.deeper(token, depth, began)?);
            match self.inside(began)? {
                Token::CloseBracket => return Ok(list),
                Token::Comma => {}
                _ => return Err(not_json(self.line, "a comma is missing")),
            }
        }
    }

    fn map(&mut self, began: u32, depth: usize) -> Result<Vec<Member<'a>>, LockfileError> {
        let mut members = Vec::new();
        loop {
            let token = self.inside(began)?;
            if token == Token::CloseBrace {
                self.ends_at(members.is_empty())?;
                break;
            }
            members.push(self.member(token, began, depth)?);
            match self.inside(began)? {
                Token::CloseBrace => break,
                Token::Comma => {}
                _ => return Err(not_json(self.line, "a comma is missing")),
            }
        }
        distinct(&members)?;
        Ok(members)
    }

    fn member(
        &mut self,
        key: Token<'a>,
        began: u32,
        depth: usize,
    ) -> Result<Member<'a>, LockfileError> {
        let line = self.line;
        let Token::String(key) = key else {
            return Err(not_json(line, "a key in quotes is missing"));
        };
        if self.inside(began)? != Token::Colon {
            return Err(not_json(self.line, "a colon is missing"));
        }
        let first = self.inside(began)?;
        let value = self.deeper(first, depth, line)?;
        Ok(Member { key, line, value })
    }

    /// Whether a bracket may close here: after nothing, or after a comma where that is allowed.
    fn ends_at(&self, empty: bool) -> Result<(), LockfileError> {
        if empty || self.relaxed {
            return Ok(());
        }
        Err(not_json(self.line, "a comma before a closing bracket"))
    }

    fn deeper(
        &mut self,
        first: Token<'a>,
        depth: usize,
        line: u32,
    ) -> Result<Value<'a>, LockfileError> {
        if depth >= MAX_DEPTH {
            return Err(Problem::TooDeep.at(line, None));
        }
        self.value(first, depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text is made of, without its lines.
    fn told(value: &Value<'_>) -> String {
        match &value.kind {
            Kind::Null => "null".to_owned(),
            Kind::Bool(it) => it.to_string(),
            Kind::Number(it) => it.to_string(),
            Kind::Text(it) => format!("{it:?}"),
            Kind::List(list) => {
                let list: Vec<String> = list.iter().map(told).collect();
                format!("[{}]", list.join(","))
            }
            Kind::Map(members) => {
                let member = |it: &Member<'_>| format!("{:?}:{}", it.key, told(&it.value));
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        for text in [
            "{}",
            "[]",
            "null",
            "-1.5e+3",
            "\"a\"",
            r#"{"a":{"b":[1,[true,false],null,{}]},"c":""}"#,
            r#"{"\u0061\n":"\u00e9\"\\"}"#,
        ] {
            for dialect in [Dialect::Json, Dialect::Commas] {
                let plain: serde_json::Value = serde_json::from_str(text).unwrap();
                let read = told(&parse(text, dialect).unwrap());
                let again: serde_json::Value = serde_json::from_str(&read).unwrap();
                assert_eq!(again, plain, "{text}");
            }
        }
    }

    #[test]
    fn what_only_one_dialect_takes() {
        for text in [
            "[1,]",
            "{\"a\":1,}",
            "[1, // why\n 2]",
            "/* head */ {}",
            "{} // end",
        ] {
            parse(text, Dialect::Commas).unwrap_or_else(|error| panic!("{text}: {error}"));
            parse(text, Dialect::Json).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        for (text, line, why) in [
            ("", 1, "empty"),
            (" \n ", 1, "empty"),
            ("{}\n{}", 2, "follows its end"),
            ("{}\n]", 2, "follows its end"),
            ("[1\n2]", 2, "a comma is missing"),
            ("{\"a\":1\n\"b\":2}", 2, "a comma is missing"),
            ("[\n,]", 2, "a value is missing"),
            ("[1,\n,]", 2, "a value is missing"),
            ("{\"a\":\n}", 2, "a value is missing"),
            ("[}", 1, "a value is missing"),
            ("[\n[1\n", 2, "does not end"),
            ("{\"a\"\n", 1, "does not end"),
            ("{\"a\":", 1, "does not end"),
            ("{\n,}", 2, "a key in quotes is missing"),
            ("{\na:1}", 2, "a key in quotes is missing"),
            ("{1:1}", 1, "a key in quotes is missing"),
            ("{\"a\"\n1}", 2, "a colon is missing"),
            ("{\"a\",1}", 1, "a colon is missing"),
            ("[yes]", 1, "nexpected token"),
            ("['a']", 1, "quoted"),
            ("[0x1]", 1, "exadecimal"),
            ("[01]", 1, "a comma is missing"),
            ("[\"a", 1, "nterminated"),
            ("[\"\\x41\"]", 1, "escape"),
            ("[/* a]", 1, "omment"),
            ("\n{\"a\":1,\n\"a\":2}", 3, "twice"),
        ] {
            for dialect in [Dialect::Json, Dialect::Commas] {
                let error = parse(text, dialect).unwrap_err();
                let said = error.to_string();
                assert!(said.contains(why), "{text:?}: {said}");
                assert_eq!(error.line, line, "{text:?}: {said}");
            }
        }
    }

    #[test]
    fn control_characters_in_texts_are_no_json() {
        for text in [
            "[\"a\nb\"]",
            "{\"a\tb\": 1}",
            "[\"\u{0}\"]",
            "[\n\t\"a\u{1f}\"]",
        ] {
            let error = parse(text, Dialect::Json).unwrap_err().to_string();
            assert!(error.contains("control character"), "{text:?}: {error}");
            assert!(
                serde_json::from_str::<serde_json::Value>(text).is_err(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn white_space_is_what_json_has() {
        let odd = [
            '\u{b}', '\u{c}', '\u{85}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{2028}', '\u{2029}',
            '\u{3000}', '\u{feff}', '\u{200b}', '\u{0}',
        ];
        for space in odd {
            for (text, line) in [
                (format!("{space}{{}}"), 1),
                (format!("{{{space}}}"), 1),
                (format!("{{\n\"a\"{space}: 1}}"), 2),
                (format!("{{\"a\":\n {space}\n1}}"), 2),
                (format!("[1\n{space},2]"), 2),
                (format!("[1,\r\n\t{space} 2]"), 2),
                (format!("{{}}\n{space}"), 2),
            ] {
                let error = parse(&text, Dialect::Json).unwrap_err();
                assert_eq!(error.line, line, "{text:?}: {error}");
                if space.is_whitespace() {
                    let said = error.to_string();
                    assert!(said.contains("white space that JSON"), "{text:?}: {said}");
                }
                assert!(
                    serde_json::from_str::<serde_json::Value>(&text).is_err(),
                    "{text:?}"
                );
            }
        }
        // In a text it is an ordinary character, and JSON's own is fine anywhere.
        for text in ["[\"\u{a0}\u{2028}\"]", " \t\r\n{ \t\"a\"\r\n: \n1 \t}\r\n "] {
            parse(text, Dialect::Json).unwrap();
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
        // bun has its own idea of white space.
        parse("[1,\u{a0}2]", Dialect::Commas).unwrap();
    }

    #[test]
    fn every_part_has_its_line() {
        let text = "{\n\"a\":\n[1,\n2],\r\n\"b\": {\"c\": \"x\n\"}}";
        let value = parse(text, Dialect::Commas).unwrap();
        let list = value.get("a").and_then(Value::list).unwrap();
        let lines: Vec<u32> = list.iter().map(|it| it.line).collect();
        assert_eq!((value.line, lines), (1, vec![3, 4]));
        let members = value.map("").unwrap();
        assert_eq!(members.iter().map(|it| it.line).collect::<Vec<_>>(), [2, 5]);
    }
}
