//! What a dependency points at.

use url::Url;

use crate::name::{PackageName, percent_decode};
use crate::version::Range;

/// A dependency's right-hand side, classified as npm's own argument parser does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencySpec {
    /// A version or a range, from the registry. Empty text means any version.
    Range(Range),
    /// A tag, from the registry.
    Tag(String),
    /// `npm:name@spec`: another package under this name. The inner spec is a range or a tag.
    Alias {
        /// The package that is really fetched.
        name: PackageName,
        /// What is asked of it.
        spec: Box<DependencySpec>,
    },
    /// A git repository, of whatever host and spelling.
    Git {
        /// Where it is, without `git+` and without the fragment.
        url: String,
        /// The commit, branch, tag or `semver:` range asked for.
        committish: Option<String>,
    },
    /// A tarball at an `http` or `https` URL.
    Url(String),
    /// `file:`, `link:`, `portal:` or a bare path: a folder or tarball on the same machine.
    File(String),
    /// `workspace:` and what follows.
    Workspace(String),
    /// `catalog:` and what follows (pnpm, yarn and bun look it up in the workspace).
    Catalog(String),
    /// Anything no client would take, or a protocol of one client only, as written.
    Other(String),
}

impl DependencySpec {
    /// Whether the code comes from a place the registry does not control: no publisher, no publish time,
    /// no second copy.
    #[must_use]
    pub fn is_remote_code(&self) -> bool {
        matches!(self, Self::Git { .. } | Self::Url(_))
    }

    /// Whether a registry answers for it.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        matches!(self, Self::Range(_) | Self::Tag(_) | Self::Alias { .. })
    }
}

/// Whether a path ends as that of a tarball does: what clients take for one rather than for a folder.
#[must_use]
pub fn names_tarball(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// The folder or file of a package that a path of [`DependencySpec::File`] names, without `.` and `..` in it; nothing
/// where it leads out of the package, or to the package itself.
#[must_use]
pub fn inside_package(path: &str) -> Option<String> {
    let path = path.trim().replace('\\', "/");
    let is_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if is_drive || path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Classifies what dependency `name` asks for, as npm's own argument parser does (npm-package-arg), and
/// where clients disagree, as the client that reaches further: `user@host:path` is git for yarn and pnpm
/// and a folder for npm, so it is git here. Never fails; what nobody would take is
/// [`DependencySpec::Other`].
#[must_use]
pub fn classify(name: &str, spec: &str) -> DependencySpec {
    let spec = spec.trim();
    if let Some((scheme, rest)) = split_scheme(spec) {
        match scheme.to_ascii_lowercase().as_str() {
            "file" | "link" | "portal" => return DependencySpec::File(rest.to_owned()),
            "workspace" => return DependencySpec::Workspace(rest.to_owned()),
            "catalog" => return DependencySpec::Catalog(rest.to_owned()),
            "npm" => return alias(rest).unwrap_or_else(|| other(spec)),
            "jsr" => return jsr(name, rest).unwrap_or_else(|| other(spec)),
            _ => {}
        }
    }
    if is_path(spec) {
        return DependencySpec::File(spec.to_owned());
    }
    if let Some(git) = hosted_git(spec) {
        return git;
    }
    if let Some((scheme, _)) = split_scheme(spec) {
        return by_url(spec, &scheme.to_ascii_lowercase());
    }
    if let Some(git) = scp_git(spec) {
        return git;
    }
    if spec.contains(['/', '\\']) || is_archive(spec) {
        return DependencySpec::File(spec.to_owned());
    }
    registry(spec).unwrap_or_else(|| other(spec))
}

fn other(spec: &str) -> DependencySpec {
    DependencySpec::Other(spec.to_owned())
}

/// A range or a tag. Tags are limited to what a URL holds unescaped.
fn registry(spec: &str) -> Option<DependencySpec> {
    let range = Range::parse_from_npm(spec).ok()?;
    match range.tag() {
        None => Some(DependencySpec::Range(range)),
        Some(tag) if tag.is_ascii() => Some(DependencySpec::Tag(tag.to_owned())),
        Some(_) => None,
    }
}

/// What follows `npm:`: `name`, `name@spec`, or, as yarn and pnpm write it, a range of the same package.
fn alias(rest: &str) -> Option<DependencySpec> {
    // Names can start with a digit too, so a range is tried first.
    let like_range =
        rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c));
    if like_range && let Some(own @ DependencySpec::Range(_)) = registry(rest) {
        return Some(own);
    }
    let at = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| *c == '@')
        .map(|(at, _)| at);
    let (name, spec) = match at {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
        None => (rest, ""),
    };
    Some(DependencySpec::Alias {
        name: PackageName::parse(name).ok()?,
        spec: Box::new(registry(spec)?),
    })
}

/// What follows `jsr:`: `@scope/name@spec`, or a range of the package's own name. npm clients fetch it
/// from a registry as `@jsr/scope__name`.
fn jsr(own_name: &str, rest: &str) -> Option<DependencySpec> {
    let (name, spec) = match rest.strip_prefix('@') {
        Some(scoped) => {
            let (name, spec) = scoped.split_once('@').unwrap_or((scoped, ""));
            (name, spec)
        }
        None => (own_name.strip_prefix('@')?, rest),
    };
    let (scope, base) = name.split_once('/')?;
    let name = PackageName::parse(&format!("@jsr/{scope}__{base}")).ok()?;
    Some(DependencySpec::Alias {
        name,
        spec: Box::new(registry(spec)?),
    })
}

