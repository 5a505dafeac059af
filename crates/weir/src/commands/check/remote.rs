//! Whether an entry is of the repository, the commit or the archive that a project asks for by its address.
//! npm refuses another one or fetches it anew; the others take what the lockfile says.
//!
//! What a branch, a tag or a `semver:` range stands for only the server knows: of these the repository is
//! compared, and of a commit the commit as well.

use weir_npm::lockfile::{Format, Node, Source};
use weir_npm::spec::{DependencySpec, names_tarball};

use super::addresses;

/// Fewest digits of a shortened commit: what git gives, and what bun keeps.
const SHORTEST: usize = 7;

/// Hosts that take the owner and the name of a repository in any letter case.
const ANY_CASE: [&str; 6] = [
    "github.com",
    "codeload.github.com",
    "api.github.com",
    "gist.github.com",
    "gitlab.com",
    "bitbucket.org",
];

/// A repository, and the commit that an entry has of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pinned {
    /// As [`repository`] writes it.
    pub(super) repository: String,
    /// None where it cannot be told, which is another rule's.
    commit: Option<String>,
}

/// Whether an entry that is fetched is not what an address asks for. Of anything else that is asked for, and
/// of folders, nothing is said.
pub(super) fn is_another(format: Format, asked: &DependencySpec, node: &Node) -> bool {
    if !matches!(
        node.source,
        Source::Registry(_) | Source::Tarball(_) | Source::Git { .. }
    ) {
        return false;
    }
    match asked {
        DependencySpec::Git { url, committish } => {
            !is_of_repository(url, committish.as_deref(), &node.source)
        }
        // Git for all clients but npm.
        DependencySpec::Url(url) if is_repository(url) => {
            let fragment = url.split_once('#').map(|(_, fragment)| fragment);
            !is_of_repository(url, fragment, &node.source)
        }
        DependencySpec::Url(url) => !is_archive_at(format, asked, url, node),
        _ => false,
    }
}

/// Where an entry leads, with its commit.
pub(super) fn shown(node: &Node) -> String {
    match &node.source {
        Source::Git {
            url,
            commit: Some(commit),
        } => format!("{url}#{commit}"),
        Source::Git { url, .. }
        | Source::Tarball(url)
        | Source::Registry(Some(url))
        | Source::File(url)
        | Source::Link(url) => url.clone(),
        _ => node.label(),
    }
}

fn is_of_repository(url: &str, committish: Option<&str>, source: &Source) -> bool {
    let asked = repository(url);
    if let Some(found) = pinned(source) {
        return found.repository == asked && is_commit(committish, found.commit.as_deref());
    }
    match source {
        // An archive of no known form.
        Source::Tarball(url) | Source::Registry(Some(url)) => lies_in(url, &asked),
        _ => false,
    }
}

/// The repository that an entry is of, where it can be told: pnpm and yarn 1 fetch a commit as an archive.
pub(super) fn pinned(source: &Source) -> Option<Pinned> {
    match source {
        Source::Git { url, commit } => Some(archive(url).unwrap_or_else(|| Pinned {
            repository: repository(url),
            commit: commit.as_deref().map(locked_commit),
        })),
        Source::Tarball(url) | Source::Registry(Some(url)) => archive(url).or_else(|| {
            is_repository(url).then(|| Pinned {
                repository: repository(url),
                commit: None,
            })
        }),
        _ => None,
    }
}

/// Whether a locked commit is the one that is asked for, if one is. Either may be shortened.
fn is_commit(asked: Option<&str>, locked: Option<&str>) -> bool {
    let (Some(asked), Some(locked)) = (asked.and_then(hash), locked) else {
        return true;
    };
    locked.starts_with(&asked) || (locked.len() >= SHORTEST && asked.starts_with(locked))
}

fn locked_commit(text: &str) -> String {
    hash(text).unwrap_or_else(|| text.to_ascii_lowercase())
}

/// The commit in what follows the `#`: alone, as yarn's `commit=`, or beside a folder of the repository.
fn hash(committish: &str) -> Option<String> {
    let parts = committish.split('&').flat_map(|part| part.split("::"));
    let mut texts = parts.map(|part| part.strip_prefix("commit=").unwrap_or(part));
    texts
        .find(|text| is_hash(text))
        .map(str::to_ascii_lowercase)
}

