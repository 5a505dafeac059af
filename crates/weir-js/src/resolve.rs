//! Which file of the package a specifier means, by Node's rules (without looking outside).

use std::cell::OnceCell;

use weir_model::contents::Surface;

use crate::hash::{Map, Set};

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

/// Endings of code that a star stands for.
const CODE: [&str; 4] = [".js", ".cjs", ".mjs", ".jsx"];
/// Most entries with a star that are looked up. Where there are more, they stand for all code.
const PATTERNS: usize = 256;

fn is_code(path: &str) -> bool {
    CODE.iter().any(|end| path.ends_with(end))
}

/// What stands before and after the star of an entry, or before everything below a folder: `./lib/*.js`, `./lib/`.
/// Of several stars each stands for the same, and what is between them is not looked at.
fn pattern(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("./").unwrap_or(path);
    match path.split_once('*') {
        Some((before, after)) => Some((before, after.rsplit('*').next().unwrap_or(after))),
        None => path.ends_with('/').then_some((path, "")),
    }
}

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
    /// Code by path, in the order of the paths, made when it is first asked for.
    sorted: OnceCell<Vec<(&'a str, usize)>>,
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

    /// The files that the entries of a manifest mean, each surface with each file once.
    pub(crate) fn entries(&self, entries: &[(Surface, String)]) -> Vec<(Surface, usize)> {
        let mut patterns = 0;
        let mut seen = Set::default();
        let mut found = Vec::new();
        for (surface, path) in entries {
            let files = match pattern(path) {
                None => self.entry(path).into_iter().collect(),
                Some(_) if patterns == PATTERNS => {
                    patterns += 1;
                    self.code().iter().map(|(_, index)| *index).collect()
                }
                Some(_) if patterns > PATTERNS => Vec::new(),
                Some((before, after)) => {
                    patterns += 1;
                    self.matching(before, after)
                }
            };
            let new = files
                .into_iter()
                .filter(|index| seen.insert((*surface, *index)));
            found.extend(new.map(|index| (*surface, index)));
        }
        found
    }

    /// Code by path, in the order of the paths.
    fn code(&self) -> &[(&'a str, usize)] {
        self.sorted.get_or_init(|| {
            let code = self.by_path.iter().filter(|(path, _)| is_code(path));
            let mut code: Vec<_> = code.map(|(path, index)| (*path, *index)).collect();
            code.sort_unstable();
            code
        })
    }

    /// Code whose path begins and ends like this. A star right in the root stands for files that lie there: what
    /// means everything says no more than no `exports` at all.
    fn matching(&self, before: &str, after: &str) -> Vec<usize> {
        let code = self.code();
        let first = code.partition_point(|(path, _)| *path < before);
        let below = code.iter().skip(first);
        below
            .take_while(|(path, _)| path.starts_with(before))
            .filter(|(path, _)| {
                let star = path
                    .strip_prefix(before)
                    .and_then(|it| it.strip_suffix(after));
                star.is_some_and(|star| !before.is_empty() || !star.contains('/'))
            })
            .map(|(_, index)| *index)
            .collect()
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
    use weir_model::contents::Surface;

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
    fn entries_with_a_star_mean_the_files_that_they_match() {
        let paths = [
            "index.js",
            "lib/a.js",
            "lib/b/c.js",
            "lib/d.json",
            "other/e.js",
            "f.mjs",
        ];
        let files: Vec<SourceFile> = paths
            .iter()
            .map(|path| SourceFile { path, bytes: b"" })
            .collect();
        let resolver = Resolver::new(&files);
        let found = |entries: &[&str]| {
            let entries: Vec<_> = entries
                .iter()
                .map(|it| (Surface::Import, (*it).to_owned()))
                .collect();
            let found = resolver.entries(&entries).into_iter();
            found
                .map(|(_, index)| files[index].path)
                .collect::<Vec<_>>()
        };
        for (entry, expected) in [
            ("./lib/*.js", vec!["lib/a.js", "lib/b/c.js"]),
            ("./lib/*", vec!["lib/a.js", "lib/b/c.js"]),
            ("lib/b/*.js", vec!["lib/b/c.js"]),
            ("./lib/", vec!["lib/a.js", "lib/b/c.js"]),
            ("./*/e.js", vec!["other/e.js"]),
            ("./*.js", vec!["index.js"]),
            ("./*", vec!["f.mjs", "index.js"]),
            ("./none/*", Vec::new()),
            ("./lib/a", vec!["lib/a.js"]),
        ] {
            assert_eq!(found(&[entry]), expected, "{entry}");
        }
        assert_eq!(found(&["./index.js", "./*.js"]), ["index.js"]);
        // Nobody writes so many.
        let many: Vec<String> = (0..300).map(|at| format!("./none/{at}*.js")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(found(&many).len(), 5);
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
