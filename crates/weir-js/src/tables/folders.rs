//! Folders of a home that hold credentials somewhere below, for what takes all of a folder, and names that a
//! shell completes: `tar cz ~/.aws`, `cat ~/.aws/*`.

use weir_model::contents::SourceKind;

use super::credentials::{self, CREDENTIALS};
use crate::flow::UNKNOWN;

/// Folders of which most files hold settings and no secret: a file there whose name is not known is none.
const MIXED: &[&str] = &[
    ".config",
    ".claude",
    ".cursor",
    ".codex",
    ".continue",
    ".gemini",
    ".gradle",
    ".vercel",
];
/// Longest path that is looked at, in bytes, and its most components.
const LENGTH: usize = 1024;
const COMPONENTS: usize = 32;

/// What lies at a path, or at those that a shell makes of a pattern, where that is a secret.
pub(crate) fn file(path: &str) -> Option<SourceKind> {
    credentials::kind(path).or_else(|| {
        let is_pattern = path.contains(['*', '?', '[', '{']);
        is_pattern.then(|| meets(path, false)).flatten()
    })
}

/// The same of all that lies at or below a path.
pub(crate) fn tree(path: &str) -> Option<SourceKind> {
    credentials::kind(path).or_else(|| meets(path, true))
}

/// What the first row gives that a path in a home folder may stand for or, as a `tree`, lead to. All of a home
/// holds credentials.
fn meets(path: &str, tree: bool) -> Option<SourceKind> {
    if path.len() > LENGTH {
        return None;
    }
    let path = path.replace('\\', "/").to_lowercase();
    let rest = below_home(&path)?;
    let is_named = |part: &&str| !part.is_empty() && *part != ".";
    let parts: Vec<&str> = rest.split('/').filter(is_named).collect();
    let is_all = match parts.as_slice() {
        [] => tree,
        [one] => one.contains('*') && one.chars().all(|c| "*.?![]^".contains(c)),
        _ => false,
    };
    if is_all {
        return Some(SourceKind::CredentialFile);
    }
    if parts.is_empty() || parts.len() > COMPONENTS {
        return None;
    }
    let row = CREDENTIALS
        .iter()
        .find(|row| is_of_home(row.part) && leads(&parts, row.part, tree));
    row.map(|row| row.kind)
}

/// What stands behind the home folder in a path. The folder of all homes, and the root, hold them too.
pub(crate) fn below_home(path: &str) -> Option<&str> {
    if matches!(path, "/" | "/*" | "/home" | "/users" | "c:/users") {
        return Some("");
    }
    if let Some(rest) = path.strip_prefix('~') {
        // `~name/x`
        return Some(rest.split_once('/').map_or("", |(_, rest)| rest));
    }
    if let Some(rest) = path.strip_prefix("/root") {
        return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
    }
    let homes = ["/home/", "/users/", "c:/users/"];
    let rest = homes.iter().find_map(|homes| path.strip_prefix(homes))?;
    Some(rest.split_once('/').map_or("", |(_, rest)| rest))
}

/// Whether a row's path begins in the home folder itself.
fn is_of_home(part: &str) -> bool {
    part.starts_with('.') || part.starts_with("library/") || part.starts_with("appdata/")
}

/// Whether the components of a path may be those of a row or, in a `tree`, the first of them.
fn leads(parts: &[&str], row: &str, tree: bool) -> bool {
    let mut row = row.trim_end_matches('/').split('/');
    let meets = parts
        .iter()
        .all(|part| row.next().is_some_and(|name| fits(part, name)));
    meets && (tree || row.next().is_none())
}

