//! Functions of Node and of a page that others call, and that a library may put its own in the place of. Whoever does
//! is handed what others hand to them.

/// The members of one object.
pub(crate) struct Row {
    /// The object, as paths of builtins name it.
    path: &'static str,
    /// Functions of it that are handed secrets, or give some.
    members: &'static [&'static str],
    /// What they are handed.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    reason: &'static str,
}

const fn row(path: &'static str, members: &'static [&'static str], reason: &'static str) -> Row {
    Row {
        path,
        members,
        reason,
    }
}

/// The table.
const REPLACED: &[Row] = &[
    row(
        "node:http",
        &["request", "get"],
        "headers and bodies of requests",
    ),
    row(
        "node:https",
        &["request", "get"],
        "headers and bodies of requests",
    ),
    row("global", &["fetch"], "headers and bodies of requests"),
    row(
        "XMLHttpRequest.prototype",
        &["open", "send", "setRequestHeader"],
        "headers and bodies of requests",
    ),
    row("WebSocket.prototype", &["send"], "messages"),
    row(
        "node:fs",
        &["readFile", "readFileSync", "writeFile", "writeFileSync"],
        "what is in files",
    ),
    row(
        "node:crypto",
        &["createPrivateKey", "createHmac", "createSign", "sign"],
        "keys",
    ),
    row(
        "node:child_process",
        &["spawn", "exec", "execFile", "execSync", "spawnSync"],
        "commands and their environment",
    ),
    row(
        "JSON",
        &["parse", "stringify"],
        "whatever is read or written",
    ),
    row("Module", &["_load"], "all that is loaded"),
    row("node:module", &["_load"], "all that is loaded"),
];

/// Whether others call this member of an object.
pub(crate) fn is_called_by_others(path: &str, member: &str) -> bool {
    REPLACED
        .iter()
        .any(|row| row.members.contains(&member) && row.path == path)
}

/// The same for an object as a file names it. Asked of many assignments, most of which are to another name.
pub(crate) fn may_be_called_by_others(member: &str) -> bool {
    matches!(
        member,
        "request"
            | "get"
            | "fetch"
            | "open"
            | "send"
            | "setRequestHeader"
            | "readFile"
            | "readFileSync"
            | "writeFile"
            | "writeFileSync"
            | "createPrivateKey"
            | "createHmac"
            | "createSign"
            | "sign"
            | "spawn"
            | "exec"
            | "execFile"
            | "execSync"
            | "spawnSync"
            | "parse"
            | "stringify"
            | "_load"
    )
}

#[cfg(test)]
mod tests {
    use super::{REPLACED, is_called_by_others, may_be_called_by_others};

    #[test]
    fn rows_have_reasons_and_are_found() {
        for row in REPLACED {
            assert!(!row.reason.is_empty(), "{}", row.path);
            for member in row.members {
                assert!(may_be_called_by_others(member), "{member}");
                assert!(is_called_by_others(row.path, member), "{member}");
            }
        }
        assert!(!is_called_by_others("node:fs", "fetch"));
        assert!(!may_be_called_by_others("exports"));
    }
}
