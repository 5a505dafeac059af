//! Groups of commands in a shell text: where they begin and end.

use super::lexer::Lexer;
use super::shell::{Mark, Simple};

/// How many open groups are looked through for the one that ends.
const DEEPEST: usize = 64;
/// Words behind which a command begins.
const LEADING: [&str; 10] = [
    "do", "then", "else", "elif", "if", "while", "until", "!", "time", "{",
];

/// Whether a word may stand in front of a program without being one.
pub(super) fn leads_on(word: &str) -> bool {
    LEADING.contains(&word)
}

/// What a group is, which says what ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{ }`
    Brace,
    /// `( )`
    Parenthesis,
    /// `for`, `while`, `until`, `select` to `done`.
    Loop,
    /// `if` to `fi`.
    Condition,
    /// `case` to `esac`. Its patterns end in parentheses that never began.
    Case,
    /// Parentheses that group no commands: `A=(x y)`, `iex (iwr x)`.
    List,
}

impl Lexer<'_> {
    /// Whether the next word would be a program's name.
    pub(super) fn leads(&self) -> bool {
        self.redirect.is_none()
            && self.simple.assignments.is_empty()
            && self.simple.words.iter().all(|word| leads_on(word))
    }

    /// A word that stands where a program is named.
    pub(super) fn keyword(&mut self, word: &str) {
        match word {
            "for" | "while" | "until" | "select" => self.begin(Kind::Loop),
            "if" => self.begin(Kind::Condition),
            "case" => self.begin(Kind::Case),
            "done" => self.close(Kind::Loop),
            "fi" => self.close(Kind::Condition),
            "esac" => self.close(Kind::Case),
            _ => {}
        }
    }

    /// After `(`.
    pub(super) fn parenthesis(&mut self) {
        if self.names_function() && self.rest.next_if_eq(&')').is_some() {
            // A blank may stand before the parentheses.
            self.function = self.word.take().or_else(|| self.simple.words.pop());
            self.simple.words.clear();
            return;
        }
        if self.word.is_none() && self.leads() {
            self.begin(Kind::Parenthesis);
            return;
        }
        self.end_pipeline();
        self.open.push((Kind::List, None));
    }

    /// Whether what stands before `(` may be the name of a function.
    fn names_function(&self) -> bool {
        let (name, before) = match (&self.word, self.simple.words.as_slice()) {
            (Some(name), before) => (name, before),
            (None, [before @ .., name]) => (name, before),
            (None, []) => return false,
        };
        let leads = self.redirect.is_none()
            && self.simple.assignments.is_empty()
            && (before.iter().all(|word| leads_on(word)) || before == ["function"]);
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.:+@".contains(c));
        leads && is_name
    }

    /// After `{` at the beginning of a word.
    pub(super) fn brace(&mut self) {
        if self.rest.next_if_eq(&'}').is_some() {
            // The place that `xargs` and `find` fill.
            self.push('{');
            self.push('}');
            return;
        }
        if let [first, name] = self.simple.words.as_slice()
            && first == "function"
        {
            self.function = Some(name.clone());
            self.simple.words.clear();
        }
        // Without a blank it is a list to choose from, or another language's.
        if self.rest.peek().is_none_or(|c| c.is_whitespace()) {
            self.begin(Kind::Brace);
        } else {
            self.end_pipeline();
        }
    }

    pub(super) fn begin(&mut self, kind: Kind) {
        self.end_simple();
        let mark = match self.function.take() {
            Some(name) => Mark::Aside(name),
            None => Mark::Begin,
        };
        self.pipeline.push(Simple {
            mark,
            is_subshell: kind == Kind::Parenthesis,
            ..Simple::default()
        });
        self.end_pipeline();
        let at = self.out.len().saturating_sub(1);
        self.open.push((kind, Some(at)));
    }

    /// The innermost group of a kind ends, and with it what was left open in it.
    pub(super) fn close(&mut self, kind: Kind) {
        self.end_pipeline();
        let ends = |open: Kind| {
            open == kind || (kind == Kind::Parenthesis && matches!(open, Kind::List | Kind::Case))
        };
        let mut inside = self.open.iter().rev().take(DEEPEST);
        let Some(left) = inside.position(|(open, _)| ends(*open)) else {
            return;
        };
        for _ in 0..left {
            self.end_innermost();
        }
        let is_pattern = self
            .open
            .last()
            .is_some_and(|(open, _)| *open == Kind::Case && kind != Kind::Case);
        if !is_pattern {
            self.end_innermost();
        }
    }

    fn end_innermost(&mut self) {
        self.end_pipeline();
        if let Some((kind, Some(at))) = self.open.pop() {
            self.simple.mark = Mark::End;
            self.simple.is_subshell = kind == Kind::Parenthesis;
            self.closing = Some(at);
        }
    }

    /// All groups end with the text.
    pub(super) fn end_groups(&mut self) {
        while !self.open.is_empty() {
            self.end_innermost();
        }
        self.end_pipeline();
    }
}
