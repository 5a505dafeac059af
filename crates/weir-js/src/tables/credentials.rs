//! Files that hold credentials, by a part of their path.

use std::sync::OnceLock;

use weir_model::contents::SourceKind;

use crate::hash::Set;

/// A part of a path and why the file is sensitive.
pub(crate) struct Credential {
    /// The part, lower case, `/`-separated. Matched at the start of a path component unless it says
    /// otherwise by its own leading slash.
    pub(crate) part: &'static str,
    /// What kind of secret it is.
    pub(crate) kind: SourceKind,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn file(part: &'static str, reason: &'static str) -> Credential {
    Credential {
        part,
        kind: SourceKind::CredentialFile,
        reason,
    }
}

const fn wallet(part: &'static str, reason: &'static str) -> Credential {
    Credential {
        part,
        kind: SourceKind::WalletOrProfile,
        reason,
    }
}

/// Where a cluster or vault hands a workload its secrets: the machine's identity, like the answer of
/// a cloud's metadata service.
const fn identity(part: &'static str, reason: &'static str) -> Credential {
    Credential {
        part,
        kind: SourceKind::CloudMetadata,
        reason,
    }
}

/// The table. Components must match whole, except where the part ends in `/` (anything below).
pub(crate) const CREDENTIALS: &[Credential] = &[
    file(".npmrc", "npm publishing tokens"),
    file(".yarnrc.yml", "npm tokens of newer yarn"),
    file(".yarnrc", "npm tokens of older yarn"),
    file(".bunfig.toml", "npm tokens of bun"),
    file(".pypirc", "Python publishing tokens"),
    file(".cargo/credentials", "crates publishing tokens"),
    file(".cargo/credentials.toml", "crates publishing tokens"),
    file(".gem/credentials", "Ruby publishing tokens"),
    file(".m2/settings.xml", "Maven passwords"),
    file(
        ".gradle/gradle.properties",
        "Gradle signing and repository passwords",
    ),
    file(".composer/auth.json", "PHP tokens"),
    file(".nuget/nuget.config", "NuGet keys"),
    file(".ssh/", "keys and hosts"),
    file("id_rsa", "private key by its usual name"),
    file("id_ed25519", "private key by its usual name"),
    file("id_ecdsa", "private key by its usual name"),
    file("id_dsa", "private key by its usual name"),
    file(".gnupg/", "private keys"),
    file(".aws/credentials", "cloud keys"),
    file(".aws/config", "cloud profiles and SSO"),
    file(".aws/sso/", "cached cloud sessions"),
    file(".config/gcloud/", "cloud logins"),
    file(
        "application_default_credentials.json",
        "cloud login by its usual name",
    ),
    file(".azure/", "cloud logins"),
    file(".kube/config", "cluster logins"),
    identity("var/run/secrets/kubernetes.io/", "service account tokens"),
    identity("run/secrets/", "secrets mounted into a container"),
    identity(
        "var/run/secrets/eks.amazonaws.com/",
        "cloud identity of a pod",
    ),
    file(".docker/config.json", "registry logins"),
    file(".netrc", "passwords of hosts"),
    file("_netrc", "the same on Windows"),
    file(".git-credentials", "passwords of git hosts"),
    file(".config/git/credentials", "passwords of git hosts"),
    file(".config/gh/hosts.yml", "GitHub CLI token"),
    file("github cli/hosts.yml", "the same on Windows"),
    file(".config/hub", "GitHub token"),
    file(".config/glab-cli/", "GitLab token"),
    file(".config/doctl/", "cloud token"),
    file(".config/heroku/", "platform token"),
    file(".config/netlify/", "platform token"),
    file(".vercel/auth.json", "platform token"),
    file(".wrangler/config/", "platform token"),
    file(".terraform.d/credentials.tfrc.json", "Terraform token"),
    identity(".vault-token", "Vault token"),
    identity("vault/secrets/", "secrets that Vault's agent writes"),
    file(".pgpass", "database passwords"),
    file(".my.cnf", "database passwords"),
    file(".env", "project secrets"),
    file(".env.local", "project secrets"),
    file(".env.production", "project secrets"),
    file(".bash_history", "typed secrets"),
    file(".zsh_history", "typed secrets"),
    file(".node_repl_history", "typed secrets"),
    file("etc/shadow", "password hashes"),
    file("proc/self/environ", "the environment, by another way"),
    wallet(".config/solana/id.json", "wallet key"),
    wallet(".ethereum/keystore/", "wallet keys"),
    wallet("ethereum/keystore/", "wallet keys on macOS"),
    wallet(".bitcoin/", "wallet"),
    wallet("wallet.dat", "wallet"),
    wallet(".electrum/", "wallet"),
    wallet("electrum/wallets/", "wallet"),
    wallet("exodus/exodus.wallet/", "wallet"),
    wallet("atomic/local storage/", "wallet"),
    wallet(".config/exodus/", "wallet"),
    wallet(
        "nkbihfbeogaeaoehlefnkodbefgpgknn",
        "browser wallet extension",
    ),
    wallet(
        "bfnaelmomeimhlpmgjnjophhpkkoljpa",
        "browser wallet extension",
    ),
    wallet(
        "local extension settings/",
        "storage of browser extensions, wallets among them",
    ),
    wallet("login data", "browser passwords"),
    wallet("logins.json", "browser passwords"),
    wallet("key4.db", "browser password key"),
    wallet("cookies.sqlite", "browser sessions"),
    wallet("web data", "browser form and card data"),
    wallet(".config/google-chrome/", "browser profile"),
    wallet("google/chrome/user data/", "browser profile"),
    wallet("google/chrome/default/", "browser profile"),
    wallet("application support/google/chrome/", "browser profile"),
    wallet("bravesoftware/brave-browser/", "browser profile"),
    wallet("microsoft/edge/user data/", "browser profile"),
    wallet(".mozilla/firefox/", "browser profile"),
    wallet("firefox/profiles/", "browser profile"),
    wallet(".local/share/keyrings/", "desktop passwords"),
    wallet("library/keychains/", "macOS passwords"),
    wallet("ledger live/", "wallet"),
    wallet("telegram desktop/tdata/", "messenger session"),
    wallet("discord/local storage/", "messenger session"),
    wallet(".password-store/", "passwords"),
    wallet("1password/", "passwords"),
    file(".claude/.credentials.json", "agent login"),
    file(".claude.json", "agent login and tool keys"),
    file(".claude/settings.json", "agent configuration with keys"),
    file(".cursor/mcp.json", "agent tool keys"),
    file(".codeium/", "agent login"),
    file(".config/github-copilot/", "agent login"),
    file(".gemini/oauth_creds.json", "agent login"),
    file(".codex/auth.json", "agent login"),
    file(".continue/config.json", "agent keys"),
    file("opencode/auth.json", "agent login"),
    file("claude_desktop_config.json", "agent tool keys"),
    file(
        "state.vscdb",
        "what an editor and its extensions keep, sessions among it",
    ),
    // By the whole way there: `code` and `cursor` alone are words of every other program.
    file(".config/code/user/settings.json", "keys of extensions"),
    file(
        "application support/code/user/settings.json",
        "keys of extensions, on macOS",
    ),
    file(
        "appdata/roaming/code/user/settings.json",
        "keys of extensions, on Windows",
    ),
    file(".config/cursor/user/settings.json", "keys of extensions"),
    file(
        "application support/cursor/user/settings.json",
        "keys of extensions, on macOS",
    ),
    file(
        "appdata/roaming/cursor/user/settings.json",
        "keys of extensions, on Windows",
    ),
];

/// The row that `path` falls under. Unknown pieces of a folded path are
/// [`crate::flow::UNKNOWN`], which matches no row but hides none either.
pub(crate) fn find(path: &str) -> Option<&'static Credential> {
    if path.len() > 1024 || !STARTS.get_or_init(Starts::of_rows).may_stand_in(path) {
        return None;
    }
    let path = path.replace('\\', "/").to_lowercase();
    let row = CREDENTIALS.iter().find(|row| stands_in(&path, row.part));
    row.or_else(|| super::folders::unnamed(&path))
}