/// `scheme:rest`, for schemes of letters and an optional `git+` before them.
fn split_scheme(spec: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = spec.split_once(':')?;
    let letters = match scheme.get(..4) {
        Some(git) if git.eq_ignore_ascii_case("git+") => scheme.get(4..)?,
        _ => scheme,
    };
    let fine = letters.len() > 1 && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    fine.then_some((scheme, rest))
}

/// Paths on any platform: `.`, `~/`, `/`, `\\` and drive letters.
fn is_path(spec: &str) -> bool {
    let drive = matches!(spec.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || spec.starts_with(['.', '/', '\\']) || spec.starts_with("~/")
}

fn is_archive(spec: &str) -> bool {
    let spec = spec.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"]
        .iter()
        .any(|ending| spec.ends_with(ending))
}

fn by_url(spec: &str, scheme: &str) -> DependencySpec {
    match scheme {
        "http" | "https" => DependencySpec::Url(spec.to_owned()),
        "git" | "ssh" => git(spec),
        _ if scheme.starts_with("git+") => git(spec.get(4..).unwrap_or(spec)),
        _ => other(spec),
    }
}

fn git(url: &str) -> DependencySpec {
    let (url, committish) = split_fragment(url);
    DependencySpec::Git {
        url: url.to_owned(),
        committish,
    }
}

/// A URL without its fragment, and the fragment unless it is empty.
fn split_fragment(url: &str) -> (&str, Option<String>) {
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let fragment = percent_decode(fragment).unwrap_or_else(|| fragment.to_owned());
    (url, (!fragment.is_empty()).then_some(fragment))
}

/// `user@host:path`, as git itself takes it. The host must have a dot.
fn scp_git(spec: &str) -> Option<DependencySpec> {
    let (user, rest) = spec.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && !text.contains(['/', '#', ' ']);
    (plain(user) && plain(host) && host.contains('.') && !path.is_empty()).then(|| git(spec))
}

/// A git host that clients know by name.
struct Host {
    shortcut: &'static str,
    domain: &'static str,
    /// What may follow the repository in a path that is still the repository.
    is_repository: fn(&[&str]) -> bool,
}

/// The hosts of npm's hosted-git-info. A web address of a repository on one of them is fetched as git,
/// whatever its scheme; an address of an archive is a tarball.
const HOSTS: [Host; 5] = [
    Host {
        shortcut: "github",
        domain: "github.com",
        is_repository: |path| matches!(path, [_, _] | [_, _, "tree", ..]),
    },
    Host {
        shortcut: "gitlab",
        domain: "gitlab.com",
        is_repository: |path| {
            path.len() > 1 && !path.contains(&"-") && !path.contains(&"archive.tar.gz")
        },
    },
    Host {
        shortcut: "bitbucket",
        domain: "bitbucket.org",
        is_repository: |path| matches!(path, [_, _, rest @ ..] if rest.first() != Some(&"get")),
    },
    Host {
        shortcut: "gist",
        domain: "gist.github.com",
        is_repository: |path| !path.is_empty() && path.get(2) != Some(&"raw"),
    },
    Host {
        shortcut: "sourcehut",
        domain: "git.sr.ht",
        is_repository: |path| matches!(path, [_, _, rest @ ..] if rest.first() != Some(&"archive")),
    },
];

/// Shortcuts (`github:user/repo`), the bare `user/repo`, and addresses on known hosts.
fn hosted_git(spec: &str) -> Option<DependencySpec> {
    if is_github_shorthand(spec) {
        return shortcut(&HOSTS, "github", spec);
    }
    let (scheme, rest) = split_scheme(spec)?;
    let scheme = scheme.to_ascii_lowercase();
    if let Some(git) = shortcut(&HOSTS, &scheme, rest) {
        return Some(git);
    }
    if !matches!(scheme.as_str(), "http" | "https") {
        // Already git by its scheme, or nothing we know.
        return None;
    }
    let url = Url::parse(spec).ok()?;
    let domain = url.host_str()?;
    let domain = domain.strip_prefix("www.").unwrap_or(domain);
    let host = HOSTS.iter().find(|host| host.domain == domain)?;
    // Only the first of them takes plain http.
    if scheme == "http" && host.shortcut != "github" {
        return None;
    }
    let path: Vec<&str> = url
        .path_segments()?
        .filter(|segment| !segment.is_empty())
        .collect();
    if !(host.is_repository)(&path) {
        return None;
    }
    let DependencySpec::Git { url, committish } = git(spec) else {
        return None;
    };
    match path.as_slice() {
        [_, _, "tree", branch, ..] if host.shortcut == "github" => {
            let url = url.split("/tree/").next().unwrap_or(&url).to_owned();
            Some(DependencySpec::Git {
                url,
                committish: Some((*branch).to_owned()),
            })
        }
        _ => Some(DependencySpec::Git { url, committish }),
    }
}

fn shortcut(hosts: &[Host], name: &str, rest: &str) -> Option<DependencySpec> {
    let host = hosts.iter().find(|host| host.shortcut == name)?;
    let (path, committish) = split_fragment(rest);
    // Credentials in a shortcut are ignored, and so are leading slashes.
    let path = path.trim_start_matches('/');
    let path = path.split_once('@').map_or(path, |(_, path)| path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    Some(DependencySpec::Git {
        url: format!("https://{}/{path}.git", host.domain),
        committish,
    })
}

/// `user/repo`, with anything after a `#`: one slash that is neither first nor last, no blank, no `@`, no
/// colon, no leading period.
fn is_github_shorthand(spec: &str) -> bool {
    let path = spec.split('#').next().unwrap_or(spec);
    let Some((user, repository)) = path.split_once('/') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(['/', '@', ':']) && !part.contains(char::is_whitespace)
    };
    plain(user) && plain(repository) && !user.starts_with('.')
}

#[cfg(test)]
mod tests;
