//! Which addresses npm is to take for the registry's. Told to replace the host of all of them, it does so with the
//! address of a package that comes by one of its own, too, and asks the gateway for what no registry has, or gets the
//! registry's package of that name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value};
use weir_model::finding::printable;
use weir_npm::lockfile::MAX_SIZE;
use weir_npm::spec::{DependencySpec, classify};
use weir_upstream::Url;

use crate::files;

/// Every address in a lockfile is the registry's.
const ALWAYS: &str = "always";

/// The lists of a manifest and of an entry of a lockfile that say what is asked for.
const LISTS: [&str; 5] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "requires",
];

/// Names or hosts told one by one.
const NAMED: usize = 5;

/// What npm is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    /// The value of `replace-registry-host`.
    pub host: String,
    /// The packages that npm fetches by an address of their own, and the host each is on.
    pub by_address: BTreeMap<String, String>,
}

impl Replaced {
    /// No address is anything but the registry's.
    pub(super) fn all() -> Self {
        Self {
            host: ALWAYS.to_owned(),
            by_address: BTreeMap::new(),
        }
    }

    /// What npm is to take for the registry's in this project. `upstream` is the registry that the user's settings
    /// name.
    ///
    /// # Errors
    /// If some packages come by an address and the others from several hosts: npm replaces one, or all.
    pub(super) fn of(folders: &[&Path], arguments: &[String], upstream: &str) -> Result<Self> {
        let mut seen = Seen::default();
        for word in arguments {
            seen.ask(word, word);
        }
        let documents: Vec<Value> = folders
            .iter()
            .flat_map(|folder| FILES.map(|file| folder.join(file)))
            .filter_map(|file| document(&file))
            .collect();
        // What comes by an address is known only when all has been seen that may ask for it.
        for document in &documents {
            seen.manifest(document);
        }
        for document in &documents {
            seen.entries(document);
        }
        seen.concluded(upstream)
    }

    /// Says what npm fetches itself.
    pub(super) fn tell(&self) {
        if self.by_address.is_empty() {
            return;
        }
        let all = self.by_address.iter();
        let named: Vec<String> = all
            .map(|(name, host)| format!("{name} (from {host})"))
            .collect();
        anstream::eprintln!(
            "weir: NOT CHECKED: {}: npm fetches what a dependency's address names itself, past weir; \
             `weir inspect <file.tgz>` reads a tarball",
            listed(&named)
        );
    }
}

/// The files of a folder that say what is asked for and where it comes from. Of two lockfiles npm goes by the first;
/// what the other names counts too, which at most stops a run.
const FILES: [&str; 3] = ["package.json", "npm-shrinkwrap.json", "package-lock.json"];

/// A file's contents. One that cannot be read is npm's to complain about.
fn document(file: &Path) -> Option<Value> {
    serde_json::from_slice(&files::read(file, MAX_SIZE).ok()??).ok()
}

