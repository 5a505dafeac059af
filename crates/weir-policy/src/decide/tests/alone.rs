//! Tarballs and folders that somebody inspects, without a registry that tells of them.

use super::*;

/// A tarball or folder alone has no history: that is told, and what else could not be checked holds as ever.
#[test]
fn what_a_tarball_alone_cannot_have_is_told_and_holds_nothing() {
    let gap = |what: &str, why: &str| Incomplete {
        what: what.to_owned(),
        why: why.to_owned(),
    };
    let mut assessment = release(vec![]);
    let missing = ["manifest", "history", weir_model::assessment::PUBLISH_TIME];
    assessment.incomplete = missing.map(|what| gap(what, ALONE)).to_vec();
    let looked_at = Context {
        request: Request::Inspection,
        ..Context::new(time(NOW))
    };
    let decision = decide(&assessment, &looked_at, &Policy::default());
    assert_eq!(decision.action, Allow);
    let told = assessment.incomplete.iter().map(gap_in_words);
    assert_eq!(decision.reasons, told.collect::<Vec<_>>());
    let strict = policy("[decide]\nincomplete_unseen = \"block\"\n");
    assert_eq!(decide(&assessment, &looked_at, &strict).action, Allow);
    // What its history could excuse or confirm is missed where its code speaks against it.
    for (severity, expected) in [
        (Severity::Low, Notice),
        (Severity::Medium, Notice),
        (Severity::High, Hold),
    ] {
        assessment.findings = vec![finding(Code)];
        assessment.findings[0].severity = severity;
        assert_eq!(action(&assessment, &looked_at), expected, "{severity:?}");
    }
    assessment.findings.clear();
    // Whoever installs a release is not somebody who looks at a tarball.
    assert_eq!(action(&assessment, &old()), Hold);
    assessment.incomplete.push(gap("contents", "timed out"));
    let decision = decide(&assessment, &looked_at, &Policy::default());
    assert_eq!(decision.action, Hold);
    assert_eq!(decision.reasons.len(), 5, "{:?}", decision.reasons);
    let milder = trace(&assessment, &looked_at, &Policy::default()).milder;
    assert_eq!(milder[0].if_so, ["everything could be checked (contents)"]);
}
