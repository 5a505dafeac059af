//! What npm will ask for: it reads its lockfile for seconds before it does, in which weir fetches and reads the same
//! releases. Only what is certain to be asked for, and in the plain cases that are nearly all: whatever is left out here
//! is fetched when npm asks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Lockfile, MAX_SIZE, Node, Source};
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;
use weir_npm::version::Version;
use weir_upstream::Url;

use crate::clients::Client;
use crate::files;

/// Commands that install what the lockfile says, in all their spellings.
const INSTALLING: &[&str] = &[
    "ci",
    "cit",
    "clean-install",
    "clean-install-test",
    "i",
    "ic",
    "in",
    "ins",
    "inst",
    "insta",
    "instal",
    "install",
    "install-ci-test",
    "install-clean",
    "install-test",
    "isntall",
    "isntall-clean",
    "it",
    "sit",
];

/// Of these, those that empty `node_modules` first.
const FROM_SCRATCH: &[&str] = &[
    "ci",
    "cit",
    "clean-install",
    "clean-install-test",
    "ic",
    "install-ci-test",
    "install-clean",
    "isntall-clean",
    "sit",
];

/// Options that change nothing about what is fetched, up to a value. npm understands others by their beginning, and
/// what it makes of words that are none is up to its release: with any other option nothing is fetched ahead.
const HARMLESS: &[&str] = &[
    "--audit",
    "--foreground-scripts",
    "--fund",
    "--ignore-scripts",
    "--loglevel",
    "--no-audit",
    "--no-foreground-scripts",
    "--no-fund",
    "--no-progress",
    "--no-update-notifier",
    "--progress",
    "--quiet",
    "--silent",
    "--verbose",
    "-d",
    "-q",
    "-s",
];

/// Settings with which npm fetches nothing, or not all that the lockfile says.
const NOT_AS_LOCKED: &[&str] = &[
    "also",
    "before",
    "dry-run",
    "global",
    "include",
    "legacy-peer-deps",
    "location",
    "min-release-age",
    "offline",
    "omit",
    "only",
    "package-lock",
    "package-lock-only",
    "prefer-offline",
    "production",
    "workspace",
    "workspaces",
];

/// The lists of a manifest that a lockfile repeats.
const LISTS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Where npm keeps what it fetched before, relative to its cache's folder: by algorithm, and by digest in hexadecimal.
const KEPT: &str = "_cacache/content-v2";

/// What is to be found out from.
pub(super) struct Asked {
    pub client: Client,
    pub arguments: Vec<String>,
    /// The folder that npm works in.
    pub folder: PathBuf,
    /// The folder whose lockfile counts.
    pub project: PathBuf,
    pub npmrc: Npmrc,
}

impl Asked {
    /// The releases that npm will ask for, in the order of its lockfile.
    pub(super) fn releases(&self) -> Vec<(PackageName, String)> {
        let Some(command) = self.command() else {
            return Vec::new();
        };
        let Some(locked) = Locked::read(&self.project) else {
            return Vec::new();
        };
        let kept = cache(&self.npmrc).map(|folder| folder.join(KEPT));
        let is_emptied = FROM_SCRATCH.contains(&command);
        let installed = (!is_emptied).then_some(self.project.as_path());
        let mut seen = HashSet::new();
        let nodes = locked.lockfile.nodes.iter();
        nodes
            .filter(|node| is_for_everybody(node) && !locked.is_extraneous(node))
            .filter(|node| !is_kept(node, kept.as_deref(), installed))
            .filter_map(|node| {
                let version = node.version.clone()?;
                let is_version = Version::parse(&version).is_ok();
                let name = PackageName::parse(&node.name).ok();
                name.filter(|_| is_version).zip(Some(version))
            })
            .filter(|release| seen.insert(release.clone()))
            .collect()
    }