pub(super) fn listed(names: &[String]) -> String {
    let first = names.get(..NAMED).unwrap_or(names).join(", ");
    let more = names.len().saturating_sub(NAMED);
    let text = printable(&first, 600);
    match more {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// What is seen of a project.
#[derive(Default)]
struct Seen {
    by_address: BTreeMap<String, String>,
    /// Hosts of what comes from a registry.
    hosts: BTreeSet<String>,
}

impl Seen {
    fn ask(&mut self, name: &str, spec: &str) {
        if let DependencySpec::Url(url) = classify(name, spec) {
            let host = host_of(&url).unwrap_or_else(|| "an address that is none".to_owned());
            self.by_address.insert(name.to_owned(), host);
        }
    }

    fn lists(&mut self, of: &Map<String, Value>) {
        for list in LISTS {
            let Some(Value::Object(list)) = of.get(list) else {
                continue;
            };
            for (name, spec) in list {
                if let Value::String(spec) = spec {
                    self.ask(name, spec);
                }
            }
        }
    }

    /// What a manifest has npm take in place of what packages ask for: by name, with or without a range, and within
    /// each other, where `.` is the package around it.
    fn overrides(&mut self, around: &str, overrides: Option<&Value>) {
        for (key, value) in overrides.and_then(Value::as_object).into_iter().flatten() {
            let range = key.rfind('@').filter(|at| *at > 0);
            let name = match key.as_str() {
                "." => around,
                key => key.get(..range.unwrap_or(key.len())).unwrap_or(key),
            };
            match value {
                Value::String(spec) => self.ask(name, spec),
                value => self.overrides(name, Some(value)),
            }
        }
    }

    /// What a manifest asks for, or all entries of a lockfile.
    fn manifest(&mut self, document: &Value) {
        let Some(own) = document.as_object() else {
            return;
        };
        self.lists(own);
        self.overrides("", own.get("overrides"));
        for (_, entry) in packages(own) {
            self.lists(entry);
        }
        each_of_old(own, &mut |name, entry| {
            self.lists(entry);
            // Of what comes by an address, it stands in the place of the version.
            if let Some(Value::String(version)) = entry.get("version") {
                self.ask(name, version);
            }
        });
    }

    /// The hosts that the entries of a lockfile name, but for what comes by an address.
    fn entries(&mut self, document: &Value) {
        let Some(own) = document.as_object() else {
            return;
        };
        let mut add = |name: &str, entry: &Map<String, Value>| {
            let url = entry.get("resolved").and_then(Value::as_str);
            if !self.by_address.contains_key(name) {
                self.hosts.extend(url.and_then(host_of));
            }
        };
        for (path, entry) in packages(own) {
            let name = path
                .rsplit_once("node_modules/")
                .map_or(path, |(_, name)| name);
            add(name, entry);
        }
        each_of_old(own, &mut add);
    }

    fn concluded(self, upstream: &str) -> Result<Replaced> {
        let Self { by_address, hosts } = self;
        let mut hosts = hosts.into_iter();
        let host = match (by_address.is_empty(), hosts.next(), hosts.next()) {
            (true, ..) => ALWAYS.to_owned(),
            (false, Some(host), None) => host,
            (false, None, _) => host_of(upstream).unwrap_or_else(|| ALWAYS.to_owned()),
            (false, Some(one), Some(other)) => {
                let names: Vec<String> = by_address.into_keys().collect();
                let all: Vec<String> = [one, other].into_iter().chain(hosts).collect();
                bail!(
                    "{} by an address of its own, and the lockfile has other packages from several hosts ({}): npm can \
                     be told to bring one host's to weir, or all. Leave the addresses of registries out of the \
                     lockfile (`npm install --package-lock-only --omit-lockfile-registry-resolved`), or have all of \
                     them name one",
                    match names.len() {
                        1 => format!("{} comes", listed(&names)),
                        _ => format!("{} come, each", listed(&names)),
                    },
                    listed(&all)
                );
            }
        };
        Ok(Replaced { host, by_address })
    }
}

/// The entries of a lockfile of version 2 or 3, by path.
fn packages(of: &Map<String, Value>) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
    let entries = of.get("packages").and_then(Value::as_object);
    let entries = entries.into_iter().flatten();
    entries.filter_map(|(path, entry)| Some((path.as_str(), entry.as_object()?)))
}

/// Deepest entries of a lockfile of version 1 that are looked at. npm itself goes down one stack frame for each.
const DEPTH: usize = 200;

/// The entries of a lockfile of version 1, which stand within each other.
fn each_of_old(of: &Map<String, Value>, take: &mut dyn FnMut(&str, &Map<String, Value>)) {
    fn down(
        of: &Map<String, Value>,
        depth: usize,
        take: &mut dyn FnMut(&str, &Map<String, Value>),
    ) {
        let entries = of.get("dependencies").and_then(Value::as_object);
        for (name, entry) in entries.into_iter().flatten() {
            if let (Some(entry), true) = (entry.as_object(), depth < DEPTH) {
                take(name, entry);
                down(entry, depth + 1, take);
            }
        }
    }
    down(of, 0, take);
}

/// The host of a web address, however it is written, without its port: npm compares no more.
fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    url.host_str().filter(|_| is_web).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPSTREAM: &str = "https://mirror.example.invalid/npm/";

    fn of(files: &[(&str, &str)], arguments: &[&str]) -> Result<Replaced> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Replaced::of(&[folder.path()], &arguments, UPSTREAM)
    }

    fn host(files: &[(&str, &str)], arguments: &[&str]) -> (String, Vec<String>) {
        let found = of(files, arguments).unwrap();
        (found.host, found.by_address.into_keys().collect())
    }

    /// A lockfile with further fields of `left`, and further entries.
    fn locked(fields: &str, entries: &str) -> String {
        format!(
            r#"{{"lockfileVersion": 3, "packages": {{
                "": {{"dependencies": {{"left": "^1.0.0"}}}},
                "node_modules/left": {{{fields} "version": "1.0.0",
                    "resolved": "https://registry.example.invalid/left/-/left-1.0.0.tgz"}}{entries}}}}}"#
        )
    }

    #[test]
    fn all_hosts_are_the_registrys_where_nothing_comes_by_an_address() {
        let always = ("always".to_owned(), Vec::new());
        assert_eq!(host(&[], &["install", "left"]), always);
        assert_eq!(
            host(&[("package-lock.json", &locked("", ""))], &["ci"]),
            always
        );
        let git = r#"{"dependencies": {"a": "git+https://forge.example.invalid/a.git", "b": "file:../b"}}"#;
        assert_eq!(host(&[("package.json", git)], &["ci"]), always);
    }

    #[test]
    fn what_comes_by_an_address_keeps_it() {
        let asks = r#"{"dependencies": {"odd": "https://files.example.invalid/odd/-/odd-1.0.0.tgz", "left": "^1.0.0"}}"#;
        let odd = vec!["odd".to_owned()];
        let mirror = ("mirror.example.invalid".to_owned(), odd.clone());
        assert_eq!(host(&[("package.json", asks)], &["install"]), mirror);
        let registry = ("registry.example.invalid".to_owned(), odd.clone());
        let files = [
            ("package.json", asks),
            ("package-lock.json", &locked("", "")),
        ];
        assert_eq!(host(&files, &["ci"]), registry);
        // Only the lockfile tells of what a dependency asks for.
        let below = locked(
            r#""dependencies": {"odd": "https://files.example.invalid/odd.tgz"},"#,
            r#", "node_modules/odd": {"resolved": "https://files.example.invalid/odd.tgz"}"#,
        );
        assert_eq!(host(&[("package-lock.json", &below)], &["ci"]), registry);
        let address = "https://files.example.invalid/odd.tgz";
        for overrides in [
            format!(r#"{{"odd": "{address}"}}"#),
            format!(r#"{{"odd@^1.0.0": {{".": "{address}", "left": "1.0.0"}}}}"#),
        ] {
            let over = format!(r#"{{"overrides": {overrides}}}"#);
            let files = [
                ("package.json", over.as_str()),
                ("package-lock.json", &locked("", "")),
            ];
            assert_eq!(host(&files, &["ci"]), registry, "{over}");
        }
        let old = r#"{"lockfileVersion": 1, "dependencies": {
            "odd": {"version": "https://files.example.invalid/odd.tgz"},
            "left": {"version": "1.0.0", "resolved": "https://registry.example.invalid/left/-/left-1.0.0.tgz"}
        }}"#;
        assert_eq!(host(&[("package-lock.json", old)], &["ci"]), registry);
        let typed = "https://files.example.invalid/odd.tgz";
        let found = host(
            &[("package-lock.json", &locked("", ""))],
            &["install", typed],
        );
        assert_eq!(
            found,
            (
                "registry.example.invalid".to_owned(),
                vec![typed.to_owned()]
            )
        );
    }

    #[test]
    fn one_host_of_several_is_not_chosen() {
        let other = "HTTPS://other.example.invalid/right/-/right-1.0.0.tgz";
        let entry = format!(r#", "node_modules/right": {{"resolved": "{other}"}}"#);
        let several = locked("", &entry);
        let files = [("package-lock.json", several.as_str())];
        assert_eq!(host(&files, &["ci"]).0, "always");
        let asks = r#"{"dependencies": {"odd": "https://files.example.invalid/odd.tgz"}}"#;
        let files = [("package.json", asks), ("package-lock.json", &several)];
        let why = of(&files, &["ci"]).unwrap_err().to_string();
        assert!(
            why.starts_with("odd comes by an address") && why.contains("other.example.invalid"),
            "{why}"
        );
    }
}
