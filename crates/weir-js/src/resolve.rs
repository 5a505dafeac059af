//! Which file of the package a specifier means, by Node's rules (without looking outside).

use crate::hash::Map;

/// Extensions that Node and its loaders try, in order.
const EXTENSIONS: [&str; 12] = [
    ".js", ".cjs", ".mjs", ".json", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".sh", ".node", ".cmd",
];

/// Conditions of `imports` under which Node takes a target.
const CONDITIONS: [&str; 6] = [
    "node-addons",
    "node",
    "import",
    "require",
    "module-sync",
    "default",
];

/// Most names that are read from `imports`.
const ALIASES: usize = 2_000;
/// Most folders around a file in which a package is looked for.
const FOLDERS: usize = 16;
/// Deepest condition in condition that is read.
const CONDITIONS_DEEP: usize = 8;

/// Names for files of the package that only its own code may use: `imports` of its manifest.
#[derive(Debug, Default)]
struct Aliases {
    exact: Map<String, String>,
    /// What stands before and after the star of a name, and the target with a star.
    patterns: Vec<(String, String, String)>,
}

impl Aliases {
    fn of(manifest: &serde_json::Value) -> Self {
        let mut aliases = Self::default();
        let imports = manifest.get("imports").and_then(|it| it.as_object());
        for (name, target) in imports.into_iter().flatten().take(ALIASES) {
            let Some(path) = target_of(target, 0) else {
                continue;
            };
            match name.split_once('*') {
                Some((before, after)) => {
                    let pattern = (before.to_owned(), after.to_owned(), path.to_owned());
                    aliases.patterns.push(pattern);
                }
                None => {
                    aliases.exact.insert(name.clone(), path.to_owned());
                }
            }
        }
        aliases
    }

    /// The path from the package's root that a name stands for. Of several patterns the one that says
    /// most before its star counts.
    fn find(&self, name: &str) -> Option<String> {
        if let Some(path) = self.exact.get(name) {
            return Some(path.clone());
        }
        let matches = self.patterns.iter().filter_map(|(before, after, path)| {
            let star = name.strip_prefix(before.as_str())?;
            let star = star.strip_suffix(after.as_str())?;
            Some((before.len(), star, path))
        });
        let (_, star, path) = matches.max_by_key(|(length, ..)| *length)?;
        Some(path.replace('*', star))
    }
}

/// The file that a target of `imports` means to Node, or to whoever else where it means none to Node.
fn target_of(target: &serde_json::Value, depth: usize) -> Option<&str> {
    if depth > CONDITIONS_DEEP {
        return None;
    }
    match target {
        serde_json::Value::String(path) => path.starts_with("./").then_some(path.as_str()),
        serde_json::Value::Array(list) => list.iter().find_map(|it| target_of(it, depth + 1)),
        serde_json::Value::Object(map) => {
            let of_node = map
                .iter()
                .filter(|(condition, _)| CONDITIONS.contains(&condition.as_str()));
            let all = of_node.chain(map.iter());
            all.map(|(_, inner)| inner)
                .find_map(|it| target_of(it, depth + 1))
        }
        _ => None,
    }
}

/// The package's files by path.
#[derive(Debug, Default)]
pub(crate) struct Resolver<'a> {
    by_path: Map<&'a str, usize>,
    aliases: Aliases,
    /// `main` of folders that hold a `package.json`.
    mains: Map<&'a str, String>,
    /// Dependencies lie in the tarball.
    bundles: bool,
}

impl<'a> Resolver<'a> {
    /// Indexes the files. Where two have one path the last wins, as it does for extractors.
    pub(crate) fn new(files: &[crate::SourceFile<'a>]) -> Self {
        let mut resolver = Self::default();
        for (index, file) in files.iter().enumerate() {
            resolver.by_path.insert(file.path, index);
            resolver.bundles |=
                file.path.starts_with("node_modules/") || file.path.contains("/node_modules/");
            if file.path == "package.json"
                && file.bytes.len() < 1 << 20
                && let Ok(json) = serde_json::from_slice(file.bytes)
            {
                resolver.aliases = Aliases::of(&json);
            }
            if let Some(folder) = file.path.strip_suffix("/package.json")
                && file.bytes.len() < 1 << 20
                && let Ok(json) = serde_json::from_slice::<serde_json::Value>(file.bytes)
                && let Some(main) = json.get("main").and_then(|main| main.as_str())
            {
                resolver.mains.insert(folder, main.to_owned());
            }
        }
        resolver
    }

    /// Adds files of which only the names are known, behind the others. What has a path already stays.
    pub(crate) fn with_unkept(mut self, kept: usize, unkept: &[crate::Unkept<'a>]) -> Self {
        for (index, file) in unkept.iter().enumerate() {
            self.by_path.entry(file.path).or_insert(kept + index);
        }
        self
    }

    /// The file that `specifier` means in a file at `from`. Specifiers of other packages give `None`.
    pub(crate) fn resolve(&self, from: &str, specifier: &str) -> Option<usize> {
        if specifier.starts_with('#') {
            return self.entry(&self.aliases.find(specifier)?);
        }
        let specifier = specifier.strip_prefix("file://").unwrap_or(specifier);
        let specifier = specifier.split(['?', '#']).next().unwrap_or(specifier);
        if !specifier.starts_with('.') && !specifier.starts_with('/') {
            return self.bundled(from, specifier);
        }
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.path(&join(folder, specifier.trim_start_matches('/'))?)
    }

    /// Code in a folder, seen from a file: no deeper, in the order of their paths.
    pub(crate) fn folder(&self, from: &str, folder: &str) -> Vec<usize> {
        let here = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some(folder) = join(here, folder) else {
            return Vec::new();
        };
        let mut found: Vec<(&str, usize)> = self
            .by_path
            .iter()
            .filter(|(path, _)| {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
                parent == folder
                    && [".js", ".cjs", ".mjs"]
                        .iter()
                        .any(|end| name.ends_with(end))
            })
            .map(|(path, index)| (*path, *index))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, index)| index).collect()
    }

