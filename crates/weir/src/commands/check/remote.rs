//! Whether an entry is of the repository, the commit or the archive that a project asks for by its address.
//! npm refuses another one or fetches it anew; the others take what the lockfile says.
//!
//! What a branch, a tag or a `semver:` range stands for only the server knows: of these the repository is
//! compared, and of a commit the commit as well.

use weir_npm::lockfile::{Format, Node, Source};
use weir_npm::spec::{DependencySpec, names_tarball};

use super::addresses;
use super::url::{Address, is_any_case, without_query};

/// Fewest digits of a shortened commit: what git gives, and what bun keeps.
const SHORTEST: usize = 7;

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
        return found.repository == asked
            && is_commit(committish, found.commit.as_deref())
            && !is_downgrade(url, source);
    }
    match source {
        // An archive of no known form.
        Source::Tarball(url) | Source::Registry(Some(url)) => {
            lies_in(url, &asked, committish.and_then(hash).as_deref())
        }
        _ => false,
    }
}

/// Whether what is asked for safely is fetched in the clear, or from this machine. `git:` is how npm itself used to reach the known
/// hosts.
fn is_downgrade(asked: &str, source: &Source) -> bool {
    let (Source::Git { url, .. } | Source::Tarball(url) | Source::Registry(Some(url))) = source
    else {
        return false;
    };
    let (asked, found) = (Address::of(asked), Address::of(url));
    let is_old = found.scheme == "git" && is_any_case(&found.host);
    let is_here = found.scheme == "file" && asked.scheme != "file";
    is_here || (found.is_plain() && !asked.is_plain() && !is_old)
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

/// Whether a locked commit is the one that is asked for, if one is. Either may be shortened; none is another:
/// the client fetches what the branch is at then.
fn is_commit(asked: Option<&str>, locked: Option<&str>) -> bool {
    let Some(asked) = asked.and_then(hash) else {
        return true;
    };
    let Some(locked) = locked else { return false };
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
    let is_git = matches!(node.source, Source::Git { .. });
    // pnpm writes where an address without a file's name leads, if that says it never changes.
    let may_lead_on = format == Format::Pnpm
        && !is_git
        && !names_tarball(without_query(one.path))
        && one.is_beside(&other);
    // npm and pnpm drop the query.
    let is_same = one == other || one.without_query() == other;
    (is_same && !is_git) || may_lead_on || is_same_archive(url, found)
}

/// Whether two addresses are of one archive of a known host. A branch and a tag may have one name; without
/// either it is what the host takes it for.
fn is_same_archive(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (archive(one), archive(other)) else {
        return false;
    };
    let (Some(here), Some(there)) = (&one.commit, &other.commit) else {
        return false;
    };
    let is_short = |long: &str, short: &str| {
        let kinds = ["refs/heads/", "refs/tags/"];
        kinds
            .iter()
            .any(|kind| long.strip_prefix(kind) == Some(short))
    };
    let is_same = here == there || is_short(here, there) || is_short(there, here);
    one.repository == other.repository && is_same
}

/// Whether an address over http is one of a repository.
fn is_repository(url: &str) -> bool {
    let url = addresses::plain(url);
    url.contains("://") && url.trim_end_matches('/').ends_with(".git")
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
    let whole = without_query(path).trim_matches('/');
    let path = whole.strip_suffix(".git").unwrap_or(whole);
    let parts: Vec<&str> = path.split('/').collect();
    let path = match (host.as_str(), parts.as_slice()) {
        _ if is_winding(path) => path.to_owned(),
        // A page of the repository is the repository, and a gist is known without its owner.
        ("github.com" | "bitbucket.org", [owner, name, _, ..]) if path == whole => {
            format!("{owner}/{name}")
        }
        ("gist.github.com", [.., name]) => (*name).to_owned(),
        _ => path.to_owned(),
    };
    named(&host, port, &path)
}

fn named(host: &str, port: &str, path: &str) -> String {
    let path = if is_any_case(host) {
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
        ("codeload.github.com", ["gist", name, _, commit @ ..]) => {
            ("gist.github.com", (*name).to_owned(), commit.join("/"))
        }
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

/// Whether an address lies right below that of a repository, or below what its host's interface has of it, and
/// names the commit, if one is asked for. Not at the known hosts: theirs have known forms.
fn lies_in(url: &str, repository: &str, commit: Option<&str>) -> bool {
    let Address {
        host, port, path, ..
    } = Address::of(url);
    let whole = named(&host, port, &with_slashes(without_query(path)));
    let Some((host_of, name)) = repository.split_once('/') else {
        return false;
    };
    let inside = whole
        .strip_prefix(host_of)
        .and_then(|rest| rest.strip_prefix('/'));
    let is_inside = |rest: &str| {
        let below = format!("{name}/");
        rest.starts_with(&below)
            || (rest.starts_with("api/") && rest.contains(&format!("/{below}")))
    };
    let path = path.to_ascii_lowercase();
    !is_winding(&path)
        && !is_any_case(&host)
        && !name.is_empty()
        && inside.is_some_and(is_inside)
        && commit.is_none_or(|commit| path.contains(commit))
}

#[cfg(test)]
mod tests;
