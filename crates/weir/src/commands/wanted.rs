//! What people name on the command line: a release of a registry, a tarball, a folder.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use weir_engine::{Engine, Local};
use weir_npm::name::PackageName;

/// Something to look at.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    /// A release of a registry: name, and a version, tag or range.
    Release(PackageName, Option<&'a str>),
    /// A tarball or folder on this machine, and what the user called it.
    Local(&'a str, Local),
}

impl<'a> Wanted<'a> {
    /// Finds out what is meant; reads it, if it is a tarball.
    pub(super) fn find(engine: &Engine, text: &'a str) -> Result<Self> {
        let path = Path::new(text);
        if text.contains("://") {
            bail!("addresses are not fetched: download {text} and name the file");
        }
        let looks_local = text.starts_with(['.', '/']) || text.ends_with(".tgz");
        if looks_local && path.is_dir() && !path.join("package.json").exists() {
            bail!("there is no package.json in that folder: name the folder of a package");
        }
        if path.is_dir() && (looks_local || path.join("package.json").is_file()) {
            let folder = path
                .canonicalize()
                .with_context(|| format!("finding {text}"))?;
            return Ok(Self::Local(text, Local::Folder(folder)));
        }
        if looks_local {
            let limit = engine.policy().limits.tarball_size.bytes();
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let found = crate::files::read(path, limit);
            let found = found.map_err(|why| anyhow!("reading {text}: {why}"))?;
            let bytes = found.ok_or_else(|| anyhow!("reading {text}: there is no such file"))?;
            if !is_archive(text, &bytes) {
                bail!("{text} is no tarball: name a .tgz, or the folder of a package");
            }
            return Ok(Self::Local(text, Local::Tarball(bytes.into())));
        }
        if path.is_dir() {
            anstream::eprintln!(
                "weir: {text} is taken for a package of the registry; `./{text}` means the folder of that \
                 name here, which has no package.json"
            );
        } else if path.is_file() {
            anstream::eprintln!(
                "weir: {text} is taken for a package of the registry; `./{text}` means the file of that name here"
            );
        }
        let (name, version) = split(text);
        let name =
            PackageName::parse(name).with_context(|| format!("{name:?} is not a package name"))?;
        Ok(Self::Release(name, version))
    }
}

/// Whether a file is meant as a tarball. One that is called so is judged as one, whatever is in it.
fn is_archive(name: &str, bytes: &[u8]) -> bool {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let name = name.to_ascii_lowercase();
    let endings = [".tgz", ".tar.gz", ".tar"];
    endings.iter().any(|ending| name.ends_with(ending)) || bytes.starts_with(&GZIP)
}

/// Splits `name@version`, minding the `@` of a scope.
pub(super) fn split(release: &str) -> (&str, Option<&str>) {
    match release
        .char_indices()
        .skip(1)
        .find(|(_, character)| *character == '@')
    {
        Some((at, _)) => {
            let (name, version) = release.split_at(at);
            (name, version.get(1..).filter(|version| !version.is_empty()))
        }
        None => (release, None),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_at_of_a_scope_is_not_the_one_before_a_version() {
        assert_eq!(split("a"), ("a", None));
        assert_eq!(split("a@1.0.0"), ("a", Some("1.0.0")));
        assert_eq!(split("@s/a"), ("@s/a", None));
        assert_eq!(split("@s/a@^1"), ("@s/a", Some("^1")));
        assert_eq!(split("a@"), ("a", None));
    }
}
