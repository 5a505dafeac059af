//! The way of a release from bytes to a decision, as the gateway goes it, without registry and store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use weir_engine::worker::contents::of_tarball;
use weir_model::contents::Size;
use weir_model::{Action, Assessment, Contents, Finding, Group, ReleaseId, Severity};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_policy::{Context as Circumstances, Policy, Request, decide};
use weir_signals::{NameIndex, Stage, Subject, observe_all};

use crate::corpus::Package;

/// The moment of every judgement.
const NOW: &str = "2026-06-15T12:00:00Z";

/// When releases were published: long enough ago that their age says nothing.
const PUBLISHED: &str = "2026-04-15T12:00:00Z";

/// When a release of the same morning was published: what is calm about old releases of popular
/// packages does not hold for it. That is how hijacks arrive.
const PUBLISHED_TODAY: &str = "2026-06-15T09:00:00Z";

/// When the releases before them were.
const PUBLISHED_BEFORE: &str = "2026-01-15T12:00:00Z";

/// What was seen in one release.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The findings, strongest first; those about age are left out.
    pub(crate) findings: Vec<Finding>,
    /// What the default policy does.
    pub(crate) action: Action,
    /// What could not be checked.
    pub(crate) incomplete: usize,
}

impl Seen {
    /// Whether there is a finding of severity high or more.
    pub(crate) fn is_high(&self) -> bool {
        self.is_high_without("")
    }

    /// The same if a signal did not exist.
    pub(crate) fn is_high_without(&self, signal: &str) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity >= Severity::High && finding.signal != signal)
    }

    /// Whether there is a finding about code or shape of severity medium or more.
    pub(crate) fn is_medium(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| counts_as_seen(finding) && finding.severity >= Severity::Medium)
    }

    /// Whether anything that counts is said about contents. That code runs at install time is left
    /// out: it says nothing about what the code does.
    pub(crate) fn is_seen(&self) -> bool {
        self.findings.iter().any(counts_as_seen)
    }

    /// Whether the release would not be served.
    pub(crate) fn is_refused(&self) -> bool {
        !self.action.serves()
    }
}

/// A finding above info about code or shape.
pub(crate) fn counts_as_seen(finding: &Finding) -> bool {
    finding.severity > Severity::Info && matches!(finding.group, Group::Code | Group::Shape)
}

/// What every judgement needs.
pub(crate) struct Judge {
    names: NameIndex,
    policy: Policy,
    now: Timestamp,
}

impl Judge {
    /// With the names that weir comes with and the default policy, but for the waiting time.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut policy = Policy::default();
        // It would hold each release of this morning, whatever is in it.
        policy.age.minimum = weir_policy::config::Period::from_secs(0);
        Ok(Self {
            names: NameIndex::embedded()?,
            policy,
            now: NOW.parse()?,
        })
    }

    /// Judges a package, as the only release or as the one after `before`.
    pub(crate) fn release(
        &self,
        package: &Package,
        before: Option<&Package>,
    ) -> anyhow::Result<Seen> {
        let contents = read(&package.tarball);
        let previous = before.map(|before| read(&before.tarball));
        let manifests = before.map(|before| &before.manifest).into_iter();
        let manifests: Vec<&Value> = manifests.chain([&package.manifest]).collect();
        let sizes = [previous.as_ref(), Some(&contents)];
        let sizes: Vec<Size> = sizes.into_iter().flatten().map(size).collect();
        self.observe(
            &with_sizes(&manifests, &sizes),
            PUBLISHED,
            &contents,
            previous.as_ref(),
        )
    }

    /// Judges a tarball of a registry, as the only release of its package: as one of two months ago,
    /// and as one of this morning. Also says which it is. An error if it is none.
    pub(crate) fn tarball(&self, tarball: &Bytes) -> anyhow::Result<((String, String), [Seen; 2])> {
        let contents = read(tarball);
        let manifest = manifest_in(tarball)?;
        let text = |field: &str| manifest.get(field).and_then(Value::as_str);
        let (name, version) = (text("name").context("no name")?, text("version"));
        let spec = (name.to_owned(), version.context("no version")?.to_owned());
        let manifests = with_sizes(&[&manifest], &[size(&contents)]);
        let seen = |published| self.observe(&manifests, published, &contents, None);
        Ok((spec, [seen(PUBLISHED)?, seen(PUBLISHED_TODAY)?]))
    }

    fn observe(
        &self,
        manifests: &[Value],
        published: &str,
        contents: &Result<Contents, String>,
        previous: Option<&Result<Contents, String>>,
    ) -> anyhow::Result<Seen> {
        let own = manifests.last().context("there is a release")?;
        let text = |field: &str| own.get(field).and_then(Value::as_str);
        let name = PackageName::parse(text("name").context("no name")?)?;
        let version = text("version").context("no version")?;
        let packument = Packument::parse(&name, packument(&name, manifests, published)?)?;
        let published: Timestamp = published.parse()?;
        let mut subject = Subject::new(&name, version, &self.names, self.now);
        subject.packument = Stage::Known(&packument);
        subject.contents = stage(contents);
        subject.previous_contents = previous.map_or(Stage::Pending, stage);
        subject.advisories = Stage::Known(&[]);
        let observation = observe_all(&subject);
        let mut assessment = Assessment {
            release: ReleaseId {
                name: name.to_string(),
                version: version.to_owned(),
                integrity: None,
            },
            findings: observation.findings,
            incomplete: observation.incomplete,
        };
        assessment.sort();
        assessment
            .findings
            .retain(|finding| finding.group != Group::Age);
        // The list counts from 0, people from 1.
        let rank = self.names.rank(name.as_str()).map(|place| place + 1);
        let circumstances = Circumstances {
            published: Some(published),
            rank,
            established: self.policy.is_established(Some(published), rank, self.now),
            request: Request::Pinned,
            ..Circumstances::new(self.now)
        };
        let decision = decide(&assessment, &circumstances, &self.policy);
        Ok(Seen {
            action: decision.action,
            incomplete: assessment.incomplete.len(),
            findings: assessment.findings,
        })
    }
}

