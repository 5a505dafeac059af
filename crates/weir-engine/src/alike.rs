//! Copies: of the package a name resembles, of what this gateway has seen, of what was refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_files::sketch::{bands, similarity};
use weir_model::contents::{Contents, Sketch};
use weir_model::{Action, Group};
use weir_npm::name::PackageName;
use weir_signals::names::Strength;
use weir_signals::{Alike, NearCopy};
use weir_store::{BadContent, KeptSketch};

use crate::engine::Engine;
use crate::packuments::Held;
use crate::verdicts::Verdict;

mod before;
mod content;
mod doubt;
mod local;

pub(crate) use content::{kind_of_digest, listed};

/// Names alike whose packages are fetched to compare. The best one is nearly always the one meant.
const FETCHED: usize = 1;

/// Sketches that are compared of those that have something in common.
const COMPARED: u32 = 20;

/// Share of code below which nobody needs to hear of it.
const LEAST: f64 = 0.5;

/// Shortest file that is remembered as bad: shorter ones are one line that many packages have.
pub(crate) const BAD_BYTES: u64 = 200;

impl Engine {
    /// What the code of a release resembles. Never fails: what could not be compared is named.
    pub(crate) async fn alike(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: &Contents,
    ) -> Alike {
        let mut alike = Alike {
            bad: self.known_bad_of(held, version, contents).await,
            ..Alike::default()
        };
        let name = held.packument.name();
        let published = held.packument.published(version);
        let Some(sketch) = &contents.sketch else {
            return alike;
        };
        // What is widely used or long established is the original.
        if self.rank(name).is_some() || self.is_established(name, published) {
            return alike;
        }
        self.lookalike_targets(held, sketch, &mut alike).await;
        self.seen_before(held, version, sketch, &mut alike).await;
        alike
    }

    /// The packages that the name resembles.
    async fn lookalike_targets(
        self: &Arc<Self>,
        held: &Arc<Held>,
        sketch: &Sketch,
        alike: &mut Alike,
    ) {
        let mut candidates = self.names.candidates(held.packument.name().as_str());
        candidates.retain(|candidate| !candidate.is_mention());
        for candidate in candidates.iter().take(FETCHED) {
            // A scope alone is no package.
            let Ok(target) = PackageName::parse(&candidate.target) else {
                continue;
            };
            match self.compare_with(held, sketch, &target).await {
                Ok(Some(near)) => alike.near.push(near),
                Ok(None) => {}
                // A weak likeness is no reason to hold what could not be compared with it.
                Err(_) if candidate.strength == Strength::Weak => {}
                Err(why) => alike.not_compared.push((candidate.target.clone(), why)),
            }
        }
    }

    /// Compares with the newest release of another package, which is fetched if need be.
    async fn compare_with(
        self: &Arc<Self>,
        held: &Arc<Held>,
        sketch: &Sketch,
        target: &PackageName,
    ) -> Result<Option<NearCopy>, String> {
        let other = self
            .packuments
            .get(target)
            .await
            .map_err(|error| error.to_string())?;
        let version = other
            .packument
            .tag("latest")
            .ok_or_else(|| "it has no latest release".to_owned())?
            .to_owned();
        // A boxed future: the target is read as any release is, and that may lead here again in type.
        let reading = Box::pin(self.contents_of_version(&other, &version));
        let contents = reading.await?;
        let share = contents
            .sketch
            .as_ref()
            .and_then(|theirs| similarity(sketch, theirs))
            .filter(|share| *share >= LEAST);
        Ok(share.map(|share| NearCopy {
            name: target.to_string(),
            version,
            percent: percent(share),
            lookalike: true,
            shared_maintainer: shares_maintainer(held, &other),
            refused: None,
            contents: Some(contents),
        }))
    }

    /// What this gateway has read that is popular or was refused, and is nearly the same.
    async fn seen_before(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        sketch: &Sketch,
        alike: &mut Alike,
    ) {
        let name = held.packument.name();
        let near = match self.store.sketches_near(&bands(sketch), COMPARED).await {
            Ok(near) => near,
            Err(error) => {
                tracing::warn!(%error, "near copies could not be looked up");
                return;
            }
        };
        for (kept, share) in nearest(sketch, near) {
            let known = alike
                .near
                .iter()
                .any(|near| near.name == kept.name && near.refused.is_some() == kept.bad);
            let (false, Ok(other)) = (known, PackageName::parse(&kept.name)) else {
                continue;
            };
            let counts = kept.bad || self.rank(&other).is_some();
            if other == *name || !counts {
                continue;
            }
            if kept.bad && self.is_original(held, version, &other, &kept).await {
                continue;
            }
            alike
                .near
                .push(self.near_of(held, kept, &other, share).await);
        }
    }

