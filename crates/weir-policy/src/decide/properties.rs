//! What holds for every assessment, context and policy.

use jiff::SignedDuration;
use proptest::prelude::*;
use weir_model::{Confidence, Finding, Group, Incomplete, Severity};

use super::tests::{NOW, finding, release, time};
use super::*;
use crate::config::{NEVER_SILENT, Waiver};

const GROUPS: [Group; 10] = [
    Group::Identity,
    Group::Trust,
    Group::Execution,
    Group::Dependency,
    Group::Shape,
    Group::Code,
    Group::Runtime,
    Group::Name,
    Group::Intel,
    Group::Age,
];
const SEVERITIES: [Severity; 5] = [
    Severity::Info,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];
const GAPS: [&str; 5] = [
    "contents",
    weir_model::assessment::PUBLISH_TIME,
    weir_model::assessment::PUBLISHER,
    weir_model::assessment::INTEGRITY,
    weir_model::assessment::ATTESTATIONS,
];
const SIGNALS: [&str; 6] = [
    "one",
    "two",
    "three",
    "integrity-mismatch",
    "failed-verification",
    "young-release",
];

fn a_finding() -> impl Strategy<Value = Finding> {
    let parts = (
        0..SIGNALS.len(),
        0..GROUPS.len(),
        0..SEVERITIES.len(),
        prop::bool::weighted(0.15),
    );
    parts.prop_map(|(signal, group, severity, decisive)| Finding {
        signal: SIGNALS[signal].to_owned(),
        severity: SEVERITIES[severity],
        confidence: Confidence::Medium,
        decisive,
        ..finding(GROUPS[group])
    })
}

fn an_assessment() -> impl Strategy<Value = Assessment> {
    let gaps = prop::sample::subsequence(GAPS.to_vec(), 0..=GAPS.len());
    (prop::collection::vec(a_finding(), 0..6), gaps).prop_map(|(findings, gaps)| {
        let gap = |what: &str| Incomplete {
            what: what.to_owned(),
            why: "timed out".to_owned(),
        };
        Assessment {
            incomplete: gaps.into_iter().map(gap).collect(),
            ..release(findings)
        }
    })
}

fn a_context() -> impl Strategy<Value = Context> {
    let requests = prop::sample::select(vec![
        Request::NewResolution,
        Request::Pinned,
        Request::Inspection,
    ]);
    let hours = prop::option::of(0_i64..100);
    let rank = prop::option::of(prop::sample::select(vec![1_u32, 10_000, 10_001]));
    (requests, hours, rank, any::<[bool; 4]>()).prop_map(|(request, hours, rank, flags)| Context {
        request,
        published: hours.map(|hours| time(NOW) - SignedDuration::from_hours(hours)),
        rank,
        served_before: flags[0],
        established: flags[1],
        fixes_advisory_of: flags[2].then(|| "GHSA-x".to_owned()),
        instead: flags[3].then(|| "1.3.0".to_owned()),
        ..Context::new(time(NOW))
    })
}

fn a_waiver() -> impl Strategy<Value = Waiver> {
    let mut names = SIGNALS.to_vec();
    names.push("incomplete-assessment");
    let signals = prop::sample::subsequence(names, 0..5);
    let versions = prop::sample::select(vec!["1.3.1", "^1", "2"]);
    let ends = prop::sample::select(vec!["2026-12-31", "2026-01-01"]);
    (signals, any::<bool>(), versions, ends).prop_map(|(signals, allow, versions, ends)| {
        let action = if allow { "allow" } else { "notice" };
        let signals = match signals.is_empty() {
            true => String::new(),
            false => format!("signals = {signals:?}\n"),
        };
        let text = format!(
            "[[waiver]]\npackage = \"left-*\"\nversions = \"{versions}\"\n{signals}\
             action = \"{action}\"\nreason = \"r\"\nauthor = \"a\"\nexpires = \"{ends}\"\n"
        );
        Policy::from_toml(&text, "w").unwrap().waivers.remove(0)
    })
}

