//! What is known of a lockfile's releases beyond the lockfile: what registries say, what the data folder
//! holds of them, and what lies in `node_modules`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::Value;
use weir_engine::trust::kept_digests;
use weir_engine::{Engine, EngineError};
use weir_model::Contents;
use weir_model::finding::printable;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Lockfile, Node};
use weir_npm::manifest::Manifest;
use weir_npm::name::PackageName;
use weir_store::Store;
use weir_upstream::Upstreams;

use super::super::own::is_withheld;
use super::Run;
use crate::{files, setup};

/// Packuments asked for at a time.
const AT_A_TIME: usize = 16;

/// Largest `package.json` of an installed package that is read.
const MANIFEST: usize = 4 << 20;

/// A release: name and version.
pub(super) type Release = (String, String);

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) digests: HashMap<Release, Digest>,
    /// Why digests that are not here could not be compared.
    pub(super) why: String,
    /// What install scripts run, and what they are able to do where that was read.
    pub(super) scripts: HashMap<Release, Scripts>,
    /// Releases that are for every platform, as far as the registry was asked.
    pub(super) everywhere: HashSet<Release>,
}

/// What a registry says of one release.
#[derive(Debug)]
struct Said {
    release: Release,
    digest: Digest,
    scripts: Option<Scripts>,
    is_everywhere: bool,
}

impl Said {
    fn only(release: Release, digest: Digest) -> Self {
        Self {
            release,
            digest,
            scripts: None,
            is_everywhere: false,
        }
    }
}

/// What a registry says of a release.
#[derive(Debug)]
pub(super) enum Digest {
    /// Its digest.
    Is(Integrity),
    /// There is no such release.
    NoSuchRelease(String),
    /// It could not be had, and why.
    Failed(String),
    /// The name is yours, and the default registry was not told it.
    Withheld,
}

/// What runs at install time: nothing, if there are no steps.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// The events and their commands.
    pub(super) steps: Vec<(String, String)>,
    /// What the code they reach is able to do.
    pub(super) able: Option<String>,
}

/// The name, version and digest of what an entry takes from a registry.
pub(super) fn release_of(node: &Node) -> Option<(PackageName, String)> {
    if !node.is_served() {
        return None;
    }
    Some((PackageName::parse(&node.name).ok()?, node.version.clone()?))
}

impl Known {
    /// Asks registries for all releases, through an engine that keeps what they say. The default one is not
    /// asked about names that are yours.
    pub(super) async fn ask(engine: &Arc<Engine>, nodes: &[&Node]) -> Self {
        let mut wanted: BTreeMap<PackageName, BTreeSet<String>> = BTreeMap::new();
        let mut withheld = Vec::new();
        for (name, version) in nodes.iter().filter_map(|node| release_of(node)) {
            if is_withheld(engine.policy(), engine.upstreams(), &name) {
                withheld.push(((name.to_string(), version), Digest::Withheld));
            } else {
                wanted.entry(name).or_default().insert(version);
            }
        }
        let places = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
        let mut tasks = tokio::task::JoinSet::new();
        for (name, versions) in wanted {
            let (engine, places) = (Arc::clone(engine), Arc::clone(&places));
            tasks.spawn(async move {
                let _place = places.acquire().await;
                of_package(&engine, &name, versions).await
            });
        }
        let mut known = Self {
            why: "the registry was asked, and said nothing of them".to_owned(),
            digests: withheld.into_iter().collect(),
            ..Self::default()
        };
        while let Some(found) = tasks.join_next().await {
            for said in found.unwrap_or_default() {
                if let Some(scripts) = said.scripts {
                    known.scripts.insert(said.release.clone(), scripts);
                }
                if said.is_everywhere {
                    known.everywhere.insert(said.release.clone());
                }
                known.digests.insert(said.release, said.digest);
            }
        }
        known
    }

