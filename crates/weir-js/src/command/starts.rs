//! Which files and inline code one program of a command line starts.

use std::collections::BTreeMap;

use super::builders;
use super::builds::{build_folder, cmake, make};
use super::clients::manager;
use super::folder::within;
use super::leaks::program;
use super::nested::{document_script, inline_script};
use super::run::{Build, Reading};
use super::shell::{self, Simple};
use super::texts::written;
use super::unseen::{As, found};
use super::words::{is_decoder, runs_input};
use super::wrappers::unwrapped;
use crate::script::{self, Language};
use crate::tables::programs;

/// Whose command line it is.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    /// Scripts of the manifest.
    pub(super) scripts: &'a BTreeMap<String, String>,
    /// The folder of the manifest.
    pub(super) base: &'a str,
}

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
    own: Own<'_>,
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
        builders::settings(name, value, folder, reading);
    }
    if let Some(script) = inline_script(&simple.words) {
        let words = unwrapped(&simple.words);
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        if script::of_program(&name) == Some(Language::PowerShell) {
            reading.scripts.push((Language::PowerShell, script.clone()));
        }
        reading.given(&script, &name, As::Shell, folder);
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
    let is_runtime = programs::RUNTIMES.contains(&&*name);
    // One of the package's own files is none of the tools that bear its name.
    let is_own = first.contains('/') && !first.starts_with('/');
    let writes_text = programs::is_passive(&name) || is_decoder(&name, rest);
    let mut outputs = simple.outputs.iter();
    reading.makes_files |= !is_own && programs::makes_files(&name, rest)
        || writes_text && outputs.any(|file| !file.starts_with("/dev/"));
    if programs::unpacks(&name, rest) {
        let archives = rest.iter().filter(|word| !word.starts_with('-'));
        reading
            .unpacks
            .extend(archives.map(|word| within(folder, word)));
    }
    if let Some(language) = programs::foreign(&name, rest).filter(|_| !is_own) {
        let line = shell::literal(&words.join(" "));
        reading.unfollowed(format!("`{line}` runs {language}, which is not read"));
    }
    if runs_input(&name, rest) || (is_runtime && rest.iter().all(|word| word.starts_with('-'))) {
        fed(&name, simple, before, folder, reading, next);
    }
    // And then it is that file, whatever else it does.
    if is_own && builders::is_one(&name) {
        reading.files.push(within(folder, first));
    }
    match &*name {
        "cp" | "mv" | "ln" | "install" => {
            let mut files = rest.iter().filter(|word| !word.starts_with('-'));
            if let (Some(from), Some(to), None) = (files.next(), files.next(), files.next()) {
                let copy = (within(folder, from), within(folder, to));
                reading.copies.push(copy);
            }
        }
        "bun" | "bunx" => bun(rest, own.scripts, folder, reading, next),
        _ if is_runtime && rest.first().is_some_and(|word| word == "$npm_execpath") => {
            manager(
                rest.get(1..).unwrap_or_default(),
                own,
                folder,
                reading,
                next,
            );
        }
        _ if is_runtime => {
            let commands: &[&str] = match &*name {
                "deno" => &["run", "eval"],
                "tsx" => &["watch"],
                "forever" | "pm2" => &["start", "restart", "reload"],
                _ => &[],
            };
            runtime(rest, commands, own.scripts, folder, reading, next);
        }
        "npm" | "pnpm" | "yarn" | "cnpm" => manager(rest, own, folder, reading, next),
        "run-s" | "run-p" | "npm-run-all" | "concurrently" | "wireit" => {
            reading.asks = true;
            for word in rest {
                let script = own.scripts.get(word.trim_start_matches("npm:"));
                next.extend(script.cloned());
                if word.contains(' ') {
                    next.push(word.clone());
                }
            }
        }
        "make" | "gmake" | "nmake" | "mingw32-make" | "bmake" => {
            reading.builds.push(make(rest, folder));
        }
        "cmake" => reading.builds.extend(cmake(rest, folder)),
        "alias" => {
            let values = rest.iter().filter_map(|word| word.split_once('='));
            next.extend(values.map(|(_, value)| shell::literal(value)));
        }
        "find" | "fd" => {
            let commands = found(rest);
            next.extend(commands.iter().map(|words| quote(words)));
        }
        "npx" | "pnpx" => {
            let call = rest
                .iter()
                .position(|word| matches!(word.as_str(), "-c" | "--call"));
            if let Some(text) = call.and_then(|at| rest.get(at + 1)) {
                next.push(shell::literal(text));
            } else if let Some(at) = rest.iter().position(|word| !word.starts_with('-')) {
                let inner = rest.get(at..).unwrap_or_default();
                // The tool itself is another package; a runtime among them starts our files.
                next.push(quote(inner));
            }
        }
        name if builders::is_one(name) => {
            let build = build_folder(rest, folder);
            if name == "cmake-js" {
                reading.builds.push(Build {
                    folder: build.clone(),
                    file: None,
                    goals: Vec::new(),
                    is_cmake: true,
                });
            }
            reading.node_gyp.push(build);
            next.extend(builders::commands(name, rest));
            builders::options(rest, folder, reading);
            next.extend(reading.wrapped(name, rest, folder));
        }
        "." | "source" => {
            if let Some(file) = rest.iter().find(|word| !word.starts_with('-')) {
                reading.shells.push(within(folder, file));
                reading.files.push(within(folder, file));
            }
        }
        name if let Some(language) = script::of_program(name) => {
            interpreter(language, rest, folder, reading);
        }
        name if only_variable(first) && name.starts_with(['$', '`']) => {
            // Whatever it is, it may be there to run what it is given.
            let files = rest.iter().filter(|word| has_script_extension(word));
            reading.hints.extend(files.map(|word| within(folder, word)));
            if rest.is_empty() || first.contains(['(', '`']) {
                reading.given(first, "the shell", As::Shell, folder);
            }
            next.extend(reading.wrapped(name, rest, folder));
        }
        "uv" | "poetry" | "pipenv" | "pipx" if rest.first().is_some_and(|word| word == "run") => {
            next.push(quote(rest.get(1..).unwrap_or_default()));
        }
        _ => {
            if first.contains('/') || has_script_extension(first) {
                reading.files.push(within(folder, first));
            }
            next.extend(reading.wrapped(&name, rest, folder));
        }
    }
}

