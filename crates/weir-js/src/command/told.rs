//! Secrets that a program writes to its output, and those that a word holds.

use std::collections::HashMap;

use weir_model::contents::SourceKind;

use super::coded::Coded;
use super::leaks::{Stolen, program};
use super::shell::{self, Simple};
use super::wrappers::unwrapped;
use super::{nested, trees};
use crate::tables::{folders, scripts, secrets};

/// Deepest substitution in substitution that is followed.
const DEPTH: usize = 6;

/// What variables hold, by their names, and what functions write, by their names and `()`.
pub(super) type Known = HashMap<String, Vec<Stolen>>;

/// Secrets that a word holds once the shell has expanded it.
pub(super) fn in_word(word: &str, variables: &Known, depth: usize) -> Vec<Stolen> {
    let mut found = Vec::new();
    if depth >= DEPTH {
        return found;
    }
    for name in shell::variables(word) {
        if let Some(stolen) = variables.get(&name) {
            found.extend(stolen.iter().cloned());
        } else if secrets::is_secret_variable(&name) {
            found.push(Stolen {
                kind: SourceKind::SecretVariable,
                detail: name,
            });
        }
    }
    for text in shell::substitutions(word) {
        found.extend(of_script(&text, variables, depth));
    }
    found.dedup();
    found
}

/// Secrets that any program of a script writes.
fn of_script(text: &str, variables: &Known, depth: usize) -> Vec<Stolen> {
    shell::programs(text)
        .iter()
        .flat_map(|simple| yields(simple, variables, depth + 1))
        .collect()
}

/// A path argument that names a credential file.
pub(super) fn in_path(path: &str) -> Vec<Stolen> {
    let path = trees::expanded(path);
    folders::file(&path)
        .map(|kind| Stolen {
            kind,
            detail: crate::place::clean(&path),
        })
        .into_iter()
        .collect()
}

/// Secrets that a program writes to its output.
pub(super) fn yields(simple: &Simple, variables: &Known, depth: usize) -> Vec<Stolen> {
    let words = unwrapped(&simple.words);
    // Few programs are looked at whole.
    let whole = || words.join(" ");
    let environment = |detail: &str| {
        vec![Stolen {
            kind: SourceKind::Environment,
            detail: detail.to_owned(),
        }]
    };
    let Some(first) = words.first() else {
        // `$(<file)`
        let files = simple.inputs.iter().filter(|_| simple.words.is_empty());
        return files.flat_map(|path| in_path(path)).collect();
    };
    let name = program(first);
    if scripts::prints_secret(&name, words.get(1..).unwrap_or_default()) {
        return tool_secret(&whole());
    }
    if let Some(script) = nested::inline_script(words).filter(|_| depth < DEPTH) {
        return of_script(&script, variables, depth);
    }
    match &*name {
        "env" | "set" if words.len() == 1 => environment(&name),
        "printenv" => match words.get(1) {
            None => environment("printenv"),
            Some(variable) if secrets::is_secret_variable(variable) => vec![Stolen {
                kind: SourceKind::SecretVariable,
                detail: variable.clone(),
            }],
            Some(_) => Vec::new(),
        },
        "export" | "declare" | "typeset"
            if words.get(1).is_none_or(|word| word.starts_with('-')) =>
        {
            environment(&name)
        }
        _ if name.ends_with("::getenvironmentvariables") => environment("all variables"),
        "gci" | "get-childitem" | "get-item" | "gi" | "dir" | "ls"
            if whole().to_ascii_lowercase().contains("env:") =>
        {
            environment("env:")
        }
        "npm" | "pnpm" | "yarn"
            if whole().contains("config get") && whole().to_ascii_lowercase().contains("token") =>
        {
            tool_secret(&whole())
        }
        "hostname" | "whoami" | "id" | "uname" | "ifconfig" | "ipconfig" | "systeminfo" | "pwd" => {
            vec![Stolen {
                kind: SourceKind::HostFacts,
                detail: name.into_owned(),
            }]
        }
        "pbpaste" | "xclip" | "xsel" | "wl-paste" | "get-clipboard" => vec![Stolen {
            kind: SourceKind::Clipboard,
            detail: name.into_owned(),
        }],
        "cat" | "head" | "tail" | "base64" | "xxd" | "hexdump" | "od" | "grep" | "egrep"
        | "awk" | "sed" | "strings" | "gzip" | "tar" | "zip" | "tac" | "type" | "get-content"
        | "gc" | "openssl" | "jq" | "cut" | "sort" | "rev" | "tr" | "less" | "more" | "dd"
        | "xz" | "bzip2" | "zstd" | "gpg" | "nl" | "uniq" | "bat" | "split" => {
            let inputs = simple.inputs.iter();
            let texts = simple.documents.iter();
            let held = texts.flat_map(|text| in_word(text, variables, depth + 1));
            words
                .iter()
                .skip(1)
                .chain(inputs)
                .flat_map(|word| in_path(word))
                .chain(held)
                .chain(trees::taken(words))
                .collect()
        }
        // What it finds is read by who is given the names.
        "find" => named_by_find(words),
        "node" | "nodejs" | "bun" | "deno" | "tsx" | "python" | "python3" | "ruby" | "perl"
        | "php" => Coded::of(words)
            .map(|code| code.printed())
            .unwrap_or_default(),
        "echo" | "printf" | "write-output" => words
            .iter()
            .skip(1)
            .flat_map(|word| in_word(word, variables, depth + 1))
            .collect(),
        // A function of the script, or nothing.
        _ => variables
            .get(&format!("{first}()"))
            .cloned()
            .unwrap_or_default(),
    }
}

/// `find ~ -name .npmrc -exec cat {} +`, `find ~/.aws -type f`
fn named_by_find(words: &[String]) -> Vec<Stolen> {
    let names = words.windows(2).filter_map(|pair| match pair {
        [option, name]
            if matches!(option.as_str(), "-name" | "-iname" | "-path" | "-wholename") =>
        {
            Some(name.trim_start_matches('*').trim_start_matches('/'))
        }
        _ => None,
    });
    let named: Vec<Stolen> = names.flat_map(in_path).collect();
    if !named.is_empty() {
        return named;
    }
    let folders = words.iter().skip(1);
    let folders = folders.take_while(|word| !word.starts_with('-'));
    folders.flat_map(|folder| in_path(folder)).collect()
}

fn tool_secret(command: &str) -> Vec<Stolen> {
    vec![Stolen {
        kind: SourceKind::CredentialTool,
        detail: crate::place::clean(command),
    }]
}
