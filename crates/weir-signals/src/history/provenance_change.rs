//! `provenance-change`: the release was built elsewhere, or in another way, than the one before.

use weir_model::{ClaimChange, ClaimKind, Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Triggers that let somebody from outside start a build with the project's rights (INCIDENTS B16: a pull
/// request or a comment).
const OUTSIDE: &[&str] = &[
    "pull_request_target",
    "pull_request",
    "issue_comment",
    "issues",
    "workflow_run",
    "repository_dispatch",
];

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "provenance-change",
    summary: "The release was built elsewhere, or in another way, than the one before",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Trust,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Manifest],
    incidents: &["tanstack, 2026", "nx, 2025"],
    documentation: Documentation {
        sees: "What the certificates of two verified provenances say: repository and owner with their numbers, \
               workflow, signing workflow, branch or tag, trigger, kind of machine, deployment environment. The \
               release is compared with the last one before it of its line that has provenance which holds. What changes with \
               every build is left out, and so is a repository that was renamed and kept its number.",
        matters: "Valid provenance only says where a release was built. Attackers who cannot steal a token let the \
                  project's own pipeline build for them: from a branch where releases come from tags, from another \
                  workflow, started by a pull request, on a machine of their own, or in a repository whose name \
                  they registered after it was given up.",
        wrong: "Projects move, rename their workflows and change how they release; then this is seen once, with the \
                first release made that way.",
        todo: "Look at the run that the provenance names, and at the change that introduced the new workflow or \
               branch. Ask the project if nothing explains it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(trust) = subject.trust else {
        return;
    };
    let (Some(since), Some(severity)) = (
        trust.since.as_deref(),
        trust.changes.iter().filter_map(weight).max(),
    ) else {
        return;
    };
    let telling: Vec<&ClaimChange> = trust
        .changes
        .iter()
        .filter(|change| weight(change).is_some())
        .collect();
    let kinds: Vec<&str> = telling.iter().map(|change| change.claim.as_str()).collect();
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "Its provenance is not that of {since}: {} changed",
            kinds.join(", ")
        ),
        400,
    ));
    finding.severity = severity;
    for change in telling {
        finding.evidence.push(Evidence::change(
            format!("{} ({since} -> {})", change.claim.as_str(), subject.version),
            Some(&change.before),
            Some(&change.after),
        ));
    }
    observation.find(finding);
}

/// How bad a change would be; nothing for those that projects make without anything being wrong, and for
/// lost provenance, which `trust-downgrade` sees.
fn weight(change: &ClaimChange) -> Option<Severity> {
    match change.claim {
        ClaimKind::RepositoryReplaced
        | ClaimKind::Repository
        | ClaimKind::Issuer
        | ClaimKind::Runner => Some(Severity::High),
        ClaimKind::Trigger if OUTSIDE.contains(&change.after.as_str()) => Some(Severity::High),
        ClaimKind::Workflow | ClaimKind::Signer | ClaimKind::Reference | ClaimKind::Environment => {
            Some(Severity::Medium)
        }
        ClaimKind::Lost | ClaimKind::Trigger | ClaimKind::Visibility | ClaimKind::SameRun => None,
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use weir_model::{AttestationState, Claims, SignatureState};

    use crate::sample::{Sample, Scene, claims, trust};
    let scene = |change: fn(&mut Claims)| {
        let before = claims();
        let mut after = claims();
        after.commit = Some("bb".to_owned());
        after.run = Some("https://git.example.invalid/mara/left-lib/actions/runs/2".to_owned());
        after.reference = Some("refs/tags/v1.4.1".to_owned());
        change(&mut after);
        let mut trust = trust(
            SignatureState::Unsigned,
            AttestationState::Verified {
                claims: Some(Box::new(after.clone())),
            },
        );
        trust.since = Some("1.4.0".to_owned());
        trust.changes = after.changes_since(&before);
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2026-04-01T09:00:00Z", "{}")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .trust(trust)
    };
    vec![
        Sample::flagged(
            "Built from a branch, where releases come from tags",
            scene(|claims| claims.reference = Some("refs/heads/patch-1".to_owned())),
        ),
        Sample::flagged(
            "Built in a repository of the same name and another number",
            scene(|claims| claims.repository_id = Some("99".to_owned())),
        ),
        Sample::flagged(
            "Built by the right workflow, started by a pull request of a stranger",
            scene(|claims| claims.trigger = Some("pull_request_target".to_owned())),
        ),
        Sample::flagged(
            "Built on a machine of the owner's own",
            scene(|claims| claims.runner = Some("self-hosted".to_owned())),
        ),
        Sample::passing(
            "Near miss: started by hand, where a pushed tag did it before",
            scene(|claims| claims.trigger = Some("workflow_dispatch".to_owned())),
        ),
        Sample::passing(
            "The next tag of a repository that was renamed",
            scene(|claims| {
                claims.repository = "https://git.example.invalid/mara/right-lib".to_owned();
            }),
        ),
    ]
}
