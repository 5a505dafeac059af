//! Which files and inline code one program of a command line starts.

use std::collections::BTreeMap;

use super::leaks::program;
use super::nested::{document_script, inline_script};
use super::run::Reading;
use super::shell::{self, Simple};
use super::texts::written;
use super::words::runs_input;
use super::wrappers::unwrapped;
use crate::script::{self, Language};

/// Programs that run a file of JavaScript or TypeScript.
const RUNTIMES: [&str; 15] = [
    "node",
    "nodejs",
    "tsx",
    "ts-node",
    "ts-node-esm",
    "babel-node",
    "zx",
    "electron",
    "swc-node",
    "esr",
    "jiti",
    "sucrase-node",
    "esno",
    "deno",
    "bun",
];

/// Texts that a program has a shell run.
#[derive(Default)]
pub(super) struct Next {
    /// Those that stand in its own words.
    pub(super) inner: Vec<String>,
    /// Others: of the manifest, and behind `npx`.
    pub(super) scripts: Vec<String>,
}

/// One program, with what stands before it in its pipeline. Scripts to follow go to `next`.
pub(super) fn invocation(
    simple: &Simple,
    before: &[Simple],
    scripts: &BTreeMap<String, String>,
    folder: &str,
    reading: &mut Reading,
    next: &mut Next,
) {
    let values = simple.assignments.iter().map(|(_, value)| value);
    for word in simple.words.iter().chain(values) {
        next.inner.extend(shell::substitutions(word));
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
        next.inner.push(script);
        return;
    }
    next.inner.extend(document_script(simple));
    let next = &mut next.scripts;
    let words = unwrapped(&simple.words);
    let Some(first) = words.first() else {
        return;
    };
    let rest = words.get(1..).unwrap_or_default();
    let name = program(first);
    let is_runtime = RUNTIMES.contains(&&*name);
    if runs_input(&name, rest) || (is_runtime && rest.iter().all(|word| word.starts_with('-'))) {
        fed(&name, simple, before, folder, reading, next);
    }
    match &*name {
        "cp" | "mv" | "ln" | "install" => {
            let mut files = rest.iter().filter(|word| !word.starts_with('-'));
            if let (Some(from), Some(to), None) = (files.next(), files.next(), files.next()) {
                let copy = (within(folder, from), within(folder, to));
                reading.copies.push(copy);
            }
        }
        "bun" | "bunx" => bun(rest, scripts, folder, reading, next),
        _ if is_runtime => {
            let commands: &[&str] = match &*name {
                "deno" => &["run", "eval"],
                "tsx" => &["watch"],
                _ => &[],
            };
            runtime(rest, commands, scripts, folder, reading, next);
        }
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
            reading.node_gyp.push(build_folder(rest, folder));
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

/// Where `node-gyp` builds: `-C x`, `--directory=x`.
fn build_folder(words: &[String], folder: &str) -> String {
    for (at, word) in words.iter().enumerate() {
        let path = match word.as_str() {
            "-C" | "--directory" => words.get(at + 1).map(String::as_str),
            _ => word
                .strip_prefix("--directory=")
                .or_else(|| word.strip_prefix("-C=")),
        };
        if let Some(path) = path {
            return within(folder, path);
        }
    }
    folder.to_owned()
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
pub(super) fn within(folder: &str, path: &str) -> String {
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

/// `node [options] file`, `node -e code`, `node --run script`; of some a command comes first.
fn runtime(
    words: &[String],
    commands: &[&str],
    scripts: &BTreeMap<String, String>,
    folder: &str,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1);
        match word.as_str() {
            "-e" | "--eval" | "-p" | "--print" | "-pe" => {
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
            "-" | "--" => at += 1,
            "eval" if at == 0 && commands.contains(&"eval") => {
                reading
                    .inline
                    .extend(value.map(|code| shell::literal(code)));
                return;
            }
            word if at == 0 && commands.contains(&word) => at += 1,
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
                program_file(within(folder, word), reading);
                return;
            }
        }
    }
}

/// A file that a runtime of JavaScript reads as its program.
fn program_file(path: String, reading: &mut Reading) {
    // Which files that is only shows when it runs.
    let is_open = |piece: &str| piece.starts_with(|c: char| matches!(c, '1'..='9' | '@'));
    reading.in_part |= path.contains('*') || path.split('$').skip(1).any(is_open);
    reading.programs.push(path.clone());
    reading.files.push(path);
}

/// An interpreter without a program of its own runs what it reads: `node < a.txt`, `cat a.txt | node`,
/// `echo ... | node`.
fn fed(
    name: &str,
    simple: &Simple,
    before: &[Simple],
    folder: &str,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let is_javascript = RUNTIMES.contains(&name);
    let named = simple
        .inputs
        .iter()
        .filter(|path| !path.starts_with(['&', '<']));
    let mut files: Vec<&String> = named.collect();
    if let Some(last) = before.last()
        && let Some((first, operands)) = unwrapped(&last.words).split_first()
        && program(first) == "cat"
    {
        files.extend(operands.iter().filter(|word| !word.starts_with('-')));
    }
    for file in files {
        let path = within(folder, file);
        match is_javascript {
            true => program_file(path, reading),
            false => reading.files.push(path),
        }
    }
    let text = written(before);
    if is_javascript {
        let bodies = simple.documents.iter().map(|body| shell::literal(body));
        reading.inline.extend(bodies.chain(text));
    } else if script::of_program(name) == Some(Language::Shell) {
        next.extend(text);
    } else if let Some(language) = script::of_program(name) {
        let bodies = simple.documents.iter().map(|body| shell::literal(body));
        let codes = bodies.chain(text).map(|code| (language, code));
        reading.scripts.extend(codes);
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
        None => runtime(words, &["run"], scripts, folder, reading, next),
    }
}

/// `npm run other`, `yarn other`, `npm test`.
fn manager(words: &[String], scripts: &BTreeMap<String, String>, next: &mut Vec<String>) {
    let mut names = words.iter().filter(|word| !word.starts_with('-'));
    let name = match names.next().map(String::as_str) {
        Some("run" | "run-script" | "rum" | "urn") => names.next().map(String::as_str),
        Some("exec" | "x" | "dlx") => {
            // Behind its own options stand the program and those of the program.
            let own = words
                .iter()
                .position(|word| matches!(word.as_str(), "exec" | "x" | "dlx"));
            let rest = own.and_then(|at| words.get(at + 1..)).unwrap_or_default();
            let first = rest.iter().position(|word| !word.starts_with('-'));
            next.push(quote(
                first.and_then(|at| rest.get(at..)).unwrap_or_default(),
            ));
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
