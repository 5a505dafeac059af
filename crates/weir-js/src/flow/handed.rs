//! Programs that are handed what they run by another way than their command line: on their input, by options of
//! the child process, or in a file that is written first.

use weir_model::contents::SinkKind;

use super::UNKNOWN;
use super::evaluated::Evaluated;
use super::graph::{Atom, Call, Key, NONE, Node, Rule};
use super::sinks::Sink;
use super::solve::Solver;
use crate::command::{self, Reading};
use crate::script::{self, Language};
use crate::tables::calls;

/// Deepest script in a script that is read.
const DEPTH: usize = 4;
/// Options of Node after which code stands.
const CODE_OPTIONS: [&str; 4] = ["-e", "--eval", "-p", "--print"];
/// Options of a call that start a child, which are what its program reads.
const INPUT: &[&str] = &["input"];

/// Most words of a list that are looked at.
const WORDS: usize = 32;

/// What runs a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    /// A runtime of JavaScript.
    JavaScript,
    /// A shell, or an interpreter of another language.
    Other(Language),
}

/// What runs text that a program reads: nothing where it is no interpreter.
fn runner(program: &str) -> Option<Runner> {
    match program {
        "node" | "nodejs" | "bun" | "deno" | "tsx" | "ts-node" => Some(Runner::JavaScript),
        "cmd" => Some(Runner::Other(Language::Batch)),
        name => script::of_program(name).map(Runner::Other),
    }
}

/// What runs a file by its name and beginning, or by being loaded.
fn runner_of(path: &str, text: &str, is_loaded: bool) -> Runner {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_code = [".js", ".cjs", ".mjs", ".ts"]
        .iter()
        .any(|end| name.ends_with(end));
    match script::language(path, text.as_bytes()) {
        Some(language) => Runner::Other(language),
        None if is_code || is_loaded || text.starts_with("#!") => Runner::JavaScript,
        // Without a first line that says otherwise, a system takes it for one.
        None => Runner::Other(Language::Shell),
    }
}

/// Everything that a script does, with the scripts in it.
pub(super) fn readings(text: &str, language: Language) -> Vec<Reading> {
    let mut found = Vec::new();
    let mut next = vec![(language, text.to_owned())];
    for _ in 0..DEPTH {
        for (language, text) in std::mem::take(&mut next) {
            if let Some(reading) = script::read(&text, language) {
                next.extend(reading.scripts.iter().cloned());
                found.push(reading);
            }
        }
    }
    found
}

/// Whether a text may be a program: without a call or a load nothing happens.
fn may_run(text: &str) -> bool {
    text.contains('(') || text.contains("import")
}

/// Whether a call starts a program.
fn runs_command(path: &str) -> bool {
    calls::RUNS_COMMAND.contains(&path)
}

