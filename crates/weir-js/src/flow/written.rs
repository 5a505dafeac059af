//! What a written file is to whoever runs, trusts or loads it afterwards.

use std::collections::HashSet;

use weir_model::contents::SinkKind;

use super::UNKNOWN;
use super::graph::{Atom, Call, Node};
use super::solve::Solver;
use super::text;
use crate::ability::{OWN, is_own_data};
use crate::command::{self, is_setting};
use crate::tables::calls;
use crate::tables::writes::{self, Trusted};

/// A file that is written, and that others run.
pub(super) struct Target {
    pub(super) kind: SinkKind,
    /// Its path, as it is shown.
    pub(super) label: String,
    /// It is loaded as a module, and not started as a program.
    pub(super) is_loaded: bool,
}

impl Target {
    fn of(kind: SinkKind, path: &str) -> Self {
        Self {
            kind,
            label: crate::place::clean(path),
            is_loaded: false,
        }
    }
}

/// Most words of a list that are looked at.
const LISTED: usize = 64;

/// Files by what becomes of them.
#[derive(Default)]
struct Files {
    started: HashSet<String>,
    loaded: HashSet<String>,
    /// From where, and to where.
    moved: Vec<(String, String)>,
    /// Archives, and into which folder.
    unpacked: Vec<(String, String)>,
}

/// How a call runs a file.
enum Running {
    /// By making it executable or taking it into the process; the argument at that place.
    Starts(usize),
    /// By a command line.
    Commands,
    /// By loading it as code.
    Loads,
}

fn running(path: &str) -> Option<Running> {
    match path {
        "require" | "import" | "node:worker_threads.Worker" | "Worker" => Some(Running::Loads),
        "node:fs.chmod"
        | "node:fs.chmodSync"
        | "node:child_process.fork"
        | "Bun.dlopen"
        | "Deno.dlopen" => Some(Running::Starts(0)),
        // The first is the module that takes the addon in.
        "process.dlopen" => Some(Running::Starts(1)),
        _ => calls::RUNS_COMMAND
            .contains(&path)
            .then_some(Running::Commands),
    }
}

