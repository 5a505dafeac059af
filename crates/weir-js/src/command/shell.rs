//! A shell reader: programs with their words, pipes, redirects, here-documents, quotes of all kinds,
//! nested substitutions, variables with constant values. Control flow is read as a list of commands:
//! whether one runs depends on others, that it can run is what counts. It never fails; what it cannot
//! read becomes words.
//!
//! Our own rather than a crate: it has to read POSIX shells, `cmd` and PowerShell well enough at once,
//! because one command line of a manifest runs on all of them, and must not refuse any text.

use std::collections::HashMap;

/// Longest text that is tokenised, in bytes. Longer scripts are cut there.
pub(crate) const TEXT: usize = 1 << 20;
/// Most variables whose values are kept.
const VARIABLES: usize = 256;
/// Longest word after variables were put in, in bytes.
const WORD: usize = 64 << 10;
/// Stand for `$` and the backtick where quotes took their meaning away.
const DOLLAR: char = '\u{f8f0}';
const BACKTICK: char = '\u{f8f1}';

/// One program with its words. Substitutions and variables stay in the words as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    /// Leading `NAME=value` words.
    pub(crate) assignments: Vec<(String, String)>,
    /// Program and arguments, quotes removed.
    pub(crate) words: Vec<String>,
    /// Targets of `>`, `>>`, `&>`.
    pub(crate) outputs: Vec<String>,
    /// Sources of `<`.
    pub(crate) inputs: Vec<String>,
    /// Bodies of `<<` and texts of `<<<`.
    pub(crate) documents: Vec<String>,
}

impl Simple {
    fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self.assignments.is_empty()
            && self.inputs.is_empty()
            && self.outputs.is_empty()
            && self.documents.is_empty()
    }
}

/// Pipelines in order. `&&`, `||`, `;`, `&` and line breaks separate them alike: whether a command
/// runs depends on others, that it can run is what counts.
pub(crate) fn pipelines(text: &str) -> Vec<Vec<Simple>> {
    // `curl${IFS}-d` has two words.
    let spaced = text.contains("IFS").then(|| {
        text.replace("${IFS}", " ")
            .replace("$IFS$9", " ")
            .replace("$IFS", " ")
    });
    let text = cut(spaced.as_deref().unwrap_or(text));
    let mut lexer = Lexer {
        rest: text.chars().peekable(),
        out: Vec::new(),
        pipeline: Vec::new(),
        simple: Simple::default(),
        word: None,
        redirect: None,
        awaited: Vec::new(),
    };
    lexer.run();
    insert_variables(&mut lexer.out);
    lexer.out
}

/// A word as it is once quotes are gone: for scripts inside words, and for showing.
pub(crate) fn literal(word: &str) -> String {
    word.replace(DOLLAR, "$").replace(BACKTICK, "`")
}

fn masked(c: char) -> char {
    match c {
        '$' => DOLLAR,
        '`' => BACKTICK,
        other => other,
    }
}

/// Puts the values of variables that were set to constants before into the words that use them:
/// `C=curl; $C -d x`.
fn insert_variables(pipelines: &mut [Vec<Simple>]) {
    let mut values: HashMap<String, String> = HashMap::new();
    for simple in pipelines.iter_mut().flatten() {
        if !values.is_empty() {
            for word in &mut simple.words {
                insert_into(word, &values);
            }
        }
        // `A=1 program` sets it for that program only.
        if simple.words.is_empty() || simple.words.first().is_some_and(|word| word == "export") {
            for (name, value) in &simple.assignments {
                let is_constant = !value.contains(['$', '`', '<']) && value.len() < 1024;
                if is_constant && values.len() < VARIABLES {
                    values.insert(name.clone(), value.clone());
                } else {
                    values.remove(name);
                }
            }
        }
    }
}

fn insert_into(word: &mut String, values: &HashMap<String, String>) {
    if !word.contains('$') || word.contains("$(") {
        return;
    }
    for name in variables(word) {
        let Some(value) = values.get(&name) else {
            continue;
        };
        if word.len().saturating_add(value.len().saturating_mul(8)) > WORD {
            return;
        }
        let braced = word.replacen(&format!("${{{name}}}"), value, 8);
        *word = match braced.find(&format!("${name}")) {
            // A longer name begins alike.
            Some(at)
                if braced
                    .get(at + name.len() + 1..)
                    .and_then(|rest| rest.chars().next())
                    .is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_')) =>
            {
                braced.replacen(&format!("${name}"), value, 1)
            }
            _ => braced,
        };
    }
}