/// Whether `part` stands in `path` as whole components. Both are in lower case.
pub(crate) fn stands_in(path: &str, part: &str) -> bool {
    let mut from = 0;
    while let Some(found) = path.get(from..).and_then(|rest| rest.find(part)) {
        let start = from + found;
        let end = start + part.len();
        let before = path.get(..start).and_then(|text| text.chars().next_back());
        let starts_component =
            before.is_none_or(|c| matches!(c, '/' | ':' | '@' | '=') || c == crate::flow::UNKNOWN);
        let after = path.get(end..).and_then(|text| text.chars().next());
        let ends_component = part.ends_with('/')
            || after.is_none_or(|c| matches!(c, '/') || c == crate::flow::UNKNOWN);
        if starts_component && ends_component {
            return true;
        }
        from = end;
    }
    // A folder whose contents are sensitive is sensitive itself: it is read file by file.
    part.strip_suffix('/').is_some_and(|folder| {
        path.strip_suffix(folder)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })
}

/// Whether a path is the memory of a process, or the map that says where in another's to look. A program's
/// own map holds no secret: it is read to learn which C library it runs with.
pub(crate) fn is_process_memory(path: &str) -> bool {
    let place = path
        .strip_prefix("/proc/")
        .and_then(|it| it.split_once('/'));
    match place {
        Some((_, "mem")) => true,
        Some((process, "maps")) => process != "self",
        _ => false,
    }
}

