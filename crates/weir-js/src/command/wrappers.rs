//! Programs that run the program named behind them: `sudo`, `env`, `xargs`, and words of the shell itself.

use super::leaks::program;
use super::shell::is_name;

/// A program that runs another one.
struct Wrapper {
    name: &'static str,
    /// Short options whose value may be the next word.
    short: &'static str,
    /// The same of long options.
    long: &'static [&'static str],
    /// Words of its own before the program.
    operands: usize,
}

const fn plain(name: &'static str) -> Wrapper {
    valued(name, "", &[], 0)
}

const fn valued(
    name: &'static str,
    short: &'static str,
    long: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper {
        name,
        short,
        long,
        operands,
    }
}

/// From the manuals of coreutils, util-linux, findutils, sudo and doas, and of POSIX shells.
const WRAPPERS: &[Wrapper] = &[
    plain("nohup"),
    plain("command"),
    plain("builtin"),
    plain("setsid"),
    plain("cross-env"),
    plain("cross-env-shell"),
    plain("busybox"),
    plain("unshare"),
    plain("caffeinate"),
    plain("start"),
    plain("coproc"),
    plain("then"),
    plain("do"),
    plain("else"),
    plain("elif"),
    plain("if"),
    plain("while"),
    plain("until"),
    plain("!"),
    plain("{"),
    plain("--"),
    valued("exec", "a", &[], 0),
    valued("time", "fo", &["--format", "--output"], 0),
    valued("dotenv", "ev", &[], 0),
    valued("nice", "n", &["--adjustment"], 0),
    valued("ionice", "cn", &["--class", "--classdata"], 0),
    valued("stdbuf", "ioe", &["--input", "--output", "--error"], 0),
    valued("timeout", "ks", &["--kill-after", "--signal"], 1),
    valued("flock", "wE", &["--timeout", "--wait"], 1),
    valued("chroot", "", &["--userspec", "--groups"], 1),
    valued("taskset", "", &[], 1),
    valued("doas", "uC", &[], 0),
    valued("env", "uCa", &["--unset", "--chdir", "--argv0"], 0),
    valued(
        "sudo",
        "ughpCcrtTUDRa",
        &[
            "--user",
            "--group",
            "--host",
            "--prompt",
            "--close-from",
            "--role",
            "--type",
            "--command-timeout",
            "--other-user",
            "--chdir",
            "--chroot",
        ],
        0,
    ),
    valued(
        "xargs",
        "InPLdsEa",
        &[
            "--delimiter",
            "--max-args",
            "--max-procs",
            "--max-chars",
            "--arg-file",
        ],
        0,
    ),
];

/// Drops wrappers (`sudo`, `env X=1`, `nohup`, `xargs`, ...), so that the program comes first. Each round
/// takes a word away, so however many there are, they end.
pub(crate) fn unwrapped(words: &[String]) -> &[String] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let name = program(first);
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            return words;
        };
        let is_env = name == "env";
        // What it splits is a command line of its own.
        if is_env && split_string(words).is_some() {
            return words;
        }
        let behind = behind(wrapper, rest);
        // Without a program it prints the variables.
        if is_env && behind.is_empty() {
            return words.get(..1).unwrap_or_default();
        }
        words = behind;
    }
    words
}

/// The command line in `env -S '...'`.
pub(super) fn split_string(words: &[String]) -> Option<String> {
    let mut rest = words.get(1..)?;
    while let Some((word, behind)) = rest.split_first() {
        let value = match word.strip_prefix("--") {
            Some("split-string") => Some(""),
            Some(long) => long.strip_prefix("split-string="),
            None => word
                .strip_prefix('-')
                .and_then(|options| options.split_once('S'))
                .filter(|(before, _)| before.chars().all(|c| matches!(c, 'i' | 'v' | '0')))
                .map(|(_, value)| value),
        };
        if let Some(value) = value {
            return Some(format!("{value} {}", behind.join(" ")));
        }
        if !word.starts_with('-') && !is_setting(word) {
            return None;
        }
        rest = behind;
    }
    None
}

/// The words behind a wrapper's options, settings and operands.
fn behind<'w>(wrapper: &Wrapper, words: &'w [String]) -> &'w [String] {
    let mut rest = words;
    let mut has_ended = false;
    while let Some((word, after)) = rest.split_first() {
        if !has_ended && word.starts_with('-') {
            has_ended = word == "--";
            rest = match takes_next(wrapper, word) {
                true => after.get(1..).unwrap_or_default(),
                false => after,
            };
        } else if is_setting(word) || (wrapper.name == "start" && is_switch(word)) {
            rest = after;
        } else {
            break;
        }
    }
    rest.get(wrapper.operands..).unwrap_or_default()
}

/// Whether the value of an option is the next word. Of several short options in one word the first that
/// takes a value ends them.
fn takes_next(wrapper: &Wrapper, word: &str) -> bool {
    if word.starts_with("--") {
        return wrapper.long.contains(&word);
    }
    let options = word.trim_start_matches('-');
    let first = options.find(|option| wrapper.short.contains(option));
    first.is_some_and(|at| at + 1 == options.len())
}

/// An option as Windows' commands have them: `/b`, `/wait`.
fn is_switch(word: &str) -> bool {
    let name = word.strip_prefix('/').unwrap_or_default();
    !name.is_empty() && name.len() <= 12 && name.bytes().all(|b| b.is_ascii_alphabetic())
}

/// `NAME=value`
fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    #[test]
    fn the_program_comes_first() {
        for (text, program) in [
            ("env A=/x curl x", "curl x"),
            ("cross-env A=/x B=1 node a.js", "node a.js"),
            ("sudo -u root curl x", "curl x"),
            ("sudo -Eu root A=/x curl x", "curl x"),
            ("nice -n 5 curl x", "curl x"),
            ("nice -n5 curl x", "curl x"),
            ("nice -5 curl x", "curl x"),
            ("timeout 5 curl x", "curl x"),
            ("timeout -k 1 5 curl x", "curl x"),
            ("timeout --signal=KILL 5 curl x", "curl x"),
            ("stdbuf -o L curl x", "curl x"),
            ("env -u A -- curl -u b x", "curl -u b x"),
            ("xargs -0rI {} curl {}", "curl {}"),
            ("start /b /wait curl x", "curl x"),
            ("until curl x", "curl x"),
            ("elif ! curl x", "curl x"),
            ("env", "env"),
            ("env -0", "env"),
            ("node -r ./a.js b.js", "node -r ./a.js b.js"),
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(unwrapped(&words).join(" "), program, "{text}");
        }
        let many: Vec<String> = "sudo ".repeat(99).split(' ').map(str::to_owned).collect();
        assert_eq!(unwrapped(&many), [""]);
    }
}
