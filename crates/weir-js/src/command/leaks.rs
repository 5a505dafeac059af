//! What leaves by a command line: secrets, and the tools that send them.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use weir_model::contents::{SinkKind, SourceKind};

use super::nested;
use super::shell;
use super::told::{Known, yields};
use super::unseen::standing_for;
use super::wrappers::unwrapped;
use crate::tables::{network, tools};

/// A secret that a command yields: kind and what exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Stolen {
    /// What is read.
    pub(crate) kind: SourceKind,
    /// What exactly.
    pub(crate) detail: String,
}

/// A secret that goes into a network tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leak {
    /// What is read.
    pub(crate) source: Stolen,
    /// How it leaves.
    pub(crate) sink: SinkKind,
    /// The tool, and the host where it is known.
    pub(crate) sink_detail: String,
    /// The command.
    pub(crate) snippet: String,
}

/// Programs that run text.
const RUNNERS: [&str; 6] = ["sh", "bash", "zsh", "node", "python", "eval"];

/// The base name of a program, lower case, without `.exe`.
pub(crate) fn program(word: &str) -> Cow<'_, str> {
    let bytes = word.as_bytes();
    if matches!(bytes.first(), Some(b'$' | b'%' | b'`'))
        && let Some(name) = standing_for(word)
    {
        return name;
    }
    let Some(at) = memchr::memrchr2(b'/', b'\\', bytes) else {
        return bare(word);
    };
    // `c\url` is curl to a shell, and a file in a folder to Windows.
    if memchr::memchr(b'\\', bytes).is_some() && !word.contains([':', '/']) {
        let joined = word.replace('\\', "").to_ascii_lowercase();
        if network::TOOLS.iter().any(|(tool, _)| *tool == joined)
            || tools::is_named(&joined)
            || RUNNERS.contains(&joined.as_str())
        {
            return Cow::Owned(joined);
        }
    }
    bare(word.get(at + 1..).unwrap_or_default())
}

/// The same of a name that is in no folder. Most need no other letters.
fn bare(name: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_mut().make_ascii_lowercase();
    }
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(stem(name)),
        Cow::Owned(name) => match stem(&name) {
            stem if stem.len() < name.len() => Cow::Owned(stem.to_owned()),
            _ => Cow::Owned(name),
        },
    }
}

/// Without the ending of programs. Those of clients and tools are batch files on Windows.
fn stem(name: &str) -> &str {
    if let Some(stem) = name.strip_suffix(".exe") {
        return stem;
    }
    match name.strip_suffix(".cmd") {
        Some(stem @ ("npm" | "npx" | "pnpm" | "yarn" | "node-gyp" | "node-pre-gyp")) => stem,
        _ => name,
    }
}

/// The network tool among the words, where the program is one.
pub(super) fn tool(words: &[String]) -> Option<(&'static str, SinkKind)> {
    let name = program(words.first()?);
    plain_tool(&name, words).or_else(|| {
        let row = tools::sender(&name, words.get(1..)?)?;
        Some((row.name, row.kind))
    })
}

/// The same of those that always send, or nearly.
fn plain_tool(name: &str, words: &[String]) -> Option<(&'static str, SinkKind)> {
    let (tool, _) = network::TOOLS.iter().find(|(tool, _)| *tool == name)?;
    let sends = match *tool {
        "openssl" => words.iter().any(|word| word == "s_client"),
        "aws" => words.iter().any(|word| word == "s3" || word == "s3api"),
        "host" | "http" | "https" => words.len() > 1,
        _ => true,
    };
    let kind = match *tool {
        "nc" | "ncat" | "netcat" | "socat" | "telnet" | "openssl" => SinkKind::Socket,
        "nslookup" | "dig" | "host" | "drill" => SinkKind::Dns,
        _ => SinkKind::NetworkCommand,
    };
    sends.then_some((*tool, kind))
}

/// Whether any part of a command is a network tool.
pub(crate) fn names_tool(text: &str) -> bool {
    nested::commands(text)
        .pipelines
        .iter()
        .flatten()
        .any(|simple| tool(unwrapped(&simple.words)).is_some() || device(&simple.outputs).is_some())
}

/// A host named in a command: of a URL, of `/dev/tcp`, or the argument of a socket or name tool.
pub(crate) fn host(text: &str) -> Option<String> {
    if let Some(host) = network::host_of(text) {
        return Some(host);
    }
    if let Some((_, rest)) = text.split_once("/dev/tcp/") {
        return rest.split(['/', ' ']).next().map(str::to_owned);
    }
    let mut words = text.split([' ', '"', '\'', '|', ';', '(', ')', ',']);
    words.find_map(|word| {
        // `example.com/install.sh`: tools take an address without its scheme.
        let (name, has_path) = match word.split_once('/') {
            Some((name, _)) => (name, true),
            None => (word, false),
        };
        let is_host = name.contains('.')
            && (has_path || !is_file_name(name))
            && !name.starts_with(['.', '/', '-', '@', '~', '$'])
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
            && (name.parse::<Ipv4Addr>().is_ok()
                || !name.starts_with(|c: char| c.is_ascii_digit() && !name.contains("127.")));
        // A folder may have a dot in its name as well.
        let top = name.rsplit('.').next().unwrap_or_default();
        let is_named = !has_path
            || name.parse::<Ipv4Addr>().is_ok()
            || (top.len() > 1 && top.bytes().all(|b| b.is_ascii_alphabetic()));
        (is_host && is_named).then(|| name.to_ascii_lowercase())
    })
}

/// The host that a tool is given as `user@host` or `user@host:path`.
pub(super) fn addressee(words: &[String]) -> Option<String> {
    words.iter().skip(1).find_map(|word| {
        let (user, rest) = word.split_once('@')?;
        let host = rest.split([':', '/', ',']).next()?;
        let is_plain = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
        };
        let is_address = is_plain(user) && is_plain(host) && host.contains('.');
        is_address.then(|| host.to_ascii_lowercase())
    })
}

/// Whether a word is the name of a file rather than of a host.
fn is_file_name(word: &str) -> bool {
    const ENDINGS: [&str; 14] = [
        "txt", "json", "js", "cjs", "mjs", "ts", "gz", "tgz", "tar", "log", "env", "ps1", "html",
        "bin",
    ];
    let ending = word.rsplit('.').next().unwrap_or_default();
    ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

/// `/dev/tcp` and `/dev/udp` among the targets of redirects.
pub(super) fn device(paths: &[String]) -> Option<&str> {
    paths
        .iter()
        .map(String::as_str)
        .find(|path| path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/"))
}

/// Secrets that the output of a command would hold, for commands run by code.
pub(crate) fn sources(text: &str) -> Vec<Stolen> {
    let variables = Known::new();
    shell::pipelines(text)
        .iter()
        .flatten()
        .flat_map(|simple| yields(simple, &variables, 0))
        .collect()
}
