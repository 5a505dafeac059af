//! What a client fetches past weir, whatever registry it is pointed at: addresses in lockfiles, and settings
//! of its own that no variable and no argument overrides.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use weir_model::finding::printable;
use weir_npm::lockfile::Format;
use weir_npm::settings::{MAX_SIZE, Said, Setting, Settings};
use weir_npm::version::Version;

use super::{Client, Doing};
use crate::counted::counted;

mod locked;
mod members;
mod yarnrc;

/// Where a client works, and what it reads besides.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// The folder it works in.
    pub folder: &'a Path,
    /// The folder of its lockfile.
    pub project: &'a Path,
    /// The user's home.
    pub home: Option<&'a Path>,
    /// The folder of the user's settings: `$XDG_CONFIG_HOME` or what stands for it.
    pub config: Option<&'a Path>,
    /// The file that bun's command line names.
    pub bunfig: Option<&'a Path>,
    /// What yarn's own settings files are called.
    pub yarnrc_yml: &'a str,
    /// The scopes (without `@`) whose registries weir knows and takes the place of.
    pub known: &'a [String],
    /// Whether the client is a script of a shell that hands on no variable with `@` in its name.
    pub by_shell: bool,
}

/// A file that leads a client past weir.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub what: Leads,
}

/// What in a file leads past weir.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// So many entries of a lockfile with an address of their own.
    Entries(usize),
    /// Scopes with a registry of their own, or names that pnpm gives to registries.
    Names(BTreeSet<String>),
    /// Scopes in npm's settings, which weir knows and this client cannot be told of.
    Lost(BTreeSet<String>),
    /// Settings of registries that cannot be read here, though the client may.
    Unreadable,
    /// Settings, by their keys, that send a client elsewhere than to the registry it is pointed at.
    Settings(BTreeSet<String>),
    /// A lockfile that cannot be read here, though the client may, and why.
    Unread(String),
    /// A binary lockfile of bun.
    Binary,
    /// A setting that makes bun write a binary lockfile, in which nothing can be put back after a run.
    WritesBinary,
    /// A bun, of this version, that writes one unless it is told otherwise.
    OldBun(String),
}

/// How a file of settings is written.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Npmrc,
    Yarnrc,
    YarnrcYml,
    PnpmYaml,
    /// An `.npmrc` in which pnpm looks for its own settings, too.
    PnpmRc,
    Bunfig,
}

/// A file of settings, and whether it counts for the scopes that weir knows, too.
type Place = (PathBuf, Kind, bool);

impl Past {
    /// In a sentence without its end.
    pub(crate) fn says(&self, client: Client) -> String {
        let program = client.program();
        match &self.what {
            Leads::Entries(count) => format!(
                "{} of {} {}, and {program} fetches from there",
                counted(*count, "entry", "entries"),
                self.file.display(),
                match count {
                    1 => "names the registry it came from",
                    _ => "name the registry they came from",
                }
            ),
            Leads::Names(names) | Leads::Lost(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                format!(
                    "{} names registries that {program} asks itself: {}",
                    self.file.display(),
                    printable(&names.join(", "), 300)
                )
            }
            Leads::Unreadable => format!(
                "{} says something of registries, and cannot be read",
                self.file.display()
            ),
            Leads::Settings(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                format!(
                    "{} sends {program} elsewhere than to the registry it is pointed at, by {}",
                    self.file.display(),
                    printable(&keys.join(", "), 300)
                )
            }
            Leads::Unread(why) => format!(
                "{} may say where {program} fetches from, and cannot be read: {}",
                self.file.display(),
                printable(why, 300)
            ),
            Leads::Binary => format!(
                "{} is binary, and may say where {program} fetches from",
                self.file.display()
            ),
            Leads::WritesBinary => format!(
                "{} has {program} write a binary lockfile (saveTextLockfile), which would send it to the gateway of \
                 this run when that is gone",
                self.file.display()
            ),
            Leads::OldBun(version) => format!(
                "bun {} writes a binary lockfile ({}), which would send it to the gateway of this run when that is gone",
                printable(version, 40),
                self.file.display()
            ),
        }
    }