/// The part of a text that is read.
pub(crate) fn cut(text: &str) -> &str {
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
            let end = closing(inner);
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

/// Where the parenthesis closes that `inner` follows. Parentheses in quotes do not count.
fn closing(inner: &str) -> usize {
    let mut depth = 1_usize;
    let mut quote = None;
    let mut is_escaped = false;
    for (index, c) in inner.char_indices() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match (quote, c) {
            (Some('\''), '\'') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => is_escaped = true,
            (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    inner.len()
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
    /// `<<<`
    Text,
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: Vec<Vec<Simple>>,
    pipeline: Vec<Simple>,
    simple: Simple,
    word: Option<String>,
    redirect: Option<Redirect>,
    /// Here-documents whose bodies follow the line: delimiter, whether it was quoted, whether tabs
    /// are taken away, and which program of the pipeline reads it.
    awaited: Vec<(String, bool, bool, usize)>,
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
                    if self.rest.next_if_eq(&'\'').is_some() {
                        self.escaped();
                        continue;
                    }
                    self.push('$');
                    if self.rest.peek() == Some(&'(') {
                        self.parenthesised();
                    }
                }
                '\n' if !self.awaited.is_empty() => {
                    self.end_word();
                    self.documents();
                    self.end_pipeline();
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
                    } else if self.rest.next_if_eq(&'<').is_none() {
                        self.redirected(Redirect::Input);
                    } else if self.rest.next_if_eq(&'<').is_some() {
                        self.redirected(Redirect::Text);
                    } else {
                        self.end_word();
                        self.awaits();
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
                other if !escapes => self.push(masked(other)),
                other => self.push(other),
            }
        }
    }

    /// `$'...'`, whose escapes are those of C.
    fn escaped(&mut self) {
        self.word.get_or_insert_default();
        while let Some(c) = self.rest.next() {
            match c {
                '\'' => return,
                '\\' => {
                    let Some(next) = self.rest.next() else {
                        return;
                    };
                    let decoded = match next {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'x' => self.number(16, 2),
                        'u' => self.number(16, 4),
                        '0'..='7' => {
                            let rest = self.number(8, 2);
                            let high = next.to_digit(8).unwrap_or(0);
                            char::from_u32(high * 64 + u32::from(rest)).unwrap_or(rest)
                        }
                        other => other,
                    };
                    self.push(masked(decoded));
                }
                other => self.push(masked(other)),
            }
        }
    }

    /// The character of up to `most` digits that follow.
    fn number(&mut self, radix: u32, most: usize) -> char {
        let mut value = 0;
        for _ in 0..most {
            let Some(digit) = self
                .rest
                .next_if(|c| c.is_digit(radix))
                .and_then(|c| c.to_digit(radix))
            else {
                break;
            };
            value = value * radix + digit;
        }
        char::from_u32(value).unwrap_or(' ')
    }

    /// The delimiter of a here-document, after `<<`.
    fn awaits(&mut self) {
        let strips = self.rest.next_if_eq(&'-').is_some();
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let mut delimiter = String::new();
        let mut is_quoted = false;
        while let Some(c) = self
            .rest
            .next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '|' | '&' | '>' | '<' | ')'))
        {
            if matches!(c, '\'' | '"' | '\\') {
                is_quoted = true;
            } else {
                delimiter.push(c);
            }
        }
        if !delimiter.is_empty() {
            let reader = self.pipeline.len();
            self.awaited.push((delimiter, is_quoted, strips, reader));
        }
    }

    /// The bodies of all here-documents of the line that just ended.
    fn documents(&mut self) {
        for (delimiter, is_quoted, strips, reader) in std::mem::take(&mut self.awaited) {
            let mut body = String::new();
            loop {
                let mut line = String::new();
                let mut ended = true;
                for c in self.rest.by_ref() {
                    if c == '\n' {
                        ended = false;
                        break;
                    }
                    line.push(c);
                }
                let stripped = if strips {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if stripped.trim_end_matches('\r') == delimiter {
                    break;
                }
                body.extend(
                    stripped
                        .chars()
                        .map(|c| if is_quoted { masked(c) } else { c }),
                );
                body.push('\n');
                if ended {
                    break;
                }
            }
            match self.pipeline.get_mut(reader) {
                Some(simple) => simple.documents.push(body),
                None => self.simple.documents.push(body),
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
        let mut quote = None;
        let mut is_escaped = false;
        for c in self.rest.by_ref() {
            self.word.get_or_insert_default().push(c);
            if is_escaped {
                is_escaped = false;
                continue;
            }
            match (quote, c) {
                (Some('\''), '\'') => quote = None,
                (Some('\''), _) => {}
                (_, '\\') => is_escaped = true,
                (Some('"'), '"') => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => {
                    depth = depth.saturating_sub(1);
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
            Some(Redirect::Text) => self.simple.documents.push(word),
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
