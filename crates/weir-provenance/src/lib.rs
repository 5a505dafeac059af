#![doc = include_str!("../README.md")]

mod attestations;
mod bundle;
mod claims;
mod keys;
mod root;
mod signature;
mod statement;
pub mod tuf;
mod verifier;

#[doc(hidden)]
pub mod fuzz;

pub use attestations::{Attestations, PUBLISH, SLSA_0_2, SLSA_1};
pub use keys::{KeysError, RegistryKey, RegistryKeys, Usage};
pub use root::{Named, named};
pub use signature::{SignatureFault, VerifiedSignature, verify_signature};
pub use statement::{Subject, purls};
pub use verifier::{GITHUB, GITLAB, Provenance, Publish, Refusal, Verified, Verifier};

/// The SHA-256 of something that verifying depends on, in hexadecimal: tells one trusted root or list of
/// keys from another.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    hexadecimal(digest.as_ref())
}

/// Bytes in hexadecimal, as attestations and bills of materials write digests.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

#[cfg(test)]
mod tests;
