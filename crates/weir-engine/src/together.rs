//! Looking at the releases of a package together that are suspect for the same: the first of them is read, and once
//! it is refused, the others are, the newest first. Those for which there is no room are held without having been read,
//! if all that were read are refused.

use std::sync::Arc;

use jiff::Timestamp;
use weir_model::{Action, Incomplete};
use weir_npm::packument::Packument;
use weir_policy::Request;
use weir_policy::explain::held_unread;

use crate::EngineError;
use crate::compare::Beside;
use crate::engine::Engine;
use crate::judge::Facts;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::{Look, is_refused};
use crate::runs::Run;
use crate::verdicts::Verdict;

/// So many suspects are read in any case, so that who is refused is told what the release does. Beyond, only those
/// that are not told by another.
const TOLD: usize = 3;

/// Most runs of refused releases that are followed up.
const RUNS: usize = 8;

/// So many releases of a run have to be refused before others of it are held unread: of two or three there is always
/// room to read each.
const PROVEN: usize = 3;

/// A version whose metadata speaks against it.
struct Suspect {
    metadata: Arc<Verdict>,
    /// Whether no earlier suspect has brought the same.
    leads: bool,
    run: Option<Run>,
}

impl Engine {
    /// Reads suspects ahead, newest first in `suspects`, and keeps out what may not be served. The runs of those that
    /// were neither refused nor found fine.
    pub(crate) async fn look_at_suspects(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
        suspects: Vec<Arc<Verdict>>,
        past: &Past,
    ) -> Vec<Run> {
        let suspects = self.in_runs(held, suspects, past);
        for suspect in &suspects {
            read_ahead(look, suspect, suspect.leads);
        }
        for suspect in &suspects {
            let more = look.inside.len() < TOLD;
            read_ahead(look, suspect, more);
        }
        let mut open = Vec::new();
        // Oldest first: what is refused excuses none that came after it.
        for suspect in suspects.into_iter().rev() {
            let Suspect { metadata, run, .. } = suspect;
            let version = metadata.assessment.release.version.clone();
            let read = match look.inside.contains(&version) {
                true => self.look_inside(held, &version).await,
                false => None,
            };
            let is_read = read.is_some();
            let verdict = read.unwrap_or(metadata);
            let fine = is_read && verdict.decision.action == Action::Allow;
            if look.judge(verdict) && is_read {
                look.served.insert(version);
                open.extend(run.filter(|_| !fine));
            }
        }
        open
    }

    /// The suspects, newest first, with the runs of those that lead one.
    fn in_runs(&self, held: &Held, suspects: Vec<Arc<Verdict>>, past: &Past) -> Vec<Suspect> {
        let malware = self.known_malware(held.packument.name());
        let no_baseline = |version: &str| past.refuses(version) || malware(version);
        let mut found: Vec<Suspect> = Vec::new();
        for metadata in suspects.into_iter().rev() {
            let version = &metadata.assessment.release.version;
            let mut runs = found.iter().filter_map(|it| it.run.as_ref());
            let leads = !runs.any(|run| run.tells() && run.has(&held.packument, version));
            let run = match leads {
                true => Run::of(&held.packument, version, &metadata.assessment, &no_baseline),
                false => None,
            };
            found.push(Suspect {
                metadata,
                leads,
                run,
            });
        }
        found.reverse();
        found
    }

    /// Keeps out what goes on with what a refused release brought. Of an `open` run only the newest release is read.
    pub(crate) async fn look_at_runs(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
        open: Vec<Run>,
        past: &Arc<Past>,
    ) -> Result<(), EngineError> {
        let refused = self.refused_runs(held, look, past);
        for run in &refused {
            self.follow_up(held, look, run, past).await?;
        }
        let packument = &held.packument;
        for run in open {
            if refused.iter().any(|it| it.has(packument, &run.version)) {
                continue;
            }
            let mut left = look.versions.iter();
            let newest = left.find(|version| {
                !look.kept_out.contains_key(*version) && run.goes_on_in(packument, version)
            });
            let Some(newest) = newest.cloned() else {
                continue;
            };
            self.read_into(held, look, &newest).await;
        }
        Ok(())
    }

    /// The runs of refused releases, each told by the first of them.
    fn refused_runs(&self, held: &Held, look: &Look<'_>, past: &Past) -> Vec<Run> {
        let malware = self.known_malware(held.packument.name());
        let no_baseline = |version: &str| past.refuses(version) || malware(version);
        of_refused(&held.packument, look.kept_out.values(), &no_baseline)
    }

