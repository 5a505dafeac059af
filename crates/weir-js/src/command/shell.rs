//! A small shell tokenizer: enough structure to see programs, their words, pipes and substitutions.
//! It never fails; what it cannot read becomes words.

/// Longest text that is tokenised, in bytes. Longer scripts are cut there.
pub(crate) const TEXT: usize = 1 << 20;

/// One program with its words. Substitutions and variables stay in the words as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    /// Leading `NAME=value` words.
    pub(crate) assignments: Vec<(String, String)>,
    /// Program and arguments, quotes removed.
    pub(crate) words: Vec<String>,
    /// Targets of `>`, `>>`, `&>`.
    pub(crate) outputs: Vec<String>,
    /// Sources of `<` and the text of `<<<`.
    pub(crate) inputs: Vec<String>,
}

impl Simple {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.assignments.is_empty() && self.inputs.is_empty()
    }
}

/// Pipelines in order. `&&`, `||`, `;`, `&` and line breaks separate them alike: whether a command
/// runs depends on others, that it can run is what counts.
pub(crate) fn pipelines(text: &str) -> Vec<Vec<Simple>> {
    let text = cut(text);
    let mut lexer = Lexer {
        rest: text.chars().peekable(),
        out: Vec::new(),
        pipeline: Vec::new(),
        simple: Simple::default(),
        word: None,
        redirect: None,
    };
    lexer.run();
    lexer.out
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The insides of `$(...)` and backticks in a word.
pub(crate) fn substitutions(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find(['$', '`', '<']) {
        let after = rest.get(at + 1..).unwrap_or_default();
        if rest.get(at..).is_some_and(|text| text.starts_with('`')) {
            let end = after.find('`').unwrap_or(after.len());
            found.push(after.get(..end).unwrap_or_default().to_owned());
            rest = after.get(end + 1..).unwrap_or_default();
        } else if let Some(inner) = after.strip_prefix('(') {
            let mut depth = 1_usize;
            let end = inner
                .char_indices()
                .find(|(_, c)| {
                    match c {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    depth == 0
                })
                .map_or(inner.len(), |(index, _)| index);
            found.push(inner.get(..end).unwrap_or_default().to_owned());
            rest = inner.get(end..).unwrap_or_default();
        } else {
            rest = after;
        }
        if found.len() > 64 {
            break;
        }
    }
    found
}

/// Names of the variables a word expands: `$NAME`, `${NAME...}`, `%NAME%`, `$env:NAME`.
pub(crate) fn variables(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in word.split('$').skip(1).take(64) {
        let piece = piece.strip_prefix('{').unwrap_or(piece);
        let piece = piece.strip_prefix("env:").unwrap_or(piece);
        let name: String = piece
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(128)
            .collect();
        if !name.is_empty() {
            found.push(name);
        }
    }
    for (index, piece) in word.split('%').enumerate().take(64) {
        let is_name = !piece.is_empty()
            && piece.len() < 128
            && piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if index % 2 == 1 && is_name {
            found.push(piece.to_owned());
        }
    }
    found
}

/// A redirect that waits for its word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirect {
    Output,
    Input,
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: Vec<Vec<Simple>>,
    pipeline: Vec<Simple>,
    simple: Simple,
    word: Option<String>,
    redirect: Option<Redirect>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    // Windows paths keep their backslash; an escaped blank or quote loses it.
                    Some(next) if next.is_ascii_alphanumeric() || next == '.' => {
                        self.push('\\');
                        self.push(next);
                    }
                    Some(next) => self.push(next),
                },
                '\'' => self.quoted('\'', false),
                '"' => self.quoted('"', true),
                '`' => self.nested('`'),
                '$' => {
                    self.push('$');
                    if self.rest.peek() == Some(&'(') {
                        self.parenthesised();
                    }
                }
                ' ' | '\t' | '\r' => self.end_word(),
                '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '\n' | ';' | '(' | ')' | '{' | '}'
                    if self.word.is_none() || !matches!(c, '{' | '}') =>
                {
                    self.end_pipeline();
                }
                '&' => {
                    if self.rest.next_if_eq(&'>').is_some() {
                        self.redirected(Redirect::Output);
                    } else {
                        self.rest.next_if_eq(&'&');
                        self.end_pipeline();
                    }
                }
                '|' => {
                    if self.rest.next_if_eq(&'|').is_some() {
                        self.end_pipeline();
                    } else {
                        self.rest.next_if_eq(&'&');
                        self.end_simple();
                    }
                }
                '>' => {
                    self.rest.next_if_eq(&'>');
                    self.rest.next_if_eq(&'|');
                    if self
                        .word
                        .as_deref()
                        .is_some_and(|word| word.chars().all(|c| c.is_ascii_digit()))
                    {
                        self.word = None;
                    }
                    self.redirected(Redirect::Output);
                    // `2>&1`
                    self.rest.next_if_eq(&'&');
                }
                '<' => {
                    if self.rest.peek() == Some(&'(') {
                        self.push('<');
                        self.parenthesised();
                    } else {
                        while self.rest.next_if_eq(&'<').is_some() {}
                        self.redirected(Redirect::Input);
                    }
                }
                other => self.push(other),
            }
        }
        self.end_pipeline();
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn quoted(&mut self, quote: char, escapes: bool) {
        self.word.get_or_insert_default();
        while let Some(c) = self.rest.next() {
            match c {
                _ if c == quote => return,
                '\\' if escapes => match self.rest.next() {
                    Some(next @ ('"' | '\\' | '`')) => self.push(next),
                    Some(next) => {
                        self.push('\\');
                        self.push(next);
                    }
                    None => return,
                },
                '$' if escapes => {
                    self.push('$');
                    if self.rest.peek() == Some(&'(') {
                        self.parenthesised();
                    }
                }
                other => self.push(other),
            }
        }
    }

    /// Keeps everything up to the closing backtick.
    fn nested(&mut self, close: char) {
        self.push(close);
        for c in self.rest.by_ref() {
            self.word.get_or_insert_default().push(c);
            if c == close {
                return;
            }
        }
    }

    /// Keeps everything up to the matching parenthesis.
    fn parenthesised(&mut self) {
        let mut depth = 0_usize;
        for c in self.rest.by_ref() {
            self.word.get_or_insert_default().push(c);
            match c {
                '(' => depth += 1,
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    fn redirected(&mut self, redirect: Redirect) {
        self.end_word();
        self.redirect = Some(redirect);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match self.redirect.take() {
            Some(Redirect::Output) => self.simple.outputs.push(word),
            Some(Redirect::Input) => self.simple.inputs.push(word),
            None => {
                if self.simple.words.is_empty()
                    && let Some((name, value)) = word.split_once('=')
                    && is_name(name)
                {
                    self.simple
                        .assignments
                        .push((name.to_owned(), value.to_owned()));
                } else {
                    self.simple.words.push(word);
                }
            }
        }
    }

    fn end_simple(&mut self) {
        self.end_word();
        self.redirect = None;
        let simple = std::mem::take(&mut self.simple);
        if !simple.is_empty() {
            self.pipeline.push(simple);
        }
    }

    fn end_pipeline(&mut self) {
        self.end_simple();
        let pipeline = std::mem::take(&mut self.pipeline);
        if !pipeline.is_empty() {
            self.out.push(pipeline);
        }
    }
}

/// Whether a word before `=` is the name of a variable.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