    /// The command, if it installs all that the lockfile says.
    fn command(&self) -> Option<&str> {
        let (command, options) = self.arguments.split_first()?;
        let is_harmless = |word: &String| {
            let option = word.split('=').next().unwrap_or(word);
            HARMLESS.contains(&option)
        };
        let is_set = |key: &&str| self.npmrc.get(key).is_some();
        let is_production = std::env::var("NODE_ENV").is_ok_and(|value| value == "production");
        let is_plain = self.client == Client::Npm
            && self.folder == self.project
            && INSTALLING.contains(&command.as_str())
            && options.iter().all(is_harmless)
            && !NOT_AS_LOCKED.iter().any(is_set)
            && !is_production;
        is_plain.then_some(command.as_str())
    }
}

/// A lockfile that is in step with the manifests it was made from: of any other npm makes something else.
struct Locked {
    lockfile: Lockfile,
    /// What it says by path, as it is written.
    entries: Value,
}

impl Locked {
    /// The lockfile that npm goes by. One that cannot be read is npm's to complain about.
    fn read(project: &Path) -> Option<Self> {
        let read = |file: &str| files::read(&project.join(file), MAX_SIZE).ok()?;
        let (file, text) = match read("npm-shrinkwrap.json") {
            Some(text) => ("npm-shrinkwrap.json", text),
            None => ("package-lock.json", read("package-lock.json")?),
        };
        let lockfile = Lockfile::parse(file, &text).ok()?;
        let entries = serde_json::from_slice::<Value>(&text)
            .ok()?
            .get_mut("packages")?
            .take();
        let locked = Self { lockfile, entries };
        locked.is_in_step(project).then_some(locked)
    }

    /// Whether the manifests of the project and of its workspaces ask for what the lockfile repeats of them.
    fn is_in_step(&self, project: &Path) -> bool {
        let is_same = |(path, entry): (&String, &Value)| {
            let file = project.join(path).join("package.json");
            let manifest = files::read(&file, MAX_SIZE).ok().flatten();
            let manifest = manifest.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            let asks_for = |it: &Value, list: &str| {
                it.get(list)
                    .filter(|it| **it != Value::Object(Default::default()))
                    .cloned()
            };
            manifest.is_some_and(|manifest| {
                LISTS
                    .iter()
                    .all(|list| asks_for(&manifest, list) == asks_for(entry, list))
            })
        };
        let entries = self.entries.as_object();
        let own = |(path, _): &(&String, &Value)| !path.contains("node_modules");
        entries.is_some_and(|entries| {
            entries.contains_key("") && entries.iter().filter(own).all(is_same)
        })
    }

    /// Whether npm will take an entry out.
    fn is_extraneous(&self, node: &Node) -> bool {
        let said = self
            .entries
            .get(&node.key)
            .and_then(|it| it.get("extraneous"));
        said.is_some_and(|it| *it != Value::Bool(false))
    }
}

/// Whether an entry is installed on every machine, and asked for under its own name: an address with another path than
/// registries have for the package is asked for as it is, and the name is nobody's business then.
fn is_for_everybody(node: &Node) -> bool {
    let flags = &node.flags;
    let Source::Registry(address) = &node.source else {
        return false;
    };
    let is_own = |address: &String| {
        let base = node.name.rsplit('/').next().unwrap_or(&node.name);
        let version = node.version.as_deref().unwrap_or_default();
        let path = format!("/{}/-/{base}-{version}.tgz", node.name);
        Url::parse(address).is_ok_and(|url| url.path() == path)
    };
    node.is_served() && !(flags.optional || flags.platform) && address.as_ref().is_none_or(is_own)
}

/// Whether npm has it already: installed, or in its own cache.
fn is_kept(node: &Node, kept: Option<&Path>, installed: Option<&Path>) -> bool {
    let is_installed = |project: &Path| project.join(&node.key).join("package.json").exists();
    if installed.is_some_and(is_installed) {
        return true;
    }
    let integrity = node.integrity.as_deref();
    let Some(integrity) = integrity.and_then(|text| Integrity::parse(text).ok()) else {
        return false;
    };
    let (algorithm, digest) = integrity.strongest();
    let (Some(kept), [first, second, rest @ ..]) = (kept, digest) else {
        return false;
    };
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = kept.join(algorithm.as_str());
    let folder = folder
        .join(format!("{first:02x}"))
        .join(format!("{second:02x}"));
    folder.join(rest).exists()
}

