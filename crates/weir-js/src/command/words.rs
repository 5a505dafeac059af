//! What the words of one command say: whether it downloads, decodes, runs what it reads.

use super::leaks::{self, program};
use super::shell::{self, Simple};
use super::wrappers::unwrapped;

/// Programs that run what they read.
pub(super) const SHELLS: [&str; 19] = [
    "sh",
    "bash",
    "zsh",
    "dash",
    "ash",
    "ksh",
    "fish",
    "cmd",
    "powershell",
    "pwsh",
    "iex",
    "invoke-expression",
    "node",
    "bun",
    "deno",
    "python",
    "python3",
    "perl",
    "ruby",
];

/// Whether a program, as it is named, runs what it reads.
pub(crate) fn is_shell(program_path: &str) -> bool {
    !program_path.contains(' ') && SHELLS.contains(&&*program(program_path))
}

/// The last program of a command line, where it runs what comes in on its input.
pub(crate) fn reads_program(line: &str) -> Option<String> {
    let pipelines = shell::pipelines(line);
    let simple = pipelines.last()?.last()?;
    let words = unwrapped(&simple.words);
    let name = program(words.first()?);
    let rest = words.get(1..).unwrap_or_default();
    runs_input(&name, rest).then(|| name.into_owned())
}

/// Whether a program runs what comes in on its input.
pub(super) fn runs_input(name: &str, rest: &[String]) -> bool {
    let is_given = |word: &String| word == "-s" || word == "-" || word == "/dev/stdin";
    if matches!(name, "." | "source") {
        return rest.first().is_some_and(|word| word == "/dev/stdin");
    }
    if !SHELLS.contains(&name) {
        return false;
    }
    // With a script or code of its own it only reads the input as data.
    let has_own = rest
        .iter()
        .any(|word| !word.starts_with('-') && word != "-")
        && !rest.iter().any(is_given);
    let has_code = rest
        .iter()
        .any(|word| matches!(word.as_str(), "-c" | "-e" | "-p" | "--eval" | "-m"));
    !has_own && !has_code
}

/// Whether a shell is given as its code what `xargs` reads: `xargs sh -c`, `xargs -I{} sh -c '{}'`.
pub(super) fn runs_arguments(simple: &Simple) -> bool {
    let words = unwrapped(&simple.words);
    let is_given = simple.words.iter().any(|word| program(word) == "xargs")
        && words
            .first()
            .is_some_and(|word| SHELLS.contains(&&*program(word)));
    let option = words
        .iter()
        .position(|word| matches!(word.as_str(), "-c" | "-e" | "--eval"));
    let Some(at) = option.filter(|_| is_given) else {
        return false;
    };
    let code = words.get(at + 1).map(|word| shell::literal(word));
    code.is_none_or(|code| {
        let code = code.trim().trim_matches('"');
        code == "%" || ["{}", "$0", "$1", "$@", "$*"].contains(&code)
    })
}

pub(super) fn is_download(words: &[String]) -> bool {
    let Some((name, _)) = leaks::tool(words) else {
        return false;
    };
    matches!(
        name,
        "curl"
            | "wget"
            | "iwr"
            | "irm"
            | "invoke-webrequest"
            | "invoke-restmethod"
            | "http"
            | "https"
            | "certutil"
            | "bitsadmin"
            | "nc"
            | "ncat"
            | "netcat"
            | "dig"
            | "nslookup"
            | "aws"
            | "scp"
            | "ftp"
            | "telnet"
            | "socat"
            | "openssl"
    )
}

pub(super) fn is_decoder(name: &str, rest: &[String]) -> bool {
    match name {
        "base64" | "base32" | "gbase64" => rest
            .iter()
            .any(|word| word == "-d" || word == "-D" || word == "--decode"),
        "xxd" => rest.iter().any(|word| short(word, 'r')),
        "openssl" => rest.iter().any(|word| word == "-d"),
        "gunzip" | "zcat" | "uudecode" => true,
        "gzip" => rest.iter().any(|word| short(word, 'd')),
        _ => false,
    }
}

/// Where a download goes.
pub(super) fn target(name: &str, rest: &[String], simple: &Simple) -> Option<String> {
    let mut after = false;
    for word in rest {
        if after {
            return Some(word.clone());
        }
        let lower = word.to_ascii_lowercase();
        if let Some(file) = lower
            .strip_prefix("--output=")
            .or_else(|| lower.strip_prefix("--output-document="))
        {
            return Some(file.to_owned());
        }
        after = match name {
            "curl" => word == "--output" || (short(word, 'o') && word.ends_with('o')),
            "wget" => word == "--output-document" || (short(word, 'O') && word.ends_with('O')),
            _ => lower == "-outfile" || lower == "-o",
        };
    }
    if name == "curl"
        && rest
            .iter()
            .any(|word| short(word, 'O') || word == "--remote-name")
        || name == "wget"
    {
        let address = rest.iter().find(|word| word.contains("://"))?;
        return address.rsplit('/').next().map(str::to_owned);
    }
    if matches!(name, "certutil" | "bitsadmin") {
        return rest.last().cloned();
    }
    simple
        .outputs
        .first()
        .filter(|path| *path != "/dev/null")
        .cloned()
}

/// Whether a word is a group of short options with this one among them.
pub(super) fn short(word: &str, option: char) -> bool {
    word.strip_prefix('-')
        .is_some_and(|rest| !rest.starts_with('-') && rest.len() <= 8 && rest.contains(option))
}