/// Whether a path is the environment of a process, its own or another's.
fn is_process_environment(path: &str) -> bool {
    let place = path
        .strip_prefix("/proc/")
        .and_then(|it| it.split_once('/'));
    place.is_some_and(|(_, file)| file == "environ")
}

/// What reading `path` gives, where that is a secret.
pub(crate) fn kind(path: &str) -> Option<SourceKind> {
    if is_process_memory(path) {
        return Some(SourceKind::ProcessMemory);
    }
    if is_process_environment(path) {
        return Some(SourceKind::CredentialFile);
    }
    find(path).map(|row| row.kind)
}

/// Whether a string literal may be part of such a path: cheap, and with false alarms, because it
/// only decides whether the file deserves the value flow.
pub(crate) fn may_name_one(text: &str) -> bool {
    if text.len() < 4 || text.len() > 256 {
        return false;
    }
    let starts = STARTS.get_or_init(Starts::of_rows);
    text.as_bytes()
        .split(|byte| matches!(byte, b'/' | b'\\' | b':' | b'@' | b'='))
        .any(|component| starts.holds(component))
}

/// First components of the rows, and what tells nearly all other text from them without a hash.
struct Starts {
    set: Set<&'static [u8]>,
    /// A bit for each length that one has.
    lengths: u64,
    /// A bit for each first byte that one has, in small letters.
    first: u128,
}

impl Starts {
    fn of_rows() -> Self {
        let rows = CREDENTIALS.iter();
        let set: Set<&'static [u8]> = rows
            .filter_map(|row| row.part.split('/').next())
            .map(str::as_bytes)
            .collect();
        let mut starts = Self {
            lengths: 0,
            first: 0,
            set: Set::default(),
        };
        for start in &set {
            starts.lengths |= length_bit(start);
            starts.first |= first_bit(start);
        }
        Self { set, ..starts }
    }

    fn may_hold(&self, component: &[u8]) -> bool {
        component.len() >= 3
            && component.len() <= 40
            && self.lengths & length_bit(component) != 0
            && self.first & first_bit(component) != 0
    }

    /// Whether a row begins with this component.
    fn holds(&self, component: &[u8]) -> bool {
        if !self.may_hold(component) {
            return false;
        }
        if component.iter().any(u8::is_ascii_uppercase) {
            self.set.contains(component.to_ascii_lowercase().as_slice())
        } else {
            self.set.contains(component)
        }
    }

