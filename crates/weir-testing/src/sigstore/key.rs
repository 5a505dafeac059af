//! Key pairs on P-256, as everybody here has one.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

/// A key pair and its public half as SubjectPublicKeyInfo in DER.
pub(crate) struct Pair {
    pair: EcdsaKeyPair,
    pub(crate) spki: Vec<u8>,
}

impl Pair {
    /// # Panics
    /// When the system gives no randomness.
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a P-256 key");
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("the key as SPKI");
        let spki = spki.as_ref().to_vec();
        Self { pair, spki }
    }

    /// The pair in PKCS#8.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        self.pair
            .to_pkcs8v1()
            .expect("the key as PKCS#8")
            .as_ref()
            .to_vec()
    }

    /// The pair in the form of SEC 1 (RFC 5915).
    pub(crate) fn sec1(&self) -> Vec<u8> {
        let key: EcPrivateKeyRfc5915Der<'_> =
            self.pair.private_key().as_der().expect("the key as SEC 1");
        key.as_ref().to_vec()
    }

    /// A signature in DER over the SHA-256 of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        signature.expect("a signature").as_ref().to_vec()
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}