    /// What can be done about it.
    pub(crate) fn todo(&self, client: Client) -> &'static str {
        let stays = match &self.what {
            // Without its address, yarn 1 forgets an entry's version, too.
            Leads::Entries(_) if client == Client::Yarn => {
                return "Remove those entries, and yarn takes the best version of each range anew";
            }
            Leads::Entries(_) if client == Client::Bun && self.is_anothers() => {
                return "Have bun make a lockfile of its own of it (`bun pm migrate`, which fetches no tarball), and \
                        remove the addresses that are left in that (the integrity values stay)";
            }
            Leads::Entries(_) => return "Remove those addresses (the integrity values stay)",
            Leads::Settings(_) => return "Remove that from the file",
            Leads::Unread(_) => return "Have the client write it anew, as a file that can be read",
            Leads::Binary => {
                return "Have bun write it as text (`bun install --save-text-lockfile --lockfile-only`, which fetches \
                        no tarball), and remove what addresses are in that";
            }
            Leads::WritesBinary => return "Remove that setting, and bun writes bun.lock",
            Leads::OldBun(_) => {
                return "Take bun 1.2 or later, which writes text; 1.1.39 and later do with --save-text-lockfile";
            }
            Leads::Names(names) => {
                // pnpm is told by arguments, and later yarns of everything at once.
                let lost = |name: &String| !survives(name.trim_start_matches('@'));
                let is_yarn_1 = client == Client::Yarn && !self.is_yaml();
                client == Client::Bun || (is_yarn_1 && names.iter().any(lost))
            }
            Leads::Lost(_) => true,
            Leads::Unreadable => false,
        };
        if stays {
            "No variable changes that here: point them at a gateway (`weir serve`) in that file"
        } else {
            "Name those registries in the project's .npmrc or in your own (`@scope:registry=<address>`, and \
             `registry=<address>` for the default one), where weir finds them, and not there"
        }
    }

    /// Whether it matters to a project in which some scopes come up, and others do not.
    pub(crate) fn matters(&self, client: Client, comes_up: impl Fn(&str) -> bool) -> bool {
        match &self.what {
            Leads::Names(names) | Leads::Lost(names)
                if matches!(client, Client::Yarn | Client::Bun) && !self.is_yaml() =>
            {
                names.iter().any(|name| comes_up(name))
            }
            _ => true,
        }
    }

    /// Whether it is the lockfile of another client than bun.
    fn is_anothers(&self) -> bool {
        self.file.file_name().is_some_and(|name| name != "bun.lock")
    }

    fn is_yaml(&self) -> bool {
        self.file.extension().is_some_and(|end| end == "yml")
    }
}

impl Around<'_> {
    /// Whether bun has a lockfile here, whose kind it keeps.
    pub(crate) fn has_lockfile_of_bun(&self) -> bool {
        let there = |name: &str| self.project.join(name).exists();
        there("bun.lock") || there("bun.lockb")
    }

    /// Before 1.2, bun writes a binary lockfile where no setting says otherwise. `version` is what it says of itself.
    pub(crate) fn by_old_bun(&self, version: &str) -> Option<Past> {
        let version = version.trim();
        let said = Version::parse(version).ok()?;
        let is_told = |file: PathBuf| {
            let text = readable(&file).then(|| std::fs::read(&file).ok()).flatten();
            let settings = text.and_then(|text| read(Kind::Bunfig, &text));
            settings.is_some_and(|it| it.get(&["install", "saveTextLockfile"]).is_some())
        };
        let mut files: Vec<PathBuf> = [self.home, self.config]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(".bunfig.toml"))
            .collect();
        let own = || self.project.join("bunfig.toml");
        files.push(self.bunfig.map_or_else(own, Path::to_owned));
        let is_old = (said.major(), said.minor()) < (1, 2);
        (is_old && !files.into_iter().any(is_told)).then(|| Past {
            file: PathBuf::from("bun.lockb"),
            what: Leads::OldBun(version.to_owned()),
        })
    }
}

impl Client {
    /// Whether the addresses in this client's lockfile are pointed at the gateway for the run. Not for what runs
    /// something of the project's own, which may do anything with the lockfile, put it into a commit even.
    pub(crate) fn is_pointed(self, doing: Doing) -> bool {
        self == Self::Yarn && doing == Doing::Installs
    }