/// Whether a text is surely a commit. A date may be a tag, and a word a branch, so that a short one must have
/// letters and digits.
fn is_hash(text: &str) -> bool {
    let is_mixed = || {
        text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && match text.len() {
            40 | 64 => true,
            length => (SHORTEST..40).contains(&length) && is_mixed(),
        }
}

fn is_archive_at(format: Format, asked: &DependencySpec, url: &str, node: &Node) -> bool {
    let found = match &node.source {
        Source::Tarball(found) | Source::Registry(Some(found)) | Source::Git { url: found, .. } => {
            found
        }
        _ => return addresses::is_at(asked, node),
    };
    let (one, other) = (Address::of(url), Address::of(found));
    // pnpm writes where an address without a file's name leads, if that says it never changes.
    let file = one.path.split('?').next().unwrap_or(one.path);
    let may_lead_on = format == Format::Pnpm && !names_tarball(file) && one.host == other.host;
    one == other || may_lead_on || archive(url).is_some_and(|it| Some(it) == archive(found))
}

/// Whether an address over http is one of a repository.
fn is_repository(url: &str) -> bool {
    let url = addresses::plain(url);
    url.contains("://") && url.trim_end_matches('/').ends_with(".git")
}

/// An address in its parts. Whoever asks makes no difference, nor does the port that is usual.
#[derive(Debug, PartialEq, Eq)]
struct Address<'u> {
    scheme: String,
    host: String,
    port: &'u str,
    /// With the query and without the fragment.
    path: &'u str,
}

impl<'u> Address<'u> {
    fn of(url: &'u str) -> Self {
        let url = addresses::plain(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.split(['/', '\\', '?']).next().unwrap_or(rest);
        // In git's own form, `user@host:path`, the first counts; in an address the last.
        let at = if scheme.is_empty() {
            authority.find('@')
        } else {
            authority.rfind('@')
        };
        let rest = at.and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
        let end = rest.find(['/', '\\', '?', ':']).unwrap_or(rest.len());
        let (host, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (port, path) = after_host(&scheme, after);
        let host = host.to_ascii_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
        Self {
            scheme,
            host,
            port,
            path,
        }
    }
}

/// The port, unless it is the usual one, and the path: `:8443/path`, `/path`, or git's own `:path`.
fn after_host<'u>(scheme: &str, after: &'u str) -> (&'u str, &'u str) {
    let Some(after) = after.strip_prefix(':') else {
        return ("", after.strip_prefix('/').unwrap_or(after));
    };
    let (first, rest) = after.split_once('/').unwrap_or((after, ""));
    let is_port = !scheme.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    match first {
        _ if !is_port => ("", after),
        "22" | "80" | "443" => ("", rest),
        port => (port, rest),
    }
}

/// Whether a path leads upwards, so that it is not what it begins with.
fn is_winding(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    path.split(['/', '\\'])
        .any(|part| matches!(part, "." | ".."))
}

/// Host and path of a repository, however it is reached.
pub(super) fn repository(url: &str) -> String {
    let Address {
        host, port, path, ..
    } = Address::of(url);
    let path = path.split('?').next().unwrap_or(path).trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let parts: Vec<&str> = path.split('/').collect();
    let path = match (host.as_str(), parts.as_slice()) {
        _ if is_winding(path) => path.to_owned(),
        // A page of the repository is the repository, and a gist is known without its owner.
        ("github.com" | "bitbucket.org", [owner, name, _, ..]) => format!("{owner}/{name}"),
        ("gist.github.com", [.., name]) => (*name).to_owned(),
        _ => path.to_owned(),
    };
    named(&host, port, &path)
}

fn named(host: &str, port: &str, path: &str) -> String {
    let path = if ANY_CASE.contains(&host) {
        path.to_ascii_lowercase()
    } else {
        path.to_owned()
    };
    match port {
        "" => format!("{host}/{path}"),
        port => format!("{host}:{port}/{path}"),
    }
}

/// What an archive is of, where its address has the form of a known host.
fn archive(url: &str) -> Option<Pinned> {
    let Address { host, path, .. } = Address::of(url);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if is_winding(path) {
        return None;
    }
    let parts: Vec<&str> = path.split('/').collect();
    let (host, path, commit) = match (host.as_str(), parts.as_slice()) {
        ("codeload.github.com", [owner, name, _, commit @ ..])
        | ("api.github.com", ["repos", owner, name, "tarball", commit @ ..])
        | ("github.com", [owner, name, "archive", commit @ ..]) => {
            ("github.com", format!("{owner}/{name}"), commit.join("/"))
        }
        (host @ "bitbucket.org", [owner, name, "get", commit @ ..])
        | (host @ "git.sr.ht", [owner, name, "archive", commit @ ..]) => {
            (host, format!("{owner}/{name}"), commit.join("/"))
        }
        (host @ "gitlab.com", [name @ .., "-", "archive", commit, _]) => {
            (host, name.join("/"), (*commit).to_owned())
        }
        (
            host @ "gitlab.com",
            [
                "api",
                "v4",
                "projects",
                name,
                "repository",
                "archive.tar.gz",
            ],
        ) => (host, with_slashes(name), reference(query)?),
        (host @ "gitlab.com", [name @ .., "repository", "archive.tar.gz"]) => {
            (host, name.join("/"), reference(query)?)
        }
        _ => return None,
    };
    let commit = [".tar.gz", ".tgz", ".zip"]
        .iter()
        .find_map(|ending| commit.strip_suffix(*ending))
        .unwrap_or(&commit);
    let commit = ["refs/heads/", "refs/tags/"]
        .iter()
        .find_map(|before| commit.strip_prefix(*before))
        .unwrap_or(commit);
    (!commit.is_empty()).then(|| Pinned {
        repository: named(host, "", &path),
        commit: Some(locked_commit(commit)),
    })
}

/// A path in which slashes may be escaped.
fn with_slashes(path: &str) -> String {
    path.replace("%2F", "/").replace("%2f", "/")
}

/// What a query says of the commit.
fn reference(query: &str) -> Option<String> {
    let mut pairs = query.split('&');
    pairs
        .find_map(|pair| {
            pair.strip_prefix("ref=")
                .or_else(|| pair.strip_prefix("sha="))
        })
        .map(str::to_owned)
}

/// Whether an address lies below that of a repository, or of what its host has of it.
fn lies_in(url: &str, repository: &str) -> bool {
    let Address {
        host, port, path, ..
    } = Address::of(url);
    let path = path.split('?').next().unwrap_or(path);
    let whole = named(&host, port, &with_slashes(path));
    let Some((before, name)) = repository.split_once('/') else {
        return false;
    };
    let inside = whole
        .strip_prefix(before)
        .filter(|rest| rest.starts_with('/'));
    !is_winding(path)
        && !name.is_empty()
        && inside.is_some_and(|rest| format!("{rest}/").contains(&format!("/{name}/")))
}

#[cfg(test)]
mod tests {
    use weir_npm::lockfile::Lockfile;
    use weir_npm::spec::classify;

