//! What is kept of a release that was verified, and what follows from it.

use serde::{Deserialize, Serialize};
use weir_model::{AttestationState, SignatureState, Trust};
use weir_npm::integrity::Integrity;
use weir_policy::config::{Expectation, Traced, breaches};
use weir_provenance::{RegistryKeys, verify_signature};

use super::Wanted;
use super::facts::Facts;

/// What is kept of a release: all but the comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) facts: Facts,
    /// The keys and the root it was verified with.
    pub(super) under: String,
    pub(super) signature: SignatureState,
    pub(super) attestations: AttestationState,
}

impl Record {
    /// Whether it need not be made again.
    pub(super) fn stands(&self, under: &str) -> bool {
        let signed = matches!(
            self.signature,
            SignatureState::Verified { .. } | SignatureState::Unsigned
        );
        let attested = matches!(
            self.attestations,
            AttestationState::None | AttestationState::Verified { .. }
        );
        self.under == under && signed && attested
    }
}

impl Record {
    pub(super) fn unknown(under: String, why: &str) -> Self {
        Self {
            facts: Facts {
                integrity: None,
                signatures: Vec::new(),
                published: None,
                attested: false,
                provenance: false,
                trusted_publisher: false,
                approved: false,
                before: None,
            },
            under,
            signature: SignatureState::Unchecked {
                why: why.to_owned(),
            },
            attestations: AttestationState::Unchecked {
                why: why.to_owned(),
            },
        }
    }
}

pub(super) fn signature(wanted: &Wanted, facts: &Facts, keys: &RegistryKeys) -> SignatureState {
    if keys.is_empty() {
        return match keys.skipped() {
            0 => SignatureState::Unsigned,
            _ => SignatureState::Unchecked {
                why: "the registry's keys are all of a kind that is not known".to_owned(),
            },
        };
    }
    let Some(integrity) = &facts.integrity else {
        return SignatureState::Missing;
    };
    let verified = verify_signature(
        keys,
        wanted.name.as_str(),
        &wanted.version,
        integrity,
        &facts.signatures(),
        facts.published,
    );
    match verified {
        Ok(verified) => SignatureState::Verified {
            keyid: verified.keyid().to_owned(),
        },
        Err(weir_provenance::SignatureFault::Missing) => SignatureState::Missing,
        Err(fault) => SignatureState::Failed {
            why: fault.to_string(),
        },
    }
}

/// Whether what is expected of the bytes is what the registry says of them. A weaker digest alone, as old
/// lockfiles have it, proves nothing about the one that is signed and is left to `weir check`.
pub(super) fn agrees(facts: &Facts, expected: Option<&Integrity>) -> Result<(), String> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let said = facts.integrity.as_deref().map(Integrity::parse);
    let Some(Ok(said)) = said else {
        return Ok(());
    };
    let (algorithm, digest) = said.strongest();
    let comparable = expected.digests().any(|(known, _)| known == algorithm);
    if !comparable || expected.holds(algorithm, digest) {
        return Ok(());
    }
    Err(format!(
        "the lockfile expects {expected}, and the registry has {said}"
    ))
}

/// What a release is compared with: nothing, where its own attestations do not stand.
pub(super) fn predecessor(record: &Record, wanted: &Wanted) -> Option<Wanted> {
    let stands = matches!(
        &record.attestations,
        AttestationState::Verified { .. } | AttestationState::None
    );
    let before = record.facts.before.clone().filter(|_| stands)?;
    Some(Wanted {
        name: wanted.name.clone(),
        version: before,
        integrity: None,
    })
}

/// What is to be said of a release: with what it was before, and what is expected of it.
pub(super) fn trust(
    wanted: &Wanted,
    record: Record,
    earlier: Option<&Record>,
    expectations: &[Expectation],
) -> Trust {
    let mut trust = Trust {
        signature: record.signature,
        attestations: record.attestations,
        since: None,
        changes: Vec::new(),
        breaches: Vec::new(),
    };
    trust.breaches = broken(wanted, &record.facts, &trust, expectations);
    let earlier = earlier.and_then(|earlier| match &earlier.attestations {
        AttestationState::Verified { claims } => claims.as_deref(),
        _ => None,
    });
    if let Some(before) = earlier {
        trust.changes = match trust.claims() {
            Some(after) => after.changes_since(before),
            None => vec![before.lost()],
        };
        trust.since = record.facts.before;
    }
    trust
}

/// What the policy expects of a release and it does not keep.
pub(super) fn broken(
    wanted: &Wanted,
    facts: &Facts,
    trust: &Trust,
    expectations: &[Expectation],
) -> Vec<weir_model::Breach> {
    let traced = Traced {
        name: wanted.name.as_str(),
        published: facts.published,
        trust,
        trusted_publisher: facts.trusted_publisher,
        approved: facts.approved,
    };
    breaches(expectations, &traced)
}
