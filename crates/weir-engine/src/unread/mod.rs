//! Releases that nobody has looked at yet. A later one must not be measured by what would have been refused, whichever
//! of them is asked for first: a weir that is asked for the second release of an attack alone says what one says that
//! resolved the package before.
//!
//! One rule: what nobody has looked at excuses nothing, unless it was judged by what its packument says and by what was
//! before it, under the rules for all releases, and nothing speaks against it. What would have to be read first is read;
//! what cannot be is left out, and a decision that was made without it is not kept.

mod baseline;
mod before;
mod concern;
mod profile;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use weir_model::Incomplete;
use weir_npm::packument::Packument;
use weir_npm::version::Version;
use weir_signals::is_before;

use crate::EngineError;
use crate::damaged::is_damaged;
use crate::engine::Engine;
use crate::habits::SETTLED;
use crate::packuments::Held;
use crate::past::{Past, is_long_before};
use crate::resolution::{READ_AHEAD, RECENT, refuses_for_good};
use crate::runs::LONGEST;
use crate::verdicts::{EARLIER, Verdict};
use concern::Concerned;
use walk::{Outcome, Step};

/// What was gone through counts for no longer than this: a waiver may have run out, or a release become old enough.
const CURRENT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What could not be read is not tried again for this long: a release that is refused is asked for over and over.
pub(crate) const AGAIN_AFTER: Duration = Duration::from_secs(60);

tokio::task_local! {
    /// Set where suspects are being read already.
    static READING: ();
}

/// Runs something that looks at releases without reading those before each.
pub(crate) async fn without_reading<T>(work: impl Future<Output = T>) -> T {
    READING.scope((), work).await
}

/// The releases of the last months, gone through once.
#[derive(Debug)]
pub(crate) struct GoneThrough {
    revision: u64,
    /// Rules, advisories and keys.
    generation: String,
    at: Timestamp,
    /// When the next release settles that had not.
    until: Timestamp,
    /// Oldest first.
    steps: Vec<Step>,
    /// How many releases besides were known to be refused.
    refused_besides: usize,
}

impl GoneThrough {
    /// Whether going through them once more would come to the same, for all that is known by now: nothing that was
    /// learned meanwhile says otherwise. What is learned of other packages does not count.
    fn stands(&self, held: &Held, generation: &str, past: &Past, now: Timestamp) -> bool {
        self.revision == held.revision
            && self.generation == generation
            && (self.at..self.until).contains(&now)
            && self.steps.iter().all(|step| step.stands(past))
            && self.refused_besides == refused_besides(&self.steps, past)
    }
}

fn refused_besides(steps: &[Step], past: &Past) -> usize {
    let refused = steps.iter().filter(|step| past.refuses(&step.version));
    past.count_refused().saturating_sub(refused.count())
}

/// What the unread releases before one come to.
struct Unread {
    /// What is known of the package, without those that the packument speaks against.
    past: Past,
    /// Those to read: what was refused so long before that it excuses this one unless its contents are worse, and then
    /// what only contents could refuse, each oldest first.
    suspects: Vec<String>,
}

impl Engine {
    /// What is known of the releases of a package, to judge one of them by.
    pub(crate) async fn past_of(&self, held: &Held, version: &str) -> Result<Past, EngineError> {
        Ok(self.unread_of(held, version).await?.past)
    }

    /// The same, with those that would have to be read.
    async fn unread_of(&self, held: &Held, version: &str) -> Result<Unread, EngineError> {
        let mut past = self.past(held).await?;
        let mut suspects = Vec::new();
        if !is_recent(&held.packument, version, self.now()) {
            return Ok(Unread { past, suspects });
        }
        let gone_through = self.gone_through(held, &past).await?;
        let (mut going_on, mut unread) = (Vec::new(), Vec::new());
        for step in &gone_through.steps {
            let other = &step.version;
            if past.knows(other) || !came_before(&held.packument, other, version) {
                continue;
            }
            match step.outcome {
                Outcome::Passed => {}
                Outcome::Refused => {
                    past.refuse(std::iter::once(other));
                    let excuses = step.leads && is_long_before(&held.packument, other, version);
                    match step.told {
                        // It goes on with what another was refused for, which is known.
                        true if excuses => going_on.push(other.clone()),
                        false if excuses => {
                            past.await_reading(other);
                            suspects.push(other.clone());
                        }
                        _ => {}
                    }
                }
                Outcome::Suspect | Outcome::Alike => {
                    past.leave_out(other);
                    unread.push(step);
                }
                Outcome::OverBudget => past.leave_out(other),
            }
        }
        suspects.append(&mut going_on);
        if unread.is_empty() {
            return Ok(Unread { past, suspects });
        }
        let baseline = self.baseline(held, version, &past);
        let concerned = Concerned::new(&held.packument, version, baseline);
        unread.retain(|step| concerned.waits_for(&step.version));
        for step in unread {
            past.await_reading(&step.version);
            if step.outcome == Outcome::Suspect {
                suspects.push(step.version.clone());
            }
        }
        Ok(Unread { past, suspects })
    }

