//! Command lines of which pieces are not known.

use super::leaks::program;
use super::shell;
use super::words::SHELLS;
use super::wrappers::unwrapped;
use crate::flow::UNKNOWN;

/// Options behind which a command or code stands.
const CODE: [&str; 7] = ["-c", "-e", "-p", "--eval", "/c", "/C", "-Command"];

/// Whether what is not known of a line decides which program runs, or what a shell or an interpreter runs. What
/// is only given to a known program does not.
pub(crate) fn is_open(line: &str) -> bool {
    shell::programs(line).iter().any(|simple| {
        let words = unwrapped(&simple.words);
        let Some(first) = words.first() else {
            return false;
        };
        first.contains(UNKNOWN)
            || (SHELLS.contains(&&*program(first))
                && words.iter().any(|word| CODE.contains(&word.as_str()))
                && words.iter().any(|word| word.contains(UNKNOWN)))
    })
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn what_is_not_known_matters_where_it_is_run() {
        for line in [
            "\u{f8ff}",
            "\u{f8ff} --version",
            "cd /tmp && \u{f8ff}",
            "sh -c \u{f8ff}",
            "node -e '\u{f8ff}'",
            "sudo \u{f8ff}",
        ] {
            assert!(is_open(line), "{line}");
        }
        for line in [
            "git log \u{f8ff}",
            "npm install x@\u{f8ff}",
            "node \u{f8ff}/cli.js",
            "open 'https://a.invalid/\u{f8ff}'",
            "ls",
            "",
        ] {
            assert!(!is_open(line), "{line}");
        }
    }
}
