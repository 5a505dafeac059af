//! What a command is about, as far as its words say it for certain: it fetches, it runs something, or neither.

use super::{Client, PLAIN_OPTIONS};

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It says something of the client, and ends.
    Says,
    /// It runs what is there already: what that fetches, the client does not know either.
    Runs,
    /// It brings what yarn's lockfile locks, and what is added to that.
    Installs,
    /// It asks a registry, or fetches, but nothing by an address that bun's or yarn 1's lockfile has.
    Beside,
    /// It may fetch.
    Fetches,
}

/// Words that ask a client about itself.
const ASKING: &[&str] = &["--version", "-v", "-V", "--help", "-h", "help"];

/// Commands of yarn and bun that run something and fetch nothing. pnpm 11 and later may install first.
const RUNNING: &[&str] = &["run", "exec", "test", "start", "stop", "restart", "node"];

/// Commands of yarn 1 that fetch what is locked, or may, and run nothing of the project's but hooks of an install.
const INSTALLING: &[&str] = &[
    "add",
    "check",
    "import",
    "install",
    "licenses",
    "list",
    "outdated",
    "remove",
    "upgrade",
    "upgrade-interactive",
    "upgradeInteractive",
    "why",
];

/// Commands of bun that ask for documents, look into a lockfile, or work in a folder of their own.
const BESIDE_BUN: &[&str] = &["audit", "c", "create", "info", "outdated", "why", "x"];

/// Those of `bun pm`. `pack` and `version` run what the project likes.
const BESIDE_BUN_PM: &[&str] = &[
    "bin",
    "cache",
    "default-trust",
    "hash",
    "hash-print",
    "hash-string",
    "list",
    "ls",
    "migrate",
    "pkg",
    "untrusted",
    "view",
    "why",
];

/// Commands of bun that write a lockfile.
const BUN_LOCKS: &[&str] = &[
    "a",
    "add",
    "i",
    "install",
    "link",
    "patch",
    "r",
    "remove",
    "rm",
    "uninstall",
    "update",
];

/// Options with which they write none, or are told which.
const BUN_LOCKS_NOT: &[&str] = &[
    "--dry-run",
    "--frozen-lockfile",
    "--global",
    "--no-save",
    "--save-text-lockfile",
    "-g",
];

/// Commands of all clients that run something, whether they fetch it before or not.
const RUNNING_ANYWHERE: &[&str] = &[
    "create",
    "dlx",
    "exec",
    "explore",
    "init",
    "node",
    "restart",
    "run",
    "run-script",
    "start",
    "stop",
    "t",
    "test",
    "tst",
    "x",
];

/// Commands of yarn 1.22 and 4.18, with those that only say that they are not needed. Any other word is the name of
/// a script or a tool to them.
const YARNS: &[&str] = &[
    "access",
    "add",
    "audit",
    "autoclean",
    "bin",
    "cache",
    "check",
    "config",
    "constraints",
    "create",
    "dedupe",
    "dlx",
    "exec",
    "explain",
    "files",
    "generate-lock-entry",
    "generateLockEntry",
    "global",
    "help",
    "import",
    "info",
    "init",
    "install",
    "licenses",
    "link",
    "list",
    "lockfile",
    "login",
    "logout",
    "node",
    "npm",
    "outdated",
    "owner",
    "pack",
    "patch",
    "patch-commit",
    "plugin",
    "policies",
    "prune",
    "publish",
    "rebuild",
    "remove",
    "run",
    "search",
    "set",
    "stage",
    "tag",
    "team",
    "unlink",
    "unplug",
    "up",
    "upgrade",
    "upgrade-interactive",
    "upgradeInteractive",
    "version",
    "versions",
    "why",
    "workspace",
    "workspaces",
];

impl Client {
    /// What yarn may take for the name of a script or a tool, as if `run` stood before it, and the options in front
    /// of it. No word that is a command to one yarn or another, though it may be a script to others.
    pub(crate) fn shorthand(self, arguments: &[String]) -> Option<(&[String], &str)> {
        if self != Self::Yarn {
            return None;
        }
        let (before, rest) = arguments.split_at_checked(self.first_word(arguments)?)?;
        let name = rest.first()?;
        (!YARNS.contains(&name.as_str())).then_some((before, name))
    }