/// Whether a shell's pattern may stand for a name. What it lists in brackets and braces is not looked at.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split(['*', '?', '[', ']', '{', '}']);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    if first.len() == pattern.len() {
        return rest.is_empty();
    }
    // A bracket's inside is a piece of its own here, and none of the name.
    if pattern.contains(['[', '{']) {
        return true;
    }
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// The row whose file a path may be of which all but the last component is known. `path` is in small letters.
pub(super) fn unnamed(path: &str) -> Option<&'static credentials::Credential> {
    let (folder, last) = path.rsplit_once('/')?;
    if last.is_empty() || last.chars().any(|c| c != UNKNOWN) {
        return None;
    }
    CREDENTIALS.iter().find(|row| {
        let Some((dir, file)) = row.part.rsplit_once('/') else {
            return false;
        };
        let is_own = !file.is_empty() && dir.starts_with('.') && !MIXED.contains(&dir);
        is_own
            && folder
                .strip_suffix(dir)
                .is_some_and(|before| before.is_empty() || before.ends_with(['/', UNKNOWN]))
    })
}

#[cfg(test)]
mod tests {
    use weir_model::contents::SourceKind::{CredentialFile, WalletOrProfile};

    use super::{file, tree};

    #[test]
    fn folders_above_credentials_hold_them() {
        for (path, kind) in [
            ("~", CredentialFile),
            ("~/", CredentialFile),
            ("/root", CredentialFile),
            ("/home/me/", CredentialFile),
            ("/home", CredentialFile),
            ("~/*", CredentialFile),
            ("~/.aws", CredentialFile),
            ("~/.aws/", CredentialFile),
            ("/home/me/.kube", CredentialFile),
            ("~/.docker", CredentialFile),
            ("~/.config", CredentialFile),
            ("~/.config/gh", CredentialFile),
            ("~/.m2", CredentialFile),
            ("~/.cargo", CredentialFile),
            ("~/.claude", CredentialFile),
            ("~/.cursor", CredentialFile),
            ("~/.codex", CredentialFile),
            ("~/.mozilla", WalletOrProfile),
            ("~/.ethereum", WalletOrProfile),
            ("~/.config/solana", WalletOrProfile),
            ("~/.ssh", CredentialFile),
            ("~/Library", WalletOrProfile),
            ("C:\\Users\\me\\.aws", CredentialFile),
        ] {
            assert_eq!(tree(path), Some(kind), "{path}");
        }
        for path in [
            "~/.cache",
            "~/.cache/tool",
            "~/.config/tool",
            "~/projects",
            "~/.docker/cli-plugins",
            "~/.cargo/bin",
            ".config",
            ".docker",
            "dist",
            "library",
            "/rooted/.aws",
            "/srv/home",
            "",
        ] {
            assert_eq!(tree(path), None, "{path}");
        }
    }

    #[test]
    fn patterns_of_a_shell_stand_for_files() {
        for path in [
            "~/.aws/*",
            "~/.aws/c*",
            "~/.aws/cred*s",
            "~/.npm*",
            "~/.npmr?",
            "~/.*rc",
            "~/.{npmrc,netrc}",
            "~/.kube/*",
            "~/.config/gh/*.yml",
            "~/*",
            "~/.*",
        ] {
            assert!(file(path).is_some(), "{path}");
        }
        for path in [
            "~/.aws",
            "~/.cache/*",
            "~/.npm/*",
            "~/*.log",
            "~/.config/tool/*",
            "*",
            "dist/*",
            ".docker/*",
            "~/.config/*/x",
        ] {
            assert!(file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_file_without_a_name_is_one_where_most_are() {
        for path in [
            "~/.aws/\u{f8ff}",
            "/root/.kube/\u{f8ff}",
            "~/.config/gh/\u{f8ff}",
            "\u{f8ff}/.docker/\u{f8ff}",
        ] {
            assert!(file(path).is_some(), "{path}");
        }
        for path in [
            "~/.config/\u{f8ff}",
            "~/\u{f8ff}",
            "~/.\u{f8ff}rc",
            "~/.claude/\u{f8ff}",
            "~/.cargo/bin/\u{f8ff}",
            "~/.aws/\u{f8ff}.log",
            "/etc/\u{f8ff}",
            "~/my.aws/\u{f8ff}",
        ] {
            assert!(file(path).is_none(), "{path}");
        }
    }
}
