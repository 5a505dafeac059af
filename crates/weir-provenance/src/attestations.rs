//! The document a registry serves about a release's attestations.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::verifier::Refusal;

/// npm's statement that a registry took a release in.
pub const PUBLISH: &str = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
/// How a release was built, in SLSA's form 0.2.
pub const SLSA_0_2: &str = "https://slsa.dev/provenance/v0.2";
/// How a release was built, in SLSA's form 1.
pub const SLSA_1: &str = "https://slsa.dev/provenance/v1";

/// Largest document, in bytes. Real ones are 15 kB; a workflow's inputs can be some more.
const MAX_SIZE: usize = 4 << 20;
/// Most attestations in one document; npm has two.
const MAX_ATTESTATIONS: usize = 16;

/// The attestations of a release, not verified.
#[derive(Debug)]
pub struct Attestations {
    pub(crate) items: Vec<Item>,
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) predicate: String,
    pub(crate) bundle: Box<RawValue>,
}

#[derive(Deserialize)]
struct Document {
    attestations: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    predicate_type: String,
    bundle: Box<RawValue>,
}

impl Attestations {
    /// Reads the answer of `/-/npm/v1/attestations/<name>@<version>`.
    ///
    /// # Errors
    /// [`Refusal::Document`] when it is none, holds nothing, or too much.
    pub fn parse(document: &[u8]) -> Result<Self, Refusal> {
        let refused = |why: &str| Refusal::Document(why.to_owned());
        if document.len() > MAX_SIZE {
            return Err(refused("larger than 4 MiB"));
        }
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| Refusal::Document(error.to_string()))?;
        if document.attestations.is_empty() {
            return Err(refused("it holds none"));
        }
        if document.attestations.len() > MAX_ATTESTATIONS {
            return Err(refused("it holds more than 16"));
        }
        let items = document.attestations.into_iter().map(|raw| Item {
            predicate: raw.predicate_type,
            bundle: raw.bundle,
        });
        Ok(Self {
            items: items.collect(),
        })
    }

    /// Whether one of them claims to say how the release was built.
    #[must_use]
    pub fn has_provenance(&self) -> bool {
        self.items.iter().any(|item| is_provenance(&item.predicate))
    }
}

/// Whether a predicate says how something was built.
pub(crate) fn is_provenance(predicate: &str) -> bool {
    matches!(predicate, SLSA_0_2 | SLSA_1)
}
