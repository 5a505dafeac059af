//! From an entry's name to a path inside the package, as npm's extractor makes it.

use crate::Rule;

/// A path that is safe to use, and what was wrong with it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CleanPath {
    /// Relative, without empty, `.` or `..` components, never empty.
    pub(crate) path: String,
    /// The name's first component.
    pub(crate) top: String,
    /// Rules that the name breaks.
    pub(crate) broken: Vec<Rule>,
}

/// A component longer than this cannot be created on the file systems in use.
const COMPONENT_BYTES: usize = 255;

impl CleanPath {
    /// Strips the first component, whatever it is, then roots, then what a file system would
    /// resolve. `..` components are dropped: npm refuses such an entry, and a caller that joins
    /// paths must not leave its folder.
    pub(crate) fn new(name: &str, longest: usize, deepest: usize) -> Self {
        let mut broken = Vec::new();
        let (top, rest) = match name.split_once('/') {
            Some((top, rest)) => (top, rest),
            None => {
                broken.push(Rule::NoTopFolder);
                ("", name)
            }
        };
        if name.starts_with('/') {
            broken.push(Rule::AbsolutePath);
        } else if top == "." || top == ".." {
            broken.push(Rule::UnnormalisedPath);
        }
        let rooted = strip_roots(rest);
        if rooted != rest {
            broken.push(if rest.starts_with('/') {
                Rule::UnnormalisedPath
            } else {
                Rule::AbsolutePath
            });
        }
        if name.contains('\\') {
            broken.push(Rule::Backslash);
        }
        if name.split(['/', '\\']).any(|part| part == "..") {
            broken.push(Rule::ParentPath);
        }
        if name.contains(char::is_control) {
            broken.push(Rule::ControlCharacter);
        }
        let mut path = rooted.to_owned();
        if rooted.split('/').any(is_hollow) {
            let kept: Vec<&str> = rooted.split('/').filter(|part| !is_hollow(part)).collect();
            path = kept.join("/");
            // Every extractor resolves `package/./a.js` alike; honest bundlers' tooling writes it.
            let dots_only = rooted
                .split('/')
                .all(|part| part == "." || !is_hollow(part));
            // A last `.` asks for a folder: npm makes a file of it, others fail to open it.
            let resolved_alike = dots_only && !path.is_empty() && !rooted.ends_with("/.");
            broken.push(if resolved_alike {
                Rule::DotComponent
            } else {
                Rule::UnnormalisedPath
            });
        }
        if path.is_empty() {
            // Such a name stands for the package folder itself; npm leaves it alone.
            broken.push(Rule::NoTopFolder);
            path = if is_hollow(top) { "unnamed" } else { top }.to_owned();
        }
        if path.len() > longest || path.split('/').any(|part| part.len() > COMPONENT_BYTES) {
            broken.push(Rule::PathTooLong);
        }
        if path.split('/').count() > deepest {
            broken.push(Rule::PathTooDeep);
        }
        broken.dedup();
        Self {
            path,
            top: top.to_owned(),
            broken,
        }
    }
}

fn is_hollow(part: &str) -> bool {
    matches!(part, "" | "." | "..")
}

/// Takes off what npm's extractor takes for a root, on every platform: slashes, backslashes and
/// drive letters.
fn strip_roots(mut path: &str) -> &str {
    loop {
        let bytes = path.as_bytes();
        let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
        let root = match bytes.first() {
            Some(b'/' | b'\\') => 1,
            _ if drive => 2,
            _ => return path,
        };
        path = path.get(root..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::CleanPath;

    #[test]
    fn paths_are_cleaned_as_npm_cleans_them() {
        for (name, path, broken) in [
            ("package/index.js", "index.js", &[][..]),
            ("node/lib/a.js", "lib/a.js", &[]),
            ("/package/abs.js", "package/abs.js", &["absolute-path"]),
            ("package//a.js", "a.js", &["unnormalised-path"]),
            ("package/lib/./a.js", "lib/a.js", &["dot-component"]),
            ("package/./a.js", "a.js", &["dot-component"]),
            ("package/lib/.", "lib", &["unnormalised-path"]),
            ("./package/a.js", "package/a.js", &["unnormalised-path"]),
            ("package/C:/a.js", "a.js", &["absolute-path"]),
            ("package/C:a.js", "a.js", &["absolute-path"]),
            (
                "package/../../a.js",
                "a.js",
                &["parent-path", "unnormalised-path"],
            ),
            ("../a.js", "a.js", &["unnormalised-path", "parent-path"]),
            (
                "package\\a.js",
                "package\\a.js",
                &["no-top-folder", "backslash"],
            ),
            ("package/lib\\a.js", "lib\\a.js", &["backslash"]),
            ("a.js", "a.js", &["no-top-folder"]),
            ("package/a\u{1b}.js", "a\u{1b}.js", &["control-character"]),
            (
                "package/.",
                "package",
                &["unnormalised-path", "no-top-folder"],
            ),
            (
                "/",
                "unnamed",
                &["absolute-path", "unnormalised-path", "no-top-folder"],
            ),
            ("package/1/2/3/4/5", "1/2/3/4/5", &["path-too-deep"]),
            (
                "package/123456789012345678901",
                "123456789012345678901",
                &["path-too-long"],
            ),
        ] {
            let clean = CleanPath::new(name, 20, 4);
            let rules: Vec<&str> = clean.broken.iter().map(|rule| rule.id()).collect();
            assert_eq!(
                (clean.path.as_str(), &rules[..]),
                (path, broken),
                "{name:?}"
            );
        }
    }
}
