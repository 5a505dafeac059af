//! A version's manifest: what `package.json` says, and what the registry says of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;

/// The parts of a `package.json` that weir compares and follows. Publishers write it, so every
/// field is optional and tolerant of the wrong type: what is not understood is named in `odd`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `name`, as written.
    pub name: Option<String>,
    /// `version`, as written.
    pub version: Option<String>,
    /// `scripts`.
    pub scripts: BTreeMap<String, String>,
    /// `dependencies`.
    pub dependencies: BTreeMap<String, String>,
    /// `optionalDependencies`.
    pub optional_dependencies: BTreeMap<String, String>,
    /// `peerDependencies`.
    pub peer_dependencies: BTreeMap<String, String>,
    /// `devDependencies`: never installed for a dependency, kept for `prepare` of git dependencies.
    pub dev_dependencies: BTreeMap<String, String>,
    /// `bundleDependencies` / `bundledDependencies`, as a list.
    pub bundle_dependencies: Vec<String>,
    /// `bin` as a map of command to path (a plain string becomes the package's base name).
    pub bin: BTreeMap<String, String>,
    /// `directories.bin`: a folder every file of which is a command, where `bin` names none.
    pub bin_folder: Option<String>,
    /// `main`.
    pub main: Option<String>,
    /// Every path named by `module`, `browser`, `exports`, `jsnext:main`, `react-native`, in order, then those
    /// that pages and other bundlers are led to by fields of their own (`unpkg`, `svelte`, `es2015`, …).
    pub entries: Vec<String>,
    /// `type`: `module` or `commonjs`.
    pub module_type: Option<String>,
    /// `gypfile`.
    pub gypfile: Option<bool>,
    /// Where builders of native code fetch what was built elsewhere: those fields of `binary` that say so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub binary: BTreeMap<String, String>,
    /// `repository`, its URL.
    pub repository: Option<String>,
    /// Fields that hold something else than npm expects there, by name.
    pub odd: Vec<String>,
}

/// Why a text is not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not UTF-8.
    #[error("the manifest is not UTF-8")]
    NotUtf8,
    /// Not JSON, or nested too deeply.
    #[error("the manifest is not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("the manifest is not a JSON object")]
    NotAnObject,
}

/// Most paths read from `exports` and its kin, and most entries read from any other list or map: far
/// above what real manifests hold, and a bound on what a hostile one costs.
const MAX_ITEMS: usize = 10_000;

/// Most entries of `odd`: enough to show that a manifest is odd, whatever it repeats.
const MAX_ODD: usize = 256;

/// Fields of `binary` that node-pre-gyp and prebuild-install put addresses together of.
const BINARY: [&str; 5] = [
    "host",
    "remote_path",
    "production_host",
    "staging_host",
    "development_host",
];

/// Fields by which hosts of files for pages, and bundlers beside the commonest, choose what is loaded.
const ELSEWHERE: [&str; 16] = [
    "unpkg",
    "jsdelivr",
    "cdn",
    "umd:main",
    "browser:module",
    "modern",
    "esnext",
    "es2015",
    "es2020",
    "esm2015",
    "esm2020",
    "fesm5",
    "fesm2015",
    "fesm2020",
    "fesm2022",
    "svelte",
];

/// The members of a JSON object in document order, values as they are written.
pub(crate) type Members<'a> = [(Cow<'a, str>, &'a str)];

