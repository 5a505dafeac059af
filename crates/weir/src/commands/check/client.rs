//! What a project's files say to the client that installs it: its settings, and which version it is.

use weir_npm::lockfile::{DependencyKind, Format, Lockfile};
use weir_npm::settings::{MAX_SIZE, Said, Setting, Settings};
use weir_npm::version::Version;

use super::tree::Tree;

/// The files of settings, as far as the project has them. What a person or a machine sets elsewhere is not
/// looked at: it is not there on other machines.
#[derive(Debug, Default)]
pub(super) struct ClientFiles {
    pub(super) npmrc: File,
    pub(super) yarnrc: File,
    pub(super) yarnrc_yml: File,
    pub(super) pnpm: File,
    pub(super) bunfig: File,
    pub(super) package: File,
    /// Whether pnpm runs code of the project that may add to its settings.
    pub(super) has_pnpmfile: bool,
    /// Files that could not be read: name, line, why.
    pub(super) broken: Vec<(String, u32, String)>,
}

/// A file's name and settings.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Its name, where it is there.
    pub(super) name: Option<&'static str>,
    settings: Settings,
}

impl std::ops::Deref for File {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl ClientFiles {
    /// Reads them.
    pub(super) fn read(tree: &Tree) -> Self {
        let mut files = Self::default();
        let parsed = |name: &str, text: &[u8]| match name {
            ".npmrc" => Ok(Settings::npmrc(&String::from_utf8_lossy(text))),
            ".yarnrc" => Ok(Settings::yarnrc(&String::from_utf8_lossy(text))),
            "bunfig.toml" => Settings::toml(name, text),
            "package.json" => Settings::json(name, text),
            _ => Settings::yaml(name, text),
        };
        let mut broken = Vec::new();
        for (file, name) in [
            (&mut files.npmrc, ".npmrc"),
            (&mut files.yarnrc, ".yarnrc"),
            (&mut files.yarnrc_yml, ".yarnrc.yml"),
            (&mut files.pnpm, "pnpm-workspace.yaml"),
            (&mut files.bunfig, "bunfig.toml"),
            (&mut files.package, "package.json"),
        ] {
            let text = match tree.read(name, MAX_SIZE) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(why) => {
                    broken.push((name.to_owned(), 1, why));
                    continue;
                }
            };
            file.name = Some(name);
            // Read all the same: the clients put other characters in place of what they cannot read.
            if let (".npmrc" | ".yarnrc", Err(error)) = (name, std::str::from_utf8(&text)) {
                let line = line_at(&text, error.valid_up_to());
                let why = "not UTF-8: the client does not read what was meant";
                broken.push((name.to_owned(), line, why.to_owned()));
            }
            match parsed(name, &text) {
                Ok(settings) => file.settings = settings,
                Err(error) => broken.push((name.to_owned(), error.line, error.problem.to_string())),
            }
        }
        files.broken = broken;
        let is_there = |name| !matches!(tree.read(name, MAX_SIZE), Ok(None));
        files.has_pnpmfile = [".pnpmfile.cjs", ".pnpmfile.mjs"].into_iter().any(is_there)
            || files.pnpm.under(&["configDependencies"]).next().is_some()
            || files.pnpm.get(&["pnpmfile"]).is_some();
        files
    }

    /// Whether one of them is there, be it that it could not be read.
    pub(super) fn has(&self, name: &str) -> bool {
        let read = [
            &self.npmrc,
            &self.yarnrc,
            &self.yarnrc_yml,
            &self.pnpm,
            &self.bunfig,
            &self.package,
        ];
        read.iter().any(|file| file.name == Some(name))
            || self.broken.iter().any(|(broken, ..)| broken == name)
    }

