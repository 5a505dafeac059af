//! What is kept of a release that was verified, and what follows from it.

use serde::{Deserialize, Serialize};
use weir_model::{AttestationState, Claims, SignatureState, Trust};
use weir_npm::integrity::{Algorithm, Integrity};
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
                shasum: None,
                signatures: Vec::new(),
                odd_signatures: false,
                published: None,
                attested: false,
                odd_attestations: false,
                provenance: false,
                trusted_publisher: false,
                approved: false,
                earlier: Vec::new(),
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
    // Not milder than one that does not hold: whoever changes bytes has none to put there.
    let missing = || match facts.odd_signatures {
        true => SignatureState::Failed {
            why: "what the registry gives as its signature cannot be read".to_owned(),
        },
        false => SignatureState::Missing,
    };
    let Some(integrity) = &facts.integrity else {
        return missing();
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
        Err(weir_provenance::SignatureFault::Missing) => missing(),
        Err(fault) => SignatureState::Failed {
            why: fault.to_string(),
        },
    }
}

/// How the reason ends where what was signed holds, and nobody knows whether a lockfile means these bytes.
pub const NOT_COMPARED: &str = "whether that is what was signed is not known";

/// What comes of comparing what is expected of the bytes with what the registry says of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// They are the same bytes, or nothing is expected.
    Same,
    /// They are others.
    Other(String),
    /// There is no telling: what a client goes by is in no algorithm that both have.
    Not(String),
}

/// Compares every digest that is expected in an algorithm the registry gives: a client takes any of several.
/// It goes by the strongest, so that this one has to be among what is signed, which is `dist.integrity`. A
/// `dist.shasum` that is the same proves nothing there: whoever serves the bytes can write another one.
pub(super) fn compared(facts: &Facts, expected: Option<&Integrity>) -> Compared {
    let Some(expected) = expected else {
        return Compared::Same;
    };
    let parsed = facts.integrity.as_deref().map(Integrity::parse);
    let signed = parsed.and_then(Result::ok);
    let shasum = facts.shasum.as_deref();
    let shasum = shasum.and_then(|hex| Integrity::from_sha1_hex(hex).ok());
    for said in signed.iter().chain(&shasum) {
        let has = |algorithm: Algorithm| said.digests().any(|(known, _)| known == algorithm);
        let mut foreign = expected.digests().filter(|(algorithm, _)| has(*algorithm));
        if foreign.any(|(algorithm, digest)| !said.holds(algorithm, digest)) {
            return Compared::Other(format!(
                "the lockfile expects {expected}, and the registry has {said}"
            ));
        }
    }
    let (strongest, _) = expected.strongest();
    let has = |said: &Integrity| said.digests().any(|(known, _)| known == strongest);
    let Some(signed) = signed else {
        return match shasum {
            Some(shasum) if has(&shasum) => Compared::Same,
            _ => Compared::Not(format!(
                "the lockfile has {strongest}, and the registry gives no integrity: {NOT_COMPARED}"
            )),
        };
    };
    if has(&signed) {
        return Compared::Same;
    }
    let (theirs, _) = signed.strongest();
    Compared::Not(match shasum {
        Some(shasum) if has(&shasum) => format!(
            "the lockfile has only {strongest}, which is the registry's shasum; what it signs is {theirs}: \
             {NOT_COMPARED}"
        ),
        _ => {
            format!("the lockfile has {strongest}, and the registry signs {theirs}: {NOT_COMPARED}")
        }
    })
}

/// What a release is compared with, the first of which the claims hold: nothing, where its own attestations do
/// not stand.
pub(super) fn predecessors(record: &Record) -> &[String] {
    match &record.attestations {
        AttestationState::Verified { .. } | AttestationState::None => &record.facts.earlier,
        AttestationState::Failed { .. } | AttestationState::Unchecked { .. } => &[],
    }
}

/// What an earlier release claims, where that holds.
pub(super) fn claims(record: &Record) -> Option<&Claims> {
    match &record.attestations {
        AttestationState::Verified { claims } => claims.as_deref(),
        _ => None,
    }
}

/// What is to be said of a release: with what it was before, and what is expected of it.
pub(super) fn trust(
    wanted: &Wanted,
    record: Record,
    earlier: Option<(&str, &Claims)>,
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
    if let Some((version, before)) = earlier {
        trust.changes = match trust.claims() {
            Some(after) => after.changes_since(before),
            None => vec![before.lost()],
        };
        trust.since = Some(version.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(algorithm: Algorithm, fill: u8) -> String {
        let bytes = vec![fill; algorithm.digest_length()];
        Integrity::from_digest(algorithm, &bytes)
            .unwrap()
            .to_string()
    }

    /// What a registry gives for bytes of that number.
    fn facts(integrity: Option<String>, shasum: Option<u8>) -> Facts {
        let record = Record::unknown(String::new(), "");
        Facts {
            integrity,
            shasum: shasum.map(hex),
            ..record.facts
        }
    }

    fn hex(fill: u8) -> String {
        format!("{fill:02x}").repeat(20)
    }

    #[test]
    fn what_a_lockfile_records_has_to_be_what_was_signed() {
        use Algorithm::{Sha1, Sha256, Sha384, Sha512};
        let both = || facts(Some(digest(Sha512, 1)), Some(1));
        let old = || facts(None, Some(1));
        let two = |one: String, other: String| format!("{one} {other}");
        for (facts, expected, outcome) in [
            (both(), digest(Sha512, 1), "same"),
            (both(), digest(Sha512, 2), "other"),
            (both(), digest(Sha1, 1), "not"),
            (both(), digest(Sha1, 2), "other"),
            (both(), digest(Sha256, 1), "not"),
            (both(), digest(Sha384, 1), "not"),
            // A client would take either.
            (both(), two(digest(Sha512, 1), digest(Sha512, 2)), "other"),
            (both(), two(digest(Sha1, 1), digest(Sha512, 1)), "same"),
            (both(), two(digest(Sha1, 1), digest(Sha512, 2)), "other"),
            (both(), two(digest(Sha1, 2), digest(Sha512, 1)), "other"),
            // A weaker one that nobody could compare is not what a client goes by.
            (both(), two(digest(Sha256, 2), digest(Sha512, 1)), "same"),
            (old(), digest(Sha1, 1), "same"),
            (old(), digest(Sha1, 2), "other"),
            (old(), digest(Sha512, 1), "not"),
            (old(), two(digest(Sha1, 1), digest(Sha512, 1)), "not"),
            (facts(None, None), digest(Sha512, 1), "not"),
            (
                facts(Some("rubbish".to_owned()), None),
                digest(Sha512, 1),
                "not",
            ),
        ] {
            let parsed = Integrity::parse(&expected).unwrap();
            let found = match compared(&facts, Some(&parsed)) {
                Compared::Same => "same",
                Compared::Other(_) => "other",
                Compared::Not(why) => {
                    assert!(why.ends_with(NOT_COMPARED), "{why}");
                    "not"
                }
            };
            assert_eq!(found, outcome, "{expected}");
        }
        assert_eq!(compared(&both(), None), Compared::Same);
    }
}