fn a_policy() -> impl Strategy<Value = Policy> {
    let settings = (
        1_u32..4,
        0_u32..3,
        prop::sample::subsequence(vec!["one", "two"], 0..=2),
        prop::sample::select(vec!["", "block", "count"]),
    );
    (settings, prop::collection::vec(a_waiver(), 0..4)).prop_map(
        |((hold, more, off, expects), waivers)| {
            let mut text = format!(
                "[decide]\nhold_groups = {hold}\nblock_groups = {}\n[signals]\n",
                hold + more
            );
            for (signal, setting) in off.iter().zip(["off", "low"]) {
                text.push_str(&format!("{signal} = \"{setting}\"\n"));
            }
            if !expects.is_empty() {
                text.push_str(&format!(
                    "[[expect]]\npackage = \"left-*\"\non_breach = \"{expects}\"\n"
                ));
            }
            Policy {
                waivers,
                ..Policy::from_toml(&text, "p").unwrap()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_finding_never_makes_it_milder(
        assessment in an_assessment(), more in a_finding(), at in 0_usize..6,
        context in a_context(), policy in a_policy(),
    ) {
        let before = decide(&assessment, &context, &policy).action;
        let mut worse = assessment.clone();
        worse.findings.insert(at.min(worse.findings.len()), more);
        prop_assert!(decide(&worse, &context, &policy).action >= before);
    }

    #[test]
    fn another_waiver_never_makes_it_stricter(
        assessment in an_assessment(), more in a_waiver(), context in a_context(), policy in a_policy(),
    ) {
        let before = decide(&assessment, &context, &policy);
        let mut waived = policy.clone();
        waived.waivers.push(more);
        let after = decide(&assessment, &context, &waived);
        prop_assert!(after.action <= before.action);
        prop_assert!(after.action == before.action || after.waiver.is_some());
    }

    #[test]
    fn decisions_are_the_same_each_time_and_hold_together(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let decision = decide(&assessment, &context, &policy);
        prop_assert_eq!(&decision, &decide(&assessment, &context, &policy));
        prop_assert!(decision.until.is_none() || decision.action == Action::Hold);
        prop_assert!(decision.until.is_none_or(|until| until > context.now));
        prop_assert!(decision.instead.is_none() || !decision.action.serves());
        prop_assert!(decision.action == Action::Allow || !decision.reasons.is_empty());
        prop_assert!(!decision.groups.contains(&Group::Age));
    }

    #[test]
    fn a_mismatch_is_never_silent(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let mismatch = |finding: &Finding| {
            NEVER_SILENT.contains(&finding.signal.as_str())
                && finding.group.is_evidence() && finding.severity > Severity::Info
        };
        if assessment.findings.iter().any(mismatch) {
            prop_assert!(decide(&assessment, &context, &policy).action > Action::Allow);
        }
    }

    #[test]
    fn bytes_that_could_be_anything_are_never_served(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let decision = decide(&assessment, &context, &policy);
        let bare = assessment.incomplete.iter().any(|gap| gap.what == weir_model::assessment::INTEGRITY);
        prop_assert!(!(bare && decision.action.serves()));
    }

    #[test]
    fn what_is_expected_and_not_verified_is_only_served_under_a_waiver(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let open = policy.waits_to_verify(weir_model::assessment::ATTESTATIONS, "left-pad", context.published);
        let gap = assessment.incomplete.iter().any(|gap| gap.what == weir_model::assessment::ATTESTATIONS);
        if open && gap {
            let decision = decide(&assessment, &context, &policy);
            prop_assert!(decision.waiver.is_some() || !decision.action.serves());
        }
    }

    #[test]
    fn a_traced_decision_is_the_decision(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let decision = decide(&assessment, &context, &policy);
        prop_assert_eq!(trace(&assessment, &context, &policy).action, decision.action);
    }

    #[test]
    fn popular_packages_are_never_blocked_on_name_and_code_or_advisories_alone(
        assessment in an_assessment(), context in a_context(), policy in a_policy(),
    ) {
        let decision = decide(&assessment, &context, &policy);
        let popular = context.rank.is_some_and(|rank| rank <= 10_000);
        let only = |allowed: &[Group]| decision.groups.iter().all(|group| allowed.contains(group));
        if popular && (only(&[Group::Name, Group::Code]) || only(&[Group::Intel])) {
            prop_assert!(decision.action < Action::Block);
        }
    }
}
