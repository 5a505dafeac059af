//! What commands bring from elsewhere, or decode, and run: by pipes, groups, variables and substitutions.

use std::collections::{HashMap, HashSet};

use weir_model::contents::{SinkKind, SourceKind};

use super::acts::{Deeds, fetched, line};
use super::leaks::{self, Leak, Stolen, device, program};
use super::nested::encoded;
use super::shell::{self, Mark, Simple};
use super::texts::escapes;
use super::words::{SHELLS, is_decoder, is_download, runs_arguments, runs_input};
use super::wrappers::unwrapped;

/// Most variables that are kept.
const VARIABLES: usize = 1024;
/// From how many characters on that are written as numbers a text counts as hidden.
const HIDDEN: usize = 4;

/// What came from elsewhere and has not been run yet.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// By the name of a variable, and by that of a function with `()`.
    held: HashMap<String, Stolen>,
    groups: Vec<Group>,
    /// Functions that run what they are given to read, and those that run their first argument.
    readers: HashSet<String>,
    runners: HashSet<String>,
    /// There was more than is kept.
    pub(super) in_part: bool,
    /// A socket that was opened for later programs.
    pub(super) socket: Option<Stolen>,
}

/// A group that has begun.
#[derive(Debug)]
struct Group {
    reads: Option<Stolen>,
    writes: Option<Stolen>,
    aside: Option<String>,
    /// A shell in it runs what it is given to read.
    runs_input: bool,
    /// It runs `$1`.
    runs_first: bool,
}

impl Brought {
    fn begin(&mut self, reads: Option<Stolen>, aside: Option<String>) {
        let outer = self.groups.last().filter(|_| aside.is_none());
        let reads = reads.or_else(|| outer?.reads.clone());
        self.groups.push(Group {
            reads,
            writes: None,
            aside,
            runs_input: false,
            runs_first: false,
        });
    }

    /// What a group writes into the pipe behind it.
    fn end(&mut self) -> Option<Stolen> {
        let group = self.groups.pop()?;
        match group.aside {
            None => {
                if let Some(outer) = self.groups.last_mut() {
                    outer.runs_input |= group.runs_input;
                    outer.runs_first |= group.runs_first;
                }
                group.writes
            }
            Some(name) => {
                if group.runs_input && !name.is_empty() {
                    self.readers.insert(name.clone());
                }
                if group.runs_first && !name.is_empty() {
                    self.runners.insert(name.clone());
                }
                self.keep(&format!("{name}()"), group.writes);
                None
            }
        }
    }

    fn keep(&mut self, name: &str, source: Option<Stolen>) {
        let Some(source) = source else {
            self.held.remove(name);
            return;
        };
        if self.held.len() < VARIABLES || self.held.contains_key(name) {
            self.held.insert(name.to_owned(), source);
        } else {
            self.in_part = true;
        }
    }

    /// Keeps what a program's assignments bring.
    fn set(&mut self, simple: &Simple) {
        for (name, value) in shell::settings(simple) {
            let source = self
                .substituted(value)
                .or_else(|| self.variable(value).cloned());
            self.keep(name, source);
        }
        if let [first, name, values @ ..] = simple.words.as_slice()
            && (first == "for" || first == "select")
        {
            let source = values.iter().find_map(|word| self.substituted(word));
            self.keep(name, source);
        }
    }

    /// What a word holds that is nothing but a variable.
    fn variable(&self, word: &str) -> Option<&Stolen> {
        let name = word.trim().strip_prefix('$')?;
        let inner = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        self.held.get(inner.unwrap_or(name))
    }

    /// What the substitutions of a word fetch or decode.
    fn substituted(&self, word: &str) -> Option<Stolen> {
        let mut decoded = None;
        for text in shell::substitutions(word) {
            for simple in &shell::programs(&text) {
                let words = unwrapped(&simple.words);
                let Some((first, rest)) = words.split_first() else {
                    continue;
                };
                let name = program(first);
                if is_download(words) {
                    return Some(fetched(&leaks::host(&line(simple)).unwrap_or_default()));
                }
                if let Some(source) = self.held.get(&format!("{name}()")) {
                    return Some(source.clone());
                }
                if is_decoder(&name, rest) {
                    decoded = Some(decoded_by(&name));
                }
            }
        }
        decoded
    }

    /// What a program is given by its redirects.
    fn redirected(&self, simple: &Simple) -> Option<Stolen> {
        if let Some(path) = device(&simple.inputs) {
            return Some(fetched(path.split('/').nth(3).unwrap_or_default()));
        }
        if self.socket.is_some() && simple.inputs.iter().any(|path| path.starts_with('&')) {
            return self.socket.clone();
        }
        let inputs = simple.inputs.iter().filter(|path| path.starts_with("<("));
        let documents = simple.documents.iter().filter(|text| is_one(text));
        inputs
            .chain(documents)
            .find_map(|word| self.substituted(word))
            .or_else(|| {
                let mut texts = simple.documents.iter();
                texts.find_map(|text| self.variable(text)).cloned()
            })
    }
}

