//! A temporary project folder with a home of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A project in a temporary folder, removed when dropped. The home folder beside it takes every
/// client's cache and configuration, so nothing is shared with the machine or between projects.
pub struct Project {
    root: TempDir,
}

impl Project {
    /// An empty project: `package.json` with a name and a version, nothing else.
    ///
    /// # Panics
    /// When the temporary folder cannot be made, here and in every writing method.
    pub fn new() -> Project {
        let root = TempDir::with_prefix("weir-project-").expect("a temporary folder");
        for folder in ["project", "home"] {
            fs::create_dir(root.path().join(folder)).expect("a folder in the temporary folder");
        }
        let project = Project { root };
        project.package_json(&json!({"name": "project", "version": "1.0.0", "private": true}))
    }

    /// The project folder.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The home folder that clients run with.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Replaces `package.json`.
    pub fn package_json(self, manifest: &Value) -> Project {
        let text = serde_json::to_string_pretty(manifest).expect("a JSON value renders");
        self.file("package.json", text)
    }

    /// Adds a dependency to `package.json`.
    pub fn dependency(self, name: &str, range: &str) -> Project {
        let text = self.read("package.json").unwrap_or_default();
        let mut manifest: Value = serde_json::from_str(&text).expect("a package.json");
        let fields = manifest.as_object_mut().expect("an object");
        let dependencies = fields
            .entry("dependencies")
            .or_insert_with(|| Value::Object(Map::new()));
        dependencies[name] = range.into();
        self.package_json(&manifest)
    }

    /// Writes a file, folders included; the path is relative to the project.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Project {
        self.write(path, content);
        self
    }

    /// As [`Project::file`], for a project that is already in use.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.path().join(path), content.as_ref());
    }

    /// Writes a file into the home folder (`.npmrc`, `.aws/credentials` with made-up content).
    pub fn home_file(self, path: &str, content: impl AsRef<[u8]>) -> Project {
        write(&self.home().join(path), content.as_ref());
        self
    }

    /// Points every client at a registry: `.npmrc`, `.yarnrc.yml` and `bunfig.toml`. Client-side age
    /// gates are switched off and yarn keeps a plain `node_modules`, so that what happens is the
    /// registry's doing.
    pub fn registry(self, url: &str) -> Project {
        self.write(".npmrc", format!("registry={url}\n"));
        self.write("bunfig.toml", format!("[install]\nregistry = \"{url}\"\n"));
        self.write("pnpm-workspace.yaml", "minimumReleaseAge: 0\n");
        let yarn = format!(
            "npmRegistryServer: \"{url}\"\n\
             unsafeHttpWhitelist: [\"127.0.0.1\", \"localhost\"]\n\
             nodeLinker: node-modules\n\
             npmMinimalAgeGate: 0\n\
             enableTelemetry: false\n\
             enableGlobalCache: false\n"
        );
        self.file(".yarnrc.yml", yarn)
    }

    /// A file's text, or `None` when it is absent or not UTF-8.
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path().join(path)).ok()
    }

    /// Whether a path exists in the project.
    pub fn exists(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    /// The version of a package at the top of `node_modules`.
    pub fn installed(&self, name: &str) -> Option<String> {
        let text = self.read(&format!("node_modules/{name}/package.json"))?;
        let manifest: Value = serde_json::from_str(&text).ok()?;
        Some(manifest.get("version")?.as_str()?.to_owned())
    }

    /// Removes `node_modules`, keeping lockfiles and caches.
    pub fn forget_modules(&self) {
        remove(&self.path().join("node_modules"));
    }

    /// Empties the home folder: no client has a warm cache any more.
    pub fn forget_home(&self) {
        remove(&self.home());
        fs::create_dir(self.home()).expect("a folder in the temporary folder");
        // yarn 4 keeps its cache inside the project.
        remove(&self.path().join(".yarn"));
    }
}

impl Default for Project {
    fn default() -> Project {
        Project::new()
    }
}

fn write(path: &Path, content: &[u8]) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("a folder in the temporary folder");
    }
    fs::write(path, content).expect("a file in the temporary folder");
}

fn remove(path: &Path) {
    if path.exists() {
        fs::remove_dir_all(path).expect("a removable folder");
    }
}