/// The folder of npm's cache: its setting, or where npm has it else.
fn cache(npmrc: &Npmrc) -> Option<PathBuf> {
    if let Some(folder) = npmrc.get("cache") {
        return Some(PathBuf::from(folder));
    }
    match cfg!(windows) {
        true => Some(Path::new(&std::env::var_os("LOCALAPPDATA")?).join("npm-cache")),
        false => Some(Path::new(&std::env::var_os("HOME")?).join(".npm")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LOCKFILE: &str = r#"{"name": "app", "lockfileVersion": 3, "packages": {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"silt": "^1.0.0"}},
        "packages/own": {"name": "own", "version": "1.0.0"},
        "node_modules/own": {"resolved": "packages/own", "link": true},
        "node_modules/silt": {"version": "1.0.0", "resolved": "https://registry.example.invalid/silt/-/silt-1.0.0.tgz", "integrity": "sha512-SILT"},
        "node_modules/weed": {"name": "@mill/weed", "version": "2.0.0", "resolved": "https://registry.example.invalid/@mill/weed/-/weed-2.0.0.tgz", "integrity": "sha512-WEED"},
        "node_modules/again/node_modules/silt": {"version": "1.0.0", "integrity": "sha512-SILT"},
        "node_modules/tester": {"version": "3.0.0", "dev": true, "integrity": "sha512-TEST"},
        "node_modules/beside": {"version": "3.1.0", "peer": true},
        "node_modules/corp-internal": {"version": "1.0.0", "resolved": "https://art.example.invalid/api/npm/local/corp-internal/-/corp-internal-1.0.0.tgz"},
        "node_modules/@corp/secret": {"version": "1.0.0", "resolved": "https://packages.example.invalid/download/@corp/secret/1.0.0/0123"},
        "node_modules/stray": {"version": "1.0.0", "extraneous": true},
        "node_modules/range": {"version": "^1.0.0"},
        "node_modules/native": {"version": "4.0.0", "optional": true, "os": ["plan9"]},
        "node_modules/limited": {"version": "4.1.0", "cpu": ["pdp11"]},
        "node_modules/forge": {"version": "5.0.0", "resolved": "git+https://git.example/forge.git#0123456789012345678901234567890123456789"},
        "node_modules/odd": {"resolved": "https://files.example/odd.tgz"}
    }}"#;

    const MANIFEST: &str =
        r#"{"name": "app", "dependencies": {"silt": "^1.0.0"}, "devDependencies": {}}"#;

    /// A project with the lockfile above.
    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let digest = |byte: u8| {
            let algorithm = weir_npm::integrity::Algorithm::Sha512;
            let integrity = Integrity::from_digest(algorithm, &[byte; 64]);
            integrity.unwrap().to_string()
        };
        let mut text = LOCKFILE.to_owned();
        for (name, byte) in [("SILT", 1), ("WEED", 2), ("TEST", 3)] {
            text = text.replace(&format!("sha512-{name}"), &digest(byte));
        }
        write(folder.path(), "package-lock.json", &text);
        write(folder.path(), "package.json", MANIFEST);
        write(
            folder.path(),
            "packages/own/package.json",
            r#"{"name": "own"}"#,
        );
        folder
    }

    fn write(folder: &Path, file: &str, text: &str) {
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn asked(project: &Path, line: &str, settings: &str) -> Asked {
        let settings = format!("cache={}\n{settings}", project.join("cache").display());
        Asked {
            client: Client::Npm,
            arguments: line.split(' ').map(str::to_owned).collect(),
            folder: project.to_owned(),
            project: project.to_owned(),
            npmrc: Npmrc::parse(&settings, &BTreeMap::new()),
        }
    }

    fn releases(asked: &Asked) -> Vec<String> {
        let releases = asked.releases().into_iter();
        releases
            .map(|(name, version)| format!("{name}@{version}"))
            .collect()
    }

    const ALL: [&str; 4] = [
        "silt@1.0.0",
        "@mill/weed@2.0.0",
        "tester@3.0.0",
        "beside@3.1.0",
    ];

    #[test]
    fn what_is_installed_everywhere_is_fetched_ahead() {
        let folder = project();
        let of = |line: &str, settings: &str| releases(&asked(folder.path(), line, settings));
        for line in [
            "ci",
            "install",
            "i --no-audit --loglevel=error",
            "ci --ignore-scripts",
        ] {
            assert_eq!(of(line, ""), ALL, "{line}");
        }
    }

    #[test]
    fn in_doubt_nothing_is() {
        let folder = project();
        let of = |line: &str, settings: &str| releases(&asked(folder.path(), line, settings));
        for (line, settings) in [
            ("run build", ""),
            ("--prefix ci run lint", ""),
            ("-C ci version patch", ""),
            ("view silt", ""),
            ("install left-lib", ""),
            ("install -g", ""),
            ("ci --help", ""),
            ("ci -h", ""),
            ("ci --omit=dev", ""),
            ("ci --prod", ""),
            ("ci -w one", ""),
            ("install --dry", ""),
            ("install --no-package-lock", ""),
            ("ci --prefer-offline", ""),
            ("ci --cache=elsewhere", ""),
            ("ci", "omit=dev"),
            ("ci", "offline=true"),
            ("ci", "workspace=one"),
        ] {
            assert!(of(line, settings).is_empty(), "{line} {settings}");
        }
        let inside = Asked {
            folder: folder.path().join("packages/own"),
            ..asked(folder.path(), "ci", "")
        };
        assert!(releases(&inside).is_empty());
        let other = Asked {
            client: Client::Pnpm,
            ..asked(folder.path(), "ci", "")
        };
        assert!(releases(&other).is_empty());
    }

    #[test]
    fn a_lockfile_that_is_out_of_step_says_nothing() {
        let of = |folder: &tempfile::TempDir| releases(&asked(folder.path(), "install", ""));
        for (file, text) in [
            ("package.json", r#"{"dependencies": {"silt": "^1.1.0"}}"#),
            (
                "package.json",
                r#"{"dependencies": {"silt": "^1.0.0", "weed": "*"}}"#,
            ),
            ("package.json", "{"),
            (
                "packages/own/package.json",
                r#"{"devDependencies": {"silt": "1.0.0"}}"#,
            ),
            ("package-lock.json", "{"),
            (
                "package-lock.json",
                r#"{"lockfileVersion": 1, "dependencies": {"silt": {"version": "1.0.0"}}}"#,
            ),
        ] {
            let folder = project();
            assert_eq!(of(&folder), ALL);
            write(folder.path(), file, text);
            assert!(of(&folder).is_empty(), "{file} {text}");
        }
        let folder = project();
        std::fs::remove_file(folder.path().join("package-lock.json")).unwrap();
        assert!(of(&folder).is_empty());
    }

    #[test]
    fn what_npm_has_is_not() {
        let folder = project();
        let of = |line: &str| releases(&asked(folder.path(), line, ""));
        let kept = format!("cache/_cacache/content-v2/sha512/01/01/{}", "01".repeat(62));
        write(folder.path(), &kept, "");
        assert_eq!(of("ci"), ALL[1..]);
        // `npm ci` empties what is installed, and `npm install` keeps it.
        write(folder.path(), "node_modules/weed/package.json", "{}");
        assert_eq!(of("ci"), ALL[1..]);
        assert_eq!(of("install"), ALL[2..]);
    }
}