    /// Looks into the data folder, if there is one.
    pub(super) async fn kept(run: &Run<'_>, folder: &Path, nodes: &[&Node]) -> Result<Self> {
        let global = run.global;
        let mut known = Self {
            why: "not asked for, and not known from before".to_owned(),
            ..Self::default()
        };
        let data = setup::data_folder(global)?;
        if !data.join("weir.db").is_file() {
            return Ok(known);
        }
        let store = setup::store(global).await?;
        // Whose digests would count is not known then, which the check says of the file itself.
        if let Some((file, why)) = setup::unreadable_settings(global, folder) {
            let why = format!("cannot read {}: {why}", file.display());
            known.why = printable(&why, 300);
        } else {
            let policy = setup::policy_of(global, folder)?;
            let before = run.npmrc_before.as_deref();
            match setup::upstreams_of_project(global, &policy, folder, before) {
                Ok(upstreams) => known.kept_digests(&upstreams, &store, nodes).await?,
                Err(error) => known.why = printable(&format!("{error:#}"), 600),
            }
        }
        known.contents(&store, nodes).await?;
        store.close().await.context("closing the data folder")?;
        Ok(known)
    }

    /// Adds the digests that the data folder holds of the registries that npm would know in a folder.
    async fn kept_digests(
        &mut self,
        upstreams: &Upstreams,
        store: &Store,
        nodes: &[&Node],
    ) -> Result<()> {
        let releases: Vec<(PackageName, String)> =
            nodes.iter().filter_map(|node| release_of(node)).collect();
        let names = releases.iter().map(|(name, _)| name);
        let digests = kept_digests(store, upstreams, names).await?;
        self.digests = digests
            .into_iter()
            .map(|(release, digest)| (release, Digest::Is(digest)))
            .collect();
        Ok(())
    }

    /// Adds what workers saw inside packages that were read before.
    pub(super) async fn contents(&mut self, store: &Store, nodes: &[&Node]) -> Result<()> {
        for node in nodes {
            let Some((name, version)) = release_of(node) else {
                continue;
            };
            let integrity = node
                .integrity
                .as_deref()
                .and_then(|text| Integrity::parse(text).ok());
            let Some(integrity) = integrity.map(|it| it.to_string()) else {
                continue;
            };
            if !store.may_have_contents(&integrity) {
                continue;
            }
            if let Some(contents) = store.contents(&integrity).await? {
                self.scripts
                    .insert((name.to_string(), version), of_contents(&contents));
            }
        }
        Ok(())
    }

    /// Adds what installed packages say of themselves, for releases nothing else is known of.
    pub(super) fn installed(&mut self, folder: &Path, lockfile: &Lockfile) {
        let modules = folder.join("node_modules");
        if !modules.is_dir() {
            return;
        }
        let virtual_store = virtual_store(&modules, lockfile.format);
        let tells = super::scripts::tells(lockfile);
        for node in &lockfile.nodes {
            let Some((name, version)) = release_of(node) else {
                continue;
            };
            let release = (name.to_string(), version);
            if (tells && !node.flags.scripts) || self.scripts.contains_key(&release) {
                continue;
            }
            let place = match lockfile.format {
                Format::Npm => folder.join(&node.key),
                Format::Pnpm => match virtual_store.get(&release) {
                    Some(inner) => modules
                        .join(".pnpm")
                        .join(inner)
                        .join("node_modules")
                        .join(&release.0),
                    None => continue,
                },
                _ => modules.join(&node.place),
            };
            if let Some(scripts) = of_installed(&place, &release) {
                self.scripts.insert(release, scripts);
            }
        }
    }
}

/// pnpm's folders by release: `name@1.0.0`, `@scope+name@1.0.0_peer@2.0.0`.
fn virtual_store(modules: &Path, format: Format) -> HashMap<Release, String> {
    let mut folders = HashMap::new();
    if format != Format::Pnpm {
        return folders;
    }
    let Ok(entries) = std::fs::read_dir(modules.join(".pnpm")) else {
        return folders;
    };
    for entry in entries.flatten() {
        let Ok(folder) = entry.file_name().into_string() else {
            continue;
        };
        let at = folder
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '@')
            .map(|(at, _)| at);
        let Some((name, rest)) = at.and_then(|at| folder.split_at_checked(at)) else {
            continue;
        };
        let version = rest
            .trim_start_matches('@')
            .split(['_', '('])
            .next()
            .unwrap_or_default();
        let release = (name.replace('+', "/"), version.to_owned());
        folders.entry(release).or_insert(folder);
    }
    folders
}

