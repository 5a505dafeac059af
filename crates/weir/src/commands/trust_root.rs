//! `weir trust-root`: whom verifying trusts, and bringing that up to date.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use weir_engine::trust::ReleaseVerifier;
use weir_model::ordinary::what_else;
use weir_provenance::tuf::{Fetched, Metadata, Source, update};
use weir_provenance::{Named, RegistryKeys};
use weir_upstream::{Elsewhere, Url};

use crate::cli::{Global, TrustRootCommand};
use crate::trust_root::{Chain, Kept, KeptOrigin, text_of};
use crate::{exit, files, setup};

/// Sigstore's own repository.
const PUBLIC: &str = "https://tuf-repo-cdn.sigstore.dev/";

/// Shows or refreshes what is trusted.
pub(super) async fn run(global: &Global, command: TrustRootCommand) -> Result<ExitCode> {
    match command {
        TrustRootCommand::Show => show(global)?,
        TrustRootCommand::Refresh { from, root } => refresh(global, from, root.as_deref()).await?,
        TrustRootCommand::Keys => return keys(global).await,
    }
    Ok(ExitCode::from(exit::FINE))
}

fn show(global: &Global) -> Result<()> {
    let kept = Kept::read(&setup::data_folder(global)?)?;
    let sources = setup::trust(global)?;
    let all = weir_provenance::named(sources.root.as_deref());
    let all = all.with_context(|| sources.place.clone())?;
    let place = match (&global.trusted_root, &kept.origin) {
        (Some(file), _) => format!("{}, as it is (--trusted-root)", file.display()),
        (None, Some(origin)) => described(origin),
        (None, None) if sources.root.is_some() => {
            format!("{}, which does not say where it is from", sources.place)
        }
        (None, None) => "Sigstore's public instance, as it comes with weir".to_owned(),
    };
    crate::out::println!("trusted root: {place}");
    if let Some(root) = &sources.root {
        crate::out::println!("  SHA-256 {}", weir_provenance::digest(root.as_bytes()));
    }
    for named in all {
        crate::out::println!("  {}", line(&named));
    }
    for (host, document) in &sources.keys {
        let keys = RegistryKeys::parse(document.as_bytes())
            .with_context(|| format!("the kept keys of {host}"))?;
        crate::out::println!("kept keys of {host}:");
        for key in keys.iter() {
            let end = key
                .expires
                .map_or_else(|| "no end".to_owned(), |end| format!("until {end}"));
            let id = weir_model::finding::printable(&key.id, 120);
            crate::out::println!("  {id} ({:?}), {end}", key.usage);
        }
    }
    if sources.keys.is_empty() {
        crate::out::println!("kept keys of registries: none; each registry is asked for its own");
    }
    Ok(())
}

fn described(origin: &KeptOrigin) -> String {
    let KeptOrigin { from, at, chain } = origin;
    match chain {
        Some(chain) => {
            let end = chain.expires.map_or_else(String::new, |end| {
                format!(", which it stands by until {end}")
            });
            format!(
                "from {from} at {at}: signatures verified up to version {} of its root metadata{end}",
                chain.version
            )
        }
        None => format!("{from} at {at}, taken as it was: nobody's signature was verified"),
    }
}

fn line(named: &Named) -> String {
    let Named {
        role,
        address,
        from,
        until,
    } = named;
    let day = |time: &jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let from = from
        .as_ref()
        .map_or_else(|| "the beginning".to_owned(), day);
    match until {
        Some(until) => format!("{role} {address} (from {from} to {})", day(until)),
        None => format!("{role} {address} (from {from})"),
    }
}

async fn refresh(global: &Global, from: Option<String>, start: Option<&Path>) -> Result<()> {
    let data = setup::data_folder(global)?;
    let from = from.unwrap_or_else(|| PUBLIC.to_owned());
    let path = Path::new(&from);
    let before = before(&data);
    let now = setup::clock(global).now();
    let kept = if path.is_file() {
        if start.is_some() {
            bail!("--root is where a repository's chain begins; {from} is a file");
        }
        of_file(path, before, now)?
    } else {
        of_repository(global, &from, start, before, now).await?
    };
    kept.write(&data)?;
    if let Some(origin) = &kept.origin {
        crate::out::println!("trusted root: {}", described(origin));
    }
    for host in kept.keys.keys() {
        crate::out::println!("kept keys of {host}");
    }
    Ok(())
}

/// What was kept so far. What cannot be read is replaced, which is said: with it goes the memory of what was
/// verified last.
fn before(data: &Path) -> Kept {
    Kept::read(data).unwrap_or_else(|error| {
        anstream::eprintln!("weir: {error:#}");
        anstream::eprintln!(
            "weir: what was verified before is not known any more: if the repository had gone back to \
             an earlier state, that would not be noticed this time"
        );
        Kept::default()
    })
}

/// A root that the operator vouches for. It has to be one; nothing else can be verified of it.
fn of_file(path: &Path, before: Kept, now: jiff::Timestamp) -> Result<Kept> {
    let text = text_of(path).context("finding the trusted root")?;
    let text = text.with_context(|| format!("--from: there is no {}", path.display()))?;
    weir_provenance::Verifier::from_root(&text).with_context(|| path.display().to_string())?;
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Ok(Kept {
        root: Some(text),
        keys: before.keys,
        origin: Some(KeptOrigin {
            from: full.display().to_string(),
            at: now,
            chain: None,
        }),
    })
}