    /// Whether some row may stand in a path: one of its components has to be where a row begins. What is
    /// not ASCII is not told from it here, as there are letters whose small form is.
    fn may_stand_in(&self, path: &str) -> bool {
        path.split(['/', '\\', ':', '@', '=', crate::flow::UNKNOWN])
            .any(|component| !component.is_ascii() || self.holds(component.as_bytes()))
    }
}

fn length_bit(text: &[u8]) -> u64 {
    1 << (text.len() & 63)
}

/// Nothing for what begins with another byte than ASCII: no row does.
fn first_bit(text: &[u8]) -> u128 {
    let first = text.first().filter(|byte| byte.is_ascii());
    first.map_or(0, |byte| 1 << byte.to_ascii_lowercase())
}

static STARTS: OnceLock<Starts> = OnceLock::new();

#[cfg(test)]
mod tests {
    use super::{find, is_process_memory, kind};

    #[test]
    fn the_environment_of_any_process_is_a_secret() {
        for (path, is_secret) in [
            ("/proc/self/environ", true),
            ("/proc/1/environ", true),
            ("/proc/\u{f8ff}/environ", true),
            ("/proc/1/status", false),
            ("/srv/environ", false),
        ] {
            assert_eq!(kind(path).is_some(), is_secret, "{path}");
        }
    }

    #[test]
    fn memory_is_that_of_a_process_and_a_map_that_of_another() {
        for (path, is_memory) in [
            ("/proc/self/mem", true),
            ("/proc/1/mem", true),
            ("/proc/1/maps", true),
            ("/proc/thread-self/maps", true),
            ("/proc/self/maps", false),
            ("/proc/self/status", false),
            ("/srv/proc/1/mem", false),
        ] {
            assert_eq!(is_process_memory(path), is_memory, "{path}");
        }
    }

    #[test]
    fn a_row_is_found_wherever_it_may_begin() {
        for row in super::CREDENTIALS {
            let part = row.part.trim_end_matches('/');
            for path in [
                part.to_owned(),
                format!("~/{part}"),
                format!("x:{part}/y"),
                format!("@{part}"),
                format!("a={}", part.to_ascii_uppercase().replace('/', "\\")),
                format!("\u{f8ff}{part}\u{f8ff}"),
            ] {
                let lower = path.replace('\\', "/").to_lowercase();
                let by_all = super::CREDENTIALS
                    .iter()
                    .find(|row| super::stands_in(&lower, row.part));
                assert!(by_all.is_some() || row.part.ends_with('/'), "{path}");
                assert_eq!(
                    find(&path).map(|row| row.part),
                    by_all.map(|row| row.part),
                    "{path}"
                );
            }
        }
        // The Kelvin sign is a large K to those who fold case.
        assert!(find("~/.\u{212a}ube/config").is_some());
    }

    #[test]
    fn whole_components_match_and_parts_of_words_do_not() {
        for path in [
            "~/.npmrc",
            ".npmrc",
            "~\\.aws\\credentials",
            "/root/.ssh/id_rsa",
            "~/.ssh",
            ".env",
            "a/b/.env",
            "~/.config/gh/hosts.yml",
            "/proc/self/environ",
            "~/AppData/Roaming/GitHub CLI/hosts.yml",
            "~/.config/Code/User/settings.json",
            "~/Library/Application Support/Cursor/User/settings.json",
            "~/AppData/Roaming/Code/User/globalStorage/state.vscdb",
            "~/Library/Application Support/Claude/claude_desktop_config.json",
            "~/.local/share/opencode/auth.json",
        ] {
            assert!(find(path).is_some(), "{path}");
        }
        for path in [
            "my.npmrc.md",
            ".npmrc-example",
            ".environment",
            "process.env",
            ".envrc",
            "src/.sshx",
            "docs/aws/credentials",
            ".vscode/settings.json",
            "code/user/settings.json",
            "opencode/config.json",
            "package.json",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
