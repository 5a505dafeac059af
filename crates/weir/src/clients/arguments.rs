//! What a client's arguments say of where it works and whose settings it reads.

use std::collections::BTreeMap;

use super::Client;

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
}

/// Words after which everything is for what is run.
const RUNNERS: &[&str] = &["run", "exec", "dlx", "x", "node", "test", "start", "create"];

/// Options of npx that have a value: the word after them is not what is run.
const NPX_VALUES: &[&str] = &["-p", "--package", "-c", "--call", "-w", "--workspace"];

impl Client {
    /// Whether these arguments name a registry of their own, which would go past weir. npm takes any
    /// unambiguous beginning of an option for the option, whatever the number of dashes, and `reg` is a short
    /// form of its own; what follows `--` is for a script.
    pub(crate) fn names_registry(arguments: &[String]) -> bool {
        let words = arguments.iter().take_while(|word| *word != "--");
        let mut keys = words.filter_map(|word| split(word));
        keys.any(|(key, _)| {
            begins(key, "registry", 3)
                || begins(key, "replace-registry-host", 3)
                || key.ends_with("registry")
                || key.contains("registries")
        })
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
        if self == Self::Npx && NPX_VALUES.contains(&word) {
            return true;
        }
        self.parts(word)
            .is_some_and(|(key, value)| value.is_none() && self.option(key).is_some())
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
            assert_eq!(Client::names_registry(&words(line)), expected, "{line}");
        }
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
