//! What waivers cover, and what none does.

use super::*;
use crate::config::NEVER_SILENT;

#[test]
fn waivers_only_concern_their_package_versions_and_time() {
    let assessment = groups(&[Execution, Code]);
    let all = waiver(&format!("action = \"allow\"\n{UNTIL}"));
    for (from, to, expected) in [
        ("1.3.1", "^1.3.0", Allow),
        ("1.3.1", "1.3.0", Hold),
        ("1.3.1", "*", Allow),
        ("\"left-pad\"", "\"left-*\"", Allow),
        ("\"left-pad\"", "\"right-pad\"", Hold),
        ("2026-12-31", "2026-11-22", Allow),
        ("2026-12-31", "2026-11-21", Hold),
        ("2026-12-31", "2026-11-22T12:00:00Z", Hold),
        ("2026-12-31", "2026-11-22T12:00:01Z", Allow),
    ] {
        let policy = policy(&all.replace(from, to));
        assert_eq!(
            decide(&assessment, &old(), &policy).action,
            expected,
            "{to}"
        );
    }
}

#[test]
fn expired_waivers_do_nothing_and_are_mentioned() {
    let ended = "expires = \"2026-11-01\"";
    let told = |rest: &str| {
        let policy = policy(&waiver(rest));
        let decision = decide(&groups(&[Execution, Code]), &old(), &policy);
        assert_eq!((decision.action, decision.waiver), (Hold, None));
        decision.reasons.last().unwrap().clone()
    };
    let mention = "a waiver by Jo for left-pad 1.3.1 expired (2026-11-01) and does nothing";
    assert_eq!(told(&format!("action = \"allow\"\n{ended}")), mention);
    assert_ne!(
        told(&format!(
            "action = \"allow\"\nsignals = [\"another\"]\n{ended}"
        )),
        mention
    );
    // Nothing to waive, nothing to mention.
    let policy = policy(&waiver(&format!("action = \"allow\"\n{ended}")));
    assert_eq!(decide(&release(vec![]), &old(), &policy), Decision::allow());
}

#[test]
fn waivers_cover_age_and_gaps_by_name() {
    let named = |signals: &str| {
        policy(&waiver(&format!(
            "action = \"allow\"\nsignals = [{signals}]\n{UNTIL}"
        )))
    };
    assert_eq!(
        decide(&release(vec![]), &aged(1), &named("\"young-release\"")).action,
        Allow
    );
    assert_eq!(
        decide(&release(vec![]), &aged(1), &named("\"some-code\"")).action,
        Hold
    );
    let mut incomplete = release(vec![]);
    incomplete.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    assert_eq!(
        decide(&incomplete, &old(), &named("\"incomplete-assessment\"")).action,
        Allow
    );
    assert_eq!(
        decide(&incomplete, &old(), &named("\"young-release\"")).action,
        Hold
    );
    let all = policy(&waiver(&format!("action = \"notice\"\n{UNTIL}")));
    let decision = decide(&incomplete, &aged(1), &all);
    assert_eq!(decision.action, Notice);
    assert!(
        decision
            .reasons
            .contains(&"could not check contents: timed out".to_owned())
    );
    // Evidence waived, age still holds, and ends by itself.
    let decision = decide(
        &groups(&[Execution, Code]),
        &aged(1),
        &named("\"some-code\", \"some-execution\""),
    );
    assert_eq!((decision.action, decision.waiver.is_some()), (Hold, false));
    assert!(decision.until.is_some());
}

#[test]
fn bytes_that_could_be_anything_are_held_whatever_is_allowed_or_waived() {
    let mut assessment = release(vec![]);
    assessment.incomplete.push(Incomplete {
        what: weir_model::assessment::INTEGRITY.into(),
        why: "the registry gives none".into(),
    });
    let known = Context {
        established: true,
        served_before: true,
        ..old()
    };
    let lax =
        "[decide]\nincomplete_unseen = \"allow\"\nincomplete_established = \"allow\"\n".to_owned();
    let named = waiver(&format!(
        "action = \"allow\"\nsignals = [\"incomplete-assessment\"]\n{UNTIL}"
    ));
    let all = waiver(&format!("action = \"allow\"\n{UNTIL}"));
    for text in ["".to_owned(), lax.clone(), format!("{lax}{named}"), all] {
        for context in [&old(), &known] {
            let decision = decide(&assessment, context, &policy(&text));
            assert_eq!(decision.action, Hold, "{text}");
            assert_eq!(
                decision.reasons.first().map(String::as_str),
                Some("held: the registry gives no integrity to check the tarball against"),
                "{text}"
            );
            assert!(
                decision.waiver.is_none() && decision.until.is_none(),
                "{text}"
            );
        }
    }
    let strict = policy("[decide]\nincomplete_unseen = \"block\"\n");
    assert_eq!(decide(&assessment, &old(), &strict).action, Block);
}

#[test]
fn a_mismatch_is_only_waived_by_name_and_never_in_silence() {
    for signal in NEVER_SILENT {
        let mismatch = Finding {
            signal: (*signal).into(),
            ..decisive(Shape)
        };
        let assessment = release(vec![mismatch, finding(Code)]);
        let all = policy(&waiver(&format!("action = \"allow\"\n{UNTIL}")));
        assert_eq!(decide(&assessment, &old(), &all).action, Block);
        let named = policy(&waiver(&format!(
            "action = \"allow\"\nsignals = [\"{signal}\", \"some-code\"]\n{UNTIL}"
        )));
        let decision = decide(&assessment, &old(), &named);
        assert_eq!(decision.action, Notice);
        let told = format!("[{signal}]");
        let mut reasons = decision.reasons.iter();
        assert!(reasons.any(|reason| reason.ends_with(&told)), "{signal}");
    }
}
