//! Bodies of fuzz targets: property tests run them on the stable toolchain.

use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::name::PackageName;

use crate::{Attestations, RegistryKeys, Subject, Verifier};

/// Reads anything as a document of attestations and verifies it. Nothing made up may verify.
///
/// # Panics
/// When something does.
pub fn attestations(verifier: &Verifier, bytes: &[u8]) {
    let Ok(attestations) = Attestations::parse(bytes) else {
        return;
    };
    let (Ok(name), Ok(integrity)) = (
        PackageName::parse("lib"),
        Integrity::from_digest(Algorithm::Sha512, &[0; 64]),
    ) else {
        return;
    };
    let subject = Subject {
        name: &name,
        version: "1.0.0",
        integrity: &integrity,
    };
    let verified = verifier.verify(&attestations, &subject, &RegistryKeys::default());
    assert!(verified.is_err(), "something made up was verified");
}

/// Reads anything as a list of keys.
pub fn keys(bytes: &[u8]) {
    let _ = RegistryKeys::parse(bytes);
}