    /// The client and version for a lockfile, as far as the project says.
    pub(super) fn client(&self, lockfile: &Lockfile) -> Client {
        let format = lockfile.format;
        let named = match format {
            Format::Npm => "npm",
            Format::YarnClassic | Format::YarnBerry => "yarn",
            Format::Pnpm => "pnpm",
            Format::Bun => "bun",
        };
        let in_manager = self.package.get(&["packageManager"]).and_then(|setting| {
            let (name, version) = setting.text()?.split_once('@')?;
            (name == named).then_some(version)
        });
        let engine = |key| self.package.get(&["devEngines", "packageManager", key]);
        let in_engines = engine("version").filter(|_| {
            engine("name")
                .and_then(Setting::text)
                .is_some_and(|name| name == named)
        });
        let of_lockfile = lockfile
            .edges
            .iter()
            .filter(|edge| edge.kind == DependencyKind::Client && edge.name == named)
            .find_map(|edge| lockfile.node(edge.to?)?.version.as_deref());
        let of_yarn = self
            .yarnrc_yml
            .get(&["yarnPath"])
            .filter(|_| named == "yarn");
        let said = in_manager
            .or_else(|| in_engines.and_then(Setting::text))
            .or(of_lockfile)
            .or_else(|| of_yarn.and_then(Setting::text));
        let version = said.and_then(lowest);
        // One name, two programs: what the lockfile is counts.
        let fits = |version: &(u64, u64)| match format {
            Format::YarnClassic => version.0 < 2,
            Format::YarnBerry => version.0 >= 2,
            _ => true,
        };
        Client {
            format,
            version: version.filter(fits),
        }
    }
}

/// The line of a position in a text.
fn line_at(text: &[u8], at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    let breaks = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// The client that installs a project.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) format: Format,
    /// Major and minor number of the lowest version that the project allows.
    version: Option<(u64, u64)>,
}

impl Client {
    /// Whether it is this version or a later one; `None` where the project does not say.
    pub(super) fn since(self, major: u64, minor: u64) -> Option<bool> {
        Some(self.version? >= (major, minor))
    }

    /// What to call it, with what is known of its version.
    pub(super) fn label(self) -> String {
        let name = self.format.client();
        match self.version {
            Some((major, minor)) if self.format != Format::YarnClassic => {
                let name = name.split(' ').next().unwrap_or(name);
                format!("{name} {major}.{minor}")
            }
            _ => name.to_owned(),
        }
    }
}

/// The lowest version that a version, a range or a file name like `yarn-4.10.3.cjs` lets in. A range that has
/// an upper end only, or alternatives, says nothing.
fn lowest(text: &str) -> Option<(u64, u64)> {
    if text.contains(['<', '|', ' ']) {
        return None;
    }
    let base = text.rsplit('/').next()?;
    let base = base
        .strip_suffix(".cjs")
        .or_else(|| base.strip_suffix(".js"))
        .unwrap_or(base);
    let digits = base.find(|c: char| c.is_ascii_digit())?;
    let plain = base.get(digits..)?;
    if let Ok(version) = Version::parse(plain) {
        let canonical = version.canonical();
        let mut parts = canonical.split(['.', '-', '+']);
        return Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?));
    }
    let mut parts = plain.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

/// How a setting reads in a sentence.
pub(super) fn shown(setting: &Setting) -> String {
    let key = setting.key.join(".");
    match &setting.value {
        Said::Nothing => key,
        Said::Flag(flag) => format!("{key}: {flag}"),
        Said::Text(text) => format!("{key}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::lowest;

    #[test]
    fn the_lowest_version_of_what_is_written() {
        for (text, version) in [
            ("11.2.3", Some((11, 2))),
            ("11.2.3+sha512.abc", Some((11, 2))),
            ("^10.16.0", Some((10, 16))),
            (">=11", Some((11, 0))),
            ("4.x", Some((4, 0))),
            (".yarn/releases/yarn-4.10.3.cjs", Some((4, 10))),
            (".yarn/releases/yarn-berry.cjs", None),
            ("<11", None),
            ("^10 || ^11", None),
            ("latest", None),
            ("", None),
        ] {
            assert_eq!(lowest(text), version, "{text}");
        }
    }
}