impl Solver<'_> {
    fn calls_one(&self, call: &Call, is_such: impl Fn(&str) -> bool) -> bool {
        let mut atoms = self.graph.atoms(call.callee).iter();
        atoms.any(
            |(atom, _)| matches!(atom, Atom::Builtin(path) if is_such(&self.graph.name(*path))),
        )
    }

    /// What a call that starts a program is given: all of it where install runs it, elsewhere only what decides
    /// which program runs, or what a shell runs. To give what was fetched to a known program is what tools are for.
    pub(super) fn deciding(&self, path: &str, call: &Call) -> Vec<Node> {
        let (first, second) = (Self::argument(call, 0), Self::argument(call, 1));
        if self.graph.installs || path.ends_with('$') {
            return call.arguments.iter().take(2).map(|(it, _)| *it).collect();
        }
        let lines = self.known_texts(first);
        let mut sent = Vec::new();
        // Without a text around it, what arrives is the program or the line.
        if !lines.iter().any(|line| line.contains(UNKNOWN))
            || lines.iter().any(|line| command::is_open(line))
        {
            sent.push(first);
        }
        let runs_words = match self.listed(second) {
            None => lines.iter().any(|line| command::is_shell(line)),
            Some(words) => {
                let mut rest = String::new();
                for (node, _) in words.into_iter().take(WORDS) {
                    let text = self.known_texts(node).into_iter().next();
                    rest.push_str(" '");
                    rest.push_str(
                        &text
                            .unwrap_or_else(|| UNKNOWN.to_string())
                            .replace('\'', ""),
                    );
                    rest.push('\'');
                }
                let mut shells = lines.iter().filter(|line| command::is_shell(line));
                shells.any(|shell| command::is_open(&format!("{shell}{rest}")))
            }
        };
        if runs_words {
            sent.push(second);
        }
        sent
    }

    /// What the program of a call runs of what comes in on its input.
    fn reads_input(&self, call: &Call) -> Option<Runner> {
        self.command_lines(call)
            .iter()
            .find_map(|line| command::reads_program(line))
            .and_then(|program| runner(&program))
    }

    /// The call that made the child whose input a call writes to.
    fn fed_child(&self, call: &Call) -> Option<&Call> {
        let name = call.method?;
        let is_fed = ["write", "end"]
            .iter()
            .any(|fed| self.graph.known(fed).map(Key::Name) == Some(name));
        let mut atoms = self.graph.atoms(call.receiver).iter();
        atoms.find_map(|(atom, _)| match atom {
            Atom::Instance(instance) if is_fed => {
                let rule = *self.instances.get(*instance as usize)?;
                match self.graph.rules.get(rule as usize)? {
                    Rule::Call(made) if self.calls_one(made, runs_command) => Some(&**made),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// Code among the options of Node for a child: `fork(file, { execArgv: ['-e', code] })`.
    fn code_options(&self, call: &Call) -> Vec<Node> {
        let lists = self.fields_given(call, &["execArgv"]).into_iter();
        let lists = lists.filter_map(|list| self.listed(list));
        let code = |list: Vec<(Node, bool)>| {
            let at = list.iter().position(|(node, _)| {
                let texts = self.known_texts(*node);
                texts
                    .iter()
                    .any(|text| CODE_OPTIONS.contains(&text.as_str()))
            })?;
            list.get(at + 1).map(|(node, _)| *node)
        };
        lists.filter_map(code).collect()
    }

    /// What a call hands to a program to be run, and what runs it.
    pub(super) fn handed(&self, call: &Call) -> Vec<(Runner, Node)> {
        let mut found = Vec::new();
        if self.calls_one(call, runs_command) {
            let given = self.fields_given(call, INPUT);
            if let Some(runner) = self.reads_input(call).filter(|_| !given.is_empty()) {
                found.extend(given.into_iter().map(|node| (runner, node)));
            }
        }
        if self.calls_one(call, |path| {
            matches!(
                path,
                "node:child_process.fork" | "node:worker_threads.Worker"
            )
        }) {
            let code = self.code_options(call).into_iter();
            found.extend(code.map(|node| (Runner::JavaScript, node)));
        }
        if let Some(runner) = self.fed_child(call).and_then(|made| self.reads_input(made)) {
            found.push((runner, Self::argument(call, 0)));
        }
        found
    }

    /// The same, as a way by which others decide what runs. What is written to a child's input is one already.
    pub(super) fn handed_sink(&self, path: &str, call: &Call) -> Option<Sink> {
        let mut sent: Vec<Node> = self
            .handed(call)
            .into_iter()
            .map(|(_, node)| node)
            .collect();
        // A shell whose input, output and errors are a connection belongs to the other end of it.
        let mut programs = self.known_texts(Self::argument(call, 0)).into_iter();
        if programs.any(|program| command::is_shell(&program)) {
            sent.extend(self.fields_given(call, &["stdio"]));
        }
        let label = path.trim_start_matches("pkg:").trim_start_matches("node:");
        (!sent.is_empty()).then(|| Sink::of(SinkKind::Process, label, sent))
    }

    /// Constant code that is handed to a runtime of JavaScript.
    pub(super) fn handed_code(&self) -> Vec<(usize, Evaluated)> {
        let mut found = Vec::new();
        for (id, call) in self.outward() {
            for (runner, node) in self.handed(call) {
                if runner == Runner::JavaScript {
                    let texts = self.known_texts(node).into_iter();
                    let texts = texts.filter(|text| self.is_of_file(text) || may_run(text));
                    found.extend(texts.map(|text| (id, Evaluated::by(call, node, text, NONE))));
                }
            }
            let of_scripts = self.scripts_run(call).into_iter();
            let inline = of_scripts.flat_map(|reading| reading.inline);
            found.extend(inline.map(|text| (id, Evaluated::by(call, NONE, text, NONE))));
        }
        found
    }

    /// What the scripts in other languages do that a call runs: on its command line, or handed to it.
    pub(super) fn scripts_run(&self, call: &Call) -> Vec<Reading> {
        let mut found = Vec::new();
        if self.calls_one(call, runs_command) {
            for line in self.command_lines(call) {
                let reading = command::read(&line, &std::collections::BTreeMap::new());
                let scripts = reading.scripts.iter();
                found.extend(scripts.flat_map(|(language, text)| readings(text, *language)));
            }
        }
        for (runner, node) in self.handed(call) {
            if let Runner::Other(language) = runner {
                let texts = self.known_texts(node);
                found.extend(texts.iter().flat_map(|text| readings(text, language)));
            }
        }
        found.extend(self.written_scripts(call));
        found
    }

    /// Constant text that a call writes into a file that is run, and what runs it. Off the install surface that is
    /// how tests and generators work.
    fn written_to_run(&self, call: &Call) -> Vec<(Runner, String)> {
        if !self.graph.installs {
            return Vec::new();
        }
        let writes = |path: &str| {
            matches!(
                path,
                "node:fs.writeFile"
                    | "node:fs.writeFileSync"
                    | "node:fs.appendFile"
                    | "node:fs.appendFileSync"
            )
        };
        if !self.calls_one(call, writes) {
            return Vec::new();
        }
        let texts = self.known_texts(Self::argument(call, 1));
        let paths = self.known_texts(Self::argument(call, 0));
        if texts.is_empty() || paths.is_empty() {
            return Vec::new();
        }
        let (started, loaded) = self.run_files();
        let run = paths.iter().find_map(|path| {
            let is_loaded = loaded.contains(path);
            (is_loaded || started.contains(path)).then_some((path, is_loaded))
        });
        let Some((path, is_loaded)) = run else {
            return Vec::new();
        };
        let texts = texts.into_iter();
        texts
            .map(|text| (runner_of(path, &text, is_loaded), text))
            .collect()
    }

    /// Constant code that is written into a file and run from there.
    pub(super) fn written_code(&self) -> Vec<(usize, Evaluated)> {
        let mut found = Vec::new();
        for (id, call) in self.outward() {
            for (runner, text) in self.written_to_run(call) {
                if runner == Runner::JavaScript && !text.contains(UNKNOWN) && may_run(&text) {
                    found.push((id, Evaluated::by(call, NONE, text, NONE)));
                }
            }
        }
        found
    }

    fn written_scripts(&self, call: &Call) -> Vec<Reading> {
        let mut found = Vec::new();
        for (runner, text) in self.written_to_run(call) {
            if let Runner::Other(language) = runner {
                found.extend(readings(&text, language));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Runner, runner, runner_of};
    use crate::script::Language;

    #[test]
    fn interpreters_are_told_by_name() {
        assert_eq!(runner("node"), Some(Runner::JavaScript));
        assert_eq!(runner("bash"), Some(Runner::Other(Language::Shell)));
        assert_eq!(runner("python3.12"), Some(Runner::Other(Language::Python)));
        assert_eq!(runner("gzip"), None);
    }

    #[test]
    fn written_files_are_run_by_what_their_names_say() {
        for (path, text, is_loaded, runner) in [
            ("/tmp/y.js", "f()", false, Runner::JavaScript),
            ("/tmp/y", "f()", true, Runner::JavaScript),
            (
                "/tmp/y",
                "#!/usr/bin/env node\nf()",
                false,
                Runner::JavaScript,
            ),
            (
                "/tmp/y",
                "#!/bin/sh\nf",
                false,
                Runner::Other(Language::Shell),
            ),
            ("/tmp/y.py", "f()", false, Runner::Other(Language::Python)),
            ("/tmp/y", "f", false, Runner::Other(Language::Shell)),
        ] {
            assert_eq!(runner_of(path, text, is_loaded), runner, "{path} {text}");
        }
    }
}
