//! Which file of the package a specifier means, by Node's rules (without looking outside).

use crate::hash::Map;

/// Extensions that Node and its loaders try, in order.
const EXTENSIONS: [&str; 12] = [
    ".js", ".cjs", ".mjs", ".json", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".sh", ".node", ".cmd",
];

/// The package's files by path.
#[derive(Debug, Default)]
pub(crate) struct Resolver<'a> {
    by_path: Map<&'a str, usize>,
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
            resolver.bundles |= file.path.starts_with("node_modules/");
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

    /// The file that `specifier` means in a file at `from`. Specifiers of other packages give `None`.
    pub(crate) fn resolve(&self, from: &str, specifier: &str) -> Option<usize> {
        let specifier = specifier.strip_prefix("file://").unwrap_or(specifier);
        let specifier = specifier.split(['?', '#']).next().unwrap_or(specifier);
        if !specifier.starts_with('.') && !specifier.starts_with('/') {
            return self.bundled(specifier);
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

    /// A package that lies in the tarball, where Node looks for it first.
    fn bundled(&self, specifier: &str) -> Option<usize> {
        if !self.bundles || specifier.is_empty() || specifier.contains(':') {
            return None;
        }
        self.path(&join("node_modules", specifier)?)
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
}
