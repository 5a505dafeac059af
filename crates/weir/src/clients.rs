//! The five clients: how each is pointed at a gateway by its environment alone.

use std::path::Path;

/// A client weir can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// npm.
    Npm,
    /// npx.
    Npx,
    /// pnpm.
    Pnpm,
    /// yarn, classic or berry: which one is decided by the project.
    Yarn,
    /// bun.
    Bun,
}

/// Commands of npm-like clients that change something on a registry or an account. They are for the
/// registry itself and run without weir between.
const WRITING: &[&str] = &[
    "access",
    "adduser",
    "add-user",
    "deprecate",
    "dist-tag",
    "dist-tags",
    "hook",
    "login",
    "logout",
    "org",
    "owner",
    "profile",
    "publish",
    "stage",
    "star",
    "stars",
    "team",
    "token",
    "trust",
    "undeprecate",
    "unpublish",
    "unstar",
    "whoami",
];

/// Those of them that are commands of every client, never a script's name.
const WRITING_EVERYWHERE: &[&str] = &[
    "adduser",
    "deprecate",
    "dist-tag",
    "login",
    "logout",
    "owner",
    "publish",
    "unpublish",
    "whoami",
];

/// Options without a value that may come before a command.
const PLAIN_OPTIONS: &[&str] = &[
    "--silent",
    "-s",
    "--quiet",
    "-q",
    "--verbose",
    "-d",
    "-dd",
    "-ddd",
    "--json",
    "--yes",
    "-y",
    "--force",
    "-f",
    "--dry-run",
];

impl Client {
    /// The program to run.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Npx => "npx",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }

    /// Whether these arguments ask for something that goes to the registry itself. In doubt they do
    /// not: `--prefix team ci` is an install in a folder called `team`.
    pub(crate) fn writes(self, arguments: &[String]) -> bool {
        let Some(first) = arguments.iter().position(|word| !word.starts_with('-')) else {
            return false;
        };
        let (options, words) = arguments.split_at(first);
        let takes_value =
            |option: &String| !option.contains('=') && !PLAIN_OPTIONS.contains(&option.as_str());
        if options.iter().any(takes_value) {
            return false;
        }
        let word = |index: usize| words.get(index).map(String::as_str);
        let (word, writing) = match (self, word(0)) {
            (Self::Npx, _) => return false,
            (Self::Npm, word) => (word, WRITING),
            // yarn berry: `yarn npm publish`; bun: `bun pm whoami`.
            (Self::Yarn, Some("npm")) | (Self::Bun, Some("pm")) => (word(1), WRITING),
            // Other words may be scripts of the project here.
            (_, word) => (word, WRITING_EVERYWHERE),
        };
        word.is_some_and(|word| writing.contains(&word))
    }

    /// Whether these arguments name a registry of their own, which would go past weir. npm takes any
    /// unambiguous beginning of an option for the option; what follows `--` is for a script.
    pub(crate) fn names_registry(arguments: &[String]) -> bool {
        arguments
            .iter()
            .take_while(|word| *word != "--")
            .any(|word| {
                let key = word.split('=').next().unwrap_or(word);
                let shortened = key.len() >= 5 && "--registry".starts_with(key);
                shortened || (key.starts_with("--") && key.ends_with("registry"))
            })
    }

    /// The environment that points the client at `gateway` (with a final slash). `scopes` are the
    /// scopes (without `@`) that the user's configuration sends to registries of their own: they
    /// have to come to the gateway too.
    pub(crate) fn environment(self, gateway: &str, scopes: &[String]) -> Vec<(String, String)> {
        let mut set = vec![
            ("npm_config_registry".to_owned(), gateway.to_owned()),
            // A lockfile names the registry it was made with; npm otherwise goes there (PROTOCOL 3.7).
            (
                "npm_config_replace_registry_host".to_owned(),
                "always".to_owned(),
            ),
        ];
        for scope in scopes {
            set.push((format!("npm_config_@{scope}:registry"), gateway.to_owned()));
        }
        match self {
            Self::Npm | Self::Npx => {}
            Self::Pnpm => {
                // pnpm 11 and later read their own prefix only.
                set.push(("pnpm_config_registry".to_owned(), gateway.to_owned()));
                for scope in scopes {
                    set.push((format!("pnpm_config_@{scope}:registry"), gateway.to_owned()));
                }
            }
            Self::Yarn => {
                set.push(("YARN_REGISTRY".to_owned(), gateway.to_owned()));
                set.push((
                    "YARN_NPM_REGISTRY_SERVER".to_owned(),
                    gateway.trim_end_matches('/').to_owned(),
                ));
                // Berry refuses plain HTTP to hosts it is not told of; this one is loopback.
                set.push((
                    "YARN_UNSAFE_HTTP_WHITELIST".to_owned(),
                    "127.0.0.1".to_owned(),
                ));
            }
            Self::Bun => set.push(("BUN_CONFIG_REGISTRY".to_owned(), gateway.to_owned())),
        }
        set
    }

