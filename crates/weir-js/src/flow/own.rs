//! Paths that count from the folder of the code itself. Values pass from file to file, so here
//! [`OWN`] is the package's root, with the file's folder behind it.

use std::borrow::Cow;

use super::solve::Solver;
use super::text;
use crate::ability::OWN;

/// The package's root with the folder of a file behind it.
fn folder_of(file: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{OWN}/{folder}"),
        None => OWN.to_owned(),
    }
}

/// What follows `root` in a path from the package's root, as it is seen from a file: `../../x` behind `.`.
fn seen<'t>(path: &'t str, root: &str, file: &str) -> Cow<'t, str> {
    let Some(rest) = path.strip_prefix(OWN) else {
        return Cow::Borrowed(path);
    };
    let up = "/..".repeat(file.matches('/').count());
    Cow::Owned(format!("{root}{up}{rest}"))
}

/// A path from the package's root as it would be written in a file: `./../x`.
pub(super) fn specifier<'t>(path: &'t str, file: &str) -> Cow<'t, str> {
    seen(path, ".", file)
}

/// The folder of a path. What goes up goes up further.
pub(super) fn folder(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or(path);
    match path.rsplit_once('/') {
        _ if last == OWN || last == ".." => format!("{path}/.."),
        Some((folder, _)) => folder.to_owned(),
        None => ".".to_owned(),
    }
}

/// Where `new URL(relative, base)` leads: from the folder of a file of the package.
pub(super) fn address(relative: &str, base: &str) -> Option<String> {
    let is_relative = relative.starts_with('.') && base.starts_with(OWN);
    is_relative.then(|| text::join_path(&[&folder(base), relative]))
}

impl Solver<'_> {
    /// The folder of a file, from the package's root.
    pub(super) fn own_folder(&self, file: u32) -> String {
        match self.modules.path(file) {
            Some(path) => folder_of(&path),
            None => OWN.to_owned(),
        }
    }

    /// The constant that a member of `import.meta` is in a file.
    pub(super) fn own_place(&self, path: &str, file: u32) -> Option<String> {
        match path {
            "import.meta.dirname" => Some(self.own_folder(file)),
            "import.meta.url" | "import.meta.filename" => {
                Some(format!("{}/{}", self.own_folder(file), super::ITSELF))
            }
            _ => None,
        }
    }

    /// A path from the package's root, as code of a file loads it.
    pub(super) fn specifier<'t>(&self, path: &'t str, file: u32) -> Cow<'t, str> {
        match path.starts_with(OWN) {
            true => specifier(path, &self.modules.path(file).unwrap_or_default()),
            false => Cow::Borrowed(path),
        }
    }

    /// The same with [`OWN`] for the folder of the file, as one look at a file has it.
    pub(super) fn seen_from(&self, path: String, file: u32) -> String {
        match path.starts_with(OWN) {
            true => {
                let from = self.modules.path(file).unwrap_or_default();
                seen(&path, OWN, &from).into_owned()
            }
            false => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OWN, address, folder, folder_of, seen, specifier};

    #[test]
    fn paths_are_seen_from_where_they_are_used() {
        let own = |rest: &str| format!("{OWN}{rest}");
        assert_eq!(folder_of("lib/a/b.js"), own("/lib/a"));
        assert_eq!(folder_of("b.js"), OWN);
        assert_eq!(specifier(&own("/x.js"), "lib/a/b.js"), "./../../x.js");
        assert_eq!(specifier(&own("/x.js"), "b.js"), "./x.js");
        assert_eq!(specifier("/tmp/x.js", "lib/b.js"), "/tmp/x.js");
        assert_eq!(seen(&own("/../x"), OWN, "lib/b.js"), own("/../../x"));
    }

    #[test]
    fn folders_go_up() {
        let own = |rest: &str| format!("{OWN}{rest}");
        for (path, expected) in [
            (own("/a/b"), own("/a")),
            (own("/a"), own("")),
            (own(""), own("/..")),
            (own("/.."), own("/../..")),
            ("~/x".to_owned(), "~".to_owned()),
            ("x".to_owned(), ".".to_owned()),
        ] {
            assert_eq!(folder(&path), expected, "{path}");
        }
        assert_eq!(address("../x", &own("/a/b.js")), Some(own("/x")));
        assert_eq!(address("https://a.invalid", &own("/a/b.js")), None);
        assert_eq!(address("./x", "https://a.invalid"), None);
    }
}
