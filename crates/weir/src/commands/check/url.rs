//! An address in its parts, as far as they tell one place from another.

use std::borrow::Cow;

/// Hosts that take the owner and the name of a repository in any letter case, and `www.` before their own.
const ANY_CASE: [&str; 6] = [
    "github.com",
    "codeload.github.com",
    "api.github.com",
    "gist.github.com",
    "gitlab.com",
    "bitbucket.org",
];

/// Whether a host takes paths of repositories in any letter case.
pub(super) fn is_any_case(host: &str) -> bool {
    ANY_CASE.contains(&host)
}

/// An address in its parts. Whoever asks makes no difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'u> {
    /// In lower case, without `git+`. None in git's own form, `user@host:path`.
    pub(super) scheme: String,
    /// In lower case.
    pub(super) host: String,
    /// Empty where it is the usual one of the scheme.
    pub(super) port: &'u str,
    /// With the query and without the fragment; no slash in front.
    pub(super) path: &'u str,
}

impl<'u> Address<'u> {
    /// Takes a text for an address, whatever it is.
    pub(super) fn of(url: &'u str) -> Self {
        let url = url.split('#').next().unwrap_or(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let scheme = scheme.to_ascii_lowercase();
        let scheme = scheme.strip_prefix("git+").unwrap_or(&scheme).to_owned();
        let authority = rest.split(['/', '\\', '?']).next().unwrap_or(rest);
        // In git's own form the first counts; in an address the last.
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
        let known = host.strip_prefix("www.").filter(|it| is_any_case(it));
        let host = known.unwrap_or(&host).to_owned();
        Self {
            scheme,
            host,
            port,
            path,
        }
    }

    /// Whether anybody on the way can read and change what is fetched.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "git")
    }

    /// Whether two differ in the path alone.
    pub(super) fn is_beside(&self, other: &Address<'_>) -> bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }

    /// The same address without its query.
    pub(super) fn without_query(&self) -> Self {
        Self {
            scheme: self.scheme.clone(),
            host: self.host.clone(),
            port: self.port,
            path: without_query(self.path),
        }
    }
}

/// A path without its query.
pub(super) fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// An address over http as clients fetch it: scheme and host in lower case, without the usual port.
pub(super) fn normal(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Cow::Borrowed(url);
    };
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    // Almost all are.
    let is_usual = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-'
    };
    if matches!(scheme, "https" | "http") && authority.bytes().all(is_usual) {
        return Cow::Borrowed(url);
    }
    let scheme = scheme.to_ascii_lowercase();
    let mut host = authority.to_ascii_lowercase();
    if let Some(port) = usual_port(&scheme)
        && let Some(bare) = host.strip_suffix(&format!(":{port}"))
    {
        host = bare.to_owned();
    }
    // Who is asked as has to stay as it is written.
    if authority.contains('@') {
        return Cow::Borrowed(url);
    }
    Cow::Owned(format!("{scheme}://{host}{after}"))
}

/// The port of a scheme, where none is named.
fn usual_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "https" => Some("443"),
        "http" => Some("80"),
        "ssh" => Some("22"),
        "git" => Some("9418"),
        _ => None,
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
        "" => ("", rest),
        port if usual_port(scheme) == Some(port) => ("", rest),
        port => (port, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_and_the_case_of_the_host_make_no_difference() {
        for (one, other, same) in [
            ("https://h.invalid/a", "HTTPS://u@H.invalid:443/a#x", true),
            ("https://h.invalid/a", "https://h.invalid:22/a", false),
            ("https://h.invalid/a", "https://h.invalid:80/a", false),
            ("https://h.invalid/a", "http://h.invalid/a", false),
            ("https://h.invalid/a", "https://www.h.invalid/a", false),
            ("https://github.com/a/b", "https://www.github.com/a/b", true),
            ("git+ssh://h.invalid/a", "ssh://h.invalid:22/a", true),
            ("http://h.invalid:80/a", "http://h.invalid/a", true),
            ("https://h.invalid/a", "https://h.invalid/A", false),
            ("https://h.invalid/a?b", "https://h.invalid/a", false),
        ] {
            assert_eq!(
                Address::of(one) == Address::of(other),
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn an_address_is_compared_as_it_is_fetched() {
        for (url, wanted) in [
            (
                "https://H.Invalid:443/A/-/A.tgz",
                "https://h.invalid/A/-/A.tgz",
            ),
            ("HTTP://h.invalid:80", "http://h.invalid"),
            ("https://h.invalid:80/a", "https://h.invalid:80/a"),
            ("https://h.invalid?A:443", "https://h.invalid?A:443"),
            ("https://U@h.invalid:443/a", "https://U@h.invalid:443/a"),
            ("a.tgz", "a.tgz"),
        ] {
            assert_eq!(normal(url), wanted);
        }
    }
}
