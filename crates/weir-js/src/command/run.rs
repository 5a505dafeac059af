//! Which files and inline code a command line starts.

use std::collections::BTreeMap;

use super::acts::{Deed, Deeds};
use super::leaks::{self, Leak, inline_script, program, unwrapped};
use super::shell::{self, Simple};
use crate::script::{self, Language};

/// Deepest `npm run` that runs `npm run`.
const DEPTH: usize = 6;

/// What a command line does, as far as it is read from the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Paths of files it starts, relative to the package's root, as written.
    pub(crate) files: Vec<String>,
    /// Code given on the command line (`node -e`).
    pub(crate) inline: Vec<String>,
    /// The same in other languages (`python -c`).
    pub(crate) scripts: Vec<(Language, String)>,
    /// Secrets that the shell itself sends.
    pub(crate) leaks: Vec<Leak>,
    /// It builds `binding.gyp`.
    pub(crate) node_gyp: bool,
    /// What it is able to do.
    pub(crate) acts: Vec<Deed>,
    /// Hosts it talks to, with the text that names them.
    pub(crate) hosts: Vec<(String, String)>,
}

impl Reading {
    /// Adds what another reading of the same text saw.
    pub(crate) fn join(&mut self, other: Self) {
        let Self {
            files,
            inline,
            scripts,
            leaks,
            node_gyp,
            acts,
            hosts,
        } = other;
        self.node_gyp |= node_gyp;
        add(&mut self.files, files);
        add(&mut self.inline, inline);
        add(&mut self.scripts, scripts);
        add(&mut self.leaks, leaks);
        add(&mut self.acts, acts);
        add(&mut self.hosts, hosts);
    }
}

fn add<T: PartialEq>(to: &mut Vec<T>, from: Vec<T>) {
    for one in from {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}

/// Reads a command line or a shell script.
pub(crate) fn read(text: &str, scripts: &BTreeMap<String, String>) -> Reading {
    let mut reading = Reading::default();
    let mut followed = Vec::new();
    follow(text, scripts, &mut reading, &mut followed, 0);
    reading
}

fn follow(
    text: &str,
    scripts: &BTreeMap<String, String>,
    reading: &mut Reading,
    followed: &mut Vec<String>,
    depth: usize,
) {
    if depth == 0 || !text.is_empty() {
        let commands = leaks::commands(text, 0);
        reading.leaks.extend(leaks::find(&commands));
        let mut deeds = Deeds::default();
        for pipeline in &commands {
            deeds.pipeline(pipeline, text);
        }
        reading.leaks.append(&mut deeds.runs);
        reading.acts.append(&mut deeds.deeds);
        reading.hosts.append(&mut deeds.hosts);
    }
    let mut folder = String::new();
    for simple in shell::pipelines(text).iter().flatten() {
        let mut next = Vec::new();
        invocation(simple, scripts, &mut folder, reading, &mut next);
        for script in next {
            if depth < DEPTH && !followed.contains(&script) {
                followed.push(script.clone());
                follow(&script, scripts, reading, followed, depth + 1);
            }
        }
    }
}

/// One program. Scripts to follow go to `next`.
fn invocation(
    simple: &Simple,
    scripts: &BTreeMap<String, String>,
    folder: &mut String,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let values = simple.assignments.iter().map(|(_, value)| value);
    for word in simple.words.iter().chain(values) {
        next.extend(shell::substitutions(word));
    }
    for (name, value) in &simple.assignments {
        if name == "NODE_OPTIONS" {
            preloads(&shell_words(value), folder, reading);
        }
    }
    if let Some(script) = inline_script(&simple.words) {
        let words = unwrapped(&simple.words);
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        if script::of_program(&name) == Some(Language::PowerShell) {
            reading.scripts.push((Language::PowerShell, script.clone()));
        }
        next.push(script);
        return;
    }
    next.extend(leaks::document_script(simple));
    let words = unwrapped(&simple.words);
    let Some(first) = words.first() else {
        return;
    };
    let rest = words.get(1..).unwrap_or_default();
    match program(first).as_str() {
        "cd" | "pushd" => {
            if let Some(to) = rest.first() {
                *folder = within(folder, to);
            }
        }
        "node" | "nodejs" | "tsx" | "ts-node" | "ts-node-esm" | "babel-node" | "zx"
        | "electron" | "swc-node" | "esr" | "jiti" | "sucrase-node" | "esno" | "deno" => {
            let reads_input = rest.iter().all(|word| word.starts_with('-'));
            if reads_input {
                let code = simple.documents.iter().map(|body| shell::literal(body));
                reading.inline.extend(code);
            }
            runtime(rest, scripts, folder, reading, next);
        }
        "bun" | "bunx" => bun(rest, scripts, folder, reading, next),
        "npm" | "pnpm" | "yarn" | "cnpm" => manager(rest, scripts, next),
        "run-s" | "run-p" | "npm-run-all" | "concurrently" | "wireit" => {
            for word in rest {
                next.extend(scripts.get(word.trim_start_matches("npm:")).cloned());
                if word.contains(' ') {
                    next.push(word.clone());
                }
            }
        }
        "npx" | "pnpx" => {
            if let Some(at) = rest.iter().position(|word| !word.starts_with('-')) {
                let inner = rest.get(at..).unwrap_or_default();
                // The tool itself is another package; a runtime among them starts our files.
                next.push(quote(inner));
            }
        }
        "node-gyp" | "node-pre-gyp" | "prebuild-install" | "node-gyp-build" | "cmake-js" => {
            reading.node_gyp = true;
        }
        "." | "source" => {
            if let Some(file) = rest.iter().find(|word| !word.starts_with('-')) {
                reading.files.push(within(folder, file));
            }
        }
        name if let Some(language) = script::of_program(name) => {
            interpreter(language, rest, folder, reading);
        }
        "uv" | "poetry" | "pipenv" | "pipx" if rest.first().is_some_and(|word| word == "run") => {
            next.push(quote(rest.get(1..).unwrap_or_default()));
        }
        _ if first.contains('/') || has_script_extension(first) => {
            reading.files.push(within(folder, first));
        }
        _ => {}
    }
}

/// `python [options] file`, `python -c code`, `python -m module`, `powershell -File x.ps1`, `sh x.sh`.
fn interpreter(language: Language, words: &[String], folder: &str, reading: &mut Reading) {
    let is_powershell = language == Language::PowerShell;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1);
        let option = word.to_ascii_lowercase();
        match option.as_str() {
            "-file" | "-f" if is_powershell => {
                reading.files.extend(value.map(|path| within(folder, path)));
                return;
            }
            "-executionpolicy" | "-ep" | "-ex" | "-exec" | "-windowstyle" | "-w" | "-version"
            | "-psconsolefile" | "-inputformat" | "-outputformat" | "-configurationname"
                if is_powershell =>
            {
                at += 2;
            }
            "-c" | "-e" if language != Language::Shell => {
                let code = value.map(|code| (language, shell::literal(code)));
                reading.scripts.extend(code);
                return;
            }
            "-m" if language == Language::Python => {
                if let Some(module) = value {
                    let path = module.replace('.', "/");
                    reading.files.push(within(folder, &format!("{path}.py")));
                    reading
                        .files
                        .push(within(folder, &format!("{path}/__main__.py")));
                }
                return;
            }
            "-w" | "-x" if language == Language::Python => at += 2,
            _ if word.starts_with('-') => at += 1,
            _ => {
                reading.files.push(within(folder, word));
                return;
            }
        }
    }
}

