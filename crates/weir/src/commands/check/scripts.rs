//! Which packages run something at install time, what that does as far as known, and whether the project
//! lets them.

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{Format, Lockfile, NodeId};

use super::client::{Client, ClientFiles};
use super::known::{Known, Scripts, release_of};
use super::{Checked, Rule, permits};
use crate::counted::counted;

const RUNS: Rule = Rule {
    id: "install-script",
    level: CheckLevel::Note,
    todo: "`weir inspect` shows what it does",
};
const UNKNOWN: Rule = Rule {
    id: "install-scripts-unknown",
    level: CheckLevel::Note,
    todo: "run with --online, or after an install: then registries and packages say",
};

/// Longest command that is shown, in characters.
const COMMAND: usize = 120;

/// Whether a format says which packages have install scripts.
pub(super) fn tells(lockfile: &Lockfile) -> bool {
    match lockfile.format {
        Format::Npm => lockfile.version != "1",
        Format::Pnpm => !lockfile.version.starts_with('9'),
        Format::YarnClassic | Format::YarnBerry | Format::Bun => false,
    }
}

pub(super) fn check(
    checked: &mut Checked<'_>,
    files: &ClientFiles,
    client: Client,
    known: &Known,
    wanted: &dyn Fn(NodeId) -> bool,
) {
    let lockfile = checked.lockfile;
    let tells = tells(lockfile);
    let mut unknown = 0_usize;
    for (id, node) in lockfile
        .nodes
        .iter()
        .enumerate()
        .filter(|(id, _)| wanted(*id))
    {
        if node.is_local() {
            continue;
        }
        let release = release_of(node).map(|(name, version)| (name.to_string(), version));
        let scripts = release.and_then(|release| known.scripts.get(&release));
        let runs = scripts.is_some_and(|scripts| !scripts.steps.is_empty());
        if !runs && !node.flags.scripts {
            unknown += usize::from(!tells && scripts.is_none());
            continue;
        }
        let permit = permits::of(files, client, node);
        let what = format!("{}, and {permit}", in_words(scripts));
        checked.add(&RUNS, node.line, Some(id), &what);
    }
    if unknown > 0 {
        let what = format!(
            "this format does not say which packages have install scripts: not known of {}",
            counted(unknown, "package", "packages")
        );
        checked.add(&UNKNOWN, 1, None, &what);
    }
}

/// What runs, and what it is able to do.
fn in_words(scripts: Option<&Scripts>) -> String {
    let Some(scripts) = scripts.filter(|scripts| !scripts.steps.is_empty()) else {
        return "has install scripts".to_owned();
    };
    let steps = scripts.steps.iter().map(|(event, command)| {
        let command = weir_model::finding::printable(command, COMMAND);
        format!("`{event}: {command}`")
    });
    let steps = steps.collect::<Vec<_>>().join(", ");
    match &scripts.able {
        Some(able) => format!("runs {steps}, which is able to: {able}"),
        None => format!("runs {steps}"),
    }
}