impl Deeds {
    /// `curl ... | sh`, `base64 -d | sh`, `{ curl ...; } | sh`.
    pub(super) fn piped(&mut self, pipeline: &[Simple]) {
        let mut carried: Option<Stolen> = None;
        let known = self.runs.len();
        self.pipe(pipeline, &mut carried);
        // What is run is told of with what it comes from.
        let whole = crate::place::clean(&whole(pipeline));
        for run in self.runs.iter_mut().skip(known) {
            if whole.len() > run.snippet.len() && whole.ends_with(run.snippet.as_str()) {
                run.snippet.clone_from(&whole);
            }
        }
    }

    fn pipe(&mut self, pipeline: &[Simple], carried: &mut Option<Stolen>) {
        for (index, simple) in pipeline.iter().enumerate() {
            match &simple.mark {
                Mark::Begin => {
                    let reads = self.brought.redirected(simple).or(carried.take());
                    self.brought.begin(reads, None);
                    return;
                }
                Mark::Aside(name) => {
                    self.brought.begin(None, Some(name.clone()));
                    return;
                }
                Mark::End => {
                    *carried = self.brought.end();
                    self.written(simple, carried.as_ref());
                }
                Mark::Program => {
                    if index == 0 {
                        let group = self.brought.groups.last();
                        *carried = group.and_then(|group| group.reads.clone());
                    }
                    self.stage(simple, carried);
                }
            }
        }
        if let Some(group) = self.brought.groups.last_mut()
            && carried.is_some()
        {
            group.writes = carried.take();
        }
    }

    /// One program of a pipeline, and what comes out of it.
    fn stage(&mut self, simple: &Simple, carried: &mut Option<Stolen>) {
        self.brought.set(simple);
        if let Some(source) = self.brought.redirected(simple) {
            *carried = Some(source);
        }
        let words = unwrapped(&simple.words);
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = program(first);
        self.calls(first, rest, simple, carried.as_ref());
        let reads = runs_input(&name, rest) || runs_arguments(simple);
        if let Some(source) = carried.as_ref().filter(|_| reads) {
            self.run(source.clone(), &name, simple);
        }
        if let Some(group) = self.brought.groups.last_mut() {
            let is_runner = SHELLS.contains(&&*name) || name == "eval";
            let is_given = is_runner && code(&name, rest).is_some_and(is_first);
            group.runs_first |= is_given || is_first(first);
            group.runs_input |= reads && simple.documents.is_empty() && simple.inputs.is_empty();
        }
        self.named(first, simple);
        self.changes(&name, rest, simple, carried);
        self.written(simple, carried.as_ref());
        self.inserted(&name, rest, simple);
        self.unlocks(&name, rest, simple);
    }

    /// `f() { sh; }; curl ... | f`, `f() { eval "$1"; }; f "$(curl ...)"`.
    fn calls(&mut self, name: &str, rest: &[String], simple: &Simple, carried: Option<&Stolen>) {
        let brought = &self.brought;
        let argument = rest.first().filter(|_| brought.runners.contains(name));
        let given = argument.and_then(|word| {
            let held = brought.variable(word).cloned();
            held.or_else(|| brought.substituted(word).filter(|_| is_one(word)))
        });
        let read = carried.filter(|_| brought.readers.contains(name));
        if let Some(source) = given.or_else(|| read.cloned()) {
            self.run(source, name, simple);
        }
    }

    /// What a program makes of what it is given.
    fn changes(
        &mut self,
        name: &str,
        rest: &[String],
        simple: &Simple,
        carried: &mut Option<Stolen>,
    ) {
        let is_fetched = carried
            .as_ref()
            .is_some_and(|one| one.kind == SourceKind::Fetched);
        if is_download(unwrapped(&simple.words)) {
            let host = leaks::host(&line(simple)).unwrap_or_else(|| "an unknown host".to_owned());
            *carried = Some(fetched(&host));
        } else if let Some(source) = self.brought.held.get(&format!("{name}()")) {
            *carried = Some(source.clone());
        } else if matches!(name, "read" | "mapfile" | "readarray") {
            for variable in rest.iter().filter(|word| !word.starts_with('-')) {
                self.brought.keep(variable, carried.clone());
            }
        } else if matches!(name, "echo" | "printf") {
            let held = rest.iter().find_map(|word| self.brought.variable(word));
            if let Some(source) = held {
                *carried = Some(source.clone());
            } else if escapes(rest) >= HIDDEN {
                *carried = Some(decoded_by(name));
            }
        } else if is_decoder(name, rest) && !is_fetched {
            *carried = Some(decoded_by(name));
        }
    }

    /// `base64 -d > file`: what is in the file came out of the decoder.
    fn written(&mut self, simple: &Simple, carried: Option<&Stolen>) {
        let words = unwrapped(&simple.words);
        let is_text = words
            .first()
            .is_some_and(|word| matches!(&*program(word), "echo" | "printf"));
        let Some(source) = carried else {
            return;
        };
        // Of a program that fetches, its own options tell where that goes.
        if source.kind != SourceKind::Decoded && !is_text {
            return;
        }
        for file in simple.outputs.iter().filter(|path| *path != "/dev/null") {
            self.downloads.push((file.clone(), source.clone()));
        }
    }

