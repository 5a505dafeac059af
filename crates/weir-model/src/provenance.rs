//! What a verified provenance says of a release, and how that differs between releases.
//!
//! The claims come from the certificate that Sigstore's authority gave the build, so a build cannot choose
//! them freely. They prove where a release was built, never that it is harmless: what tells is a change.

mod expectation;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use expectation::{Breach, Expected};

/// Where, how and by what a release was built. What a certificate does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Claims {
    /// Kind of statement, e.g. `https://slsa.dev/provenance/v1`.
    pub predicate: String,
    /// Who vouched for the build's identity: the platform's token issuer.
    pub issuer: String,
    /// The source repository, without a final slash or `.git`.
    pub repository: String,
    /// The platform's number of the repository: survives renames, and a name registered anew has another.
    pub repository_id: Option<String>,
    /// The repository's owner.
    pub owner: Option<String>,
    /// The platform's number of the owner.
    pub owner_id: Option<String>,
    /// The commit that was built.
    pub commit: Option<String>,
    /// The branch or tag that was built, e.g. `refs/tags/v1.2.3`.
    pub reference: Option<String>,
    /// The workflow file inside its repository, without the ref.
    pub workflow: Option<String>,
    /// The workflow that signed, where it is another one (a reusable workflow); without the ref.
    pub signer: Option<String>,
    /// What started the build, e.g. `push`.
    pub trigger: Option<String>,
    /// The kind of machine, e.g. `github-hosted`.
    pub runner: Option<String>,
    /// The deployment environment, which approvals hang on.
    pub environment: Option<String>,
    /// Whether the repository was public when it was built.
    pub visibility: Option<String>,
    /// The build's own address.
    pub run: Option<String>,
    /// When the signature was logged (RFC 3339).
    #[schemars(with = "String")]
    pub signed_at: Timestamp,
}

/// What differs between the claims of two releases, in an order of how much it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimKind {
    /// There is no provenance any more.
    Lost,
    /// The repository's address is the same and its number is not: somebody registered the name anew.
    RepositoryReplaced,
    /// Another repository, under its number where both are known.
    Repository,
    /// Another platform vouches.
    Issuer,
    /// From a hosted machine to one of the owner's own.
    Runner,
    /// Another workflow file.
    Workflow,
    /// Another reusable workflow signed.
    Signer,
    /// From tags to a branch, or another branch.
    Reference,
    /// Another trigger.
    Trigger,
    /// The deployment environment, and the approvals that hang on it, are gone or another one.
    Environment,
    /// From a private to a public repository or back.
    Visibility,
    /// One run published both.
    SameRun,
}

impl ClaimKind {
    /// One word or two for it, as tables show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "provenance",
            Self::RepositoryReplaced => "repository number",
            Self::Repository => "repository",
            Self::Issuer => "issuer",
            Self::Runner => "runner",
            Self::Workflow => "workflow",
            Self::Signer => "signing workflow",
            Self::Reference => "ref",
            Self::Trigger => "trigger",
            Self::Environment => "environment",
            Self::Visibility => "visibility",
            Self::SameRun => "run",
        }
    }

    /// Whether a project changes this now and then without anything being wrong.
    #[must_use]
    pub const fn is_ordinary(self) -> bool {
        matches!(self, Self::Trigger | Self::Visibility | Self::SameRun)
    }
}

/// One claim that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClaimChange {
    /// Which.
    pub claim: ClaimKind,
    /// In the earlier release.
    pub before: String,
    /// In the later one.
    pub after: String,
}

impl Claims {
    /// What is no longer as it was in an earlier release. Empty for what changes with every build
    /// (commit, run, tag), for a repository that was renamed and kept its number, and for a claim that one
    /// of the two does not make, except where its going is the news (the environment).
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<ClaimChange> {
        let mut changes = Vec::new();
        let mut push = |claim, before: &str, after: &str| {
            changes.push(ClaimChange {
                claim,
                before: before.to_owned(),
                after: after.to_owned(),
            });
        };
        if let Some((claim, was, is)) = self.other_repository(before) {
            push(claim, &was, &is);
        }
        if self.issuer != before.issuer {
            push(ClaimKind::Issuer, &before.issuer, &self.issuer);
        }
        let claims = [
            (ClaimKind::Runner, &before.runner, &self.runner),
            (ClaimKind::Workflow, &before.workflow, &self.workflow),
            (ClaimKind::Signer, &before.signer, &self.signer),
            (ClaimKind::Trigger, &before.trigger, &self.trigger),
            (ClaimKind::Visibility, &before.visibility, &self.visibility),
        ];
        for (claim, was, is) in claims {
            if let (Some(was), Some(is)) = (was, is)
                && was != is
                // Back to a hosted machine is no loss.
                && (claim != ClaimKind::Runner || is.contains("self-hosted"))
            {
                push(claim, was, is);
            }
        }
        if let (Some(was), Some(is)) = (&before.reference, &self.reference)
            && line_of(was) != line_of(is)
            // From a branch to tags is the better habit.
            && line_of(is) != TAGS
        {
            push(ClaimKind::Reference, was, is);
        }
        if let Some(was) = &before.environment
            && self.environment.as_ref() != Some(was)
        {
            let is = self.environment.as_deref().unwrap_or("none");
            push(ClaimKind::Environment, was, is);
        }
        if let (Some(was), Some(is)) = (&before.run, &self.run)
            && was == is
        {
            push(ClaimKind::SameRun, was, is);
        }
        changes
    }