    /// Settings that send this client to registries which weir cannot take the place of: because only the
    /// client's own files name them, or because nothing overrides those files.
    pub(crate) fn past_settings(self, around: &Around<'_>) -> Vec<Past> {
        let mut past: Vec<Past> = self
            .places(around)
            .into_iter()
            .flat_map(|place| look(place, around.known))
            .collect();
        // Where there is a text, bun keeps to it.
        let has_text = around.project.join("bun.lock").exists();
        past.retain(|past| !has_text || past.what != Leads::WritesBinary);
        // yarn 1 makes `-` of `_` in variables, as npm does, and has no argument for scopes.
        let is_lost = |scope: &&String| around.by_shell || !survives(scope);
        let lost = around.known.iter().filter(is_lost);
        let lost: BTreeSet<String> = lost.map(|scope| format!("@{scope}")).collect();
        if self == Self::Yarn && !is_berry(around.project) && !lost.is_empty() {
            past.push(Past {
                file: file_naming(&lost, around),
                what: Leads::Lost(lost),
            });
        }
        past
    }

    /// The files of settings that this client reads and weir does not read as npm's.
    fn places(self, around: &Around<'_>) -> Vec<Place> {
        let upward = || around.folder.ancestors().chain(around.home);
        let mut places: Vec<Place> = Vec::new();
        match self {
            // All of npm's are known.
            Self::Npm | Self::Npx => {}
            Self::Pnpm => {
                // pnpm 10 takes `registries` over variables and arguments; 12 does for `namedRegistries`.
                let file = around.project.join("pnpm-workspace.yaml");
                places.push((file, Kind::PnpmYaml, true));
                if let Some(config) = around.config {
                    let of_user = |file: &str| config.join("pnpm").join(file);
                    places.push((of_user("config.yaml"), Kind::PnpmYaml, false));
                    places.push((of_user("rc"), Kind::Npmrc, false));
                    places.push((of_user("auth.ini"), Kind::Npmrc, false));
                }
                for folder in [around.folder, around.project] {
                    places.push((folder.join(".npmrc"), Kind::PnpmRc, false));
                }
            }
            Self::Yarn => {
                // It reads npm's settings in every folder on the way up, npm in one only.
                for folder in upward() {
                    places.push((folder.join(".npmrc"), Kind::Npmrc, false));
                    places.push((folder.join(".yarnrc"), Kind::Yarnrc, false));
                }
                // Which yarn runs is for the machine to say, too: yarn 1 minds no settings of a later one, and without
                // a lockfile it may be a later one after all.
                if is_berry(around.project) || !around.project.join("yarn.lock").exists() {
                    let later = upward().map(|folder| folder.join(around.yarnrc_yml));
                    places.extend(later.map(|file| (file, Kind::YarnrcYml, true)));
                }
            }
            Self::Bun => {
                let project = around.project;
                for folder in [around.home, around.config].into_iter().flatten() {
                    places.push((folder.join(".npmrc"), Kind::Npmrc, true));
                    places.push((folder.join(".bunfig.toml"), Kind::Bunfig, true));
                }
                places.push((project.join(".npmrc"), Kind::Npmrc, true));
                let own = || project.join("bunfig.toml");
                let bunfig = around.bunfig.map_or_else(own, Path::to_owned);
                places.push((bunfig, Kind::Bunfig, true));
            }
        }
        let mut known = BTreeSet::new();
        places.retain(|(file, ..)| known.insert(file.clone()));
        places
    }
}

/// The file of npm's settings that names one of these scopes: the project's or the user's own, as far as that
/// is where it usually is.
fn file_naming(scopes: &BTreeSet<String>, around: &Around<'_>) -> PathBuf {
    let folders = [Some(around.project), Some(around.folder), around.home];
    let files = folders.into_iter().flatten().map(|it| it.join(".npmrc"));
    let names_one = |file: &PathBuf| {
        let text = readable(file).then(|| std::fs::read(file).ok()).flatten();
        let settings = text.and_then(|text| read(Kind::Npmrc, &text));
        settings.is_some_and(|it| !names(Kind::Npmrc, &it).is_disjoint(scopes))
    };
    let found = files.into_iter().find(names_one);
    found.unwrap_or_else(|| PathBuf::from("npm's configuration"))
}

