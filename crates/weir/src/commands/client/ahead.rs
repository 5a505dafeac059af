//! What npm will ask for: it reads its lockfile for seconds before it does, in which weir fetches and reads the same
//! releases. Only what is certain to be asked for: whatever is left out here is fetched when npm asks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Lockfile, MAX_SIZE, Node, Source};
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;

use crate::clients::Client;
use crate::files;

/// Commands that install what the lockfile says, in all their spellings.
const INSTALLING: &[&str] = &[
    "add",
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

/// Settings with which npm fetches nothing, or not what the lockfile says.
const NOT_AS_LOCKED: &[&str] = &[
    "dry-run",
    "global",
    "location",
    "offline",
    "package-lock",
    "package-lock-only",
    "prefer-offline",
];

/// Settings that may leave out what is there for development, or what others expect beside themselves.
const LEAVING_OUT: &[&str] = &[
    "also",
    "include",
    "legacy-peer-deps",
    "omit",
    "only",
    "production",
];

/// Where npm keeps what it fetched before, relative to its cache's folder: by algorithm, and by digest in hexadecimal.
const KEPT: &str = "_cacache/content-v2";

/// What is to be found out from.
pub(super) struct Asked {
    pub client: Client,
    pub arguments: Vec<String>,
    pub project: PathBuf,
    pub npmrc: Npmrc,
}

impl Asked {
    /// The releases that npm will ask for, in the order of its lockfile.
    pub(super) fn releases(&self) -> Vec<(PackageName, String)> {
        let command = self.arguments.iter().find(|word| !word.starts_with('-'));
        let Some(command) = command.filter(|word| INSTALLING.contains(&word.as_str())) else {
            return Vec::new();
        };
        if self.client != Client::Npm || self.sets(NOT_AS_LOCKED) || self.gives("cache") {
            return Vec::new();
        }
        let Some(lockfile) = read(&self.project) else {
            return Vec::new();
        };
        let is_production = std::env::var("NODE_ENV").is_ok_and(|value| value == "production");
        let all = !is_production && !self.sets(LEAVING_OUT);
        let kept = cache(&self.npmrc).map(|folder| folder.join(KEPT));
        let is_emptied = FROM_SCRATCH.contains(&command.as_str());
        let installed = (!is_emptied).then_some(self.project.as_path());
        let mut seen = HashSet::new();
        let nodes = lockfile.nodes.iter();
        nodes
            .filter(|node| is_for_everybody(node) && (all || !(node.flags.dev || node.flags.peer)))
            .filter(|node| !is_kept(node, kept.as_deref(), installed))
            .filter_map(|node| {
                PackageName::parse(&node.name)
                    .ok()
                    .zip(node.version.clone())
            })
            .filter(|release| seen.insert(release.clone()))
            .collect()
    }

    /// Whether one of these is set to anything but npm's default, or may be.
    fn sets(&self, keys: &[&str]) -> bool {
        keys.iter()
            .any(|key| self.npmrc.get(key).is_some() || self.gives(key))
    }

    /// Whether an argument says something of a setting.
    fn gives(&self, key: &str) -> bool {
        self.arguments.iter().any(|argument| names(argument, key))
    }
}

/// Whether an argument gives a setting a value, or denies it.
fn names(argument: &str, key: &str) -> bool {
    let Some(word) = argument.strip_prefix("--") else {
        return argument == "-g" && key == "global";
    };
    let word = word.split('=').next().unwrap_or(word);
    word == key || word.strip_prefix("no-") == Some(key)
}

/// The lockfile that npm goes by. One that cannot be read is npm's to complain about.
fn read(project: &Path) -> Option<Lockfile> {
    let read = |file: &str| {
        let text = files::read(&project.join(file), MAX_SIZE).ok()??;
        Some(Lockfile::parse(file, &text).ok())
    };
    read("npm-shrinkwrap.json").or_else(|| read("package-lock.json"))?
}

/// Whether an entry is installed on every machine, from a registry.
fn is_for_everybody(node: &Node) -> bool {
    let flags = &node.flags;
    let from_registry = matches!(node.source, Source::Registry(_));
    from_registry && node.is_served() && !(flags.optional || flags.platform)
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
        "": {"name": "app", "version": "1.0.0"},
        "packages/own": {"name": "own", "version": "1.0.0"},
        "node_modules/own": {"resolved": "packages/own", "link": true},
        "node_modules/silt": {"version": "1.0.0", "integrity": "sha512-SILT"},
        "node_modules/weed": {"name": "@mill/weed", "version": "2.0.0", "integrity": "sha512-WEED"},
        "node_modules/again/node_modules/silt": {"version": "1.0.0", "integrity": "sha512-SILT"},
        "node_modules/tester": {"version": "3.0.0", "dev": true, "integrity": "sha512-TEST"},
        "node_modules/beside": {"version": "3.1.0", "peer": true},
        "node_modules/native": {"version": "4.0.0", "optional": true, "os": ["plan9"]},
        "node_modules/limited": {"version": "4.1.0", "cpu": ["pdp11"]},
        "node_modules/forge": {"version": "5.0.0", "resolved": "git+https://git.example/forge.git#0123456789012345678901234567890123456789"},
        "node_modules/odd": {"resolved": "https://files.example/odd.tgz"}
    }}"#;

    /// What is asked for in a project with the lockfile above.
    fn releases(project: &Path, line: &str, settings: &str) -> Vec<String> {
        let digest = |byte: u8| {
            let integrity =
                Integrity::from_digest(weir_npm::integrity::Algorithm::Sha512, &[byte; 64]);
            integrity.unwrap().to_string()
        };
        let mut text = LOCKFILE.to_owned();
        for (name, byte) in [("SILT", 1), ("WEED", 2), ("TEST", 3)] {
            text = text.replace(&format!("sha512-{name}"), &digest(byte));
        }
        std::fs::write(project.join("package-lock.json"), text).unwrap();
        let cache = project.join("cache");
        let settings = format!("cache={}\n{settings}", cache.display());
        let asked = Asked {
            client: Client::Npm,
            arguments: line.split(' ').map(str::to_owned).collect(),
            project: project.to_owned(),
            npmrc: Npmrc::parse(&settings, &BTreeMap::new()),
        };
        let releases = asked.releases().into_iter();
        releases
            .map(|(name, version)| format!("{name}@{version}"))
            .collect()
    }

    #[test]
    fn what_is_installed_everywhere_is_fetched_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let of = |line: &str, settings: &str| releases(folder.path(), line, settings);
        let all = [
            "silt@1.0.0",
            "@mill/weed@2.0.0",
            "tester@3.0.0",
            "beside@3.1.0",
        ];
        for line in ["ci", "install", "i", "--no-audit ci", "install left-lib"] {
            assert_eq!(of(line, ""), all, "{line}");
        }
        for (line, settings) in [
            ("ci --omit=dev", ""),
            ("ci --production", ""),
            ("ci", "omit=dev"),
            ("install --legacy-peer-deps", ""),
        ] {
            assert_eq!(of(line, settings), all[..2], "{line} {settings}");
        }
        for (line, settings) in [
            ("run build", ""),
            ("view silt", ""),
            ("ls", ""),
            ("install -g silt", ""),
            ("install --dry-run", ""),
            ("install --package-lock-only", ""),
            ("install --no-package-lock", ""),
            ("ci --prefer-offline", ""),
            ("ci", "offline=true"),
            ("ci --cache=elsewhere", ""),
        ] {
            assert!(of(line, settings).is_empty(), "{line} {settings}");
        }
    }

    #[test]
    fn what_npm_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str| {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        };
        write(&format!(
            "cache/_cacache/content-v2/sha512/01/01/{}",
            "01".repeat(62)
        ));
        let of = |line: &str| releases(folder.path(), line, "");
        assert_eq!(
            of("ci"),
            ["@mill/weed@2.0.0", "tester@3.0.0", "beside@3.1.0"]
        );
        // `npm ci` empties what is installed, and `npm install` keeps it.
        write("node_modules/weed/package.json");
        assert_eq!(
            of("ci"),
            ["@mill/weed@2.0.0", "tester@3.0.0", "beside@3.1.0"]
        );
        assert_eq!(of("install"), ["tester@3.0.0", "beside@3.1.0"]);
    }

    #[test]
    fn without_a_lockfile_that_can_be_read_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let asked = || Asked {
            client: Client::Npm,
            arguments: vec!["ci".to_owned()],
            project: folder.path().to_owned(),
            npmrc: Npmrc::default(),
        };
        assert!(asked().releases().is_empty());
        std::fs::write(folder.path().join("package-lock.json"), "{").unwrap();
        assert!(asked().releases().is_empty());
    }
}
