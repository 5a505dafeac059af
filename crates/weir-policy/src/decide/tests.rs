use weir_model::{Confidence, Finding, Group, Incomplete, ReleaseId, Severity};

use super::*;

mod alone;
mod expected;
mod waivers;

pub(super) const NOW: &str = "2026-11-22T12:00:00Z";

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A finding of medium severity; its signal is named after its group.
pub(super) fn finding(group: Group) -> Finding {
    Finding {
        signal: format!("some-{group}"),
        group,
        severity: Severity::Medium,
        confidence: Confidence::High,
        decisive: false,
        message: format!("the {group} changed"),
        evidence: Vec::new(),
    }
}

fn decisive(group: Group) -> Finding {
    Finding {
        signal: format!("certain-{group}"),
        severity: Severity::Critical,
        decisive: true,
        ..finding(group)
    }
}

pub(super) fn release(findings: Vec<Finding>) -> Assessment {
    Assessment {
        release: ReleaseId {
            name: "left-pad".into(),
            version: "1.3.1".into(),
            integrity: None,
        },
        findings,
        incomplete: Vec::new(),
    }
}

fn groups(groups: &[Group]) -> Assessment {
    release(groups.iter().map(|group| finding(*group)).collect())
}

/// A release of ten days that nobody has asked for before.
fn old() -> Context {
    Context {
        published: Some(time("2026-11-12T12:00:00Z")),
        ..Context::new(time(NOW))
    }
}

/// A release of the given age in hours.
fn aged(hours: i64) -> Context {
    let published = time(NOW) - jiff::SignedDuration::from_hours(hours);
    Context {
        published: Some(published),
        ..Context::new(time(NOW))
    }
}

fn top(rank: u32) -> Context {
    Context {
        rank: Some(rank),
        ..old()
    }
}

fn policy(text: &str) -> Policy {
    Policy::from_toml(text, "weir.toml").unwrap()
}

fn waiver(rest: &str) -> String {
    format!(
        "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nreason = \"read the diff\"\nauthor = \"Jo\"\n{rest}\n"
    )
}

const UNTIL: &str = "expires = \"2026-12-31\"";

fn action(assessment: &Assessment, context: &Context) -> Action {
    decide(assessment, context, &Policy::default()).action
}

use Action::{Allow, Block, Hold, Notice};
use Group::{Age, Code, Dependency, Execution, Identity, Intel, Name, Runtime, Shape, Trust};

#[test]
fn nothing_found_on_an_old_release_is_allowed_without_a_word() {
    assert_eq!(
        decide(&release(vec![]), &old(), &Policy::default()),
        Decision::allow()
    );
}

#[test]
fn independent_groups_add_up() {
    for (seen, expected) in [
        (&[Code][..], Notice),
        (&[Code, Code, Code], Notice),
        (&[Execution, Code], Hold),
        (&[Execution, Code, Code], Hold),
        (&[Execution, Code, Shape], Block),
        (&[Identity, Trust, Runtime, Name], Block),
        (&[Age], Allow),
        (&[Age, Code], Notice),
        (&[Age, Code, Shape], Hold),
    ] {
        assert_eq!(action(&groups(seen), &old()), expected, "{seen:?}");
    }
}

#[test]
fn informational_findings_never_count() {
    let mut assessment = groups(&[Execution, Code, Shape]);
    assessment.findings[0].severity = Severity::Info;
    assert_eq!(action(&assessment, &old()), Hold);
    assessment.findings[1].severity = Severity::Info;
    assessment.findings[1].decisive = true;
    assert_eq!(action(&assessment, &old()), Notice);
    assessment.findings[2].severity = Severity::Low;
    assert_eq!(action(&assessment, &old()), Notice);
}

#[test]
fn one_decisive_fact_is_enough() {
    for group in [
        Identity, Trust, Execution, Dependency, Shape, Code, Runtime, Name, Intel,
    ] {
        assert_eq!(
            action(&release(vec![decisive(group)]), &old()),
            Block,
            "{group}"
        );
    }
    // Age is evidence of nothing, whatever a signal claims.
    assert_eq!(action(&release(vec![decisive(Age)]), &old()), Allow);
}

