//! Secrets that a command line itself sends to the network.

use std::collections::HashMap;

use weir_model::contents::{SinkKind, SourceKind};

use super::shell::{self, Simple};
use crate::tables::{credentials, network, secrets};

/// Deepest substitution in substitution that is followed.
const DEPTH: usize = 6;

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
pub(crate) fn program(word: &str) -> String {
    // `c\url` is curl to a shell, and a file in a folder to Windows.
    if word.contains('\\') && !word.contains([':', '/']) {
        let joined = word.replace('\\', "").to_ascii_lowercase();
        if network::TOOLS.iter().any(|(tool, _)| *tool == joined)
            || RUNNERS.contains(&joined.as_str())
        {
            return joined;
        }
    }
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".exe")
        .map_or(name.clone(), str::to_owned)
}

/// Drops wrappers (`sudo`, `env X=1`, `nohup`, `xargs`, ...), so that the program comes first.
pub(crate) fn unwrapped(words: &[String]) -> &[String] {
    let mut words = words;
    for _ in 0..8 {
        let Some(first) = words.first() else {
            return words;
        };
        let skip_options = match program(first).as_str() {
            "sudo" | "nohup" | "exec" | "time" | "command" | "builtin" | "xargs" | "setsid"
            | "stdbuf" | "nice" | "cross-env" | "cross-env-shell" | "busybox" | "then" | "do"
            | "else" | "if" | "while" | "!" | "dotenv" | "--" | "start" => true,
            "env" if words.len() > 1 => true,
            "timeout" => {
                words = words.get(1..).unwrap_or_default();
                true
            }
            _ => false,
        };
        if !skip_options {
            return words;
        }
        let rest = words.get(1..).unwrap_or_default();
        let skip = rest
            .iter()
            .take_while(|word| word.starts_with('-') || (word.contains('=') && !word.contains('/')))
            .count();
        words = rest.get(skip..).unwrap_or_default();
    }
    words
}

/// The network tool among the words, where the program is one.
pub(super) fn tool(words: &[String]) -> Option<(&'static str, SinkKind)> {
    let name = program(words.first()?);
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
    commands(text, 0)
        .iter()
        .flatten()
        .any(|simple| tool(unwrapped(&simple.words)).is_some() || device(simple).is_some())
}

/// A host named in a command: of a URL, of `/dev/tcp`, or the argument of a socket or name tool.
pub(crate) fn host(text: &str) -> Option<String> {
    if let Some(host) = network::host_of(text) {
        return Some(host);
    }
    if let Some((_, rest)) = text.split_once("/dev/tcp/") {
        return rest.split(['/', ' ']).next().map(str::to_owned);
    }
    text.split([' ', '"', '\''])
        .find(|word| {
            word.contains('.')
                && !word.starts_with(['.', '/', '-', '@', '~', '$'])
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
                && !word.starts_with(|c: char| c.is_ascii_digit() && !word.contains("127."))
        })
        .map(str::to_ascii_lowercase)
}

/// Pipelines of a text, with those inside `sh -c`, `eval` and substitutions after them.
pub(super) fn commands(text: &str, depth: usize) -> Vec<Vec<Simple>> {
    let mut all = shell::pipelines(text);
    if depth >= DEPTH {
        return all;
    }
    let mut inner = Vec::new();
    for simple in all.iter().flatten() {
        if let Some(script) = inline_script(&simple.words) {
            inner.extend(commands(&script, depth + 1));
        }
        if let Some(script) = document_script(simple) {
            inner.extend(commands(&script, depth + 1));
        }
        let words = simple
            .words
            .iter()
            .chain(&simple.documents)
            .chain(simple.assignments.iter().map(|(_, value)| value));
        for word in words {
            for text in shell::substitutions(word) {
                inner.extend(commands(&text, depth + 1));
            }
        }
    }
    // Inner ones run first.
    inner.append(&mut all);
    inner
}

