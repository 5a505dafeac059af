//! Values that leave the program and come back: through files, the manifest, the diagnostic report.

use super::graph::{Call, Node};
use super::solve::Solver;

/// Most files of a listed folder that are taken for loaded.
const LISTED: usize = 32;

/// What the global field is called that stands for a file on disk. No program can name it.
fn file_field(path: &str) -> String {
    format!("file on disk {path}")
}

/// Whether a path is known from its root on.
fn is_whole(path: &str) -> bool {
    !path.contains(super::UNKNOWN) && path.starts_with(['/', '~'])
}

impl Solver<'_> {
    /// What is written into a file under a known path can be read from there, by whatever runs next.
    pub(super) fn kept_in_file(&mut self, call: &Call) {
        let value = Self::argument(call, 1);
        for path in self.disk_paths(Self::argument(call, 0)) {
            let field = self.disk_file(&path);
            self.loose_content(value, false, field);
        }
    }

    /// What was written into a file before, for a call that reads it.
    pub(super) fn read_from_file(&mut self, call: &Call) {
        for path in self.disk_paths(Self::argument(call, 0)) {
            let field = self.disk_file(&path);
            self.graph.copy(field, call.out);
            if let Some(&(callback, _)) = call.arguments.last() {
                for function in self.functions(callback) {
                    let parameter = self.parameter(function, 1);
                    self.graph.copy(field, parameter);
                }
            }
        }
    }

    /// Whole paths in folders that several programs share: those of the system. What lies in the package
    /// or in a project is mostly made by somebody else.
    pub(super) fn disk_paths(&self, path: Node) -> Vec<String> {
        let texts = self.known_texts(path).into_iter();
        texts.filter(|text| is_whole(text)).take(4).collect()
    }

    /// What lies in a file.
    pub(super) fn disk_file(&mut self, path: &str) -> Node {
        let name = self.graph.intern(&file_field(path));
        self.graph.field(self.graph.globals, name)
    }

    /// Whether something reads or writes a file.
    pub(super) fn is_on_disk(&self, path: &str) -> bool {
        is_whole(path) && self.graph.known(&file_field(path)).is_some()
    }

    /// `require('./' + name)` where the names are those of a listed folder: every file of it.
    pub(super) fn load_listed(&mut self, specifier: &str, call: &Call) {
        let Some(folder) = specifier.strip_suffix(super::UNKNOWN) else {
            return;
        };
        let is_folder = folder.ends_with('/') && !folder.contains(super::UNKNOWN);
        if !self.graph.installs || !is_folder || !self.lists_folders() {
            return;
        }
        for file in self
            .modules
            .folder(call.file, folder)
            .into_iter()
            .take(LISTED)
        {
            if file == call.file {
                continue;
            }
            self.loaded(call.file, file);
            let exports = self.graph.exports(file);
            self.graph.copy(exports, call.out);
        }
    }
}