    /// A command line that is nothing but what was fetched: `$P`, `$(curl ...)`.
    fn named(&mut self, first: &str, simple: &Simple) {
        let held = self.brought.variable(first).cloned();
        let given = held.or_else(|| self.brought.substituted(first).filter(|_| is_one(first)));
        let Some(source) = given else {
            return;
        };
        let is_known = self
            .runs
            .iter()
            .any(|run| run.source == source && run.sink == SinkKind::Process);
        if !is_known {
            self.run(source, &shell::literal(first), simple);
        }
    }

    /// Something from elsewhere is run.
    pub(super) fn run(&mut self, source: Stolen, by: &str, simple: &Simple) {
        self.runs.push(Leak {
            source,
            sink: SinkKind::Process,
            sink_detail: crate::place::clean(by),
            snippet: crate::place::clean(&line(simple)),
        });
    }

    /// An archive is unpacked with a password that the command gives: nobody else is to look inside.
    fn unlocks(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let has_password = match name {
            "7z" | "7za" | "7zr" | "7zz" | "unrar" | "rar" => {
                rest.first()
                    .is_some_and(|word| matches!(word.as_str(), "x" | "e"))
                    && rest
                        .iter()
                        .any(|word| word.starts_with("-p") && word.len() > 2)
            }
            "unzip" => rest.iter().any(|word| word.starts_with("-P")),
            _ => false,
        };
        if has_password {
            self.runs.push(Leak {
                source: Stolen {
                    kind: SourceKind::Decoded,
                    detail: format!("{name} with a password"),
                },
                sink: SinkKind::ProgramFile,
                sink_detail: "what the archive holds".to_owned(),
                snippet: crate::place::clean(&line(simple)),
            });
        }
    }

    /// `sh -c "$(curl ...)"`, `eval "$(...)"`, `bash <(curl ...)`, `iex (iwr ...)`.
    fn inserted(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let runs_words = SHELLS.contains(&name) || matches!(name, "eval" | "source" | ".");
        if !runs_words {
            return;
        }
        let text = rest.join(" ");
        let lower = text.to_ascii_lowercase();
        let mut found: Option<Stolen> = None;
        for word in rest {
            found = found.or_else(|| self.brought.substituted(word));
        }
        // A variable is data, unless it stands where the code does.
        let code = code(name, rest);
        found = found.or_else(|| self.brought.variable(code?).cloned());
        let is_powershell = matches!(name, "powershell" | "pwsh" | "iex" | "invoke-expression");
        if is_powershell && found.is_none() {
            let downloads = [
                "downloadstring",
                "downloadfile",
                "invoke-webrequest",
                "iwr ",
                "irm ",
                "invoke-restmethod",
            ]
            .iter()
            .any(|word| lower.contains(word));
            let runs = name.starts_with('i')
                || lower.contains("iex")
                || lower.contains("invoke-expression")
                || lower.contains("start-process");
            if downloads && runs {
                found = Some(fetched(&leaks::host(&text).unwrap_or_default()));
            } else if encoded(rest)
                .is_some_and(|text| !text.is_empty() && !text.starts_with(crate::ability::ENCODED))
            {
                found = Some(Stolen {
                    kind: SourceKind::Decoded,
                    detail: "-EncodedCommand".to_owned(),
                });
            }
        }
        if let Some(source) = found {
            let host = source.detail.strip_prefix("download from ");
            let host = host.unwrap_or_default().to_owned();
            self.contact(&host, &text);
            self.run(source, name, simple);
        }
    }
}

/// A pipeline as one line, as far as it consists of programs.
fn whole(pipeline: &[Simple]) -> String {
    let programs = pipeline.iter().filter(|simple| !simple.words.is_empty());
    programs.map(line).collect::<Vec<_>>().join(" | ")
}

fn decoded_by(name: &str) -> Stolen {
    Stolen {
        kind: SourceKind::Decoded,
        detail: name.to_owned(),
    }
}

/// Whether a text is one substitution and nothing else.
fn is_one(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("$(") && text.ends_with(')'))
        || (text.starts_with('`') && text.ends_with('`'))
}

/// Whether a text is the argument of a function and nothing else.
fn is_first(text: &str) -> bool {
    matches!(text, "$1" | "${1}" | "$@" | "$*")
}

/// The word in which an interpreter is given its code.
fn code<'w>(name: &str, rest: &'w [String]) -> Option<&'w str> {
    if matches!(name, "eval" | "iex" | "invoke-expression") {
        return match rest {
            [one] => Some(one.as_str()),
            _ => None,
        };
    }
    let at = rest.iter().position(|word| {
        matches!(word.as_str(), "-e" | "-p" | "--eval" | "-Command")
            || (word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
    })?;
    rest.get(at + 1).map(String::as_str)
}
