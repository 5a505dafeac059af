//! A shell reader: programs with their words, pipes, redirects, here-documents, quotes of all kinds,
//! nested substitutions, variables with constant values. Control flow is read as a list of commands:
//! whether one runs depends on others, that it can run is what counts. It never fails; what it cannot
//! read becomes words.
//!
//! Our own rather than a crate: it has to read POSIX shells, `cmd` and PowerShell well enough at once,
//! because one command line of a manifest runs on all of them, and must not refuse any text.
//!
//! Groups stay flat: a mark stands where one begins and where it ends, so that what it reads and writes
//! can be handed on by whoever goes through the list.

use super::lexer::{self, Nesting};
use super::values;

/// Longest text that is tokenised, in bytes. Longer scripts are cut there.
pub(crate) const TEXT: usize = 1 << 20;
/// Most substitutions, and most variables, of one word.
const SUBSTITUTIONS: usize = 1024;
/// Stand for `$` and the backtick where quotes took their meaning away.
const DOLLAR: char = '\u{f8f0}';
const BACKTICK: char = '\u{f8f1}';

/// What stands at a place of a pipeline: a program, or the beginning or end of a group of commands,
/// which is what stands in `{ }` and `( )`, a loop, a condition, a function. A beginning ends its
/// pipeline, an end begins one, and each beginning has an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A program.
    #[default]
    Program,
    /// A group begins: it reads what comes before it in the pipeline, and its redirects.
    Begin,
    /// A function of this name or, without a name, a text inside a word begins. What it writes goes
    /// nowhere from here.
    Aside(String),
    /// The innermost group ends: it writes what its programs wrote.
    End,
}

/// One program with its words. Substitutions and variables stay in the words as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    /// Whether it is a program.
    pub(crate) mark: Mark,
    /// Of a mark: the group is `( )`, which has a folder of its own.
    pub(crate) is_subshell: bool,
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
    /// Its pipeline ends in `&`: the shell does not wait for it.
    pub(crate) is_left: bool,
    /// What it prints is thrown away.
    pub(crate) is_mute: bool,
}

impl Simple {
    pub(super) fn is_empty(&self) -> bool {
        self.mark == Mark::Program
            && self.words.is_empty()
            && self.assignments.is_empty()
            && self.inputs.is_empty()
            && self.outputs.is_empty()
            && self.documents.is_empty()
    }
}

/// Pipelines in order. `&&`, `||`, `;`, `&` and line breaks separate them alike: whether a command
/// runs depends on others, that it can run is what counts.
pub(crate) fn pipelines(text: &str) -> Vec<Vec<Simple>> {
    read(text, text.len()).0
}

/// The same, and whether something of it was left out because there was too much.
pub(super) fn told(text: &str) -> (Vec<Vec<Simple>>, bool) {
    read(text, text.len())
}

/// Programs of a text inside another one. The turns of loops are no programs of their own here, so that
/// texts in texts in texts do not grow with each.
pub(super) fn programs(text: &str) -> Vec<Simple> {
    read(text, 0).0.into_iter().flatten().collect()
}

fn read(text: &str, grows: usize) -> (Vec<Vec<Simple>>, bool) {
    // `curl${IFS}-d` has two words.
    let spaced = text.contains("IFS").then(|| {
        text.replace("${IFS}", " ")
            .replace("$IFS$9", " ")
            .replace("$IFS", " ")
    });
    let text = cut(spaced.as_deref().unwrap_or(text));
    let mut found = lexer::read(text);
    let in_part = values::insert(&mut found, grows);
    (found, in_part)
}

/// What a program sets: `NAME=value`, also behind `export` and `local`.
pub(super) fn settings(simple: &Simple) -> Vec<(&str, &str)> {
    let declares = simple.words.first().is_some_and(|word| {
        matches!(
            word.as_str(),
            "export" | "local" | "declare" | "readonly" | "typeset"
        )
    });
    let own = simple
        .assignments
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let declared = simple
        .words
        .iter()
        .filter(|_| declares)
        .filter_map(|word| word.split_once('='))
        .filter(|(name, _)| is_name(name));
    own.chain(declared).collect()
}

/// A word as it is once quotes are gone: for scripts inside words, and for showing.
pub(crate) fn literal(word: &str) -> String {
    word.replace(DOLLAR, "$").replace(BACKTICK, "`")
}

pub(super) fn masked(c: char) -> char {
    match c {
        '$' => DOLLAR,
        '`' => BACKTICK,
        other => other,
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
        if found.len() > SUBSTITUTIONS {
            break;
        }
    }
    found
}

/// Where the parenthesis closes that `inner` follows. Parentheses in quotes do not count.
fn closing(inner: &str) -> usize {
    let mut nesting = Nesting::behind_one();
    inner
        .char_indices()
        .find_map(|(index, c)| nesting.closes(c).then_some(index))
        .unwrap_or(inner.len())
}

/// Names of the variables a word expands: `$NAME`, `${NAME...}`, `%NAME%`, `$env:NAME`.
pub(crate) fn variables(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in word.split('$').skip(1).take(SUBSTITUTIONS) {
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

/// Whether a word before `=` is the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
