//! The words of a shell text, as pipelines of programs.

use super::groups::{Kind, leads_on};
use super::shell::{Mark, Simple, is_name, masked};

/// Pipelines in order, with variables as they are written.
pub(super) fn read(text: &str) -> Vec<Vec<Simple>> {
    let mut lexer = Lexer {
        rest: text.chars().peekable(),
        out: Vec::new(),
        pipeline: Vec::new(),
        simple: Simple::default(),
        word: None,
        redirect: None,
        awaited: Vec::new(),
        open: Vec::new(),
        closing: None,
        function: None,
    };
    lexer.run();
    lexer.end_groups();
    lexer.out
}

/// A redirect that waits for its word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    Output,
    /// `2>`
    Errors,
    Input,
    /// `<<<`
    Text,
}

/// A here-document whose body follows the line.
pub(super) struct Awaited {
    delimiter: String,
    is_quoted: bool,
    strips_tabs: bool,
    /// Which program reads it: pipeline, and place in it.
    reader: (usize, usize),
}

pub(super) struct Lexer<'a> {
    pub(super) rest: std::iter::Peekable<std::str::Chars<'a>>,
    pub(super) out: Vec<Vec<Simple>>,
    pub(super) pipeline: Vec<Simple>,
    pub(super) simple: Simple,
    pub(super) word: Option<String>,
    pub(super) redirect: Option<Redirect>,
    awaited: Vec<Awaited>,
    /// Groups that have begun, with the pipeline that ends in their mark, where they have one.
    pub(super) open: Vec<(Kind, Option<usize>)>,
    /// The pipeline that ends in the beginning of the group whose end is being read.
    pub(super) closing: Option<usize>,
    /// The name of a function whose body comes next.
    pub(super) function: Option<String>,
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
                '\n' | ';' => self.end_pipeline(),
                '(' => self.parenthesis(),
                ')' => self.close(Kind::Parenthesis),
                '{' if self.word.is_none() => self.brace(),
                '}' if self.word.is_none() => self.close(Kind::Brace),
                '&' => {
                    if self.rest.next_if_eq(&'>').is_some() {
                        self.redirected(Redirect::Output);
                    } else {
                        self.end_word();
                        self.simple.is_left = self.rest.next_if_eq(&'&').is_none();
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
                '>' => self.output(),
                '<' => self.input(),
                other => self.push(other),
            }
        }
        self.end_pipeline();
    }

    /// After `>`.
    fn output(&mut self) {
        if self.rest.next_if_eq(&'(').is_some() {
            // `>(program)` reads what goes there.
            self.end_word();
            self.begin(Kind::Parenthesis);
            return;
        }
        self.rest.next_if_eq(&'>');
        self.rest.next_if_eq(&'|');
        let is_errors = self.word.as_deref() == Some("2");
        self.drop_descriptor();
        self.redirected(if is_errors {
            Redirect::Errors
        } else {
            Redirect::Output
        });
        // `2>&1`
        self.rest.next_if_eq(&'&');
    }

    /// After `<`.
    fn input(&mut self) {
        if self.rest.peek() == Some(&'(') {
            self.push('<');
            self.parenthesised();
        } else if self.rest.next_if_eq(&'<').is_none() {
            self.drop_descriptor();
            self.redirected(Redirect::Input);
            // `<&5`
            if self.rest.next_if_eq(&'&').is_some() {
                self.push('&');
            }
        } else if self.rest.next_if_eq(&'<').is_some() {
            self.redirected(Redirect::Text);
        } else {
            self.end_word();
            self.awaits();
        }
    }

    /// A number right before a redirect is the descriptor that it is for.
    fn drop_descriptor(&mut self) {
        let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
        if self.word.as_deref().is_some_and(is_number) {
            self.word = None;
        }
    }

    pub(super) fn push(&mut self, c: char) {
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
            self.awaited.push(Awaited {
                delimiter,
                is_quoted,
                strips_tabs: strips,
                reader: (self.out.len(), self.pipeline.len()),
            });
        }
    }

    /// The bodies of all here-documents of the line that just ended.
    fn documents(&mut self) {
        for awaited in std::mem::take(&mut self.awaited) {
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
                let stripped = if awaited.strips_tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if stripped.trim_end_matches('\r') == awaited.delimiter {
                    break;
                }
                body.extend(
                    stripped
                        .chars()
                        .map(|c| if awaited.is_quoted { masked(c) } else { c }),
                );
                body.push('\n');
                if ended {
                    break;
                }
            }
            // The pipeline may have ended on the line, or not yet.
            let (pipeline, place) = awaited.reader;
            let reader = match self.out.get_mut(pipeline) {
                Some(ended) => ended.get_mut(place),
                None => self.pipeline.get_mut(place),
            };
            reader.unwrap_or(&mut self.simple).documents.push(body);
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
        let mut nesting = Nesting::default();
        for c in self.rest.by_ref() {
            self.word.get_or_insert_default().push(c);
            if nesting.closes(c) {
                return;
            }
        }
    }

    fn redirected(&mut self, redirect: Redirect) {
        self.end_word();
        self.redirect = Some(redirect);
    }

    pub(super) fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match self.redirect.take() {
            Some(to @ (Redirect::Output | Redirect::Errors)) => {
                self.simple.is_mute |= to == Redirect::Output && word == "/dev/null";
                self.simple.outputs.push(word);
            }
            Some(Redirect::Input) => self.simple.inputs.push(word),
            Some(Redirect::Text) => self.simple.documents.push(word),
            None => self.add(word),
        }
    }

    fn add(&mut self, word: String) {
        // What follows the end of a group is another program.
        if self.simple.mark == Mark::End {
            self.end_pipeline();
        }
        self.function = None;
        if self.simple.words.iter().all(|word| leads_on(word))
            && let Some((name, value)) = word.split_once('=')
            && is_name(name)
        {
            self.simple
                .assignments
                .push((name.to_owned(), value.to_owned()));
            return;
        }
        if self.leads() {
            self.keyword(&word);
        }
        self.simple.words.push(word);
    }

    pub(super) fn end_simple(&mut self) {
        self.end_word();
        self.redirect = None;
        let simple = std::mem::take(&mut self.simple);
        if !simple.is_empty() {
            self.pipeline.push(simple);
        }
    }

    pub(super) fn end_pipeline(&mut self) {
        self.end_simple();
        let pipeline = std::mem::take(&mut self.pipeline);
        let Some(first) = pipeline.first() else {
            return;
        };
        // What a group reads stands behind it.
        if let Some(opened) = self.closing.take()
            && let Some(begin) = self.out.get_mut(opened).and_then(|begun| begun.last_mut())
        {
            begin.inputs.clone_from(&first.inputs);
            begin.documents.clone_from(&first.documents);
        }
        self.out.push(pipeline);
    }
}

/// Parentheses that are open, while text goes by. Those in quotes do not count.
#[derive(Default)]
pub(super) struct Nesting {
    depth: usize,
    quote: Option<char>,
    is_escaped: bool,
}

impl Nesting {
    /// Text that follows a parenthesis.
    pub(super) fn behind_one() -> Self {
        Self {
            depth: 1,
            ..Self::default()
        }
    }

    /// Whether this character closes the outermost one.
    pub(super) fn closes(&mut self, c: char) -> bool {
        if self.is_escaped {
            self.is_escaped = false;
            return false;
        }
        match (self.quote, c) {
            (Some('\''), '\'') => self.quote = None,
            (Some('\''), _) => {}
            (_, '\\') => self.is_escaped = true,
            (Some('"'), '"') => self.quote = None,
            (None, '\'' | '"') => self.quote = Some(c),
            (None, '(') => self.depth += 1,
            (None, ')') => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}
