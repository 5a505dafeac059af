//! What a client's arguments say of where it works and whose settings it reads.

use std::collections::BTreeMap;

use super::{Client, PLAIN_OPTIONS};

/// What arguments say of folders and settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The folder to work in.
    pub folder: Option<String>,
    /// Files of npm's settings, by the variable (`npm_config_userconfig`) that names them as well.
    pub settings: BTreeMap<String, String>,
    /// The file of bun's settings.
    pub bunfig: Option<String>,
    /// An option that names a file of settings which weir would not read as the client does.
    pub unread: Option<String>,
}

/// What an option is about.
#[derive(Debug, Clone, Copy)]
enum About {
    Folder,
    /// The variable that says the same.
    Settings(&'static str),
    Bunfig,
    Unread,
    /// It has no value unless with `=`; the variable that says the same.
    Flag(&'static str),
}

/// Words after which everything is for what is run.
const RUNNERS: &[&str] = &["run", "exec", "dlx", "x", "node", "test", "start", "create"];

/// Options without a value that may come before what is run. The word after any other is taken for its value,
/// as npx has it: in doubt a word is the client's.
const SWITCHES: &[&str] = &[
    "--no",
    "--no-install",
    "--offline",
    "--prefer-offline",
    "--prefer-online",
    "--ignore-existing",
    "--shell-mode",
    "--workspace-root",
    "--recursive",
    "-r",
    "--bun",
    "-b",
    "-g",
    "--global",
    "--ignore-workspace",
];

/// npm's variable for the mode in which it leaves the project's settings out.
const GLOBAL: &str = "npm_config_global";

/// The variable that lets pnpm forget the workspaces around it.
pub(crate) const IGNORES_WORKSPACE: &str = "npm_config_ignore_workspace";

impl Client {
    /// Whether these arguments name a registry of their own, which would go past weir. npm takes any
    /// unambiguous beginning of an option for the option, whatever the number of dashes, and `reg` is a short
    /// form of its own; what follows `--`, or the name of a script or a tool, is for that.
    pub(crate) fn names_registry(self, arguments: &[String]) -> bool {
        let mut keys = self
            .before_tool(arguments)
            .iter()
            .filter_map(|word| split(word));
        keys.any(|(key, _)| {
            let key = key.strip_prefix("config.").unwrap_or(key);
            // npm has `--no-` before any option that is a flag among other things, which says that it is not.
            let key = key.strip_prefix("no-").unwrap_or(key);
            begins(key, "registry", 3)
                || begins(key, "replace-registry-host", 3)
                || (key.starts_with('@') && key.ends_with(":registry"))
                || key.contains("registries")
        })
    }

    /// Whether these arguments have pnpm read a lockfile in another folder than the project's.
    pub(crate) fn moves_lockfile(self, arguments: &[String]) -> bool {
        let mut keys = self
            .before_tool(arguments)
            .iter()
            .filter_map(|word| split(word));
        // Also as `lockfile-directory`, in camel case, and by its beginning.
        self == Self::Pnpm
            && keys.any(|(key, _)| {
                let key = key.strip_prefix("config.").unwrap_or(key);
                let key = key.replace('-', "").to_ascii_lowercase();
                key.starts_with("lockfiled")
            })
    }

    /// The arguments up to the name of what is run. Between a word like `run` and that name, options are the
    /// client's. In doubt all of them are, up to `--`: `test` may be a package to add, or an option's value.
    fn before_tool(self, arguments: &[String]) -> &[String] {
        let end = arguments.iter().position(|word| word == "--");
        let all = end
            .and_then(|end| arguments.get(..end))
            .unwrap_or(arguments);
        if self == Self::Npx {
            return self.own(all);
        }
        let Some(runner) = self.first_word(all) else {
            return all;
        };
        let is_runner = |word: &String| RUNNERS.contains(&word.as_str());
        if self == Self::Npm || !all.get(runner).is_some_and(is_runner) {
            return all;
        }
        let mut is_value = false;
        let options = all.iter().skip(runner + 1).take_while(|word| {
            let is_option = word.starts_with('-');
            let is_own = is_option || is_value;
            is_value = is_option && may_want_value(word);
            is_own
        });
        let end = runner + 1 + options.count();
        all.get(..end).unwrap_or(all)
    }

    /// Where the command is, if no word before it may be the value of an option that is not known here.
    pub(super) fn first_word(self, arguments: &[String]) -> Option<usize> {
        let mut is_value = false;
        for (index, word) in arguments.iter().enumerate() {
            if std::mem::take(&mut is_value) {
                continue;
            }
            if !word.starts_with('-') {
                return Some(index);
            }
            is_value = self.wants_value(word);
            if !is_value && may_want_value(word) {
                return None;
            }
        }
        None
    }

    /// What these arguments say of folders and settings. Of options said twice, the last counts.
    pub(crate) fn said(self, arguments: &[String]) -> Said {
        let mut said = Said::default();
        let mut words = self.own(arguments).iter();
        while let Some(word) = words.next() {
            let Some((key, value)) = self.parts(word) else {
                continue;
            };
            let Some(option) = self.option(key) else {
                continue;
            };
            if let About::Flag(variable) = option {
                let is_off = key.starts_with("no-");
                let value = value.unwrap_or(if is_off { "false" } else { "true" });
                said.settings.insert(variable.to_owned(), value.to_owned());
                continue;
            }
            let value = value.or_else(|| words.next().map(String::as_str));
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            match option {
                About::Folder => said.folder = Some(value.to_owned()),
                About::Settings(variable) => {
                    said.settings.insert(variable.to_owned(), value.to_owned());
                }
                About::Bunfig => said.bunfig = Some(value.to_owned()),
                About::Unread => said.unread = Some(word.clone()),
                About::Flag(_) => {}
            }
        }
        said
    }

    /// The arguments that are for the client and not for what it runs.
    fn own(self, arguments: &[String]) -> &[String] {
        let mut is_value = false;
        let end = arguments.iter().position(|word| {
            if std::mem::take(&mut is_value) {
                return false;
            }
            if word == "--" {
                return true;
            }
            if word.starts_with('-') {
                is_value = self.wants_value(word);
                return false;
            }
            match self {
                Self::Npm => false,
                Self::Npx => true,
                Self::Pnpm | Self::Yarn | Self::Bun => RUNNERS.contains(&word.as_str()),
            }
        });
        end.and_then(|end| arguments.get(..end))
            .unwrap_or(arguments)
    }

    fn wants_value(self, word: &str) -> bool {
        if self == Self::Npx {
            return may_want_value(word);
        }
        let has_value = |key| !matches!(self.option(key), None | Some(About::Flag(_)));
        self.parts(word)
            .is_some_and(|(key, value)| value.is_none() && has_value(key))
    }

    fn parts(self, word: &str) -> Option<(&str, Option<&str>)> {
        // pnpm takes `-Cfolder`, too.
        if self == Self::Pnpm
            && let Some(folder) = word.strip_prefix("-C")
            && !folder.is_empty()
        {
            return Some(("C", Some(folder.trim_start_matches('='))));
        }
        split(word)
    }

    fn option(self, key: &str) -> Option<About> {
        match self {
            // The lengths are those from which on a beginning is unambiguous for npm.
            Self::Npm | Self::Npx => match key {
                "C" => Some(About::Folder),
                "g" | "global" | "no-global" => Some(About::Flag(GLOBAL)),
                "L" => Some(About::Settings("npm_config_location")),
                _ if begins(key, "location", 5) => Some(About::Settings("npm_config_location")),
                _ if begins(key, "prefix", 5) => Some(About::Folder),
                _ if begins(key, "userconfig", 5) => Some(About::Settings("npm_config_userconfig")),
                _ if begins(key, "globalconfig", 7) => {
                    Some(About::Settings("npm_config_globalconfig"))
                }
                _ => None,
            },
            Self::Pnpm => match key.strip_prefix("config.").unwrap_or(key) {
                "C" | "dir" | "prefix" => Some(About::Folder),
                "userconfig" | "globalconfig" | "npmrc-auth-file" => Some(About::Unread),
                "ignore-workspace" | "no-ignore-workspace" => Some(About::Flag(IGNORES_WORKSPACE)),
                _ => None,
            },
            Self::Yarn => match key {
                "cwd" => Some(About::Folder),
                "use-yarnrc" => Some(About::Unread),
                _ => None,
            },
            Self::Bun => match key {
                "cwd" => Some(About::Folder),
                "config" => Some(About::Bunfig),
                _ => None,
            },
        }
    }
}

/// An option's name without its dashes, and its value if they are one word.
fn split(word: &str) -> Option<(&str, Option<&str>)> {
    let bare = word.trim_start_matches('-');
    if bare.is_empty() || bare.len() == word.len() {
        return None;
    }
    Some(match bare.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (bare, None),
    })
}

/// Whether the word after an option may be its value.
fn may_want_value(option: &str) -> bool {
    !option.contains('=') && !PLAIN_OPTIONS.contains(&option) && !SWITCHES.contains(&option)
}

/// Whether a word is at least so many bytes of the beginning of an option.
fn begins(word: &str, option: &str, least: usize) -> bool {
    word.len() >= least && option.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_registry_on_the_command_line_is_noticed_in_every_spelling() {
        for (line, expected) in [
            ("install --registry=http://r.example/", true),
            ("install x --regi http://r.example/", true),
            ("install -registry=http://r.example/", true),
            ("install -reg=http://r.example/", true),
            ("install -reg http://r.example/", true),
            ("install ---registry=http://r.example/", true),
            ("install --@s:registry=http://r.example/", true),
            ("install -@s:registry=http://r.example/", true),
            ("install --config.registry=http://r.example/", true),
            ("install --replace-registry-host=never", true),
            ("run x -- --registry=http://r.example/", false),
            ("install --reg-exp", false),
            ("install registry", false),
            ("install -r --reporter=silent", false),
            ("ci", false),
        ] {
            assert_eq!(Client::Npm.names_registry(&words(line)), expected, "{line}");
        }
    }

    /// What comes after the name of a tool is the tool's; what comes before it is the client's.
    #[test]
    fn a_tools_own_registry_is_no_clients() {
        for (client, line, expected) in [
            (Client::Npx, "-y cli-tool 0 --registry=http://x/", false),
            (Client::Npx, "-y --registry=http://x/ cli-tool", true),
            (Client::Npx, "--cache there --registry=http://x/ tool", true),
            (Client::Npx, "-p tool --registry http://x/ tool", true),
            (Client::Pnpm, "dlx cli-tool 0 --registry=x", false),
            (Client::Pnpm, "dlx --registry=x cli-tool", true),
            (Client::Pnpm, "dlx --package tool --registry=x tool", true),
            (Client::Pnpm, "--config.@s:registry=x install", true),
            (Client::Pnpm, "--config.registries.default=x install", true),
            (Client::Pnpm, "install --registry=x", true),
            (Client::Bun, "x --registry=x tool", true),
            (Client::Bun, "x tool --registry=x", false),
            (Client::Yarn, "run hi --registry=x", false),
            (Client::Yarn, "add left --registry=x", true),
            // A package, a value, or a command: in doubt it is no command.
            (Client::Yarn, "add test --registry=x", true),
            (Client::Pnpm, "--filter run install --registry=x", true),
            (Client::Pnpm, "--dir sub run hi --registry=x", false),
            (Client::Pnpm, "--dir sub run --registry=x hi", true),
            (Client::Npm, "exec tool --registry=x", true),
            (Client::Npm, "ci --use-this-registry=x", false),
            (Client::Npm, "ci --no-replace-registry-host", true),
        ] {
            let names = client.names_registry(&words(line));
            assert_eq!(names, expected, "{client:?} {line}");
        }
    }

    #[test]
    fn a_lockfile_elsewhere_is_noticed() {
        for (client, line, expected) in [
            (Client::Pnpm, "install --lockfile-dir ..", true),
            (Client::Pnpm, "--lockfile-dir=.. install", true),
            (Client::Pnpm, "--config.lockfileDir=.. install", true),
            (Client::Pnpm, "install --lockfile-directory ..", true),
            (Client::Pnpm, "install --lockfile-only", false),
            (Client::Pnpm, "run hi --lockfile-dir ..", false),
            (Client::Npm, "ci --lockfile-dir ..", false),
        ] {
            let moves = client.moves_lockfile(&words(line));
            assert_eq!(moves, expected, "{client:?} {line}");
        }
    }

    #[test]
    fn flags_are_read_as_the_variables_they_stand_for() {
        for (client, line, expected) in [
            (Client::Npm, "i -g left", Some((GLOBAL, "true"))),
            (Client::Npm, "--global=false i", Some((GLOBAL, "false"))),
            (Client::Npm, "i --no-global", Some((GLOBAL, "false"))),
            (
                Client::Npm,
                "i --location global left",
                Some(("npm_config_location", "global")),
            ),
            (Client::Npm, "i left", None),
            (
                Client::Pnpm,
                "i --ignore-workspace",
                Some((IGNORES_WORKSPACE, "true")),
            ),
            (Client::Pnpm, "run x --ignore-workspace", None),
            (Client::Pnpm, "add -g left", None),
        ] {
            let said = client.said(&words(line));
            let first = said.settings.iter().next();
            let first = first.map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(first, expected, "{client:?} {line}");
        }
        // It has no value: the word after it is the command.
        let said = Client::Pnpm.said(&words("--ignore-workspace --dir sub install"));
        assert_eq!(said.folder.as_deref(), Some("sub"));
    }

    /// As the clients have it: npm 11, pnpm 10 and 12, yarn 1 and 4, bun 1.4, each tried.
    #[test]
    fn the_folder_is_the_one_that_the_client_takes() {
        for (client, line, folder) in [
            (Client::Npm, "--prefix sub install", Some("sub")),
            (Client::Npm, "install -C sub", Some("sub")),
            (Client::Npm, "-prefix=sub install", Some("sub")),
            (Client::Npm, "--prefi sub install", Some("sub")),
            (Client::Npm, "--prefix a --prefix sub ci", Some("sub")),
            (Client::Npm, "--prefer-offline ci", None),
            (Client::Npm, "--dir sub ci", None),
            (Client::Npm, "run x -- --prefix sub", None),
            (Client::Npx, "--prefix sub tool", Some("sub")),
            (
                Client::Npx,
                "-p tool --prefix sub tool --prefix other",
                Some("sub"),
            ),
            (Client::Pnpm, "--dir sub install", Some("sub")),
            (Client::Pnpm, "install --prefix=sub", Some("sub")),
            (Client::Pnpm, "-C=sub install", Some("sub")),
            (Client::Pnpm, "-Csub install", Some("sub")),
            (Client::Pnpm, "--dir run install -C sub", Some("sub")),
            (Client::Pnpm, "run build --dir sub", None),
            (Client::Yarn, "--cwd sub install", Some("sub")),
            (Client::Bun, "install --cwd=sub", Some("sub")),
            (Client::Bun, "run build --cwd=sub", None),
        ] {
            let said = client.said(&words(line));
            assert_eq!(said.folder.as_deref(), folder, "{client:?} {line}");
        }
    }

    #[test]
    fn files_of_settings_are_read_or_noticed() {
        for line in [
            "--userconfig other ci",
            "ci -userconfig=other",
            "--userc=other ci",
        ] {
            let said = Client::Npm.said(&words(line));
            let file = said.settings.get("npm_config_userconfig");
            assert_eq!(file.map(String::as_str), Some("other"), "{line}");
        }
        let said = Client::Npm.said(&words("--globalconfig other --user me ci"));
        assert!(said.settings.contains_key("npm_config_globalconfig"));
        assert_eq!(said.settings.len(), 1);
        for (client, line) in [
            (Client::Pnpm, "install --npmrc-auth-file=other"),
            (Client::Pnpm, "--config.userconfig=other install"),
            (Client::Yarn, "install --use-yarnrc other"),
        ] {
            assert!(client.said(&words(line)).unread.is_some(), "{line}");
        }
        let said = Client::Bun.said(&words("--config=other.toml install"));
        assert_eq!(said.bunfig.as_deref(), Some("other.toml"));
    }
}