    use super::*;

    const PIN: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "76543210fedcba9876543210fedcba9876543210";

    /// Whether npm's entry with this address is another than what is asked for.
    fn is_other(asked: &str, resolved: &str) -> bool {
        let written = |text: &str| text.replace("PIN", PIN).replace("OTHER", OTHER);
        let (asked, resolved) = (written(asked), written(resolved));
        let text = format!(
            r#"{{"lockfileVersion": 3, "packages": {{"node_modules/silt": {{"version": "1.0.0", "resolved": "{resolved}"}}}}}}"#
        );
        let lockfile = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
        is_another(
            Format::Npm,
            &classify("silt", &asked),
            lockfile.node(0).unwrap(),
        )
    }

    #[test]
    fn a_repository_is_the_one_that_is_asked_for() {
        let hub = "git+ssh://git@github.com/river/silt.git#PIN";
        for (asked, resolved, wanted) in [
            ("github:river/silt", hub, false),
            ("River/Silt", hub, false),
            ("git://github.com/river/silt.git", hub, false),
            ("git+https://a:b@GitHub.com/river/silt", hub, false),
            ("git+ssh://git@github.com:22/river/silt.git", hub, false),
            ("https://www.github.com/river/silt/tree/main", hub, false),
            ("git@github.com:river/silt.git", hub, false),
            ("github:river/silt#main", hub, false),
            ("github:river/silt#semver:^1.0.0", hub, false),
            ("github:evil/silt", hub, true),
            ("gitlab:river/silt", hub, true),
            ("github:river/silty", hub, true),
            (
                "github:river/silt#semver:^1.0.0",
                "git+ssh://git@github.com/evil/silt.git#PIN",
                true,
            ),
            (
                "git+ssh://git@host.invalid/a/silt",
                "git+https://host.invalid/a/silt.git#PIN",
                false,
            ),
            (
                "git+ssh://git@host.invalid/a/silt",
                "git+https://host.invalid/A/silt.git#PIN",
                true,
            ),
            (
                "git+https://host.invalid:8443/a/silt",
                "git+https://host.invalid/a/silt.git#PIN",
                true,
            ),
            (
                "github:river/silt",
                "git+https://github.com@evil.invalid/river/silt.git#PIN",
                true,
            ),
            (
                "github:river/silt",
                "git+https://github.com/river/silt/../../evil/silt#PIN",
                true,
            ),
            (
                "github:river/silt",
                "https://registry.example.invalid/silt/-/silt-1.0.0.tgz",
                true,
            ),
            (
                "github:river/silt",
                "https://codeload.github.com/river/silt/tar.gz/PIN",
                false,
            ),
            (
                "github:river/silt",
                "https://codeload.github.com/evil/silt/tar.gz/PIN",
                true,
            ),
            (
                "gitlab:a/b/silt",
                "https://gitlab.com/a/b/silt/-/archive/PIN/silt-PIN.tar.gz",
                false,
            ),
            (
                "gitlab:a/silt",
                "https://gitlab.com/api/v4/projects/a%2Fsilt/repository/archive.tar.gz?ref=PIN",
                false,
            ),
            (
                "git+https://host.invalid/a/silt.git",
                "https://host.invalid/a/silt/x.tgz",
                false,
            ),
            (
                "git+https://host.invalid/a/silt.git",
                "https://host.invalid/api/a%2Fsilt/x.tgz",
                false,
            ),
            (
                "git+https://host.invalid/a/silt.git",
                "https://host.invalid/evil/silt/x.tgz",
                true,
            ),
            (
                "git+https://host.invalid/a/silt.git",
                "https://host.invalid/a/silt/../../evil/silt.tgz",
                true,
            ),
            (
                "bitbucket:a/silt",
                "https://bitbucket.org/a/silt/get/PIN.tar.gz",
                false,
            ),
        ] {
            assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
        }
    }

