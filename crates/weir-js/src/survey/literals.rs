//! Literals that may be commands or names of variables.

use std::sync::OnceLock;

use aho_corasick::packed::Searcher;
use memchr::memmem;

use crate::words::Words;

/// Upper-case names, the only string literals that are tried as names of variables.
pub(super) fn is_shouting(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Pieces of commands that read secrets or send them. Those of `tables::scripts` that print secrets are
/// here by the program and what tells that use of it from all others.
const COMMANDS: [&str; 46] = [
    "curl ",
    "wget ",
    "printenv",
    "_authToken",
    "/dev/tcp",
    "nslookup ",
    "env |",
    "Item env:",
    "gci env:",
    "dir env:",
    "gh auth",
    "glab auth",
    "git credential",
    "trufflehog ",
    "gitleaks ",
    "npm token",
    "pnpm config list",
    "yarn config list",
    "gcloud ",
    "aws configure",
    "aws sts",
    "aws secretsmanager",
    "aws ssm",
    "aws ecr",
    "az account",
    "az keyvault",
    "kubectl ",
    "vault kv",
    "vault read",
    "vault token",
    "vault print",
    "secret-tool ",
    "op read",
    "op item",
    "op document",
    "bw get",
    "bw list",
    "bw export",
    "lpass show",
    "pass show",
    "doppler secrets",
    "heroku auth",
    "security find-",
    "security dump-",
    "--export-secret-keys",
    "docker-credential-",
];

/// Words of such commands that say enough where a command is a list of words.
static WORDS: Words = Words::of(&TELLING);
const TELLING: [&str; 16] = [
    "trufflehog",
    "gitleaks",
    "gcloud",
    "kubectl",
    "doppler",
    "lpass",
    "secret-tool",
    "secretsmanager",
    "find-generic-password",
    "find-internet-password",
    "dump-keychain",
    "print-access-token",
    "export-credentials",
    "get-secret-value",
    "get-access-token",
    "--export-secret-keys",
];

/// Programs of such commands whose names say little elsewhere.
static TOOLS: Words = Words::of(&PROGRAMS);
const PROGRAMS: [&str; 11] = [
    "gh",
    "glab",
    "aws",
    "az",
    "vault",
    "op",
    "bw",
    "pass",
    "heroku",
    "security",
    // Of `git`, which every tool starts.
    "credential",
];

/// Whether a literal is a word that tells such a command from others.
pub(super) fn tells_command(text: &str) -> bool {
    WORDS.may_hold(text) && TELLING.contains(&text)
}

/// Whether a literal is the name of a program that prints secrets among other things.
pub(super) fn names_tool(text: &str) -> bool {
    TOOLS.may_hold(text) && PROGRAMS.contains(&text)
}

fn finds(bytes: &[u8]) -> bool {
    static COMMAND: OnceLock<Option<Searcher>> = OnceLock::new();
    match COMMAND.get_or_init(|| Searcher::new(COMMANDS)) {
        Some(searcher) => searcher.find(bytes).is_some(),
        // Without vector instructions.
        None => COMMANDS
            .iter()
            .any(|word| memmem::find(bytes, word.as_bytes()).is_some()),
    }
}

/// Whether some literal of a file may be such a command: a search in the raw text, which escapes
/// may hide it from. All commands are looked for in one pass.
pub(super) fn may_name_command(source: &str) -> bool {
    let bytes = source.as_bytes();
    finds(bytes)
        || memchr::memchr_iter(b'\\', bytes)
            .any(|at| matches!(bytes.get(at + 1), Some(b'x' | b'u')))
}

/// Whether a string may be a command that reads secrets or sends them.
pub(super) fn names_command(text: &str) -> bool {
    let bytes = text.as_bytes();
    let may_be = memchr::memchr3(b' ', b'_', b'/', bytes).is_some()
        || text == "printenv"
        || text.starts_with("docker-credential-");
    may_be && finds(bytes)
}

#[cfg(test)]
mod tests {
    use super::{names_command, names_tool, tells_command};
    use crate::tables::scripts::PRINTERS;

    #[test]
    fn every_command_that_prints_secrets_is_known_as_a_line() {
        for row in PRINTERS {
            let line = format!("{} {}", row.program, row.words.join(" "));
            assert!(names_command(&line), "{line}");
        }
    }

    #[test]
    fn every_one_is_known_as_a_list() {
        // Every tool starts these, and none of their words is telling.
        let is_client = |name| matches!(name, "npm" | "pnpm" | "yarn");
        for row in PRINTERS.iter().filter(|row| !is_client(row.program)) {
            let mut words = row.words.iter().chain([&row.program]);
            assert!(
                words.any(|word| tells_command(word) || names_tool(word)),
                "{} {:?}",
                row.program,
                row.words
            );
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "npm install",
            "git log",
            "environment",
            "a secret",
            "set",
            "aws s3 ls",
            "env: x",
        ] {
            assert!(!names_command(text), "{text}");
        }
    }
}
