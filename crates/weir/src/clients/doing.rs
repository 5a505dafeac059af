//! What a command is about, as far as its words say it for certain: it fetches, it runs something, or neither.

use super::{Client, PLAIN_OPTIONS};

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It says something of the client, and ends.
    Says,
    /// It runs what is there already: what that fetches, the client does not know either.
    Runs,
    /// It may fetch.
    Fetches,
}

/// Words that ask a client about itself.
const ASKING: &[&str] = &["--version", "-v", "-V", "--help", "-h", "help"];

/// Commands of yarn and bun that run something and fetch nothing. pnpm 11 and later may install first.
const RUNNING: &[&str] = &["run", "exec", "test", "start", "stop", "restart", "node"];

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

impl Client {
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
            _ => Doing::Fetches,
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
            (Client::Bun, "x tool", Doing::Fetches),
            (Client::Yarn, "dlx tool", Doing::Fetches),
            // The command may be `install`, with `run` for an option's value.
            (Client::Yarn, "--cwd run install", Doing::Fetches),
            (Client::Yarn, "install --help me", Doing::Fetches),
            (Client::Pnpm, "run hi", Doing::Fetches),
        ] {
            assert_eq!(client.doing(&words(line)), expected, "{client:?} {line}");
        }
        // yarn without any word installs.
        assert_eq!(Client::Yarn.doing(&[]), Doing::Fetches);
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