    async fn near_of(
        self: &Arc<Self>,
        held: &Arc<Held>,
        kept: KeptSketch,
        other: &PackageName,
        share: f64,
    ) -> NearCopy {
        // Both are at hand where they were read lately; if not, the comparison says less.
        let theirs = self.packuments.get(other).await.ok();
        let contents = match &theirs {
            Some(theirs) if !kept.bad => match self.integrity_of(theirs, &kept.version) {
                Some(integrity) => self
                    .store
                    .contents(&integrity.to_string())
                    .await
                    .ok()
                    .flatten(),
                None => None,
            },
            _ => None,
        };
        NearCopy {
            shared_maintainer: theirs.is_some_and(|theirs| shares_maintainer(held, &theirs)),
            percent: percent(share),
            lookalike: false,
            refused: kept.bad.then_some(kept.why),
            name: kept.name,
            version: kept.version,
            contents,
        }
    }

    /// Remembers a release by its code: as one that may pass, or as one that was blocked for what its
    /// code does, unless that refusal may well be wrong, see [`doubt`]. Nobody waits for it.
    pub(crate) fn remember(self: &Arc<Self>, verdict: &Arc<Verdict>, contents: &Contents) {
        if !self.records() {
            return;
        }
        let name = verdict.assessment.release.name.clone();
        let version = verdict.assessment.release.version.clone();
        let why = malicious_code(verdict);
        let serves = verdict.decision.action.serves();
        let kept = match (&why, &contents.sketch) {
            (None, Some(sketch)) if serves => Some((sketch, false)),
            (Some(_), Some(sketch)) => Some((sketch, true)),
            _ => None,
        };
        let now = self.now();
        let since = verdict
            .published
            .map_or(now, |published| published.min(now));
        let sketch = kept.map(|(sketch, bad)| {
            let kept = KeptSketch {
                name: name.clone(),
                version: version.clone(),
                bad,
                pieces: sketch.pieces,
                least: sketch.least.clone(),
                why: why.clone().unwrap_or_default(),
                since: Some(since),
            };
            (kept, bands(sketch))
        });
        let bad = why.map_or_else(Vec::new, |why| {
            let mut bad = content::learned(contents);
            for one in &mut bad {
                (one.name, one.version) = (name.clone(), version.clone());
                (one.why, one.since) = (why.clone(), Some(since));
            }
            bad
        });
        if sketch.is_none() && bad.is_empty() {
            return;
        }
        let is_doubtful = !serves && doubt::is_mere_code(&verdict.assessment);
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            if is_doubtful && engine.has_long_past(&name, &version).await {
                return;
            }
            if let Err(error) = engine.write_down(sketch, &bad).await {
                tracing::warn!(%error, "what a release looks like could not be kept");
            }
        });
    }

    async fn write_down(
        &self,
        sketch: Option<(KeptSketch, Vec<i64>)>,
        bad: &[BadContent],
    ) -> Result<(), weir_store::StoreError> {
        self.store.put_bad_content(bad).await?;
        let Some((sketch, bands)) = sketch else {
            return Ok(());
        };
        let known = match sketch.bad {
            true => None,
            false => self.store.sketched_version(&sketch.name).await?,
        };
        if known.as_deref() == Some(sketch.version.as_str()) {
            return Ok(());
        }
        self.store.put_sketch(&sketch, &bands).await
    }
}

/// Why the code of a release that is blocked is malicious, by its own evidence. What others say of it
/// is left out: an advisory on a package does not tell which of its files are to blame, and most files
/// of a hijacked library are the library.
fn malicious_code(verdict: &Verdict) -> Option<String> {
    if verdict.decision.action != Action::Block {
        return None;
    }
    let findings = &verdict.assessment.findings;
    findings
        .iter()
        .find(|finding| finding.decisive && finding.group == Group::Code)
        .map(|finding| finding.message.clone())
}

/// The sketches that are near enough to hear of, with their shares: of each package the nearest that may pass, and the
/// nearest that was refused.
fn nearest(sketch: &Sketch, near: Vec<KeptSketch>) -> Vec<(KeptSketch, f64)> {
    let mut nearest: Vec<(KeptSketch, f64)> = Vec::new();
    for kept in near {
        let Some(share) = share_of(sketch, &kept).filter(|share| *share >= LEAST) else {
            continue;
        };
        let mut others = nearest.iter_mut();
        match others.find(|(other, _)| (&other.name, other.bad) == (&kept.name, kept.bad)) {
            Some(other) if other.1 < share => *other = (kept, share),
            Some(_) => {}
            None => nearest.push((kept, share)),
        }
    }
    nearest
}

/// The share of code that is that of a sketch that was kept.
fn share_of(sketch: &Sketch, kept: &KeptSketch) -> Option<f64> {
    let theirs = Sketch {
        pieces: kept.pieces,
        least: kept.least.clone(),
    };
    similarity(sketch, &theirs)
}

/// Whether one of the people who may publish both is the same, by the registry's account name.
pub(crate) fn shares_maintainer(ours: &Held, theirs: &Held) -> bool {
    let names = |held: &Held| -> BTreeSet<String> {
        let people = held.packument.maintainers();
        let names = people.iter().map(|person| person.name.clone());
        // A registry may give people without a name, who are nobody in particular.
        names.filter(|name| !name.is_empty()).collect()
    };
    !names(ours).is_disjoint(&names(theirs))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1"
)]
fn percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}
