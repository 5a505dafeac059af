//! What a command line starts without saying what that is: texts that come out of other programs, variables
//! that nothing sets, and what only lies there once something else has run.

use std::borrow::Cow;

use super::folder::within;
use super::leaks::program;
use super::run::Reading;
use super::shell::{self, Simple};
use super::words::{is_decoder, is_download};
use super::wrappers::unwrapped;
use crate::script::{self, Language};
use crate::tables::programs;

/// Variables of npm and of scripts that hold Node, and the one that holds npm.
const NODES: [&str; 3] = ["npm_node_execpath", "NODE", "NODE_BIN"];
const CLIENT: &str = "npm_execpath";

/// The program that a word stands for which is nothing but a variable or a substitution: `$npm_node_execpath`,
/// `${NODE:-node}`, `$(which node)`.
pub(super) fn standing_for(word: &str) -> Option<Cow<'static, str>> {
    let named = |name: &str| match name {
        CLIENT => Some(Cow::Borrowed("npm")),
        name => NODES.contains(&name).then_some(Cow::Borrowed("node")),
    };
    if let Some(name) = word.strip_prefix('%') {
        return named(name.strip_suffix('%')?);
    }
    if let Some(inner) = word.strip_prefix("${") {
        let inner = inner.strip_suffix('}')?;
        let end = inner.find([':', '-', '=']).unwrap_or(inner.len());
        let (name, default) = inner.split_at(end);
        let default = default.trim_start_matches([':', '-', '=']);
        let is_plain = !default.is_empty() && !default.contains(['$', '`', '{']);
        let default = || is_plain.then(|| Cow::Owned(program(default).into_owned()));
        return named(name).or_else(default);
    }
    if let Some(text) = only_substitution(word) {
        let inner = shell::programs(text);
        let [simple] = inner.as_slice() else {
            return None;
        };
        let words = match simple.words.as_slice() {
            [first, rest @ ..] if matches!(first.as_str(), "which" | "echo" | "where") => rest,
            [first, option, rest @ ..]
                if matches!(first.as_str(), "command" | "type") && option.starts_with('-') =>
            {
                rest
            }
            _ => return None,
        };
        let [one] = words else {
            return None;
        };
        return (!one.starts_with('$')).then(|| Cow::Owned(program(one).into_owned()));
    }
    named(word.strip_prefix('$')?)
}

/// The inside of a text that is one substitution and nothing else.
fn only_substitution(text: &str) -> Option<&str> {
    let text = text.trim();
    let quoted = text
        .strip_prefix('`')
        .and_then(|text| text.strip_suffix('`'));
    let bracketed = text
        .strip_prefix("$(")
        .and_then(|text| text.strip_suffix(')'));
    let inner = quoted.or(bracketed)?;
    let is_one = shell::substitutions(text)
        .first()
        .is_some_and(|one| one == inner);
    is_one.then_some(inner)
}

/// Whether a text is a variable and nothing else.
fn is_variable(text: &str) -> bool {
    let text = text.trim();
    let name = text.strip_prefix('$').unwrap_or_default();
    let inner = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'));
    shell::is_name(inner.unwrap_or(name))
}

/// How a file is run of which a program writes a part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Shell,
    Program,
}

impl Reading {
    /// Code that a program is given as a text which is not there yet: `sh -c "$(cat x.txt)"`, `eval "$X"`.
    pub(super) fn given(&mut self, text: &str, by: &str, how: As, folder: &str) {
        if is_variable(text) {
            self.unfollowed(format!("what `{}` holds is run by {by}", text.trim()));
        }
        let Some(inner) = only_substitution(text) else {
            return;
        };
        for simple in shell::programs(inner) {
            self.written_by(&simple, by, how, folder);
        }
    }

    /// What a program writes is run by another one: files that it is given are, as far as anybody can tell.
    pub(super) fn written_by(&mut self, simple: &Simple, by: &str, how: As, folder: &str) {
        let words = unwrapped(&simple.words);
        let mut files: Vec<&String> = simple.inputs.iter().collect();
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        let rest = words.get(1..).unwrap_or_default();
        // Of these the finding says it.
        if is_download(words) || (is_decoder(&name, rest) && rest.len() > 1) {
            return;
        }
        files.extend(rest.iter().filter(|word| {
            !word.starts_with('-') && (word.contains(['.', '/']) || &*name == "cat")
        }));
        for file in &files {
            let path = within(folder, file);
            match how {
                As::Shell => self.shells.push(path),
                As::Program => {
                    self.programs.push(path.clone());
                    self.files.push(path);
                }
            }
        }
        let is_plain = |file: &&String| !file.contains(['*', '$', '?']);
        let is_whole = (&*name == "cat" || words.is_empty())
            && !files.is_empty()
            && files.iter().all(is_plain);
        if !is_whole && !matches!(&*name, "echo" | "printf") {
            let line = shell::literal(&simple.words.join(" "));
            self.unfollowed(format!("what `{line}` writes is run by {by}"));
        }
    }

    /// Words that may be programs with their own words, behind one that nobody here knows: `strace node x.js`,
    /// `su -c 'node x.js'`.
    pub(super) fn wrapped(&mut self, name: &str, rest: &[String], folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        if programs::is_passive(name) {
            return found;
        }
        let is_runner = |word: &str| {
            let name = program(word);
            programs::RUNTIMES.contains(&&*name)
                || matches!(
                    script::of_program(&name),
                    Some(Language::Shell | Language::Python)
                )
        };
        for (at, word) in rest.iter().enumerate() {
            let first = word.split_whitespace().next().unwrap_or_default();
            if word.contains(' ') && (is_runner(first) || matches!(first, "npm" | "npx" | "yarn")) {
                found.push(shell::literal(word));
            } else if is_runner(word) && at + 1 < rest.len() {
                // Between a program and its words others have a sign of their own.
                let words = rest.get(at..).unwrap_or_default().iter();
                let words = words.filter(|word| !matches!(word.as_str(), "--" | ":::"));
                let words: Vec<String> = words.cloned().collect();
                found.push(super::starts::quote(&words));
                break;
            }
        }
        let configured = programs::CONFIGURED
            .iter()
            .filter(|(tool, _)| *tool == name);
        for (_, file) in configured {
            self.hints.push(within(folder, file));
        }
        found
    }

    /// What stands in the way of following all that is started.
    pub(super) fn unfollowed(&mut self, what: String) {
        let what = crate::place::clean(&what);
        if !self.unfollowed.contains(&what) {
            self.unfollowed.push(what);
        }
    }
}

/// The commands that `find` starts for what it finds, with the name that it looks for.
pub(super) fn found(rest: &[String]) -> Vec<Vec<String>> {
    let name = rest
        .iter()
        .position(|word| matches!(word.as_str(), "-name" | "-iname" | "-path"))
        .and_then(|at| rest.get(at + 1));
    let mut commands = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if !matches!(word.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let command = words
            .by_ref()
            .take_while(|word| !matches!(word.as_str(), ";" | "+"))
            .map(|word| match name {
                Some(name) => word.replace("{}", name),
                None => word.replace("{}", "*"),
            });
        commands.push(command.collect());
    }
    commands
}
