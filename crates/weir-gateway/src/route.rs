//! What a request asks for, read from its raw path.
//!
//! Scoped names come as `@s/n`, `@s%2fn` and `@s%2Fn`, in tarball paths as well (PROTOCOL 3.1), so
//! the path is decoded once, here, and never by the router.

use weir_npm::name::{NameError, PackageName};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/`: what this is.
    Root,
    /// `/-/ping`.
    Ping,
    /// `/-/weir/health`: the process runs.
    Health,
    /// `/-/weir/ready`: it can do its work.
    Ready,
    /// `/-/weir/why/<block id>`: the explanation of a refusal.
    Why(String),
    /// `/<name>`.
    Packument(PackageName),
    /// `/<name>/<version or tag>`.
    Version(PackageName, String),
    /// `/<name>/-/<file>.tgz`.
    Tarball(PackageName, String),
    /// `/-/package/<name>/dist-tags`.
    DistTags(PackageName),
    /// `/-/npm/v1/keys`: what registries sign with.
    Keys,
    /// `/-/npm/v1/attestations/<name>@<version>`.
    Attestations(PackageName, String),
    /// Any other `/-/…` path, for the upstream to answer.
    Other(String),
    /// A path that names nothing; why.
    Unknown(String),
}

impl Route {
    /// Reads a raw request path (without the query).
    #[must_use]
    pub(crate) fn read(raw: &str) -> Self {
        let Some(path) = decode(raw) else {
            return Self::Unknown(
                "the path is not percent-encoded UTF-8, or has a control character".to_owned(),
            );
        };
        let path = path.trim_matches('/');
        if path.is_empty() {
            return Self::Root;
        }
        if let Some(rest) = path.strip_prefix("-/") {
            return Self::service(rest, raw);
        }
        // Clients put the path of the upstream's own address behind this registry's, prefix and all.
        if let Some((_, release)) = path.split_once("/-/npm/v1/attestations/")
            && let Some(route) = Self::attestations(release)
        {
            return route;
        }
        if let Some((before, file)) = path.rsplit_once("/-/") {
            // Some registries repeat the scope before the file name.
            let file = file.rsplit('/').next().unwrap_or(file);
            return match PackageName::parse(before).or_else(|_| behind_prefix(before)) {
                Ok(name) => Self::Tarball(name, file.to_owned()),
                Err(error) => Self::Unknown(format!("{before:?} is not a package name: {error}")),
            };
        }
        if let Some((name, file)) = download(path) {
            return Self::Tarball(name, file.to_owned());
        }
        let (name, rest) = split_name(path);
        match PackageName::parse(name) {
            Err(error) => Self::Unknown(format!("{name:?} is not a package name: {error}")),
            Ok(name) => match rest {
                None => Self::Packument(name),
                Some(version) if !version.contains('/') => Self::Version(name, version.to_owned()),
                Some(_) => Self::Unknown("there is nothing below a version".to_owned()),
            },
        }
    }

    fn service(rest: &str, raw: &str) -> Self {
        match rest {
            "ping" => return Self::Ping,
            "npm/v1/keys" => return Self::Keys,
            "weir/health" => return Self::Health,
            "weir/ready" => return Self::Ready,
            _ => {}
        }
        if let Some(id) = rest.strip_prefix("weir/why/") {
            return Self::Why(id.to_owned());
        }
        if let Some(release) = rest.strip_prefix("npm/v1/attestations/") {
            let unknown = || Self::Unknown(format!("{release:?} is not a release"));
            return Self::attestations(release).unwrap_or_else(unknown);
        }
        if let Some(name) = rest
            .strip_prefix("package/")
            .and_then(|r| r.strip_suffix("/dist-tags"))
            && let Ok(name) = PackageName::parse(name)
        {
            return Self::DistTags(name);
        }
        Self::Other(raw.trim_start_matches('/').to_owned())
    }
}

impl Route {
    /// `<name>@<version>`, the name decoded.
    fn attestations(release: &str) -> Option<Self> {
        let at = release.rfind('@').filter(|at| *at > 0)?;
        let (name, version) = (release.get(..at)?, release.get(at + 1..)?);
        let version = weir_npm::version::Version::parse(version).ok()?;
        let name = PackageName::parse(name).ok()?;
        Some(Self::Attestations(name, version.as_str().to_owned()))
    }
}

/// The name behind a path: npm replaces the host of an address that its lockfile has and keeps the rest of it, of
/// registries below a path as well (`/api/npm/team/@s/n`).
fn behind_prefix(path: &str) -> Result<PackageName, NameError> {
    let (before, last) = path.rsplit_once('/').unwrap_or(("", path));
    let scope = before.rsplit('/').next().filter(|it| it.starts_with('@'));
    PackageName::parse(&scope.map_or_else(|| last.to_owned(), |scope| format!("{scope}/{last}")))
}

/// Name and file of an address as GitHub's registry has them, `download/@s/n/1.0.0/<digest>`: npm asks for that path
/// where its lockfile has it.
fn download(path: &str) -> Option<(PackageName, &str)> {
    let (release, file) = path.rsplit_once('/')?;
    let (name, version) = release.rsplit_once('/')?;
    weir_npm::version::Version::parse(version).ok()?;
    let (_, scoped) = name.rsplit_once("/@")?;
    let name = PackageName::parse(&format!("@{scoped}")).ok()?;
    Some((name, file)).filter(|(_, file)| !file.is_empty())
}

/// Splits `@s/n/rest` and `n/rest` after the name.
fn split_name(path: &str) -> (&str, Option<&str>) {
    let skip = if path.starts_with('@') {
        path.find('/').map_or(path.len(), |at| at + 1)
    } else {
        0
    };
    match path.get(skip..).and_then(|rest| rest.find('/')) {
        Some(at) => {
            let (name, rest) = path.split_at(skip + at);
            (name, rest.get(1..))
        }
        None => (path, None),
    }
}

/// Decodes `%xx`; `None` when that is malformed, not UTF-8, or hides a control character.
fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).unwrap()
    }

    #[test]
    fn every_spelling_of_a_scoped_name_is_the_same_name() {
        for raw in ["/@s/n", "/@s%2fn", "/@s%2Fn", "/%40s%2fn"] {
            assert_eq!(Route::read(raw), Route::Packument(name("@s/n")), "{raw}");
        }
        for raw in [
            "/@s/n/-/n-1.0.0.tgz",
            "/@s%2fn/-/n-1.0.0.tgz",
            "/@s/n/-/@s/n-1.0.0.tgz",
        ] {
            assert_eq!(
                Route::read(raw),
                Route::Tarball(name("@s/n"), "n-1.0.0.tgz".to_owned()),
                "{raw}"
            );
        }
        for raw in [
            "/npm/@s/n/-/n-1.0.0.tgz",
            "/api/npm/team/@s%2fn/-/n-1.0.0.tgz",
            "/api/v4/groups/7/-/packages/npm/@s/n/-/@s/n-1.0.0.tgz",
        ] {
            assert_eq!(
                Route::read(raw),
                Route::Tarball(name("@s/n"), "n-1.0.0.tgz".to_owned()),
                "{raw}"
            );
        }
        assert_eq!(
            Route::read("/api/npm/team/n/-/n-1.0.0.tgz"),
            Route::Tarball(name("n"), "n-1.0.0.tgz".to_owned())
        );
        assert_eq!(
            Route::read("/download/@s/n/1.0.0/0123abcd"),
            Route::Tarball(name("@s/n"), "0123abcd".to_owned())
        );
        assert_eq!(
            Route::read("/@s%2fn/1.0.0"),
            Route::Version(name("@s/n"), "1.0.0".to_owned())
        );
        assert_eq!(
            Route::read("/n/latest"),
            Route::Version(name("n"), "latest".to_owned())
        );
        assert_eq!(
            Route::read("/-/package/@s%2fn/dist-tags"),
            Route::DistTags(name("@s/n"))
        );
    }

    #[test]
    fn what_is_no_name_is_said_to_be_none() {
        for raw in [
            "/..",
            "/%2e%2e/etc/passwd",
            "/a%00b",
            "/a%zz",
            "/@s",
            "/n/1/2",
            "/download/@s/n/latest/0123abcd",
            "/a/../-/n-1.0.0.tgz",
            "/.hidden",
            "/%ff",
        ] {
            assert!(
                matches!(Route::read(raw), Route::Unknown(_)),
                "{raw} {:?}",
                Route::read(raw)
            );
        }
    }

    #[test]
    fn services_have_their_own_paths() {
        assert_eq!(Route::read("/"), Route::Root);
        assert_eq!(Route::read("/-/ping"), Route::Ping);
        assert_eq!(
            Route::read("/-/weir/why/w-abc"),
            Route::Why("w-abc".to_owned())
        );
        assert_eq!(Route::read("/-/npm/v1/keys"), Route::Keys);
        assert_eq!(
            Route::read("/-/v1/search"),
            Route::Other("-/v1/search".to_owned())
        );
    }

    #[test]
    fn attestations_are_found_below_any_prefix_of_the_upstream() {
        for raw in [
            "/-/npm/v1/attestations/@s%2fn@1.0.0",
            "/-/npm/v1/attestations/@s/n@1.0.0",
            "/api/npm/-/npm/v1/attestations/@s%2fn@1.0.0",
        ] {
            let expected = Route::Attestations(name("@s/n"), "1.0.0".to_owned());
            assert_eq!(Route::read(raw), expected, "{raw}");
        }
        for raw in [
            "/-/npm/v1/attestations/n",
            "/-/npm/v1/attestations/@s/n",
            "/-/npm/v1/attestations/n@..",
            "/-/npm/v1/attestations/../keys@1.0.0",
        ] {
            assert!(matches!(Route::read(raw), Route::Unknown(_)), "{raw}");
        }
    }
}
