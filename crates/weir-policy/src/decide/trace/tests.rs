use weir_model::{Group, Incomplete};

use super::super::tests::{NOW, finding, release, time};
use super::*;

fn aged(hours: i64) -> Context {
    Context {
        published: Some(time(NOW) - jiff::SignedDuration::from_hours(hours)),
        ..Context::new(time(NOW))
    }
}

fn of(groups: &[Group], hours: i64) -> Trace {
    let assessment = release(groups.iter().map(|group| finding(*group)).collect());
    trace(&assessment, &aged(hours), &Policy::default())
}

fn deciding(trace: &Trace) -> Vec<&str> {
    let rules = trace.rules.iter().filter(|rule| rule.decided);
    rules.map(|rule| rule.rule).collect()
}

/// "no evidence of code (some-code) -> notice", one per line.
fn told(differences: &[Difference]) -> String {
    let line = |it: &Difference| format!("{} -> {}", it.if_so.join(" and "), it.action);
    differences.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_rule_that_decides_is_named_and_every_rule_is_told() {
    for (groups, hours, action, rules) in [
        (&[][..], 300, Action::Allow, &[][..]),
        (&[][..], 3, Action::Hold, &["young-release"][..]),
        (&[Group::Code], 300, Action::Notice, &["any-evidence"]),
        (
            &[Group::Code, Group::Shape],
            300,
            Action::Hold,
            &["some-groups"],
        ),
        (
            &[Group::Code, Group::Shape],
            3,
            Action::Hold,
            &["some-groups", "young-release"],
        ),
        (
            &[Group::Code, Group::Trust],
            3,
            Action::Block,
            &["young-and-telling"],
        ),
        (
            &[Group::Code, Group::Shape, Group::Name],
            300,
            Action::Block,
            &["many-groups"],
        ),
    ] {
        let trace = of(groups, hours);
        assert_eq!(trace.action, action, "{groups:?} {hours}");
        assert_eq!(deciding(&trace), rules, "{groups:?} {hours}");
        assert_eq!(trace.rules.len(), RULES.len());
        assert_eq!(trace.groups.len(), GROUPS.len());
        assert_eq!(trace.count as usize, groups.len());
    }
}

#[test]
fn what_would_have_to_differ_is_the_least_there_is() {
    let trace = of(&[Group::Code, Group::Shape, Group::Name], 300);
    assert_eq!(
        told(&trace.milder),
        "no evidence of shape (some-shape) -> hold\n\
         no evidence of code (some-code) -> hold\n\
         no evidence of name (some-name) -> hold"
    );
    assert_eq!(told(&trace.stricter), "");
    // Two reasons hold it: both have to go.
    let trace = of(&[Group::Code, Group::Shape], 3);
    assert_eq!(
        told(&trace.milder),
        "no evidence of shape (some-shape) and its age did not hold it -> notice\n\
         no evidence of code (some-code) and its age did not hold it -> notice"
    );
    assert_eq!(
        told(&trace.stricter),
        "there were evidence of identity, trust, execution, dependency, runtime, name or intel -> block"
    );
    let trace = of(&[Group::Code], 300);
    assert_eq!(
        told(&trace.stricter),
        "there were evidence of identity, trust, execution, dependency, shape, runtime, name or intel -> hold"
    );
}

#[test]
fn time_alone_is_told_where_it_changes_the_decision() {
    let keys = |trace: &Trace| -> Vec<(&'static str, Action)> {
        trace.later.iter().map(|it| (it.key, it.action)).collect()
    };
    assert_eq!(keys(&of(&[], 3)), [("age.minimum", Action::Allow)]);
    assert_eq!(
        keys(&of(&[Group::Code, Group::Trust], 3)),
        [("age.young_for_rules", Action::Hold)]
    );
    assert_eq!(keys(&of(&[], 300)), []);
}

#[test]
fn what_cannot_be_checked_against_anything_is_told_by_its_own_rule() {
    let mut assessment = release(Vec::new());
    assessment.incomplete.push(Incomplete {
        what: weir_model::assessment::INTEGRITY.into(),
        why: "the registry gives none".into(),
    });
    let lax = "[decide]\nincomplete_unseen = \"notice\"\n";
    let waiver = "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nreason = \"read\"\nauthor = \"Jo\"\n\
                  action = \"allow\"\nexpires = \"2026-12-31\"\n";
    for text in [lax, &format!("{lax}{waiver}")] {
        let policy = Policy::from_toml(text, "weir.toml").unwrap();
        let trace = trace(&assessment, &aged(300), &policy);
        assert_eq!(
            (trace.action, deciding(&trace)),
            (Action::Hold, vec!["no-integrity"])
        );
        assert!(
            told(&trace.milder).starts_with("everything could be checked (integrity) -> allow"),
            "{}",
            told(&trace.milder)
        );
    }
}

#[test]
fn gaps_and_waivers_are_told() {
    let mut assessment = release(vec![finding(Group::Code), finding(Group::Shape)]);
    assessment.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    let told_now = trace(&assessment, &aged(300), &Policy::default());
    assert_eq!(deciding(&told_now), ["some-groups", "incomplete-unseen"]);
    assert!(told(&told_now.milder).contains("everything could be checked (contents)"));
    let text = "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nreason = \"read\"\nauthor = \"Jo\"\n\
                signals = [\"some-shape\", \"incomplete-assessment\"]\naction = \"allow\"\nexpires = \"2026-12-31\"\n";
    let waived = Policy::from_toml(text, "weir.toml").unwrap();
    let told_then = trace(&assessment, &aged(300), &waived);
    assert_eq!(told_then.action, Action::Notice);
    assert_eq!(deciding(&told_then), ["any-evidence"]);
    assert_eq!(told_then.count, 1);
}

/// What a waiver wants mentioned stays a notice, whatever else is away.
#[test]
fn no_milder_decision_is_promised_that_a_waiver_does_not_leave() {
    let assessment = release(vec![finding(Group::Code), finding(Group::Shape)]);
    for (action, milder) in [
        ("notice", ""),
        ("allow", "no evidence of shape (some-shape) -> allow"),
    ] {
        let policy = format!(
            "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nsignals = [\"some-code\"]\n\
             action = \"{action}\"\nreason = \"read\"\nauthor = \"Jo\"\nexpires = \"2026-12-31\"\n"
        );
        let policy = Policy::from_toml(&policy, "weir.toml").unwrap();
        let trace = trace(&assessment, &aged(300), &policy);
        assert_eq!(trace.action, Action::Notice, "{action}");
        assert_eq!(told(&trace.milder), milder, "{action}");
    }
}

/// Where a waiver is in force the rules are asked about what it leaves, and it is said who decides then.
#[test]
fn what_a_waiver_lifts_and_what_decides_then_is_told() {
    let assessment = release(vec![finding(Group::Code), finding(Group::Shape)]);
    let both = "\"some-code\", \"some-shape\"";
    for (signals, action, decided, last) in [
        (
            both,
            Action::Notice,
            &[][..],
            "  - the waiver: notice, and decides: what it lifts is still to be mentioned",
        ),
        (
            both,
            Action::Allow,
            &[][..],
            "  - the waiver: allow, and decides: nothing is left that speaks against the release",
        ),
        (
            "\"some-code\"",
            Action::Notice,
            &["any-evidence"][..],
            "  - any-evidence [1 group]: notice, and decides",
        ),
    ] {
        let policy = format!(
            "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nsignals = [{signals}]\n\
             action = \"{action}\"\nreason = \"read\"\nauthor = \"Jo\"\nexpires = \"2026-12-31\"\n"
        );
        let policy = Policy::from_toml(&policy, "weir.toml").unwrap();
        let told = trace(&assessment, &aged(300), &policy);
        assert_eq!((told.action, deciding(&told)), (action, decided.to_vec()));
        assert_eq!(told.unwaived, Some(Action::Hold));
        let lines = crate::structure(&told);
        assert!(lines.contains(&last.to_owned()), "{lines:#?}");
        let lifted = "the waiver by Jo through 2026-12-31 (read) lifts some-code";
        assert!(lines.iter().any(|line| line.contains(lifted)), "{lines:#?}");
        assert!(
            lines.contains(&"  without the waiver: hold (some-groups)".to_owned()),
            "{lines:#?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("  - some-groups [")
                    && line.ends_with("does not apply (without the waiver: hold)")),
            "{lines:#?}"
        );
        assert!(
            !lines
                .iter()
                .any(|line| line.contains("the strictest answer"))
        );
    }
}

#[test]
fn unknown_publishers_are_said_and_decided_by_policy() {
    let mut assessment = release(vec![]);
    assessment.incomplete.push(Incomplete {
        what: weir_model::assessment::PUBLISHER.into(),
        why: "the registry does not say who published it".into(),
    });
    let decision = super::super::decide(&assessment, &aged(300), &Policy::default());
    assert_eq!(decision.action, Action::Allow);
    assert_eq!(
        decision.reasons,
        ["not known: who published it"],
        "a gap is no reason to allow"
    );
    let served = trace(&assessment, &aged(300), &Policy::default());
    assert_eq!(served.action, Action::Allow);
    assert!(deciding(&served).is_empty());
    assert_eq!(
        crate::explain(&decision, &assessment, &Policy::default()),
        [
            "left-pad@1.3.1: allowed, it is served",
            "  not known: who published it"
        ]
    );
    let strict = "[decide]\nunknown_publisher = \"hold\"\n";
    let strict = Policy::from_toml(strict, "weir.toml").unwrap();
    let held = trace(&assessment, &aged(300), &strict);
    assert_eq!(held.action, Action::Hold);
    assert_eq!(deciding(&held), ["unknown-publisher"]);
    assert_eq!(
        told(&held.milder),
        "everything could be checked (publisher) -> allow"
    );
}

#[test]
fn the_table_of_groups_has_each_once_and_counts_all_but_age() {
    for (place, rule) in GROUPS.iter().enumerate() {
        assert_eq!(rule.cap > 0, rule.group.is_evidence(), "{}", rule.group);
        let later = GROUPS.iter().skip(place + 1);
        assert!(later.clone().all(|other| other.group != rule.group));
        assert!(later.clone().all(|other| other.group > rule.group));
    }
    assert_eq!(GROUPS.len(), 10);
}

#[test]
fn popular_packages_are_told_what_softens_the_answer() {
    let assessment = release(vec![{
        let mut certain = finding(Group::Code);
        certain.decisive = true;
        certain
    }]);
    let context = Context {
        rank: Some(5),
        ..aged(300)
    };
    let popular = trace(&assessment, &context, &Policy::default());
    assert_eq!(popular.action, Action::Hold);
    assert!(
        popular
            .rules
            .iter()
            .any(|rule| rule.softened && rule.decided)
    );
}
