//! Statements of a script: their names, texts and symbols.

/// Most tokens that are read; more are a table, and no script.
const TOKENS: usize = 200_000;

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name with what hangs on it by dots (`os.environ.get`), or a member of a result (`.read`).
    Name(String),
    /// A text, quotes and escapes gone.
    Text(String),
    /// Anything else.
    Symbol(char),
}

/// What ends with a line, a semicolon or a brace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) tokens: Vec<Token>,
    /// Byte offset of its beginning.
    pub(super) offset: usize,
    /// Blanks in front of it.
    pub(super) indent: usize,
    /// A brace opens behind it.
    pub(super) opens: bool,
}

/// How the languages differ, to a lexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    Python,
    PowerShell,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    grammar: Grammar,
    depth: usize,
    now: Statement,
    out: Vec<Statement>,
    tokens: usize,
    /// Where the line begins that holds `seen`, the place up to which lines were looked for.
    line: usize,
    seen: usize,
}

/// The statements of a text, in order.
pub(super) fn statements(text: &str, grammar: Grammar) -> Vec<Statement> {
    let mut lexer = Lexer {
        text,
        at: 0,
        grammar,
        depth: 0,
        now: Statement::default(),
        out: Vec::new(),
        tokens: 0,
        line: 0,
        seen: 0,
    };
    lexer.run();
    lexer.out
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, token: Token, offset: usize) {
        if self.now.tokens.is_empty() {
            self.now.offset = offset;
            let since = self.text.get(self.seen..offset).unwrap_or_default();
            if let Some(at) = since.rfind('\n') {
                self.line = self.seen + at + 1;
            }
            self.seen = offset;
            self.now.indent = offset - self.line;
        }
        self.now.tokens.push(token);
        self.tokens += 1;
    }

    fn end(&mut self, opens: bool) {
        let mut statement = std::mem::take(&mut self.now);
        if !statement.tokens.is_empty() {
            statement.opens = opens;
            self.out.push(statement);
        }
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            if self.tokens > TOKENS {
                break;
            }
            let offset = self.at;
            let is_powershell = self.grammar == Grammar::PowerShell;
            self.at += c.len_utf8();
            match c {
                '#' => self.comment(),
                '<' if is_powershell && self.peek() == Some('#') => {
                    let end = self
                        .rest()
                        .find("#>")
                        .map_or(self.rest().len(), |at| at + 2);
                    self.at += end;
                }
                '\\' if !is_powershell => self.skip_line_break(),
                // PowerShell continues lines with a backtick, and escapes with it.
                '`' if is_powershell => self.skip_line_break(),
                '\n' if self.depth == 0 => self.end(false),
                ';' => self.end(false),
                '{' if is_powershell => {
                    self.end(true);
                }
                '}' if is_powershell => self.end(false),
                '(' | '[' | '{' => {
                    self.depth += 1;
                    self.push(Token::Symbol(c), offset);
                }
                ')' | ']' | '}' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.push(Token::Symbol(c), offset);
                }
                '"' | '\'' => self.quoted(c, offset, ""),
                _ if c.is_whitespace() => {}
                _ if begins_name(c, is_powershell) => self.name(offset),
                '.' if self
                    .peek()
                    .is_some_and(|next| next.is_alphabetic() || next == '_') =>
                {
                    self.name(offset);
                }
                _ => self.push(Token::Symbol(c), offset),
            }
        }
        self.end(false);
    }

    fn comment(&mut self) {
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += end;
    }

    fn skip_line_break(&mut self) {
        if self.rest().starts_with("\r\n") {
            self.at += 2;
        } else if self.rest().starts_with('\n') {
            self.at += 1;
        }
    }

    /// A name with its dots, or the prefix of a text.
    fn name(&mut self, offset: usize) {
        let is_powershell = self.grammar == Grammar::PowerShell;
        let rest = self.text.get(offset..).unwrap_or_default();
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let goes_on = c.is_alphanumeric()
                || matches!(c, '_' | '.')
                || (is_powershell && matches!(c, '-' | ':' | '$' | '`'));
            if at > 0 && !goes_on {
                break;
            }
            length = at + c.len_utf8();
            if length > 256 {
                break;
            }
        }
        let name = rest.get(..length).unwrap_or_default();
        self.at = offset + length;
        let is_prefix =
            !is_powershell && name.len() <= 2 && name.chars().all(|c| "rRbBfFuU".contains(c));
        if is_prefix && let Some(quote @ ('"' | '\'')) = self.peek() {
            let prefix = name.to_owned();
            self.at += 1;
            self.quoted(quote, offset, &prefix);
            return;
        }
        let name = match is_powershell {
            true => name.replace('`', "").to_ascii_lowercase(),
            false => name.to_owned(),
        };
        self.push(
            Token::Name(name.trim_end_matches(['.', ':']).to_owned()),
            offset,
        );
    }

    /// A text whose opening quote was taken.
    fn quoted(&mut self, quote: char, offset: usize, prefix: &str) {
        let triple: String = [quote; 3].iter().collect();
        let is_long = self.grammar == Grammar::Python
            && self.rest().starts_with(triple.get(1..).unwrap_or("\u{0}"));
        let is_raw =
            prefix.contains(['r', 'R']) || (self.grammar == Grammar::PowerShell && quote == '\'');
        if is_long {
            self.at += 2;
        }
        let escape = match self.grammar {
            Grammar::Python => '\\',
            Grammar::PowerShell => '`',
        };
        let mut value = String::new();
        while let Some(c) = self.peek() {
            if is_long && self.rest().starts_with(&triple) {
                self.at += 3;
                break;
            }
            self.at += c.len_utf8();
            if !is_long && c == quote {
                break;
            }
            if !is_long && c == '\n' && self.grammar == Grammar::Python {
                break;
            }
            if c == escape && !is_raw {
                self.escaped(&mut value);
            } else {
                value.push(c);
            }
        }
        // What is put into a text at run time is part of the statement.
        let is_filled =
            prefix.contains(['f', 'F']) || (self.grammar == Grammar::PowerShell && quote == '"');
        let inside = if is_filled {
            self.filled(&value)
        } else {
            Vec::new()
        };
        self.push(Token::Text(value), offset);
        for name in inside {
            self.push(Token::Name(name), offset);
        }
    }

    fn escaped(&mut self, value: &mut String) {
        let Some(c) = self.peek() else { return };
        self.at += c.len_utf8();
        match c {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            'x' if self.grammar == Grammar::Python => {
                let digits = self.rest().get(..2).unwrap_or_default();
                match u8::from_str_radix(digits, 16) {
                    Ok(byte) => {
                        self.at += 2;
                        value.push(char::from(byte));
                    }
                    Err(_) => value.push(c),
                }
            }
            '\n' => {}
            other => value.push(other),
        }
    }

    /// Names inside `{...}` of a text, or `$name` of PowerShell.
    fn filled(&self, value: &str) -> Vec<String> {
        let is_powershell = self.grammar == Grammar::PowerShell;
        let mut names = Vec::new();
        let opens = if is_powershell { '$' } else { '{' };
        for piece in value.split(opens).skip(1).take(32) {
            let inner = piece.trim_start_matches(['(', '{', '$', ' ']);
            let name: String = inner
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':'))
                .take(128)
                .collect();
            if !name.is_empty() {
                names.push(match is_powershell {
                    true => format!("${}", name.to_ascii_lowercase()),
                    false => name,
                });
            }
        }
        names
    }
}

fn begins_name(c: char, is_powershell: bool) -> bool {
    c.is_alphabetic() || c == '_' || (is_powershell && matches!(c, '$' | '-'))
}