#[test]
fn two_groups_block_while_young_if_one_is_trust_or_dependency() {
    for (seen, hours, expected) in [
        (&[Trust, Code][..], 71, Block),
        (&[Dependency, Name], 71, Block),
        (&[Trust, Dependency], 71, Block),
        (&[Trust, Code], 72, Hold),
        (&[Execution, Code], 71, Hold),
        (&[Identity, Shape], 71, Hold),
        (&[Trust], 71, Notice),
        (&[Trust, Trust], 71, Notice),
    ] {
        let context = Context {
            served_before: true,
            ..aged(hours)
        };
        assert_eq!(
            action(&groups(seen), &context),
            expected,
            "{seen:?} {hours}"
        );
    }
    let unknown = Context {
        served_before: true,
        ..Context::new(time(NOW))
    };
    assert_eq!(action(&groups(&[Trust, Code]), &unknown), Block);
    let looked_at = Context {
        request: Request::Inspection,
        ..unknown
    };
    assert_eq!(action(&groups(&[Trust, Code]), &looked_at), Hold);
}

#[test]
fn popularity_turns_a_block_on_name_code_or_advisories_alone_into_a_hold() {
    let fact = |group| release(vec![decisive(group)]);
    for (assessment, rank, expected) in [
        (fact(Code), 10_000, Hold),
        (fact(Code), 10_001, Block),
        (fact(Name), 1, Hold),
        (fact(Intel), 10_000, Hold),
        (fact(Intel), 10_001, Block),
        (release(vec![decisive(Intel), decisive(Intel)]), 1, Hold),
        (release(vec![decisive(Code), finding(Name)]), 1, Hold),
        // Two sources agree.
        (release(vec![decisive(Intel), finding(Code)]), 1, Block),
        (
            release(vec![finding(Intel), finding(Code), finding(Name)]),
            1,
            Block,
        ),
        // Never for these.
        (fact(Execution), 1, Block),
        (fact(Trust), 1, Block),
        (fact(Dependency), 1, Block),
        (fact(Shape), 1, Block),
        (fact(Runtime), 1, Block),
        (fact(Identity), 1, Block),
        (release(vec![decisive(Code), finding(Shape)]), 1, Block),
        (groups(&[Name, Code, Shape]), 1, Block),
        // Milder answers stay as they are.
        (groups(&[Name, Code]), 1, Hold),
        (groups(&[Code]), 1, Notice),
    ] {
        assert_eq!(
            action(&assessment, &top(rank)),
            expected,
            "{rank} {:?}",
            assessment.groups()
        );
    }
    let strict = policy("[decide]\nblock_groups = 2\n");
    assert_eq!(
        decide(&groups(&[Name, Code]), &top(1), &strict).action,
        Hold
    );
    assert_eq!(
        decide(&groups(&[Name, Shape]), &top(1), &strict).action,
        Block
    );
    assert_eq!(
        decide(&groups(&[Name, Code]), &old(), &strict).action,
        Block
    );
    let none = policy("[decide]\npopular = 0\n");
    assert_eq!(decide(&fact(Code), &top(1), &none).action, Block);
}

#[test]
fn young_releases_are_held_until_they_are_not_young() {
    let decision = decide(&release(vec![]), &aged(23), &Policy::default());
    assert_eq!(decision.action, Hold);
    assert_eq!(decision.until, Some(time("2026-11-22T13:00:00Z")));
    assert_eq!(
        decision.reasons,
        ["held: published 2026-11-21T13:00:00Z, younger than 24h"]
    );
    assert_eq!(action(&release(vec![]), &aged(24)), Allow);
    assert_eq!(action(&release(vec![]), &aged(-1)), Hold);
    let off = policy("[age]\nminimum = \"0h\"\n");
    assert_eq!(decide(&release(vec![]), &aged(0), &off).action, Allow);
    assert_eq!(
        decide(&release(vec![]), &Context::new(time(NOW)), &off).action,
        Allow
    );
    let silenced = policy("[signals]\nyoung-release = \"off\"\n");
    assert_eq!(decide(&release(vec![]), &aged(0), &silenced).action, Allow);
}