/// The path of a loaded file as code that writes it may name it. Nothing for packages, for data, and for
/// names of which so little is known that several files may have them.
fn loaded_paths(specifier: &str, folder: &str) -> Vec<String> {
    let path = specifier.strip_prefix("file://").unwrap_or(specifier);
    let is_path = path.starts_with(['.', '/', '~']) || path.starts_with(OWN);
    let is_open = path.contains(UNKNOWN) && !path.starts_with("/tmp/") && !path.starts_with("~/");
    if !is_path || is_open || path.ends_with(".json") {
        return Vec::new();
    }
    let mut paths = vec![path.to_owned()];
    // Specifiers count from the folder of the file.
    if path.starts_with("./") || path.starts_with("../") {
        paths.push(text::join_path(&[folder, path]));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if !name.contains('.') {
        let bare = paths.clone();
        paths.extend(bare.iter().map(|path| format!("{path}.js")));
    }
    paths
}

impl Solver<'_> {
    /// What a written path is, where it is one that others run.
    pub(super) fn target(&self, path: Node) -> Option<Target> {
        let texts = self.known_texts(path);
        for text in &texts {
            match writes::find(text).map(|row| row.trusted) {
                // Tools that mend lockfiles write what they were told by a registry.
                Some(Trusted::Lockfile) => continue,
                Some(Trusted::Packages) => {
                    return Some(Target::of(SinkKind::OtherPackage, text));
                }
                Some(_) => return Some(Target::of(SinkKind::Persistence, text)),
                None => {}
            }
            // The running file itself: what it is replaced by runs next time.
            let is_self = text.starts_with(OWN) && text.contains('\u{f8fd}');
            let is_installed = text.contains("node_modules/") && !text.contains("node_modules/.");
            if is_self || is_installed && !self.is_own_data(text) {
                return Some(Target::of(SinkKind::OtherPackage, text));
            }
        }
        if texts.is_empty() {
            return None;
        }
        let (started, loaded) = self.run_files();
        let is_in = |set: &HashSet<String>| texts.iter().find(|text| set.contains(*text)).cloned();
        if let Some(text) = is_in(started) {
            return Some(Target::of(SinkKind::ProgramFile, &text));
        }
        // A script that is loaded is code as much as text that is evaluated; an addon is a program.
        is_in(loaded).map(|text| Target {
            is_loaded: true,
            ..Target::of(
                match text.ends_with(".node") {
                    true => SinkKind::ProgramFile,
                    false => SinkKind::DynamicCode,
                },
                &text,
            )
        })
    }

    /// Whether a path leads to data among this package's own files, where they lie once installed.
    fn is_own_data(&self, path: &str) -> bool {
        is_own_data(path, self.modules.manifest("name").as_deref())
    }

    /// Paths of programs that are started, made executable or taken in, and of files that are loaded.
    pub(super) fn run_files(&self) -> &(HashSet<String>, HashSet<String>) {
        self.run_files.get_or_init(|| {
            let mut files = Files::default();
            for (_, call) in self.outward() {
                self.note_run(call, &mut files);
            }
            files.lead_back();
            (files.started, files.loaded)
        })
    }

    fn note_run(&self, call: &Call, files: &mut Files) {
        for (atom, _) in self.graph.atoms(call.callee) {
            let Atom::Builtin(path) = atom else {
                continue;
            };
            match running(&self.graph.name(*path)) {
                Some(Running::Starts(at)) => {
                    files
                        .started
                        .extend(self.known_texts(Self::argument(call, at)));
                }
                Some(Running::Commands) => self.note_command(call, files),
                Some(Running::Loads) => {
                    let texts = self.known_texts(Self::argument(call, 0));
                    let folder = self.own_folder(call.file);
                    let paths = texts.iter().flat_map(|text| loaded_paths(text, &folder));
                    files.loaded.extend(paths);
                }
                None => {}
            }
        }
    }

    /// `exec('node /tmp/x.js')`, `spawn(program, [file])`. What a program only reads is not run.
    fn note_command(&self, call: &Call, files: &mut Files) {
        let programs = self.known_texts(Self::argument(call, 0));
        let listed = |at| self.listed(Self::argument(call, at)).into_iter().flatten();
        if programs.is_empty() {
            // Whatever the program is, it may run what it is given.
            let mut before: Vec<String> = Vec::new();
            for (node, _) in listed(0).chain(listed(1)).take(LISTED) {
                let texts = self.known_texts(node);
                let is_data = |text: &&String| before.iter().any(|it| is_setting(it, text));
                files
                    .started
                    .extend(texts.iter().filter(|it| !is_data(it)).cloned());
                before = texts;
            }
        }
        files.started.extend(programs);
        for line in self.command_lines(call) {
            let run = command::run(&line);
            files.started.extend(run.started);
            files.moved.extend(run.moved);
            files.unpacked.extend(run.unpacked);
        }
    }
}

impl Files {
    /// What is copied is run where its copy is, and an archive where something is that came out of it.
    fn lead_back(&mut self) {
        for (from, to) in std::mem::take(&mut self.moved).into_iter().rev() {
            if self.started.contains(&to) {
                self.started.insert(from);
            }
        }
        for (archive, folder) in std::mem::take(&mut self.unpacked) {
            let folder = folder.trim_end_matches('/');
            let is_named = folder.chars().any(|c| c != UNKNOWN && c != '/' && c != '.');
            let is_below = |path: &String| {
                path.strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            if is_named && self.started.iter().any(is_below) {
                self.started.insert(archive);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OWN, loaded_paths};

    #[test]
    fn loaded_files_are_named_as_writers_name_them() {
        for (specifier, paths) in [
            ("/tmp/t.mjs", vec!["/tmp/t.mjs".to_owned()]),
            ("file:///tmp/t.mjs", vec!["/tmp/t.mjs".to_owned()]),
            ("./t.js", vec!["./t.js".to_owned(), format!("{OWN}/t.js")]),
            ("/tmp/t", vec!["/tmp/t".to_owned(), "/tmp/t.js".to_owned()]),
            ("/tmp/\u{f8ff}.js", vec!["/tmp/\u{f8ff}.js".to_owned()]),
            ("./\u{f8ff}.js", Vec::new()),
            ("\u{f8ff}/\u{f8ff}.js", Vec::new()),
            ("./data.json", Vec::new()),
            ("lodash", Vec::new()),
        ] {
            assert_eq!(loaded_paths(specifier, OWN), paths, "{specifier}");
        }
    }
}
