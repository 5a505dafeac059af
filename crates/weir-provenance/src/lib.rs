#![doc = include_str!("../README.md")]

mod attestations;
mod bundle;
mod claims;
mod keys;
mod signature;
mod statement;
mod verifier;

#[doc(hidden)]
pub mod fuzz;

pub use attestations::{Attestations, PUBLISH, SLSA_0_2, SLSA_1};
pub use keys::{KeysError, RegistryKey, RegistryKeys, Usage};
pub use signature::{SignatureFault, VerifiedSignature, verify_signature};
pub use statement::{Subject, purls};
pub use verifier::{GITHUB, GITLAB, Provenance, Publish, Refusal, Verified, Verifier};

#[cfg(test)]
mod tests;
