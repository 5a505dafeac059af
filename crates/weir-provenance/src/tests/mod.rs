mod minted;
mod real;
mod signatures;
mod tampered;
mod updated;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::name::PackageName;
use weir_testing::sigstore::{GITHUB, Identity, Kind, SigningKey, Sigstore};

use crate::{Attestations, PUBLISH, Refusal, RegistryKeys, SLSA_1, Subject, Verified, Verifier};

const NAME: &str = "@scope/lib";
const VERSION: &str = "1.2.3";
const REPOSITORY: &str = "https://git.example.invalid/owner/lib";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A Sigstore, a registry key, and what trusts them.
struct World {
    sigstore: Sigstore,
    key: SigningKey,
    keys: RegistryKeys,
    verifier: Verifier,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let sigstore = Sigstore::generate();
    let key = SigningKey::generate("SHA256:first");
    World {
        keys: RegistryKeys::parse(key.document(None).to_string().as_bytes()).unwrap(),
        verifier: Verifier::from_root(&sigstore.trusted_root()).unwrap(),
        sigstore,
        key,
    }
});

fn integrity() -> Integrity {
    Integrity::from_digest(Algorithm::Sha512, &[7; 64]).unwrap()
}

fn at() -> Timestamp {
    "2026-02-03T04:05:06Z".parse().unwrap()
}

fn github() -> Identity {
    let workflow = format!("{REPOSITORY}/.github/workflows/release.yml@refs/tags/v{VERSION}");
    let claims = [
        (9, workflow.as_str()),
        (10, COMMIT),
        (11, "github-hosted"),
        (12, REPOSITORY),
        (13, COMMIT),
        (14, "refs/tags/v1.2.3"),
        (15, "424242"),
        (16, "https://git.example.invalid/owner"),
        (17, "4242"),
        (18, workflow.as_str()),
        (19, COMMIT),
        (20, "push"),
        (
            21,
            "https://git.example.invalid/owner/lib/actions/runs/1/attempts/1",
        ),
        (22, "public"),
        (23, "release"),
        (24, "repo:owner/lib:environment:release"),
    ];
    Identity {
        issuer: GITHUB.to_owned(),
        subject: workflow.clone(),
        claims: claims
            .into_iter()
            .map(|(number, value)| (number, value.to_owned()))
            .collect(),
    }
}

fn subject_of(name: &str, version: &str) -> Value {
    let name = PackageName::parse(name).unwrap();
    let [purl, _] = crate::purls(&name, version);
    json!([{"name": purl, "digest": {"sha512": hex::encode([7; 64])}}])
}

fn slsa_1() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject_of(NAME, VERSION),
        "predicateType": SLSA_1,
        "predicate": {
            "buildDefinition": {
                "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
                "externalParameters": {"workflow": {
                    "ref": "refs/tags/v1.2.3",
                    "repository": REPOSITORY,
                    "path": ".github/workflows/release.yml",
                }},
                "resolvedDependencies": [{
                    "uri": format!("git+{REPOSITORY}@refs/tags/v1.2.3"),
                    "digest": {"gitCommit": COMMIT},
                }],
            },
        },
    })
}

fn publish_statement() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": subject_of(NAME, VERSION),
        "predicateType": PUBLISH,
        "predicate": {"name": NAME, "version": VERSION, "registry": "https://registry.example.invalid"},
    })
}

/// The bundle of a build.
fn built(statement: &Value, identity: &Identity) -> Value {
    WORLD.sigstore.sign(statement, identity, Kind::Dsse, at())
}

/// The bundle of the registry.
fn published(statement: &Value) -> Value {
    let world = &*WORLD;
    world
        .sigstore
        .sign_with_key(statement, &world.key, Kind::Dsse, at())
}

fn document(items: &[(&str, Value)]) -> Vec<u8> {
    let items: Vec<Value> = items
        .iter()
        .map(|(kind, bundle)| json!({"predicateType": kind, "bundle": bundle}))
        .collect();
    json!({"attestations": items}).to_string().into_bytes()
}

fn verify(document: &[u8]) -> Result<Verified, Refusal> {
    verify_with(&WORLD.verifier, &WORLD.keys, document)
}

fn verify_with(
    verifier: &Verifier,
    keys: &RegistryKeys,
    document: &[u8],
) -> Result<Verified, Refusal> {
    let name = PackageName::parse(NAME).unwrap();
    let subject = Subject {
        name: &name,
        version: VERSION,
        integrity: &integrity(),
    };
    verifier.verify(&Attestations::parse(document)?, &subject, keys)
}

fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}
