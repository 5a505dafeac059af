//! Names from lockfiles, and their packuments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use weir_npm::lockfile::Lockfile;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_store::{Store, StoredPackument};
use weir_upstream::{Conditional, Environment, Options, PackumentResponse, Upstreams, load_npmrc};

/// One package of a lockfile: its packument, or why there is none.
pub(crate) type Found = (PackageName, Result<Packument, String>);

/// The packages that the lockfiles lock, each once, by name.
pub(crate) fn names(lockfiles: &[PathBuf]) -> anyhow::Result<Vec<PackageName>> {
    let mut names = BTreeSet::new();
    for file in lockfiles {
        let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let lockfile = Lockfile::parse(&file.display().to_string(), &text)?;
        let locked = lockfile.releases();
        if locked.is_empty() {
            bail!("{} locks no package", file.display());
        }
        for (name, _) in locked {
            names.insert(name.to_owned());
        }
    }
    let parsed = names
        .iter()
        .map(|name| PackageName::parse(name).with_context(|| format!("{name:?} in a lockfile")));
    parsed.collect()
}

/// Hands over the packuments of a folder: files of any name, each with one document.
pub(crate) fn in_folder(
    folder: &Path,
    names: &[PackageName],
    mut take: impl FnMut(Found),
) -> anyhow::Result<()> {
    let mut files: BTreeMap<String, Bytes> = BTreeMap::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let raw = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = name_of(&raw).with_context(|| format!("{} is no packument", path.display()))?;
        files.insert(name, Bytes::from(raw));
    }
    for name in names {
        let found = match files.remove(name.as_str()) {
            Some(raw) => parse(name, raw),
            None => Err("there is no packument of it in the folder".to_owned()),
        };
        take((name.clone(), found));
    }
    Ok(())
}

/// The name that a packument gives itself.
fn name_of(raw: &[u8]) -> anyhow::Result<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        name: String,
    }
    Ok(serde_json::from_slice::<Head>(raw)?.name)
}

fn parse(name: &PackageName, raw: Bytes) -> Result<Packument, String> {
    Packument::parse(name, raw).map_err(|error| error.to_string())
}

/// Packuments that a gateway keeps in its data folder.
pub(crate) struct Kept<'f> {
    pub(crate) data: &'f Path,
    /// Whether those that are not there are asked for.
    pub(crate) fetch: bool,
}

impl Kept<'_> {
    /// Hands them over one by one.
    pub(crate) async fn each(
        &self,
        names: &[PackageName],
        mut take: impl FnMut(Found),
    ) -> anyhow::Result<()> {
        let store = Store::open(self.data)
            .await
            .with_context(|| format!("opening the data folder {}", self.data.display()))?;
        let environment = Environment::of_process();
        let here = std::env::current_dir()?;
        let npmrc = load_npmrc(&here, &environment, Default::default())?;
        let options = Options {
            environment,
            ..Options::default()
        };
        let upstreams = Upstreams::from_npmrc(&npmrc, &options)?;
        for name in names {
            let found = self.one(&store, &upstreams, name).await?;
            take((name.clone(), found));
        }
        store.close().await?;
        Ok(())
    }

    async fn one(
        &self,
        store: &Store,
        upstreams: &Upstreams,
        name: &PackageName,
    ) -> anyhow::Result<Result<Packument, String>> {
        let upstream = upstreams.upstream_for(name);
        if let Some(kept) = store.packument(name.as_str(), upstream.id()).await? {
            return Ok(parse(name, kept.raw));
        }
        if !self.fetch {
            return Ok(Err("the data folder has no packument of it".to_owned()));
        }
        match upstream.packument(name, &Conditional::default()).await {
            Ok(PackumentResponse::Fresh {
                raw,
                etag,
                last_modified,
            }) => {
                let fresh = StoredPackument {
                    raw: raw.clone(),
                    etag,
                    last_modified,
                    fetched_at: weir_engine::Clock::system().now(),
                };
                store
                    .put_packument(name.as_str(), upstream.id(), &fresh)
                    .await?;
                Ok(parse(name, raw))
            }
            Ok(PackumentResponse::NotModified) => Ok(Err(
                "the registry answered 304 to an unconditional request".to_owned(),
            )),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}
