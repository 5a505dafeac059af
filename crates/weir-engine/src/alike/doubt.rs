//! Refusals that are not sure enough to know other packages by. What is remembered as bad blocks whatever holds it,
//! the next releases of the package first: an honest tool that was misread once would stay refused for good.

use std::sync::Arc;

use jiff::SignedDuration;
use weir_model::{Assessment, Group};
use weir_npm::name::PackageName;
use weir_signals::Layer;

use crate::engine::Engine;

/// How long ago a release must have come out to be part of a long past, and how many of them make one: the same
/// half a year and 20 releases after which signals take what a package does at install for its habit.
const PAST: SignedDuration = SignedDuration::from_hours(180 * 24);
const PAST_RELEASES: usize = 20;

/// Whether nothing but code and name speaks against a release, and nothing of it is new since the release before.
pub(super) fn is_mere_code(assessment: &Assessment) -> bool {
    assessment.counted().all(|finding| {
        let is_of_history = weir_signals::find(&finding.signal)
            .is_some_and(|signal| signal.layer == Layer::History);
        matches!(finding.group, Group::Code | Group::Name) && !is_of_history
    })
}

impl Engine {
    /// Whether a package has had many releases for long, besides this one.
    pub(super) async fn has_long_past(self: &Arc<Self>, name: &str, version: &str) -> bool {
        let Ok(name) = PackageName::parse(name) else {
            return false;
        };
        let Ok(held) = self.packuments.get(&name).await else {
            return false;
        };
        let others = held.packument.versions().iter();
        let old = others.filter(|entry| {
            let published = held.packument.published(&entry.version);
            entry.version != version
                && published.is_some_and(|it| self.now().duration_since(it) >= PAST)
        });
        old.count() >= PAST_RELEASES
    }
}

#[cfg(test)]
mod tests {
    use weir_model::{Confidence, Finding, ReleaseId, Severity};

    use super::*;

    #[test]
    fn a_refusal_is_doubtful_where_only_code_that_is_not_new_speaks() {
        let code = ("credential-exfiltration", Group::Code, Severity::Critical);
        for (says, more, doubtful) in [
            ("code alone", None, true),
            (
                "a name as well",
                Some(("lookalike-name", Group::Name, Severity::Low)),
                true,
            ),
            (
                "age, which is no evidence",
                Some(("young-release", Group::Age, Severity::Medium)),
                true,
            ),
            (
                "a script of long standing",
                Some(("new-install-script", Group::Execution, Severity::Info)),
                true,
            ),
            (
                "the release before did not send it",
                Some(("new-flow", Group::Code, Severity::High)),
                false,
            ),
            (
                "a new script",
                Some(("new-install-script", Group::Execution, Severity::Medium)),
                false,
            ),
            (
                "somebody else",
                Some(("new-publisher", Group::Identity, Severity::Medium)),
                false,
            ),
        ] {
            let findings = std::iter::once(code).chain(more);
            let findings = findings.map(|(signal, group, severity)| Finding {
                signal: signal.to_owned(),
                group,
                severity,
                confidence: Confidence::High,
                decisive: false,
                message: "something".to_owned(),
                evidence: Vec::new(),
            });
            let assessment = Assessment {
                release: ReleaseId {
                    name: "sluice".to_owned(),
                    version: "1.0.0".to_owned(),
                    integrity: None,
                },
                findings: findings.collect(),
                incomplete: Vec::new(),
            };
            assert_eq!(is_mere_code(&assessment), doubtful, "{says}");
        }
    }
}
