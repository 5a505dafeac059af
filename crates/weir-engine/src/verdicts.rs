//! What weir makes of one release at present: assessment, decision, and for how long it holds.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::{Assessment, BlockId, Decision};

/// An assessment and the decision on it, as kept in memory and in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// All findings.
    pub assessment: Assessment,
    /// What is to happen.
    pub decision: Decision,
    /// When the release was published, or first seen where the registry does not say: see
    /// [`Verdict::is_first_seen`].
    pub published: Option<Timestamp>,
    /// SHA-512 of the tarball in hexadecimal, once its bytes are kept.
    pub blob: Option<String>,
    /// What it was decided under: policy, advisories, analyser. Another generation decides anew.
    pub generation: String,
    /// Whether the contents are still being read: the release was let through on its metadata
    /// because it is long established, and the full verdict follows.
    pub preliminary: bool,
}

/// How unread contents are called in what could not be checked.
const CONTENTS: &str = weir_signals::Input::Contents.as_str();

/// How releases before are called that nobody has looked at, and that a release was not measured by for that.
pub(crate) const EARLIER: &str = "earlier releases";

impl Verdict {
    /// The refusal's id.
    #[must_use]
    pub fn block_id(&self) -> BlockId {
        self.decision.block_id(
            &self.assessment.release.name,
            &self.assessment.release.version,
        )
    }

    /// Whether [`Verdict::published`] is the moment weir first saw the release: the registry does not say
    /// when it was published, and the assessment tells that as a gap.
    #[must_use]
    pub fn is_first_seen(&self) -> bool {
        let mut gaps = self.assessment.incomplete.iter();
        gaps.any(|gap| gap.what == weir_model::assessment::PUBLISH_TIME)
    }

    /// Whether releases before were left out because nobody has looked at them: once somebody has, the decision may be
    /// another one.
    #[must_use]
    pub fn awaits_earlier(&self) -> bool {
        let mut gaps = self.assessment.incomplete.iter();
        gaps.any(|gap| gap.what == EARLIER)
    }

    /// Whether it stands without a further look: time alone cannot change the decision (a hold that ends,
    /// a waiver that expires), and it was made by `now`. What a clock that ran ahead found old enough may
    /// be young still.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        let circumstances = self.decision.circumstances.as_ref();
        let is_made = circumstances.is_some_and(|it| it.now <= now);
        // Contents that could not be read are tried again: the next worker may fare better.
        let read = self
            .assessment
            .incomplete
            .iter()
            .all(|gap| gap.what != CONTENTS);
        is_made
            && !self.awaits_earlier()
            && self.decision.action.serves()
            && self.decision.waiver.is_none()
            && !self.preliminary
            && read
    }
}

/// How long a client waited, and for what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waited {
    /// For the upstream: packument and tarball.
    pub upstream: Duration,
    /// For the worker to read the contents.
    pub analysis: Duration,
}

#[cfg(test)]
mod tests {
    use weir_model::{Circumstances, Incomplete, ReleaseId, Request};

    use super::*;

    const MADE: &str = "2026-11-20T12:00:00Z";

    fn verdict() -> Verdict {
        Verdict {
            assessment: Assessment {
                release: ReleaseId {
                    name: "gauge-reader".into(),
                    version: "1.2.0".into(),
                    integrity: None,
                },
                findings: Vec::new(),
                incomplete: Vec::new(),
            },
            decision: Decision {
                circumstances: Some(Circumstances {
                    now: MADE.parse().unwrap(),
                    published: None,
                    rank: None,
                    request: Request::Pinned,
                    served_before: false,
                    fixes_advisory_of: None,
                }),
                ..Decision::allow()
            },
            published: None,
            blob: None,
            generation: String::new(),
            preliminary: false,
        }
    }

    #[test]
    fn a_verdict_stands_from_the_moment_it_was_made() {
        for (now, settled) in [
            ("2026-11-20T11:59:59Z", false),
            (MADE, true),
            ("2026-12-20T12:00:00Z", true),
        ] {
            assert_eq!(verdict().is_settled(now.parse().unwrap()), settled, "{now}");
        }
        let now = MADE.parse().unwrap();
        let mut undated = verdict();
        undated.decision.circumstances = None;
        let mut waived = verdict();
        waived.decision.waiver = Some("read".into());
        let mut unread = verdict();
        unread.assessment.incomplete.push(Incomplete {
            what: CONTENTS.into(),
            why: "timed out".into(),
        });
        let mut awaiting = verdict();
        awaiting.assessment.incomplete.push(Incomplete {
            what: EARLIER.into(),
            why: "nobody has read them".into(),
        });
        for other in [undated, waived, unread, awaiting] {
            assert!(!other.is_settled(now), "{other:?}");
        }
    }
}