    /// What is known of the releases of a package, to judge all of them by. What only contents could refuse is not
    /// left out, as a resolution reads it, but not to be named in place of another either.
    pub(crate) async fn past_of_all(&self, held: &Held) -> Result<Past, EngineError> {
        let mut past = self.past(held).await?;
        let gone_through = self.gone_through(held, &past).await?;
        for step in &gone_through.steps {
            let version = &step.version;
            match step.outcome {
                _ if past.knows(version) => {}
                Outcome::Passed => {}
                Outcome::Refused => past.refuse(std::iter::once(version)),
                Outcome::Suspect | Outcome::Alike | Outcome::OverBudget => {
                    past.withhold(std::iter::once(version));
                }
            }
        }
        Ok(past)
    }

    /// Goes through the releases of the last months, unless that was done; once for all who ask.
    async fn gone_through(
        &self,
        held: &Held,
        past: &Past,
    ) -> Result<Arc<GoneThrough>, EngineError> {
        let (name, now) = (held.packument.name(), self.now());
        let keys = self.trust.key_changes();
        let generation = format!("{}-{keys}", self.verdict_generation(name));
        let known = || {
            let known = self.unread.get(name);
            known.filter(|known| known.stands(held, &generation, past, now))
        };
        if let Some(known) = known() {
            return Ok(known);
        }
        let _walking = self.walking.hold(name).await;
        if let Some(known) = known() {
            return Ok(known);
        }
        let steps = self.go_through(held, past).await?;
        let gone_through = Arc::new(GoneThrough {
            revision: held.revision,
            at: now,
            until: until(&held.packument, now),
            refused_besides: refused_besides(&steps, past),
            steps,
            generation,
        });
        self.unread.insert(name.clone(), Arc::clone(&gone_through));
        Ok(gone_through)
    }

    /// What is known of the releases of a package to decide on one of them by, once its suspects were read, a few at
    /// most and the oldest first: what that one is found to be often settles those after it. Nothing is read where
    /// somebody is at it. Boxed, as each of them may have to ask the same.
    pub(crate) fn past_to_decide_by<'a>(
        self: &'a Arc<Self>,
        held: &'a Arc<Held>,
        version: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Past, EngineError>> + Send + 'a>> {
        Box::pin(async move {
            let mut tried: HashSet<String> = HashSet::new();
            loop {
                let Unread { past, suspects } = self.unread_of(held, version).await?;
                if tried.len() == READ_AHEAD || READING.try_with(|()| ()).is_ok() {
                    return Ok(past);
                }
                let may_read = |suspect: &String| {
                    let key = (held.packument.name().clone(), suspect.clone());
                    !tried.contains(suspect) && !self.unreadable.contains_key(&key)
                };
                let Some(next) = suspects.into_iter().find(may_read) else {
                    return Ok(past);
                };
                self.read_suspect(held, &next).await;
                tried.insert(next);
            }
        })
    }

    async fn read_suspect(self: &Arc<Self>, held: &Arc<Held>, version: &str) {
        let why = match without_reading(self.full_verdict(held, version)).await {
            Ok(verdict) if is_damaged(&verdict) => {
                "its bytes are not what its packument describes".to_owned()
            }
            Ok(verdict) if verdict.is_settled(self.now()) => return,
            Ok(verdict) if refuses_for_good(&verdict.decision) => return,
            Ok(verdict) if verdict.decision.waiver.is_some() => return,
            Ok(_) => "it could not be decided on for good".to_owned(),
            Err(error) => error.to_string(),
        };
        let key = (held.packument.name().clone(), version.to_owned());
        self.unreadable.insert(key, ());
        tracing::warn!(package.name = %held.packument.name(), package.version = version, %why,
            "an earlier release could not be looked at; nothing is measured by it");
    }
}

/// Says in a verdict that releases before were left out because nobody has looked at them. It was decided without: the
/// release is not held for this, only asked about again.
pub(crate) fn tell_unread(verdict: &mut Verdict, held: &Held, past: &Past) {
    if past.leaves_open(&held.packument, &verdict.assessment.release.version) {
        verdict.assessment.incomplete.push(Incomplete {
            what: EARLIER.to_owned(),
            why: "something speaks against releases before it, and they have not been read yet"
                .to_owned(),
        });
    }
}

/// Whether a release is among those that are gone through: what came right before it could be the beginning of the same
/// attack, for all that anybody knows.
fn is_recent(packument: &Packument, version: &str, now: Timestamp) -> bool {
    let published = packument.published(version);
    published.is_none_or(|published| now.duration_since(published) < RECENT + LONGEST)
}

/// Whether one release came before another: as signals order them, and by numbers where times are not known. A stable
/// release may be told by a prerelease who publishes the package, though it is not compared with one.
fn came_before(packument: &Packument, one: &str, other: &str) -> bool {
    let number = |version: &str| Version::parse(version).ok();
    let (theirs, own) = (number(one), number(other));
    // Of a version that none can order it would be said that it came before itself.
    one != other
        && match (packument.published(one), packument.published(other)) {
            (Some(before), Some(after)) => {
                is_before((before, theirs.as_ref()), (after, own.as_ref()))
            }
            _ => theirs.zip(own).is_some_and(|(theirs, own)| theirs < own),
        }
}

/// Until when what is gone through at a moment counts: a release that has not settled by then may do so.
fn until(packument: &Packument, now: Timestamp) -> Timestamp {
    let latest = now.saturating_add(CURRENT_FOR).unwrap_or(Timestamp::MAX);
    let published = packument.versions().iter();
    let published = published.filter_map(|entry| entry.published());
    let settles = published.filter_map(|published| published.checked_add(SETTLED).ok());
    let next = settles.filter(|settles| *settles > now).min();
    next.map_or(latest, |next| next.min(latest))
}