/// What a worker process would answer.
fn read(tarball: &Bytes) -> Result<Contents, String> {
    of_tarball(tarball, &weir_archive::Limits::default())
}

fn stage(contents: &Result<Contents, String>) -> Stage<&Contents> {
    match contents {
        Ok(contents) => Stage::Known(contents),
        Err(why) => Stage::NotKnown(why.clone()),
    }
}

fn size(contents: &Result<Contents, String>) -> Size {
    contents
        .as_ref()
        .map_or_else(|_| Size::default(), |contents| contents.size)
}

/// The manifests with what a registry states about their tarballs.
fn with_sizes(manifests: &[&Value], sizes: &[Size]) -> Vec<Value> {
    let stated = manifests.iter().zip(sizes).map(|(manifest, size)| {
        let mut stated = (*manifest).clone();
        stated["dist"] = json!({ "unpackedSize": size.bytes, "fileCount": size.files });
        stated
    });
    stated.collect()
}

/// The history that a registry would state: these releases, oldest first, the last one published at
/// this moment.
fn packument(name: &PackageName, manifests: &[Value], published: &str) -> anyhow::Result<Bytes> {
    let (mut versions, mut time) = (Map::new(), Map::new());
    let base = name.as_str().rsplit('/').next().unwrap_or_default();
    let dates = [PUBLISHED_BEFORE, published];
    let dates = dates
        .iter()
        .skip(dates.len().saturating_sub(manifests.len()));
    let mut latest = "";
    for (manifest, date) in manifests.iter().zip(dates) {
        latest = manifest
            .get("version")
            .and_then(Value::as_str)
            .context("no version")?;
        let mut stated = manifest
            .as_object()
            .context("package.json is no object")?
            .clone();
        let address = format!("https://registry.example.invalid/{name}/-/{base}-{latest}.tgz");
        let dist = stated.entry("dist").or_insert_with(|| json!({}));
        dist["tarball"] = json!(address);
        versions.insert(latest.to_owned(), Value::Object(stated));
        time.insert(latest.to_owned(), json!(date));
    }
    let packument = json!({
        "name": name.as_str(),
        "dist-tags": { "latest": latest },
        "versions": versions,
        "time": time,
    });
    Ok(Bytes::from(serde_json::to_vec(&packument)?))
}

/// The `package.json` of a tarball as the registry would state it.
fn manifest_in(tarball: &Bytes) -> anyhow::Result<Value> {
    let mut text = None;
    let mut keep = |entry: weir_archive::Entry<'_>| {
        if entry.path() == "package.json" {
            text = entry.data().map(<[u8]>::to_vec);
        }
    };
    // What is wrong with the archive is in the contents already.
    let _archive = weir_archive::read(
        tarball.as_ref(),
        &weir_archive::Limits::default(),
        &mut keep,
    );
    let text = text.context("no package.json")?;
    let text = String::from_utf8_lossy(&text);
    Ok(serde_json::from_str(text.trim_start_matches('\u{feff}'))?)
}

/// Does one thing with each item on all processors; the answers are in the order of the items.
pub(crate) fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let answer = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((index, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}