async fn of_repository(
    global: &Global,
    from: &str,
    start: Option<&Path>,
    before: Kept,
    now: jiff::Timestamp,
) -> Result<Kept> {
    let start = start.map(beginning).transpose()?;
    let begins = start
        .as_deref()
        .map(|text| weir_provenance::digest(text.as_bytes()));
    // What was verified last counts for a chain of the same beginning only.
    let chain = before.origin.and_then(|origin| origin.chain);
    let metadata = chain
        .filter(|chain| chain.start == begins)
        .map_or_else(Metadata::new, |chain| chain.metadata);
    let policy = setup::policy(global)?;
    let source = Repository::find(global, &policy, from)?;
    let hosts = hosts(global, &policy);
    let beginning = start.as_deref().map(str::as_bytes);
    let updated = update(source, beginning, metadata, &hosts, now)
        .await
        .with_context(|| {
            format!(
                "refreshing the trusted root from {from} (--from takes a folder that mirrors it, or a \
                 trusted_root.json, where it cannot be reached)"
            )
        })?;
    Ok(Kept {
        root: Some(updated.root),
        keys: updated.keys,
        origin: Some(KeptOrigin {
            from: from.to_owned(),
            at: now,
            chain: Some(Chain {
                version: updated.version,
                expires: updated.expires,
                start: begins,
                metadata: updated.metadata,
            }),
        }),
    })
}

/// The root metadata that a repository's chain begins with.
fn beginning(file: &Path) -> Result<String> {
    let text = text_of(file).context("finding where the chain begins (--root)")?;
    text.with_context(|| format!("--root: there is no {}", file.display()))
}

/// The hosts of the registries in the npm configuration; none where there is no registry.
fn hosts(global: &Global, policy: &weir_policy::Policy) -> Vec<String> {
    let Ok(upstreams) = setup::upstreams(global, policy) else {
        return Vec::new();
    };
    let default = upstreams.default_upstream();
    let scopes = upstreams.scopes().map(|(_, upstream)| upstream);
    let mut hosts: Vec<String> = std::iter::once(default)
        .chain(scopes)
        .filter_map(|upstream| Some(upstream.base().host_str()?.to_owned()))
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// A TUF repository: a folder that mirrors one, or a server.
enum Repository {
    Folder(PathBuf),
    Server(Url, Box<Elsewhere>),
}

impl Repository {
    fn find(global: &Global, policy: &weir_policy::Policy, from: &str) -> Result<Self> {
        let path = Path::new(from);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        if !from.contains("://") {
            bail!("{from} is neither a file, a folder nor an address");
        }
        let mut url = Url::parse(from).with_context(|| format!("{from:?} is not an address"))?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let elsewhere = setup::elsewhere(global, policy)?;
        Ok(Self::Server(url, Box::new(elsewhere)))
    }
}

impl Source for Repository {
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetched<'a> {
        Box::pin(async move {
            match self {
                Self::Folder(folder) => read(folder, path, limit),
                Self::Server(base, elsewhere) => {
                    let url = base.join(path).map_err(|error| error.to_string())?;
                    let fetched = elsewhere.get(&url, limit).await;
                    let fetched = fetched.map_err(|error| error.to_string())?;
                    Ok(fetched.map(|bytes| bytes.to_vec()))
                }
            }
        })
    }
}

fn read(folder: &Path, path: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
    // Names come from metadata that may not be verified yet.
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("{path:?} leads out of the repository"));
    }
    let file = folder.join(path);
    let found = match std::fs::metadata(&file) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    if let Some(what) = what_else(found.file_type()) {
        return Err(format!(
            "{} is {what}, not an ordinary file",
            file.display()
        ));
    }
    if found.len() > limit {
        return Err(format!("{} is larger than {limit} bytes", file.display()));
    }
    // It may have grown since, and some files do not say how large they are.
    files::read(&file, usize::try_from(limit).unwrap_or(usize::MAX))
        .map_err(|why| format!("{}: {why}", file.display()))
}

/// Asks the registries for their keys now.
async fn keys(global: &Global) -> Result<ExitCode> {
    let policy = setup::policy(global)?;
    let upstreams = Arc::new(setup::upstreams(global, &policy)?);
    let store = setup::store(global).await?;
    let sources = setup::trust(global)?;
    let verifier = ReleaseVerifier::new(&policy, store.clone(), upstreams, &sources)?;
    let answers = verifier.refetch_keys().await;
    store.close().await.context("closing the data folder")?;
    let mut failed = false;
    for (registry, answer) in answers {
        match answer {
            Ok(0) => crate::out::println!("{registry}: names no keys, so it signs nothing"),
            Ok(count) => crate::out::println!("{registry}: {count} keys"),
            Err(why) => {
                failed = true;
                anstream::eprintln!("weir: {registry}: {why}");
            }
        }
    }
    Ok(ExitCode::from(if failed {
        exit::FAILED
    } else {
        exit::FINE
    }))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_or_no_beginning_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("timestamp.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let device = folder.path().join("2.root.json");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for name in ["timestamp.json", "2.root.json"] {
            let why = read(folder.path(), name, 100).unwrap_err();
            assert!(why.contains("not an ordinary file"), "{why}");
            let why = beginning(&folder.path().join(name)).unwrap_err();
            let why = format!("{why:#}");
            assert!(why.contains("not an ordinary file"), "{why}");
        }
        std::fs::write(folder.path().join("1.root.json"), "{}").unwrap();
        let read = |limit| read(folder.path(), "1.root.json", limit);
        assert_eq!(read(2), Ok(Some(b"{}".to_vec())));
        assert!(read(1).unwrap_err().contains("larger than 1 bytes"));
        assert!(beginning(&folder.path().join("gone.json")).is_err());
    }
}
