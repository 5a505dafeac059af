use weir_npm::integrity::{Algorithm, Integrity};

use super::*;
use crate::store::tests::open;

fn integrity(algorithm: Algorithm, bytes: &[u8]) -> Integrity {
    let digest = Hashed::of(bytes.to_vec().into()).digest(algorithm);
    Integrity::from_digest(algorithm, digest.as_ref()).unwrap()
}

async fn keep(store: &Store, expected: &Integrity, bytes: &[u8]) -> Result<Blob, StoreError> {
    let hashed = Hashed::of(bytes.to_vec().into());
    store.keep_blob(&hashed, expected).await
}

fn parts(store: &Store) -> usize {
    let blobs = std::fs::read_dir(store.folder().join("blobs")).unwrap();
    blobs
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some())
        .count()
}

#[tokio::test]
async fn a_tarball_is_found_by_the_digest_it_was_promised_under() {
    let (_folder, store) = open().await;
    let bytes = vec![7; 400_001];
    for algorithm in [
        Algorithm::Sha512,
        Algorithm::Sha1,
        Algorithm::Sha384,
        Algorithm::Sha256,
    ] {
        let expected = integrity(algorithm, &bytes);
        let kept = keep(&store, &expected, &bytes).await.unwrap();
        assert_eq!(kept.length(), 400_001);
        let found = store.blob(&expected).await.unwrap().unwrap();
        assert_eq!(found, kept);
        assert_eq!(found.read().await.unwrap(), bytes);
        assert_eq!(found.sha512_hex().len(), 128);
    }
    assert_eq!(
        store
            .blob(&integrity(Algorithm::Sha1, b"other"))
            .await
            .unwrap(),
        None
    );
    assert_eq!(parts(&store), 0);
}

#[tokio::test]
async fn other_bytes_are_refused_and_forgotten() {
    let (_folder, store) = open().await;
    for algorithm in [Algorithm::Sha512, Algorithm::Sha1] {
        let expected = integrity(algorithm, b"promised");
        let error = keep(&store, &expected, b"delivered").await.unwrap_err();
        let StoreError::Integrity {
            expected: wanted,
            actual,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(wanted, expected.to_string());
        assert_eq!(actual, integrity(algorithm, b"delivered").to_string());
        assert_eq!(store.blob(&expected).await.unwrap(), None);
    }
    assert_eq!(parts(&store), 0);
}

/// The strongest digest decides, whatever a weaker one beside it says.
#[tokio::test]
async fn a_weaker_digest_does_not_outvote_a_stronger_one() {
    let (_folder, store) = open().await;
    let text = format!(
        "{} {}",
        integrity(Algorithm::Sha1, b"delivered"),
        integrity(Algorithm::Sha512, b"promised")
    );
    let expected = Integrity::parse(&text).unwrap();
    assert!(keep(&store, &expected, b"delivered").await.is_err());
    keep(&store, &expected, b"promised").await.unwrap();
}

#[tokio::test]
async fn a_tarball_that_cannot_be_put_in_place_leaves_nothing() {
    let (_folder, store) = open().await;
    let expected = integrity(Algorithm::Sha512, b"x");
    let name = Hashed::of(bytes::Bytes::from_static(b"x")).sha512_hex();
    std::fs::create_dir_all(store.blob_path(&name).join("in the way")).unwrap();
    keep(&store, &expected, b"x").await.unwrap_err();
    assert_eq!(parts(&store), 0);
}

#[tokio::test]
async fn a_damaged_tarball_counts_as_absent_in_the_next_process() {
    let (_folder, store) = open().await;
    let expected = integrity(Algorithm::Sha512, b"tarball");
    let blob = keep(&store, &expected, b"tarball").await.unwrap();
    std::fs::write(blob.path(), b"tarbal_").unwrap();
    let next = Store::open(store.folder()).await.unwrap();
    assert_eq!(next.blob(&expected).await.unwrap(), None);
    assert!(!blob.path().exists());
    // And the one that knew it notices that it is gone.
    assert_eq!(store.blob(&expected).await.unwrap(), None);
    keep(&next, &expected, b"tarball").await.unwrap();
    assert!(store.blob(&expected).await.unwrap().is_some());
}
