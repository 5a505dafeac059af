//! Interpreters that a socket tells what to do.

use weir_model::contents::{CapabilityKind, SinkKind};

use super::acts::{Deeds, fetched, line};
use super::leaks::{self, device, program};
use super::shell::Simple;
use super::words::{is_shell, runs_input};
use super::wrappers::unwrapped;

impl Deeds {
    /// `bash -i >& /dev/tcp/…`, `nc -e /bin/sh …`, `cat fifo | sh | nc … > fifo`: whoever answers there
    /// is who gives the commands.
    pub(super) fn remote(&mut self, pipeline: &[Simple]) {
        for (index, simple) in pipeline.iter().enumerate() {
            let opened = device(&simple.outputs).or_else(|| device(&simple.inputs));
            let opened = opened.map(|path| path.split('/').nth(3).unwrap_or_default().to_owned());
            if let Some(host) = &opened {
                self.contact(host, &format!("/dev/tcp/{host}"));
                let detail = format!("/dev/tcp to {host}");
                self.deed(CapabilityKind::Network, detail, simple);
                if simple.words.first().is_some_and(|word| word == "exec") {
                    self.brought.socket = Some(fetched(host));
                }
            }
            let words = unwrapped(&simple.words);
            let Some((first, rest)) = words.split_first() else {
                continue;
            };
            let name = program(first);
            let behind = pipeline.get(index + 1..).unwrap_or_default();
            let host = if let Some(host) = scripted(&name, rest) {
                self.contact(&host, &line(simple));
                Some(host)
            } else if runs_input(&name, rest) {
                opened.or_else(|| behind.iter().find_map(socket))
            } else if executes(&name, rest) {
                socket(simple)
            } else {
                None
            };
            let Some(host) = host else {
                continue;
            };
            let source = match host.as_str() {
                "" => fetched("an unknown host"),
                host => fetched(host),
            };
            let is_known = self.runs.iter().any(|run| run.source == source);
            if !is_known {
                self.run(source, &name, simple);
            }
        }
    }
}

/// The host of a socket in a program given on the command line that starts a shell, too: `awk` with
/// `/inet/tcp/`, `php -r` with `fsockopen`. Empty where it is not known.
fn scripted(name: &str, rest: &[String]) -> Option<String> {
    let is_awk = matches!(name, "awk" | "gawk");
    let is_inline = matches!(name, "php" | "perl" | "ruby" | "lua");
    if !is_awk && !is_inline {
        return None;
    }
    let text = rest.join(" ");
    if is_awk {
        let (_, behind) = text
            .split_once("/inet/tcp/")
            .filter(|_| text.contains("getline"))?;
        return behind.split(['/', '"']).nth(1).map(str::to_owned);
    }
    let sockets = ["fsockopen", "TCPSocket", "Socket", "socket"];
    let shells = ["/bin/sh", "/bin/bash", "sh -i", "bash -i"];
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    (has(&sockets) && has(&shells)).then(|| leaks::host(&text).unwrap_or_default())
}

/// The host of a program that is a raw socket; empty where it is not known.
fn socket(simple: &Simple) -> Option<String> {
    let words = unwrapped(&simple.words);
    let (_, kind) = leaks::tool(words)?;
    if kind != SinkKind::Socket {
        return None;
    }
    let host = leaks::host(&line(simple)).unwrap_or_default();
    // `TCP:name:port`
    let name = host.split([':', ',']).find(|part| part.contains('.'));
    Some(name.unwrap_or(&host).to_owned())
}

/// Whether a socket program is told to start another one on its socket.
fn executes(name: &str, rest: &[String]) -> bool {
    let lower = || rest.iter().map(|word| word.to_ascii_lowercase());
    match name {
        "nc" | "ncat" | "netcat" => rest.iter().enumerate().any(|(at, word)| {
            let value = rest.get(at + 1).map_or("", String::as_str);
            if let Some(long) = word.strip_prefix("--") {
                return long.starts_with("exec") || long.starts_with("sh-exec");
            }
            let shell = value.split(' ').next().unwrap_or_default();
            match word.strip_prefix('-').map(|options| options.chars().last()) {
                Some(Some('e')) => is_shell(shell) || value.contains(['/', '\\']),
                // A plain `-c` asks for encryption in some of them.
                Some(Some('c')) => is_shell(shell),
                _ => false,
            }
        }),
        "socat" => {
            let is_program = |word: String| {
                ["exec:", "system:", "shell:"]
                    .iter()
                    .any(|kind| word.starts_with(kind))
            };
            let is_net = |word: String| {
                ["tcp", "udp", "openssl", "ssl", "sctp"]
                    .iter()
                    .any(|kind| word.starts_with(kind))
            };
            lower().any(is_program) && lower().any(is_net)
        }
        _ => false,
    }
}
