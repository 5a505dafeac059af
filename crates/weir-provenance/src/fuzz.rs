//! Bodies of fuzz targets: property tests run them on the stable toolchain.

use std::sync::LazyLock;

use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::name::PackageName;

use crate::{Attestations, PUBLISH, RegistryKeys, SLSA_0_2, SLSA_1, Subject, Verifier};

static VERIFIER: LazyLock<Option<Verifier>> = LazyLock::new(|| Verifier::embedded().ok());

/// Reads anything as a bundle of each kind, as a document of attestations, and as a list of keys.
///
/// # Panics
/// When something made up verifies, or the root that comes with weir is broken.
pub fn bundle(bytes: &[u8]) {
    let verifier = VERIFIER.as_ref();
    assert!(
        verifier.is_some(),
        "the root that comes with weir is broken"
    );
    let Some(verifier) = verifier else { return };
    attestations(verifier, bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        for predicate in [SLSA_1, SLSA_0_2, PUBLISH] {
            let document = format!(
                "{{\"attestations\":[{{\"predicateType\":\"{predicate}\",\"bundle\":{text}}}]}}"
            );
            attestations(verifier, document.as_bytes());
        }
    }
    keys(bytes);
}

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