    /// Reads the releases of a refused one's run that nobody has looked at, the newest first, until one of them serves:
    /// then its owners have mended it, and who resolves to one of those between meets the gate. Where the room to read
    /// ends before, and all that were read are refused, the others are kept out unread.
    async fn follow_up(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
        run: &Run,
        past: &Arc<Past>,
    ) -> Result<(), EngineError> {
        let others = run.others(&held.packument);
        if run.tells() {
            look.alike.extend(others.iter().cloned());
        }
        for version in &others {
            if look.kept_out.contains_key(version) {
                continue;
            }
            if past.serves(version) || look.served.contains(version) {
                return Ok(());
            }
            // What could not be read in time is no evidence either way.
            if look.inside.contains(version) {
                continue;
            }
            if !look.may_read(version) {
                return self.hold_unread(held, look, run, &others, past).await;
            }
            if self.read_into(held, look, version).await == Some(true) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Keeps out what has the same as the refused releases of a run, without reading it: what came out between the
    /// first and the last of them, or in a row before the first.
    async fn hold_unread(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
        run: &Run,
        others: &[String],
        past: &Arc<Past>,
    ) -> Result<(), EngineError> {
        let packument = &held.packument;
        let serves = |version: &String| past.serves(version) || look.served.contains(version);
        let refused = refused_among(packument, look, others);
        let Some(last) = refused.iter().max().copied() else {
            return Ok(());
        };
        // And the one that it is told by.
        if refused.len() + 1 < PROVEN || others.iter().any(serves) {
            return Ok(());
        }
        let last = last.max(run.published);
        let first = run.begins(packument);
        for version in others {
            let is_known = look.kept_out.contains_key(version)
                || look.inside.contains(version)
                || past.judged(version).is_some();
            let published = packument.published(version);
            let is_between = published.is_some_and(|it| first <= it && it <= last);
            if is_known || !is_between || !run.taints(packument, version) {
                continue;
            }
            let verdict = match self.seen_inside(held, version).await {
                Some(seen) => Some(seen),
                None => {
                    self.held_with(held, look, version, &run.version, past)
                        .await?
                }
            };
            if let Some(verdict) = verdict {
                look.judge(verdict);
            }
        }
        Ok(())
    }

    /// The verdict on a version whose contents somebody had read before, which costs next to nothing.
    async fn seen_inside(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Option<Arc<Verdict>> {
        let integrity = self.integrity_of(held, version)?.to_string();
        let kept = self.store.contents(&integrity).await.ok()?;
        kept?;
        self.look_inside(held, version).await
    }

    /// Reads the contents of a version ahead, if there is still room for it, and keeps it out if they refuse it.
    /// Whether it serves, where they were read.
    async fn read_into(
        self: &Arc<Self>,
        held: &Arc<Held>,
        look: &mut Look<'_>,
        version: &str,
    ) -> Option<bool> {
        if !look.may_read(version) {
            return None;
        }
        look.inside.insert(version.to_owned());
        let verdict = self.look_inside(held, version).await?;
        let serves = look.judge(verdict);
        if serves {
            look.served.insert(version.to_owned());
        }
        Some(serves)
    }

    /// The verdict on a release that has what a refused one brought, and was not read. It is not kept: whoever asks
    /// for its tarball has it read. Nothing where a waiver lets it pass.
    async fn held_with(
        &self,
        held: &Held,
        look: &Look<'_>,
        version: &str,
        refused: &str,
        past: &Arc<Past>,
    ) -> Result<Option<Arc<Verdict>>, EngineError> {
        let around = self.surroundings(held, version).await?;
        let beside = Beside::pending(past);
        let facts = Facts {
            first_seen: look.times.get(version).copied(),
            request: Request::NewResolution,
            ..Facts::on_metadata(held, version, &beside, &around)
        };
        let mut verdict = self.judge_seen(facts, look.generation).await?;
        if !verdict.decision.action.serves() {
            return Ok(Some(Arc::new(verdict)));
        }
        if verdict.decision.waiver.is_some() {
            return Ok(None);
        }
        let release = &verdict.assessment.release;
        verdict.decision = held_unread(&verdict.decision, release, refused);
        // Told after it was decided: it is not held for this.
        verdict.assessment.incomplete.push(Incomplete {
            what: weir_signals::Input::Contents.as_str().to_owned(),
            why: "not read ahead".to_owned(),
        });
        verdict.preliminary = true;
        Ok(Some(Arc::new(verdict)))
    }
}

/// When those of these versions were published that are refused on evidence.
fn refused_among(packument: &Packument, look: &Look<'_>, versions: &[String]) -> Vec<Timestamp> {
    let refused = versions.iter().filter(|version| {
        let verdict = look.kept_out.get(*version);
        verdict.is_some_and(|verdict| is_refused(verdict))
    });
    refused
        .filter_map(|version| packument.published(version))
        .collect()
}

/// The runs of the refused among these, each told by the first of them.
pub(crate) fn of_refused<'v>(
    packument: &Packument,
    verdicts: impl Iterator<Item = &'v Arc<Verdict>>,
    no_baseline: &dyn Fn(&str) -> bool,
) -> Vec<Run> {
    let mut refused: Vec<&Arc<Verdict>> = verdicts.filter(|verdict| is_refused(verdict)).collect();
    refused.sort_by_key(|verdict| verdict.published);
    let mut runs: Vec<Run> = Vec::new();
    for verdict in refused {
        let version = &verdict.assessment.release.version;
        let known = runs.iter().any(|run| run.has(packument, version));
        if known || runs.len() >= RUNS {
            continue;
        }
        let run = Run::of(packument, version, &verdict.assessment, no_baseline);
        runs.extend(run);
    }
    runs
}

/// Notes that the contents of a suspect are to be read, if there is room.
fn read_ahead(look: &mut Look<'_>, suspect: &Suspect, wanted: bool) {
    let version = &suspect.metadata.assessment.release.version;
    if wanted && look.may_read(version) {
        look.inside.insert(version.clone());
    }
}
