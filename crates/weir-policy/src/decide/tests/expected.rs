//! What is expected of a release and could not be verified.

use weir_model::assessment::{ATTESTATIONS, PUBLISH_TIME, SIGNATURE};

use super::*;
use Action::{Block, Hold, Notice};

fn lacking(gaps: &[&str]) -> Assessment {
    let mut assessment = release(vec![]);
    assessment
        .incomplete
        .extend(gaps.iter().map(|what| Incomplete {
            what: (*what).to_owned(),
            why: "no answer".to_owned(),
        }));
    assessment
}

/// A release that passes with a notice, whatever of it could not be checked.
fn known() -> Context {
    Context {
        established: true,
        served_before: true,
        ..old()
    }
}

const EXPECTED: &str = "[[expect]]\npackage = \"left-*\"\n";

#[test]
fn what_is_expected_and_could_not_be_verified_waits_however_well_known() {
    let lax = "[decide]\nincomplete_unseen = \"allow\"\nincomplete_established = \"allow\"\n";
    for (keys, gap, action) in [
        ("", ATTESTATIONS, Hold),
        ("", SIGNATURE, Hold),
        ("evidence = \"signature\"", SIGNATURE, Hold),
        ("evidence = \"signature\"", ATTESTATIONS, Notice),
        ("on_breach = \"count\"", ATTESTATIONS, Notice),
        ("since = \"2026-11-12\"", ATTESTATIONS, Hold),
        ("since = \"2026-11-13\"", ATTESTATIONS, Notice),
        ("", "contents", Notice),
    ] {
        let expected = format!("{EXPECTED}{keys}\n");
        let decision = decide(&lacking(&[gap]), &known(), &policy(&expected));
        assert_eq!(decision.action, action, "{keys} {gap}");
        let lax = policy(&format!("{lax}{expected}"));
        let decision = decide(&lacking(&[gap]), &known(), &lax);
        assert_eq!(decision.action == Hold, action == Hold, "{keys} {gap}");
        // Nobody expects anything of others.
        let others = policy(&expected.replace("left-", "right-"));
        let decision = decide(&lacking(&[gap]), &known(), &others);
        assert_eq!(decision.action, Notice, "{keys} {gap}");
    }
}

#[test]
fn the_moment_weir_first_saw_it_takes_it_out_of_no_expectation() {
    let later = policy(&format!("{EXPECTED}since = \"2026-11-20\"\n"));
    let assessment = lacking(&[ATTESTATIONS, PUBLISH_TIME]);
    assert_eq!(decide(&assessment, &known(), &later).action, Hold);
}

#[test]
fn waiting_to_be_verified_is_told_and_waived_like_other_gaps() {
    let decision = decide(&lacking(&[ATTESTATIONS]), &known(), &policy(EXPECTED));
    assert_eq!(
        decision.reasons,
        [
            "held: something is expected of its origin and could not be verified",
            "could not check attestations: no answer",
            "published 2026-11-12T12:00:00Z",
        ]
    );
    assert!(decision.until.is_none());
    let waived = waiver(
        "action = \"notice\"\nsignals = [\"incomplete-assessment\"]\nexpires = \"2026-12-31\"",
    );
    let waived = policy(&format!("{EXPECTED}{waived}"));
    let decision = decide(&lacking(&[ATTESTATIONS]), &known(), &waived);
    assert_eq!((decision.action, decision.waiver.is_some()), (Notice, true));
    // A setting that is stricter stays so.
    let strict = format!("[decide]\nincomplete_unseen = \"block\"\n{EXPECTED}");
    let decision = decide(&lacking(&[ATTESTATIONS]), &old(), &policy(&strict));
    assert_eq!(decision.action, Block);
}