/// What an installed package says, if it is the release that is locked.
fn of_installed(folder: &Path, (name, version): &Release) -> Option<Scripts> {
    let file = folder.join("package.json");
    let manifest = Manifest::from_json(files::read(&file, MANIFEST).ok()??).ok()?;
    let same = manifest.name.as_ref() == Some(name) && manifest.version.as_ref() == Some(version);
    let mut scripts = same.then(|| of_manifest(&manifest))?;
    if scripts.steps.is_empty() && folder.join("binding.gyp").is_file() {
        scripts
            .steps
            .push(("binding.gyp".to_owned(), "node-gyp rebuild".to_owned()));
    }
    Some(scripts)
}

fn of_manifest(manifest: &Manifest) -> Scripts {
    let steps = manifest.install_scripts();
    Scripts {
        // `prepare` runs for git dependencies only.
        steps: steps
            .filter(|(event, _)| *event != "prepare")
            .map(|(event, command)| (event.to_owned(), command.to_owned()))
            .collect(),
        able: None,
    }
}

/// What a worker saw.
pub(super) fn of_contents(contents: &Contents) -> Scripts {
    let steps = contents
        .install_steps
        .iter()
        .filter(|step| step.event != "prepare");
    Scripts {
        steps: steps
            .map(|step| (step.event.clone(), step.command.clone()))
            .collect(),
        able: crate::print::able_at_install(contents),
    }
}

/// What a registry says of some versions of a package.
async fn of_package(
    engine: &Arc<Engine>,
    name: &PackageName,
    versions: BTreeSet<String>,
) -> Vec<Said> {
    let held = engine.packument(name).await;
    let one = |version: String| {
        let release = (name.to_string(), version.clone());
        let held = match &held {
            Ok(held) => held,
            Err(EngineError::NoSuchPackage { .. }) => {
                let what = "the registry has no such package".to_owned();
                return Said::only(release, Digest::NoSuchRelease(what));
            }
            Err(error) => return Said::only(release, Digest::Failed(error.to_string())),
        };
        let manifest = match held.packument.manifest(&version) {
            Some(Ok(manifest)) => manifest,
            Some(Err(error)) => return Said::only(release, Digest::Failed(error.to_string())),
            None => {
                let what = "the registry has no such version".to_owned();
                return Said::only(release, Digest::NoSuchRelease(what));
            }
        };
        let mut scripts = of_manifest(&manifest.manifest);
        // Native code without a script of its own is built by an implied one.
        if scripts.steps.is_empty() && manifest.has_install_script == Some(true) {
            scripts
                .steps
                .push(("binding.gyp".to_owned(), "node-gyp rebuild".to_owned()));
        }
        let digest = match manifest.dist.best_integrity() {
            Some(digest) => Digest::Is(digest),
            None => Digest::Failed("the registry gives no digest".to_owned()),
        };
        let raw = held.packument.version_raw(&version);
        Said {
            release,
            digest,
            scripts: Some(scripts),
            is_everywhere: raw.is_some_and(is_everywhere),
        }
    };
    versions.into_iter().map(one).collect()
}

/// Whether a manifest names no platforms that the package is for, or not for.
fn is_everywhere(manifest: &str) -> bool {
    let Ok(manifest) = serde_json::from_str::<Value>(manifest) else {
        return false;
    };
    ["os", "cpu", "libc"]
        .iter()
        .all(|field| match manifest.get(field) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        })
}

#[cfg(test)]
mod tests {
    use super::is_everywhere;

    #[test]
    fn a_release_is_for_all_platforms_where_it_names_none() {
        for (manifest, is) in [
            (r#"{"name": "silt"}"#, true),
            (r#"{"os": [], "cpu": null}"#, true),
            (r#"{"os": ["linux"]}"#, false),
            (r#"{"os": ["!win32"]}"#, false),
            (r#"{"cpu": "x64"}"#, false),
            (r#"{"libc": ["glibc"]}"#, false),
            ("[", false),
        ] {
            assert_eq!(is_everywhere(manifest), is, "{manifest}");
        }
    }
}
