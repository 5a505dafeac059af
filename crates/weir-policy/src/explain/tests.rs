use weir_model::{Confidence, Finding, Group, Incomplete, ReleaseId, Severity};

use super::*;
use crate::{Context, Policy, decide};

const URL: &str = "http://127.0.0.1:4873/-/weir/why/w-0123456789";

fn assessment(findings: &[(&str, Group)]) -> Assessment {
    let finding = |(signal, group): &(&str, Group)| Finding {
        signal: (*signal).to_owned(),
        group: *group,
        severity: Severity::High,
        confidence: Confidence::High,
        decisive: false,
        message: format!("what {signal} saw"),
        evidence: Vec::new(),
    };
    Assessment {
        release: ReleaseId {
            name: "@acme/x".into(),
            version: "1.2.3".into(),
            integrity: None,
        },
        findings: findings.iter().map(finding).collect(),
        incomplete: Vec::new(),
    }
}

fn context(published: &str) -> Context {
    Context {
        published: Some(published.parse().unwrap()),
        instead: Some("1.2.2".into()),
        ..Context::new("2026-11-22T12:00:00Z".parse().unwrap())
    }
}

const OLD: &str = "2026-11-01T00:00:00Z";

fn held() -> (Assessment, Decision) {
    let assessment = assessment(&[("new-hook", Group::Execution), ("new-host", Group::Code)]);
    let decision = decided(&assessment, &context(OLD), &Policy::default());
    (assessment, decision)
}

/// The decision as it is kept: with its circumstances.
fn decided(assessment: &Assessment, context: &Context, policy: &Policy) -> Decision {
    Decision {
        circumstances: Some(context.circumstances()),
        ..decide(assessment, context, policy)
    }
}

fn told(decision: &Decision, assessment: &Assessment) -> Vec<String> {
    explain(decision, assessment, &Policy::default())
}

fn proposed(decision: &Decision, assessment: &Assessment) -> Option<String> {
    proposal(decision, assessment, &Policy::default()).ok()
}

fn id() -> BlockId {
    BlockId("w-0123456789".into())
}

#[test]
fn refusals_say_what_why_what_instead_and_where_to_read_on() {
    let (_, decision) = held();
    assert_eq!(
        refusal_line(&decision, "@acme/x", "1.2.3", &id(), URL),
        "Held by weir: @acme/x@1.2.3, two independent kinds of evidence (execution, code): what new-hook \
         saw [new-hook]. Use 1.2.2 instead. See http://127.0.0.1:4873/-/weir/why/w-0123456789 [w-0123456789]"
    );
    let blocked = Decision {
        action: Action::Block,
        instead: None,
        ..decision
    };
    let line = refusal_line(&blocked, "@acme/x", "1.2.3", &id(), "");
    assert!(
        line.starts_with("Blocked by weir: @acme/x@1.2.3, two"),
        "{line}"
    );
    assert!(line.ends_with("[new-hook]. [w-0123456789]"), "{line}");
}

#[test]
fn deprecation_texts_begin_so_that_nobody_takes_them_for_the_publishers() {
    let (_, decision) = held();
    let text = deprecation_text(&decision, "@acme/x", "1.2.3", &id(), URL);
    assert!(
        text.starts_with("HELD by weir: @acme/x@1.2.3, two"),
        "{text}"
    );
    let blocked = Decision {
        action: Action::Block,
        ..decision
    };
    assert!(deprecation_text(&blocked, "a", "1.0.0", &id(), URL).starts_with("BLOCKED by weir: "));
}

#[test]
fn whatever_goes_in_a_refusal_stays_one_short_ascii_line() {
    let long = "x".repeat(2_000);
    let nasty = "\u{202e}é\r\nset-cookie: a=b\0\u{1b}[2J";
    for text in ["", "a", nasty, long.as_str()] {
        let decision = Decision {
            action: Action::Block,
            reasons: vec![text.to_owned(), text.to_owned()],
            instead: Some(text.to_owned()),
            ..Decision::allow()
        };
        for limit_and_line in [
            (
                REFUSAL_CHARS,
                refusal_line(&decision, text, text, &BlockId(text.to_owned()), text),
            ),
            (
                REFUSAL_CHARS,
                refusal_line(&decision, text, text, &id(), URL),
            ),
            (
                DEPRECATION_CHARS,
                deprecation_text(&decision, text, text, &id(), text),
            ),
        ] {
            let (limit, line) = limit_and_line;
            assert!(line.len() <= limit, "{} {line}", line.len());
            assert!(
                line.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
                "{line}"
            );
        }
        let line = refusal_line(&decision, text, text, &id(), URL);
        assert!(line.ends_with("[w-0123456789]"), "{line}");
        assert!(line.contains(URL), "{line}");
    }
}