/// Words joined so that they tokenise to the same words.
fn quote(words: &[String]) -> String {
    words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect::<Vec<_>>()
        .join(" ")
}

fn shell_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn has_script_extension(word: &str) -> bool {
    [
        ".js", ".cjs", ".mjs", ".sh", ".ts", ".cmd", ".bat", ".ps1", ".py", ".pyw", ".rb", ".pl",
        ".vbs",
    ]
    .iter()
    .any(|extension| word.ends_with(extension))
}

/// `path` seen from `folder`. Absolute paths stay.
fn within(folder: &str, path: &str) -> String {
    let path = path.strip_prefix("$PWD/").unwrap_or(path);
    let path = path.strip_prefix("$INIT_CWD/").unwrap_or(path);
    if folder.is_empty() || path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

/// Options of Node that load a file before the program.
fn preloads(words: &[String], folder: &str, reading: &mut Reading) {
    let mut wants = false;
    for word in words {
        if wants {
            reading.files.push(within(folder, word));
            wants = false;
            continue;
        }
        match word.split_once('=') {
            Some(("--require" | "--import" | "--loader" | "--experimental-loader", path)) => {
                reading.files.push(within(folder, path));
            }
            _ => {
                wants = matches!(
                    word.as_str(),
                    "-r" | "--require" | "--import" | "--loader" | "--experimental-loader"
                );
            }
        }
    }
}

/// `node [options] file`, `node -e code`, `node --run script`.
fn runtime(
    words: &[String],
    scripts: &BTreeMap<String, String>,
    folder: &str,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1);
        match word.as_str() {
            "-e" | "--eval" | "-p" | "--print" | "-pe" | "eval" => {
                reading
                    .inline
                    .extend(value.map(|code| shell::literal(code)));
                return;
            }
            "--run" => {
                next.extend(value.and_then(|name| scripts.get(name)).cloned());
                return;
            }
            "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
                reading.files.extend(value.map(|path| within(folder, path)));
                at += 2;
            }
            "-C" | "--conditions" | "--project" | "-P" | "--tsconfig" | "--env-file" => at += 2,
            "run" | "watch" | "-" | "--" => at += 1,
            _ if word.starts_with("--eval=") || word.starts_with("--print=") => {
                let code = word.split_once('=').map(|(_, code)| shell::literal(code));
                reading.inline.extend(code);
                return;
            }
            _ if word.starts_with('-') => {
                preloads(std::slice::from_ref(word), folder, reading);
                at += 1;
            }
            _ => {
                reading.files.push(within(folder, word));
                return;
            }
        }
    }
}

/// `bun x.js`, `bun run x`, `bun -e code`.
fn bun(
    words: &[String],
    scripts: &BTreeMap<String, String>,
    folder: &str,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let name = words
        .iter()
        .find(|word| !word.starts_with('-') && word.as_str() != "run");
    match name.and_then(|name| scripts.get(name)) {
        Some(script) => next.push(script.clone()),
        None => runtime(words, scripts, folder, reading, next),
    }
}

/// `npm run other`, `yarn other`, `npm test`.
fn manager(words: &[String], scripts: &BTreeMap<String, String>, next: &mut Vec<String>) {
    let mut names = words.iter().filter(|word| !word.starts_with('-'));
    let name = match names.next().map(String::as_str) {
        Some("run" | "run-script" | "rum" | "urn") => names.next().map(String::as_str),
        Some("exec" | "x" | "dlx") => {
            let rest: Vec<String> = names.cloned().collect();
            next.push(quote(&rest));
            None
        }
        other => other,
    };
    if let Some(name) = name {
        for event in [format!("pre{name}"), name.to_owned(), format!("post{name}")] {
            next.extend(scripts.get(&event).cloned());
        }
    }
}