    #[test]
    fn a_commit_is_the_one_that_is_asked_for() {
        let hub = "git+ssh://git@github.com/river/silt.git#PIN";
        let load = "https://codeload.github.com/river/silt/tar.gz/PIN";
        for (asked, resolved, wanted) in [
            ("github:river/silt#PIN", hub, false),
            ("github:river/silt#OTHER", hub, true),
            ("git+https://github.com/river/silt.git#OTHER", hub, true),
            ("github:river/silt#PIN", load, false),
            ("github:river/silt#OTHER", load, true),
            ("github:river/silt#0123456789AB", hub, false),
            ("github:river/silt#76543210fe", hub, true),
            ("github:river/silt#commit=PIN", hub, false),
            ("github:river/silt#commit=OTHER&workspace=silt", hub, true),
            ("github:river/silt#OTHER&path:/silt", hub, true),
            ("github:river/silt#OTHER::path:silt", hub, true),
            // bun shortens them.
            (
                "github:river/silt#PIN",
                "git+ssh://git@github.com/river/silt.git#0123456",
                false,
            ),
            (
                "github:river/silt#PIN",
                "git+ssh://git@github.com/river/silt.git#main",
                true,
            ),
            // A date, a word, a tag: not surely a commit.
            ("github:river/silt#20240102", hub, false),
            ("github:river/silt#defaced", hub, false),
            ("github:river/silt#v1.0.0", hub, false),
            ("github:river/silt#head=abc1234", hub, false),
        ] {
            assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
        }
    }

    #[test]
    fn an_archive_is_the_one_that_is_asked_for() {
        let a = "https://files.example.invalid/a.tgz";
        for (asked, resolved, wanted) in [
            (a, a, false),
            (a, "https://FILES.example.invalid:443/a.tgz#0123abc", false),
            (a, "https://files.example.invalid/b.tgz", true),
            (a, "https://files.example.invalid/a.tgz?v=2", true),
            (a, "http://files.example.invalid/a.tgz", true),
            (a, "https://evil.example.invalid/a.tgz", true),
            (
                a,
                "https://registry.example.invalid/silt/-/silt-1.0.0.tgz",
                true,
            ),
            (a, "git+ssh://git@github.com/river/silt.git#PIN", true),
            (
                "https://github.com/river/silt/archive/refs/tags/v1.tar.gz",
                "https://codeload.github.com/river/silt/tar.gz/refs/tags/v1",
                false,
            ),
            (
                "https://github.com/river/silt/archive/PIN.tar.gz",
                "https://codeload.github.com/river/silt/tar.gz/OTHER",
                true,
            ),
            ("^1.0.0", a, false),
            ("file:x", a, false),
        ] {
            assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
        }
    }
}