impl Manifest {
    /// Reads a `package.json`, with or without a byte order mark.
    ///
    /// # Errors
    /// [`ManifestError`] when it is not a JSON object. Fields of the wrong type are no error: they are
    /// named in `odd`, as are keys that are there twice (the last one counts, as in JavaScript).
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(text.as_ref()).map_err(|_| ManifestError::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Self::from_members(&read_members(text)?))
    }

    /// Reads the fields of an object whose members are already apart.
    pub(crate) fn from_members(members: &Members<'_>) -> Self {
        let mut manifest = Self::default();
        let mut seen = HashSet::new();
        for (key, value) in members {
            if !seen.insert(key) {
                manifest.note_odd(key);
            }
            if manifest.read_field(key, value).is_none() {
                manifest.note_odd(key);
            }
        }
        manifest.read_late_fields(members);
        manifest
    }

    /// The scripts that run when the package is installed from a registry, in the order npm runs them:
    /// event, command.
    pub fn install_scripts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        INSTALL_EVENTS
            .into_iter()
            .filter_map(|event| Some((event, self.scripts.get(event)?.as_str())))
    }

    /// Reads one field. `None` when it does not hold what npm expects there. `null` is as good as absent.
    fn read_field(&mut self, key: &str, value: &str) -> Option<()> {
        if value == "null" {
            return Some(());
        }
        match key {
            "name" => self.name = Some(text(value)?),
            "version" => self.version = Some(text(value)?),
            "main" => self.main = Some(text(value)?),
            "type" => self.module_type = Some(text(value)?),
            "gypfile" => self.gypfile = Some(serde_json::from_str(value).ok()?),
            // What packages beside native ones keep there means nothing to builders.
            "binary" => {
                let host = |name: &&str| Some(((*name).to_owned(), member(value, name)?));
                self.binary = BINARY.iter().filter_map(host).collect();
            }
            "repository" => self.repository = Some(read_repository(value)?),
            // What else old packages say there means nothing to npm.
            "directories" => self.bin_folder = member(value, "bin"),
            "scripts" => return read_map(value, &mut self.scripts),
            "dependencies" => return read_map(value, &mut self.dependencies),
            "optionalDependencies" => return read_map(value, &mut self.optional_dependencies),
            "peerDependencies" => return read_map(value, &mut self.peer_dependencies),
            "devDependencies" => return read_map(value, &mut self.dev_dependencies),
            _ => {}
        }
        Some(())
    }

    /// Fields whose reading depends on others (`bin` on the name, bundles on the dependencies), or whose
    /// order in `entries` is ours.
    fn read_late_fields(&mut self, members: &Members<'_>) {
        let last = |field: &str| {
            let found = members.iter().rev().find(|(key, _)| key == field);
            found
                .map(|(_, value)| *value)
                .filter(|value| *value != "null")
        };
        if let Some(value) = last("bin")
            && self.read_bin(value).is_none()
        {
            self.note_odd("bin");
        }
        for field in ["bundleDependencies", "bundledDependencies"] {
            if let Some(value) = last(field)
                && self.read_bundle(value).is_none()
            {
                self.note_odd(field);
            }
        }
        let mut seen = HashSet::new();
        for field in [
            "module",
            "browser",
            "exports",
            "jsnext:main",
            "react-native",
        ] {
            let Some(value) = last(field) else { continue };
            let whole = serde_json::from_str::<Value>(value)
                .is_ok_and(|tree| flatten(&tree, &mut self.entries, &mut seen));
            if !whole {
                self.note_odd(field);
            }
        }
        // npm expects nothing of these, so that nothing in them is odd.
        for field in ELSEWHERE {
            let tree = last(field).and_then(|it| serde_json::from_str::<Value>(it).ok());
            if let Some(tree) = tree {
                flatten(&tree, &mut self.entries, &mut seen);
            }
        }
    }

    fn read_bin(&mut self, value: &str) -> Option<()> {
        let Some(path) = text(value) else {
            return read_map(value, &mut self.bin);
        };
        let name = self.name.as_deref()?;
        let base = name.rsplit('/').next().unwrap_or(name);
        self.bin.insert(base.to_owned(), path);
        Some(())
    }

    fn read_bundle(&mut self, value: &str) -> Option<()> {
        match serde_json::from_str(value).ok()? {
            Value::Bool(true) => self
                .bundle_dependencies
                .extend(self.dependencies.keys().cloned()),
            Value::Bool(false) => {}
            Value::Array(items) => {
                let names = items.iter().filter_map(Value::as_str).take(MAX_ITEMS);
                self.bundle_dependencies.extend(names.map(str::to_owned));
                let whole = items.len() <= MAX_ITEMS && items.iter().all(Value::is_string);
                return whole.then_some(());
            }
            _ => return None,
        }
        Some(())
    }

    fn note_odd(&mut self, field: &str) {
        if self.odd.len() < MAX_ODD && !self.odd.iter().any(|known| known == field) {
            self.odd.push(field.to_owned());
        }
    }
}

/// The scripts that run when a dependency is installed from a registry, in order.
pub(crate) const INSTALL_EVENTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// The members of a JSON object.
pub(crate) fn read_members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, ManifestError> {
    json::members(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ManifestError::NotAnObject,
        _ => ManifestError::NotJson(error.to_string()),
    })
}

fn text(value: &str) -> Option<String> {
    json::string(value).map(Cow::into_owned)
}

/// Reads a map of texts. `None` when it is none, or not only texts, or has a key twice; what can be read
/// is read all the same.
fn read_map(value: &str, map: &mut BTreeMap<String, String>) -> Option<()> {
    let members = json::members(value).ok()?;
    let mut whole = members.len() <= MAX_ITEMS;
    map.clear();
    for (key, value) in members.into_iter().take(MAX_ITEMS) {
        whole &= match text(value) {
            Some(text) => map.insert(key.into_owned(), text).is_none(),
            None => false,
        };
    }
    whole.then_some(())
}

/// `repository` as a text or as an object with a `url`.
fn read_repository(value: &str) -> Option<String> {
    text(value).or_else(|| member(value, "url"))
}

/// The text under a key of an object; the last one counts, as in JavaScript.
fn member(value: &str, name: &str) -> Option<String> {
    let members = json::members(value).ok()?;
    members
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .and_then(|(_, value)| text(value))
}

/// Collects every text in a tree, in order, each once. False when the tree holds something else than
/// texts, lists, maps, `null` and `false`, or more than [`MAX_ITEMS`]. The tree was read by serde_json, so
/// its depth is bounded.
fn flatten(tree: &Value, entries: &mut Vec<String>, seen: &mut HashSet<String>) -> bool {
    let mut whole = true;
    match tree {
        Value::String(path) => {
            whole = entries.len() < MAX_ITEMS;
            if whole && seen.insert(path.clone()) {
                entries.push(path.clone());
            }
        }
        Value::Array(items) => {
            for item in items {
                whole &= flatten(item, entries, seen);
            }
        }
        Value::Object(members) => {
            for item in members.values() {
                whole &= flatten(item, entries, seen);
            }
        }
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) | Value::Number(_) => whole = false,
    }
    whole
}

#[cfg(test)]
mod tests;
