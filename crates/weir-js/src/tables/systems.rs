//! What commands do to a machine by programs of its own: destroy it, open it, or change whom it trusts.

use weir_model::contents::CapabilityKind;

/// A program with words that say what it does.
pub(crate) struct Row {
    /// Name of the program.
    pub(crate) name: &'static str,
    /// All of these stand among its words, in lower case; one that ends in `*` as their beginning.
    pub(crate) words: &'static [&'static str],
    /// What that is.
    pub(crate) kind: CapabilityKind,
    /// What it is told as.
    pub(crate) what: &'static str,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(
    name: &'static str,
    words: &'static [&'static str],
    kind: CapabilityKind,
    what: &'static str,
    reason: &'static str,
) -> Row {
    Row {
        name,
        words,
        kind,
        what,
        reason,
    }
}

use CapabilityKind::{DrivesAgents, Persists, RemovesHome};

const BACKUPS: &str = "the copies that a system would be restored from";
const DRIVE: &str = "a drive";
const PROTECTION: &str = "the system's protection, switched off";
const EXTENSION: &str = "an editor's configuration";
const TOOLS: &str = "an agent's configuration";

/// The table.
pub(crate) const SYSTEMS: &[Row] = &[
    row(
        "vssadmin",
        &["delete", "shadows"],
        RemovesHome,
        BACKUPS,
        "what ransomware begins with",
    ),
    row(
        "wmic",
        &["shadowcopy", "delete"],
        RemovesHome,
        BACKUPS,
        "the same by another program",
    ),
    row(
        "wbadmin",
        &["delete"],
        RemovesHome,
        BACKUPS,
        "the same of backups",
    ),
    row(
        "bcdedit",
        &["recoveryenabled", "no"],
        RemovesHome,
        BACKUPS,
        "no repair at the next start",
    ),
    row(
        "diskutil",
        &["erasedisk"],
        RemovesHome,
        DRIVE,
        "empties a drive on macOS",
    ),
    row(
        "diskutil",
        &["erasevolume"],
        RemovesHome,
        DRIVE,
        "empties a drive on macOS",
    ),
    row(
        "wipefs",
        &["-a"],
        RemovesHome,
        DRIVE,
        "makes a drive unreadable",
    ),
    row(
        "add-mppreference",
        &["-exclusion*"],
        Persists,
        PROTECTION,
        "what lies there is not looked at",
    ),
    row(
        "set-mppreference",
        &["-disable*"],
        Persists,
        PROTECTION,
        "nothing is looked at",
    ),
    row(
        "spctl",
        &["--master-disable"],
        Persists,
        PROTECTION,
        "programs of anybody start",
    ),
    row(
        "csrutil",
        &["disable"],
        Persists,
        PROTECTION,
        "the system can be changed",
    ),
    row(
        "setenforce",
        &["0"],
        Persists,
        PROTECTION,
        "rules of the kernel do not hold",
    ),
    row(
        "netsh",
        &["advfirewall", "off"],
        Persists,
        PROTECTION,
        "the firewall ends",
    ),
    row(
        "ufw",
        &["disable"],
        Persists,
        PROTECTION,
        "the firewall ends",
    ),
    row(
        "code",
        &["--install-extension"],
        Persists,
        EXTENSION,
        "code the editor loads",
    ),
    row(
        "cursor",
        &["--install-extension"],
        Persists,
        EXTENSION,
        "code the editor loads",
    ),
    row(
        "codium",
        &["--install-extension"],
        Persists,
        EXTENSION,
        "code the editor loads",
    ),
    row(
        "windsurf",
        &["--install-extension"],
        Persists,
        EXTENSION,
        "code the editor loads",
    ),
    row(
        "code",
        &["--add-mcp"],
        DrivesAgents,
        TOOLS,
        "a program that the agent starts",
    ),
    row(
        "cursor",
        &["--add-mcp"],
        DrivesAgents,
        TOOLS,
        "a program that the agent starts",
    ),
    row(
        "claude",
        &["mcp", "add*"],
        DrivesAgents,
        TOOLS,
        "a program that the agent starts",
    ),
    row(
        "codex",
        &["mcp", "add"],
        DrivesAgents,
        TOOLS,
        "a program that the agent starts",
    ),
    row(
        "gemini",
        &["mcp", "add"],
        DrivesAgents,
        TOOLS,
        "a program that the agent starts",
    ),
    row(
        "config.sh",
        &["--url", "--token"],
        Persists,
        RUNNER,
        "whoever has the repository runs jobs here",
    ),
    row(
        "config.cmd",
        &["--url", "--token"],
        Persists,
        RUNNER,
        "whoever has the repository runs jobs here",
    ),
    row(
        "gitlab-runner",
        &["register"],
        Persists,
        RUNNER,
        "whoever has the project runs jobs here",
    ),
];

const RUNNER: &str = "a runner of somebody's pipelines";

/// What a program, with the words behind it, does to the machine.
pub(crate) fn find(name: &str, rest: &[String]) -> Option<&'static Row> {
    let has = |wanted: &&str| {
        rest.iter().any(|word| {
            let word = word.to_ascii_lowercase();
            let bare = word.split('=').next().unwrap_or_default();
            match wanted.strip_suffix('*') {
                Some(start) => bare.starts_with(start),
                None => bare == *wanted,
            }
        })
    };
    let mut rows = SYSTEMS.iter().filter(|row| row.name == name);
    rows.find(|row| row.words.iter().all(has))
}

/// Agents that stay and act by themselves once they are installed, by the packages that bring them. Those that
/// wait for somebody to ask are programs as others.
const AGENTS: &[&str] = &["openclaw", "clawdbot", "moltbot"];

/// Whether what a client is told to install is an agent.
pub(crate) fn is_agent(package: &str) -> bool {
    let name = match package.rfind('@') {
        Some(at) if at > 0 => package.get(..at).unwrap_or(package),
        _ => package,
    };
    AGENTS.contains(&name)
}