#[test]
fn young_releases_pass_when_there_is_a_reason_and_the_reason_is_told() {
    let fixes = Context {
        fixes_advisory_of: Some("GHSA-x".into()),
        instead: Some("1.3.0".into()),
        ..aged(1)
    };
    let decision = decide(&release(vec![]), &fixes, &Policy::default());
    assert_eq!(decision.action, Allow);
    assert_eq!(
        decision.reasons,
        [
            "young (published 2026-11-22T11:00:00Z), but not held for that: it fixes GHSA-x, which affects \
          1.3.0, which would be served instead"
        ]
    );
    assert_eq!(decision.instead, None);
    let served = Context {
        served_before: true,
        ..aged(1)
    };
    assert_eq!(action(&release(vec![]), &served), Allow);
    for exclude in ["left-pad", "left-*", "left-pad@1.3.1", "left-pad@^1"] {
        let policy = policy(&format!("[age]\nexclude = [\"{exclude}\"]\n"));
        assert_eq!(
            decide(&release(vec![]), &aged(1), &policy).action,
            Allow,
            "{exclude}"
        );
    }
    let other = policy("[age]\nexclude = [\"left-pad@1.3.0\", \"@left/*\"]\n");
    assert_eq!(decide(&release(vec![]), &aged(1), &other).action, Hold);
    // None of it helps against evidence.
    assert_eq!(action(&groups(&[Execution, Code]), &fixes), Hold);
    let suspect = decide(&groups(&[Execution]), &fixes, &Policy::default());
    assert_eq!(suspect.action, Hold);
    let although = "held for its age although it fixes GHSA-x, which affects 1.3.0, which would be served \
                    instead: something else speaks against it";
    assert!(
        suspect.reasons.iter().any(|it| it == although),
        "{:?}",
        suspect.reasons
    );
    // What a waiver covers speaks against it no more.
    let waived = policy(&waiver(&format!(
        "action = \"notice\"\nsignals = [\"some-execution\"]\n{UNTIL}"
    )));
    let execution = groups(&[Execution]);
    assert_eq!(decide(&execution, &fixes, &waived).action, Notice);
    assert_eq!(action(&groups(&[Execution, Code]), &served), Hold);
}

#[test]
fn a_lockfile_does_not_vouch_for_a_young_release_never_served() {
    let pinned = Context {
        request: Request::Pinned,
        ..aged(1)
    };
    let decision = decide(&release(vec![]), &pinned, &Policy::default());
    assert_eq!(decision.action, Hold);
    assert!(decision.until.is_some());
    assert!(
        decision.reasons[0].contains("lockfile"),
        "{:?}",
        decision.reasons
    );
    let served = Context {
        served_before: true,
        ..pinned.clone()
    };
    assert_eq!(action(&release(vec![]), &served), Allow);
    let pinned_and_old = Context {
        request: Request::Pinned,
        ..old()
    };
    assert_eq!(action(&release(vec![]), &pinned_and_old), Allow);
    assert_eq!(action(&groups(&[Execution, Code]), &pinned_and_old), Hold);
}

#[test]
fn an_unknown_publish_time_counts_as_young_and_has_no_end() {
    let decision = decide(
        &release(vec![]),
        &Context::new(time(NOW)),
        &Policy::default(),
    );
    assert_eq!((decision.action, decision.until), (Hold, None));
    let old = policy("[age]\nunknown = \"old\"\n");
    assert_eq!(
        decide(&release(vec![]), &Context::new(time(NOW)), &old).action,
        Allow
    );
    let looked_at = Context {
        request: Request::Inspection,
        ..Context::new(time(NOW))
    };
    assert_eq!(action(&release(vec![]), &looked_at), Allow);
    assert_eq!(
        action(
            &release(vec![]),
            &Context {
                request: Request::Inspection,
                ..aged(1)
            }
        ),
        Allow
    );
}

/// The moment weir first saw the release stands in for its age, and only for that.
#[test]
fn a_release_without_a_publish_time_is_held_from_when_it_was_first_seen() {
    let mut assessment = release(vec![]);
    assessment.incomplete.push(Incomplete {
        what: weir_model::assessment::PUBLISH_TIME.into(),
        why: "the registry does not say when it was published".into(),
    });
    let decision = decide(&assessment, &aged(1), &Policy::default());
    assert_eq!(decision.action, Hold);
    assert_eq!(decision.until, Some(time("2026-11-23T11:00:00Z")));
    assert_eq!(
        decision.reasons,
        [
            "held: first seen 2026-11-22T11:00:00Z, younger than 24h",
            "not known: when it was published"
        ]
    );
    let decision = decide(&assessment, &aged(24), &Policy::default());
    assert_eq!(decision.action, Allow);
    assert_eq!(decision.reasons, ["not known: when it was published"]);
    // Nobody knows since when it is there: nothing stands in for the gap.
    let unseen = Context::new(time(NOW));
    let old = policy("[age]\nunknown = \"old\"\n");
    let decision = decide(&assessment, &unseen, &old);
    assert_eq!(decision.action, Hold);
    assert_eq!(
        decision.reasons[0],
        "held: neither when it was published nor when weir first saw it is known, and the release is neither \
         established nor was it served here before"
    );
    // Counted as old, it does not wait, and its evidence weighs no more than that of others.
    assert_eq!(decide(&assessment, &aged(1), &old).action, Allow);
    assessment.findings = vec![finding(Code), finding(Trust)];
    assert_eq!(decide(&assessment, &aged(1), &old).action, Hold);
    assert_eq!(action(&assessment, &aged(1)), Block);
    assessment.findings.clear();
    // Other gaps hold as ever, and the moment is called what it is.
    assessment.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    let decision = decide(&assessment, &aged(240), &Policy::default());
    assert_eq!(decision.action, Hold);
    assert_eq!(
        decision.reasons.last().unwrap(),
        "first seen 2026-11-12T12:00:00Z"
    );
}