/// The script that a shell is given as a here-document.
pub(crate) fn document_script(simple: &Simple) -> Option<String> {
    let words = unwrapped(&simple.words);
    let name = program(words.first()?);
    let reads = matches!(
        name.as_str(),
        "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh"
    ) && words
        .iter()
        .skip(1)
        .all(|word| word.starts_with('-') && !word.ends_with('c'));
    let body = simple.documents.first().filter(|_| reads)?;
    Some(shell::literal(body))
}

/// The script in `sh -c '...'`, `cmd /c ...`, `powershell -Command ...`, `eval ...`.
pub(crate) fn inline_script(words: &[String]) -> Option<String> {
    let script = quoted_script(unwrapped(words))?;
    Some(shell::literal(&script))
}

fn quoted_script(words: &[String]) -> Option<String> {
    let name = program(words.first()?);
    match name.as_str() {
        "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh" => {
            let at = words.iter().position(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
            })?;
            words.get(at + 1).cloned()
        }
        "cmd" => {
            let at = words.iter().position(|word| {
                word.eq_ignore_ascii_case("/c") || word.eq_ignore_ascii_case("/k")
            })?;
            Some(words.get(at + 1..)?.join(" "))
        }
        "powershell" | "pwsh" => {
            let at = words.iter().position(|word| {
                let word = word.to_ascii_lowercase();
                word == "-command" || word == "-c"
            })?;
            Some(words.get(at + 1..)?.join(" "))
        }
        "eval" => Some(words.get(1..)?.join(" ")),
        _ => None,
    }
}

