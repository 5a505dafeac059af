use std::collections::BTreeMap;

use weir_model::habits::Origin;
use weir_model::{
    Action, Confidence, Decision, Finding, Group, Habits, Incomplete, ReleaseId, Severity,
};

use super::*;

fn verdict(action: Action, gaps: &[&str], finding: Option<(Group, Severity)>) -> Verdict {
    let gaps = gaps.iter().map(|what| Incomplete {
        what: (*what).to_owned(),
        why: "not told".to_owned(),
    });
    let finding = finding.map(|(group, severity)| Finding {
        signal: "new-install-script".to_owned(),
        group,
        severity,
        confidence: Confidence::High,
        decisive: false,
        message: "something runs".to_owned(),
        evidence: Vec::new(),
    });
    Verdict {
        assessment: Assessment {
            release: ReleaseId {
                name: "sluice".to_owned(),
                version: "1.0.0".to_owned(),
                integrity: None,
            },
            findings: finding.into_iter().collect(),
            incomplete: gaps.collect(),
        },
        decision: Decision {
            action,
            ..Decision::allow()
        },
        published: None,
        blob: None,
        generation: String::new(),
        preliminary: false,
    }
}

#[test]
fn what_was_refused_or_could_not_be_judged_does_not_teach() {
    let hook = |severity| Some((Group::Execution, severity));
    for (action, gaps, finding, expected) in [
        (Action::Allow, &[] as &[&str], None, Teaching::Whole),
        (Action::Notice, &[], hook(Severity::Medium), Teaching::Whole),
        (Action::Block, &[], hook(Severity::High), Teaching::Refused),
        (Action::Hold, &["contents"], None, Teaching::Refused),
        (Action::Hold, &["earlier releases"], None, Teaching::Nothing),
        (
            Action::Allow,
            &["earlier releases"],
            None,
            Teaching::Nothing,
        ),
        (Action::Allow, &["publisher"], None, Teaching::Structure),
        (
            Action::Allow,
            &["publisher"],
            hook(Severity::Info),
            Teaching::Structure,
        ),
        (
            Action::Allow,
            &["publisher"],
            Some((Group::Age, Severity::Medium)),
            Teaching::Structure,
        ),
        (
            Action::Allow,
            &["publisher"],
            hook(Severity::Low),
            Teaching::Nothing,
        ),
        (Action::Allow, &["contents"], None, Teaching::Nothing),
        (
            Action::Notice,
            &["publisher", "attestations"],
            None,
            Teaching::Nothing,
        ),
    ] {
        let verdict = verdict(action, gaps, finding);
        assert_eq!(teaching(&verdict), expected, "{verdict:?}");
    }
    // A hold for age ends by itself.
    let mut young = verdict(Action::Hold, &[], None);
    young.decision.until = Some("2026-11-20T12:00:00Z".parse().unwrap());
    assert_eq!(teaching(&young), Teaching::Whole);
}

fn told(hooks: bool, dependencies: &[&str]) -> Lesson {
    Lesson {
        version: "1.0.0".to_owned(),
        line: 1,
        published: "2026-11-20T12:00:00Z".parse().unwrap(),
        by: None,
        origin: Origin::None,
        hooks,
        licence: None,
        repository: None,
        dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
    }
}

#[test]
fn of_a_release_by_nobody_knows_whom_only_what_is_usual_teaches() {
    let usual = |hooks, dependencies: &[&str]| {
        let mut habits = Habits::default();
        habits.learn(&told(hooks, dependencies));
        Baseline::new("sluice", BTreeMap::from([("sluice".to_owned(), habits)]))
    };
    let (plain, hooked) = (usual(false, &["reed"]), usual(true, &[]));
    for (lesson, usual, expected) in [
        (told(false, &["reed"]), None, Some(told(false, &[]))),
        (told(true, &[]), None, None),
        (told(true, &[]), Some(&plain), None),
        (told(true, &[]), Some(&hooked), Some(told(true, &[]))),
        (
            told(false, &["reed", "tinydep"]),
            Some(&plain),
            Some(told(false, &["reed"])),
        ),
    ] {
        assert_eq!(structure(lesson.clone(), usual), expected, "{lesson:?}");
    }
}
