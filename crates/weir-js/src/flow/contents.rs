//! What lies in the package's own files, as text: whoever evaluates that loads the file, whatever it is called.
//!
//! The text of a file is not looked at where it is read. It is stood for by a mark, which survives whatever
//! strings are put around it and is asked for where text becomes code.

use weir_model::contents::SourceKind;

use super::UNKNOWN;
use super::graph::{Atom, Call, NONE, Node};
use super::solve::Solver;
use crate::ability::OWN;
use crate::tables::data;

/// The first of the characters that stand for files. They are private ones that no text has a use for, and
/// each follows an [`UNKNOWN`]: whatever is careful of unknown pieces is careful of these.
const FIRST: u32 = 0xf_0000;
/// Most files that are told apart.
const MOST: usize = 4_000;

/// Methods of strings that give parts or other forms of what they are called on.
const PASSES: &[&str] = &[
    "replace",
    "replaceAll",
    "slice",
    "substring",
    "substr",
    "concat",
    "split",
    "match",
    "trim",
    "trimStart",
    "trimEnd",
    "toString",
    "normalize",
    "padEnd",
];

/// A file that is read as text.
#[derive(Debug, Clone, Copy)]
struct Read {
    /// The file.
    file: u32,
    /// Where it is read: file and offset.
    at: (u32, u32),
}

/// The files that are read, by the number of their mark.
#[derive(Debug, Default)]
pub(super) struct Contents {
    read: Vec<Read>,
    /// Files that something evaluates, whatever their names say of them.
    pub(super) evaluated: crate::hash::Set<u32>,
}

/// The mark of a file by its number.
fn mark(at: usize) -> Option<String> {
    let at = u32::try_from(at).ok()?;
    let letter = char::from_u32(FIRST.checked_add(at)?)?;
    Some([UNKNOWN, letter].iter().collect())
}

/// The numbers of the marks in a text.
fn marked(text: &str) -> impl Iterator<Item = usize> + '_ {
    let letters = text.chars().filter_map(|letter| {
        let at = u32::from(letter).checked_sub(FIRST)?;
        usize::try_from(at).ok().filter(|at| *at < MOST)
    });
    // Few texts have anything unknown in them.
    let has_unknown = text.contains(UNKNOWN);
    letters.filter(move |_| has_unknown)
}

/// Whether a name says that a file is code of Node's.
fn is_code(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(
        extension,
        "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx"
    ) && !name.contains(".d.")
}

impl Solver<'_> {
    /// Gives a call that reads a file of the package the mark of it. Off the install surface only of code:
    /// what else is evaluated there are templates and grammars.
    pub(super) fn read_own_file(&mut self, path: &str, call: &Call) {
        if !self.graph.follows_code || path.contains(UNKNOWN) || self.contents.read.len() >= MOST {
            return;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if !self.graph.installs && !is_code(name) {
            return;
        }
        let Some(file) = self.own_file(path, call.file) else {
            return;
        };
        let at = (call.file, call.offset);
        let known = self
            .contents
            .read
            .iter()
            .position(|one| one.file == file && one.at == at);
        let number = known.unwrap_or_else(|| {
            self.contents.read.push(Read { file, at });
            self.contents.read.len() - 1
        });
        let Some(text) = mark(number) else {
            return;
        };
        self.give_text(call.out, &text);
        if let Some(&(callback, _)) = call.arguments.last() {
            for function in self.functions(callback) {
                let parameter = self.parameter(function, 1);
                self.give_text(parameter, &text);
            }
        }
    }

    /// The file of the package that a path means: beside the code, or where a program is started that install
    /// runs, which is the package's root.
    fn own_file(&self, path: &str, from: u32) -> Option<u32> {
        if path.starts_with(OWN) {
            return self.modules.resolve(from, &self.specifier(path, from));
        }
        if path.starts_with(['/', '~']) {
            return None;
        }
        let bare = path.trim_start_matches("./");
        let at_root = || self.modules.at_root(bare);
        self.modules
            .resolve(from, &format!("./{bare}"))
            .or_else(at_root)
    }

    /// `JSON.parse` of a file of the package is what loading the file gives.
    pub(super) fn parsed_file(&mut self, text: &str, call: &Call) {
        if self.contents.read.is_empty() {
            return;
        }
        for file in self.files_in(text) {
            if self.modules.json(file).is_some() {
                self.json_module(file);
                let exports = self.graph.exports(file);
                self.graph.copy(exports, call.out);
            }
        }
    }

    /// The files whose text is a part of a text.
    fn files_in(&self, text: &str) -> Vec<u32> {
        let read = |at| self.contents.read.get(at);
        marked(text).filter_map(read).map(|one| one.file).collect()
    }

    /// Whether a file is evaluated that is no code by its name.
    pub(crate) fn evaluates(&self, file: u32) -> bool {
        self.contents.evaluated.contains(&file)
    }

    /// Whether a text is part of a file of the package.
    pub(super) fn is_of_file(&self, text: &str) -> bool {
        !self.contents.read.is_empty() && marked(text).next().is_some()
    }

    /// A method of the text of a file gives text of that file.
    pub(super) fn part_of_file(&mut self, name: &str, call: &Call) {
        if self.contents.read.is_empty() || !PASSES.contains(&name) {
            return;
        }
        for text in self.graph.texts(call.receiver) {
            if marked(&self.graph.name(text)).next().is_some() {
                self.graph.add(call.out, Atom::Text(text), call.receiver);
            }
        }
    }

    /// The text of a file is evaluated, or given to a program that runs it: `by` loads the file. Where the
    /// file's name says that it is no code, that is told as well.
    pub(super) fn evaluates_file(&mut self, text: &str, node: Node, by: u32) {
        let read: Vec<Read> = marked(text)
            .filter_map(|at| self.contents.read.get(at).copied())
            .collect();
        for one in &read {
            self.loaded(by, one.file);
            let Some(path) = self.modules.path(one.file) else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap_or_default();
            // Old code evaluates what it could parse.
            if is_code(name) || self.modules.json(one.file).is_some() {
                continue;
            }
            self.contents.evaluated.insert(one.file);
            let detail = format!("{}{name}", data::PREFIX);
            let source = self
                .graph
                .source(SourceKind::Decoded, &detail, one.at.0, one.at.1);
            if node != NONE {
                self.graph.add(node, Atom::Taint(source), NONE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_code, mark, marked};

    #[test]
    fn marks_are_found_in_what_they_are_put_into() {
        let text = format!(
            "(function () {{ {} }})() // {}",
            mark(3).unwrap(),
            mark(0).unwrap()
        );
        assert_eq!(marked(&text).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(marked("plain").count(), 0);
        // Somebody's own private letter is no mark.
        assert_eq!(marked("\u{f0001}").count(), 0);
    }

    #[test]
    fn code_is_told_by_name() {
        for (name, code) in [
            ("x.js", true),
            ("x.mts", true),
            ("x.d.ts", false),
            ("x.json", false),
            ("x.md", false),
            ("x", false),
        ] {
            assert_eq!(is_code(name), code, "{name}");
        }
    }
}