/// Whether a word that stands for a program is a substitution or a variable and nothing else.
fn only_variable(word: &str) -> bool {
    word.starts_with(['$', '`']) && !word.contains('/')
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
            _ if gives_code(language, word) => {
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
                if language == Language::Shell {
                    reading.shells.push(within(folder, word));
                }
                reading.files.push(within(folder, word));
                return;
            }
        }
    }
}

/// Whether the next word is code: `python -c`, `perl -we`, `php -r`.
fn gives_code(language: Language, word: &str) -> bool {
    match language {
        Language::Shell => false,
        Language::Other(_) => word.strip_prefix('-').is_some_and(|options| {
            options.len() < 5
                && !options.starts_with('-')
                && options.ends_with(['c', 'e', 'E', 'r'])
        }),
        _ => matches!(word, "-c" | "-e" | "-C" | "-E"),
    }
}

/// A word in quotes, where it needs any.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "./_-@".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => quote(&[word.to_owned()]),
    }
}

/// Words joined so that they tokenise to the same words.
pub(super) fn quote(words: &[String]) -> String {
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
                inline(value, folder, reading);
                return;
            }
            "--run" => {
                reading.asks = true;
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
                inline(value, folder, reading);
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
                listed(word, folder, reading);
                return;
            }
        }
    }
}

/// Code that a runtime is given: what a substitution gives is none that could be read.
fn inline(code: Option<&String>, folder: &str, reading: &mut Reading) {
    let Some(code) = code else {
        return;
    };
    let before = (reading.programs.len(), reading.unfollowed.len());
    reading.given(code, "the runtime", As::Program, folder);
    if before == (reading.programs.len(), reading.unfollowed.len()) {
        reading.inline.push(shell::literal(code));
    }
}

/// The program of a runtime, which may be what another one lists: `node $(ls x.js)`.
fn listed(word: &str, folder: &str, reading: &mut Reading) {
    let lists = shell::substitutions(word);
    let [text] = lists.as_slice() else {
        program_file(within(folder, word), reading);
        return;
    };
    let mut is_known = false;
    for simple in shell::programs(text) {
        let words = unwrapped(&simple.words);
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        if matches!(&*name, "ls" | "echo" | "printf" | "realpath" | "readlink") {
            let files = words.iter().skip(1).filter(|word| !word.starts_with('-'));
            for file in files {
                is_known = true;
                program_file(within(folder, file), reading);
            }
        }
    }
    if !is_known {
        program_file(within(folder, word), reading);
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
    let is_javascript = programs::RUNTIMES.contains(&name);
    let known = reading.files.len() + reading.inline.len();
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
            false => {
                if script::of_program(name) == Some(Language::Shell) {
                    reading.shells.push(path.clone());
                }
                // Which files that is only shows when it runs.
                reading.in_part |= path.contains(['*', '?']);
                reading.files.push(path);
            }
        }
    }
    let text = written(before);
    let is_given = text.is_some() || reading.files.len() + reading.inline.len() > known;
    let is_listed = simple.words.iter().any(|word| program(word) == "xargs");
    if let (Some(last), false) = (before.last(), is_given && !is_listed) {
        let how = match is_javascript {
            true => As::Program,
            false => As::Shell,
        };
        match (&text, is_listed) {
            // Each word is a file.
            (Some(text), true) => {
                for file in text.split_whitespace().take(64) {
                    program_file(within(folder, file), reading);
                }
                return;
            }
            _ => reading.written_by(last, name, how, folder),
        }
    }
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