/// Whether a project is one of yarn 2 or later: it has their settings or their lockfile, or its manifest asks for
/// one of them. A yarn 1 that is asked for another does not go on.
fn is_berry(project: &Path) -> bool {
    has_berrys_files(project) || asks_for_berry(&project.join("package.json"))
}

/// Whether only yarn 2 or later works in a project: it asks for one, or has their files and no lockfile of yarn 1.
/// What is empty is none of yarn 1's.
pub(crate) fn is_by_later_yarn(project: &Path) -> bool {
    let lock = project.join("yarn.lock");
    let is_classic = || {
        let text = std::fs::read(&lock);
        text.is_ok_and(|text| {
            !text.trim_ascii().is_empty()
                && Format::of("yarn.lock", &text) == Some(Format::YarnClassic)
        })
    };
    asks_for_berry(&project.join("package.json")) || (has_berrys_files(project) && !is_classic())
}

/// Whether a manifest has a `packageManager` that is yarn, and not yarn 0 or 1.
fn asks_for_berry(manifest: &Path) -> bool {
    let text = readable(manifest).then(|| std::fs::read(manifest).ok());
    let manifest = text
        .flatten()
        .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let asked = manifest.as_ref().and_then(|it| it.get("packageManager"));
    let version = asked
        .and_then(serde_json::Value::as_str)
        .and_then(|asked| asked.strip_prefix("yarn@"));
    let major = version.and_then(|version| version.split('.').next());
    major.is_some_and(|major| major.parse::<u32>().is_ok_and(|major| major > 1))
}

fn has_berrys_files(project: &Path) -> bool {
    project.join(".yarnrc.yml").is_file()
        || std::fs::read(project.join("yarn.lock"))
            .is_ok_and(|text| Format::of("yarn.lock", &text) == Some(Format::YarnBerry))
}

/// Whether a scope is the same after npm and yarn 1 have read it from a variable's name: lower case, and
/// with `-` for `_`.
fn survives(scope: &str) -> bool {
    !scope.contains(|it: char| it == '_' || it.is_ascii_uppercase())
}

/// Whether a program is a script of `sh`, as the one that yarn 1 brings. Where that is dash, variables with other
/// names than its own variables may have do not get through it; bash and zsh hand them on.
pub(crate) fn is_by_shell(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    let Some(file) = files.find(|file| file.is_file()) else {
        return false;
    };
    let mut first = [0; 64];
    let read = std::fs::File::open(file).and_then(|mut file| file.read(&mut first));
    let first = first.get(..read.unwrap_or(0)).unwrap_or_default();
    let line = first
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let Some(words) = line.strip_prefix("#!") else {
        return false;
    };
    let names = words.split_whitespace().map(|word| word.rsplit('/').next());
    names
        .into_iter()
        .any(|name| matches!(name, Some("sh" | "dash" | "ash")))
}

/// Whether a file may be read: a device or a pipe would be read without end.
fn readable(file: &Path) -> bool {
    let found = std::fs::metadata(file);
    found.is_ok_and(|found| found.is_file() && found.len() <= MAX_SIZE as u64)
}

fn look((file, kind, all): Place, known: &[String]) -> Vec<Past> {
    let text = readable(&file).then(|| std::fs::read(&file).ok()).flatten();
    let Some(text) = text else {
        return Vec::new();
    };
    let Some(settings) = read(kind, &text) else {
        let what = may_name(kind, &text).then_some(Leads::Unreadable);
        return what
            .into_iter()
            .map(|what| Past {
                file: file.clone(),
                what,
            })
            .collect();
    };
    let mut names = names(kind, &settings);
    names.retain(|name| all || !known.iter().any(|scope| *name == format!("@{scope}")));
    let mut keys: BTreeSet<String> = settings.iter().filter_map(|it| leading(kind, it)).collect();
    if matches!(kind, Kind::Yarnrc) {
        keys.extend(yarnrc::leading(&String::from_utf8_lossy(&text)));
    }
    let mut found = Vec::new();
    if !names.is_empty() {
        found.push(Leads::Names(names));
    }
    if !keys.is_empty() {
        found.push(Leads::Settings(keys));
    }
    if matches!(kind, Kind::Bunfig)
        && settings
            .get(&["install", "saveTextLockfile"])
            .is_some_and(Setting::is_off)
    {
        found.push(Leads::WritesBinary);
    }
    found
        .into_iter()
        .map(|what| Past {
            file: file.clone(),
            what,
        })
        .collect()
}

