//! Literals that may be commands or names of variables.

use std::sync::OnceLock;

use aho_corasick::packed::Searcher;
use memchr::memmem;

/// Upper-case names, the only string literals that are tried as names of variables.
pub(super) fn is_shouting(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Pieces of commands that read secrets or send them.
const COMMANDS: [&str; 8] = [
    "curl ",
    "wget ",
    "printenv",
    "gh auth",
    "_authToken",
    "/dev/tcp",
    "nslookup ",
    "env |",
];

/// Whether some literal of a file may be such a command: a search in the raw text, which escapes
/// may hide it from. All commands are looked for in one pass.
pub(super) fn may_name_command(source: &str) -> bool {
    static COMMAND: OnceLock<Option<Searcher>> = OnceLock::new();
    let bytes = source.as_bytes();
    let named = match COMMAND.get_or_init(|| Searcher::new(COMMANDS)) {
        Some(searcher) => searcher.find(bytes).is_some(),
        // Without vector instructions.
        None => COMMANDS
            .iter()
            .any(|word| memmem::find(bytes, word.as_bytes()).is_some()),
    };
    named
        || memchr::memchr_iter(b'\\', bytes)
            .any(|at| matches!(bytes.get(at + 1), Some(b'x' | b'u')))
}

/// Whether a string may be a command that reads secrets or sends them.
pub(super) fn names_command(text: &str) -> bool {
    if memchr::memchr3(b' ', b'_', b'/', text.as_bytes()).is_none() && text != "printenv" {
        return false;
    }
    COMMANDS.iter().any(|word| text.contains(word))
}
