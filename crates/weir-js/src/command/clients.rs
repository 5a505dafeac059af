//! Package clients that run scripts of a manifest, or a program that they are given.

use super::folder::within;
use super::run::Reading;
use super::shell;
use super::starts::{Own, quote};

/// Options of package clients that name the folder of another manifest.
const FOLDERS: [&str; 4] = ["--prefix", "-C", "--dir", "--cwd"];

/// `npm run other`, `yarn other`, `npm test`, `npm --prefix lib run other`, `npm exec -c '...'`.
pub(super) fn manager(
    words: &[String],
    own: Own<'_>,
    folder: &str,
    reading: &mut Reading,
    next: &mut Vec<String>,
) {
    let mut folder = folder.to_owned();
    let mut names: Vec<&str> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), None),
        };
        if FOLDERS.contains(&option) {
            if let Some(to) = value.or_else(|| rest.next().map(String::as_str)) {
                folder = within(&folder, to);
            }
        } else if !word.starts_with('-') {
            names.push(word);
        }
    }
    let name = match names.first().copied() {
        Some("run" | "run-script" | "rum" | "urn") => names.get(1).copied(),
        Some("exec" | "x" | "dlx" | "explore") => {
            executed(words, next);
            return;
        }
        other => other,
    };
    reading.asks = true;
    let is_elsewhere = folder.trim_end_matches('/') != own.base.trim_end_matches('/');
    let events: Vec<String> = match name {
        None | Some("install" | "i" | "ci" | "add") if is_elsewhere => {
            let events = ["preinstall", "install", "postinstall", "prepare"];
            events.iter().map(|event| (*event).to_owned()).collect()
        }
        None => return,
        Some(name) => vec![format!("pre{name}"), name.to_owned(), format!("post{name}")],
    };
    next.extend(
        events
            .iter()
            .filter_map(|event| own.scripts.get(event))
            .cloned(),
    );
    if is_elsewhere {
        reading.nested.push((folder, events));
    }
}

/// What a package client is given to run: behind its own options, or as a text.
fn executed(words: &[String], next: &mut Vec<String>) {
    let own = words
        .iter()
        .position(|word| matches!(word.as_str(), "exec" | "x" | "dlx" | "explore"));
    let rest = own.and_then(|at| words.get(at + 1..)).unwrap_or_default();
    let call = words
        .iter()
        .position(|word| matches!(word.as_str(), "-c" | "--call"));
    if let Some(text) = call.and_then(|at| words.get(at + 1)) {
        next.push(shell::literal(text));
        return;
    }
    let behind = rest.iter().position(|word| word == "--").map(|at| at + 1);
    let first = behind.or_else(|| rest.iter().position(|word| !word.starts_with('-')));
    next.push(quote(
        first.and_then(|at| rest.get(at..)).unwrap_or_default(),
    ));
}