    /// The file in the folder of another whose name begins with a key: `747.bundle.js`.
    pub(crate) fn chunk(&self, from: &str, key: &str) -> Option<usize> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found: Vec<(&str, usize)> = self
            .by_path
            .iter()
            .filter(|(path, _)| {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
                parent == folder
                    && name.ends_with("js")
                    && name
                        .strip_prefix(key)
                        .is_some_and(|rest| rest.starts_with('.'))
            })
            .map(|(path, index)| (*path, *index))
            .collect();
        found.sort_unstable();
        found.first().map(|(_, index)| *index)
    }

    /// The file that a path from the package's root means: exact, with an extension, or a folder.
    pub(crate) fn entry(&self, path: &str) -> Option<usize> {
        self.path(&join("", path)?)
    }

    /// A package that lies in the tarball, where Node looks for it first: beside the file, then further up.
    fn bundled(&self, from: &str, specifier: &str) -> Option<usize> {
        if !self.bundles || specifier.is_empty() || specifier.contains(':') {
            return None;
        }
        let mut here = from;
        for _ in 0..FOLDERS {
            here = here.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside = join(here, "node_modules")?;
            if let Some(index) = self.path(&join(&beside, specifier)?) {
                return Some(index);
            }
            if here.is_empty() {
                break;
            }
        }
        None
    }

    fn path(&self, path: &str) -> Option<usize> {
        if let Some(index) = self.file(path) {
            return Some(index);
        }
        if let Some(main) = self.mains.get(path)
            && let Some(index) = join(path, main).and_then(|main| self.file(&main))
        {
            return Some(index);
        }
        let index = if path.is_empty() {
            "index".to_owned()
        } else {
            format!("{path}/index")
        };
        self.file(&index)
    }

    fn file(&self, path: &str) -> Option<usize> {
        if let Some(&index) = self.by_path.get(path) {
            return Some(index);
        }
        let mut longer = String::with_capacity(path.len() + 5);
        longer.push_str(path);
        for extension in EXTENSIONS {
            longer.push_str(extension);
            if let Some(&index) = self.by_path.get(longer.as_str()) {
                return Some(index);
            }
            longer.truncate(path.len());
        }
        // TypeScript sources import `./x.js` and mean `./x.ts`.
        let stem = path.strip_suffix(".js")?;
        self.by_path.get(format!("{stem}.ts").as_str()).copied()
    }
}

/// Joins and normalises; `None` when it leaves the package.
fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.len() > 1024 {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::Resolver;
    use crate::SourceFile;

    #[test]
    fn finds_what_node_finds() {
        let files: Vec<SourceFile> = [
            "index.js",
            "lib/a.cjs",
            "lib/index.mjs",
            "lib/deep/package.json",
            "lib/deep/m.js",
            "data.json",
        ]
        .iter()
        .map(|path| SourceFile {
            path,
            bytes: b"{\"main\": \"./m\"}",
        })
        .collect();
        let resolver = Resolver::new(&files);
        let found =
            |from: &str, to: &str| resolver.resolve(from, to).map(|index| files[index].path);
        assert_eq!(found("lib/a.cjs", "../"), Some("index.js"));
        assert_eq!(found("index.js", "./lib"), Some("lib/index.mjs"));
        assert_eq!(found("index.js", "./lib/a"), Some("lib/a.cjs"));
        assert_eq!(found("index.js", "./lib/deep"), Some("lib/deep/m.js"));
        assert_eq!(found("index.js", "./data"), Some("data.json"));
        assert_eq!(found("index.js", "lodash"), None);
        assert_eq!(found("index.js", "../../etc/passwd"), None);
    }

    #[test]
    fn names_of_imports_mean_what_they_mean_to_node() {
        let manifest = br##"{"imports": {
            "#core": "./lib/core.js",
            "#by/*": "./lib/*.js",
            "#by/special/*": "./special/*.js",
            "#chosen": {"browser": "./lib/page.js", "node": {"import": "./lib/node.js"}},
            "#page": {"browser": "./lib/page.js"},
            "#outside": "lodash",
            "#listed": [null, "./lib/core.js"]
        }}"##;
        let files: Vec<SourceFile> = [
            "package.json",
            "lib/core.js",
            "lib/page.js",
            "lib/node.js",
            "special/one.js",
        ]
        .iter()
        .map(|path| SourceFile {
            path,
            bytes: manifest,
        })
        .collect();
        let resolver = Resolver::new(&files);
        for (name, path) in [
            ("#core", Some("lib/core.js")),
            ("#by/node", Some("lib/node.js")),
            ("#by/special/one", Some("special/one.js")),
            ("#chosen", Some("lib/node.js")),
            ("#page", Some("lib/page.js")),
            ("#listed", Some("lib/core.js")),
            ("#outside", None),
            ("#none", None),
        ] {
            let found = resolver.resolve("lib/core.js", name);
            assert_eq!(found.map(|index| files[index].path), path, "{name}");
        }
    }
}