    /// What these arguments ask for. In doubt it fetches.
    pub(crate) fn doing(self, arguments: &[String]) -> Doing {
        let asks = |word: &String| ASKING.contains(&word.as_str());
        if !arguments.is_empty() && arguments.iter().all(asks) {
            return Doing::Says;
        }
        let plain = |word: &&String| PLAIN_OPTIONS.contains(&word.as_str());
        let command = arguments.iter().find(|word| !plain(word));
        let runs = command.is_some_and(|word| RUNNING.contains(&word.as_str()));
        match self {
            Self::Yarn | Self::Bun if runs => Doing::Runs,
            Self::Yarn => self.doing_by_yarn(arguments),
            Self::Bun if is_beside_bun(arguments) => Doing::Beside,
            _ => Doing::Fetches,
        }
    }

    /// Whether bun may write a lockfile of the kind that it writes unless it is told otherwise.
    pub(crate) fn makes_lockfile(self, arguments: &[String]) -> bool {
        let said_not = |word: &String| BUN_LOCKS_NOT.contains(&word.as_str());
        let command = arguments.iter().find(|word| !word.starts_with('-'));
        self == Self::Bun
            && command.is_some_and(|word| BUN_LOCKS.contains(&word.as_str()))
            && !arguments.iter().any(said_not)
    }

    /// In a member of the workspaces, yarn does what comes after its name.
    fn doing_by_yarn(self, arguments: &[String]) -> Doing {
        let command = self.first_word(arguments);
        let words = command.and_then(|at| arguments.get(at..));
        let words: Vec<&str> = words
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
            .collect();
        match words.as_slice() {
            ["workspace", _, ..] => {
                let after = command.and_then(|at| arguments.get(at + 2..));
                after
                    .filter(|it| !it.is_empty())
                    .map_or(Doing::Fetches, |it| self.doing(it))
            }
            ["workspaces", "run", ..] => Doing::Runs,
            [word, ..] if INSTALLING.contains(word) => Doing::Installs,
            ["audit" | "info", ..] => Doing::Beside,
            [_, ..] => Doing::Fetches,
            // Without a command yarn installs. What stands behind an option may be that option's value, or one.
            [] => {
                let mut others = arguments.iter().filter(|word| !word.starts_with('-'));
                if others.all(|word| INSTALLING.contains(&word.as_str())) {
                    Doing::Installs
                } else {
                    Doing::Fetches
                }
            }
        }
    }

    /// Whether these arguments seem to run a script or a tool. Words that may be values of options are passed
    /// over.
    pub(crate) fn runs_others(self, arguments: &[String]) -> bool {
        if self == Self::Npx {
            return true;
        }
        let mut may_be_value = false;
        for word in arguments {
            if word.starts_with('-') {
                may_be_value = !word.contains('=') && !PLAIN_OPTIONS.contains(&word.as_str());
            } else if RUNNING_ANYWHERE.contains(&word.as_str()) {
                return true;
            } else if !std::mem::take(&mut may_be_value) {
                return false;
            }
        }
        false
    }
}

