//! What carries a value out of the machine.

use std::sync::OnceLock;

use weir_model::contents::{HostClass, SinkKind};

use super::hosts;
use crate::hash::Map;

/// A row: a module or global, how it sends, and why it is here.
pub(crate) struct Client {
    /// Module name, or a global's name.
    pub(crate) name: &'static str,
    /// How it sends.
    pub(crate) kind: SinkKind,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(name: &'static str, kind: SinkKind, reason: &'static str) -> Client {
    Client { name, kind, reason }
}

/// Packages every call of which sends its arguments.
pub(crate) const CLIENTS: &[Client] = &[
    row("axios", SinkKind::Http, "the commonest client"),
    row("got", SinkKind::Http, "client"),
    row("node-fetch", SinkKind::Http, "fetch for older Node"),
    row("cross-fetch", SinkKind::Http, "fetch for older Node"),
    row("isomorphic-fetch", SinkKind::Http, "fetch for older Node"),
    row("isomorphic-unfetch", SinkKind::Http, "fetch for older Node"),
    row("node-fetch-native", SinkKind::Http, "fetch for older Node"),
    row("make-fetch-happen", SinkKind::Http, "npm's own client"),
    row("minipass-fetch", SinkKind::Http, "npm's own client"),
    row("ofetch", SinkKind::Http, "fetch wrapper"),
    row("undici", SinkKind::Http, "Node's client, as a package"),
    row("request", SinkKind::Http, "old, still everywhere"),
    row("request-promise", SinkKind::Http, "wrapper of request"),
    row(
        "request-promise-native",
        SinkKind::Http,
        "wrapper of request",
    ),
    row("superagent", SinkKind::Http, "client with chained calls"),
    row("needle", SinkKind::Http, "client"),
    row("ky", SinkKind::Http, "fetch wrapper"),
    row("phin", SinkKind::Http, "small client"),
    row("bent", SinkKind::Http, "small client"),
    row("wretch", SinkKind::Http, "fetch wrapper"),
    row("simple-get", SinkKind::Http, "small client"),
    row("follow-redirects", SinkKind::Http, "http with redirects"),
    row(
        "@octokit/rest",
        SinkKind::Http,
        "a code host's client; repositories are where stolen data is put",
    ),
    row("@octokit/core", SinkKind::Http, "a code host's client"),
    row("@octokit/request", SinkKind::Http, "a code host's client"),
    row("octokit", SinkKind::Http, "a code host's client"),
    row("nodemailer", SinkKind::Socket, "mail leaves over SMTP"),
    row(
        "socket.io-client",
        SinkKind::Socket,
        "what it emits leaves, and its server gives orders",
    ),
];

/// Modules of Node and globals, by the path of the called function.
pub(crate) const CALLS: &[Client] = &[
    row("fetch", SinkKind::Http, "global fetch"),
    row("node:http.request", SinkKind::Http, "Node's client"),
    row("node:http.get", SinkKind::Http, "Node's client"),
    row("node:https.request", SinkKind::Http, "Node's client"),
    row("node:https.get", SinkKind::Http, "Node's client"),
    row("node:http2.connect", SinkKind::Http, "Node's client"),
    row("navigator.sendBeacon", SinkKind::Http, "beacons"),
    row("Bun.fetch", SinkKind::Http, "fetch of Bun"),
    row("EventSource", SinkKind::Http, "the URL is sent"),
    row("WebSocket", SinkKind::Socket, "the URL is sent"),
    row("sftp.fastPut", SinkKind::Socket, "a file is sent"),
    row("ftp.uploadFrom", SinkKind::Socket, "a file is sent"),
    row("mail.attachments", SinkKind::Socket, "files are sent"),
    row("importScripts", SinkKind::Http, "the URL is sent"),
    row("node:dns.lookup", SinkKind::Dns, "the name is sent"),
    row(
        "node:dns.lookupService",
        SinkKind::Dns,
        "the address is sent",
    ),
    row("node:dns.resolve", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolve4", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolve6", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveAny", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveCname", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveMx", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveNs", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveTxt", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveSrv", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolveSoa", SinkKind::Dns, "the name is sent"),
    row("node:dns.resolvePtr", SinkKind::Dns, "the name is sent"),
    row("node:dns.reverse", SinkKind::Dns, "the address is sent"),
];

/// Functions of client packages that configure and do not send.
pub(crate) const CONFIGURES: &[&str] = &[
    "create",
    "extend",
    "defaults",
    "use",
    "isAxiosError",
    "isCancel",
    "jar",
    "cookie",
    "agent",
    "setGlobalDispatcher",
    "getGlobalDispatcher",
    "Headers",
    "FormData",
    "Agent",
    "ProxyAgent",
    "createTransport",
    "debug",
    "isRedirect",
    "Octokit",
    "plugin",
];

/// Whether a function of a client package configures it, by its path below the package. `create` of
/// something that stands below it puts something there: `gists.create`.
pub(crate) fn configures(member: &str) -> bool {
    match member.rsplit_once('.') {
        Some((_, "create")) => false,
        Some((_, last)) => CONFIGURES.contains(&last),
        None => CONFIGURES.contains(&member),
    }
}

/// Methods that send when called on what a client gave back (a request, a socket, a chain).
pub(crate) const SENDS: &[&str] = &[
    "write",
    "end",
    "send",
    "query",
    "field",
    "attach",
    "json",
    "form",
    "body",
    "post",
    "put",
    "patch",
    "get",
    "request",
    "fetch",
    "emit",
    "sendMail",
    "open",
    "setHeader",
    "set",
    "header",
    "setRequestHeader",
    "push",
    "pipe",
    "connect",
    "auth",
    "multipart",
    "type",
];

/// Programs that talk to the network, for commands.
pub(crate) const TOOLS: &[(&str, &str)] = &[
    ("curl", "HTTP and more"),
    ("wget", "HTTP"),
    ("nc", "raw sockets"),
    ("ncat", "raw sockets"),
    ("netcat", "raw sockets"),
    ("socat", "raw sockets"),
    ("telnet", "raw sockets"),
    ("nslookup", "names"),
    ("dig", "names"),
    ("host", "names"),
    ("drill", "names"),
    ("invoke-webrequest", "HTTP of PowerShell"),
    ("iwr", "HTTP of PowerShell"),
    ("invoke-restmethod", "HTTP of PowerShell"),
    ("irm", "HTTP of PowerShell"),
    ("certutil", "downloads on Windows"),
    ("bitsadmin", "transfers on Windows"),
    ("http", "httpie"),
    ("https", "httpie"),
    ("scp", "copies to another machine"),
    ("rsync", "copies to another machine"),
    ("sftp", "copies to another machine"),
    ("ftp", "copies to another machine"),
    ("aws", "uploads to a bucket"),
    ("openssl", "s_client is a raw socket"),
];

/// Header and option names under which a download helper authenticates itself. One secret variable
/// that goes only there is ordinary use of it.
pub(crate) const CREDENTIAL_FIELDS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-auth-token",
    "private-token",
    "job-token",
    "deploy-token",
    "x-api-key",
    "api-key",
    "apikey",
    "x-access-token",
    "x-jfrog-art-api",
    "x-vault-token",
    "x-github-token",
    "x-npm-token",
    "cookie",
    "auth",
    "bearer",
    "password",
    "username",
    "x-goog-api-key",
    "circle-token",
    "x-token",
];

/// Whether a host is one that nobody's service has: a raw address or a tunnel, paste, webhook or
/// chat endpoint. There the exemption for credential fields ends.
pub(crate) fn is_odd_host(host: &str) -> bool {
    use weir_model::contents::HostClass::{Paste, RawAddress, Throwaway, Tunnel, Webhook};
    // Of a chat service the path is often in another piece of text than the name.
    matches!(
        super::hosts::classify(host, "/api/webhooks"),
        Tunnel | Paste | Webhook | RawAddress | Throwaway
    )
}

/// A token that is stolen more than others, and where it may be shown.
pub(crate) struct Home {
    /// A word of the variable's name.
    pub(crate) word: &'static str,
    /// Parts of hosts that are given it, one of which must be there.
    pub(crate) hosts: &'static [&'static str],
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

/// Where tokens belong.
pub(crate) const HOMES: &[Home] = &[
    Home {
        word: "NPM",
        hosts: &[
            "npm",
            "registry",
            "package",
            "pkg",
            "artifact",
            "jfrog",
            "nexus",
            "verdaccio",
            "github",
            "gitlab",
            "azure",
            "visualstudio",
            "codeartifact",
            "cloudsmith",
            "yarn",
        ],
        reason: "publishes packages; shown to registries",
    },
    Home {
        word: "GITHUB",
        hosts: &["github", "ghcr", "ghe", "git"],
        reason: "writes repositories; shown to the code host, also one of a company's own",
    },
    Home {
        word: "GH",
        hosts: &["github", "ghcr", "ghe", "git"],
        reason: "the same, by its short name",
    },
    Home {
        word: "AWS",
        hosts: &["amazonaws", "aws"],
        reason: "never shown to anybody, only used to sign",
    },
];

/// Whether a host is none to which a variable of this name is shown, as far as the name says where it
/// belongs. Hosts of the same machine and names that are not known whole are not judged.
pub(crate) fn is_foreign(variable: &str, host: &str) -> bool {
    use weir_model::contents::HostClass::Local;
    if host.contains(crate::flow::UNKNOWN) || super::hosts::classify(host, host) == Local {
        return false;
    }
    let upper = variable.to_ascii_uppercase();
    let mut homes = upper
        .split('_')
        .filter_map(|word| HOMES.iter().find(|home| home.word == word))
        .peekable();
    homes.peek().is_some() && homes.all(|home| home.hosts.iter().all(|part| !host.contains(part)))
}

/// The table row for a called function: a path of Node or a global, or `pkg:name` with members.
pub(crate) fn call(path: &str) -> Option<SinkKind> {
    if let Some(package) = path.strip_prefix("pkg:") {
        let (name, member) = split_package(package);
        let client = CLIENTS.get(*rows().clients.get(name)?)?;
        return (!configures(member)).then_some(client.kind);
    }
    rows().calls.get(path).copied()
}

/// The tables by name: the value flow asks them at every call.
struct Rows {
    /// Places in [`CLIENTS`].
    clients: Map<&'static str, usize>,
    /// Longest of these names, in bytes.
    longest: usize,
    calls: Map<&'static str, SinkKind>,
}

fn rows() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    ROWS.get_or_init(|| {
        let names = CLIENTS.iter().map(|row| row.name);
        Rows {
            longest: names.clone().map(str::len).max().unwrap_or_default(),
            clients: names.enumerate().map(|(at, name)| (name, at)).collect(),
            calls: CALLS.iter().map(|row| (row.name, row.kind)).collect(),
        }
    })
}

