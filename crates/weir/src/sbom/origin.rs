//! Where a component comes from, as far as it may be handed around.

use weir_npm::lockfile::Source;
use weir_npm::spec::{DependencySpec, classify};

use crate::addresses::without_secrets;

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The address of a tarball, without credentials and query.
    Tarball(String),
    /// A git repository, and the commit.
    Git(String, Option<String>),
    /// A folder or a tarball on the machine of the project, by its path: no release of any registry, whatever
    /// its name and version are.
    Local(String),
    /// A registry, whose address the lockfile does not say.
    Unsaid,
    /// Something else, of which there is no address to hand around.
    Unknown,
}

impl Origin {
    pub(crate) fn of(source: &Source) -> Self {
        match source {
            Source::Registry(None) => Self::Unsaid,
            Source::Registry(Some(url)) => tidy(url).map_or(Self::Unsaid, Self::Tarball),
            Source::Tarball(url) => tidy(url).map_or(Self::Unknown, Self::Tarball),
            Source::Git { url, commit } => match tidy(url) {
                Some(url) => Self::Git(url, commit.clone()),
                None => Self::Unknown,
            },
            Source::Project(path) | Source::File(path) | Source::Link(path) => {
                // What no client knows as an address counts as a path, and may hold a password all the same.
                Self::Local(without_secrets(once(path)).into_owned())
            }
            Source::Patch(base) => patched(base),
            Source::Other(_) => Self::Unknown,
        }
    }
}

/// Patches of patches that are followed: yarn's own lie on a project's, and no deeper.
const MOST_PATCHES: usize = 8;

/// Where the files come from that a patch of yarn's changes: `name@npm:1.0.0`, `name@file:./folder`, or another
/// patch.
fn patched(base: &str) -> Origin {
    let mut base = base.to_owned();
    for _ in 0..MOST_PATCHES {
        let scope = usize::from(base.starts_with('@'));
        let reference = base.get(scope..).and_then(|rest| rest.split_once('@'));
        let Some((name, reference)) = reference else {
            return Origin::Unknown;
        };
        let Some(inner) = reference.strip_prefix("patch:") else {
            return unpatched(name, reference);
        };
        let inner = inner.split('#').next().unwrap_or(inner);
        base = inner
            .replace("%3A", ":")
            .replace("%23", "#")
            .replace("%25", "%");
    }
    Origin::Unknown
}

fn unpatched(name: &str, reference: &str) -> Origin {
    let (plain, _) = reference.split_once("::").unwrap_or((reference, ""));
    match classify(name, plain) {
        DependencySpec::File(path) => Origin::Local(once(&path).to_owned()),
        spec if spec.is_registry() => Origin::Unsaid,
        _ => Origin::Unknown,
    }
}

/// yarn writes the path of a folder twice, `path#path`.
fn once(path: &str) -> &str {
    match path.split_once('#') {
        Some((path, again)) if path == again => path,
        _ => path,
    }
}

/// An address without what must not be handed around: passwords, and queries, in which tokens travel.
/// Nothing for what is no address.
fn tidy(address: &str) -> Option<String> {
    let address = address.strip_prefix("git+").unwrap_or(address);
    let mut url = weir_upstream::Url::parse(address).ok()?;
    url.host_str()?;
    if matches!(url.scheme(), "http" | "https") {
        url.set_username("").ok()?;
    }
    // ssh has its user in front of the host, `git` as a rule.
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_registry_serves_is_one_of_its_releases() {
        let text = |text: &str| text.to_owned();
        let git = |url: &str| Source::Git {
            url: text(url),
            commit: Some(text("abc")),
        };
        let local = |path: &str| Origin::Local(text(path));
        for (source, origin) in [
            (Source::Registry(None), Origin::Unsaid),
            (
                Source::Tarball(text("https://u:p@files.example.invalid/a.tgz?t=1")),
                Origin::Tarball(text("https://files.example.invalid/a.tgz")),
            ),
            (Source::Tarball(text("rubbish")), Origin::Unknown),
            (
                git("https://git.example.invalid/a.git"),
                Origin::Git(text("https://git.example.invalid/a.git"), Some(text("abc"))),
            ),
            (git("git@git.example.invalid:a/b.git"), Origin::Unknown),
            (Source::File(text("./a")), local("./a")),
            (Source::File(text("./a#./a")), local("./a")),
            (Source::File(text("./a#b")), local("./a#b")),
            (Source::Link(text("../a")), local("../a")),
            (
                Source::File(text("s3://u:p@files.example.invalid/a.tgz?t=1")),
                local("s3://***@files.example.invalid/a.tgz?***"),
            ),
            (Source::Project(text("packages/a")), local("packages/a")),
            (Source::Patch(text("a@npm:1.0.0")), Origin::Unsaid),
            (Source::Patch(text("@s/a@npm:1.0.0")), Origin::Unsaid),
            (Source::Patch(text("a@1.0.0")), Origin::Unsaid),
            (
                Source::Patch(text("a@patch:a@npm%3A1.0.0#~/a.patch")),
                Origin::Unsaid,
            ),
            (
                Source::Patch(text("a@patch:a@file%3A./a%23./a%3A%3Ahash=1#~/a.patch")),
                local("./a"),
            ),
            (Source::Patch("a@patch:".repeat(99)), Origin::Unknown),
            (
                Source::Patch(text("@s/a@file:./a#./a::hash=1&locator=p")),
                local("./a"),
            ),
            (
                Source::Patch(text("a@git+https://git.example.invalid/a.git")),
                Origin::Unknown,
            ),
            (Source::Patch(text("a")), Origin::Unknown),
            (Source::Other(text("exec:./make.js")), Origin::Unknown),
        ] {
            assert_eq!(Origin::of(&source), origin, "{source:?}");
        }
    }
}
