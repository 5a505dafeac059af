//! What is expected of a release's origin, and whether one keeps to it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_model::assessment::{ATTESTATIONS, SIGNATURE};
use weir_model::{AttestationState, Breach, Claims, Expected, SignatureState, Trust};

use super::pattern::{ReferencePattern, RepositoryPattern, WorkflowPattern};
use super::selector::NameGlob;
use super::text_value;
use super::waiver::Words;

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

text_value!(Day, "day", "2026-07-01");

impl Day {
    /// Whether a moment is before the day begins.
    #[must_use]
    pub fn is_after(&self, moment: Timestamp) -> bool {
        let begins = TimeZone::UTC.to_timestamp(self.0.at(0, 0, 0, 0));
        begins.is_ok_and(|begins| moment < begins)
    }
}

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The length keeps out the longer forms that the date parser would cut short.
        let date = (text.len() == "2026-07-01".len()).then(|| text.parse().ok());
        date.flatten()
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a date such as \"2026-07-01\""))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How much there has to be to go by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A registry signature that holds.
    Signature,
    /// Provenance that holds.
    #[default]
    Provenance,
    /// Provenance that holds, and the registry says that a trusted publisher published it, not a token.
    TrustedPublisher,
    /// The same, and a person approved it before it went out (staged publishing).
    Approved,
}

impl Evidence {
    const fn words(self) -> &'static str {
        match self {
            Self::Signature => "a registry signature that holds",
            Self::Provenance => "provenance that holds",
            Self::TrustedPublisher => "provenance, published by a trusted publisher",
            Self::Approved => {
                "provenance, published by a trusted publisher and approved by a person"
            }
        }
    }
}

/// Which machines may build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Machines {
    /// Only those of the platform.
    Hosted,
    /// Also the owner's own.
    #[default]
    Any,
}

/// What becomes of a release that breaks an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnBreach {
    /// It is blocked: the breach is enough by itself.
    #[default]
    Block,
    /// The breach counts as evidence of the group trust.
    Count,
}

/// What you know of how packages are built and published. A release that breaks one of these gets a
/// finding of `broken-expectation` with both values. Every entry whose pattern matches a package applies
/// to it. Of a list, one item has to match; what is left out is not asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The package, or a pattern such as `@acme/*`.
    pub package: NameGlob,
    /// The least there has to be. All keys about the build need provenance.
    #[serde(default)]
    pub evidence: Evidence,
    /// Repositories it is built from: `owner/name` on GitHub, or an address with its host; `*` stands for
    /// any run of characters except `/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repository: Vec<RepositoryPattern>,
    /// Workflow files that build it, as paths in the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflow: Vec<WorkflowPattern>,
    /// Branches and tags it is built from: `tags`, `branches`, or full refs such as `refs/heads/main`, in
    /// which `*` stands for any run of characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<ReferencePattern>,
    /// What may start the build, e.g. `push`, `release`, `workflow_dispatch`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger: Vec<Words>,
    /// Deployment environments, which approvals hang on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<Words>,
    /// Who vouches for the build: addresses of token issuers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer: Vec<Words>,
    /// Which machines may build it.
    #[serde(default)]
    pub runner: Machines,
    /// Releases published before this day (UTC) are not held to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Day>,
    /// What becomes of a release that breaks it.
    #[serde(default)]
    pub on_breach: OnBreach,
}

/// A release, as far as expectations ask about it.
#[derive(Debug, Clone, Copy)]
pub struct Traced<'a> {
    /// The package.
    pub name: &'a str,
    /// When it was published, as far as known.
    pub published: Option<Timestamp>,
    /// What verifying it came to.
    pub trust: &'a Trust,
    /// Whether the registry says that a trusted publisher published it.
    pub trusted_publisher: bool,
    /// Whether the registry says that a person approved it.
    pub approved: bool,
}

/// Every expectation that a release breaks. What did not hold is told by itself and breaks nothing here, and
/// neither does what could not be verified: see [`Policy::waits_to_verify`](super::Policy::waits_to_verify).
#[must_use]
pub fn breaches(expectations: &[Expectation], release: &Traced<'_>) -> Vec<Breach> {
    expectations
        .iter()
        .filter(|expectation| expectation.applies(release.name, release.published))
        .flat_map(|expectation| expectation.broken_by(release))
        .collect()
}

impl Expectation {
    /// What makes no sense about it, with the key; `None` if nothing.
    pub(super) fn contradiction(&self) -> Option<(&'static str, String)> {
        let build = [
            ("repository", self.repository.is_empty()),
            ("workflow", self.workflow.is_empty()),
            ("reference", self.reference.is_empty()),
            ("trigger", self.trigger.is_empty()),
            ("environment", self.environment.is_empty()),
            ("issuer", self.issuer.is_empty()),
            ("runner", self.runner == Machines::Any),
        ];
        let asked = build.into_iter().find(|(_, absent)| !absent);
        let (key, _) = asked.filter(|_| self.evidence == Evidence::Signature)?;
        let why = format!(
            "evidence = \"signature\" is not enough for it: only provenance says the {key}"
        );
        Some((key, why))
    }

