mod ability;
mod ability_around;
mod aliases;
mod answered;
mod around_flows;
mod at_load;
mod builders;
mod bundled;
mod bundles;
mod carried;
mod chains;
mod clients;
mod commands;
mod commands_handed;
mod commands_hidden;
mod cut_short;
mod differential;
mod disguised;
mod elsewhere;
mod flagged;
mod folded;
mod generated;
mod hooks;
mod hostile;
mod kept_secrets;
mod opened;
mod overheard;
mod package;
mod passing;
mod posted;
mod properties;
mod reached;
mod roundabout;
mod told_each;
mod unasked;
mod ways;

use weir_model::contents::{SourceKind, Surface};

use crate::{Facts, Limits, Package, SourceFile, analyse};

/// Facts of a package of these files whose `postinstall` runs `node index.js`.
fn installed(files: &[(&str, &str)]) -> Facts {
    run(files, &["node index.js"], &[])
}

/// Files of a package, by path and text.
pub(crate) fn given<'f>(files: &[(&'f str, &'f str)]) -> Vec<SourceFile<'f>> {
    files
        .iter()
        .map(|(path, text)| SourceFile {
            path,
            bytes: text.as_bytes(),
        })
        .collect()
}

fn run(files: &[(&str, &str)], commands: &[&str], entries: &[(Surface, &str)]) -> Facts {
    let files = given(files);
    let package = Package {
        files: &files,
        entries: entries
            .iter()
            .map(|(surface, path)| (*surface, (*path).to_owned()))
            .collect(),
        install_commands: commands
            .iter()
            .map(|command| ("postinstall".to_owned(), (*command).to_owned()))
            .collect(),
        ..Package::default()
    };
    analyse(&package, &Limits::default())
}

/// Each piece of code has a flow from the source beside it, where install runs it behind `before`.
fn assert_each_flows(before: &str, cases: &[(&str, SourceKind, &str)]) {
    assert!(!cases.is_empty());
    let mut missed = String::new();
    for (says, source, code) in cases {
        let code = format!("{before}{code}");
        let facts = installed(&[("index.js", &code)]);
        if !facts.flows.iter().any(|flow| flow.source == *source) {
            missed.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

/// No piece of code has a flow, where install runs it behind `before`.
fn assert_none_flows(before: &str, cases: &[(&str, &str)]) {
    assert!(!cases.is_empty());
    let mut wrong = String::new();
    for (says, code) in cases {
        let code = format!("{before}{code}");
        let facts = installed(&[("index.js", &code)]);
        if !facts.flows.is_empty() {
            wrong.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
