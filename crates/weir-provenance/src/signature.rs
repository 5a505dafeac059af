//! Registry signatures, as `npm audit signatures` verifies them.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use weir_npm::packument::Signature;

use crate::keys::{RegistryKey, RegistryKeys, Usage};

/// Why a registry's signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The registry has keys, and the release no signature.
    #[error("the registry signs its releases and has no signature for this one")]
    Missing,
    /// None of the signatures was made with a key that the registry names.
    #[error("signed with {keyid}, which is none of the registry's keys")]
    UnknownKey {
        /// The label of the last one.
        keyid: String,
    },
    /// The key did not count any more, or not yet, when the release was published.
    #[error("signed with {keyid}, which did not count when this was published ({published})")]
    Expired {
        /// The key's label.
        keyid: String,
        /// When the release was published.
        published: Timestamp,
    },
    /// The key expires, and nobody says when the release was published.
    #[error(
        "signed with {keyid}, which expires, and the registry does not say when this was published"
    )]
    Unjudged {
        /// The key's label.
        keyid: String,
    },
    /// The signature was made over something else.
    #[error("the signature with {keyid} is not one of `{message}`")]
    Wrong {
        /// The key's label.
        keyid: String,
        /// What should have been signed.
        message: String,
    },
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    keyid: String,
}

impl VerifiedSignature {
    /// The label of the key it was made with.
    #[must_use]
    pub fn keyid(&self) -> &str {
        &self.keyid
    }
}

/// Verifies a release's signatures. `integrity` is the text of `dist.integrity` as the registry wrote it.
/// All signatures with a known key have to hold, as for npm; one that no key is known for counts only when
/// it is alone.
///
/// # Errors
/// [`SignatureFault`]. Unlike npm, which takes 2015 where no publish time is known, an expiring key then
/// counts for nothing: a mirror that leaves out times would otherwise bring expired keys back.
pub fn verify_signature(
    keys: &RegistryKeys,
    name: &str,
    version: &str,
    integrity: &str,
    signatures: &[Signature],
    published: Option<Timestamp>,
) -> Result<VerifiedSignature, SignatureFault> {
    let message = format!("{name}@{version}:{integrity}");
    let mut verified = None;
    let mut fault = SignatureFault::Missing;
    for signature in signatures {
        match verify_one(keys, &message, signature, published) {
            Ok(it) => verified = Some(it),
            Err(it @ SignatureFault::UnknownKey { .. }) => fault = it,
            Err(it) => return Err(it),
        }
    }
    verified.ok_or(fault)
}

fn verify_one(
    keys: &RegistryKeys,
    message: &str,
    signature: &Signature,
    published: Option<Timestamp>,
) -> Result<VerifiedSignature, SignatureFault> {
    let keyid = signature.keyid.clone();
    let known: Vec<_> = keys.labelled(&signature.keyid, Usage::Signatures).collect();
    if known.is_empty() {
        return Err(SignatureFault::UnknownKey { keyid });
    }
    let counts = |key: &&&RegistryKey| match published {
        Some(published) => key.counts_at(published),
        None => key.expires.is_none(),
    };
    let counting: Vec<_> = known.iter().filter(counts).collect();
    if counting.is_empty() {
        return Err(match published {
            Some(published) => SignatureFault::Expired { keyid, published },
            None => SignatureFault::Unjudged { keyid },
        });
    }
    let bytes = STANDARD.decode(&signature.sig).unwrap_or_default();
    let holds = counting.iter().any(|key| {
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.spki);
        public.verify(message.as_bytes(), &bytes).is_ok()
    });
    if holds {
        Ok(VerifiedSignature { keyid })
    } else {
        Err(SignatureFault::Wrong {
            keyid,
            message: message.to_owned(),
        })
    }
}
