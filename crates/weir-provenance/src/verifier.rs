//! Verifying all attestations of a release.

use jiff::Timestamp;
use sigstore_trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_types::{ArtifactDigest, Bundle as SigstoreBundle, DerPublicKey, HashAlgorithm};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult};
use weir_model::Claims;

use crate::attestations::{Attestations, Item, PUBLISH, is_provenance};
use crate::bundle::{Bundle, Known};
use crate::claims;
use crate::keys::{RegistryKeys, Usage};
use crate::statement::{Statement, Subject};

/// Who vouches for builds on GitHub.
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// Who vouches for builds on GitLab.
pub const GITLAB: &str = "https://gitlab.com";

/// Why attestations are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The trusted root cannot be used.
    #[error("the trusted root cannot be used: {0}")]
    Root(String),
    /// The registry's answer holds no attestations.
    #[error("the registry's document of attestations cannot be read: {0}")]
    Document(String),
    /// A bundle is put together in a way no signer would.
    #[error("the bundle is malformed: {0}")]
    Shape(String),
    /// The tarball's SHA-512 is not known, so nothing can be compared with it.
    #[error("the release has no SHA-512 integrity to compare the attestation with")]
    NoDigest,
    /// The log that holds it is none that the trusted root names. Logs of the second generation are
    /// replaced about once a year, so that says more of the root than of the bundle.
    #[error(
        "logged in {0}, which is none of the trusted root's logs: refresh the root \
         (`weir trust-root refresh`)"
    )]
    UnknownLog(String),
    /// The cryptography does not hold.
    #[error("the bundle does not verify: {0}")]
    Invalid(String),
    /// It is signed with a key that the registry does not name for this.
    #[error("signed with {0}, which is none of the registry's keys for attestations")]
    UnknownKey(String),
    /// The registry's key did not count when it was logged.
    #[error("signed with {0}, which did not count when the signature was logged")]
    ExpiredKey(String),
    /// What is attested is not a statement.
    #[error("the statement cannot be read: {0}")]
    Statement(String),
    /// The document announces another kind of statement than was signed.
    #[error("announced as {announced}, signed as {signed}")]
    OtherPredicate {
        /// By the registry.
        announced: String,
        /// In the statement.
        signed: String,
    },
    /// It is about another release.
    #[error("it is about {got}, not about {expected}")]
    OtherSubject {
        /// The release.
        expected: String,
        /// What was signed.
        got: String,
    },
    /// It is about another tarball.
    #[error("it is about another tarball: the digests differ")]
    OtherDigest,
    /// The publish attestation contradicts itself.
    #[error("the publish attestation names another release")]
    OtherRelease,
    /// Signed by somebody that no build platform vouches for.
    #[error("the build is vouched for by {0}, which is no build platform that is known")]
    UnknownIssuer(String),
    /// The certificate was not given to a build.
    #[error("the certificate does not say what was built from where")]
    NoBuild,
    /// The build's statement and its certificate name different sources.
    #[error("the statement names the {what} {said}, the certificate {is}")]
    Contradiction {
        /// Which part.
        what: &'static str,
        /// In the statement.
        said: String,
        /// In the certificate.
        is: String,
    },
    /// Two provenance statements, or two publish attestations.
    #[error("there are two attestations of one kind ({0})")]
    Twice(String),
}

/// Attestations that hold. Can only be had from a [`Verifier`].
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    publish: Option<Publish>,
    provenance: Option<Provenance>,
    others: Vec<String>,
}

/// The registry's word that it took the release in, logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// The registry that it names.
    pub registry: Option<String>,
    /// The label of its key.
    pub keyid: String,
    /// When it was logged.
    pub logged_at: Timestamp,
}

/// Where the release was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    claims: Claims,
}

impl Provenance {
    /// What the build's certificate says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl Verified {
    /// The publish attestation.
    #[must_use]
    pub const fn publish(&self) -> Option<&Publish> {
        self.publish.as_ref()
    }

    /// The provenance.
    #[must_use]
    pub const fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// Statements of other kinds, verified and not understood.
    #[must_use]
    pub fn others(&self) -> &[String] {
        &self.others
    }
}

/// Verifies attestations against one trusted root. Making one costs a tenth of a millisecond, so it is
/// kept.
pub struct Verifier {
    sigstore: sigstore_verify::Verifier,
    known: Known,
    issuers: Vec<String>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("certificates", &self.known.certificates.len())
            .field("logs", &self.known.logs.len())
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// With the trusted root of Sigstore's public instance that comes with weir.
    ///
    /// # Errors
    /// [`Refusal::Root`], if the root that comes with weir were broken.
    pub fn embedded() -> Result<Self, Refusal> {
        Self::of_root(
            &TrustedRoot::from_embedded(SigstoreInstance::PublicGood)
                .map_err(|error| Refusal::Root(error.to_string()))?,
        )
    }

    /// With a trusted root in the form of Sigstore's `trusted_root.json`: a newer one, or one's own.
    ///
    /// # Errors
    /// [`Refusal::Root`].
    pub fn from_root(json: &str) -> Result<Self, Refusal> {
        let root =
            TrustedRoot::from_json(json).map_err(|error| Refusal::Root(error.to_string()))?;
        Self::of_root(&root)
    }