/// `/dev/tcp` and `/dev/udp` among the redirects.
fn device(simple: &Simple) -> Option<&str> {
    simple
        .outputs
        .iter()
        .map(String::as_str)
        .find(|path| path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/"))
}

/// Secrets that the output of a command would hold, for commands run by code.
pub(crate) fn sources(text: &str) -> Vec<Stolen> {
    let variables = HashMap::new();
    shell::pipelines(text)
        .iter()
        .flatten()
        .flat_map(|simple| yields(simple, &variables, 0))
        .collect()
}

/// All leaks of a script.
pub(crate) fn find(commands: &[Vec<Simple>]) -> Vec<Leak> {
    let mut leaks = Vec::new();
    let mut variables: HashMap<String, Vec<Stolen>> = HashMap::new();
    let mut packed: HashMap<String, Vec<Stolen>> = HashMap::new();
    for pipeline in commands {
        let mut carried: Vec<Stolen> = Vec::new();
        for simple in pipeline {
            for (name, value) in &simple.assignments {
                let stolen = in_word(value, &variables, 0);
                variables.entry(name.clone()).or_default().extend(stolen);
            }
            let words = unwrapped(&simple.words);
            let own = yields(simple, &variables, 0);
            if let Some((name, kind)) = tool(words) {
                let text = simple.words.join(" ");
                let host = host(&text);
                let mut given = arguments(words, &variables, host.as_deref());
                for input in &simple.inputs {
                    given.extend(in_path(input));
                    given.extend(in_word(input, &variables, 0));
                }
                for document in &simple.documents {
                    given.extend(in_word(document, &variables, 0));
                }
                given.extend(carried.iter().cloned());
                given.extend(words.iter().flat_map(|word| {
                    let file = word
                        .rsplit_once('@')
                        .map_or(word.as_str(), |(_, file)| file);
                    packed.get(file).into_iter().flatten().cloned()
                }));
                report(&mut leaks, given, kind, name, host, &text);
            } else if let Some(path) = device(simple) {
                let given = carried.iter().cloned().chain(own.iter().cloned()).collect();
                let host = path.split('/').nth(3).map(str::to_owned);
                report(&mut leaks, given, SinkKind::Socket, "/dev/tcp", host, path);
            }
            if words.first().is_some_and(|word| program(word) == "git")
                && words.get(1).is_some_and(|word| word == "push")
            {
                // What was copied into the folder goes along.
                let text = words.join(" ");
                let given = packed.values().flatten().cloned().collect();
                report(
                    &mut leaks,
                    given,
                    SinkKind::NetworkCommand,
                    "git push",
                    host(&text),
                    &text,
                );
            }
            pack(simple, &own, &mut packed);
            carried.extend(own);
        }
        if leaks.len() > 50 {
            break;
        }
    }
    leaks
}

/// Files of secrets that are copied or packed: they are secrets under the new name too.
fn pack(simple: &Simple, own: &[Stolen], packed: &mut HashMap<String, Vec<Stolen>>) {
    /// Most names that are remembered.
    const NAMES: usize = 64;
    if packed.len() >= NAMES {
        return;
    }
    let words = unwrapped(&simple.words);
    let name = words.first().map(|word| program(word)).unwrap_or_default();
    let packs = matches!(
        name.as_str(),
        "tar" | "zip" | "7z" | "cp" | "mv" | "copy" | "rsync" | "compress-archive"
    );
    let operands = || words.iter().skip(1).filter(|word| !word.starts_with('-'));
    let mut stolen = own.to_vec();
    if packs {
        stolen.extend(operands().flat_map(|word| in_path(word)));
    }
    if stolen.is_empty() {
        return;
    }
    let targets = operands().filter(|word| packs && in_path(word).is_empty());
    for target in targets.chain(&simple.outputs) {
        if target != "/dev/null" {
            packed.insert(target.clone(), stolen.clone());
        }
    }
}

fn report(
    leaks: &mut Vec<Leak>,
    given: Vec<Stolen>,
    sink: SinkKind,
    name: &str,
    host: Option<String>,
    text: &str,
) {
    let sink_detail = match host {
        Some(host) => format!("{name} to {host}"),
        None => name.to_owned(),
    };
    for source in given {
        let leak = Leak {
            source,
            sink,
            sink_detail: sink_detail.clone(),
            snippet: crate::place::clean(&shell::literal(text)),
        };
        if !leaks.contains(&leak) {
            leaks.push(leak);
        }
    }
}

/// Secrets in the arguments of a network tool.
fn arguments(
    words: &[String],
    variables: &HashMap<String, Vec<Stolen>>,
    host: Option<&str>,
) -> Vec<Stolen> {
    let odd = host.is_some_and(network::is_odd_host);
    let is_foreign = |one: &Stolen| host.is_some_and(|host| network::is_foreign(&one.detail, host));
    let mut found = Vec::new();
    let mut after_header = false;
    let mut after_upload = false;
    let mut after_user = false;
    for word in words.iter().skip(1) {
        let stolen = in_word(word, variables, 0);
        let lower = word.to_ascii_lowercase();
        let in_credential_header = (after_header || lower.starts_with("--header="))
            && network::CREDENTIAL_FIELDS
                .iter()
                .any(|field| lower.trim_start_matches("--header=").starts_with(field));
        let exempt = !odd && (in_credential_header || after_user);
        found.extend(
            stolen
                .into_iter()
                .filter(|one| !exempt || one.kind != SourceKind::SecretVariable || is_foreign(one)),
        );
        // `-d @file`, `-F x=@file`, `-T file`, `--data-binary=@file`.
        if let Some((_, path)) = word.split_once('@')
            && !word.contains("://")
        {
            found.extend(in_path(path));
        } else if after_upload
            || lower.starts_with("--post-file=")
            || lower.starts_with("--upload-file=")
        {
            found.extend(in_path(word.rsplit('=').next().unwrap_or(word)));
        } else if !word.starts_with('-')
            && program(words.first().map_or("", |first| first)) != "curl"
        {
            found.extend(in_path(word));
        }
        after_header = matches!(word.as_str(), "-H" | "--header");
        after_upload = matches!(word.as_str(), "-T" | "--upload-file" | "--body-file");
        after_user = matches!(word.as_str(), "-u" | "--user" | "--oauth2-bearer");
    }
    found
}

/// Secrets that a word holds once the shell has expanded it.
fn in_word(word: &str, variables: &HashMap<String, Vec<Stolen>>, depth: usize) -> Vec<Stolen> {
    let mut found = Vec::new();
    if depth >= DEPTH {
        return found;
    }
    for name in shell::variables(word) {
        if let Some(stolen) = variables.get(&name) {
            found.extend(stolen.iter().cloned());
        } else if secrets::is_secret_variable(&name) {
            found.push(Stolen {
                kind: SourceKind::SecretVariable,
                detail: name,
            });
        }
    }
    for text in shell::substitutions(word) {
        for simple in shell::pipelines(&text).iter().flatten() {
            found.extend(yields(simple, variables, depth + 1));
        }
    }
    found.dedup();
    found
}

/// A path argument that names a credential file.
fn in_path(path: &str) -> Vec<Stolen> {
    let path = path
        .replace("${HOME}", "~")
        .replace("$HOME", "~")
        .replace("%USERPROFILE%", "~");
    credentials::kind(&path)
        .map(|kind| Stolen {
            kind,
            detail: crate::place::clean(&path),
        })
        .into_iter()
        .collect()
}

/// Secrets that a program writes to its output.
fn yields(simple: &Simple, variables: &HashMap<String, Vec<Stolen>>, depth: usize) -> Vec<Stolen> {
    let words = unwrapped(&simple.words);
    let whole = words.join(" ");
    let environment = |detail: &str| {
        vec![Stolen {
            kind: SourceKind::Environment,
            detail: detail.to_owned(),
        }]
    };
    let Some(first) = words.first() else {
        return Vec::new();
    };
    let name = program(first);
    match name.as_str() {
        "env" | "set" if words.len() == 1 => environment(&name),
        "printenv" => match words.get(1) {
            None => environment("printenv"),
            Some(variable) if secrets::is_secret_variable(variable) => vec![Stolen {
                kind: SourceKind::SecretVariable,
                detail: variable.clone(),
            }],
            Some(_) => Vec::new(),
        },
        "export" | "declare" | "typeset"
            if words.get(1).is_none_or(|word| word.starts_with('-')) =>
        {
            environment(&name)
        }
        "gci" | "get-childitem" | "dir" | "ls" if whole.to_ascii_lowercase().contains("env:") => {
            environment("env:")
        }
        "gh" if whole.starts_with("gh auth token") || whole.contains("--show-token") => {
            tool_secret(&whole)
        }
        "npm" | "pnpm" | "yarn"
            if whole.contains("config get") && whole.to_ascii_lowercase().contains("token") =>
        {
            tool_secret(&whole)
        }
        "npm" if whole.starts_with("npm token") || whole.contains("config ls -l") => {
            tool_secret(&whole)
        }
        "hostname" | "whoami" | "id" | "uname" | "ifconfig" | "ipconfig" | "systeminfo" | "pwd" => {
            vec![Stolen {
                kind: SourceKind::HostFacts,
                detail: name.clone(),
            }]
        }
        "pbpaste" | "xclip" | "xsel" | "wl-paste" | "get-clipboard" => vec![Stolen {
            kind: SourceKind::Clipboard,
            detail: name.clone(),
        }],
        "git" if whole.contains("credential fill") => tool_secret(&whole),
        "gcloud"
            if whole.contains("print-access-token") || whole.contains("print-identity-token") =>
        {
            tool_secret(&whole)
        }
        "aws" if whole.contains("configure get") || whole.contains("get-session-token") => {
            tool_secret(&whole)
        }
        "az" if whole.contains("get-access-token") => tool_secret(&whole),
        "security"
            if whole.contains("find-generic-password") || whole.contains("dump-keychain") =>
        {
            tool_secret(&whole)
        }
        "cat" | "head" | "tail" | "base64" | "xxd" | "hexdump" | "od" | "grep" | "egrep"
        | "awk" | "sed" | "strings" | "gzip" | "tar" | "zip" | "tac" | "type" | "get-content"
        | "gc" | "openssl" | "jq" | "cut" | "sort" | "rev" | "tr" | "less" | "more" => {
            let inputs = simple.inputs.iter();
            words
                .iter()
                .skip(1)
                .chain(inputs)
                .flat_map(|word| in_path(word))
                .collect()
        }
        "echo" | "printf" | "write-output" => words
            .iter()
            .skip(1)
            .flat_map(|word| in_word(word, variables, depth + 1))
            .collect(),
        _ => Vec::new(),
    }
}

fn tool_secret(command: &str) -> Vec<Stolen> {
    vec![Stolen {
        kind: SourceKind::CredentialTool,
        detail: crate::place::clean(command),
    }]
}
