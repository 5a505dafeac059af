//! The trusted root, brought up to date by a repository of the test.

use std::collections::BTreeMap;

use weir_testing::sigstore::TufRepository;

use super::*;
use crate::tuf::{Fetched, Metadata, Source, UpdateError, Updated, update};

const END: &str = "2030-01-01T00:00:00Z";
const HOST: &str = "registry.example.invalid";

struct Files(BTreeMap<String, Vec<u8>>);

impl Source for Files {
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetched<'a> {
        let found = self.0.get(path).cloned();
        Box::pin(async move {
            match found {
                Some(bytes) if bytes.len() as u64 > limit => Err("too large".to_owned()),
                found => Ok(found),
            }
        })
    }
}

fn targets() -> Vec<(&'static str, String)> {
    vec![
        ("trusted_root.json", WORLD.sigstore.trusted_root()),
        (
            "registry.example.invalid/keys.json",
            WORLD.key.document(None).to_string(),
        ),
        ("other.json", "{}".to_owned()),
    ]
}

fn updated(
    repository: &TufRepository,
    start: &str,
    kept: Metadata,
    now: &str,
) -> Result<Updated, UpdateError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(update(
        Files(repository.files().clone()),
        Some(start.as_bytes()),
        kept,
        &[HOST.to_owned(), "elsewhere.example.invalid".to_owned()],
        now.parse().unwrap(),
    ))
}

fn now_updated(repository: &TufRepository) -> Result<Updated, UpdateError> {
    updated(
        repository,
        &repository.start(),
        Metadata::new(),
        "2026-06-01T00:00:00Z",
    )
}

#[test]
fn the_chain_leads_to_the_root_and_to_the_keys_of_known_registries() {
    let mut repository = TufRepository::publish(&targets(), END);
    let found = now_updated(&repository).unwrap();
    assert_eq!(found.root, WORLD.sigstore.trusted_root());
    assert_eq!(found.keys.keys().collect::<Vec<_>>(), [HOST]);
    assert_eq!(
        (found.version, found.expires),
        (1, Some(END.parse().unwrap()))
    );
    repository.rotate();
    repository.republish(&targets());
    let later = updated(
        &repository,
        &repository.start(),
        found.metadata,
        "2026-06-01T00:00:00Z",
    );
    assert_eq!(later.unwrap().version, 2);
}

#[test]
fn no_byte_of_the_repository_may_change() {
    let mut repository = TufRepository::publish(&targets(), END);
    repository.rotate();
    repository.republish(&targets());
    now_updated(&repository).unwrap();
    let whole = repository.files().clone();
    let start = repository.start();
    let mut tried = 0;
    // What is asked for; the first versions are history.
    let needed = whole
        .keys()
        .filter(|path| !path.starts_with("1.") && !path.ends_with("other.json"));
    for path in needed {
        for at in (0..whole[path].len()).step_by(3) {
            *repository.files_mut() = whole.clone();
            repository.files_mut().get_mut(path).unwrap()[at] ^= 1;
            let changed = updated(&repository, &start, Metadata::new(), "2026-06-01T00:00:00Z");
            // White space would be the only harmless change, and there is none.
            assert!(changed.is_err(), "{path} byte {at}");
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn nothing_old_and_nothing_of_somebody_else_is_taken() {
    let mut repository = TufRepository::publish(&targets(), END);
    let start = repository.start();
    let late = updated(&repository, &start, Metadata::new(), "2030-01-02T00:00:00Z");
    assert!(
        matches!(&late, Err(UpdateError::Metadata(why)) if why.contains("expired")),
        "{late:?}"
    );
    // A repository that goes back to what it said before.
    let before = repository.files().clone();
    repository.republish(&targets());
    let kept = now_updated(&repository).unwrap().metadata;
    *repository.files_mut() = before;
    let back = updated(&repository, &start, kept, "2026-06-01T00:00:00Z");
    assert!(matches!(back, Err(UpdateError::Metadata(_))), "{back:?}");
    let theirs = TufRepository::publish(&targets(), END);
    let other = updated(&theirs, &start, Metadata::new(), "2026-06-01T00:00:00Z");
    assert!(matches!(other, Err(UpdateError::Metadata(_))), "{other:?}");
    // A chain without its middle.
    let mut long = TufRepository::publish(&targets(), END);
    long.rotate();
    long.rotate();
    long.republish(&targets());
    long.files_mut().remove("2.root.json");
    assert!(now_updated(&long).is_err());
    let empty = TufRepository::publish(&[("trusted_root.json", "{}".to_owned())], END);
    let empty = now_updated(&empty);
    assert!(
        matches!(empty, Err(UpdateError::Unusable { .. })),
        "{empty:?}"
    );
}

/// The public repository's root metadata come with weir, and are what they say: a quorum signed them.
#[test]
fn the_chain_begins_with_sigstores_own_root() {
    let nowhere = Files(BTreeMap::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let error = runtime.block_on(update(nowhere, None, Metadata::new(), &[], now));
    // The root verified, has not ended, and the next thing asked for is not there.
    let error = error.unwrap_err().to_string();
    assert!(error.contains("timestamp.json not found"), "{error}");
}