    fn of_root(root: &TrustedRoot) -> Result<Self, Refusal> {
        if root.certificate_authorities.is_empty() || root.tlogs.is_empty() {
            return Err(Refusal::Root(
                "it names no certificate authority or no log".to_owned(),
            ));
        }
        let sigstore = sigstore_verify::Verifier::new(root)
            .map_err(|error| Refusal::Root(error.to_string()))?;
        let chains = root.certificate_authorities.iter();
        let certificates = chains.flat_map(|authority| &authority.cert_chain.certificates);
        Ok(Self {
            sigstore,
            known: Known {
                certificates: certificates
                    .map(|certificate| certificate.raw_bytes.as_bytes().to_vec())
                    .collect(),
                logs: root
                    .tlogs
                    .iter()
                    .map(|log| log.log_id.key_id.as_bytes().to_vec())
                    .collect(),
            },
            issuers: vec![GITHUB.to_owned(), GITLAB.to_owned()],
        })
    }

    /// Also believes this issuer of build identities, e.g. that of one's own GitLab.
    #[must_use]
    pub fn with_issuer(mut self, issuer: &str) -> Self {
        self.issuers.push(issuer.to_owned());
        self
    }

    /// Verifies every attestation of a release. One that does not hold refuses all.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(
        &self,
        attestations: &Attestations,
        subject: &Subject<'_>,
        keys: &RegistryKeys,
    ) -> Result<Verified, Refusal> {
        let mut verified = Verified {
            publish: None,
            provenance: None,
            others: Vec::new(),
        };
        for item in &attestations.items {
            self.verify_one(item, subject, keys, &mut verified)?;
        }
        Ok(verified)
    }

    fn verify_one(
        &self,
        item: &Item,
        subject: &Subject<'_>,
        keys: &RegistryKeys,
        verified: &mut Verified,
    ) -> Result<(), Refusal> {
        let json = item.bundle.get();
        let bundle = Bundle::read(json, &self.known)?;
        let parsed =
            SigstoreBundle::from_json(json).map_err(|error| Refusal::Shape(error.to_string()))?;
        let artifact = ArtifactDigest::new(HashAlgorithm::Sha2512, subject.sha512()?.to_vec())
            .map_err(|error| Refusal::Invalid(error.to_string()))?;
        let result = match bundle.key_label() {
            Some(label) => self.with_key(&parsed, artifact, keys, label)?,
            None => self
                .sigstore
                .verify(artifact, &parsed, &VerificationPolicy::any_identity())
                .map_err(|error| Refusal::Invalid(error.to_string()))?,
        };
        let statement = Statement::read(&bundle.payload()?)?;
        if statement.predicate_type != item.predicate {
            return Err(Refusal::OtherPredicate {
                announced: weir_model::finding::printable(&item.predicate, 200),
                signed: weir_model::finding::printable(&statement.predicate_type, 200),
            });
        }
        statement.is_about(subject)?;
        let kind = statement.predicate_type.clone();
        if kind == PUBLISH {
            let publish = publish(&statement, subject, bundle.key_label(), &result)?;
            if verified.publish.replace(publish).is_some() {
                return Err(Refusal::Twice(kind));
            }
        } else if is_provenance(&kind) {
            let provenance = self.provenance(&statement, &result)?;
            if verified.provenance.replace(provenance).is_some() {
                return Err(Refusal::Twice(kind));
            }
        } else {
            verified
                .others
                .push(weir_model::finding::printable(&kind, 200));
        }
        Ok(())
    }

    /// Verifies a bundle that is signed with one of the registry's keys. Its time is the log's.
    fn with_key(
        &self,
        bundle: &SigstoreBundle,
        artifact: ArtifactDigest,
        keys: &RegistryKeys,
        label: &str,
    ) -> Result<VerificationResult, Refusal> {
        let shown = || weir_model::finding::printable(label, 120);
        let mut last = Refusal::UnknownKey(shown());
        for key in keys.labelled(label, Usage::Attestations) {
            let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki.clone()));
            match self.sigstore.verify(artifact.clone(), bundle, &policy) {
                Ok(result) if key.counts_at(logged_at(&result)?) => return Ok(result),
                Ok(_) => last = Refusal::ExpiredKey(shown()),
                Err(error) => last = Refusal::Invalid(error.to_string()),
            }
        }
        Err(last)
    }

    fn provenance(
        &self,
        statement: &Statement,
        result: &VerificationResult,
    ) -> Result<Provenance, Refusal> {
        let certificate = result.certificate().ok_or(Refusal::NoBuild)?;
        let issuer = result.issuer().unwrap_or_default();
        if !self.issuers.iter().any(|known| known == issuer) {
            return Err(Refusal::UnknownIssuer(weir_model::finding::printable(
                issuer, 200,
            )));
        }
        let claims = claims::of_certificate(
            issuer,
            &statement.predicate_type,
            &certificate.ci_claims,
            logged_at(result)?,
        )?;
        claims::agree(statement, &claims)?;
        Ok(Provenance { claims })
    }
}

/// The time the log or a timestamping authority vouches for.
fn logged_at(result: &VerificationResult) -> Result<Timestamp, Refusal> {
    let times = result.verified_timestamps().iter().copied();
    result
        .integrated_time()
        .or_else(|| times.min())
        .ok_or_else(|| Refusal::Invalid("nobody vouches for the time of the signature".to_owned()))
}

fn publish(
    statement: &Statement,
    subject: &Subject<'_>,
    label: Option<&str>,
    result: &VerificationResult,
) -> Result<Publish, Refusal> {
    // A registry signs with its key; a certificate would be somebody else's.
    let keyid = label.ok_or_else(|| Refusal::UnknownKey("a certificate".to_owned()))?;
    let named = statement.text("/name") == Some(subject.name.as_str())
        && statement.text("/version") == Some(subject.version);
    if !named {
        return Err(Refusal::OtherRelease);
    }
    Ok(Publish {
        registry: statement
            .text("/registry")
            .map(|text| weir_model::finding::printable(text, 200)),
        keyid: keyid.to_owned(),
        logged_at: logged_at(result)?,
    })
}
