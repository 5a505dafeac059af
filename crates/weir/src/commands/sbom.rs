//! `weir sbom`: what a lockfile locks, as a bill of materials.

use std::collections::{HashMap, HashSet};
use std::path::{Component as Part, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::Value;
use weir_engine::{Engine, KeptRelease};
use weir_model::{AttestationState, SignatureState, Trust};
use weir_npm::lockfile::{Format, Lockfile, Node, Source};

use super::locked::{self, Locked};
use super::{check, lockless, own, verify};
use crate::addresses::without_secrets;
use crate::cli::{Global, Sbom, SbomFormat};
use crate::counted::counted;
use crate::sbom::licence::Licence;
use crate::sbom::{Bill, Known, cyclonedx, spdx};
use crate::{exit, files, setup};

/// Largest manifest that is read for its licence, in bytes. The largest real ones are a tenth of it.
const MAX_MANIFEST: usize = 1 << 20;

/// Writes the bill.
pub(super) async fn run(global: &Global, options: &Sbom) -> Result<ExitCode> {
    let file = lockfile_of(options)?;
    let mut lockfile = check::read(&file)
        .map_err(|(line, what)| anyhow::anyhow!("{}:{line}: {what}", file.display()))?;
    let manifests = locked::manifests(&options.folder, &lockfile)
        .map_err(|(file, what)| anyhow::anyhow!("{}: {what}", file.display()))?;
    if let Some(manifests) = &manifests {
        manifests.complete(&mut lockfile);
        // A bill of nothing would say that nothing is used.
        if let Some(what) = locked::nothing_locked(&lockfile, manifests, &|_| false) {
            let file = check::shown(&file);
            anstream::eprintln!("{file}: error: no bill is written: {what} [nothing-locked]");
            return Ok(ExitCode::from(exit::FOUND));
        }
        let apart = check::apart(&options.folder, options.lockfile.as_ref(), manifests);
        if !apart.is_empty() {
            for finding in &apart {
                anstream::eprint!("{}", check::line(finding));
            }
            anstream::eprintln!("weir: no bill is written: it would leave them out");
            return Ok(ExitCode::from(exit::FOUND));
        }
        locked::name_projects(&mut lockfile, manifests);
    }
    let releases = Releases::of(global, options, &lockfile).await?;
    let root = manifests.as_ref().and_then(|manifests| manifests.of(""));
    let name = root.and_then(|manifest| manifest.name.clone());
    let name = name.map_or_else(|| folder_name(&options.folder), Ok)?;
    let bill = Bill::of(&name, &lockfile, created(global)?, &|node| {
        releases.known(&options.folder, lockfile.format, node)
    });
    let document = match options.format {
        SbomFormat::Cyclonedx => cyclonedx::document(&bill),
        SbomFormat::Spdx => spdx::document(&bill),
    };
    let text = serde_json::to_string_pretty(&document).context("writing JSON")?;
    match &options.output {
        Some(file) => std::fs::write(file, text + "\n")
            .with_context(|| format!("writing {}", file.display()))?,
        None => crate::out::println!("{text}"),
    }
    let does_not_hold = options.verify && releases.tell_errors(&check::shown(&file), &lockfile);
    // What could not be checked is no pass, whatever is in the bill.
    if let Some(what) = &releases.not_verified {
        anstream::eprintln!("weir: {what}");
    }
    Ok(ExitCode::from(if does_not_hold {
        exit::FOUND
    } else if releases.not_verified.is_some() {
        exit::FAILED
    } else {
        exit::FINE
    }))
}

fn lockfile_of(options: &Sbom) -> Result<PathBuf> {
    let files = lockless::find(&options.folder, options.lockfile.as_ref())?;
    match files.as_slice() {
        [] => Err(lockless::error(&options.folder)),
        [one] => Ok(one.clone()),
        [one, other, ..] => bail!(
            "{} and {} are both here: say which one with --lockfile",
            one.display(),
            other.display()
        ),
    }
}

fn folder_name(folder: &Path) -> Result<String> {
    let full = folder
        .canonicalize()
        .with_context(|| format!("finding {}", folder.display()))?;
    let name = full.file_name().unwrap_or(full.as_os_str());
    Ok(weir_model::finding::printable(&name.to_string_lossy(), 200))
}

/// The moment that is written down: `--now`, `SOURCE_DATE_EPOCH`, or the present.
fn created(global: &Global) -> Result<Timestamp> {
    if let Some(now) = global.now {
        return Ok(now);
    }
    match std::env::var_os("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) {
        None => Ok(setup::clock(global).now()),
        Some(value) => {
            let seconds = value.to_str().and_then(|text| text.parse().ok());
            seconds
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .with_context(|| format!("SOURCE_DATE_EPOCH={value:?} is no number of seconds"))
        }
    }
}

/// What is known of the releases that a lockfile takes from registries.
#[derive(Default)]
struct Releases {
    /// By what an entry locks: of the same release in two places, one may record other bytes.
    kept: HashMap<Locked, KeptRelease>,
    manifests: HashMap<(String, String), String>,
    /// What was to be verified and could not be, in words.
    not_verified: Option<String>,
}

impl Releases {
    async fn of(global: &Global, options: &Sbom, lockfile: &Lockfile) -> Result<Self> {
        let nodes = lockfile.nodes.iter();
        let mut locked: Vec<Locked> = nodes
            .filter_map(|node| Locked::of(node, lockfile.format))
            .collect();
        locked.sort();
        locked.dedup();
        if locked.is_empty() {
            return Ok(Self::default());
        }
        let engine = match setup::engine_of_project(global, &options.folder, None).await {
            Ok(engine) => engine,
            Err(error) if options.verify => return Err(error),
            // Nothing is lost but what is kept; a lockfile alone makes a bill.
            Err(error) => {
                anstream::eprintln!(
                    "weir: decisions, provenance and kept licences are left out: {error:#}"
                );
                return Ok(Self::default());
            }
        };
        let releases = Self::from(&engine, locked, options.verify).await;
        engine.close().await;
        releases
    }

    /// What is kept of releases, and what the registries say if they are to be asked. The default one is not
    /// asked about names that are yours, and what is kept of it says nothing of them.
    async fn from(engine: &Engine, locked: Vec<Locked>, verify: bool) -> Result<Self> {
        let is_own =
            |it: &Locked| own::is_withheld(engine.policy(), engine.upstreams(), &it.wanted.name);
        let (withheld, asked): (Vec<_>, Vec<_>) = locked.into_iter().partition(is_own);
        let wanted: Vec<_> = asked.iter().map(|it| it.wanted.clone()).collect();
        let unasked: Vec<_> = withheld.iter().map(|it| it.wanted.clone()).collect();
        let mut kept = engine.kept(&wanted).await?;
        let mut decided = engine.kept(&unasked).await?;
        if verify {
            let trusts = engine.trust().verify(&wanted).await?;
            for (kept, trust) in kept.iter_mut().zip(trusts) {
                kept.trust = Some(trust);
            }
            if let Some(first) = withheld.first() {
                anstream::eprintln!("{}", not_asked(withheld.len(), first));
            }
        }
        for kept in &mut decided {
            kept.trust = verify.then(|| Trust::unchecked(own::WITHHELD));
        }
        for (locked, kept) in asked.iter().zip(&mut kept) {
            kept.trust = kept.trust.take().map(|trust| locked.judged(trust));
        }
        let not_verified = verify.then(|| not_verified(&asked, &kept)).flatten();
        let all = asked.into_iter().zip(kept);
        Ok(Self {
            not_verified,
            kept: all.chain(withheld.into_iter().zip(decided)).collect(),
            manifests: engine.kept_manifests(&wanted).await?,
        })
    }

    fn known(&self, folder: &Path, format: Format, node: &Node) -> Known {
        let key = (node.name.clone(), node.version.clone().unwrap_or_default());
        let kept = Locked::of(node, format).and_then(|locked| self.kept.get(&locked));
        let kept = kept.cloned().unwrap_or_default();
        Known {
            licence: self.licence(folder, node, &key),
            decision: kept.decision,
            trust: kept.trust,
        }
    }

    /// Names on standard error what does not hold, entry by entry as `weir verify` does; whether anything does not.
    fn tell_errors(&self, file: &str, lockfile: &Lockfile) -> bool {
        let paths = lockfile.paths();
        let mut wrong = HashSet::new();
        for (id, node) in lockfile.nodes.iter().enumerate() {
            let Some(locked) = Locked::of(node, lockfile.format) else {
                continue;
            };
            let kept = self.kept.get(&locked);
            let Some(trust) = kept.and_then(|kept| kept.trust.as_ref()) else {
                continue;
            };
            for finding in verify::errors(file, node, &verify::path_to(&paths, id), trust) {
                anstream::eprint!("{}", check::line(&finding));
                wrong.insert(locked.clone());
            }
        }
        if !wrong.is_empty() {
            anstream::eprintln!(
                "weir: {} of {} in the bill {} not hold",
                wrong.len(),
                counted(self.kept.len(), "release", "releases"),
                if wrong.len() == 1 { "does" } else { "do" }
            );
        }
        !wrong.is_empty()
    }

    /// The licence as the lockfile, the installed package or the kept packument has it.
    fn licence(&self, folder: &Path, node: &Node, key: &(String, String)) -> Licence {
        if let Some(licence) = &node.licence {
            return Licence::of(licence);
        }
        match installed(folder, node) {
            Some(manifest) => Licence::of_manifest(&manifest),
            None => {
                // What was published under the same name says nothing of a folder or a fork.
                let published = matches!(node.source, Source::Registry(_) | Source::Patch(_));
                let kept = self.manifests.get(key).filter(|_| published);
                let kept = kept.and_then(|raw| serde_json::from_str(raw).ok());
                kept.map_or(Licence::Unknown, |manifest: Value| {
                    Licence::of_manifest(&manifest)
                })
            }
        }
    }
}

/// That some of the releases that registries were asked about could not be verified, and of the first why.
fn not_verified(asked: &[Locked], kept: &[KeptRelease]) -> Option<String> {
    let unchecked = |(locked, kept): (&'_ Locked, &'_ KeptRelease)| {
        let trust = kept.trust.as_ref()?;
        let why = match (&trust.signature, &trust.attestations) {
            (SignatureState::Unchecked { why }, _) | (_, AttestationState::Unchecked { why }) => {
                why
            }
            _ => return None,
        };
        let label = format!("{}@{}", locked.wanted.name, locked.wanted.version);
        Some(weir_model::finding::printable(
            &without_secrets(&format!("{label}: {why}")),
            400,
        ))
    };
    let found: Vec<String> = asked.iter().zip(kept).filter_map(unchecked).collect();
    let first = found.first()?;
    Some(format!(
        "{} of {} could not be verified, and {} in the bill as not checked; first {first}",
        found.len(),
        counted(asked.len(), "release", "releases"),
        if found.len() == 1 { "is" } else { "are" }
    ))
}

fn not_asked(count: usize, first: &Locked) -> String {
    format!(
        "weir: the default registry was not asked about {} (names.own, names.internal), {} first: that counts as \
         not checked",
        counted(
            count,
            "package whose name is yours",
            "packages whose names are yours"
        ),
        first.wanted.name
    )
}

/// The manifest of a package where it is installed; only if it is the one that is locked.
fn installed(folder: &Path, node: &Node) -> Option<Value> {
    let version = node.version.as_deref();
    let store = format!(
        "node_modules/.pnpm/{}@{}/node_modules/{}",
        node.name.replace('/', "+"),
        version.unwrap_or_default(),
        node.name
    );
    let places = match &node.source {
        Source::Project(inner) => vec![inner.clone()],
        _ => vec![
            node.key.clone(),
            format!("node_modules/{}", node.place),
            store,
        ],
    };
    let places = places.into_iter().map(PathBuf::from);
    // A lockfile is a stranger's text: it may not lead anywhere else.
    let inside = places.filter(|place| {
        place
            .components()
            .all(|part| matches!(part, Part::Normal(_)))
    });
    let mut manifests = inside.filter_map(|place| read(&folder.join(place).join("package.json")));
    manifests.find(|manifest| {
        let is = |key: &str, value: &str| manifest.get(key).and_then(Value::as_str) == Some(value);
        is("name", &node.name) && version.is_none_or(|version| is("version", version))
    })
}

fn read(file: &Path) -> Option<Value> {
    let text = files::read(file, MAX_MANIFEST).ok()??;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).ok()
}
