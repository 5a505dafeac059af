//! Which folder an entry is for. npm takes a key for a path and walks it, so that two spellings are one folder
//! to it: a spelling that it never writes would hide what lies there from whoever compares texts.

use super::super::error::{LockfileError, Problem};
use super::super::tree::Member;
use super::{MAX_KEY, MAX_PARTS};

/// Refuses a key of `packages` that npm would not write.
pub(super) fn check(member: &Member<'_>) -> Result<(), LockfileError> {
    let key = member.key.as_ref();
    if key.len() > MAX_KEY || key.split('/').count() > MAX_PARTS {
        return Err(Problem::KeyTooLong.at(member.line, Some(key)));
    }
    if !is_plain(key) {
        let problem = Problem::Wrong("a folder as npm writes it, without detours");
        return Err(problem.at(member.line, Some(key)));
    }
    if is_in_store(key) {
        return Err(Problem::LinkedLayout.at(member.line, Some(key)));
    }
    Ok(())
}

/// Whether a folder is in the store from which npm links packages with `install-strategy=linked`. No package's
/// name begins with a dot.
fn is_in_store(key: &str) -> bool {
    let inner = key.split("node_modules/").skip(1);
    inner
        .map(|it| it.split('/').next())
        .any(|it| it == Some(".store"))
}

/// Refuses a key of version 1 that is not a package's name: it becomes part of a path.
pub(super) fn check_name(member: &Member<'_>) -> Result<(), LockfileError> {
    if is_name(&member.key) {
        return Ok(());
    }
    let problem = Problem::Wrong("a package's name, which version 1 has here");
    Err(problem.at(member.line, Some(&member.key)))
}

/// Whether a path leads straight down, or to a folder outside the project and then straight down. A backslash is
/// a slash on Windows, where npm writes slashes all the same.
fn is_plain(key: &str) -> bool {
    let mut outside = true;
    let straight = |part: &str| match part {
        "" | "." => false,
        ".." => outside,
        _ => {
            outside = false;
            true
        }
    };
    key.is_empty() || (!key.contains('\\') && !is_half_drive(key) && key.split('/').all(straight))
}

/// Whether a path begins with a drive and no slash: on Windows that is the folder one is in, on that drive.
fn is_half_drive(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.next() == Some(b':')
        && bytes.next() != Some(b'/')
}

/// `name` or `@scope/name`.
fn is_name(key: &str) -> bool {
    let is_folder = |part: &str| {
        !matches!(part, "" | "." | ".." | "node_modules") && !part.contains(['/', '\\'])
    };
    match key.split_once('/') {
        Some((scope, name)) => scope.starts_with('@') && is_folder(scope) && is_folder(name),
        None => is_folder(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_spelling() {
        for (key, is) in [
            ("", true),
            ("node_modules/ms", true),
            ("node_modules/@s/ms/node_modules/debug", true),
            (
                "packages/a/node_modules/.store/ms@1.0.0/node_modules/ms",
                true,
            ),
            ("packages/...", true),
            ("..", true),
            ("../../tool/node_modules/ms", true),
            ("D:/tool", true),
            ("node_modules/./ms", false),
            ("./node_modules/ms", false),
            ("node_modules//ms", false),
            ("node_modules/ms/", false),
            ("/node_modules/ms", false),
            ("node_modules/x/../ms", false),
            ("../tool/../app/node_modules/ms", false),
            (".", false),
            ("node_modules\\ms", false),
            ("D:node_modules/ms", false),
        ] {
            assert_eq!(is_plain(key), is, "{key}");
        }
    }

    #[test]
    fn a_store_is_told_from_a_package() {
        for (key, is) in [
            ("node_modules/.store/ms@1.0.0-ab", true),
            ("node_modules/.store/ms@1.0.0-ab/node_modules/ms", true),
            ("packages/a/node_modules/.store/ms@1.0.0-ab", true),
            ("node_modules/ms", false),
            ("node_modules/store", false),
            ("packages/.store", false),
            ("", false),
        ] {
            assert_eq!(is_in_store(key), is, "{key}");
        }
    }

    #[test]
    fn names_are_no_paths() {
        for (key, is) in [
            ("ms", true),
            ("@s/ms", true),
            ("JSONStream", true),
            ("./ms", false),
            ("x/../ms", false),
            ("debug/node_modules/ms", false),
            ("@s/ms/x", false),
            ("@s/..", false),
            ("ms/", false),
            ("x\\ms", false),
            ("node_modules", false),
            ("", false),
        ] {
            assert_eq!(is_name(key), is, "{key}");
        }
    }
}
