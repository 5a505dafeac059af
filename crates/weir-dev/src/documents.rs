//! What can be checked about documents that people write: that links lead somewhere, and that the
//! reference of commands knows every option.

use std::path::{Path, PathBuf};

use crate::files;

/// Documents that people write, and folders of them.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "docs/signals",
];

fn documents() -> Vec<PathBuf> {
    let root = files::root();
    let mut found = Vec::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        if !path.is_dir() {
            found.push(path);
            continue;
        }
        let entries = std::fs::read_dir(&path).unwrap();
        let entries = entries.map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    found.sort();
    found
}

/// The targets of `[text](target)`, code blocks aside.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for (index, block) in text.split("\n```").enumerate() {
        // Every other block is code; the rest of its first line is the language.
        if index % 2 == 1 {
            continue;
        }
        let targets = block.split("](").skip(1);
        links.extend(targets.filter_map(|rest| Some(rest.split_once(')')?.0)));
    }
    links
}

/// A heading's anchor, as code hosts make it.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// Why a link leads nowhere, if so.
fn problem(document: &Path, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = document.parent()?;
    let path = if file.is_empty() {
        document.to_owned()
    } else {
        folder.join(file)
    };
    if !path.exists() {
        return Some(format!("{}: {target} is not there", document.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let known = anchors(&text).iter().any(|known| known == anchor);
    (!known).then(|| format!("{}: {target} has no such heading", document.display()))
}

/// The long options in the program's declaration, hidden parts aside: `(flag, line)`.
fn options(declaration: &str) -> Vec<String> {
    let public = declaration
        .split("/// The hidden worker command.")
        .next()
        .unwrap_or_default();
    let mut lines = public.lines().map(str::trim);
    let mut options = Vec::new();
    while let Some(line) = lines.next() {
        if !line.starts_with("#[arg(long") {
            continue;
        }
        // Fields of a variant have no `pub`; attributes may stand between.
        let mut rest = lines
            .by_ref()
            .skip_while(|line| line.starts_with(['#', '/']));
        let field = rest.next().and_then(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            Some(line.split_once(':')?.0)
        });
        options.extend(field.map(|field| format!("--{}", field.replace('_', "-"))));
    }
    options
}

#[test]
fn links_lead_somewhere() {
    let mut problems = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let targets = links(&text);
        problems.extend(
            targets
                .iter()
                .filter_map(|target| problem(&document, target)),
        );
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn links_in_code_are_none() {
    let text = "a [b](c.md)\n```text\n[d](e.md)\n```\n[f](g.md#h)\n";
    assert_eq!(links(text), ["c.md", "g.md#h"]);
    assert_eq!(anchors("# A `b`, c\n## `d.e/v1`\n"), ["a-b-c", "dev1"]);
}

#[test]
fn the_reference_of_commands_knows_every_option() {
    let root = files::root();
    let declaration = std::fs::read_to_string(root.join("crates/weir/src/cli.rs")).unwrap();
    let reference = std::fs::read_to_string(root.join("docs/commands.md")).unwrap();
    let options = options(&declaration);
    assert!(options.len() > 15, "{options:?}");
    let missing: Vec<&String> = options
        .iter()
        .filter(|option| {
            let bare = format!("`{option}`");
            let with_value = format!("`{option} <");
            !reference.contains(&bare) && !reference.contains(&with_value)
        })
        .collect();
    assert!(missing.is_empty(), "docs/commands.md lacks {missing:?}");
}
