//! Which packages run something at install time, and whether the project lets them.

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::Format;

use super::manifests::Manifests;
use super::{Checked, Rule};

const RUNS: Rule = Rule {
    id: "install-script",
    level: CheckLevel::Note,
    todo: "`weir inspect` shows what it does",
};
const UNKNOWN: Rule = Rule {
    id: "install-scripts-unknown",
    level: CheckLevel::Note,
    todo: "could not be checked here; the gateway and `weir inspect` look into the packages",
};

pub(super) fn check(checked: &mut Checked<'_>, manifests: &Manifests) {
    let lockfile = checked.lockfile;
    let tells = match lockfile.format {
        Format::Npm => lockfile.version != "1",
        Format::Pnpm => !lockfile.version.starts_with('9'),
        Format::YarnClassic | Format::YarnBerry | Format::Bun => false,
    };
    if !tells {
        let what = "this format does not say which packages have install scripts";
        checked.add(&UNKNOWN, 1, None, what);
        return;
    }
    let (list, setting) = match lockfile.format {
        Format::Npm => (manifests.setting(&["allowScripts"]), "allowScripts"),
        _ => (
            manifests.setting(&["pnpm", "onlyBuiltDependencies"]),
            "pnpm.onlyBuiltDependencies",
        ),
    };
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if !node.flags.scripts || node.is_local() {
            continue;
        }
        let label = node.label();
        let said = list.as_ref().map(|list| {
            let exact = list.get(label.as_str());
            exact
                .or_else(|| list.get(node.name.as_str()))
                .copied()
                .unwrap_or(false)
        });
        let what = match said {
            Some(true) => format!("has install scripts, and `{setting}` lets them run"),
            Some(false) => format!("has install scripts, and `{setting}` does not name it"),
            None => format!("has install scripts, and package.json has no `{setting}`"),
        };
        checked.add(&RUNS, node.line, Some(id), &what);
    }
}
