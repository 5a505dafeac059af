//! What a decided release may teach: nothing that was refused, and nothing that nobody could judge.

use weir_model::assessment::PUBLISHER;
use weir_model::{Assessment, Baseline, Lesson};
use weir_signals::lesson;

use crate::EngineError;
use crate::engine::Engine;
use crate::habits::Judged;
use crate::packuments::Held;
use crate::resolution::refuses_for_good;
use crate::verdicts::Verdict;

/// How much of a release teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teaching {
    /// All of it.
    Whole,
    /// What needs no judging, see [`structure`].
    Structure,
    /// Nothing: something could not be checked, and nobody knows what it would have come to.
    Nothing,
    /// Nothing, and what it taught is taken back: it was refused.
    Refused,
}

/// How much of a release teaches, by the verdict on it.
pub(crate) fn teaching(verdict: &Verdict) -> Teaching {
    let assessment = &verdict.assessment;
    if verdict.awaits_earlier() {
        Teaching::Nothing
    } else if refuses_for_good(&verdict.decision) {
        Teaching::Refused
    } else if assessment.is_complete() {
        Teaching::Whole
    } else if lacks_only_publisher(assessment) && assessment.counted().next().is_none() {
        Teaching::Structure
    } else {
        Teaching::Nothing
    }
}

/// Some registries leave publishers out of everything: scopes are to be learned there all the same.
fn lacks_only_publisher(assessment: &Assessment) -> bool {
    assessment
        .incomplete
        .iter()
        .all(|gap| gap.what == PUBLISHER)
}

/// What teaches of a release by nobody knows whom: nothing where something runs at install that never did with
/// its package, and otherwise all but the dependencies that its package is not known for.
pub(crate) fn structure(mut lesson: Lesson, usual: Option<&Baseline>) -> Option<Lesson> {
    let usual = usual.map(Baseline::all);
    if lesson.hooks && usual.is_none_or(|usual| usual.hooks == 0) {
        return None;
    }
    let known = |name: &str| usual.is_some_and(|usual| usual.dependencies.has(name));
    lesson.dependencies.retain(|name| known(name));
    Some(lesson)
}

impl Engine {
    /// Has a decided release teach, once it has settled, or not.
    pub(crate) async fn note_lesson(
        &self,
        held: &Held,
        version: &str,
        verdict: &Verdict,
    ) -> Result<(), EngineError> {
        let Some(lesson) = self.lesson_of(held, version) else {
            return Ok(());
        };
        let name = held.packument.name();
        let (lesson, judged) = match teaching(verdict) {
            Teaching::Whole => (lesson, Judged::Passes),
            Teaching::Refused => (lesson, Judged::Refused),
            Teaching::Nothing => (lesson, Judged::Unjudged),
            Teaching::Structure => {
                let usual = self.usual(name.as_str()).await?;
                match structure(lesson.clone(), usual.as_deref()) {
                    Some(structure) => (structure, Judged::Passes),
                    None => (lesson, Judged::Unjudged),
                }
            }
        };
        self.habits.note(name, lesson, judged);
        Ok(())
    }

    /// Has a release that was refused never teach.
    pub(crate) fn note_refused(&self, held: &Held, version: &str) {
        if let Some(lesson) = self.lesson_of(held, version) {
            self.habits
                .note(held.packument.name(), lesson, Judged::Refused);
        }
    }

    /// What there is to learn of a release; nothing of one without a publish time, as nobody knows whether it has
    /// settled, and nothing at a moment that is only asked about.
    fn lesson_of(&self, held: &Held, version: &str) -> Option<Lesson> {
        if !self.records() {
            return None;
        }
        let published = held.packument.published(version)?;
        let manifest = self.manifest(held, version).ok()?;
        Some(lesson(version, published, &manifest))
    }
}

#[cfg(test)]
mod tests;
