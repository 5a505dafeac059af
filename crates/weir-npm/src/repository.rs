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
        let text = without_fragment(address);
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

/// Where an address leads, and what it may be mistaken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The host as clients read it: in lower case, without port, dot at the end and `www.`; an address of
    /// IPv6 in its brackets.
    pub host: String,
    /// What stands before the `@`, a password left out, where it reads like a host: people read
    /// `https://good.example:x@bad.example/` as an address at `good.example`.
    pub disguise: Option<String>,
}

impl Authority {
    /// Reads any address that [`Repository::parse`] reads, and those of hosts without a path. Nothing where
    /// no host is named.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let text = without_fragment(address);
        let authority = match text.split_once("://") {
            Some(("", _)) => return None,
            // Browsers and Node.js take a backslash for a slash.
            Some((_, rest)) => rest.split(['/', '\\']).next().unwrap_or(rest),
            None if text.contains(':') => short_form(text)?,
            None if text.contains('/') => "github",
            None => return None,
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let host = plain_host(host);
        let disguise = user
            .and_then(|user| user.split(':').next())
            .filter(|user| user.contains('.'))
            .map(str::to_owned);
        (!host.is_empty()).then_some(Self { host, disguise })
    }
}

/// `git@host` of `git@host:owner/name`; the last `@` before the path decides where the host begins, and only
/// behind it does a colon end it.
fn short_form(text: &str) -> Option<&str> {
    let head = text.split('/').next()?;
    let start = head.rfind('@').map_or(0, |at| at + 1);
    let end = head
        .get(start..)?
        .find(':')
        .map_or(head.len(), |at| start + at);
    text.get(..end)
}

/// An address without what follows `#` or `?`, which is none of its host.
fn without_fragment(address: &str) -> &str {
    let text = address.trim();
    text.split(['#', '?']).next().unwrap_or(text)
}

/// Host and path of what follows the scheme. `ssh://git@host:owner/name` is written often, and wrong.
fn authority(rest: &str) -> Option<(&str, &str)> {
    let (host, path) = rest.split_once('/')?;
    let start = host.rfind(['@', ']']).map_or(0, |at| at + 1);
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
    let host = match host.find(']') {
        Some(end) if host.starts_with('[') => host.get(..=end).unwrap_or(host),
        _ => host.split(':').next().unwrap_or(host),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // Other spellings of one host: numbers of an address, letters of other alphabets.
    let host = url::Host::parse(&host).map_or(host, |host| host.to_string());
    match host.as_str() {
        "github" => "github.com".to_owned(),
        "gitlab" => "gitlab.com".to_owned(),
        "bitbucket" => "bitbucket.org".to_owned(),
        host => host.strip_prefix("www.").unwrap_or(host).to_owned(),
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
    fn what_stands_before_the_host_is_not_taken_for_it() {
        for (address, host, disguise) in [
            (
                "https://good.example:x@evil.invalid/",
                "evil.invalid",
                Some("good.example"),
            ),
            (
                "https://good.example:x@evil.invalid",
                "evil.invalid",
                Some("good.example"),
            ),
            (
                "https://good.example@evil.invalid:8443/a",
                "evil.invalid",
                Some("good.example"),
            ),
            (
                "https://a@good.example@evil.invalid/b",
                "evil.invalid",
                Some("a@good.example"),
            ),
            (
                "https://good.example%2f@evil.invalid/b",
                "evil.invalid",
                Some("good.example%2f"),
            ),
            (
                "https://good.example\\@evil.invalid/b",
                "good.example",
                None,
            ),
            ("https://good.example/@evil.invalid/b", "good.example", None),
            ("https://good.example#@evil.invalid/b", "good.example", None),
            (
                "https://user:word@Good.Example.:8443/a/b",
                "good.example",
                None,
            ),
            ("https://[2001:db8::1]:8443/a/b", "[2001:db8::1]", None),
            ("https://user@[2001:DB8::1]/a/b", "[2001:db8::1]", None),
            ("https://0x7f.1/a/b", "127.0.0.1", None),
            (
                "git+ssh://git@git.example.invalid:mill/weir.git",
                "git.example.invalid",
                None,
            ),
            (
                "git@git.example.invalid:mill/weir.git",
                "git.example.invalid",
                None,
            ),
            (
                "good.example@evil.invalid:mill/weir.git",
                "evil.invalid",
                Some("good.example"),
            ),
            ("github:mill-pond/weir", "github.com", None),
            ("mill-pond/weir", "github.com", None),
            ("https://www.github.com", "github.com", None),
        ] {
            let found = Authority::parse(address).unwrap();
            assert_eq!(found.host, host, "{address}");
            assert_eq!(found.disguise.as_deref(), disguise, "{address}");
        }
        for address in [
            "",
            "weir",
            "://a",
            "https://",
            "https:///a/b",
            "https://user@/a",
            ":",
            "@:a/b",
        ] {
            assert_eq!(Authority::parse(address), None, "{address:?}");
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
