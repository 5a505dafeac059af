//! Paths, and what is read from the files behind them.

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, NONE, Name, Node, Rule};
use super::solve::Solver;
use super::text;
use crate::tables::{calls, credentials, data};

/// Most buffers of a list that one read fills.
const BUFFERS: usize = 8;

/// Whether a source is what a file holds.
fn is_of_file(kind: SourceKind) -> bool {
    matches!(
        kind,
        SourceKind::CredentialFile
            | SourceKind::WalletOrProfile
            | SourceKind::CloudMetadata
            | SourceKind::ProcessMemory
    )
}

/// The name of a file that lies beside the code, by its path. Others are relative to wherever the program
/// is started.
fn own_file(path: &str) -> Option<&str> {
    let is_own = path.starts_with(crate::ability::OWN) || path.starts_with("./");
    is_own.then(|| path.rsplit('/').next())?
}

impl Solver<'_> {
    pub(super) fn join_path(&mut self, call: &Call) {
        let parts: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
        for &part in &parts {
            self.loose_content(part, false, call.out);
        }
        let is_guessing = self.is_guessing;
        self.fold(&parts, call.out, |pieces| {
            if !is_guessing && pieces.iter().any(Option::is_none) {
                return None;
            }
            let unknown = super::UNKNOWN.to_string();
            let pieces: Vec<&str> = pieces
                .iter()
                .map(|piece| piece.unwrap_or(&unknown))
                .collect();
            let joined = text::join_path(&pieces);
            (joined.len() <= super::graph::TEXT_BYTES).then_some(joined)
        });
    }

    pub(super) fn path_part(&mut self, path: &str, first: Node, call: &Call) {
        self.loose_content(first, false, call.out);
        self.fold(&[first], call.out, |pieces| {
            let text = (*pieces.first()?)?;
            Some(match path {
                "node:path.dirname" => super::own::folder(text),
                "node:path.basename" => text.rsplit('/').next().unwrap_or(text).to_owned(),
                _ => text.strip_prefix("file://").unwrap_or(text).to_owned(),
            })
        });
    }

    pub(super) fn read_file(&mut self, path: Node, call: &Call) {
        self.read_from_file(call);
        for name in self.graph.texts(path) {
            let text = self.graph.name(name);
            self.read_own_file(&text, call);
            let Some(kind) = credentials::kind(&text) else {
                self.read_by_install(&text, call);
                self.read_data(&text, call);
                continue;
            };
            let source = self.graph.source(kind, &text, call.file, call.offset);
            self.give_data(source, call);
        }
    }

    /// A file of the package that nobody reads as code: where it becomes some, it was hidden there.
    fn read_data(&mut self, path: &str, call: &Call) {
        if !self.graph.follows_code || path.contains(super::UNKNOWN) {
            return;
        }
        let Some(name) = own_file(path).filter(|name| data::may_be(name)) else {
            return;
        };
        let detail = format!("{}{name}", data::PREFIX);
        let kind = SourceKind::Decoded;
        let source = self.graph.source(kind, &detail, call.file, call.offset);
        self.give_data(source, call);
    }

    /// Data read at a call: its result, and what its callback gets.
    pub(super) fn give_data(&mut self, source: u32, call: &Call) {
        self.graph.add(call.out, Atom::Taint(source), NONE);
        if let Some(&(callback, _)) = call.arguments.last() {
            for function in self.functions(callback) {
                let parameter = self.parameter(function, 1);
                self.graph.add(parameter, Atom::Taint(source), NONE);
            }
        }
    }

    /// `fs.readSync(file, buffer)`, `fs.read(file, buffer, (error, count, buffer) => …)`: what is in the
    /// open file is in the buffer from now on.
    pub(super) fn read_into(&mut self, call: &Call) {
        let file = Self::argument(call, 0);
        self.fill(file, Self::argument(call, 1));
        if let Some(&(callback, _)) = call.arguments.last() {
            for function in self.functions(callback) {
                let parameter = self.parameter(function, 2);
                self.loose_content(file, false, parameter);
            }
        }
    }

    /// `handle.read(buffer)` of a file that was opened before. Other things are read, too, but a buffer
    /// that is handed over only says something where the receiver is known to be a file.
    pub(super) fn read_by_handle(&mut self, call: &Call) {
        let holds_file = self.graph.held(call.receiver).into_iter().any(
            |atom| matches!(atom, Atom::Taint(source) if self.kind(source).is_some_and(is_of_file)),
        );
        if holds_file {
            self.fill(call.receiver, Self::argument(call, 0));
        }
    }

    /// `Buffer.alloc(size, fill)`: an object of its own, into which bytes are put later.
    pub(super) fn buffer(&mut self, id: u32, call: &Call) {
        let object = self.made(id, 0);
        let any = self.graph.any(object);
        self.derive(Rule::Content {
            from: Self::argument(call, 1),
            out: any,
        });
        self.buffers.insert(object);
        self.graph.add(call.out, Atom::Object(object), NONE);
    }

    /// Whether names of a buffer say only how long it is.
    pub(super) fn measures_buffer(&self, object: u32, names: &[Name]) -> bool {
        let is_measure =
            |name: &Name| calls::PROPERTIES_WITHOUT_VALUE.contains(&&*self.graph.name(*name));
        !names.is_empty() && names.iter().all(is_measure) && self.buffers.contains(&object)
    }

    /// `bytes.copy(buffer)`
    pub(super) fn copied_into(&mut self, call: &Call) {
        for atom in self.graph.held(Self::argument(call, 0)) {
            if let Atom::Object(object) = atom
                && self.buffers.contains(&object)
            {
                let any = self.graph.any(object);
                self.loose_content(call.receiver, false, any);
            }
        }
    }

    /// A buffer takes in what is in an open file. It is the variable that holds it, as a buffer is no
    /// object of its own.
    fn fill(&mut self, file: Node, buffer: Node) {
        let listed = self.listed(buffer).unwrap_or_default();
        let all = listed.iter().take(BUFFERS).map(|(node, _)| *node);
        for node in all.chain([buffer]) {
            // Constants are the same node wherever they stand.
            if self.graph.place(node).0 == u32::MAX {
                continue;
            }
            self.loose_content(file, false, node);
            for atom in self.graph.held(node) {
                if let Atom::Object(object) = atom {
                    let any = self.graph.any(object);
                    self.loose_content(file, false, any);
                }
            }
        }
    }
}