#[test]
fn explanations_end_with_what_to_do_next() {
    let (assessment, decision) = held();
    assert_eq!(
        told(&decision, &assessment).join("\n"),
        "\
@acme/x@1.2.3: held, it is not served for now
  - held: two independent kinds of evidence (execution, code)
  - what new-hook saw [new-hook]
  - what new-host saw [new-host]
  - published 2026-11-01T00:00:00Z
What to do:
  - use 1.2.2 instead; ranges and tags pass over the refused release by themselves
  - or have it looked at, and ask for this in weir.toml:
    [[waiver]]
    package = \"@acme/x\"
    versions = \"1.2.3\"
    signals = [\"new-host\"]
    action = \"notice\"
    reason = \"<why this is acceptable>\"
    author = \"<your name>\"
    expires = \"<year-month-day>\""
    );
}

#[test]
fn an_allowed_release_needs_no_advice() {
    let assessment = assessment(&[]);
    let decision = decide(&assessment, &context(OLD), &Policy::default());
    assert_eq!(
        told(&decision, &assessment),
        ["@acme/x@1.2.3: allowed, it is served"]
    );
}

#[test]
fn why_no_release_is_named_is_told_by_what_would_be_named() {
    for (group, quiet) in [
        (Group::Execution, true),
        (Group::Code, true),
        (Group::Dependency, false),
        (Group::Identity, false),
    ] {
        let assessment = assessment(&[("one", group)]);
        let decision = Decision {
            action: Action::Block,
            instead: None,
            ..decided(&assessment, &context(OLD), &Policy::default())
        };
        let of = |lines: Vec<String>| {
            let mut lines = lines.into_iter();
            lines.find(|line| line.contains("no release to use instead is named"))
        };
        let line = of(told(&decision, &assessment)).unwrap();
        let rest = line.split_once("out for a week").unwrap().1;
        let expected = if quiet {
            " and runs nothing at install time"
        } else {
            ""
        };
        assert_eq!(rest, expected, "{group:?}");
        let unsought = explain_unsought(&decision, &assessment, &Policy::default());
        assert!(of(unsought).unwrap().contains("none was looked for"));
    }
}

/// The snippet, once filled in, is a waiver that works; unfilled, it is refused.
#[test]
fn the_suggested_waiver_lets_the_release_pass() {
    let mut incomplete = assessment(&[("new-hook", Group::Execution)]);
    incomplete.incomplete.push(Incomplete {
        what: "contents".into(),
        why: "timed out".into(),
    });
    let young = "2026-11-22T11:00:00Z";
    for (assessment, context) in [
        (held().0, context(OLD)),
        (assessment(&[]), context(young)),
        (
            assessment(&[("new-hook", Group::Execution)]),
            context(young),
        ),
        (incomplete, context(OLD)),
    ] {
        let decision = decided(&assessment, &context, &Policy::default());
        assert!(!decision.action.serves());
        let snippet = proposed(&decision, &assessment).unwrap();
        assert_eq!(
            Policy::from_toml(&snippet, "w")
                .unwrap_err()
                .mistakes()
                .len(),
            3
        );
        let filled = snippet
            .replace("<why this is acceptable>", "diff read")
            .replace("<your name>", "Jo")
            .replace("<year-month-day>", "2026-12-31");
        let policy = Policy::from_toml(&filled, "w").unwrap();
        let waived = decide(&assessment, &context, &policy);
        assert!(waived.action.serves(), "{snippet}");
        assert!(told(&waived, &assessment).contains(&"Waived: diff read".to_owned()));
    }
}

#[test]
fn no_waiver_is_suggested_for_bytes_that_are_not_what_was_published() {
    let mut assessment = assessment(&[("integrity-mismatch", Group::Shape)]);
    assessment.findings[0].decisive = true;
    let decision = decide(&assessment, &context(OLD), &Policy::default());
    assert_eq!(proposed(&decision, &assessment), None);
    let lines = told(&decision, &assessment);
    assert!(
        lines.last().unwrap().contains("not what was published"),
        "{lines:?}"
    );
}

/// Wrong bytes may have come only once, so that such a release is passed over for a while, and no longer.
#[test]
fn what_ranges_do_is_said_as_it_is() {
    for (signal, passed_over) in [
        ("integrity-mismatch", "for ten minutes, or until"),
        ("new-hook", "by themselves"),
    ] {
        let mut assessment = assessment(&[(signal, Group::Execution)]);
        assessment.findings[0].decisive = true;
        let mut decision = decided(&assessment, &context(OLD), &Policy::default());
        decision.action = Action::Block;
        decision.instead = Some("1.2.2".to_owned());
        let lines = told(&decision, &assessment).join("\n");
        let said = format!(
            "use 1.2.2 instead; ranges and tags pass over the refused release {passed_over}"
        );
        assert!(lines.contains(&said), "{lines}");
    }
}

/// It is held for another release: why it would be served is no reason, and the policy does not let it pass.
#[test]
fn what_is_held_unread_says_how_to_have_it_looked_at() {
    let mut assessment = assessment(&[("new-hook", Group::Execution)]);
    assessment.findings[0].severity = Severity::Medium;
    let served = decided(&assessment, &context(OLD), &Policy::default());
    assert!(served.action.serves(), "{served:?}");
    let held = held_unread(&served, &assessment.release, "1.2.0");
    assert_eq!(held.action, Action::Hold);
    assert!(is_held_unread(&held) && !is_held_unread(&served));
    let lines = told(&held, &assessment).join("\n");
    assert!(
        lines.contains(
            "  - held: it has what 1.2.0 brought, which is refused, and nobody has looked at it yet; `weir inspect \
             @acme/x@1.2.3` with the same data folder does, and frees it if it is fine\n"
        ),
        "{lines}"
    );
    for other in ["notice: ", "allowed: ", "ask for it again", "[[waiver]]"] {
        assert!(!lines.contains(other), "{other}: {lines}");
    }
    let line = refusal_line(&held, "@acme/x", "1.2.3", &id(), "");
    assert!(
        line.starts_with("Held by weir: @acme/x@1.2.3, it has what 1.2.0 brought"),
        "{line}"
    );
}

/// No waiver covers a missing integrity, and none can name what has no package's name: nobody is sent there.
#[test]
fn no_waiver_is_suggested_that_could_not_help() {
    let (mut nameless, decision) = held();
    nameless.release.name = "./x.tgz".to_owned();
    let (mut bare, _) = held();
    bare.incomplete.push(Incomplete {
        what: weir_model::assessment::INTEGRITY.into(),
        why: "the registry gives none".into(),
    });
    for (assessment, advice) in [(nameless, "this has none"), (bare, "no waiver covers that")] {
        assert_eq!(proposed(&decision, &assessment), None);
        let lines = told(&decision, &assessment);
        let last = lines.last().unwrap();
        assert!(last.contains(advice), "{last}");
    }
}

#[test]
fn a_refusal_that_names_no_other_release_says_why() {
    let (assessment, mut decision) = held();
    let says = |decision: &Decision| {
        let lines = told(decision, &assessment);
        lines
            .iter()
            .any(|line| line.contains("was found fine here"))
    };
    assert!(!says(&decision));
    decision.instead = None;
    assert!(says(&decision));
    // Of files on a disk nobody expects another.
    if let Some(circumstances) = &mut decision.circumstances {
        circumstances.request = weir_model::Request::Inspection;
    }
    assert!(!says(&decision));
}

#[test]
fn what_to_do_begins_with_no_or() {
    let (assessment, mut decision) = held();
    decision.instead = None;
    let first = |decision: &Decision, assessment: &Assessment| {
        let lines = told(decision, assessment);
        let place = lines.iter().position(|line| line == "What to do:").unwrap();
        lines[place + 1].clone()
    };
    assert_eq!(
        first(&decision, &assessment),
        "  - have it looked at, and ask for this in weir.toml:"
    );
    let young = Context {
        instead: None,
        ..context("2026-11-22T11:00:00Z")
    };
    let quiet = self::assessment(&[]);
    let decision = decided(&quiet, &young, &Policy::default());
    assert_eq!(
        first(&decision, &quiet),
        "  - wait: it will be served from 2026-11-23T11:00:00Z"
    );
}

fn gap(what: &str, why: &str) -> Incomplete {
    Incomplete {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

/// What is proposed was tried on the policy: it names what the policy counts, and nothing that it does not.
#[test]
fn a_waiver_is_proposed_for_what_the_policy_holds_against_the_release() {
    let mut minor = assessment(&[("odd-version", Group::Shape)]);
    minor.findings[0].severity = Severity::Info;
    let mut two = assessment(&[("new-hook", Group::Execution)]);
    two.findings.extend(minor.findings.clone());
    let mut nameless = held().0;
    nameless.incomplete.push(gap(
        weir_model::assessment::PUBLISHER,
        "the registry does not say who published it",
    ));
    let louder = "[signals]\n\"odd-version\" = \"high\"\n";
    let one = format!("[decide]\nhold_groups = 1\n{louder}");
    let minding = "[decide]\nunknown_publisher = \"hold\"\n";
    for (assessment, policy, signals) in [
        (&minor, one.as_str(), "[\"odd-version\"]"),
        (&two, one.as_str(), "[\"new-hook\", \"odd-version\"]"),
        (&two, louder, "[\"odd-version\"]"),
        (&nameless, "", "[\"new-host\"]"),
        (
            &nameless,
            minding,
            "[\"new-host\", \"incomplete-assessment\"]",
        ),
    ] {
        let policy = Policy::from_toml(policy, "weir.toml").unwrap();
        let decision = decided(assessment, &context(OLD), &policy);
        assert!(!decision.action.serves(), "{signals}");
        let snippet = proposal(&decision, assessment, &policy).unwrap();
        assert!(
            snippet.contains(&format!("signals = {signals}\n")),
            "{snippet}"
        );
    }
}

#[test]
fn where_no_waiver_was_seen_to_help_none_is_proposed_and_that_is_said() {
    let (assessment, decision) = held();
    let strict = Policy::default();
    let lax = Policy::from_toml("[decide]\nhold_groups = 3\n", "weir.toml").unwrap();
    let undated = Decision {
        circumstances: None,
        ..decision.clone()
    };
    let mut misnamed = assessment.clone();
    for finding in &mut misnamed.findings {
        finding.signal = "No Signal".to_owned();
    }
    for (decision, assessment, policy, advice) in [
        (&undated, &assessment, &strict, "were not kept"),
        (&decision, &assessment, &lax, "lets it pass"),
        (&decision, &misnamed, &strict, "no waiver lets it pass"),
    ] {
        let lines = explain(decision, assessment, policy);
        assert!(lines.last().unwrap().contains(advice), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("[[waiver]]")));
    }
}

/// The rule that decides, what was found, and only then its age: what is long is cut at the end.
#[test]
fn age_does_not_push_the_finding_out_of_a_refusal() {
    let young = context("2026-11-22T11:00:00Z");
    let pinned = Context {
        request: crate::Request::Pinned,
        ..young.clone()
    };
    let one = assessment(&[("new-hook", Group::Execution)]);
    let two = assessment(&[("new-hook", Group::Execution), ("new-host", Group::Code)]);
    for (assessment, context, expected) in [
        (
            &two,
            &young,
            "two independent kinds of evidence (execution, code): what new-hook saw [new-hook]; published",
        ),
        (
            &one,
            &pinned,
            "published 2026-11-22T11:00:00Z, younger than 24h: what new-hook saw [new-hook]; never served",
        ),
    ] {
        let decision = decide(assessment, context, &Policy::default());
        let line = deprecation_text(&decision, "@acme/x", "1.2.3", &id(), URL);
        assert!(line.contains(expected), "{line}");
        let short = refusal_line(&decision, "@acme/x", "1.2.3", &id(), URL);
        assert!(short.contains("[new-hook]"), "{short}");
    }
}

#[test]
fn a_hold_for_age_says_until_when() {
    let assessment = assessment(&[]);
    let decision = decide(
        &assessment,
        &context("2026-11-22T11:00:00Z"),
        &Policy::default(),
    );
    let lines = told(&decision, &assessment);
    assert!(
        lines.contains(&"  - or wait: it will be served from 2026-11-23T11:00:00Z".to_owned()),
        "{lines:?}"
    );
}