fn is_beside_bun(arguments: &[String]) -> bool {
    let plain = |word: &&String| PLAIN_OPTIONS.contains(&word.as_str());
    let words = arguments.iter().skip_while(plain).map(String::as_str);
    let words: Vec<&str> = words.take(2).collect();
    match words.as_slice() {
        ["pm", word, ..] => BESIDE_BUN_PM.contains(word),
        [word, ..] => BESIDE_BUN.contains(word),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_what_fetches_nothing_for_certain_is_said_to() {
        for (client, line, expected) in [
            (Client::Bun, "--version", Doing::Says),
            (Client::Yarn, "-v", Doing::Says),
            (Client::Yarn, "--silent run hi", Doing::Runs),
            (Client::Bun, "test", Doing::Runs),
            (Client::Bun, "x tool", Doing::Beside),
            (Client::Bun, "--silent pm ls --all", Doing::Beside),
            (Client::Bun, "outdated", Doing::Beside),
            (Client::Bun, "pm pack", Doing::Fetches),
            (Client::Bun, "add x", Doing::Fetches),
            // It may be the option's value.
            (Client::Bun, "--cwd x install", Doing::Fetches),
            (Client::Yarn, "info left", Doing::Beside),
            (Client::Yarn, "workspace a audit", Doing::Beside),
            (Client::Yarn, "add info", Doing::Installs),
            (Client::Yarn, "create left", Doing::Fetches),
            (Client::Yarn, "dlx tool", Doing::Fetches),
            // The command may be `install`, with `run` for an option's value.
            (Client::Yarn, "--cwd run install", Doing::Installs),
            (Client::Yarn, "--mutex run install", Doing::Fetches),
            (Client::Yarn, "install --help me", Doing::Installs),
            (Client::Yarn, "--frozen-lockfile", Doing::Installs),
            (Client::Yarn, "--frozen-lockfile install", Doing::Installs),
            (Client::Yarn, "--frozen-lockfile version", Doing::Fetches),
            (Client::Yarn, "add version", Doing::Installs),
            // Hooks of it may put the lockfile into a commit.
            (Client::Yarn, "version --patch", Doing::Fetches),
            (Client::Yarn, "workspace a add left", Doing::Installs),
            (Client::Yarn, "workspace a run build", Doing::Runs),
            (Client::Yarn, "workspace a version", Doing::Fetches),
            (Client::Yarn, "workspace a", Doing::Fetches),
            (Client::Yarn, "workspaces run build", Doing::Runs),
            (Client::Yarn, "workspaces info", Doing::Fetches),
            (Client::Yarn, "global add left", Doing::Fetches),
            (Client::Pnpm, "run hi", Doing::Fetches),
        ] {
            assert_eq!(client.doing(&words(line)), expected, "{client:?} {line}");
        }
        // yarn without any word installs.
        assert_eq!(Client::Yarn.doing(&[]), Doing::Installs);
    }

    #[test]
    fn commands_of_bun_that_write_a_lockfile_are_known() {
        for (client, line, expected) in [
            (Client::Bun, "install", true),
            (Client::Bun, "add left --exact", true),
            (Client::Bun, "--silent remove left", true),
            (Client::Bun, "install --save-text-lockfile", false),
            (Client::Bun, "add -g left", false),
            (Client::Bun, "pm ls", false),
            (Client::Bun, "run install", false),
            (Client::Pnpm, "install", false),
        ] {
            let makes = client.makes_lockfile(&words(line));
            assert_eq!(makes, expected, "{client:?} {line}");
        }
    }

    #[test]
    fn what_may_be_a_script_to_yarn_is_no_command_of_any() {
        for (client, line, expected) in [
            (Client::Yarn, "build", Some((0, "build"))),
            (Client::Yarn, "build install", Some((0, "build"))),
            (
                Client::Yarn,
                "--silent --cwd sub build:all --watch",
                Some((3, "build:all")),
            ),
            (Client::Yarn, "test", Some((0, "test"))),
            (Client::Yarn, "upgrade-interactive", None),
            (Client::Yarn, "dlx build", None),
            (Client::Yarn, "--silent", None),
            // It may be the option's value.
            (Client::Yarn, "--mutex build install", None),
            (Client::Pnpm, "build", None),
            (Client::Bun, "build", None),
        ] {
            let words = words(line);
            let found = client.shorthand(&words);
            let found = found.map(|(before, name)| (before.len(), name));
            assert_eq!(found, expected, "{client:?} {line}");
        }
    }

    #[test]
    fn commands_that_run_scripts_and_tools_are_known() {
        for (client, line, expected) in [
            (Client::Npm, "run hi", true),
            (Client::Npm, "--loglevel silent run hi", true),
            (Client::Npm, "--foreground-scripts test", true),
            (Client::Npx, "tool", true),
            (Client::Npm, "install test", false),
            (Client::Pnpm, "dlx tool", true),
            (Client::Pnpm, "install", false),
        ] {
            let runs = client.runs_others(&words(line));
            assert_eq!(runs, expected, "{client:?} {line}");
        }
    }
}