/// Splits `name.member.member` after the package's name, which may hold dots itself.
pub(crate) fn split_package(text: &str) -> (&str, &str) {
    let rows = rows();
    let dots = text.match_indices('.').map(|(at, _)| at);
    let row = dots
        .chain([text.len()])
        .take_while(|end| *end <= rows.longest)
        .filter_map(|end| rows.clients.get(text.get(..end)?))
        .min();
    if let Some(row) = row.and_then(|row| CLIENTS.get(*row)) {
        let member = text.get(row.name.len()..).unwrap_or_default();
        return (row.name, member.trim_start_matches('.'));
    }
    text.split_once('.').unwrap_or((text, ""))
}

/// Whether a package of this name is a client.
pub(crate) fn is_client(package: &str) -> bool {
    rows().clients.contains_key(package)
}

/// The host in a piece of text, where there is one: after `://`, up to the first character that no
/// host has.
pub(crate) fn host_of(text: &str) -> Option<String> {
    let start = text.find("://")? + 3;
    let rest = text.get(start..)?;
    let end = rest
        .find(|c: char| {
            !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '[' | ']'))
        })
        .unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority.rsplit('@').next().unwrap_or(authority);
    // `http://127.0.0.1:${port}`
    let host = host.strip_suffix(':').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Whether a host is this machine.
pub(crate) fn is_local(host: &str) -> bool {
    hosts::classify(host, host) == HostClass::Local
}
