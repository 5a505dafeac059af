//! Which folder npm takes for the project: npm's "local prefix".

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Longest `package.json` looked at for its workspaces, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;

/// The project folder that `folder` lies in: the nearest one upward with a `package.json` or
/// `node_modules`; if that one is a workspace of a folder further up, that folder. Without any,
/// `folder` itself.
pub fn project_root(folder: &Path) -> PathBuf {
    let has = |folder: &Path, name: &str| folder.join(name).exists();
    let mut upward = folder.ancestors();
    let nearest = upward.find(|folder| has(folder, "package.json") || has(folder, "node_modules"));
    let Some(nearest) = nearest else {
        return folder.to_owned();
    };
    let root = upward.find(|upper| {
        nearest
            .strip_prefix(upper)
            .is_ok_and(|inner| is_workspace(&workspaces(upper), inner))
    });
    root.unwrap_or(nearest).to_owned()
}

/// The `workspaces` patterns of a folder's `package.json`: a list, or `packages` in an object.
fn workspaces(folder: &Path) -> Vec<String> {
    let path = folder.join("package.json");
    // A device or a pipe would be read without end.
    let readable = |found: std::fs::Metadata| found.is_file() && found.len() <= MAX_MANIFEST;
    if !std::fs::metadata(&path).is_ok_and(readable) {
        return Vec::new();
    }
    let text = std::fs::read(&path).unwrap_or_default();
    let Ok(manifest) = serde_json::from_slice::<Value>(&text) else {
        return Vec::new();
    };
    let list = match manifest.get("workspaces") {
        Some(Value::Object(object)) => object.get("packages").cloned(),
        other => other.cloned(),
    };
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|pattern| pattern.as_str().map(str::to_owned))
        .collect()
}

/// Whether a path is meant by the patterns: by one of them, and by none with `!` after that.
fn is_workspace(patterns: &[String], path: &Path) -> bool {
    let Some(path) = path.to_str() else {
        return false;
    };
    let path: Vec<&str> = path
        .split(['/', '\\'])
        .filter(|part| !part.is_empty())
        .collect();
    let mut found = false;
    for pattern in patterns {
        let (pattern, positive) = match pattern.strip_prefix('!') {
            Some(rest) => (rest, false),
            None => (pattern.as_str(), true),
        };
        let parts: Vec<&str> = pattern
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        // Deep patterns cost time; real ones have two or three parts.
        if parts.len() <= 16 && matches_parts(&parts, &path) {
            found = positive;
        }
    }
    found
}

fn matches_parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            matches_parts(rest, path)
                || path
                    .split_first()
                    .is_some_and(|(_, inner)| matches_parts(pattern, inner))
        }
        (Some((part, rest)), Some((name, inner))) => {
            matches_part(part, name) && matches_parts(rest, inner)
        }
        _ => false,
    }
}

/// One folder's name against a pattern in which `*` stands for any text. The stars' pieces are
/// looked for from left to right, which is enough for a star.
fn matches_part(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match name.split_once(piece) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspace_patterns_mean_what_npm_takes_them_for() {
        let yes = |patterns: &[&str], path: &str| {
            let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
            is_workspace(&patterns, Path::new(path))
        };
        assert!(yes(&["packages/*"], "packages/a"));
        assert!(yes(&["./packages/a/"], "packages/a"));
        assert!(yes(&["packages/**"], "packages/a/b"));
        assert!(yes(&["pre-*-post"], "pre-x-post"));
        assert!(!yes(&["packages/*"], "packages/a/b"));
        assert!(!yes(&["packages/*", "!packages/a"], "packages/a"));
        assert!(!yes(&[], "packages/a"));
        assert!(!yes(&["a*b*c"], "abd"));
    }

    #[test]
    fn the_project_is_the_nearest_or_its_workspace_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let member = root.join("packages").join("a");
        let other = root.join("tools");
        for inner in [&member, &other, &member.join("src")] {
            std::fs::create_dir_all(inner).unwrap();
        }
        std::fs::write(
            root.join("package.json"),
            r#"{"workspaces":["packages/*"]}"#,
        )
        .unwrap();
        std::fs::write(member.join("package.json"), "{}").unwrap();
        std::fs::write(other.join("package.json"), "{}").unwrap();
        assert_eq!(project_root(&member.join("src")), root);
        assert_eq!(project_root(&other), other);
        assert_eq!(project_root(root), root);
    }
}
