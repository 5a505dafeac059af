//! Whose repository a package says its source is in.

/// A repository's address in its parts, whichever of npm's spellings it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository<'a> {
    /// The host in lower case, without user, port and `www.`.
    pub host: String,
    /// The first part of its path: a person or an organisation. Absent where there is one part only.
    pub owner: Option<&'a str>,
    /// What the repository is called, without `.git`.
    pub name: &'a str,
}

impl<'a> Repository<'a> {
    /// Reads an address such as `git+https://host/owner/name.git#readme`, `git@host:owner/name`,
    /// `github:owner/name` or `owner/name`, which is one on GitHub. Nothing for what names no repository.
    #[must_use]
    pub fn parse(address: &'a str) -> Option<Self> {
        let text = address.trim();
        let text = text.split(['#', '?']).next().unwrap_or(text);
        let (host, path) = match text.split_once("://") {
            Some(("", _)) => return None,
            Some((_, rest)) => authority(rest)?,
            None => text.split_once(':').unwrap_or(("github", text)),
        };
        let host = plain_host(host);
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let (first, second) = (parts.next()?, parts.next());
        if host.is_empty() {
            return None;
        }
        let Some(second) = second else {
            // `lodash` alone is a package, not a repository.
            return (text != first).then(|| Self {
                host,
                owner: None,
                name: bare(first),
            });
        };
        // Groups have groups on other hosts; what follows one of these words is inside the repository.
        let flat = matches!(host.as_str(), "github.com" | "bitbucket.org");
        let inside = |part: &&str| matches!(*part, "tree" | "blob" | "src" | "-");
        let below = parts.take_while(|part| !flat && !inside(part)).last();
        Some(Self {
            host,
            owner: Some(first),
            name: bare(below.unwrap_or(second)),
        })
    }
}

/// Host and path of what follows the scheme. `ssh://git@host:owner/name` is written often, and wrong.
fn authority(rest: &str) -> Option<(&str, &str)> {
    let (host, path) = rest.split_once('/')?;
    let start = host.rfind('@').map_or(0, |at| at + 1);
    let colon = host
        .get(start..)
        .and_then(|host| host.find(':'))
        .map(|at| start + at);
    let port = colon.and_then(|at| host.get(at + 1..));
    match (colon, port) {
        (Some(at), Some(owner)) if !owner.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host.get(..at)?, rest.get(at + 1..)?))
        }
        _ => Some((host, path)),
    }
}

fn plain_host(host: &str) -> String {
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(':').next().unwrap_or(host);
    match host {
        "github" => "github.com".to_owned(),
        "gitlab" => "gitlab.com".to_owned(),
        "bitbucket" => "bitbucket.org".to_owned(),
        host => host
            .strip_prefix("www.")
            .unwrap_or(host)
            .to_ascii_lowercase(),
    }
}

fn bare(name: &str) -> &str {
    name.strip_suffix(".git").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_names_the_same_repository() {
        for address in [
            "https://github.com/mill-pond/weir.git",
            "git+https://www.GitHub.com/mill-pond/weir#readme",
            "https://github.com/mill-pond/weir/?tab=readme",
            "https://github.com/mill-pond/weir.git#v1/2",
            "https://github.com/mill-pond/weir/tree/main/packages/left-lib",
            "https://github.com/mill-pond/weir/issues",
            "https://user:word@github.com:8443/mill-pond/weir/",
            "git@github.com:mill-pond/weir.git",
            "git+ssh://git@github.com/mill-pond/weir",
            "git+ssh://git@github.com:mill-pond/weir.git",
            "github:mill-pond/weir",
            "mill-pond/weir#main",
            " mill-pond/weir ",
        ] {
            let found = Repository::parse(address).unwrap();
            assert_eq!(found.host, "github.com", "{address}");
            assert_eq!(found.owner, Some("mill-pond"), "{address}");
            assert_eq!(found.name, "weir", "{address}");
        }
    }

    #[test]
    fn groups_and_paths_without_an_owner_are_told_apart() {
        for (address, owner, name) in [
            (
                "https://git.example.invalid/mill/pond/weir",
                Some("mill"),
                "weir",
            ),
            ("gitlab:mill/pond/weir.git", Some("mill"), "weir"),
            (
                "https://git.example.invalid/mill/weir/-/tree/main",
                Some("mill"),
                "weir",
            ),
            ("https://git.example.invalid/src/tree", Some("src"), "tree"),
            ("https://git.example.invalid/weir.git#main", None, "weir"),
            ("git@git.example.invalid:weir.git", None, "weir"),
        ] {
            let found = Repository::parse(address).unwrap();
            assert_eq!((found.owner, found.name), (owner, name), "{address}");
        }
    }

    #[test]
    fn what_names_no_repository_is_none() {
        for address in [
            "",
            "weir",
            "#main",
            "https://github.com",
            "://a/b/c",
            ":",
            "https:///a/b",
            "@:a/b",
        ] {
            assert_eq!(Repository::parse(address), None, "{address:?}");
        }
    }
}