#[test]
fn without_a_minimum_age_nothing_is_held_for_it_not_even_what_is_to_come() {
    let off = policy("[age]\nminimum = \"0h\"\n");
    for hours in [-300, 0, 1] {
        assert_eq!(
            decide(&release(vec![]), &aged(hours), &off).action,
            Allow,
            "{hours}"
        );
    }
    assert_eq!(action(&release(vec![]), &aged(-300)), Hold);
}

#[test]
fn only_holds_for_age_alone_end_by_themselves() {
    let until = |assessment: &Assessment| decide(assessment, &aged(1), &Policy::default()).until;
    assert!(until(&release(vec![])).is_some());
    assert!(until(&groups(&[Code])).is_some());
    assert!(until(&groups(&[Execution, Code])).is_none());
    assert!(until(&groups(&[Execution, Code, Shape])).is_none());
    let mut incomplete = release(vec![]);
    incomplete.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    assert!(until(&incomplete).is_none());
}

#[test]
fn what_could_not_be_checked_holds_the_unknown_and_is_mentioned_on_the_known() {
    let mut assessment = release(vec![]);
    assessment.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    let decision = decide(&assessment, &old(), &Policy::default());
    assert_eq!(decision.action, Hold);
    assert_eq!(
        decision.reasons,
        [
            "held: not everything could be checked, and the release is neither established nor was it \
             served here before",
            "could not check contents: timed out",
            "published 2026-11-12T12:00:00Z"
        ]
    );
    let established = Context {
        established: true,
        ..old()
    };
    let decision = decide(&assessment, &established, &Policy::default());
    assert_eq!(decision.action, Notice);
    assert_eq!(
        decision.reasons,
        [
            "notice: not everything could be checked; the release is long established",
            "could not check contents: timed out"
        ]
    );
    let served = Context {
        served_before: true,
        ..old()
    };
    assert_eq!(action(&assessment, &served), Notice);
    let other =
        policy("[decide]\nincomplete_unseen = \"block\"\nincomplete_established = \"allow\"\n");
    assert_eq!(decide(&assessment, &old(), &other).action, Block);
    let decision = decide(&assessment, &established, &other);
    assert_eq!(decision.action, Allow);
    assert_eq!(decision.reasons, ["could not check contents: timed out"]);
}

#[test]
fn reasons_name_the_rule_then_the_findings() {
    let context = Context {
        instead: Some("1.3.0".into()),
        ..old()
    };
    let decision = decide(&groups(&[Execution, Code]), &context, &Policy::default());
    assert_eq!(
        decision.reasons,
        [
            "held: two independent kinds of evidence (execution, code)",
            "the execution changed [some-execution]",
            "the code changed [some-code]",
            "published 2026-11-12T12:00:00Z"
        ]
    );
    assert_eq!(decision.groups, [Execution, Code]);
    assert_eq!(decision.instead.as_deref(), Some("1.3.0"));
    let reason = |assessment: &Assessment, context: &Context| {
        decide(assessment, context, &Policy::default()).reasons[0].clone()
    };
    assert_eq!(
        reason(&release(vec![decisive(Intel)]), &old()),
        "blocked: a fact that is enough by itself (certain-intel)"
    );
    assert_eq!(
        reason(&release(vec![decisive(Intel)]), &top(5)),
        "held: a fact that is enough by itself (certain-intel); not blocked, because only what others \
         published speaks against it and the package is among the 10000 most used: a person has to look"
    );
    assert_eq!(
        reason(&groups(&[Trust, Code]), &aged(30)),
        "blocked: two independent kinds of evidence (trust, code), trust among them, while younger than 72h"
    );
    // Two topics with the same answer are both told.
    let decision = decide(&groups(&[Execution, Code]), &aged(1), &Policy::default());
    assert!(
        decision.reasons[1].starts_with("held: published"),
        "{:?}",
        decision.reasons
    );
}

