//! Real bundles of the public registry, where the folder with them is beside the checkout
//! (`../shared/data/provenance`, or the one that `WEIR_PROVENANCE_DATA` names). Broken twins are refused.

use std::path::PathBuf;

use super::*;

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("WEIR_PROVENANCE_DATA").map(PathBuf::from);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let beside = root
        .ancestors()
        .map(|folder| folder.join("shared/data/provenance"))
        .find(|folder| folder.is_dir());
    named.or(beside).filter(|folder| folder.is_dir())
}

struct Real {
    file: &'static str,
    name: &'static str,
    version: &'static str,
    repository: &'static str,
    trigger: &'static str,
}

const REAL: [Real; 3] = [
    Real {
        file: "provenance-npm-test-cli-v02-prega",
        name: "@laurentsimon/provenance-npm-test",
        version: "1.0.3",
        repository: "https://github.com/laurentsimon/provenance-npm-test",
        trigger: "workflow_dispatch",
    },
    Real {
        file: "provenance-npm-test-cli-v1-prega",
        name: "sigstore",
        version: "2.3.1",
        repository: "https://github.com/sigstore/sigstore-js",
        trigger: "push",
    },
    Real {
        file: "gundam-visor-cli-v1-tag",
        name: "gundam-visor",
        version: "1.0.1",
        repository: "https://github.com/ramonpetgrave64/gundam-visor",
        trigger: "release",
    },
];

fn verify_file(
    verifier: &Verifier,
    keys: &RegistryKeys,
    folder: &std::path::Path,
    file: &str,
    real: &Real,
) -> Result<Verified, Refusal> {
    use aws_lc_rs::digest::{SHA512, digest};
    let tarball = std::fs::read(folder.join(format!("{file}.tgz"))).unwrap();
    let document = std::fs::read(folder.join(format!("{file}.tgz.json"))).unwrap();
    let digest = digest(&SHA512, &tarball);
    let name = PackageName::parse(real.name).unwrap();
    let subject = Subject {
        name: &name,
        version: real.version,
        integrity: &Integrity::from_digest(Algorithm::Sha512, digest.as_ref()).unwrap(),
    };
    verifier.verify(&Attestations::parse(&document)?, &subject, keys)
}

#[test]
fn real_bundles_verify_and_their_broken_twins_do_not() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED 9 of 9: real bundles, as there is no ../shared/data/provenance");
        return;
    };
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let keys = RegistryKeys::parse(read("registry-keys.json").as_bytes()).unwrap();
    assert_eq!(keys.iter().count(), 4);
    let verifiers = [
        Verifier::embedded().unwrap(),
        Verifier::from_root(&read("trusted_root.json")).unwrap(),
    ];
    for (verifier, real) in verifiers
        .iter()
        .flat_map(|it| REAL.iter().map(move |real| (it, real)))
    {
        let verified = verify_file(verifier, &keys, &folder, real.file, real).unwrap();
        assert!(verified.publish().is_some(), "{}", real.file);
        let claims = verified.provenance().unwrap().claims();
        assert_eq!(claims.repository, real.repository);
        assert_eq!(claims.trigger.as_deref(), Some(real.trigger));
        assert_eq!(
            claims
                .workflow
                .as_deref()
                .map(|it| it.starts_with(".github/workflows/")),
            Some(true)
        );
        for twin in ["invalidsigprov", "invalidsigpub"] {
            let file = format!("{}-{twin}", real.file);
            let refused = verify_file(verifier, &keys, &folder, &file, real);
            assert!(
                matches!(refused, Err(Refusal::Invalid(_))),
                "{file}: {refused:?}"
            );
        }
        // The same bundle for another version, and another tarball under it.
        let other = Real {
            version: "9.9.9",
            ..*real
        };
        assert!(verify_file(verifier, &keys, &folder, real.file, &other).is_err());
    }
}
