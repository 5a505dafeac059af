//! in-toto statements: what is attested, of which release.

use serde::Deserialize;
use serde_json::Value;
use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::name::PackageName;

use crate::verifier::Refusal;

/// The release an attestation has to be about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The package.
    pub name: &'a PackageName,
    /// The version.
    pub version: &'a str,
    /// The tarball's integrity; a SHA-512 has to be in it.
    pub integrity: &'a Integrity,
}

impl Subject<'_> {
    /// The SHA-512 of the tarball.
    pub(crate) fn sha512(&self) -> Result<&[u8], Refusal> {
        let mut digests = self
            .integrity
            .digests()
            .filter(|(algorithm, _)| *algorithm == Algorithm::Sha512);
        match (digests.next(), digests.next()) {
            (Some((_, digest)), None) => Ok(digest),
            _ => Err(Refusal::NoDigest),
        }
    }
}

/// The package URLs of a release: as the specification writes them, and with the scope's `@` as it is,
/// as early attestations do.
#[must_use]
pub fn purls(name: &PackageName, version: &str) -> [String; 2] {
    let raw = format!("pkg:npm/{name}@{version}", name = name.as_str());
    let encoded = raw.replacen("pkg:npm/@", "pkg:npm/%40", 1);
    [encoded, raw]
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Named>,
    pub(crate) predicate_type: String,
    #[serde(default)]
    pub(crate) predicate: Value,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    digest: Digests,
}

#[derive(Debug, Deserialize)]
struct Digests {
    sha512: Option<String>,
}

impl Statement {
    /// Reads a verified payload.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Refusal> {
        let statement: Self = serde_json::from_slice(payload)
            .map_err(|error| Refusal::Statement(error.to_string()))?;
        let known = [
            "https://in-toto.io/Statement/v0.1",
            "https://in-toto.io/Statement/v1",
        ];
        if known.contains(&statement.kind.as_str()) {
            Ok(statement)
        } else {
            Err(Refusal::Statement(
                "it is of a kind that is not known".to_owned(),
            ))
        }
    }

    /// Whether it is about the release, and about nothing else.
    pub(crate) fn is_about(&self, subject: &Subject<'_>) -> Result<(), Refusal> {
        let [only] = self.subject.as_slice() else {
            return Err(Refusal::Statement(
                "it is not about exactly one thing".to_owned(),
            ));
        };
        let [encoded, raw] = purls(subject.name, subject.version);
        if only.name != encoded && only.name != raw {
            return Err(Refusal::OtherSubject {
                expected: encoded,
                got: weir_model::finding::printable(&only.name, 300),
            });
        }
        let digest = hex::encode(subject.sha512()?);
        match &only.digest.sha512 {
            Some(signed) if signed.eq_ignore_ascii_case(&digest) => Ok(()),
            _ => Err(Refusal::OtherDigest),
        }
    }

    /// A text inside the predicate.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.predicate.pointer(pointer)?.as_str()
    }
}
