//! Names that pass for a word of the command line or for a module that comes with the runtime.

use weir_npm::node::MODULES;

use super::lookalike::{Lookalike, Strength, Transformation, Trusted};
use super::{forms, near};

/// Options of package managers. `npm install left-lib -- save-dev`, with one space too many, installs the
/// second word. Packages with names that begin like options are on record as well (`--hiljson`,
/// `--legacy-peer-deps`, `--no-audit`): npm 10.9 fetches them for `npm install -- --hiljson` and where a
/// `package.json` names them; npm 11.19 does not.
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
    if let Some(reading) = Reading::of(name) {
        let target = reading.option().unwrap_or(name).to_owned();
        add(target, Transformation::Command, reading.strength());
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

/// What a name has to do with the options of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// `save-dev`, `g`: what is left of an option that lost its hyphens is asked for as a package.
    Slip(String),
    /// `--save-dev`: spelled like one.
    Spelled(String),
    /// `---save-dev`, `--save-devv`: nearly.
    Nearly(String),
    /// `--hiljson`, `-`: begins with a hyphen, as options do.
    Hyphen,
}

impl Reading {
    /// Reads a name. Words without a hyphen are names of packages, but for single letters.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let bare = name.trim_start_matches('-');
        if bare.len() == name.len() {
            return option(name).map(Self::Slip);
        }
        Some(match option(bare).or_else(|| one_slip_from(bare)) {
            Some(option) if option == name => Self::Spelled(option),
            Some(option) => Self::Nearly(option),
            None => Self::Hyphen,
        })
    }

    /// The option, where there is one like that.
    pub(crate) fn option(&self) -> Option<&str> {
        match self {
            Self::Slip(option) | Self::Spelled(option) | Self::Nearly(option) => Some(option),
            Self::Hyphen => None,
        }
    }

    fn strength(&self) -> Strength {
        match self {
            // Words of one letter are packages too.
            Self::Slip(option) if !option.starts_with("--") => Strength::Weak,
            _ => Strength::Fair,
        }
    }

    /// What is typed to get the package of that name.
    pub(crate) fn typed(&self, name: &str) -> String {
        match self {
            Self::Slip(_) => format!("npm install {name}"),
            _ => format!("npm install -- {name}"),
        }
    }

    /// It in a sentence.
    pub(crate) fn told(&self, name: &str) -> String {
        let typed = self.typed(name);
        if let Self::Slip(option) = self {
            return format!(
                "`{typed}` is what `npm install {option}` becomes with a slip: it installs the package {name}"
            );
        }
        let words = self.in_words();
        format!("{name} {words}: npm 10 fetches it for `{typed}`, npm 11 does not")
    }

    /// It in words that fit behind a name.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Slip(option) => format!("is what a slip makes of the option {option}"),
            Self::Spelled(option) => format!("is spelled like the option {option}"),
            Self::Nearly(option) => format!("is nearly spelled like the option {option}"),
            Self::Hyphen => "begins with a hyphen, as options do".to_owned(),
        }
    }
}

/// The option with those letters after its hyphens, if there is one and the letters alone are no word.
fn option(bare: &str) -> Option<String> {
    if LETTERS.contains(&bare) {
        Some(format!("-{bare}"))
    } else {
        let known = bare.contains('-') && OPTIONS.contains(&bare);
        known.then(|| format!("--{bare}"))
    }
}

/// An option whose letters these are but for one slip, or that is a word alone: behind hyphens it is none.
fn one_slip_from(bare: &str) -> Option<String> {
    let mut options = OPTIONS.iter();
    let near = |known: &&&str| {
        **known == bare || (known.len() >= LONG_ENOUGH && near::is_one_slip(known, bare))
    };
    options.find(near).map(|known| format!("--{known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command was tried: what is typed asks for a package of that name, with npm 11.19 where the name
    /// has no hyphen in front, with npm 10.9 where it has.
    #[test]
    fn names_are_read_as_options_as_far_as_such_options_exist() {
        use Reading::{Hyphen, Nearly, Slip, Spelled};
        let of = |make: fn(String) -> Reading, option: &str| make(option.to_owned());
        for (name, reading, typed) in [
            ("g", of(Slip, "-g"), "npm install g"),
            ("D", of(Slip, "-D"), "npm install D"),
            ("save-dev", of(Slip, "--save-dev"), "npm install save-dev"),
            ("-g", of(Spelled, "-g"), "npm install -- -g"),
            (
                "--save-dev",
                of(Spelled, "--save-dev"),
                "npm install -- --save-dev",
            ),
            ("--save", of(Spelled, "--save"), "npm install -- --save"),
            (
                "--global",
                of(Spelled, "--global"),
                "npm install -- --global",
            ),
            (
                "-save-dev",
                of(Nearly, "--save-dev"),
                "npm install -- -save-dev",
            ),
            (
                "---save-dev",
                of(Nearly, "--save-dev"),
                "npm install -- ---save-dev",
            ),
            (
                "--save-devv",
                of(Nearly, "--save-dev"),
                "npm install -- --save-devv",
            ),
            (
                "--sav-dev",
                of(Nearly, "--save-dev"),
                "npm install -- --sav-dev",
            ),
            ("--hiljson", Hyphen, "npm install -- --hiljson"),
            ("-dev", Hyphen, "npm install -- -dev"),
            ("-", Hyphen, "npm install -- -"),
            ("--", Hyphen, "npm install -- --"),
        ] {
            let read = Reading::of(name);
            assert_eq!(read.as_ref(), Some(&reading), "{name}");
            assert_eq!(reading.typed(name), typed, "{name}");
            let told = reading.told(name);
            assert!(told.contains(&format!("`{typed}`")), "{told}");
            // Of what begins with a hyphen nothing is said to be installed by today's npm.
            assert_eq!(
                told.contains("npm 11 does not"),
                name.starts_with('-'),
                "{told}"
            );
            assert!(
                reading.option().is_none_or(|it| told.contains(it)),
                "{told}"
            );
        }
        for name in [
            "i",
            "x",
            "save",
            "json",
            "install",
            "left-lib",
            "dev",
            "save-devv",
        ] {
            assert_eq!(Reading::of(name), None, "{name}");
        }
    }
}