    /// The change to a release without provenance.
    #[must_use]
    pub fn lost(&self) -> ClaimChange {
        ClaimChange {
            claim: ClaimKind::Lost,
            before: format!("built from {}", self.repository),
            after: "none".to_owned(),
        }
    }

    fn other_repository(&self, before: &Self) -> Option<(ClaimKind, String, String)> {
        let same_address = self.repository.eq_ignore_ascii_case(&before.repository);
        match (&before.repository_id, &self.repository_id) {
            (Some(was), Some(is)) if was == is => None,
            (Some(was), Some(is)) if same_address => Some((
                ClaimKind::RepositoryReplaced,
                format!("{} (number {was})", before.repository),
                format!("{} (number {is})", self.repository),
            )),
            _ if same_address => None,
            _ => Some((
                ClaimKind::Repository,
                before.repository.clone(),
                self.repository.clone(),
            )),
        }
    }
}

const TAGS: &str = "refs/tags/";

/// What a ref is one of: all tags are alike, a branch is itself.
fn line_of(reference: &str) -> &str {
    if reference.starts_with(TAGS) {
        TAGS
    } else {
        reference
    }
}

/// How a registry's signature on a release stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SignatureState {
    /// It holds.
    Verified {
        /// The label of the key.
        keyid: String,
    },
    /// The registry has keys, and the release no signature.
    Missing,
    /// It does not hold.
    Failed {
        /// Why.
        why: String,
    },
    /// The registry has no keys: it signs nothing.
    Unsigned,
    /// It could not be checked.
    Unchecked {
        /// Why.
        why: String,
    },
}

/// How the attestations of a release stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum AttestationState {
    /// The registry announces none.
    None,
    /// They hold.
    Verified {
        /// What the provenance says; `None` where only the registry attested.
        claims: Option<Box<Claims>>,
    },
    /// They do not hold, or are announced and not there.
    Failed {
        /// Why.
        why: String,
    },
    /// They could not be checked.
    Unchecked {
        /// Why.
        why: String,
    },
}

/// How far a release can be traced to its registry and its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trust {
    /// The registry's signature.
    pub signature: SignatureState,
    /// Its attestations.
    pub attestations: AttestationState,
    /// The earlier release that its claims were compared with.
    pub since: Option<String>,
    /// What is no longer as it was there.
    pub changes: Vec<ClaimChange>,
    /// What the policy expects of it and it does not keep.
    #[serde(default)]
    pub breaches: Vec<Breach>,
}

impl Trust {
    /// Nothing is known, for this reason.
    #[must_use]
    pub fn unchecked(why: &str) -> Self {
        let why = why.to_owned();
        Self {
            signature: SignatureState::Unchecked { why: why.clone() },
            attestations: AttestationState::Unchecked { why },
            since: None,
            changes: Vec::new(),
            breaches: Vec::new(),
        }
    }

    /// The same of bytes of which nobody knows whether they are the ones that were verified: what holds
    /// counts as not checked for this reason, and what does not stays as it is.
    #[must_use]
    pub fn not_compared(mut self, why: &str) -> Self {
        if matches!(self.signature, SignatureState::Verified { .. }) {
            let why = why.to_owned();
            self.signature = SignatureState::Unchecked { why };
        }
        if matches!(self.attestations, AttestationState::Verified { .. }) {
            let why = why.to_owned();
            self.attestations = AttestationState::Unchecked { why };
        }
        self
    }

    /// What does not hold, with the reason. Never empty for a release that has to be refused.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let signature = match &self.signature {
            SignatureState::Failed { why } => Some(("registry signature", why.as_str())),
            _ => None,
        };
        let attestations = match &self.attestations {
            AttestationState::Failed { why } => Some(("attestation", why.as_str())),
            _ => None,
        };
        signature.into_iter().chain(attestations)
    }

    /// The claims of a verified provenance.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        match &self.attestations {
            AttestationState::Verified { claims } => claims.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
