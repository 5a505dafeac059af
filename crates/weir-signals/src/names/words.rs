//! Names that pass for a word of the command line or for a module that comes with the runtime.

use weir_npm::node::MODULES;

use super::lookalike::{Lookalike, Strength, Transformation, Trusted};
use super::{forms, near};

/// Options of package managers. `npm install left-lib -- save-dev`, with one space too many, installs the
/// second word (packages of such names are on record: `--hiljson`, `--legacy-peer-deps`, `--no-audit`).
const OPTIONS: [&str; 24] = [
    "save",
    "save-dev",
    "save-exact",
    "save-optional",
    "save-peer",
    "save-prod",
    "save-bundle",
    "no-save",
    "global",
    "legacy-peer-deps",
    "strict-peer-deps",
    "no-audit",
    "no-fund",
    "no-optional",
    "ignore-scripts",
    "dry-run",
    "force",
    "production",
    "prefer-offline",
    "frozen-lockfile",
    "workspace",
    "workspaces",
    "registry",
    "json",
];

/// Built-in names shorter than this have too many neighbours.
const LONG_ENOUGH: usize = 8;

/// Adds what the name passes for.
pub(super) fn search(name: &str, found: &mut Vec<Lookalike>) {
    if name.starts_with('@') {
        return;
    }
    let mut add = |target: String, transformation, strength| {
        found.push(Lookalike {
            target,
            transformation,
            strength,
            rank: None,
            trusted: Trusted::Word,
        });
    };
    if let Some(option) = name.strip_prefix('-') {
        let option = option.trim_start_matches('-');
        add(
            format!("--{option}"),
            Transformation::Command,
            Strength::Fair,
        );
    } else if name.contains('-') && OPTIONS.contains(&name) {
        add(format!("--{name}"), Transformation::Command, Strength::Fair);
    }
    let squashed = forms::squashed(name);
    for module in MODULES {
        let long = module.len() >= LONG_ENOUGH;
        if name == module || (long && squashed == forms::squashed(module)) {
            add(
                format!("node:{module}"),
                Transformation::Builtin,
                Strength::Weak,
            );
        } else if long && near::is_one_slip(name, module) {
            add(
                format!("node:{module}"),
                Transformation::Builtin,
                Strength::Fair,
            );
        }
    }
}