    /// What `NO_PROXY` has to hold so that a configured proxy is not asked for loopback.
    pub(crate) fn no_proxy(current: Option<&str>) -> String {
        match current.filter(|value| !value.is_empty()) {
            Some(current) => format!("{current},127.0.0.1"),
            None => "127.0.0.1".to_owned(),
        }
    }

    /// Lockfile entries in `folder` that this client would fetch from where they say, past any
    /// registry setting: the file, and how many. yarn classic and bun do that (PROTOCOL 3.7).
    pub(crate) fn bypassing(self, folder: &Path) -> Option<(String, usize)> {
        let (file, before) = match self {
            Self::Yarn => ("yarn.lock", "\n  resolved \""),
            Self::Bun => ("bun.lock", "\", \""),
            _ => return None,
        };
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        let marked = |scheme: &str| text.matches(&format!("{before}{scheme}://")).count();
        let count = marked("http") + marked("https");
        (count > 0).then(|| (file.to_owned(), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn publishing_goes_to_the_registry_itself() {
        for (client, line, expected) in [
            (Client::Npm, "publish --tag next", true),
            (Client::Npm, "--loglevel=warn whoami", true),
            (Client::Npm, "install publish", false),
            (Client::Npm, "ci", false),
            (Client::Yarn, "npm publish", true),
            (Client::Yarn, "npm audit", false),
            (Client::Bun, "pm whoami", true),
            (Client::Npx, "publish", false),
            (Client::Npm, "--prefix team ci", false),
            (Client::Npm, "-w hook install left-lib", false),
            (Client::Npm, "--json whoami", true),
            (Client::Yarn, "stage", false),
            (Client::Pnpm, "publish", true),
        ] {
            assert_eq!(client.writes(&words(line)), expected, "{client:?} {line}");
        }
    }

    #[test]
    fn a_registry_on_the_command_line_is_noticed_in_every_spelling() {
        for (line, expected) in [
            ("install --registry=http://r.example/", true),
            ("install x --regi http://r.example/", true),
            ("install --@s:registry=http://r.example/", true),
            ("install --config.registry=http://r.example/", true),
            ("run x -- --registry=http://r.example/", false),
            ("install --reg-exp", false),
            ("ci", false),
        ] {
            assert_eq!(Client::names_registry(&words(line)), expected, "{line}");
        }
    }

    #[test]
    fn lockfile_entries_with_addresses_of_their_own_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Client::Yarn.bypassing(folder.path()), None);
        std::fs::write(
            folder.path().join("yarn.lock"),
            "a@^1:\n  version \"1.0.0\"\n  resolved \"https://registry.example.invalid/a/-/a-1.0.0.tgz#x\"\n",
        )
        .unwrap();
        assert_eq!(
            Client::Yarn.bypassing(folder.path()),
            Some(("yarn.lock".to_owned(), 1))
        );
        assert_eq!(Client::Npm.bypassing(folder.path()), None);
        let lock = "\"a\": [\"a@1.0.0\", \"\", { \"dependencies\": { \"b\": \"1\", \"http-x\": \"1\" } }, \"sha512-x\"]";
        std::fs::write(folder.path().join("bun.lock"), lock).unwrap();
        assert_eq!(Client::Bun.bypassing(folder.path()), None);
    }
}
