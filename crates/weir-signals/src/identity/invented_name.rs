//! `invented-name`: the name was asked for before there was a package.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Group, Incomplete, Severity};

use crate::timeline::in_words;
use crate::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Stage, Subject,
};

/// Whoever publishes a package looks up the name right before; who registers what others invent does so
/// days or weeks after it was first asked for (DETECTION section 5, "Slopsquatting").
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// From this age on the package is what it is.
const YOUNG: SignedDuration = SignedDuration::from_hours(90 * 24);

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "invented-name",
    summary: "The name was asked for here before anybody had published it",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Name,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::PublishTime],
    incidents: &["PhantomRaven, 2025"],
    documentation: Documentation {
        sees: "A package first published within the last 90 days, whose name a client of this gateway had asked for \
               a day or more before that, in vain. Where three packages that were served here depend on it, this is \
               mentioned for information only, and names of your own are left out. The gateway keeps the time of the \
               first such request of each name.",
        matters: "Assistants that write code invent package names, and invent the same ones for everybody. Whoever \
                  registers such a name gets all who believe them.",
        wrong: "A colleague announced a package before publishing it, or a name was mistyped that somebody later \
                took in good faith. Registries hide packages from those who may not see them: one that was private \
                then looks new.",
        todo: "See who asked for the name and where they had it from. Take the package only if somebody knows it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let name = subject.name.as_str();
    if matches!(subject.first_missed, Stage::Known(None)) || subject.names.is_own(name) {
        return;
    }
    let created = subject
        .packument
        .known()
        .and_then(|packument| packument.created())
        .or_else(|| subject.timeline().first());
    let Some(created) = created else { return };
    if subject.now.duration_since(created) > YOUNG {
        return;
    }
    let missed = match &subject.first_missed {
        Stage::Known(Some(missed)) => *missed,
        Stage::Known(None) => return,
        unknown => {
            observation.incomplete(Incomplete {
                what: "when the name was first asked for".to_owned(),
                why: unknown.why_not().unwrap_or_default().to_owned(),
            });
            return;
        }
    };
    let ahead = created.duration_since(missed);
    if ahead < AHEAD {
        return;
    }
    let mut finding = SIGNAL.finding(format!(
        "{} was asked for here {} before anybody had published it",
        subject.name,
        in_words(ahead)
    ));
    let used = subject
        .dependents
        .is_some_and(|dependents| dependents.count >= super::REAL_DEPENDENTS);
    if used || subject.names.rank(name).is_some() {
        finding.severity = Severity::Info;
    }
    finding.evidence.push(Evidence::change(
        "first asked for -> first published",
        Some(missed.to_string()),
        Some(created.to_string()),
    ));
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let first = |name| Scene::of(name, "1.0.0").release("1.0.0", "2026-06-10T09:00:00Z", "{}");
    vec![
        Sample::flagged(
            "Asked for six weeks before it was published",
            first("react-table-sorter-hooks").first_missed("2026-04-28T09:00:00Z"),
        ),
        Sample::flagged(
            "Asked for two days before, and its second release",
            first("react-table-sorter-hooks")
                .release("0.9.0", "2026-06-09T09:00:00Z", "{}")
                .first_missed("2026-06-07T09:00:00Z"),
        ),
        Sample::passing(
            "Near miss: its publisher looked the name up an hour before",
            first("left-lib-extras").first_missed("2026-06-10T08:00:00Z"),
        ),
        Sample::passing(
            "Asked for after it was there: somebody else's gateway had it first",
            first("left-lib-extras").first_missed("2026-06-11T08:00:00Z"),
        ),
        Sample::passing(
            "A package of your own that was announced before it was published",
            first("left-lib-extras")
                .own("left-lib-extras")
                .first_missed("2026-05-01T08:00:00Z"),
        ),
        Sample::passing(
            "Three packages that were served here depend on it",
            first("left-lib-extras")
                .dependents(&["left-lib", "right-lib", "@acme/tools"])
                .first_missed("2026-05-01T08:00:00Z"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Scene;

    #[test]
    fn a_young_package_of_which_nobody_can_tell_is_not_fully_checked() {
        for (published, gaps) in [("2026-06-10T09:00:00Z", 1), ("2020-06-10T09:00:00Z", 0)] {
            let scene = Scene::of("left-lib-extras", "1.0.0").release("1.0.0", published, "{}");
            for (scene, gaps) in [
                (scene.first_missed_unknown(), gaps),
                (
                    Scene::of("left-lib-extras", "1.0.0").release("1.0.0", published, "{}"),
                    0,
                ),
            ] {
                let mut observation = Observation::default();
                scene.with_subject(|subject| observe(subject, &mut observation));
                assert!(observation.findings.is_empty(), "{published}");
                assert_eq!(observation.incomplete.len(), gaps, "{published}");
            }
        }
    }
}
