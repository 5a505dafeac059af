//! The registry's signing key: a real ECDSA P-256 pair, made at start.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

/// A signing key as `/-/npm/v1/keys` presents it (DETECTION section 6, signatures).
pub(super) struct RegistryKey {
    pair: EcdsaKeyPair,
    id: String,
    public: String,
}

impl RegistryKey {
    /// # Panics
    /// When the system gives no randomness.
    pub(super) fn generate() -> RegistryKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a P-256 key");
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("the key as SPKI");
        let id = format!("SHA256:{}", STANDARD_NO_PAD.encode(sha256(spki.as_ref())));
        let public = STANDARD.encode(spki.as_ref());
        RegistryKey { pair, id, public }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Signs a UTF-8 message; DER signature in base64.
    pub(super) fn sign(&self, message: &str) -> String {
        let random = SystemRandom::new();
        let signature = self
            .pair
            .sign(&random, message.as_bytes())
            .expect("a signature");
        STANDARD.encode(signature.as_ref())
    }

    pub(super) fn document(&self) -> Value {
        json!({"keys": [{
            "expires": null,
            "keyid": self.id,
            "keytype": "ecdsa-sha2-nistp256",
            "scheme": "ecdsa-sha2-nistp256",
            "key": self.public,
        }]})
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(super) fn sha512(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA512, bytes).as_ref().to_vec()
}

pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)
        .as_ref()
        .to_vec()
}