/// A file of settings; nothing if it cannot be read.
fn read(kind: Kind, text: &[u8]) -> Option<Settings> {
    match kind {
        Kind::Npmrc | Kind::PnpmRc => Some(Settings::npmrc(&String::from_utf8_lossy(text))),
        Kind::Yarnrc => Some(Settings::yarnrc(&String::from_utf8_lossy(text))),
        Kind::YarnrcYml | Kind::PnpmYaml => Settings::yaml("settings", text).ok(),
        Kind::Bunfig => Settings::toml("settings", text).ok(),
    }
}

/// What a file of settings gives registries of their own.
fn names(kind: Kind, settings: &Settings) -> BTreeSet<String> {
    let said = settings.iter().filter(|setting| setting.text().is_some());
    said.filter_map(|setting| named(kind, setting)).collect()
}

/// The key of a setting that sends a client past any registry, or to a lockfile that is not looked at.
fn leading(kind: Kind, setting: &Setting) -> Option<String> {
    if setting.value == Said::Nothing {
        return None;
    }
    let key: Vec<&str> = setting.key.iter().map(String::as_str).collect();
    let leads = match (kind, key.as_slice()) {
        (
            Kind::PnpmYaml,
            ["configDependencies", _, "tarball"] | ["lockfileDir" | "lockfile-dir"],
        )
        | (Kind::PnpmRc, ["lockfile-dir" | "lockfileDir"])
        | (Kind::YarnrcYml, ["lockfileFilename"]) => true,
        // The gateway is one of the hosts that yarn would ask a proxy for, which may answer what it likes.
        (Kind::YarnrcYml, ["networkSettings", hosts, "httpProxy"]) => may_be_loopback(hosts),
        _ => false,
    };
    leads.then(|| key.join("."))
}

/// Whether a pattern of host names may take `127.0.0.1`. One with a letter does not, unless it leaves something out
/// or gives a choice.
fn may_be_loopback(hosts: &str) -> bool {
    hosts == "127.0.0.1"
        || hosts.contains(['!', '(', '[', '{', '\\'])
        || (hosts.contains(['*', '?']) && !hosts.contains(|it: char| it.is_ascii_alphabetic()))
}

fn named(kind: Kind, setting: &Setting) -> Option<String> {
    let key: Vec<&str> = setting.key.iter().map(String::as_str).collect();
    let scope = |name: &str| format!("@{}", name.trim_start_matches('@'));
    match (kind, key.as_slice()) {
        (Kind::Npmrc | Kind::PnpmRc | Kind::Yarnrc, [key]) => {
            let name = key.strip_prefix('@')?.strip_suffix(":registry")?;
            Some(scope(name))
        }
        (Kind::YarnrcYml, ["npmScopes", name, "npmRegistryServer"])
        | (Kind::Bunfig, ["install", "scopes", name] | ["install", "scopes", name, "url"]) => {
            Some(scope(name))
        }
        (Kind::PnpmYaml, ["registries" | "namedRegistries", name]) => Some((*name).to_owned()),
        _ => None,
    }
}

/// Whether a file that cannot be read mentions what would name registries.
fn may_name(kind: Kind, text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let words: &[&str] = match kind {
        Kind::Npmrc | Kind::PnpmRc | Kind::Yarnrc => return false,
        Kind::YarnrcYml => &["npmScopes", "networkSettings", "lockfileFilename"],
        Kind::PnpmYaml => &["egistries", "tarball", "lockfile"],
        Kind::Bunfig => &["scopes", "saveTextLockfile"],
    };
    // A key may be spelled with escapes.
    text.contains('\\') || words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests;
