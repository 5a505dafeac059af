//! Programs that are handed something: to keep it running, or to publish it.

/// A program, when it counts, and why it is here.
pub(crate) struct Row {
    /// Name of the program.
    pub(crate) name: &'static str,
    /// Its first word that is no option is one of these; anything, where there are none.
    pub(crate) words: &'static [&'static str],
    /// One of these stands among its words, where there are any.
    pub(crate) options: &'static [&'static str],
    /// None of these does.
    pub(crate) without: &'static [&'static str],
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(
    name: &'static str,
    words: &'static [&'static str],
    options: &'static [&'static str],
    without: &'static [&'static str],
    reason: &'static str,
) -> Row {
    Row {
        name,
        words,
        options,
        without,
        reason,
    }
}

/// Programs that keep another one running when whoever asked for it has gone.
pub(crate) const KEEPERS: &[Row] = &[
    row(
        "pm2",
        &["start", "startorrestart", "startorreload", "resurrect"],
        &[],
        &["--no-daemon", "--attach"],
        "keeps it running in a process of its own",
    ),
    row(
        "forever",
        &["start"],
        &[],
        &[],
        "keeps it running; without `start` it stays in front",
    ),
    row(
        "tmux",
        &["new", "new-session"],
        &["-d", "-ds"],
        &[],
        "a terminal that nobody looks at",
    ),
    row(
        "screen",
        &[],
        &["-dm", "-dms"],
        &[],
        "a terminal that nobody looks at",
    ),
    row(
        "systemd-run",
        &[],
        &[],
        &[
            "--scope",
            "--wait",
            "--pipe",
            "-P",
            "--pty",
            "-t",
            "--version",
            "--help",
        ],
        "the system runs it; with these options it is waited for",
    ),
    row(
        "start-stop-daemon",
        &[],
        &["-b", "--background"],
        &[],
        "leaves it behind",
    ),
    row("daemonize", &[], &[], &["-v", "--help"], "leaves it behind"),
];

/// Options with which nothing is published.
const REHEARSES: &[&str] = &["--dry-run", "--help", "--version", "--skip-publish"];

/// Programs other than the clients of a registry that publish.
pub(crate) const PUBLISHERS: &[Row] = &[
    row("np", &[], &[], REHEARSES, "release tool"),
    row("release-it", &[], &[], REHEARSES, "release tool"),
    row("semantic-release", &[], &[], REHEARSES, "release tool"),
    row("publish-please", &[], &[], REHEARSES, "release tool"),
    row(
        "lerna",
        &["publish"],
        &[],
        REHEARSES,
        "publishes all of a workspace",
    ),
    row(
        "changeset",
        &["publish"],
        &[],
        REHEARSES,
        "publishes all of a workspace",
    ),
    row(
        "nx",
        &["release"],
        &[],
        REHEARSES,
        "publishes all of a workspace",
    ),
    row(
        "rush",
        &["publish"],
        &[],
        REHEARSES,
        "publishes all of a workspace",
    ),
    row("auto", &["shipit"], &[], REHEARSES, "release tool"),
    row(
        "jsr",
        &["publish"],
        &[],
        REHEARSES,
        "client of another registry",
    ),
    row(
        "deno",
        &["publish"],
        &[],
        REHEARSES,
        "client of the same one",
    ),
    row(
        "vsce",
        &["publish"],
        &[],
        REHEARSES,
        "extensions of an editor",
    ),
    row(
        "ovsx",
        &["publish"],
        &[],
        REHEARSES,
        "extensions of an editor",
    ),
    row("twine", &["upload"], &[], REHEARSES, "packages of Python"),
    row("cargo", &["publish"], &[], REHEARSES, "packages of Rust"),
];

/// Packages whose program has another name.
const PACKAGED: &[(&str, &str)] = &[
    ("gemini-cli", "gemini"),
    ("claude-code", "claude"),
    ("opencode-ai", "opencode"),
];

/// Options of `docker run` and its likes whose value is the next word, from their manuals.
pub(crate) const CONTAINER_VALUES: &[&str] = &[
    "-v",
    "--volume",
    "--mount",
    "--tmpfs",
    "--volumes-from",
    "-e",
    "--env",
    "--env-file",
    "-p",
    "--publish",
    "--expose",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--name",
    "--network",
    "--net",
    "--network-alias",
    "--entrypoint",
    "-h",
    "--hostname",
    "--platform",
    "--add-host",
    "--dns",
    "--ip",
    "--link",
    "-l",
    "--label",
    "-m",
    "--memory",
    "--cpus",
    "--gpus",
    "--shm-size",
    "--ulimit",
    "--pull",
    "--restart",
    "--device",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--log-driver",
    "--log-opt",
    "--pid",
    "--ipc",
    "--userns",
    "--runtime",
    "--cidfile",
    "--stop-signal",
    "--stop-timeout",
];

/// Where modules of Go lie for everybody to look at.
const OPEN_SOURCE: &[&str] = &[
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "golang.org",
    "google.golang.org",
    "go.uber.org",
    "gopkg.in",
    "k8s.io",
    "sigs.k8s.io",
    "go.dev",
    "mvdan.cc",
    "honnef.co",
    "codeberg.org",
];

/// Whether a host is one of those of modules.
pub(crate) fn is_open_source(host: &str) -> bool {
    is_of(host, OPEN_SOURCE)
}

fn is_of(host: &str, domains: &[&str]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Labels of registries of images that are open to everybody: what lies there can be looked at.
const OPEN_IMAGES: &[&str] = &[
    "docker", "ghcr", "quay", "gcr", "mcr", "ecr", "pkg", "gitlab", "k8s", "nvcr", "redhat",
    "jfrog",
];

/// Whether a host is such a registry.
pub(crate) fn is_open_registry(host: &str) -> bool {
    host.split('.').any(|label| OPEN_IMAGES.contains(&label))
}

impl Row {
    /// Whether the words behind the program's name are such that it counts.
    fn fits(&self, rest: &[String]) -> bool {
        let lower = || rest.iter().map(|word| word.to_ascii_lowercase());
        let named = |names: &[&str]| {
            lower().any(|word| {
                let bare = word.split('=').next().unwrap_or_default();
                names.contains(&bare)
            })
        };
        let first = lower().find(|word| !word.starts_with('-'));
        (self.words.is_empty() || first.is_some_and(|word| self.words.contains(&&*word)))
            && (self.options.is_empty() || named(self.options))
            && !named(self.without)
    }
}

/// Whether a program, with the words behind it, is in a table.
pub(crate) fn fits(table: &[Row], name: &str, rest: &[String]) -> bool {
    table.iter().any(|row| row.name == name && row.fits(rest))
}

/// The program that a package brings: runners of packages are given those, with versions. The scope has
/// been taken for a folder.
pub(crate) fn program_of(name: &str) -> &str {
    let bare = match name.find('@') {
        Some(at) if at > 0 => name.get(..at).unwrap_or(name),
        _ => name,
    };
    let renamed = PACKAGED.iter().find(|(package, _)| *package == bare);
    renamed.map_or(bare, |(_, program)| program)
}