    fn applies(&self, name: &str, published: Option<Timestamp>) -> bool {
        // A release of which nobody knows when it was published does not escape by that.
        let earlier = |day: &Day| published.is_some_and(|it| day.is_after(it));
        self.package.matches(name) && !self.since.as_ref().is_some_and(earlier)
    }

    /// Whether a release may be one that has to be blocked, for all that is known while this gap is there.
    pub(super) fn waits_for(&self, gap: &str, name: &str, published: Option<Timestamp>) -> bool {
        let asks = gap == SIGNATURE || (gap == ATTESTATIONS && self.evidence > Evidence::Signature);
        asks && self.on_breach == OnBreach::Block && self.applies(name, published)
    }

    fn broken_by(&self, release: &Traced<'_>) -> Vec<Breach> {
        let mut breaches: Vec<Breach> = self.too_little(release).into_iter().collect();
        if let Some(claims) = release.trust.claims() {
            breaches.extend(self.built_otherwise(claims));
        }
        breaches
    }

    fn breach(&self, what: Expected, expected: String, found: &str) -> Breach {
        Breach {
            what,
            expected,
            found: weir_model::finding::printable(found, 300),
            package: self.package.to_string(),
            decisive: self.on_breach == OnBreach::Block,
        }
    }

    fn too_little(&self, release: &Traced<'_>) -> Option<Breach> {
        let trust = release.trust;
        let signed = match &trust.signature {
            SignatureState::Verified { .. } => true,
            SignatureState::Missing | SignatureState::Unsigned => false,
            SignatureState::Failed { .. } | SignatureState::Unchecked { .. } => return None,
        };
        if self.evidence == Evidence::Signature {
            return (!signed).then(|| self.lacks("no registry signature"));
        }
        match &trust.attestations {
            AttestationState::Verified { claims: Some(_) } => {}
            AttestationState::Verified { claims: None } | AttestationState::None => {
                return Some(self.lacks("no provenance"));
            }
            AttestationState::Failed { .. } | AttestationState::Unchecked { .. } => return None,
        }
        if self.evidence >= Evidence::TrustedPublisher && !release.trusted_publisher {
            return Some(self.lacks("provenance, published with a token"));
        }
        (self.evidence >= Evidence::Approved && !release.approved)
            .then(|| self.lacks("provenance, and nobody's approval"))
    }

    fn lacks(&self, found: &str) -> Breach {
        self.breach(Expected::Evidence, self.evidence.words().to_owned(), found)
    }

    fn built_otherwise(&self, claims: &Claims) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let mut ask =
            |what, expected: String, found: Option<&str>, keeps: &dyn Fn(&str) -> bool| {
                if !expected.is_empty() && !found.is_some_and(keeps) {
                    breaches.push(self.breach(what, expected, found.unwrap_or("not said")));
                }
            };
        ask(
            Expected::Issuer,
            listed(&self.issuer),
            Some(&claims.issuer),
            &|found| self.issuer.iter().any(|it| it.as_str() == found),
        );
        ask(
            Expected::Repository,
            listed(&self.repository),
            Some(&claims.repository),
            &|found| self.repository.iter().any(|it| it.matches(found)),
        );
        ask(
            Expected::Workflow,
            listed(&self.workflow),
            claims.workflow.as_deref(),
            &|found| self.workflow.iter().any(|it| it.matches(found)),
        );
        ask(
            Expected::Reference,
            listed(&self.reference),
            claims.reference.as_deref(),
            &|found| self.reference.iter().any(|it| it.matches(found)),
        );
        ask(
            Expected::Trigger,
            listed(&self.trigger),
            claims.trigger.as_deref(),
            &|found| self.trigger.iter().any(|it| it.as_str() == found),
        );
        let hosted = match self.runner {
            Machines::Hosted => "a hosted machine",
            Machines::Any => "",
        };
        ask(
            Expected::Runner,
            hosted.to_owned(),
            claims.runner.as_deref(),
            // `github-hosted`, `gitlab-hosted`; and `self-hosted`.
            &|found| found.ends_with("-hosted") && found != "self-hosted",
        );
        ask(
            Expected::Environment,
            listed(&self.environment),
            claims.environment.as_deref(),
            &|found| self.environment.iter().any(|it| it.as_str() == found),
        );
        breaches
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(" or ")
}

#[cfg(test)]
mod tests;