#[test]
fn the_refusals_id_does_not_change_with_the_hour() {
    let assessment = groups(&[Execution, Code]);
    let id = |hours: i64| {
        let mut context = aged(1);
        context.now += jiff::SignedDuration::from_hours(hours);
        decide(&assessment, &context, &Policy::default()).block_id("left-pad", "1.3.1")
    };
    assert_eq!(id(0), id(22));
    let later = |minutes: i64| {
        let mut context = aged(1);
        context.now += jiff::SignedDuration::from_mins(minutes);
        decide(&release(vec![]), &context, &Policy::default()).block_id("left-pad", "1.3.1")
    };
    assert_eq!(later(0), later(600));
}

#[test]
fn hostile_text_in_findings_is_made_printable() {
    let mut assessment = groups(&[Code]);
    assessment.findings[0].message = "x\u{1b}[2J\n\u{202e}y".into();
    let decision = decide(&assessment, &old(), &Policy::default());
    assert_eq!(
        decision.reasons[1],
        "x\\u{1b}[2J\\u{a}\\u{202e}y [some-code]"
    );
}

#[test]
fn signals_can_be_switched_off_or_weigh_otherwise() {
    let assessment = groups(&[Execution, Code]);
    for (setting, expected) in [
        ("off", Notice),
        ("info", Notice),
        ("low", Hold),
        ("critical", Hold),
    ] {
        let policy = policy(&format!("[signals]\nsome-code = \"{setting}\"\n"));
        assert_eq!(
            decide(&assessment, &old(), &policy).action,
            expected,
            "{setting}"
        );
    }
    let mut quiet = groups(&[Execution, Code]);
    quiet.findings[1].severity = Severity::Info;
    let louder = policy("[signals]\nsome-code = \"low\"\n");
    assert_eq!(decide(&quiet, &old(), &louder).action, Hold);
    let fact = release(vec![decisive(Code)]);
    let low = policy("[signals]\ncertain-code = \"low\"\n");
    assert_eq!(decide(&fact, &old(), &low).action, Block);
}

#[test]
fn waivers_take_findings_away_and_the_rest_decides() {
    let three = groups(&[Execution, Code, Shape]);
    for (rest, expected) in [
        ("action = \"allow\"\nsignals = [\"some-code\"]", Hold),
        (
            "action = \"allow\"\nsignals = [\"some-code\", \"some-shape\"]",
            Notice,
        ),
        ("action = \"allow\"", Allow),
        ("action = \"notice\"", Notice),
        ("action = \"notice\"\nsignals = [\"some-code\"]", Hold),
        ("action = \"allow\"\nsignals = [\"another\"]", Block),
    ] {
        let policy = policy(&waiver(&format!("{rest}\n{UNTIL}")));
        let decision = decide(&three, &old(), &policy);
        assert_eq!(decision.action, expected, "{rest}");
        assert_eq!(decision.waiver.is_some(), expected != Block, "{rest}");
    }
}

#[test]
fn waived_decisions_say_so() {
    let policy = policy(&waiver(&format!(
        "action = \"allow\"\nsignals = [\"some-code\"]\n{UNTIL}"
    )));
    let decision = decide(&groups(&[Execution, Code]), &old(), &policy);
    assert_eq!(decision.action, Notice);
    assert_eq!(decision.waiver.as_deref(), Some("read the diff"));
    assert_eq!(decision.groups, [Execution]);
    assert_eq!(
        decision.reasons,
        [
            "notice: one kind of evidence (execution)",
            "waived by Jo through 2026-12-31 (read the diff): some-code",
            "without the waiver: held: two independent kinds of evidence (execution, code)",
            "the execution changed [some-execution]"
        ]
    );
}

#[test]
fn rules_have_distinct_ids_and_sentences() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(rule.sentence.ends_with(['.', ')']), "{}", rule.id);
        assert!(RULES[index + 1..].iter().all(|other| other.id != rule.id));
    }
}
