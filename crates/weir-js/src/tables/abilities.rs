//! What a module or function lets code do.

use weir_model::contents::CapabilityKind;

/// A module or function, what it is good for, and why it is here.
pub(crate) struct Row {
    /// Module of Node without `node:`, name of a package, or `module.function`.
    pub(crate) name: &'static str,
    /// The ability.
    pub(crate) kind: CapabilityKind,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(name: &'static str, kind: CapabilityKind, reason: &'static str) -> Row {
    Row { name, kind, reason }
}

use CapabilityKind::{
    Clipboard, Dns, DynamicCode, HostFacts, Native, Network, Process, Publishes, SecretFiles,
    Wallet,
};

/// What loading a module already says. Packages that speak HTTP are in [`super::network::CLIENTS`].
pub(crate) const MODULES: &[Row] = &[
    row(
        "child_process",
        Process,
        "every function of it starts programs",
    ),
    row("cluster", Process, "starts copies of itself"),
    row("execa", Process, "wraps child_process"),
    row("cross-spawn", Process, "wraps child_process"),
    row("shelljs", Process, "wraps child_process"),
    row("zx", Process, "wraps child_process"),
    row("tinyexec", Process, "wraps child_process"),
    row("nano-spawn", Process, "wraps child_process"),
    row("node-pty", Process, "starts programs on a terminal"),
    row("http", Network, "client and server"),
    row("https", Network, "client and server"),
    row("http2", Network, "client and server"),
    row("net", Network, "sockets"),
    row("tls", Network, "sockets"),
    row("dgram", Network, "datagrams"),
    row("ws", Network, "WebSocket client and server"),
    row("socket.io-client", Network, "WebSocket client"),
    row("ssh2", Network, "logs in to other machines"),
    row("dns", Dns, "looks up names"),
    row("clipboardy", Clipboard, "reads and writes the clipboard"),
    row("copy-paste", Clipboard, "reads and writes the clipboard"),
    row("keytar", SecretFiles, "passwords of the desktop"),
    row("bindings", Native, "finds and loads addons"),
    row("node-gyp-build", Native, "finds and loads addons"),
    row("ffi-napi", Native, "calls any library"),
    row("koffi", Native, "calls any library"),
    row("bun:ffi", Native, "calls any library"),
    row("libnpmpublish", Publishes, "publishes to a registry"),
    row(
        "@metamask/detect-provider",
        Wallet,
        "finds the page's wallet",
    ),
];

/// Functions, by module and name.
pub(crate) const FUNCTIONS: &[Row] = &[
    row("os.hostname", HostFacts, "name of the machine"),
    row("os.userInfo", HostFacts, "name of the user"),
    row(
        "os.networkInterfaces",
        HostFacts,
        "addresses of the machine",
    ),
    row("os.machine", HostFacts, "kind of the machine"),
    row("vm.runInThisContext", DynamicCode, "runs text"),
    row("vm.runInNewContext", DynamicCode, "runs text"),
    row("vm.runInContext", DynamicCode, "runs text"),
    row(
        "vm.compileFunction",
        DynamicCode,
        "makes a function of text",
    ),
    row("vm.Script", DynamicCode, "compiles text"),
    row("vm.SourceTextModule", DynamicCode, "compiles text"),
    row("process.dlopen", Native, "loads an addon by path"),
    row("Bun.dlopen", Native, "calls any library"),
    row("Deno.dlopen", Native, "calls any library"),
    row("clipboard.readText", Clipboard, "reads what was copied"),
    row("clipboard.read", Clipboard, "reads what was copied"),
    row("clipboard.writeText", Clipboard, "replaces what was copied"),
    row("navigator.sendBeacon", Network, "posts in the background"),
    row(
        "libnpmpublish.publish",
        Publishes,
        "publishes to a registry",
    ),
];

/// The ability that loading a module gives.
pub(crate) fn of_module(name: &str) -> Option<CapabilityKind> {
    MODULES
        .iter()
        .find(|row| row.name == name)
        .map(|row| row.kind)
        .or_else(|| super::network::is_client(name).then_some(Network))
}

/// The ability that calling a function shows.
pub(crate) fn of_function(module: &str, function: &str) -> Option<CapabilityKind> {
    // Calls of all kinds are asked about: a row of another length need not be taken apart.
    let length = module.len() + 1 + function.len();
    FUNCTIONS
        .iter()
        .filter(|row| row.name.len() == length)
        .find(|row| {
            row.name
                .split_once('.')
                .is_some_and(|(left, right)| left == module && right == function)
        })
        .map(|row| row.kind)
}

/// Functions of `fs` (and of the packages that replace it) that write, with the position of the
/// path they write to.
pub(crate) const WRITERS: &[(&str, usize)] = &[
    ("writeFile", 0),
    ("writeFileSync", 0),
    ("appendFile", 0),
    ("appendFileSync", 0),
    ("createWriteStream", 0),
    ("truncate", 0),
    ("truncateSync", 0),
    ("outputFile", 0),
    ("outputFileSync", 0),
    ("writeJson", 0),
    ("writeJsonSync", 0),
    ("writeJSON", 0),
    ("writeJSONSync", 0),
    ("outputJson", 0),
    ("outputJsonSync", 0),
    ("copyFile", 1),
    ("copyFileSync", 1),
    ("cp", 1),
    ("cpSync", 1),
    ("copy", 1),
    ("copySync", 1),
    ("rename", 1),
    ("renameSync", 1),
    ("move", 1),
    ("moveSync", 1),
    ("symlink", 1),
    ("symlinkSync", 1),
    ("link", 1),
    ("linkSync", 1),
];

/// Functions of `fs` that remove, and whether they remove whole trees by themselves.
pub(crate) const REMOVERS: &[(&str, bool)] = &[
    ("rm", false),
    ("rmSync", false),
    ("rmdir", false),
    ("rmdirSync", false),
    ("unlink", false),
    ("unlinkSync", false),
    ("remove", true),
    ("removeSync", true),
    ("emptyDir", true),
    ("emptyDirSync", true),
    ("emptydirSync", true),
];

/// Functions of `fs` that read the file named first.
pub(crate) const READERS: &[&str] = &[
    "readFile",
    "readFileSync",
    "createReadStream",
    "readJson",
    "readJsonSync",
    "readJSON",
    "readJSONSync",
    "open",
    "openSync",
    "readdir",
    "readdirSync",
];

/// Command-line assistants, with the options or words that let them act unasked. A prompt on the command
/// line counts too: `-p`.
pub(crate) const AGENTS: &[(&str, &[&str])] = &[
    ("claude", &["--dangerously-skip-permissions", "--print"]),
    ("gemini", &["--yolo", "-y"]),
    (
        "codex",
        &[
            "--dangerously-bypass-approvals-and-sandbox",
            "--full-auto",
            "--yolo",
            "exec",
        ],
    ),
    ("q", &["--trust-all-tools"]),
    ("cursor-agent", &["--force", "--print"]),
    ("copilot", &["--allow-all-tools"]),
    ("aider", &["--yes-always", "--yes", "--message"]),
    ("opencode", &["run"]),
    ("amp", &["--dangerously-allow-all", "-x"]),
    ("goose", &["run"]),
];
