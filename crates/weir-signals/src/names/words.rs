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

/// Options of one letter as they are left where the hyphen is: `npm install g left-lib`. Registries of one's
/// own may have names in capitals.
const LETTERS: [&str; 8] = ["g", "f", "D", "E", "O", "P", "S", "B"];

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
    if let Some((option, strength)) = option_meant(name) {
        add(option, Transformation::Command, strength);
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

/// The option that was meant where a name ended up as one of a package, as people write it. Words of one
/// letter are packages too.
fn option_meant(name: &str) -> Option<(String, Strength)> {
    let option = name.trim_start_matches('-');
    match (name.len() - option.len(), option.chars().count()) {
        (0, _) if LETTERS.contains(&name) => Some((format!("-{name}"), Strength::Weak)),
        (0, _) if name.contains('-') && OPTIONS.contains(&name) => {
            Some((format!("--{name}"), Strength::Fair))
        }
        (0, _) => None,
        // Hyphens that stand alone come before any option.
        (_, 0) => Some(("--save-dev".to_owned(), Strength::Fair)),
        (1, 1) => Some((name.to_owned(), Strength::Fair)),
        _ => Some((format!("--{option}"), Strength::Fair)),
    }
}

/// What is typed where a package of that name is installed and an option was meant.
pub(crate) fn mistyped(name: &str, option: &str) -> String {
    if name == option {
        // Behind hyphens that stand alone nothing is an option.
        format!("npm install -- {name}")
    } else if name.bytes().all(|byte| byte == b'-') {
        format!("npm install {name} {}", option.trim_start_matches('-'))
    } else {
        format!("npm install {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_that_was_meant_is_one_that_people_write() {
        for (name, option, typed) in [
            ("g", "-g", "npm install g"),
            ("-g", "-g", "npm install -- -g"),
            ("D", "-D", "npm install D"),
            ("-D", "-D", "npm install -- -D"),
            ("--g", "--g", "npm install -- --g"),
            ("save-dev", "--save-dev", "npm install save-dev"),
            ("-save-dev", "--save-dev", "npm install -save-dev"),
            ("--save-dev", "--save-dev", "npm install -- --save-dev"),
            ("---save-dev", "--save-dev", "npm install ---save-dev"),
            ("--save", "--save", "npm install -- --save"),
            ("--global", "--global", "npm install -- --global"),
            ("-", "--save-dev", "npm install - save-dev"),
        ] {
            let meant = option_meant(name).map(|(option, _)| option);
            assert_eq!(meant.as_deref(), Some(option), "{name}");
            assert_eq!(mistyped(name, option), typed, "{name}");
        }
        for name in ["i", "x", "save", "json", "install", "left-lib", "dev"] {
            assert_eq!(option_meant(name), None, "{name}");
        }
    }
}
